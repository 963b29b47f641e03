"""The demo branch goes out to the market: a campaign and its link, leads at several stages, what customers ask for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone, translation

from branch.queries.business_date import business_date
from customers.services import campaigns, leads, referrals, suggestions, visits
from desk.demo.people import actor


def tell_promotion() -> None:
    """A week of visits to the market, half done."""
    with translation.override("zh-hans"):
        lin, today = actor("lin"), business_date()
        campaign = campaigns.create_campaign(
            actor=lin,
            name="五金城走访周",
            kind="door_to_door",
            target="五金城内经营满一年、有稳定进货的商户",
            target_kinds=["sole_trader", "company"],
            target_industries=["五金", "建材", "电器"],
            channel="逐户走访、市场门口展台、传单二维码",
            budget=Decimal("5000.00"),
            starts_on=today,
            ends_on=today + timedelta(days=13),
        )
        campaigns.launch_campaign(actor=lin, campaign_id=campaign.pk)
        for amount, note in ((Decimal("860.00"), "传单和展架"), (Decimal("340.00"), "展台用水和礼品")):
            campaigns.record_cost(actor=lin, campaign_id=campaign.pk, amount=amount, note=note)
        link = referrals.create_link(
            actor=lin,
            title="五金城北门展台",
            campaign_id=campaign.pk,
            expires_on=today + timedelta(days=13),
            max_uses=200,
        )
        _meet(campaign.pk)
        referrals.receive_referral(
            token=link.token,
            name="友邻便利店",
            contact_name="友琳",
            phone="13900000031",
            wanted_amount=Decimal("80000.00"),
            has_consented=True,
        )
        _suggest()


def _meet(campaign_id: int) -> None:
    lin, today = actor("lin"), business_date()
    met = leads.capture_lead(
        actor=lin, name="顺发模具店", contact_name="申顺发", phone="13900000032", source="visit",
        district="五金城 B 区", campaign_id=campaign_id,
    )  # fmt: skip
    visits.record_visit(
        actor=lin,
        lead_id=met.pk,
        visited_at=timezone.now() - timedelta(hours=2),
        place="五金城 B 区 27 号",
        latitude=Decimal("29.882300"),
        longitude=Decimal("121.551700"),
        outcome="interested",
        note="两台加工中心满负荷，想添一台",
        next_action="送资料清单，看订单",
        next_action_date=today + timedelta(days=2),
    )
    leads.qualify_lead(actor=lin, lead_id=met.pk, wanted_amount=Decimal("300000.00"), note="有半年订单")
    lost = leads.capture_lead(
        actor=lin, name="广源电器行", contact_name="广元", phone="13900000033", source="visit", campaign_id=campaign_id
    )
    leads.contact_lead(actor=lin, lead_id=lost.pk, note="电话回访")
    leads.lose_lead(actor=lin, lead_id=lost.pk, code="price", reason="已在别家以更低利率借款")


def _suggest() -> None:
    season = suggestions.make_suggestion(
        actor=actor("lin"),
        title="旺季前放款、旺季后还本",
        text="五金城商户八成的货款在年底前回笼，按月还本压力大，希望按回款季还本。",
        product_name="短期经营贷",
    )
    for name in ("zhao", "he", "zhou"):
        suggestions.vote_suggestion(actor=actor(name), suggestion_id=season.pk)
    suggestions.take_up_suggestion(actor=actor("qian"), suggestion_id=season.pk)
    suggestions.make_suggestion(
        actor=actor("lin"), title="凭市场摊位转让权担保", text="市场方愿意登记摊位转让权，商户没有房产可抵。"
    )
