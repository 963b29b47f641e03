"""What campaigns came to in lending: files, approvals, money paid out. Amounts in yuan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from customers.models import Customer, Lead
from customers.queries.campaigns import share_of
from customers.queries.merges import kept_by_file
from loans.models import Application, Loan

AFTER_APPROVAL = ("approved", "offer_accepted", "contracted", "expired")


@dataclass(frozen=True)
class Booked:
    applications: int = 0
    approved: int = 0
    loans: int = 0
    amount: Decimal = Decimal(0)

    def cost_per_loan(self, spent: Decimal) -> Decimal | None:
        return share_of(spent, self.loans)


def won_by(filed_at: str) -> Subquery:
    """The converted lead a file goes back to: the latest of any file of its customer from before it was filed."""
    kept = Coalesce(OuterRef(OuterRef("customer__merged_into_id")), OuterRef(OuterRef("customer_id")))
    files = Customer.objects.filter(Q(pk=kept) | Q(merged_into=kept))
    leads = Lead.objects.filter(customer__in=files.values("pk"), state="converted", created_at__lte=OuterRef(filed_at))
    return Subquery(leads.order_by("-created_at", "-pk").values("pk")[:1])


def _customers_of(leads: QuerySet[Lead]) -> list[int]:
    return list(kept_by_file(leads.values_list("customer", flat=True)))


def files_of(leads: QuerySet[Lead]) -> Any:
    """The files that go back to one of these leads."""
    filed = Application.objects.filter(submitted_at__isnull=False, customer__in=_customers_of(leads))
    return filed.annotate(won=won_by("created_at")).filter(won__in=leads.values("pk"))


def loans_of(leads: QuerySet[Lead]) -> Any:
    """The loans paid out on files that go back to one of these leads."""
    paid = Loan.objects.filter(customer__in=_customers_of(leads))
    return paid.annotate(won=won_by("application__created_at")).filter(won__in=leads.values("pk"))


def booked_by(campaigns: Iterable[int]) -> dict[int, Booked]:
    """By campaign, in three queries."""
    ids = list(campaigns)
    leads = Lead.objects.filter(campaign__in=ids, state="converted")
    of_lead = dict(leads.values_list("pk", "campaign_id"))
    files: Any = (
        files_of(leads).values("won").annotate(n=Count("pk"), good=Count("pk", filter=Q(state__in=AFTER_APPROVAL)))
    )
    loans: Any = loans_of(leads).values("won").annotate(n=Count("pk"), paid=Sum(F("principal")))
    found: dict[int, list] = {pk: [0, 0, 0, Decimal(0)] for pk in ids}
    for row in files.order_by():
        line = found[of_lead[row["won"]]]
        line[0], line[1] = line[0] + row["n"], line[1] + row["good"]
    for row in loans.order_by():
        line = found[of_lead[row["won"]]]
        line[2], line[3] = line[2] + row["n"], line[3] + row["paid"]
    return {pk: Booked(*line) for pk, line in found.items()}
