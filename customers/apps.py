from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        load_app(self)
