"""Two files of one customer become one to read; nothing that was booked moves, so that it can be undone whole."""

from __future__ import annotations

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet, WrongState
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.events import record, snapshot
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import lock, may, require_in_use, save
from branch.services.use_case import use_case
from customers.models import Customer, CustomerMerge, Party, Relation
from customers.queries.offices import person_id
from customers.services.profile import compared_by, keep_keys, taken_numbers_refused
from customers.services.relations import change_links, link_parties
from customers.services.screening import screen_customer

MERGERS = frozenset({Role.BRANCH_MANAGER})
#: What the kept file takes over from the other where it has nothing.
FILLED = (
    "identity_number", "phone", "address", "repayment_account", "industry", "established_date", "employees",
    "annual_sales",
)  # fmt: skip


@use_case("merge_customers")
def merge_customers(*, actor: Actor, customer_id: int, other_id: int, reason: str) -> Customer:
    """Read the file `other_id` as part of `customer_id`, which takes over what it lacks. Nothing that was booked moves.

    Raises InvalidInput, Unmet where their numbers say that they are two, WrongState where one is merged already.
    """
    reason, customer_id = clean_reason(reason), int(customer_id)
    if other_id == customer_id:
        raise InvalidInput(fields={"other_id": [_("Choose another file than this one.")]})
    change_links()
    rows = _locked(actor, "merge", customer_id, other_id)
    kept, other = rows[customer_id], rows[other_id]
    _require_one(kept, other)
    before = {row.pk: snapshot(row) for row in (kept, other)}
    merge = CustomerMerge(
        kept=kept, merged=other, reason=reason, merged_by_id=person_id(actor), merged_on=business_date()
    )
    _join(kept, other, merge)
    merge.save(force_insert=True)
    for name, row in (("merge", kept), ("merge_into", other)):
        record(f"customer.{name}", row, actor=actor, before=before[row.pk], reason=reason)
    screen_customer(kept)
    for owner_id in sorted({kept.owner_id, other.owner_id}):
        publish("customer.merged", customer_id=kept.pk, owner_id=owner_id)
    return kept


@use_case("undo_merge")
def undo_merge(*, actor: Actor, customer_id: int, reason: str) -> Customer:
    """The merged file `customer_id` is a customer of its own again, with all it gave.

    What came to the kept file since stays there. Raises WrongState where it is merged into none.
    """
    reason, customer_id = clean_reason(reason), int(customer_id)
    change_links()
    merge = CustomerMerge.objects.filter(merged_id=customer_id, undone_on=None).first()
    # The kept one may have been merged on meanwhile: then it is with whom that one is now.
    into = Customer.objects.filter(pk=customer_id).values_list("merged_into_id", flat=True).first()
    if merge is None or into is None:
        lock(Customer, customer_id, actor, even_retired=True)
        raise WrongState(_("This file is merged into no other."), state="own", event="undo_merge")
    rows = _locked(actor, "undo_merge", into, customer_id)
    kept, other = rows[into], rows[customer_id]
    way = _way(merge)
    between = [step.merged for step in way]
    before = {row.pk: snapshot(row) for row in (kept, *between, other)}
    with taken_numbers_refused():
        _part(kept, other, merge, way)
    merge.undone_by_id, merge.undone_on = person_id(actor), business_date()
    merge.save(update_fields=["undone_by", "undone_on"])
    for row in (kept, *between):
        record("customer.merge_undone", row, actor=actor, before=before[row.pk], reason=reason)
    record("customer.undo_merge", other, actor=actor, before=before[other.pk], reason=reason)
    for row in (kept, other):
        link_parties(row)
        screen_customer(row)
        publish("customer.merge_undone", customer_id=row.pk, owner_id=row.owner_id)
    return other


def _locked(actor: Actor, event: str, *ids: int) -> dict[int, Customer]:
    """Both, in the order of their keys. The links between customers are held by the caller already."""
    rows = {pk: lock(Customer, pk, actor, even_retired=event == "undo_merge") for pk in sorted(ids)}
    for row in rows.values():
        require_in_use(row)
        if not may(actor, Transition(event, (), "", MERGERS), row):
            raise PermissionRefused(_("Your role does not allow this here."), event=event)
    return rows


