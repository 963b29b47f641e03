from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class LoansConfig(AppConfig):
    name = "loans"
    verbose_name = _("Loans")

    def ready(self) -> None:
        load_app(self)
