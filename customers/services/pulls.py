"""Pulling from providers: a round is planned as calls, each made by whichever worker is free, tried again with
growing pauses, and set aside when nothing helps. The rows go the way of every file.

The rows of `PullCall` coordinate: a killed worker's call is due again, and its answer is stored once.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.calendar import add_months
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, PermissionRefused, Refusal, WrongState
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.file_store import NamedFile
from branch.services.presence import presence
from branch.services.transition import lock, may, transition
from branch.services.use_case import use_case
from customers.domain.json_paths import dig, text_of
from customers.domain.layouts import FIRM
from customers.models import Customer, Feed, PullCall, PullRun, RecordImport, RecordSource
from customers.queries.consents import consenting
from customers.queries.metrics import layout_of
from customers.services.imports import receive_import
from customers.services.providers import Answer, ProviderError, ask
from customers.services.record_sources import KEEPERS

logger = structlog.get_logger(__name__)
#: First key of the session lock of the worker that is at a pull.
PULL_LOCK = 0x1AB
MOST_ATTEMPTS = 6
LONGEST_PAUSE = timedelta(minutes=10)
#: The breaker: so many failures in a row, and nobody asks for so long; then one call tries.
FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(minutes=5)
#: Calls looked at for one that may be made.
CLAIMED = 50
#: Pages of one customer or round; more is a provider that doesn't end.
MOST_PAGES = 5000
ASKERS = frozenset({Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER})


# --- planning


@use_case("begin_pull")
def begin_pull(*, actor: Actor, feed_id: int) -> PullRun:
    """Plan a round of the feed; the one under way where there is one. Customers without consent are left out."""
    feed = lock(Feed, feed_id, actor)
    if not (actor.is_system or actor.holds_bank_wide(KEEPERS)):
        raise PermissionRefused(_("Your role does not allow this here."), event="begin")
    if not feed.is_active:
        raise WrongState(_("This feed is not in use."))
    running = PullRun.objects.filter(feed=feed, state="running").first()
    if running is not None:
        return running
    Feed.objects.filter(pk=feed.pk).update(next_run_at=timezone.now() + timedelta(hours=feed.every_hours))
    run = _new_run(feed, actor)
    if feed.asks_by_customer:
        _plan_customers(run, feed)
    else:
        PullCall.objects.create(run=run, office=feed.office)
    return run


def _new_run(feed: Feed, actor: Actor) -> PullRun:
    run = PullRun(feed=feed, office=feed.office)
    run.save(force_insert=True)
    record("pull_run.begin", run, actor=actor)
    after_commit("customers.tasks.run_pull", run.pk)
    return run


def _plan_customers(run: PullRun, feed: Feed) -> None:
    """A call for every customer with a code who allows it, in one statement."""
    everybody = Customer.objects.filter(uscc__isnull=False)
    allowed = consenting(everybody, feed.source.consent_scope, business_date())
    query, parameters = allowed.values("pk", "office_id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO customers_pullcall (run_id, customer_id, office_id, page, address, state, attempts, last_error,
                                            version)
            SELECT %s, c.id, c.office_id, 1, '', 'waiting', 0, '', 1 FROM ({query}) c (id, office_id)
            """,
            [run.pk, *parameters],
        )
        planned = cursor.rowcount
    if feed.source.consent_scope:
        PullRun.objects.filter(pk=run.pk).update(without_consent=everybody.count() - planned)
        run.refresh_from_db(fields=["without_consent"])


@use_case("pull_customer")
def pull_customer(*, actor: Actor, customer_id: int, feed_id: int) -> PullRun:
    """Ask a feed about one customer now. Raises InvalidInput where the customer did not allow it."""
    customer = lock(Customer, customer_id, actor)
    if not may(actor, Transition("pull", (), "", ASKERS), customer):
        raise PermissionRefused(_("Your role does not allow this here."), event="pull")
    feed = Feed.objects.filter(pk=feed_id, is_active=True, url__contains="{uscc}").select_related("source").first()
    if feed is None or not customer.uscc:
        raise InvalidInput(fields={"feed_id": [_("This feed can't be asked about this customer.")]})
    if not _allows(customer, feed.source):
        message = _("The customer has not allowed this: record the consent to %(scope)s first.")
        raise InvalidInput(fields={"feed_id": [message % {"scope": feed.source.get_consent_scope_display()}]})
    try:
        with transaction.atomic():
            run = _new_run(feed, actor)
    except IntegrityError as error:
        raise WrongState(_("This feed is being asked at the moment. Try again in a minute.")) from error
    PullCall.objects.create(run=run, office=customer.office, customer=customer)
    record("customer.pull", customer, actor=actor, before={}, after={"feed": feed.name})
    return run


