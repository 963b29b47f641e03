"""Files of one customer: the one that stays, then those merged into it. What is asked of a customer is asked of all.

Nothing that was booked moves in a merge, so whoever asks for a customer's loans, figures or hits asks with `files_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from django.db.models import QuerySet

from branch.models import Event
from branch.queries.one_look import read_once
from branch.queries.timeline import events_about
from customers.models import Customer, CustomerMerge


class OfCustomer(Protocol):
    customer_id: int


R = TypeVar("R", bound=OfCustomer)


def kept_id(customer: Customer) -> int:
    """The file that stands for the customer: its own, or the one it was merged into."""
    return customer.merged_into_id or customer.pk


def files_of(customer: Customer) -> list[int]:
    """Keys of all files of this customer, the one that stays first."""
    kept = kept_id(customer)
    merged = Customer.objects.filter(merged_into=kept).order_by("pk").values_list("pk", flat=True)
    return read_once(("files", kept), lambda: [kept, *merged])


def once(rows: Iterable[R], customer: Customer, what: Callable[[R], Hashable]) -> list[R]:
    """Rows of the customer's files in their order, of those that tell the same (`what`) only the one of the first file.

    They are not added up: two files of one firm may hold the same papers.
    """
    found, place = list(rows), {pk: number for number, pk in enumerate(files_of(customer))}
    best: dict[Hashable, R] = {}
    for row in found:
        known = best.setdefault(what(row), row)
        if place[row.customer_id] < place[known.customer_id]:
            best[what(row)] = row
    return [row for row in found if best[what(row)] is row]


def kept_by_file(customer_ids: Iterable[int | None]) -> dict[int, int]:
    """File → the one that stands for it, of every file of these customers, in two queries by key."""
    named = Customer.objects.filter(pk__in={pk for pk in customer_ids if pk is not None})
    kept = {into or pk for pk, into in named.values_list("pk", "merged_into_id")}
    merged = Customer.objects.filter(merged_into__in=kept) if kept else Customer.objects.none()
    return {pk: pk for pk in kept} | dict(merged.values_list("pk", "merged_into_id"))


def events_of_customer(customer: Customer) -> QuerySet[Event]:
    """The events of all files of the customer; of a merged file, its own."""
    if customer.is_merged:
        return events_about(customer)
    ids = [str(pk) for pk in files_of(customer)]
    return Event.objects.filter(subject_type=customer._meta.model_name, subject_id__in=ids).order_by("-id")


def live_merge(customer: Customer) -> CustomerMerge:
    """How a merged file came to be one."""
    return CustomerMerge.objects.select_related("kept", "merged_by").get(merged=customer, undone_on=None)
