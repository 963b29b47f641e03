"""What came of campaigns, for any number of them at once. Amounts in yuan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import round_money
from branch.domain.refusals import InvalidInput
from branch.queries.visibility import visible
from customers.models import Campaign, CampaignCost, Lead

#: The stages of Lead.Reached, as they are counted: each with those beyond it.
STAGES = ("leads", "contacted", "qualified", "converted")


@dataclass(frozen=True)
class Reached:
    """Leads of a campaign by how far they came, each stage with those beyond it, and what was spent."""

    leads: int = 0
    contacted: int = 0
    qualified: int = 0
    converted: int = 0
    spent: Decimal = Decimal(0)

    @property
    def cost_per_lead(self) -> Decimal | None:
        return share_of(self.spent, self.leads)


def share_of(spent: Decimal, number: int) -> Decimal | None:
    """Cost of one; None where there is none."""
    return round_money(spent / number) if number else None


def reached_by(campaigns: Iterable[int]) -> dict[int, Reached]:
    """By campaign, in two queries. Duplicates don't count: they are another lead once more."""
    ids = list(campaigns)
    spent = dict(
        CampaignCost.objects.filter(campaign__in=ids).values_list("campaign").annotate(sum=Sum("amount")).order_by()
    )
    rows: Any = counted(Lead.objects.filter(campaign__in=ids)).values("campaign").annotate(**stage_counts()).order_by()
    found = {row["campaign"]: {name: row[name] for name in STAGES} for row in rows}
    return {pk: Reached(**found.get(pk, {}) | {"spent": spent.get(pk, Decimal(0))}) for pk in ids}


def counted(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    return leads.exclude(lost_reason_code=Lead.LostReason.DUPLICATE)


def stage_counts() -> dict[str, Count]:
    """How many came at least this far: leads, contacted, qualified, converted."""
    reached = Lead.Reached.values
    return {name: Count("pk", filter=Q(reached__in=reached[place:])) for place, name in enumerate(STAGES)}


def running_campaign(actor: Actor, campaign_id: int) -> Campaign:
    """Raises InvalidInput for one the person doesn't see, or that isn't running."""
    found = visible(Campaign, actor).filter(pk=campaign_id, state="running").first()
    if found is None:
        raise InvalidInput(fields={"campaign_id": [_("Choose a running campaign.")]})
    return found