def _allows(customer: Customer, source: RecordSource) -> bool:
    rows = consenting(Customer.objects.filter(pk=customer.pk), source.consent_scope, business_date())
    return rows.exists()


@use_case("replay_call")
def replay_call(*, actor: Actor, pull_call_id: int, expected_version: int | None = None) -> PullCall:
    """Have a dead letter tried once more. Raises WrongState for a call that is not dead, or while a pull runs."""
    call = lock(PullCall, pull_call_id, actor, expected_version)
    if not actor.holds({Role.POST_LOAN_OFFICER}, call.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event="replay")
    if call.state != PullCall.State.DEAD:
        raise WrongState(_("Only a dead letter is replayed."))
    call.state, call.attempts, call.next_attempt_at = PullCall.State.WAITING, 0, timezone.now()
    call.version += 1
    call.save()
    record("pullcall.replay", call, actor=actor, before={}, after={"run": call.run_id})
    run = PullRun.objects.select_for_update().get(pk=call.run_id)
    if run.state == "done":
        if PullRun.objects.filter(feed_id=run.feed_id, state="running").exists():
            raise WrongState(_("This feed is being asked at the moment. Try again in a minute."))
        with transition(PullRun, run.pk, "reopen", actor=system_actor()):
            pass
    after_commit("customers.tasks.run_pull", run.pk)
    return call


# --- the worker's part


def run_pull(run_id: int) -> bool:
    """Make the calls of a pull that are due; finish it when none is left. False where nothing could be done here."""
    with presence(PULL_LOCK, run_id) as is_alone:
        if not is_alone or not PullRun.objects.filter(pk=run_id, state="running").exists():
            return False
        while (call := claim_call(run_id=run_id)) is not None:
            _make(call)
        finish_pull(run_id=run_id)
        return True


def _make(call: PullCall) -> None:
    """The call itself, outside any transaction."""
    month = f"{add_months(business_date().replace(day=1), -1):%Y-%m}"
    try:
        answer = ask(call.run.feed, call, month)
    except ProviderError as error:
        note_failure(call_id=call.pk, error=str(error), again=error.again)
    else:
        note_answer(call_id=call.pk, answer=answer)


@use_case("claim_call")
def claim_call(*, run_id: int) -> PullCall | None:
    """The next call that is due, leased; None while there is none or the breaker is open.

    Consent is looked at again: it may have been withdrawn since the call was planned.
    """
    run = PullRun.objects.select_related("feed__source").get(pk=run_id)
    feed, now = Feed.objects.select_for_update().get(pk=run.feed_id), timezone.now()
    if not feed.is_active or (feed.open_until is not None and feed.open_until > now):
        return None
    waiting = PullCall.objects.filter(run_id=run_id, state=PullCall.State.WAITING, next_attempt_at__lte=now)
    for call in (
        waiting.select_for_update(of=("self",), skip_locked=True).select_related("customer").order_by("pk")[:CLAIMED]
    ):
        if call.customer is None and run.feed.source.consent_scope:
            # The source came to ask for consent after the feed was set up.
            _set_aside(call, _("This source may be asked only about customers who allow it, one by one."))
            continue
        if call.customer is not None and not _allows(call.customer, run.feed.source):
            _set_aside(call, _("The customer does not allow it."))
            continue
        call.attempts += 1
        call.next_attempt_at = now + _pause(call.attempts)
        call.save(update_fields=["attempts", "next_attempt_at"])
        call.run = run
        return call
    return None


def _pause(attempts: int) -> timedelta:
    return min(timedelta(seconds=30 * 2 ** (attempts - 1)), LONGEST_PAUSE)


def _set_aside(call: PullCall, reason: str) -> None:
    call.state, call.last_error = PullCall.State.DEAD, reason[:300]
    call.save(update_fields=["state", "last_error"])


