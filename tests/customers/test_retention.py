"""Nights of erasure: what goes, what stays and why; once, resumably, in a fixed number of queries."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branch.domain.refusals import PermissionRefused, Unmet, WrongState
from branch.models import Attachment, Event, IdempotentAnswer, OutboxMessage, ParameterValue
from branch.services.attachments import attach
from branch.services.file_store import path_of
from branch.services.outbox import deliver
from customers import tasks
from customers.models import Customer, ErasureRequest, ImportFinding, Lead, LeadVisit, RecordImport, RetentionRun
from customers.queries.retention import standing_of
from customers.services import customers, erasing, lead_lists, leads, retention, retention_nights, visits
from customers.services.imports import run_import
from tests.customers.making import event_names, make_customer, make_lead, qualified_lead
from tests.customers.test_campaigns import PNG
from tests.postloan.making import open_on


def lost(actor: Any, **facts: Any) -> Lead:
    lead = make_lead(actor("lin"), **facts)
    return leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, code="price")


def night(day: date) -> RetentionRun:
    open_on(day)
    tasks.erase_what_is_over()
    return RetentionRun.objects.get(business_date=day)


def in_days(cast: Any, days: int) -> date:
    return cast.OPENING + timedelta(days=days)


def aged(*models: type[Any], days: int = 4000) -> None:
    """As if they had come in long ago, with nothing done since."""
    for model in models:
        model.objects.update(created_at=timezone.now() - timedelta(days=days))


def test_a_lost_lead_goes_after_its_time_with_its_visits_and_files(cast, actor):
    lead = make_lead(actor("lin"), name="郭家小炒", contact_name="郭大成", note="女儿上学", phone="13933334444")
    visit = visits.record_visit(
        actor=actor("lin"), lead_id=lead.pk, visited_at=timezone.now(), place="南门 3 号", outcome="thinking",
        latitude=Decimal("29.8"), longitude=Decimal("121.5"), note="店里两个人", photo=PNG,
    )  # fmt: skip
    attach(actor=actor("lin"), subject=lead, kind="photo", title="门头", upload=PNG)
    leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, code="price", reason="嫌贵")
    assert Lead.objects.get().lost_on == cast.OPENING

    assert night(in_days(cast, 180)).lead_count == 0
    assert night(in_days(cast, 181)).lead_count == 1
    for message in OutboxMessage.objects.filter(topic="files.erased"):
        assert deliver(message.pk)

    lead, visit = Lead.objects.get(), LeadVisit.objects.get(pk=visit.pk)
    assert (lead.name, lead.contact_name, lead.phone, lead.note, lead.lost_reason) == (f"#{lead.pk}", "", "", "", "")
    assert (lead.state, lead.erased_rule, lead.erased_by, lead.name_bigrams) == ("lost", "lost_lead", None, [])
    assert (visit.place, visit.note, visit.latitude, visit.outcome) == ("", "", None, "thinking")
    assert list(Attachment.objects.values_list("title", flat=True)) == ["", ""]
    assert not any(path_of(file.storage_name).exists() for file in Attachment.objects.all())
    assert event_names(lead)[-1] == "lead.erase"
    record = "\n".join(str(row) for row in Event.objects.exclude(name="lead.lose").values_list())
    assert [
        secret for secret in ("郭家小炒", "郭大成", "女儿上学", "13933334444", "南门", "两个人") if secret in record
    ] == []
    with pytest.raises(WrongState):
        leads.reopen_lead(actor=actor("lin"), lead_id=lead.pk)


def test_duplicates_go_sooner_and_leads_left_alone_later(cast, actor):
    kept = lost(actor)
    twin = make_lead(actor("lin"), name="另一家")
    leads.lose_lead(actor=actor("lin"), lead_id=twin.pk, code="duplicate", duplicate_lead_id=kept.pk)
    idle = make_lead(actor("lin"), name="没人管")
    assert night(in_days(cast, 31)).lead_count == 1
    assert Lead.objects.get(pk=twin.pk).erased_rule == "duplicate_lead"
    assert night(in_days(cast, 365)).lead_count == 1

    Lead.objects.update(created_at=timezone.now() - timedelta(days=2000))
    Event.objects.all().delete()
    assert night(in_days(cast, 800)).lead_count == 1
    idle.refresh_from_db()
    assert (idle.erased_rule, idle.state, idle.lost_reason_code) == ("idle_lead", "lost", "other")


def test_a_night_is_once_and_a_killed_one_goes_on_where_it_stood(cast, actor, monkeypatch):
    for number in range(5):
        lost(actor, name=f"店铺{number}号", phone=f"1390000000{number}")
    open_on(in_days(cast, 200))
    monkeypatch.setattr(retention_nights, "SUBJECTS_AT_ONCE", 2)
    run = retention_nights.start_retention()
    assert retention_nights.retention_part(run_id=run.pk, stage="lead", after_id=0)
    assert not retention_nights.retention_part(run_id=run.pk, stage="lead", after_id=0)
    assert Lead.objects.exclude(erased_on=None).count() == 2

    assert tasks.resume_retention() == 1
    before = list(Lead.objects.order_by("pk").values()), Event.objects.count()
    assert not tasks.erase_what_is_over()

    run.refresh_from_db()
    assert (run.lead_count, run.set_aside_count) == (5, 0)
    assert (list(Lead.objects.order_by("pk").values()), Event.objects.count()) == before


def test_what_keeps_a_lead_beyond_its_time_is_told(cast, actor):
    lead = lost(actor)
    retention.hold_lead(actor=actor("zhou"), lead_id=lead.pk, reason="投诉未结")

    run = night(in_days(cast, 200))

    assert (run.lead_count, run.set_aside) == (0, [{"kind": "lead", "id": lead.pk, "reason": "held"}])


def test_a_row_that_spoils_the_rest_is_set_aside_alone(cast, actor, monkeypatch):
    many = [lost(actor, name=f"店铺{number}号", phone=f"1390000000{number}") for number in range(4)]
    erase = erasing.erase_lead_rows

    def spoiled(rows: Any, *args: Any, **kwargs: Any) -> None:
        if many[2].pk in [row.pk for row in rows]:
            raise IntegrityError("no")
        erase(rows, *args, **kwargs)

    monkeypatch.setattr(retention_nights, "erase_lead_rows", spoiled)

    run = night(in_days(cast, 200))

    assert (run.lead_count, run.set_aside_count, run.set_aside[0]["id"]) == (3, 1, many[2].pk)


def test_customers_go_at_night_only_where_the_bank_wants_it(cast, actor):
    customer = make_customer(actor("lin"))
    far = in_days(cast, 4000)
    aged(Customer)
    assert night(far).customer_count == 0

    ParameterValue.objects.create(code="retention.customers_at_night", value=True, effective_date=cast.OPENING)
    assert night(far + timedelta(days=1)).customer_count == 1
    customer.refresh_from_db()
    assert (customer.erased_rule, customer.erased_by) == ("never_borrowed", None)


def test_a_wish_before_its_time_takes_two_people_also_at_night(cast, actor):
    customer = make_customer(actor("lin"))
    retention.ask_customer_erasure(actor=actor("lin"), customer_id=customer.pk, channel="phone")
    assert night(in_days(cast, 1)).customer_count == 0
    aged(Customer)
    assert night(in_days(cast, 4000)).customer_count == 1
    assert ErasureRequest.objects.get().state == "fulfilled"


def test_a_lead_that_became_a_customer_goes_with_the_customer(cast, actor):
    lead = qualified_lead(actor("lin"))
    leads.convert_lead(actor=actor("lin"), lead_id=lead.pk, kind="farm_household", identity_number="110101199003070134")
    customer = Customer.objects.get()
    with pytest.raises(Unmet) as refused:
        retention.erase_lead(actor=actor("zhou"), lead_id=lead.pk, reason="x")
    assert [one["code"] for one in refused.value.facts["obstacles"]] == ["became_customer"]

    retention.ask_customer_erasure(actor=actor("lin"), customer_id=customer.pk, channel="counter")
    retention.erase_customer(actor=actor("zhou"), customer_id=customer.pk, reason="本人要求")

    lead.refresh_from_db()
    assert (lead.erased_rule, lead.state, lead.contact_name) == ("converted_lead", "converted", "")


def test_two_people_erase_a_lead_at_the_person_s_wish(cast, actor):
    lead = make_lead(actor("lin"))
    retention.ask_lead_erasure(actor=actor("lin"), lead_id=lead.pk, channel="online", note="短信")
    with pytest.raises(PermissionRefused):
        retention.erase_lead(actor=actor("lin"), lead_id=lead.pk, reason="x")
    done = retention.erase_lead(actor=actor("zhou"), lead_id=lead.pk, reason="本人要求")
    assert (done.state, done.erased_rule, done.erased_by) == ("lost", "request", cast.zhou)
    assert ErasureRequest.objects.get().note == ""


def test_reports_and_files_of_lists_forget(cast, actor):
    rows = [{"name": "郭家小炒", "contact_name": "郭大成", "phone": "1393"}, {"name": "好店", "contact_name": "王"}]
    sent = lead_lists.receive_leads(actor=actor("lin"), rows=rows, source="platform")
    run_import(sent.pk)
    finding = ImportFinding.objects.exclude(raw={}).first()
    assert finding is not None
    path = path_of(RecordImport.objects.get().storage_name)
    assert path.exists()
    lead = lost(actor, name="郭家小炒", contact_name="郭大成")
    retention.ask_lead_erasure(actor=actor("lin"), lead_id=lead.pk, channel="phone")
    retention.erase_lead(actor=actor("zhou"), lead_id=lead.pk, reason="本人要求")
    assert not ImportFinding.objects.filter(raw__contact_name="郭大成").exists()

    aged(RecordImport, IdempotentAnswer)
    run = night(in_days(cast, 1))
    for message in OutboxMessage.objects.filter(topic="files.erased"):
        assert deliver(message.pk)

    assert run.file_count == 1
    assert not path.exists()
    assert not ImportFinding.objects.exclude(raw={}).exists()


def test_kept_answers_of_calls_go(cast):
    for days in (1, 31):
        answer = IdempotentAnswer.objects.create(caller="api:1", route="/x", key=str(days), body_sha256="0", body="张")
        IdempotentAnswer.objects.filter(pk=answer.pk).update(created_at=timezone.now() - timedelta(days=days))
    assert night(in_days(cast, 1)).answer_count == 1
    assert IdempotentAnswer.objects.get().key == "1"


def test_more_leads_take_no_more_queries(cast, actor):
    counts = []
    for number, day in ((1, 200), (4, 500)):
        for serial in range(number):
            lost(actor, name=f"店{day}{serial}", phone=f"139{day}0000{serial}")
        Lead.objects.filter(erased_on=None).update(lost_on=cast.OPENING)
        open_on(in_days(cast, day))
        run = retention_nights.start_retention()
        with CaptureQueriesContext(connection) as queries:
            retention_nights.retention_part(run_id=run.pk, stage="lead", after_id=0)
        counts.append(len(queries))
        assert Lead.objects.exclude(erased_on=None).count() >= number
    assert counts[0] == counts[1] <= 50


def test_erased_and_closed_things_take_nothing_new(cast, actor):
    customer = make_customer(actor("lin"))
    retention.ask_customer_erasure(actor=actor("lin"), customer_id=customer.pk, channel="counter")
    retention.erase_customer(actor=actor("zhou"), customer_id=customer.pk, reason="本人要求")
    lead = qualified_lead(actor("lin"))
    before = Event.objects.count()
    for call in (
        lambda: leads.convert_lead(actor=actor("lin"), lead_id=lead.pk, customer_id=customer.pk),
        lambda: customers.update_customer(actor=actor("lin"), customer_id=customer.pk, industry="x"),
        lambda: customers.reassign_customer(
            actor=actor("zhou"), customer_id=customer.pk, owner_id=cast.lin.pk, reason="x"
        ),
        lambda: attach(actor=actor("lin"), subject=customer, kind="photo", title="x", upload=PNG),
        lambda: retention.hold_customer(actor=actor("zhou"), customer_id=customer.pk, reason="x"),
        lambda: retention.ask_customer_erasure(actor=actor("lin"), customer_id=customer.pk, channel="bank"),
    ):
        with pytest.raises(WrongState):
            call()
    assert Event.objects.count() == before


def test_the_day_a_lead_can_go_is_told_beforehand(cast, actor):
    standing = standing_of(lost(actor))
    assert (standing.erasable_from, standing.rule.value) == (date(2026, 8, 30), "lost_lead")
