"""What the time after release has against erasing a customer: open cases, and when long arrears ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from customers.domain.retention import Obstacle
from customers.queries.retention import OBSTACLE_SHORT, OBSTACLE_WORDS, Ids, facts_source, numbered, obstacle_source
from loans.models import Loan
from postloan.models import CollectionCase, LoanDay, WarningCase

#: Days past due from which it is bad credit, as the class substandard begins.
BAD_ABOVE = 90

OBSTACLE_WORDS.update(
    {
        "open_case": _("Warning cases not closed yet: %(numbers)s."),
        "open_collection": _("Collection not closed yet: %(numbers)s."),
    }
)

OBSTACLE_SHORT.update({"open_case": _("warning case"), "open_collection": _("collection case")})


@obstacle_source
def open_cases(ids: Ids) -> Iterable[tuple[int, Obstacle]]:
    for code, model in (("open_case", WarningCase), ("open_collection", CollectionCase)):
        rows = model._default_manager.filter(customer__in=ids).exclude(state="closed").order_by("pk")
        yield from numbered(code, rows.values_list("customer_id", "number"))


@facts_source
def bad_credit(ids: Ids) -> Mapping[int, Mapping[str, Any]]:
    """The last day on which a loan was in arrears for more than 90 days."""
    loans = Loan.objects.filter(customer__in=ids).values("pk")
    days = LoanDay.objects.filter(loan__in=loans, days_past_due__gt=BAD_ABOVE).order_by()
    return {
        row["customer_id"]: {"bad_credit_ended_on": row["last"]}
        for row in days.values("customer_id").annotate(last=Max("date"))
    }
