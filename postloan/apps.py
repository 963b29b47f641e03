from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class PostloanConfig(AppConfig):
    name = "postloan"
    verbose_name = _("Postloan")

    def ready(self) -> None:
        load_app(self)
