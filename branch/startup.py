"""What happens once when the program starts: services and scopes register themselves, checks are armed."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def load_package(name: str) -> None:
    """Import a package and its modules, so that what registers itself is there."""
    try:
        package: ModuleType = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return
    for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
        importlib.import_module(f"{name}.{module.name}")


def name_references(app: AppConfig) -> None:
    """Call a reference without a name of its own what it refers to, in lists and records: `loan` is a loan."""
    for model in app.get_models():
        for field in model._meta.concrete_fields:
            unnamed = field._verbose_name is None  # type: ignore[attr-defined]
            if unnamed and field.remote_field and (name := field.remote_field.model._meta.verbose_name):
                field.verbose_name = name


def load_app(app: AppConfig) -> None:
    """Register the app's words, visibility scopes and use cases."""
    name_references(app)
    load_package(f"{app.name}.vocabulary")
    load_package(f"{app.name}.queries")
    load_package(f"{app.name}.services")


def ready(app: AppConfig) -> None:
    from branch import checks  # noqa: F401 - registers itself
    from branch.partitions import ensure_partitions
    from branch.services.grants import grant_app_role

    load_app(app)
    post_migrate.connect(ensure_partitions, sender=app, dispatch_uid="ensure_partitions")
    post_migrate.connect(grant_app_role, sender=app, dispatch_uid="grant_app_role")
