from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from branch.startup import load_app


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from customers.services.metrics import ensure_metrics

        load_app(self)
        post_migrate.connect(ensure_metrics, sender=self, dispatch_uid="ensure_metrics")
