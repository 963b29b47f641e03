"""Who works at an office, and how many open leads each has."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from branch.domain.roles import Role
from branch.models import Office, User
from branch.queries.actors import in_force
from customers.domain.balance import Balance
from customers.queries.leads import OPEN_STATES


def managers_around(office: Office) -> QuerySet[User]:
    """The active account managers of the business date whose role is held at the office, above or below it, by name."""
    above = [part for part in office.path.split("/") if part]
    held = in_force().filter(
        Q(office_id__in=above) | Q(office__path__startswith=office.path), role=Role.ACCOUNT_MANAGER
    )
    return User.objects.filter(is_active=True, pk__in=held.values("user")).order_by("display_name", "pk")


def balance_of(office: Office, *, without: int | None = None) -> Balance:
    """Their open leads, ready to share further ones out. One query."""
    open_leads = Count("leads", filter=Q(leads__state__in=OPEN_STATES))
    rows = managers_around(office).exclude(pk=without or 0).annotate(load=open_leads)
    return Balance(rows.values_list("pk", "load"))


def desk_of(user_id: int, office: Office) -> Office:
    """Where a lead stands that came to `office` and is given to this account manager, so that they see it.

    Their own office where it lies below `office` and their role reaches it, else the office of the role, else `office`.
    """
    held = in_force().filter(role=Role.ACCOUNT_MANAGER, user_id=user_id).select_related("office")
    paths = {row.office.path: row.office for row in held}
    home = Office.objects.filter(staff=user_id).first()
    if home is not None and home.path.startswith(office.path) and any(map(home.path.startswith, paths)):
        return home
    if any(office.path.startswith(path) for path in paths):
        return office
    below = sorted((path, one.pk) for path, one in paths.items() if path.startswith(office.path))
    return paths[below[0][0]] if below else office
