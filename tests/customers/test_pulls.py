"""Asking providers: consent first, pages, trouble that passes, the breaker, dead letters, what may be asked at all."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.models import Event
from customers.models import Consent, ExternalRecord, Feed, PullCall, PullRun, RecordDetail, RecordImport, RecordSource
from customers.sandbox_provider.server import ProviderServer
from customers.services import consents, feeds, imports, pulls
from tests.customers.making import make_customer

TOKEN = "provider"


@pytest.fixture
def provider(settings):
    server = ProviderServer(("127.0.0.1", 0), TOKEN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.PROVIDER_ORIGINS = [server.url]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def source(cast):
    return RecordSource.objects.create(office=cast.offices.HO, code="tax", name="税务局", consent_scope="tax")


@pytest.fixture
def customer(cast, actor):
    return make_customer(actor("lin"))


TAX = {"period_month": "period", "metric_tax_declared": "sales.declared", "metric_tax_paid": "paid"}


@pytest.fixture
def feed(actor, source, provider) -> Callable[..., Feed]:
    def feed(**changes: Any) -> Feed:
        values = {
            "name": "税务",
            "source_id": source.pk,
            "layout": "months",
            "url": f"{provider.url}/tax?uscc={{uscc}}&until={{month}}",
            "auth": "bearer",
            "secret": TOKEN,
            "rows_path": "data.rows",
            "paging": "next",
            "paging_name": "data.next",
            "columns": TAX,
        } | changes
        return feeds.create_feed(actor=actor("zhou"), **values)

    return feed


def allow(actor, customer, **changes):
    values: dict[str, Any] = {
        "scope": "tax",
        "given_by_name": "林美玉",
        "given_on": date(2026, 3, 1),
        "expires_on": date(2027, 3, 1),
    }
    return consents.record_consent(actor=actor("lin"), customer_id=customer.pk, **values | changes)


def go_on(run: PullRun) -> PullRun:
    """The workers' part, with every pause over."""
    for _turn in range(20):
        PullCall.objects.filter(run=run, state="waiting").update(next_attempt_at=timezone.now())
        pulls.run_pull(run.pk)
        run.refresh_from_db()
        if run.state == "done":
            break
    if run.record_import_id:
        imports.run_import(run.record_import_id)
    return run


def begin(feed: Feed) -> PullRun:
    return pulls.begin_pull(actor=system_actor(), feed_id=feed.pk)


def test_a_pull_asks_page_by_page_and_its_rows_go_the_way_of_every_file(feed, actor, customer):
    allow(actor, customer)
    stranger = make_customer(actor("lin"), 2)

    run = go_on(begin(feed()))

    assert (run.state, run.without_consent) == ("done", 1)
    assert [(call.page, call.state, call.rows) for call in run.calls.order_by("pk")] == [
        (1, "done", None),
        (2, "done", None),
    ]
    done = RecordImport.objects.get(pk=run.record_import_id or 0)
    assert (done.state, done.origin, done.counts) == ("done", "pull", {"rows": 12, "accepted": 24})
    figures = ExternalRecord.objects.filter(superseded_at=None)
    assert {row.customer_id for row in figures} == {customer.pk} != {stranger.pk}
    assert {row.period_month for row in figures} == {date(2025, m, 1) for m in range(3, 13)} | {
        date(2026, 1, 1), date(2026, 2, 1)
    }  # fmt: skip
    assert {row.record_import_id for row in figures} == {done.pk}

    again = go_on(begin(Feed.objects.get()))
    assert RecordImport.objects.get(pk=again.record_import_id or 0).counts == {"rows": 12, "unchanged": 24}


def test_nobody_is_asked_about_without_consent_in_force(feed, actor, customer, provider):
    one = feed()
    asked = {"actor": actor("lin"), "customer_id": customer.pk, "feed_id": one.pk}
    with pytest.raises(InvalidInput):
        pulls.pull_customer(**asked)
    allow(actor, customer, expires_on=date(2026, 3, 1))
    allow(actor, customer, scope="credit_bureau")
    with pytest.raises(InvalidInput):
        pulls.pull_customer(**asked)
    held = allow(actor, customer)
    run = pulls.pull_customer(**asked)

    # Withdrawn between the plan and the call.
    consents.withdraw_consent(actor=actor("lin"), consent_id=held.pk, reason="客户撤回")
    go_on(run)

    assert run.calls.get().state == "dead"
    assert run.record_import_id is None
    assert not ExternalRecord.objects.exists()
    with pytest.raises(InvalidInput):
        pulls.pull_customer(**asked)
    with pytest.raises(WrongState):
        consents.withdraw_consent(actor=actor("lin"), consent_id=held.pk, reason="再撤")
    assert Event.objects.filter(name="customer.pull").count() == 1


