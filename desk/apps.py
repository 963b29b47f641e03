from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class DeskConfig(AppConfig):
    name = "desk"
    verbose_name = _("Desk")

    def ready(self) -> None:
        load_app(self)
