"""The public page of a referral link: open, used up, over; no oracle, no flood, no robot, no second copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client, override_settings
from django.utils import timezone, translation
from rest_framework.throttling import SimpleRateThrottle

from branch.domain.refusals import InvalidInput, PermissionRefused, WrongState
from branch.models import Event, Notification, RoleAssignment, User
from branch.queries.visibility import visible
from branch.services.outbox import deliver, waiting
from customers.models import Lead, ReferralLink
from customers.services import campaigns, referrals
from tests.cast import OPENING
from tests.customers.making import make_customer, make_lead
from tests.customers.test_campaigns import make_campaign

SENT = {
    "name": "永泰塑料厂",
    "contact_name": "李",
    "phone": "136 0000 0001",
    "wanted_amount": "300,000",
    "has_consented": "on",
    "website": "",
}
MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "referral"}}


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    rates = {"referral": "1000/min", "referral-link": "1000/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    with override_settings(CACHES=MEMORY):
        caches["default"].clear()
        yield


def make_link(actor: Any, **changes: Any) -> ReferralLink:
    values: dict[str, Any] = {"title": "柜台", "expires_on": date(2026, 3, 31)} | changes
    return referrals.create_link(actor=actor, **values)


@pytest.fixture
def link(cast, actor) -> ReferralLink:
    return make_link(actor("lin"))


@pytest.fixture
def address(link) -> str:
    return f"/r/{link.token}/"


@pytest.fixture
def visitor() -> Client:
    return Client()


def test_a_visitor_becomes_a_lead_of_the_links_owner(cast, link, address, visitor) -> None:
    shown = visitor.get(address)
    assert shown.status_code == 200
    assert "林" in shown.content.decode()
    answer = visitor.post(address, SENT)
    assert (answer.status_code, answer["Location"]) == (302, f"{address}done/")
    assert visitor.get(answer["Location"]).status_code == 200

    lead = Lead.objects.get()
    assert (lead.owner, lead.office, lead.origin, lead.source) == (cast.lin, cast.offices.HW, "link", "referral")
    assert (lead.phone, lead.wanted_amount, lead.referral_link) == ("13600000001", Decimal(300000), link)
    assert lead.consent_version == referrals.CONSENT_VERSION
    assert lead.consent_text
    assert lead.consented_at is not None
    assert Event.objects.get(name="lead.capture").actor_id is None
    link.refresh_from_db()
    assert link.uses == 1


def test_the_owner_is_told(cast, link, address, visitor) -> None:
    visitor.post(address, SENT)
    for message_id in waiting():
        deliver(message_id)
    assert Notification.objects.get(user=cast.lin, kind="leads.given").params == {"number": "1"}


def test_the_consent_is_kept_in_the_words_that_were_shown(cast, address, visitor) -> None:
    visitor.cookies["django_language"] = "en"
    assert b"I agree that the bank" in visitor.get(address).content
    visitor.post(address, SENT)
    assert Lead.objects.get().consent_text.startswith("I agree that the bank")
    with translation.override("zh-hans"):
        assert not referrals.consent_text().startswith("I agree")


@pytest.mark.parametrize("missing", ["name", "contact_name", "phone", "has_consented"])
def test_nothing_is_kept_without(cast, address, visitor, missing) -> None:
    answer = visitor.post(address, {name: value for name, value in SENT.items() if name != missing})
    assert answer.status_code == 422
    assert missing in answer.context["form"].errors
    assert not Lead.objects.exists()


def test_a_bad_phone_is_told_beside_the_field(cast, address, visitor) -> None:
    answer = visitor.post(address, SENT | {"phone": "call me"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["phone"]


def test_whether_a_firm_is_on_file_shows_nowhere(cast, actor, link, address, visitor) -> None:
    make_customer(actor("outsider"), name="永泰塑料厂", phone="13600000001")
    make_lead(actor("lin"), name="宏光灯具", phone="13600000002")
    answers = [
        visitor.post(address, SENT | {"name": name, "phone": phone})
        for name, phone in (("永泰塑料厂", "13600000001"), ("宏光灯具", "13600000002"), ("新来的店", "13600000003"))
    ]
    assert {(a.status_code, a["Location"], a.content) for a in answers} == {(302, f"{address}done/", b"")}
    assert list(Lead.objects.filter(origin="link").order_by("pk").values_list("looks_known", flat=True)) == [
        True, True, False,
    ]  # fmt: skip


def test_the_button_pressed_twice_sends_once(cast, link, address, visitor) -> None:
    for _time in range(2):
        assert visitor.post(address, SENT | {"idempotency_key": "k1"}).status_code == 302
    assert Lead.objects.count() == 1
    link.refresh_from_db()
    assert link.uses == 1


def test_what_fills_every_field_is_thanked_and_kept_nothing_of(cast, link, address, visitor) -> None:
    answer = visitor.post(address, SENT | {"website": "http://spam"})
    assert (answer.status_code, answer["Location"]) == (302, f"{address}done/")
    assert not Lead.objects.exists()


def test_a_form_of_another_site_is_refused(cast, address) -> None:
    assert Client(enforce_csrf_checks=True).post(address, SENT).status_code == 403
    assert not Lead.objects.exists()


@pytest.mark.parametrize("how", ["used up", "over", "closed", "campaign ended"])
def test_a_link_that_takes_nobody_in_says_so(cast, actor, visitor, how) -> None:
    lin = actor("lin")
    campaign = make_campaign(lin)
    link = make_link(lin, max_uses=1, campaign_id=campaign.pk)
    address = f"/r/{link.token}/"
    assert visitor.get(address).status_code == 200
    if how == "used up":
        visitor.post(address, SENT)
    elif how == "over":
        ReferralLink.objects.update(expires_on=OPENING - timedelta(days=1))
    elif how == "closed":
        referrals.close_link(actor=lin, referral_link_id=link.pk)
    else:
        campaigns.end_campaign(actor=lin, campaign_id=campaign.pk)
    had = Lead.objects.count()

    assert visitor.get(address).status_code == 410
    assert visitor.post(address, SENT | {"name": "别家"}).status_code == 410
    assert Lead.objects.count() == had


def test_an_address_nobody_gave_out_is_a_page_too(db, visitor) -> None:
    assert visitor.get("/r/nothing/").status_code == 404
    assert visitor.post("/r/nothing/", SENT).status_code == 404


def test_the_lead_is_of_the_links_campaign(cast, actor, visitor) -> None:
    campaign = make_campaign(actor("lin"), kind="platform")
    link = make_link(actor("lin"), campaign_id=campaign.pk)
    visitor.post(f"/r/{link.token}/", SENT)
    assert (Lead.objects.get().campaign, Lead.objects.get().source) == (campaign, "platform")


def test_leads_of_somebody_gone_go_to_a_colleague(cast, link, address, visitor) -> None:
    ma = User.objects.create_user("ma", display_name="马", office=cast.offices.HW)
    RoleAssignment.objects.create(user=ma, role="account_manager", office=cast.offices.CD, start_date=OPENING)
    User.objects.filter(pk=cast.lin.pk).update(is_active=False)
    visitor.post(address, SENT)
    assert Lead.objects.get().owner == ma


def test_asking_too_often_is_told_to_wait(cast, actor, link, address, visitor, monkeypatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"referral": "3/min", "referral-link": "1000/min"})
    assert [visitor.get(address).status_code for _ in range(3)] == [200] * 3
    refused = visitor.post(address, SENT)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert not Lead.objects.exists()
    assert Client(REMOTE_ADDR="10.0.0.9").get(address).status_code == 200


def test_an_address_that_is_only_claimed_counts_for_nothing(cast, address, visitor, monkeypatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"referral": "2/min", "referral-link": "1000/min"})
    answers = [visitor.get(address, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(3)]
    assert answers == [200, 200, 429]


def test_one_link_takes_only_so_many_at_once(cast, actor, link, address, monkeypatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"referral": "1000/min", "referral-link": "2/min"})
    answers = [
        Client(REMOTE_ADDR=f"10.0.0.{n}")
        .post(address, SENT | {"name": f"店{n}", "phone": f"1360000000{n}"})
        .status_code
        for n in range(3)
    ]
    assert answers == [302, 302, 429]


# --- for those who make links


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"expires_on": OPENING - timedelta(days=1)}, "expires_on"),
        ({"max_uses": 0}, "max_uses"),
        ({"campaign_id": 999999}, "campaign_id"),
    ],
)
def test_a_wrong_link_is_refused_beside_the_field(cast, actor, changes, field) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_link(actor("lin"), **changes)
    assert list(refused.value.fields) == [field]


def test_who_makes_sees_and_closes_links(cast, actor, link) -> None:
    for name in ("zhou", "feng", "he"):
        with pytest.raises(PermissionRefused):
            make_link(actor(name))
    seen_by = {name for name in ("lin", "zhou", "feng", "outsider") if link in visible(ReferralLink, actor(name))}
    assert seen_by == {"lin", "zhou", "feng"}
    assert not referrals.close_link(actor=actor("zhou"), referral_link_id=link.pk).is_active
    with pytest.raises(WrongState):
        referrals.close_link(actor=actor("lin"), referral_link_id=link.pk)


def test_tokens_are_long_and_differ(cast, actor) -> None:
    tokens = {make_link(actor("lin"), title=f"第{n}处").token for n in range(5)}
    assert len(tokens) == 5
    assert all(len(token) == 22 for token in tokens)


def test_its_page_has_the_address_the_code_and_a_poster(cast, link, address, client: Client) -> None:
    client.force_login(cast.lin)
    assert f"http://testserver{address}" in client.get(f"/referral-links/{link.pk}/").content.decode()
    code = client.get(f"/referral-links/{link.pk}/qr.svg")
    assert code["Content-Type"] == "image/svg+xml"
    assert code.content.startswith(b"<?xml") or b"<svg" in code.content
    assert b"style=" not in code.content
    assert f"http://testserver{address}" in client.get(f"/referral-links/{link.pk}/poster/").content.decode()
    client.force_login(cast.outsider)
    assert client.get(f"/referral-links/{link.pk}/qr.svg").status_code == 404


def test_the_time_of_consent_is_now(cast, address, visitor) -> None:
    visitor.post(address, SENT)
    consented_at = Lead.objects.get().consented_at
    assert consented_at is not None
    assert abs(timezone.now() - consented_at) < timedelta(minutes=1)