def test_trouble_that_passes_is_waited_for(feed, actor, customer, provider):
    allow(actor, customer)
    provider.failing = [503, 429, 500]

    run = begin(feed())
    pulls.run_pull(run.pk)
    call = run.calls.get()
    assert (call.state, call.attempts, call.last_error) == ("waiting", 1, "HTTP 503")
    assert call.next_attempt_at > timezone.now() + timedelta(seconds=20)

    go_on(run)
    assert run.calls.filter(state="done").count() == 2
    assert Feed.objects.get().failures_in_row == 0


@pytest.mark.parametrize(
    ("failing", "error"), [([404], "HTTP 404"), ([302], "HTTP 302"), ([0], "the answer is no JSON")]
)
def test_what_no_wait_mends_is_a_dead_letter_at_once_and_can_be_replayed(
    feed, actor, customer, provider, failing, error
):
    allow(actor, customer)
    provider.failing = list(failing)
    run = go_on(begin(feed()))
    call = run.calls.get()
    assert (run.state, call.state, call.last_error) == ("done", "dead", error)

    with pytest.raises(PermissionRefused):
        pulls.replay_call(actor=actor("feng"), pull_call_id=call.pk)
    pulls.replay_call(actor=actor("he"), pull_call_id=call.pk)
    go_on(run)

    assert (run.state, run.calls.filter(state="done").count()) == ("done", 2)
    assert ExternalRecord.objects.count() == 24
    with pytest.raises(WrongState):
        pulls.replay_call(actor=actor("he"), pull_call_id=call.pk)
    with pytest.raises(NotFound):
        pulls.replay_call(actor=actor("outsider"), pull_call_id=call.pk)


def test_the_breaker_opens_and_one_call_tries_when_its_time_is_over(feed, actor, customer, provider):
    allow(actor, customer)
    provider.failing = [503] * 5
    run = begin(feed())
    for _turn in range(5):
        PullCall.objects.filter(run=run).update(next_attempt_at=timezone.now())
        pulls.run_pull(run.pk)
    opened = Feed.objects.get()
    assert opened.failures_in_row == 5
    assert opened.open_until is not None
    assert opened.open_until > timezone.now()

    PullCall.objects.filter(run=run).update(next_attempt_at=timezone.now())
    pulls.run_pull(run.pk)
    assert run.calls.get().attempts == 5  # nobody asked

    Feed.objects.update(open_until=timezone.now())
    go_on(run)
    closed = Feed.objects.get()
    assert (run.state, closed.failures_in_row, closed.open_until) == ("done", 0, None)


def test_a_provider_that_is_gone_ends_as_a_dead_letter(feed, actor, customer, provider):
    allow(actor, customer)
    one = feed()
    provider.shutdown()
    provider.server_close()
    run = begin(one)
    for _turn in range(10):
        PullCall.objects.filter(run=run).update(next_attempt_at=timezone.now())
        Feed.objects.update(open_until=None)
        pulls.run_pull(run.pk)
    assert [(call.state, call.attempts, call.last_error) for call in run.calls.all()] == [
        ("dead", 6, "ConnectionError")
    ]


def test_meters_and_notices_come_by_pull_as_well(feed, actor, customer, provider, source):
    RecordSource.objects.update(consent_scope="")
    go_on(begin(feed(
        name="电网", layout="meters", url=f"{provider.url}/grid?uscc={{uscc}}&until={{month}}",
        columns={"item": "meter", "metric": "kind", "occurred_on": "month", "value": "kwh"},
    )))  # fmt: skip
    assert ExternalRecord.objects.filter(metric_id="electricity_kwh").count() == 12
    assert RecordDetail.objects.count() == 24


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "https://u:p@127.0.0.1/x",
        "x",
        "//x/y",
    ],
)
def test_only_what_the_installation_allows_may_be_asked(feed, url):
    with pytest.raises(InvalidInput) as refusal:
        feed(url=url + "?u={uscc}")
    assert set(refusal.value.fields) == {"url"}