def _require_one(kept: Customer, other: Customer) -> None:
    if kept.uscc and other.uscc:
        raise Unmet(
            _("Each has a unified social credit code of its own, so they are two firms. Correct a wrong one first."),
            codes=[kept.uscc, other.uscc],
        )
    numbers = {row.identity_digest for row in (kept, other) if row.identity_digest}
    if len(numbers) > 1 and Customer.Kind.COMPANY not in (kept.kind, other.kind):
        raise Unmet(
            _("Their identity numbers differ, so they are two people. Correct a wrong one first."), field="identity"
        )


def _join(kept: Customer, other: Customer, merge: CustomerMerge) -> None:
    former, numbers = compared_by(kept), (kept.uscc, kept.identity_digest)
    merge.moved_parties = list(other.parties.values_list("pk", flat=True))
    merge.moved_relations = list(other.relations.values_list("pk", flat=True))
    merge.moved_files = list(other.merged_files.values_list("pk", flat=True))
    merge.moved_uscc = other.uscc or ""
    merge.filled = [field for field in FILLED if not getattr(kept, field) and getattr(other, field)]
    for field in merge.filled:
        setattr(kept, field, getattr(other, field))
    code, other.uscc, other.merged_into = other.uscc, None, kept
    # The code goes over in this order: no two files have it for a moment.
    save(other)
    if code and not kept.uscc:
        kept.uscc = code
    keep_keys(kept, former)
    save(kept)
    _move(merge, other, kept)
    link_parties(kept, numbers)


def _way(merge: CustomerMerge) -> list[CustomerMerge]:
    """The merges that took what `merge` brought further on, from the file it was merged into up to the one that stays.

    Their merged files are locked: facts of the one that leaves may stand there too.
    """
    way: list[CustomerMerge] = []
    while step := CustomerMerge.objects.filter(merged_id=(way or [merge])[-1].kept_id, undone_on=None).first():
        step.merged = Customer.objects.select_for_update(no_key=True).get(pk=step.merged_id)
        way.append(step)
    return way


def _part(kept: Customer, other: Customer, merge: CustomerMerge, way: list[CustomerMerge]) -> None:
    _take_back_facts(kept, other, merge, way)
    code = merge.moved_uscc
    other.merged_into = None
    if code and not Customer.objects.filter(uscc=code).exists():
        other.uscc = code
    save(other)
    numbers = (code or None, other.identity_digest if "identity_number" in merge.filled else "")
    _move(merge, kept, other)
    _forget(way, other, merge)
    link_parties(kept, numbers)


def _take_back_facts(kept: Customer, other: Customer, merge: CustomerMerge, way: list[CustomerMerge]) -> None:
    """Clear what the files got of the one that leaves, as far as each took it over and it stands there still."""
    holders, fields = [*(step.merged for step in way), kept], set(merge.filled)
    for place, holder in enumerate(holders):
        former = compared_by(holder)
        if place:
            fields &= set(way[place - 1].filled)
        for field in fields:
            if getattr(holder, field) == getattr(other, field):
                setattr(holder, field, Customer._meta.get_field(field).get_default())  # type: ignore[union-attr]
        if merge.moved_uscc and holder.uscc == merge.moved_uscc:
            holder.uscc = None
        keep_keys(holder, former)
        save(holder)


def _forget(way: list[CustomerMerge], other: Customer, merge: CustomerMerge) -> None:
    """What has left with `other` is not given back a second time when a merge further on is undone."""
    gone = {name: set(getattr(merge, name)) for name in ("moved_parties", "moved_relations", "moved_files")}
    gone["moved_files"].add(other.pk)
    for step in way:
        for name, left in gone.items():
            setattr(step, name, [pk for pk in getattr(step, name) if pk not in left])
        step.save(update_fields=list(gone))


def _move(merge: CustomerMerge, source: Customer, target: Customer) -> None:
    """What stands for the one stands for the other, as far as it stands for the first still."""
    Party.objects.filter(pk__in=merge.moved_parties, customer=source).update(customer=target)
    Relation.objects.filter(pk__in=merge.moved_relations, customer=source).update(customer=target)
    Customer.objects.filter(pk__in=merge.moved_files, merged_into=source).update(merged_into=target)
