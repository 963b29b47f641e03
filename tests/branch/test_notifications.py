"""A line in the bell and a mail that says so: told once, in the reader's words, to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from branch.domain.refusals import NotFound
from branch.domain.roles import Role
from branch.models import Notification, OutboxDelivery, OutboxMessage, RoleAssignment
from branch.queries.notifications import NOTICES, notice, text_of, unread_count
from branch.queries.visibility import visible
from branch.services import outbox
from branch.services.notifications import mark_all_read, mark_read, notify, notify_role


@pytest.fixture(autouse=True)
def a_kind(monkeypatch):
    monkeypatch.setitem(NOTICES, "file.returned", gettext_lazy("File %(number)s came back: %(count)s remarks"))


def deliver_all() -> list[bool]:
    return [outbox.deliver(pk) for pk in OutboxMessage.objects.order_by("id").values_list("pk", flat=True)]


def test_a_notice_is_shown_in_the_readers_language(cast, monkeypatch) -> None:
    monkeypatch.setitem(NOTICES, "saved", gettext_lazy("Changes saved."))  # a sentence Django itself translates
    monkeypatch.setitem(NOTICES, "yes", gettext_lazy("yes,no,maybe"))
    told = notify(cast.lin.pk, "yes", "/x")
    with translation.override("en"):
        assert text_of(told) == "yes,no,maybe"
    with translation.override("zh-hans"):
        assert text_of(told) == "是,否,也许"


def test_places_are_filled(cast) -> None:
    told = notify(cast.lin.pk, "file.returned", "/applications/1/", number="XW-1", count=3)
    with translation.override("en"):
        assert text_of(told) == "File XW-1 came back: 3 remarks"


def test_an_unknown_kind_or_a_missing_place_is_the_programs_mistake(cast) -> None:
    with pytest.raises(LookupError):
        notify(cast.lin.pk, "no.such", "/")
    with pytest.raises(ValueError, match="count"):
        notify(cast.lin.pk, "file.returned", "/", number="1")
    assert not Notification.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_kind_is_named_once(monkeypatch) -> None:
    monkeypatch.setitem(NOTICES, "taken", "x")
    with pytest.raises(ValueError, match="taken"):
        notice("taken", "y")


def test_a_kind_of_another_version_is_still_shown(cast) -> None:
    assert text_of(Notification(kind="old.kind_of_thing", params={})) == "old: kind of thing"
    assert text_of(Notification(kind="file.returned", params={"number": "1"})).count("…") == 1


def test_everybody_with_the_role_above_the_office_is_told(cast) -> None:
    RoleAssignment.objects.create(user=cast.sun, role="approver", office=cast.offices.HO, start_date="2020-01-01")
    RoleAssignment.objects.create(user=cast.wu, role="approver", office=cast.offices.JB, start_date="2020-01-01")
    RoleAssignment.objects.create(
        user=cast.he, role="approver", office=cast.offices.CD, start_date="2020-01-01", end_date="2020-02-01"
    )
    told = notify_role(Role.APPROVER, cast.offices.HW.path, "file.returned", "/", number="1", count=1)
    assert told == 2
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"qian", "sun"}


def test_a_bell_is_its_owners_alone(cast) -> None:
    told = notify(cast.lin.pk, "file.returned", "/", number="1", count=1)
    assert not visible(Notification, cast.actor("zhou")).exists()
    with pytest.raises(NotFound):
        mark_read(actor=cast.actor("feng"), notification_id=told.pk)
    assert unread_count(cast.lin.pk) == 1

    first = mark_read(actor=cast.actor("lin"), notification_id=told.pk).read_at
    assert mark_read(actor=cast.actor("lin"), notification_id=told.pk).read_at == first
    assert unread_count(cast.lin.pk) == 0


def test_all_of_ones_own_are_read_at_once(cast) -> None:
    for user in (cast.lin, cast.lin, cast.zhao):
        notify(user.pk, "file.returned", "/", number="1", count=1)
    assert mark_all_read(actor=cast.actor("lin")) == 2
    assert (unread_count(cast.lin.pk), unread_count(cast.zhao.pk)) == (0, 1)


# --- e-mail ------------------------------------------------------------------------------------------------


@pytest.fixture
def told(cast):
    cast.lin.email = "lin@bank.example"
    cast.lin.save()
    return notify(cast.lin.pk, "file.returned", "/", number="XW-1", count=2)


def test_a_mail_goes_out_once_with_an_identity_of_its_own(told) -> None:
    assert deliver_all() == [True]
    assert deliver_all() == [True]

    (sent,) = mail.outbox
    assert sent.to == ["lin@bank.example"]
    assert "XW-1" in sent.subject
    assert sent.extra_headers["Message-ID"] == f"<notification-{told.pk}@localhost>"
    assert OutboxMessage.objects.get().delivered_at is not None


def test_nobody_without_an_address_or_who_has_read_it_is_written_to(cast, told) -> None:
    notify(cast.zhao.pk, "file.returned", "/", number="1", count=1)
    mark_read(actor=cast.actor("lin"), notification_id=told.pk)
    assert deliver_all() == [True, True]
    assert mail.outbox == []


def test_a_mail_server_that_is_down_is_tried_again_later(told, monkeypatch) -> None:
    def down(self) -> None:
        raise OSError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", down)
        assert deliver_all() == [False]
    message = OutboxMessage.objects.get()
    assert (message.delivered_at, message.attempts, message.last_error) == (None, 1, "smtp: OSError")
    assert message.next_attempt_at > timezone.now()
    assert deliver_all() == [False]  # too early
    assert mail.outbox == []

    OutboxMessage.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert outbox.waiting() == [message.pk]
    assert deliver_all() == [True]
    assert len(mail.outbox) == 1


def test_a_subject_of_several_lines_is_sent_as_one(cast, told) -> None:
    Notification.objects.filter(pk=told.pk).update(params={"number": "1\nBcc: x@x.example", "count": "1"})
    assert deliver_all() == [True]
    assert "\n" not in mail.outbox[0].subject


# --- the outbox itself ---------------------------------------------------------------------------------------


@pytest.fixture
def consumers(monkeypatch):
    """Consumers of the topic `test` that note their payloads; `fail` names those that raise."""
    seen: dict[str, list] = {"inside": [], "second": [], "outside": []}
    fail: set[str] = set()
    monkeypatch.setattr(outbox, "_CONSUMERS", {})

    def make(name: str, **how):
        def consume(payload):
            seen[name].append(payload["n"])
            if name in fail:
                raise RuntimeError(name)

        outbox.consumer("test", name, **how)(consume)

    make("inside")
    make("second")
    make("outside", calls_out=True)
    return seen, fail


def test_a_message_reaches_each_consumer_once(db, consumers) -> None:
    seen, _fail = consumers
    outbox.publish("test", n=1)
    assert deliver_all() + deliver_all() == [True, True]
    assert seen == {"inside": [1], "second": [1], "outside": [1]}
    assert OutboxDelivery.objects.count() == 3


def test_only_the_one_that_failed_is_tried_again(db, consumers) -> None:
    seen, fail = consumers
    fail |= {"inside", "outside"}
    outbox.publish("test", n=1)
    assert deliver_all() == [False]
    fail.clear()
    OutboxMessage.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert deliver_all() == [True]
    assert {name: len(calls) for name, calls in seen.items()} == {"inside": 2, "second": 1, "outside": 2}
    assert OutboxDelivery.objects.count() == 3


def test_a_message_nobody_wants_is_delivered(db, consumers) -> None:
    outbox.publish("nobody")
    assert deliver_all() == [True]
    assert outbox.waiting() == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_consumer_calls_out(consumers) -> None:
    states = []
    outbox.consumer("test", "probe", calls_out=True)(
        lambda payload: states.append(transaction.get_connection().in_atomic_block)
    )
    outbox.publish("test", n=1)
    deliver_all()
    assert states == [False]


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_does_not_call_while_the_first_one_does(consumers) -> None:
    calls = []

    def call(payload) -> None:
        calls.append(payload["n"])
        if len(calls) == 1:
            assert outbox.deliver(message.pk) is False  # another worker comes along

    outbox.consumer("test", "probe", calls_out=True)(call)
    message = outbox.publish("test", n=1)
    assert outbox.deliver(message.pk) is True
    assert calls == [1]