@use_case("note_answer")
def note_answer(*, call_id: int, answer: Answer) -> None:
    """Keep the rows, plan the next page, close the breaker."""
    call = PullCall.objects.select_for_update().select_related("run__feed").get(pk=call_id)
    if call.state != PullCall.State.WAITING:
        return
    feed = call.run.feed
    goes_on = bool(answer.next_address) and call.page < MOST_PAGES
    rows: list[Any] = [dict(row) for row in answer.rows]
    if _repeats(call, rows):
        rows, goes_on = [], False
    call.state, call.last_error, call.rows = PullCall.State.DONE, "", rows
    call.save(update_fields=["state", "last_error", "rows"])
    Feed.objects.filter(pk=feed.pk).update(failures_in_row=0, open_until=None, last_answer_at=timezone.now())
    pages = PullCall.objects.filter(run=call.run, customer=call.customer)
    if feed.paging == Feed.Paging.NEXT and pages.filter(address=answer.next_address).exclude(address="").exists():
        goes_on = False
    if goes_on:
        PullCall.objects.get_or_create(
            run=call.run,
            customer=call.customer,
            page=call.page + 1,
            defaults={
                "office_id": call.office_id,
                "address": "" if feed.paging == Feed.Paging.NUMBER else answer.next_address,
            },
        )


def _repeats(call: PullCall, rows: list[Any]) -> bool:
    """Whether a page says what the page before said: the provider does not know pages, and would go on for ever."""
    before = PullCall.objects.filter(run=call.run, customer=call.customer, page=call.page - 1)
    return bool(rows) and before.filter(rows=rows).exists()


@use_case("note_call_failure")
def note_failure(*, call_id: int, error: str, again: bool) -> None:
    """Try again after a pause that doubles, or set the call aside. Trouble that may pass counts for the breaker."""
    call = PullCall.objects.select_for_update().select_related("run__feed").get(pk=call_id)
    if call.state != PullCall.State.WAITING:
        return
    if not again or call.attempts >= MOST_ATTEMPTS:
        _set_aside(call, error)
    else:
        call.last_error = error[:300]
        call.save(update_fields=["last_error"])
    if again:
        feed = Feed.objects.select_for_update().get(pk=call.run.feed_id)
        feed.failures_in_row = min(feed.failures_in_row + 1, 1000)
        if feed.failures_in_row >= FAILURES_TO_OPEN:
            feed.open_until = timezone.now() + OPEN_FOR
        feed.save(update_fields=["failures_in_row", "open_until"])


@use_case("finish_pull")
def finish_pull(*, run_id: int) -> PullRun | None:
    """Send the rows on their way as an import. None while calls wait, or where that was done before."""
    run = PullRun.objects.select_for_update().filter(pk=run_id, state="running").first()
    calls = PullCall.objects.filter(run_id=run_id)
    if run is None or calls.filter(state=PullCall.State.WAITING).exists():
        return None
    answered = calls.filter(state=PullCall.State.DONE, rows__isnull=False)
    with transition(PullRun, run_id, "finish", actor=system_actor()) as run:
        try:
            run.record_import = _import(run, answered) or run.record_import
        except Refusal as refusal:
            # The source is out of use, or does not take what the feed brings: told where a person looks.
            answered.update(state=PullCall.State.DEAD, last_error=refusal.detail[:300], rows=None)
        run.finished_at = timezone.now()
    answered.update(rows=None)
    return run


def _import(run: PullRun, answered: QuerySet[PullCall]) -> RecordImport | None:
    feed = run.feed
    names = layout_of(feed.layout).names
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", newline="", suffix=".csv") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        written = 0
        for row in _rows(feed, answered):
            writer.writerow(row)
            written += 1
        if not written:
            return None
        file.flush()
        with open(file.name, "rb") as content:
            return receive_import(
                actor=system_actor(),
                source_id=feed.source_id,
                layout=feed.layout,
                file=NamedFile(content, f"{feed.name} {run.pk}.csv"),
                origin=RecordImport.Origin.PULL,
                mapping={name: name for name in names},
                start=True,
            )


def _rows(feed: Feed, answered: QuerySet[PullCall]) -> Iterator[dict[str, str]]:
    """The rows of all answers in the order of their calls, by column; the firm is the one that was asked about."""
    for call in answered.select_related("customer").order_by("pk").iterator(chunk_size=200):
        for row in call.rows or ():
            values = {name: text_of(dig(row, path)) for name, path in feed.columns.items()}
            if call.customer is not None:
                values[FIRM] = call.customer.uscc or ""
            yield values


def due_feeds(now: Any = None) -> list[int]:
    """Feeds whose time has come and that nobody is asking."""
    rows = Feed.objects.filter(is_active=True, source__is_active=True, next_run_at__lte=now or timezone.now())
    return list(rows.exclude(runs__state="running").order_by("pk").values_list("pk", flat=True))


def running_pulls(limit: int = 50) -> list[int]:
    """Pulls with calls that are due, or none left to make."""
    return list(PullRun.objects.filter(state="running").order_by("pk").values_list("pk", flat=True)[:limit])
