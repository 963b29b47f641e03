"""Referral links, and what visitors of their public page send in."""

from __future__ import annotations

import secrets
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.refusals import InvalidInput, NotFound, WrongState
from branch.domain.roles import Role
from branch.models import Office
from branch.queries.business_date import business_date
from branch.services.transition import change, create
from branch.services.use_case import use_case
from customers.models import Campaign, Lead, ReferralLink
from customers.queries.campaigns import running_campaign
from customers.queries.load import balance_of, desk_of, managers_around
from customers.queries.offices import person_id, working_office
from customers.services.leads import add_lead, tell_of_new
from customers.services.profile import Checker

MANAGER = frozenset({Role.ACCOUNT_MANAGER})
KEEPERS = MANAGER | {Role.BRANCH_MANAGER}
MOST_USES = 100_000
#: Which text visitors agree to; a new text gets a new version.
CONSENT_VERSION = "2026-11"
SOURCE_OF_KIND = {
    Campaign.Kind.DOOR_TO_DOOR: Lead.Source.VISIT,
    Campaign.Kind.BUSINESS_CIRCLE_DAY: Lead.Source.VISIT,
    Campaign.Kind.PLATFORM: Lead.Source.PLATFORM,
    Campaign.Kind.ONLINE: Lead.Source.ONLINE,
    Campaign.Kind.PRODUCT_LAUNCH: Lead.Source.ONLINE,
}


def consent_text() -> str:
    """What the visitor agrees to, in the language of the page."""
    return _(
        "I agree that the bank keeps these details and calls or writes to me about a loan for my firm. "
        "I can take this back at any time by telling the bank; it then stops and deletes what it need not keep by law."
    )


@use_case("create_link")
def create_link(
    *, actor: Actor, title: str, expires_on: date, campaign_id: int | None = None, max_uses: int | None = None
) -> ReferralLink:
    """A link of the acting account manager. Raises InvalidInput by field."""
    checker, title = Checker(), " ".join(title.split())
    if not title or len(title) > 120:
        checker.refuse("title", _("Give it a title of at most 120 characters."))
    if expires_on < business_date():
        checker.refuse("expires_on", _("Choose today or a later day."))
    if max_uses is not None and not 0 < max_uses <= MOST_USES:
        checker.refuse("max_uses", _("Enter a number from 1 to %(most)d.") % {"most": MOST_USES})
    checker.done()
    link = ReferralLink(
        owner_id=person_id(actor),
        office=working_office(actor, Role.ACCOUNT_MANAGER),
        campaign=running_campaign(actor, campaign_id) if campaign_id else None,
        title=title,
        token=secrets.token_urlsafe(16),
        expires_on=expires_on,
        max_uses=max_uses,
    )
    return create(link, actor=actor, roles=MANAGER)


@use_case("close_link")
def close_link(
    *, actor: Actor, referral_link_id: int, reason: str = "", expected_version: int | None = None
) -> ReferralLink:
    """Nobody gets in by it any more; a closed one stays closed."""
    with change(
        ReferralLink,
        referral_link_id,
        "close",
        actor=actor,
        roles=KEEPERS,
        reason=reason.strip(),
        expected_version=expected_version,
    ) as link:
        if not link.is_active:
            raise WrongState(_("This link is closed already."), id=link.pk)
        link.is_active = False
    return link


def is_taking(link: ReferralLink) -> bool:
    """Whether its page takes anybody in: it is open, and its campaign, where it has one, is running."""
    return link.is_open(business_date()) and (link.campaign is None or link.campaign.state == "running")


@use_case("receive_referral")
def receive_referral(
    *,
    token: str,
    name: str,
    contact_name: str,
    phone: str,
    wanted_amount: Decimal | None = None,
    has_consented: bool = False,
) -> Lead:
    """What a visitor sent, as a lead of the link's owner, or of a colleague where that one no longer works there.

    Whether the firm is on file is no visitor's to learn: it is taken in either way and flagged for the account
    manager. Raises NotFound for no such link, WrongState for one that takes nobody in, InvalidInput by field.
    """
    found = ReferralLink.objects.select_for_update(of=("self",)).select_related("campaign", "office")
    link = found.filter(token=token).first()
    if link is None:
        raise NotFound(_("There is no such record."))
    if not is_taking(link):
        raise WrongState(_("This link is closed already."))
    if not phone.strip():
        raise InvalidInput(fields={"phone": [_("This field is required.")]})
    if not has_consented:
        raise InvalidInput(fields={"has_consented": [_("Without it we may not keep your details.")]})
    kind = link.campaign.kind if link.campaign else ""
    lead, _matches = add_lead(
        system_actor(),
        link.office,
        lambda: _owner_of(link),
        {
            "name": name,
            "contact_name": contact_name,
            "phone": phone,
            "wanted_amount": wanted_amount,
            "source": SOURCE_OF_KIND.get(Campaign.Kind(kind), Lead.Source.REFERRAL) if kind else Lead.Source.REFERRAL,
        },
        refuse=False,
        origin=Lead.Origin.LINK,
        referral_link=link,
        campaign=link.campaign,
        consent_text=consent_text(),
        consent_version=CONSENT_VERSION,
        consented_at=timezone.now(),
    )
    ReferralLink.objects.filter(pk=link.pk).update(uses=link.uses + 1)
    tell_of_new(lead.owner_id)
    return lead


def _owner_of(link: ReferralLink) -> tuple[int, Office]:
    if managers_around(link.office).filter(pk=link.owner_id).exists():
        return link.owner_id, link.office
    balance = balance_of(link.office)
    who = balance.next() if balance else link.owner_id
    return who, desk_of(who, link.office)
