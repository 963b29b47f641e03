"""Who belongs to whom: relations recorded on a customer's file, corrected and ended, never removed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.identity import IdentityError, parse_resident_id, parse_uscc
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.domain.roles import Role
from branch.fields import lookup_digest
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.inputs import clean_reason
from branch.services.transition import change, create, lock, may
from branch.services.use_case import use_case
from customers.domain.names import name_key
from customers.domain.parties import WHOLE
from customers.models import Customer, Party, Relation
from customers.queries.relations import live_relations
from customers.queries.visibility import CUSTOMER_READERS
from customers.services.profile import Checker, identity_message

RECORDERS = frozenset({Role.ACCOUNT_MANAGER, Role.CO_INVESTIGATOR})
#: Whoever weighs a group holds this shared, whoever changes links holds it alone: a group does not grow meanwhile.
LINKS_LOCK = 0x11B5
#: Kinds of customers who are a natural person before the law, so that the person's number names them.
_PERSONS = (Customer.Kind.FARM_HOUSEHOLD, Customer.Kind.SOLE_TRADER)
_BETWEEN_PEOPLE = frozenset({Relation.Kind.SPOUSE, Relation.Kind.FAMILY})
_BY_PEOPLE = frozenset({Relation.Kind.LEGAL_REPRESENTATIVE, Relation.Kind.BENEFICIAL_OWNER})


def hold_links() -> None:
    """No link changes until this transaction ends. Taken before any row is locked."""
    _take("pg_advisory_xact_lock_shared")


def change_links() -> None:
    """Nobody weighs a group until this transaction ends. Taken before any row is locked."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [LINKS_LOCK])


class Facts(TypedDict, total=False):
    """What is known of a relation. `share` in percent, `amount` in yuan."""

    share: Decimal | None
    amount: Decimal | None
    since_date: date | None
    until_date: date | None
    source: str
    remark: str


class Other(TypedDict, total=False):
    """The other end: a party on file by `party_id`, or one described here, found again by its number."""

    party_id: int | None
    party_kind: str
    name: str
    identity_number: str
    uscc: str


@use_case("add_relation")
def add_relation(
    *,
    actor: Actor,
    customer_id: int,
    kind: str,
    other: Other,
    is_of_other: bool = False,
    of_party_id: int | None = None,
    **facts: Unpack[Facts],
) -> Relation:
    """Record on a customer's file that `other` is `kind` of the customer, or the customer of `other`.

    `of_party_id` puts a party of the same file in the customer's place: the shareholder of a shareholder.
    Raises InvalidInput by field; a number that is a customer's makes that customer the end.
    """
    change_links()
    customer = lock(Customer, customer_id, actor)
    if not may(actor, Transition("add_relation", (), "", RECORDERS, owner_only=True), customer):
        raise PermissionRefused(_("Your role does not allow this here."), event="add_relation")
    if kind not in Relation.Kind.values:
        raise InvalidInput(fields={"kind": [_("Choose one from the list.")]})
    one = _on_file(customer, of_party_id, "of_party_id") if of_party_id else party_of(customer)
    two = _on_file(customer, party_id, "party_id") if (party_id := other.get("party_id")) else _described(other)
    ends = (one, two) if is_of_other else (two, one)
    relation = Relation(office=customer.office, customer=customer, kind=kind, from_party=ends[0], to_party=ends[1])
    _set_facts(relation, facts)
    _check_ends(relation)
    _check_sum_of_shares(relation)
    try:
        with transaction.atomic():
            return create(relation, actor=actor, roles=RECORDERS, event="add")
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != "relation_once":
            raise
        raise InvalidInput(fields={"kind": [_("This relation is on file already.")]}) from None


@use_case("correct_relation")
def correct_relation(
    *, actor: Actor, relation_id: int, expected_version: int | None = None, **facts: Unpack[Facts]
) -> Relation:
    """Change the given facts of a relation that has not ended; its ends and kind stay."""
    change_links()
    with change(
        Relation, relation_id, "correct", actor=actor, roles=RECORDERS, expected_version=expected_version
    ) as relation:
        _require_live(relation, "correct")
        _set_facts(relation, facts)
        _check_sum_of_shares(relation)
    return relation


