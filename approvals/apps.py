from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        load_app(self)
