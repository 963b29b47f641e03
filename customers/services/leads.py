"""Leads: from the first word with a shop owner to a customer on file, or to a reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack, cast

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.models import Attachment, Office
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.outbox import publish
from branch.services.transition import change, create, require_open, transition
from branch.services.use_case import use_case
from customers.domain.duplicates import Ground
from customers.models import Customer, Lead
from customers.queries.campaigns import running_campaign
from customers.queries.duplicates import Match, duplicates_of
from customers.queries.leads import OPEN_STATES
from customers.queries.load import balance_of, desk_of
from customers.queries.offices import account_manager, person_id, topmost_office, working_office
from customers.services.customers import MANAGER, create_customer
from customers.services.profile import Checker, Profile, clean_identity, clean_phone, clean_uscc, compared_by, keep_keys
from customers.services.screening import refuse_if_confirmed, screen_lead


class LeadFacts(TypedDict, total=False):
    """The values a lead is made of or changed by. Amounts in yuan."""

    name: str
    uscc: str | None
    contact_name: str
    identity_number: str
    phone: str
    source: str
    district: str
    wanted_amount: Decimal | None
    note: str
    next_action: str
    next_action_date: date | None
    campaign_id: int | None


#: What tells one firm from another: where it changes, the lead is compared anew.
TELLING = frozenset({"name", "uscc", "identity_number", "phone"})


@use_case("capture_lead")
def capture_lead(
    *, actor: Actor, capture_anyway: bool = False, anyway_reason: str = "", **values: Unpack[LeadFacts]
) -> Lead:
    """A new lead of the acting account manager. Raises InvalidInput by field.

    One that is on file for sure is refused. One that may be is refused too, unless `capture_anyway` says that it
    isn't, with a reason that stands on the record.
    """
    lead = Lead(owner_id=person_id(actor), office=working_office(actor, Role.ACCOUNT_MANAGER))
    if campaign_id := values.get("campaign_id"):
        running_campaign(actor, campaign_id)
    apply_facts(lead, values)
    matches = duplicates_of(lead, actor)
    refuse_known(matches)
    if matches and not capture_anyway:
        raise OnFile(matches, ask=True)
    reason = anyway_reason.strip()
    if matches and not reason:
        raise InvalidInput(fields={"anyway_reason": [_("Say why it is another one.")]})
    lead.looks_known = bool(matches)
    create(lead, actor=actor, roles=MANAGER, event="capture", reason=reason if matches else "")
    screen_lead(lead)
    return lead


def add_lead(
    actor: Actor,
    office: Office,
    place: Callable[[], tuple[int, Office]],
    values: LeadFacts,
    *,
    refuse: bool = True,
    **facts: Any,
) -> tuple[Lead, list[Match]]:
    """A lead nobody typed in, in the caller's transaction, and what it may be on file as.

    It came to `office`; `place` says whose it becomes and where it stands, and is asked only of what is taken in.
    `facts` are set as they are. Raises InvalidInput by field, and OnFile for what is on file for sure, unless it is
    not to `refuse` that.
    """
    lead = Lead(office=office, **facts)
    apply_facts(lead, values)
    matches = duplicates_of(lead, actor)
    if refuse:
        refuse_known(matches)
    lead.owner_id, lead.office = place()
    lead.looks_known = bool(matches)
    roles = MANAGER | {Role.INTEGRATION, Role.SYSTEM}
    create(lead, actor=actor, roles=roles, event="capture")
    screen_lead(lead)
    return lead, matches


def tell_of_new(owner_id: int, number: int = 1) -> None:
    """Have an account manager told of leads that came without their doing."""
    publish("leads.given", owner_id=owner_id, number=number)


def apply_facts(lead: Lead, values: LeadFacts) -> None:
    """Set the checked values on `lead` (not saved). Raises InvalidInput naming every wrong field."""
    former = compared_by(lead)
    for field, value in values.items():
        if field not in LeadFacts.__annotations__:
            raise TypeError(f"a lead has no {field}")
        setattr(lead, field, value)
    _check(lead)
    keep_keys(lead, former)


@use_case("update_lead")
def update_lead(
    *,
    actor: Actor,
    lead_id: int,
    expected_version: int | None = None,
    **values: Unpack[LeadFacts],
) -> Lead:
    """Change the given facts of an open lead and leave the others. Raises InvalidInput by field, or for one on file."""
    with change(
        Lead,
        lead_id,
        "update",
        actor=actor,
        roles=MANAGER,
        states=OPEN_STATES,
        expected_version=expected_version,
    ) as lead:
        before = {field: getattr(lead, field) for field in TELLING}
        if (campaign_id := values.get("campaign_id")) and campaign_id != lead.campaign_id:
            running_campaign(actor, campaign_id)
        apply_facts(lead, values)
        if any(getattr(lead, field) != before[field] for field in TELLING):
            matches = duplicates_of(lead, actor)
            refuse_known(matches)
            lead.looks_known = bool(matches)
    screen_lead(lead)
    return lead


@use_case("contact_lead")
def contact_lead(
    *,
    actor: Actor,
    lead_id: int,
    note: str = "",
    next_action: str = "",
    next_action_date: date | None = None,
    expected_version: int | None = None,
) -> Lead:
    """They were spoken to; `note` stands on the timeline."""
    with transition(
        Lead, lead_id, "contact", actor=actor, reason=note.strip(), expected_version=expected_version
    ) as lead:
        plan_next(lead, next_action, next_action_date)
        _reach(lead, "contacted")
    return lead


@use_case("qualify_lead")
def qualify_lead(
    *,
    actor: Actor,
    lead_id: int,
    wanted_amount: Decimal | None = None,
    note: str = "",
    expected_version: int | None = None,
) -> Lead:
    """They want credit and look able to carry it."""
    with transition(
        Lead, lead_id, "qualify", actor=actor, reason=note.strip(), expected_version=expected_version
    ) as lead:
        lead.wanted_amount = wanted_amount or lead.wanted_amount
        _check(lead)
        _reach(lead, "qualified")
    return lead


@use_case("convert_lead")
def convert_lead(
    *,
    actor: Actor,
    lead_id: int,
    customer_id: int | None = None,
    expected_version: int | None = None,
    **values: Unpack[Profile],
) -> Lead:
    """Make the lead a customer, or link it to `customer_id`, one the actor already sees.

    What the lead knows (name, contact, phone, numbers) is taken where `values` are silent. Raises InvalidInput.
    """
    with transition(Lead, lead_id, "convert", actor=actor, expected_version=expected_version) as lead:
        refuse_if_confirmed(lead)
        lead.customer = _linked(actor, customer_id, "customer_id") if customer_id else _converted(actor, lead, values)
        plan_next(lead)
        _reach(lead, "converted")
        _hand_over_documents(lead)
    publish("lead.converted", lead_id=lead.pk, customer_id=lead.customer_id)
    return lead


def _hand_over_documents(lead: Lead) -> None:
    """What was collected of the lead and on visits to it is found with the customer from now on."""
    visits = [str(pk) for pk in lead.visits.values_list("pk", flat=True)]
    of_lead = Q(subject_type="lead", subject_id=str(lead.pk)) | Q(subject_type="leadvisit", subject_id__in=visits)
    Attachment.objects.filter(of_lead, customer_id=None).update(customer_id=lead.customer_id)


def _linked(actor: Actor, customer_id: int, field: str) -> Customer:
    customer = visible(Customer, actor).filter(pk=customer_id).first()
    if customer is None:
        raise InvalidInput(fields={field: [_("Choose one of your customers.")]})
    require_open(customer)
    return customer


def _converted(actor: Actor, lead: Lead, values: Profile) -> Customer:
    known: Profile = {"name": lead.name, "contact_name": lead.contact_name, "phone": lead.phone}
    known |= {"uscc": lead.uscc} if lead.uscc else {}
    known |= {"identity_number": lead.identity_number} if lead.identity_number else {}
    typed = cast(Profile, {field: value for field, value in values.items() if value not in (None, "")})
    return create_customer(actor=actor, **(known | typed))


@use_case("lose_lead")
def lose_lead(
    *,
    actor: Actor,
    lead_id: int,
    code: str = "",
    reason: str = "",
    duplicate_lead_id: int | None = None,
    duplicate_customer_id: int | None = None,
    expected_version: int | None = None,
) -> Lead:
    """They will not borrow here; why is kept: `code` is one of Lead.LostReason, other where it is left out.

    A duplicate names the lead or the customer it is one of, where the person may see it. Raises InvalidInput.
    """
    reason, code = reason.strip(), code or Lead.LostReason.OTHER
    duplicate = code == Lead.LostReason.DUPLICATE
    checker = Checker()
    if code not in Lead.LostReason.values:
        checker.refuse("code", _("Choose why the lead was lost."))
    if code == Lead.LostReason.OTHER and not reason:
        checker.refuse("reason", _("Say why the lead was lost."))
    if (duplicate_lead_id or duplicate_customer_id) and not duplicate:
        checker.refuse("code", _("Only a duplicate is one of another."))
    checker.done()
    with transition(Lead, lead_id, "lose", actor=actor, reason=reason, expected_version=expected_version) as lead:
        lead.lost_reason_code, lead.lost_reason, lead.lost_on = code, reason[:200], business_date()
        if duplicate_lead_id:
            lead.duplicate_of = _other_lead(actor, lead, duplicate_lead_id)
        if duplicate_customer_id:
            lead.customer = _linked(actor, duplicate_customer_id, "duplicate_customer_id")
        plan_next(lead)
    return lead


def _other_lead(actor: Actor, lead: Lead, other_id: int) -> Lead:
    other = visible(Lead, actor).filter(pk=other_id).exclude(pk=lead.pk).first()
    if other is None or other.duplicate_of_id == lead.pk:
        raise InvalidInput(fields={"duplicate_lead_id": [_("Choose another lead you see.")]})
    return other


@use_case("reopen_lead")
def reopen_lead(
    *,
    actor: Actor,
    lead_id: int,
    reason: str = "",
    next_action: str = "",
    next_action_date: date | None = None,
    expected_version: int | None = None,
) -> Lead:
    """A lost lead is talking again; what it was lost for, or taken for, no longer holds."""
    with transition(
        Lead, lead_id, "reopen", actor=actor, reason=reason.strip(), expected_version=expected_version
    ) as lead:
        lead.lost_reason = lead.lost_reason_code = ""
        lead.duplicate_of = lead.customer = lead.lost_on = None
        plan_next(lead, next_action, next_action_date)
        _reach(lead, "contacted")
    return lead


@use_case("assign_leads")
def assign_leads(*, actor: Actor, owner_id: int, reason: str = "") -> int:
    """Share the new leads of an account manager out among the others of the office, by load: somebody is away.

    Leads somebody has spoken to stay where they are. Returns how many went over. Raises InvalidInput where there is
    nobody else, PermissionRefused for whom the office is not theirs to manage.
    """
    manager = frozenset({Role.BRANCH_MANAGER})
    office = topmost_office(actor, manager)
    leads = visible(Lead, actor).filter(owner_id=owner_id, state="new", office__path__startswith=office.path)
    balance = balance_of(office, without=owner_id)
    if not balance:
        raise InvalidInput(fields={"owner_id": [_("No other account manager works at this office.")]})
    given: Counter[int] = Counter()
    for lead_id in list(leads.order_by("pk").values_list("pk", flat=True)):
        with change(Lead, lead_id, "reassign", actor=actor, roles=manager, states=("new",), reason=reason) as lead:
            lead.owner_id = balance.next()
            lead.office = desk_of(lead.owner_id, office)
            given[lead.owner_id] += 1
    for new_owner, number in given.items():
        tell_of_new(new_owner, number)
    return sum(given.values())


@use_case("reassign_lead")
def reassign_lead(
    *, actor: Actor, lead_id: int, owner_id: int, reason: str = "", expected_version: int | None = None
) -> Lead:
    """Hand an open or lost lead to another account manager of its office."""
    with change(
        Lead,
        lead_id,
        "reassign",
        actor=actor,
        roles=frozenset({Role.BRANCH_MANAGER}),
        states=(*OPEN_STATES, "lost"),
        reason=reason.strip(),
        expected_version=expected_version,
    ) as lead:
        lead.owner = account_manager(owner_id, lead.office)
    publish("lead.reassigned", lead_id=lead.pk, owner_id=owner_id)
    return lead


def plan_next(lead: Lead, action: str = "", on: date | None = None) -> None:
    """What is to be done next and when; nothing where nothing is said."""
    lead.next_action, lead.next_action_date = action.strip()[:200], on


def _reach(lead: Lead, stage: str) -> None:
    stages = Lead.Reached.values
    lead.reached = stages[max(stages.index(lead.reached), stages.index(stage))]


class OnFile(InvalidInput):
    """It is on file already, or (`ask`) may be; who it is, is said only of what the person may see."""

    def __init__(self, matches: list[Match], *, ask: bool = False) -> None:
        self.matches = matches
        fields, links = _known(matches, ask)
        super().__init__(fields=fields, links=links)


def refuse_known(matches: list[Match]) -> None:
    """Raises OnFile beside the field that says it, where one is on file for sure."""
    if sure := [match for match in matches if match.is_sure]:
        raise OnFile(sure)


def _known(matches: list[Match], ask: bool) -> tuple[dict[str, list[str]], dict[str, list[dict[str, str]]]]:
    fields: dict[str, list[str]] = {}
    links: dict[str, list[dict[str, str]]] = {}
    for match in matches[:MOST_NAMED]:
        field = "capture_anyway" if ask else FIELD_OF[match.ground]
        fields.setdefault(field, []).append(told(match))
        if match.is_visible:
            thing = match.thing
            url = reverse("customer-detail" if match.is_customer else "lead-detail", args=[thing.pk])
            links.setdefault(field, []).append({"text": thing.name, "url": url})
    if ask:
        fields["capture_anyway"].append(_("If it is another one, tick this and say why."))
    return fields, links


def told(match: Match) -> str:
    """The match in a sentence, without a name where the person may not see it."""
    words = {"name": match.thing.name, "why": match.word}
    if not match.is_visible:
        return _("This may be one that is on file already (%(why)s). Ask your branch manager about it.") % words
    if match.is_customer:
        return _("%(name)s is a customer already (%(why)s).") % words
    return _("%(name)s is an open lead already (%(why)s).") % words


#: Beside which field a sure duplicate is told, and how many are named at most.
FIELD_OF = {Ground.USCC: "uscc", Ground.IDENTITY: "identity_number", Ground.PHONE_AND_NAME: "phone"}
MOST_NAMED = 5


def _check(lead: Lead) -> None:
    checker = Checker()
    lead.name, lead.contact_name = " ".join(lead.name.split()), lead.contact_name.strip()
    lead.district, lead.next_action = " ".join(lead.district.split()), lead.next_action.strip()
    lead.note = lead.note.strip()
    for field in ("name", "contact_name"):
        if not getattr(lead, field):
            checker.refuse(field, _("This field is required."))
    if len(lead.name) > 120:
        checker.refuse("name", _("At most %(count)d characters.") % {"count": 120})
    if len(lead.contact_name) > 60:
        checker.refuse("contact_name", _("At most %(count)d characters.") % {"count": 60})
    for field, most in (("district", 60), ("next_action", 200)):
        if len(getattr(lead, field)) > most:
            checker.refuse(field, _("At most %(count)d characters.") % {"count": most})
    lead.uscc = clean_uscc(checker, "uscc", lead.uscc)
    lead.identity_number = clean_identity(checker, "identity_number", lead.identity_number)
    lead.phone = clean_phone(checker, "phone", lead.phone)
    if lead.source not in Lead.Source.values:
        checker.refuse("source", _("Choose where the lead came from."))
    if lead.wanted_amount is not None and not 0 < lead.wanted_amount < Decimal(10) ** 14:
        checker.refuse("wanted_amount", _("Enter an amount above zero."))
    checker.done()