@use_case("end_relation")
def end_relation(
    *, actor: Actor, relation_id: int, reason: str, ended_date: date | None = None, expected_version: int | None = None
) -> Relation:
    """It holds no more, since today or the given earlier day; the row stays."""
    change_links()
    reason = clean_reason(reason)
    with change(
        Relation,
        relation_id,
        "end",
        actor=actor,
        roles=RECORDERS,
        reason=reason,
        expected_version=expected_version,
    ) as relation:
        _require_live(relation, "end")
        day = ended_date or business_date()
        if day > business_date():
            raise InvalidInput(fields={"ended_date": [_("This date lies in the future.")]})
        if relation.since_date and day < relation.since_date:
            raise InvalidInput(fields={"ended_date": [_("It did not hold yet on that day.")]})
        relation.ended_date = day
    return relation


@use_case("reveal_party")
def reveal_party(*, actor: Actor, relation_id: int, end: str, reason: str) -> str:
    """The identity number of one end ("from" or "to") in clear; who looked and why is on the record before."""
    if end not in ("from", "to"):
        raise InvalidInput(fields={"end": [_("Choose one from the list.")]})
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why you need it.")]})
    relation = lock(Relation, relation_id, actor)
    if not may(actor, Transition("reveal", (), "", CUSTOMER_READERS | RECORDERS, owner_only=True), relation):
        raise PermissionRefused(_("Your role does not allow this here."), event="reveal")
    party = relation.from_party if end == "from" else relation.to_party
    if party.customer_id and not visible(Customer, actor).filter(pk=party.customer_id).exists():
        raise NotFound(_("There is no such record."))
    after = {"end": end, "field": "identity_number"}
    record("relation.reveal", relation, actor=actor, before={}, after=after, reason=reason.strip())
    number = party.identity_number or (party.customer.identity_number if party.customer else "")
    return str(number)


# --- parties


def party_of(customer: Customer) -> Party:
    """The party that stands for a customer, made where there is none. The customer is locked."""
    found = Party.objects.filter(customer=customer).order_by("pk").first()
    kind = Party.Kind.FIRM if customer.kind == Customer.Kind.COMPANY else Party.Kind.PERSON
    return found or Party.objects.create(kind=kind, customer=customer)


def link_parties(customer: Customer, former_numbers: tuple[str | None, str] = (None, "")) -> None:
    """Let parties with the customer's number stand for it, and those with only its former number no longer."""
    former_uscc, former_digest = former_numbers
    if former_uscc and former_uscc != customer.uscc:
        Party.objects.filter(customer=customer, uscc=former_uscc).update(customer=None)
    if former_digest and former_digest != customer.identity_digest:
        Party.objects.filter(customer=customer, identity_digest=former_digest).exclude(name="").update(customer=None)
    same = Q(uscc=customer.uscc) if customer.uscc else Q(pk__in=[])
    if customer.kind in _PERSONS and customer.identity_digest and _person(customer.identity_digest) == customer:
        same |= Q(identity_digest=customer.identity_digest, kind=Party.Kind.PERSON)
    Party.objects.filter(same, customer=None).update(customer=customer)


def _on_file(customer: Customer, party_id: int, field: str) -> Party:
    """A party that stands on this customer's file. Raises InvalidInput."""
    on_file = Q(relations_from__customer=customer) | Q(relations_to__customer=customer) | Q(customer=customer)
    party = Party.objects.filter(on_file, pk=party_id).first()
    if party is None:
        raise InvalidInput(fields={field: [_("Choose one from the list.")]})
    return party