def test_a_next_page_elsewhere_is_not_asked(feed, actor, customer, provider, monkeypatch):
    allow(actor, customer)
    monkeypatch.setattr("customers.services.providers.dig", lambda answer, path: "http://169.254.169.254/latest")
    run = go_on(begin(feed()))
    assert [call.state for call in run.calls.order_by("pk")] == ["done", "dead"]
    assert "not among" in run.calls.get(state="dead").last_error


def test_a_feed_names_its_columns(feed):
    wrong: tuple[Any, ...] = ({"period_month": "p", "x": "y"}, {"metric_tax_paid": "paid"}, [], {"period_month": 3})
    for columns in wrong:
        with pytest.raises(InvalidInput) as refusal:
            feed(columns=columns)
        assert set(refusal.value.fields) == {"columns"}


def test_one_round_at_a_time_and_the_next_when_its_time_has_come(feed, actor, customer):
    allow(actor, customer)
    one = feed()
    assert pulls.due_feeds() == [one.pk]
    first = begin(one)
    assert begin(one).pk == first.pk
    assert pulls.due_feeds() == []
    go_on(first)
    assert pulls.due_feeds() == []
    assert pulls.due_feeds(timezone.now() + timedelta(hours=25)) == [one.pk]


def test_a_killed_workers_call_is_made_again_and_stored_once(feed, actor, customer):
    allow(actor, customer)
    run = begin(feed())
    call = pulls.claim_call(run_id=run.pk)
    assert call is not None
    assert pulls.claim_call(run_id=run.pk) is None  # leased
    go_on(run)
    assert run.calls.count() == 2
    assert ExternalRecord.objects.count() == 24


def test_the_token_stands_nowhere(feed, actor):
    one = feed(secret="s3cret-token")
    assert "s3cret-token" not in str(list(Event.objects.values_list("after", flat=True)))
    feeds.update_feed(actor=actor("zhou"), feed_id=one.pk, secret="", every_hours=1)
    assert Feed.objects.get().secret == "s3cret-token"


def test_who_records_a_consent(actor, customer):
    for name in ("zhao", "he", "outsider"):
        with pytest.raises((PermissionRefused, NotFound)):
            consents.record_consent(
                actor=actor(name), customer_id=customer.pk, scope="tax", given_by_name="林", given_on=date(2026, 3, 1),
                expires_on=date(2027, 3, 1),
            )  # fmt: skip
    with pytest.raises(InvalidInput) as refusal:
        allow(actor, customer, scope="x", given_by_name=" ", given_on=date(2027, 1, 1), expires_on=date(2026, 1, 1))
    assert set(refusal.value.fields) == {"scope", "given_by_name", "given_on", "expires_on"}
    assert not Consent.objects.exists()


def test_the_sandbox_asks_for_its_token(provider):
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{provider.url}/tax?uscc=x")


def test_a_link_to_the_form_of_a_consent_names_the_customer(actor, customer, cast, client):
    client.force_login(cast.lin)
    form = client.get(f"/consents/create/?customer_id={customer.pk}").context["form"]
    assert form.initial["customer_id"] == str(customer.pk)
    assert form.initial["given_on"] == date(2026, 3, 2)


def test_a_source_that_asks_for_consent_is_not_asked_about_everybody(feed, actor, source, provider):
    """Neither when the feed is set up, nor where the source came to ask for consent later."""
    everybody = {"url": f"{provider.url}/tax?until={{month}}", "columns": TAX | {"firm": "uscc"}}
    with pytest.raises(InvalidInput) as refused:
        feed(**everybody)
    assert list(refused.value.fields) == ["url"]

    RecordSource.objects.update(consent_scope="")
    made = feed(**everybody)
    run = pulls.begin_pull(actor=actor("zhou"), feed_id=made.pk)
    RecordSource.objects.update(consent_scope="tax")
    pulls.run_pull(run.pk)
    call = PullCall.objects.get()
    assert (call.state, call.attempts) == ("dead", 0)
    assert call.last_error
