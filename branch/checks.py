"""What must hold before production starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=False)
def no_demo_people(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """Demo people exist in demo mode only."""
    if not settings.PRODUCTION or not databases:
        return []
    return demo_people_found()


def demo_people_found() -> list[Error]:
    from branch.models import User

    names = list(User.objects.filter(is_demo=True).values_list("username", flat=True)[:10])
    if not names:
        return []
    return [
        Error(f"Demo people exist in this database: {', '.join(names)}. Use a database of its own.", id="branch.E001")
    ]
