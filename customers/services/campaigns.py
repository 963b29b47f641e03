"""Campaigns: planned, run, paid for, ended or called off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.inputs import clean_reason
from branch.services.transition import change, create, transition
from branch.services.use_case import use_case
from customers.models import Campaign, CampaignCost, Customer
from customers.queries.offices import person_id, topmost_office, working_office
from customers.services.profile import Checker

RUNNERS = frozenset({Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER})
MOST_AMOUNT = Decimal(10) ** 14
MOST_INDUSTRIES = 30


class Plan(TypedDict, total=False):
    """What a campaign is made of or changed by. The budget in yuan."""

    kind: str
    name: str
    target: str
    target_kinds: list[str]
    target_industries: Iterable[str]
    channel: str
    budget: Decimal
    starts_on: date
    ends_on: date


@use_case("create_campaign")
def create_campaign(*, actor: Actor, **values: Unpack[Plan]) -> Campaign:
    """A planned campaign of the person and their office. Raises InvalidInput by field."""
    manages = Role.BRANCH_MANAGER in actor.roles and Role.ACCOUNT_MANAGER not in actor.roles
    office = topmost_office(actor, {Role.BRANCH_MANAGER}) if manages else working_office(actor, Role.ACCOUNT_MANAGER)
    campaign = Campaign(owner_id=person_id(actor), office=office)
    _apply(campaign, values)
    return create(campaign, actor=actor, roles=RUNNERS)


@use_case("update_campaign")
def update_campaign(
    *, actor: Actor, campaign_id: int, expected_version: int | None = None, **values: Unpack[Plan]
) -> Campaign:
    """Change a campaign that is planned or running. Raises InvalidInput by field."""
    with change(
        Campaign,
        campaign_id,
        "update",
        actor=actor,
        roles=RUNNERS,
        states=("planned", "running"),
        expected_version=expected_version,
    ) as campaign:
        _apply(campaign, values)
    return campaign


@use_case("launch_campaign")
def launch_campaign(*, actor: Actor, campaign_id: int, expected_version: int | None = None) -> Campaign:
    """It runs from now on: leads and links may name it. Raises InvalidInput where its last day is over."""
    with transition(Campaign, campaign_id, "launch", actor=actor, expected_version=expected_version) as campaign:
        if campaign.ends_on < business_date():
            raise InvalidInput(fields={"ends_on": [_("Its last day is over. Change it first.")]})
    return campaign


@use_case("end_campaign")
def end_campaign(*, actor: Actor, campaign_id: int, reason: str = "", expected_version: int | None = None) -> Campaign:
    """It is over; its links take nobody in any more, its results go on growing with what came of its leads."""
    with transition(
        Campaign, campaign_id, "end", actor=actor, reason=reason.strip(), expected_version=expected_version
    ) as campaign:
        pass
    return campaign


@use_case("cancel_campaign")
def cancel_campaign(*, actor: Actor, campaign_id: int, reason: str, expected_version: int | None = None) -> Campaign:
    """Called off; why is kept."""
    reason = clean_reason(reason)
    with transition(
        Campaign, campaign_id, "cancel", actor=actor, reason=reason, expected_version=expected_version
    ) as campaign:
        pass
    return campaign


@use_case("record_cost")
def record_cost(
    *,
    actor: Actor,
    campaign_id: int,
    amount: Decimal,
    note: str,
    spent_on: date | None = None,
    expected_version: int | None = None,
) -> Campaign:
    """Money spent, in yuan; a negative amount takes a wrong one back. Bills come late: also once it has ended.

    Raises InvalidInput by field, also where more would be taken back than was spent.
    """
    checker, today = Checker(), business_date()
    spent_on = spent_on or today
    if not amount or abs(amount) >= MOST_AMOUNT:
        checker.refuse("amount", _("Enter an amount other than zero."))
    if spent_on > today:
        checker.refuse("spent_on", _("This date lies in the future."))
    if not note.strip():
        checker.refuse("note", _("Say what it was for."))
    checker.done()
    with change(
        Campaign,
        campaign_id,
        "cost",
        actor=actor,
        roles=RUNNERS,
        states=("planned", "running", "ended", "cancelled"),
        reason=f"{amount:,.2f} · {note.strip()}",
        expected_version=expected_version,
    ) as campaign:
        if campaign.spent + amount < 0:
            raise InvalidInput(fields={"amount": [_("Only what was spent can be taken back.")]})
        CampaignCost.objects.create(
            campaign=campaign,
            amount=amount,
            note=note.strip()[:200],
            spent_on=spent_on,
            recorded_by_id=person_id(actor),
        )
    return campaign


def _apply(campaign: Campaign, values: Plan) -> None:
    for field, value in values.items():
        if field not in Plan.__annotations__:
            raise TypeError(f"a campaign has no {field}")
        setattr(campaign, field, value)
    checker = Checker()
    _check_words(checker, campaign)
    if campaign.budget is None or not 0 <= campaign.budget < MOST_AMOUNT:
        checker.refuse("budget", _("Enter an amount in yuan with at most two decimal places."))
    if campaign.starts_on is None or campaign.ends_on is None or campaign.ends_on < campaign.starts_on:
        checker.refuse("ends_on", _("It ends on the day it starts or later."))
    checker.done()


def _check_words(checker: Checker, campaign: Campaign) -> None:
    for field, most in (("name", 120), ("target", 500), ("channel", 120)):
        text = " ".join(str(getattr(campaign, field)).split())
        setattr(campaign, field, text)
        if len(text) > most:
            checker.refuse(field, _("At most %(count)d characters.") % {"count": most})
    if not campaign.name:
        checker.refuse("name", _("This field is required."))
    if campaign.kind not in Campaign.Kind.values:
        checker.refuse("kind", _("Choose one of the kinds."))
    if set(campaign.target_kinds) - set(Customer.Kind.values):
        checker.refuse("target_kinds", _("Choose one of the kinds."))
    campaign.target_industries = list(dict.fromkeys(t for one in campaign.target_industries if (t := one.strip())))
    if len(campaign.target_industries) > MOST_INDUSTRIES or any(len(one) > 60 for one in campaign.target_industries):
        checker.refuse("target_industries", _("At most %(count)d, each of 60 characters.") % {"count": MOST_INDUSTRIES})
