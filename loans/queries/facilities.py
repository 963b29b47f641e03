"""What a line has left, and what stands in the way of releasing money from it."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import QuerySet, Sum

from branch.domain.money import ZERO
from loans.models import Condition, Drawdown, Facility

#: Asked for and not yet reserved: from release on the amount is in `drawn_amount`.
ASKED_FOR = ("requested", "checked")


def open_conditions(application_id: int) -> QuerySet[Condition]:
    return Condition.objects.filter(application_id=application_id, state="open").order_by("pk")


def open_drawdowns(facility_id: int) -> QuerySet[Drawdown]:
    return Drawdown.objects.filter(facility_id=facility_id, state__in=ASKED_FOR)


def undrawn_amount(facility: Facility, *, except_drawdown: int | None = None) -> Decimal:
    """What may still be asked for: the limit less what is drawn and what other drawdowns ask for."""
    others = open_drawdowns(facility.pk)
    if except_drawdown is not None:
        others = others.exclude(pk=except_drawdown)
    asked = others.aggregate(total=Sum("amount"))["total"] or ZERO
    return facility.limit_amount - facility.drawn_amount - asked