def _described(other: Other) -> Party:
    """The party of this number, or a new one. Raises InvalidInput by field."""
    checker = Checker()
    kind = other.get("party_kind", "")
    name = " ".join((other.get("name") or "").split())
    if kind not in Party.Kind.values:
        checker.refuse("party_kind", _("Choose one from the list."))
    if not name:
        checker.refuse("name", _("This field is required."))
    elif len(name) > 120:
        checker.refuse("name", _("At most %(count)d characters.") % {"count": 120})
    is_person = kind == Party.Kind.PERSON
    given = {"identity_number": other.get("identity_number") or "", "uscc": other.get("uscc") or ""}
    unfit = "uscc" if is_person else "identity_number"
    if given[unfit]:
        checker.refuse(unfit, _("A person has an identity number, a firm a unified social credit code."))
    number = ""
    field = "identity_number" if is_person else "uscc"
    try:
        number = (parse_resident_id if is_person else parse_uscc)(given[field]) if given[field] else ""
    except IdentityError as error:
        checker.refuse(field, identity_message(error.code))
    checker.done()
    if not number:
        return Party.objects.create(kind=kind, name=name)
    digest = lookup_digest(number) if is_person else ""
    own = {"identity_number": number, "identity_digest": digest} if is_person else {"uscc": number}
    customer = _person(digest) if is_person else Customer.objects.filter(uscc=number).first()
    found = Party.objects.filter(identity_digest=digest) if is_person else Party.objects.filter(uscc=number)
    party = found.first()
    if party is None:
        # Links are changed by one at a time, so nobody else makes the same party now.
        return Party.objects.create(kind=kind, name=name, customer=customer, **own)
    if is_person and name_key(party.name) != name_key(name):
        raise InvalidInput(fields={"name": [_("This number is on file with another name.")]})
    return party


def _person(digest: str) -> Customer | None:
    """The one customer who is the person of this number; none where there are several."""
    rows = Customer.objects.filter(identity_digest=digest, kind__in=_PERSONS, merged_into=None)
    found = list(rows.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


# --- what may be said of a relation


def _set_facts(relation: Relation, facts: Facts) -> None:
    checker = Checker()
    for name, value in facts.items():
        if name not in Facts.__annotations__:
            raise TypeError(f"a relation has no {name}")
        setattr(relation, name, value.strip() if isinstance(value, str) else value)
    _check_figures(checker, relation)
    if relation.since_date and relation.since_date > business_date():
        checker.refuse("since_date", _("This date lies in the future."))
    if relation.since_date and relation.until_date and relation.until_date < relation.since_date:
        checker.refuse("until_date", _("It ends before it begins."))
    for name, longest in (("source", 120), ("remark", 200)):
        if len(getattr(relation, name)) > longest:
            checker.refuse(name, _("At most %(count)d characters.") % {"count": longest})
    checker.done()


def _check_figures(checker: Checker, relation: Relation) -> None:
    if relation.kind == Relation.Kind.SHAREHOLDER:
        if relation.share is None:
            checker.refuse("share", _("Enter the share."))
        elif not 0 < relation.share <= 100:
            checker.refuse("share", _("A share is above 0 and at most 100 %."))
    elif relation.share is not None:
        checker.refuse("share", _("Only a shareholder has a share."))
    if relation.amount is None:
        return
    if relation.kind != Relation.Kind.GUARANTOR:
        checker.refuse("amount", _("Only a guarantor guarantees an amount."))
    elif relation.amount <= 0:
        checker.refuse("amount", _("Enter an amount above zero."))


def _check_ends(relation: Relation) -> None:
    one, two = relation.from_party, relation.to_party
    if one.node == two.node:
        raise InvalidInput(fields={"name": [_("Nobody is related to themselves.")]})
    needed = (one, two) if relation.kind in _BETWEEN_PEOPLE else (one,) if relation.kind in _BY_PEOPLE else ()
    if any(party.kind != Party.Kind.PERSON for party in needed):
        raise InvalidInput(fields={"kind": [_("Only people stand in this relation.")]})


def _check_sum_of_shares(relation: Relation) -> None:
    """Nobody holds of a firm what somebody else holds: what all its shareholders have is at most the whole."""
    if relation.share is None:
        return
    firm = relation.to_party
    same = Q(to_party__customer=firm.customer_id) if firm.customer_id else Q(to_party=firm)
    others = live_relations().filter(same, kind=Relation.Kind.SHAREHOLDER).exclude(pk=relation.pk)
    held = {one.from_party.node: one.share for one in others.select_related("from_party").order_by("pk")}
    # The same holder told of on two files counts once.
    held[relation.from_party.node] = relation.share
    total = sum((share for share in held.values() if share), Decimal(0))
    if total > WHOLE:
        message = _(
            "With this, the shares of the firm come to %(sum)s %%. End or correct the one that no longer holds."
        )
        raise InvalidInput(fields={"share": [message % {"sum": f"{total.normalize():f}"}]})


def _require_live(relation: Relation, event: str) -> None:
    if relation.ended_date is not None:
        raise WrongState(_("This relation has ended."), state="ended", event=event)
