"""Documents of customers: what the bank wants to have of each and how it stands, and what ends soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import DateField, Exists, Max, OuterRef, Q, QuerySet, Subquery

from branch.domain.actor import Actor
from branch.domain.documents import Standing
from branch.models import Attachment
from branch.queries.attachments import seen_with
from branch.queries.documents import DocumentRule, document_rule
from customers.models import Customer
from customers.queries.merges import files_of

#: Kinds a household can't have.
NOT_OF = {Customer.Kind.FARM_HOUSEHOLD.value: frozenset({"licence"})}


@dataclass(frozen=True)
class Wanted:
    """A kind of document a customer must have. `standing` is None where there is none on file.

    Of several the one that holds longest counts; those without a last day only where none has one.
    """

    kind: str
    standing: Standing | None
    expires_on: date | None = None

    @property
    def is_gap(self) -> bool:
        return self.standing in (None, Standing.EXPIRED)


def wanted_of(customer: Customer, rule: DocumentRule) -> list[Wanted]:
    """How the required documents of a customer stand over all its files, whether a reader sees them or not."""
    rows = _kept(customer).filter(kind__in=rule.required, erased_on=None)
    last = dict(rows.values_list("kind").annotate(last=Max("expires_on")).order_by())
    return [
        Wanted(kind, rule.standing(last[kind]), last[kind]) if kind in last else Wanted(kind, None)
        for kind in rule.required
        if kind not in NOT_OF.get(customer.kind, ())
    ]


def gaps_of(customer: Customer) -> list[Wanted]:
    """Required documents that are missing or expired today."""
    return [wanted for wanted in wanted_of(customer, document_rule()) if wanted.is_gap]


def documents_of(customer: Customer, actor: Actor) -> QuerySet[Attachment]:
    """What is kept with the customer, its leads, applications and loans, as far as one may see, newest first."""
    rows = _kept(customer)
    if actor.is_system:
        return rows.order_by("-pk")
    # Asked first with what there are documents: to look through every kind of thing takes far longer.
    kinds = rows.order_by().values_list("subject_type", flat=True).distinct()
    return seen_with(rows, actor, kinds).order_by("-pk")


def _kept(customer: Customer) -> QuerySet[Attachment]:
    return Attachment.objects.filter(customer_id__in=files_of(customer))


def with_documents_due(rows: QuerySet[Customer], rule: DocumentRule) -> QuerySet[Any]:
    """Customers with a document that ends soon or has ended: `document_due` is its last day, `document_kind` its kind.

    A required kind stays until a later one is on file; any other for as many days after its last one as before it.
    Of a merged customer it is the file that stays, by its own documents.
    """
    later = Attachment.objects.filter(
        customer_id=OuterRef("customer_id"), kind=OuterRef("kind"), expires_on__gt=OuterRef("expires_on")
    )
    is_required = Q(kind__in=rule.required)
    just_ended = Q(expires_on__gte=rule.today - timedelta(days=rule.notice_days))
    due = Attachment.objects.filter(
        (is_required & ~Exists(later)) | (~is_required & just_ended),
        customer_id=OuterRef("pk"),
        expires_on__lte=rule.notice_ends,
    ).order_by("expires_on", "pk")
    found: QuerySet[Any] = rows.filter(merged_into=None).annotate(
        document_due=Subquery(due.values("expires_on")[:1], output_field=DateField()),
        document_kind=Subquery(due.values("kind")[:1]),
    )
    return found.filter(document_due__isnull=False).order_by("document_due", "pk")
