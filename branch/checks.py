"""What must hold before production starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection


@register(Tags.security, deploy=False)
def no_demo_people(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """Demo people exist in demo mode only. Runs where a command was told to look at the database."""
    return demo_people_found() if settings.PRODUCTION and databases else []


def demo_people_found() -> list[Error]:
    from branch.models import User

    if User._meta.db_table not in connection.introspection.table_names():
        return []  # before the first migration there is nobody
    names = list(User.objects.filter(is_demo=True).values_list("username", flat=True)[:10])
    if not names:
        return []
    return [
        Error(f"Demo people exist in this database: {', '.join(names)}. Use a database of its own.", id="branch.E001")
    ]


def refuse_demo_people() -> None:
    """Web server and workers call this when they start. Raises ImproperlyConfigured in production."""
    if settings.PRODUCTION and (found := demo_people_found()):
        raise ImproperlyConfigured(found[0].msg)
