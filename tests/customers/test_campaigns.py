"""A campaign from plan to result: who runs it, what it costs, what came of it down to loans; visits on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.models import Attachment, Event, RoleAssignment, User
from branch.queries.visibility import visible
from customers.models import Campaign, CampaignCost, Lead, LeadVisit
from customers.queries.campaigns import reached_by
from customers.services import campaigns, leads, visits
from loans.queries.campaigns import booked_by
from tests.cast import OPENING
from tests.customers.making import event_names, make_lead, qualified_lead, state_of_world, uscc_of

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def make_campaign(actor: Any, *, launch: bool = True, **changes: Any) -> Campaign:
    plan: dict[str, Any] = {
        "name": "五金城走访周",
        "kind": "door_to_door",
        "target": "五金城内经营满一年的商户",
        "target_kinds": ["sole_trader"],
        "target_industries": ["五金", " 五金 ", "建材"],
        "channel": "走访、传单",
        "budget": Decimal("3000.00"),
        "starts_on": OPENING,
        "ends_on": date(2026, 3, 31),
    }
    campaign = campaigns.create_campaign(actor=actor, **(plan | changes))
    return campaigns.launch_campaign(actor=actor, campaign_id=campaign.pk) if launch else campaign


def lead_of(actor: Any, campaign: Campaign, number: int, **changes: Any) -> Lead:
    return make_lead(actor, name=f"商户{number}", phone="", campaign_id=campaign.pk, **changes)


# --- its life


def test_a_campaign_lives_from_plan_to_end(cast, actor) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    assert (campaign.state, campaign.owner, campaign.office) == ("running", cast.lin, cast.offices.HW)
    assert campaign.target_industries == ["五金", "建材"]
    assert campaigns.end_campaign(actor=lin, campaign_id=campaign.pk).state == "ended"
    assert event_names(campaign) == ["campaign.create", "campaign.launch", "campaign.end"]
    with pytest.raises(WrongState):
        campaigns.update_campaign(actor=lin, campaign_id=campaign.pk, channel="x")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "party"}, "kind"),
        ({"budget": Decimal("-1")}, "budget"),
        ({"ends_on": OPENING - timedelta(days=1)}, "ends_on"),
        ({"target_kinds": ["club"]}, "target_kinds"),
        ({"target_industries": ["x" * 61]}, "target_industries"),
    ],
)
def test_a_wrong_plan_is_refused_beside_the_field(cast, actor, changes, field) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_campaign(actor("lin"), **changes)
    assert list(refused.value.fields) == [field]
    assert not Campaign.objects.exists()


def test_one_that_is_over_does_not_start(cast, actor) -> None:
    campaign = make_campaign(
        actor("lin"), launch=False, starts_on=OPENING - timedelta(days=9), ends_on=OPENING - timedelta(days=1)
    )
    with pytest.raises(InvalidInput):
        campaigns.launch_campaign(actor=actor("lin"), campaign_id=campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == "planned"


def test_calling_off_needs_a_reason(cast, actor) -> None:
    campaign = make_campaign(actor("lin"))
    with pytest.raises(InvalidInput):
        campaigns.cancel_campaign(actor=actor("lin"), campaign_id=campaign.pk, reason=" ")
    assert campaigns.cancel_campaign(actor=actor("zhou"), campaign_id=campaign.pk, reason="下雨").state == "cancelled"


# --- who


def test_a_branchs_campaign_is_its_sub_branches_too(cast, actor) -> None:
    below = User.objects.create_user("ma", display_name="马", office=cast.offices.HW)
    RoleAssignment.objects.create(user=below, role="account_manager", office=cast.offices.HW, start_date=OPENING)
    campaign = make_campaign(actor("zhou"))
    assert campaign.office == cast.offices.CD

    assert make_lead(actor("ma"), campaign_id=campaign.pk).campaign == campaign
    seen_by = {
        name for name in ("lin", "ma", "zhou", "feng", "outsider", "he") if campaign in visible(Campaign, actor(name))
    }
    assert seen_by == {"lin", "ma", "zhou", "feng"}
    with pytest.raises(PermissionRefused):
        campaigns.end_campaign(actor=actor("ma"), campaign_id=campaign.pk)
    with pytest.raises(NotFound):
        campaigns.end_campaign(actor=actor("outsider"), campaign_id=campaign.pk)
    for name in ("he", "feng", "zhao"):
        with pytest.raises(PermissionRefused):
            make_campaign(actor(name))


def test_leads_name_a_running_campaign_they_see(cast, actor) -> None:
    planned = make_campaign(actor("lin"), launch=False)
    theirs = make_campaign(actor("outsider"))
    before = state_of_world()
    for campaign in (planned, theirs):
        with pytest.raises(InvalidInput) as refused:
            make_lead(actor("lin"), campaign_id=campaign.pk)
        assert list(refused.value.fields) == ["campaign_id"]
    assert state_of_world() == before


def test_a_lead_keeps_its_campaign_when_that_is_over(cast, actor) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    lead = lead_of(lin, campaign, 1)
    campaigns.end_campaign(actor=lin, campaign_id=campaign.pk)
    assert leads.update_lead(actor=lin, lead_id=lead.pk, campaign_id=campaign.pk, note="改").campaign == campaign


# --- money and results


def test_costs_add_up_and_can_be_taken_back_but_not_below_nothing(cast, actor) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    for amount, note in ((Decimal("1200"), "传单"), (Decimal("300.50"), "水"), (Decimal("-300.50"), "记错")):
        campaigns.record_cost(actor=lin, campaign_id=campaign.pk, amount=amount, note=note)
    assert campaign.spent == Decimal("1200.00")
    assert Event.objects.filter(name="campaign.cost").latest("pk").reason == "-300.50 · 记错"
    with pytest.raises(InvalidInput):
        campaigns.record_cost(actor=lin, campaign_id=campaign.pk, amount=Decimal("-1200.01"), note="太多")
    for amount, note, spent_on, field in (
        (Decimal(0), "x", None, "amount"),
        (Decimal(1), " ", None, "note"),
        (Decimal(1), "x", OPENING + timedelta(days=1), "spent_on"),
    ):
        with pytest.raises(InvalidInput) as refused:
            campaigns.record_cost(actor=lin, campaign_id=campaign.pk, amount=amount, note=note, spent_on=spent_on)
        assert list(refused.value.fields) == [field]
    assert CampaignCost.objects.count() == 3


def test_what_came_of_it_counts_each_stage_with_those_beyond(cast, actor) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    campaigns.record_cost(actor=lin, campaign_id=campaign.pk, amount=Decimal("1000"), note="传单")
    made = [lead_of(lin, campaign, number) for number in range(5)]
    for lead in made[1:4]:
        leads.contact_lead(actor=lin, lead_id=lead.pk)
    for lead in made[2:4]:
        leads.qualify_lead(actor=lin, lead_id=lead.pk)
    leads.convert_lead(actor=lin, lead_id=made[3].pk, kind="company", uscc=uscc_of(1))
    leads.lose_lead(actor=lin, lead_id=made[2].pk, code="price")
    leads.lose_lead(actor=lin, lead_id=made[4].pk, code="duplicate", duplicate_lead_id=made[0].pk)

    reached = reached_by([campaign.pk])[campaign.pk]
    assert (reached.leads, reached.contacted, reached.qualified, reached.converted) == (4, 3, 2, 1)
    assert reached.cost_per_lead == Decimal("250.00")
    assert reached_by([campaign.pk, 0])[0].cost_per_lead is None


def test_results_take_a_fixed_number_of_queries(cast, actor, django_assert_num_queries) -> None:
    lin = actor("lin")
    many = [make_campaign(lin, name=f"推广{number}") for number in range(4)]
    for number, campaign in enumerate(many):
        lead_of(lin, campaign, number)
    ids = [campaign.pk for campaign in many]
    with django_assert_num_queries(2):
        assert {reached.leads for reached in reached_by(ids).values()} == {1}
    with django_assert_num_queries(3):
        booked_by(ids)


def test_the_stages_on_its_page_open_the_leads_they_count(cast, actor, client: Client) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    for number in range(3):
        lead_of(lin, campaign, number)
    leads.contact_lead(actor=lin, lead_id=Lead.objects.earliest("pk").pk)
    lost = Lead.objects.latest("pk")
    leads.lose_lead(actor=lin, lead_id=lost.pk, code="duplicate")
    client.force_login(cast.lin)
    page = client.get(f"/campaigns/{campaign.pk}/")
    assert page.status_code == 200
    for _word, number, url in page.context["stages"]:
        assert url in page.content.decode().replace("&amp;", "&")
        assert client.get(url).context["table"].paginator.count == number


# --- visits


def visit(actor: Any, lead: Lead, **changes: Any) -> LeadVisit:
    facts: dict[str, Any] = {
        "visited_at": datetime(2026, 3, 2, 1, 30, tzinfo=UTC),
        "place": "五金城 B 区 12 号",
        "outcome": "interested",
        "latitude": Decimal("29.868300"),
        "longitude": Decimal("121.544000"),
        "note": "两台冲床都在转",
        "next_action": "送资料清单",
        "next_action_date": date(2026, 3, 4),
    }
    return visits.record_visit(actor=actor, lead_id=lead.pk, **(facts | changes))


def test_a_visit_makes_a_new_lead_contacted_and_says_what_is_next(cast, actor) -> None:
    lin = actor("lin")
    lead = make_lead(lin)
    made = visit(lin, lead, photo=SimpleUploadedFile("门面.png", PNG))

    lead.refresh_from_db()
    assert (lead.state, lead.reached) == ("contacted", "contacted")
    assert (lead.next_action, lead.next_action_date) == ("送资料清单", date(2026, 3, 4))
    assert (made.visitor, made.office) == (cast.lin, cast.offices.HW)
    assert Attachment.objects.get(subject_type="leadvisit", subject_id=str(made.pk)).kind == "photo"
    assert event_names(lead) == ["lead.capture", "lead.visit", "lead.contact"]
    assert "冲床" not in str(list(Event.objects.filter(subject_type="leadvisit").values("after")))


def test_nobody_there_leaves_a_lead_new(cast, actor) -> None:
    lead = make_lead(actor("lin"))
    visit(actor("lin"), lead, outcome="nobody_there", latitude=None, longitude=None)
    lead.refresh_from_db()
    assert (lead.state, lead.next_action) == ("new", "送资料清单")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"visited_at": timezone.now() + timedelta(hours=1)}, "visited_at"),
        ({"place": " "}, "place"),
        ({"outcome": "tea"}, "outcome"),
        ({"longitude": None}, "latitude"),
        ({"latitude": Decimal(91)}, "latitude"),
        ({"longitude": Decimal(181)}, "longitude"),
    ],
)
def test_a_wrong_visit_is_refused_beside_the_field(cast, actor, changes, field) -> None:
    lead = make_lead(actor("lin"))
    before = state_of_world()
    with pytest.raises(InvalidInput) as refused:
        visit(actor("lin"), lead, **changes)
    assert list(refused.value.fields) == [field]
    assert state_of_world() == before
    assert not LeadVisit.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.png", b"no picture"),
        ("x.jpg", b"MZ\x90\x00"),
        ("x.svg", b"<svg><script>1</script></svg>"),
        ("x.png", b""),
        ("x.png", PNG + bytes(11 * 1024 * 1024)),
        ("x.pdf", b"%PDF-1.4\n%%EOF"),
        ("x.txt", b"text"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_beside_the_photo_and_keeps_nothing(cast, actor, name, content) -> None:
    lead = make_lead(actor("lin"))
    before = state_of_world()
    with pytest.raises(InvalidInput) as refused:
        visit(actor("lin"), lead, photo=SimpleUploadedFile(name, content))
    assert list(refused.value.fields) == ["photo"]
    assert state_of_world() == before
    assert not LeadVisit.objects.exists()


def test_who_records_and_sees_visits(cast, actor) -> None:
    lead = qualified_lead(actor("lin"))
    made = visit(actor("lin"), lead)
    with pytest.raises(NotFound):
        visit(actor("outsider"), lead)
    with pytest.raises(PermissionRefused):
        visit(actor("zhou"), lead)
    seen_by = {name for name in ("lin", "zhou", "feng", "outsider", "he") if made in visible(LeadVisit, actor(name))}
    assert seen_by == {"lin", "zhou", "feng"}
    leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, code="no_need")
    with pytest.raises(WrongState):
        visit(actor("lin"), lead)


def test_the_leads_page_shows_its_visits_and_photos_in_a_fixed_number_of_queries(
    cast, actor, client: Client, django_assert_max_num_queries
) -> None:
    lin = actor("lin")
    lead = make_lead(lin)
    client.force_login(cast.lin)
    for _number in range(5):
        visit(lin, lead, photo=SimpleUploadedFile("门面.png", PNG))
    with django_assert_max_num_queries(50):
        page = client.get(f"/leads/{lead.pk}/").content.decode()
    assert page.count("/attachments/") >= 5
    assert client.get("/lead-visits/").status_code == 200
    assert "data-locate" in client.get(f"/leads/{lead.pk}/visit/").content.decode()
