"""The outbox: say it in the transaction that made it true, deliver it afterwards at least once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from branch.models import OutboxDelivery, OutboxMessage
from branch.services.enqueue import after_commit
from branch.services.use_case import use_case

logger = structlog.get_logger(__name__)
Consume = Callable[[dict[str, Any]], None]
LONGEST_WAIT = timedelta(hours=1)
#: How long one worker has a message to itself while it calls another system.
CALL_LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class Consumer:
    """Who takes a topic. `calls_out`: it speaks to another system, which no transaction may wait for."""

    run: Consume
    calls_out: bool = False


_CONSUMERS: dict[str, dict[str, Consumer]] = {}


def consumer(topic: str, name: str, *, calls_out: bool = False) -> Callable[[Consume], Consume]:
    """Register a consumer of a topic.

    It runs in a transaction with the note that it ran, so it happens once. One that calls out runs outside
    any, before the note: it may happen twice, and must give its message an identity the other side knows again.
    """

    def register(function: Consume) -> Consume:
        _CONSUMERS.setdefault(topic, {})[name] = Consumer(function, calls_out)
        return function

    return register


def publish(topic: str, **payload: Any) -> OutboxMessage:
    """Write a message and have a worker deliver it after the commit."""
    message = OutboxMessage.objects.create(topic=topic, payload=payload)
    after_commit("branch.tasks.deliver_outbox", message.pk)
    return message


def deliver(message_id: int) -> bool:
    """Give one message to each consumer that has not had it. False when it must be tried again."""
    message, calls, errors = _deliver_inside(message_id=message_id)
    if message is None or not calls:
        return not errors
    done = []
    for name in calls:
        try:
            _CONSUMERS[message.topic][name].run(message.payload)
            done.append(name)
        except Exception as error:  # the other system's fault; tried again later
            errors.append(_failed(message, name, error))
    return _note_calls(message_id=message_id, done=done, errors=errors)


@use_case("deliver_message")
def _deliver_inside(*, message_id: int) -> tuple[OutboxMessage | None, list[str], list[str]]:
    """Run the consumers that only write to the database. The message, who is to call out now, and what failed."""
    message = OutboxMessage.objects.select_for_update(skip_locked=True).filter(pk=message_id, delivered_at=None).first()
    if message is None:
        return None, [], []
    errors = [error for name in _waiting(message, calls_out=False) if (error := _consume(message, name))]
    calls = _waiting(message, calls_out=True)
    if calls and message.attempts and message.next_attempt_at > timezone.now():
        return message, [], [*errors, "another worker is calling, or it is too early to call again"]
    message.attempts += 1
    if calls:
        message.next_attempt_at = timezone.now() + CALL_LEASE
        message.save()
    else:
        _settle(message, errors)
    return message, calls, errors


@use_case("note_calls")
def _note_calls(*, message_id: int, done: list[str], errors: list[str]) -> bool:
    message = OutboxMessage.objects.select_for_update().get(pk=message_id)
    for name in done:
        OutboxDelivery.objects.get_or_create(message=message, consumer=name)
    _settle(message, errors)
    return not errors


def _consume(message: OutboxMessage, name: str) -> str:
    """Run one consumer with the note that it ran; what went wrong, or nothing."""
    try:
        with transaction.atomic():
            OutboxDelivery.objects.create(message=message, consumer=name)
            _CONSUMERS[message.topic][name].run(message.payload)
    except IntegrityError as error:
        if not OutboxDelivery.objects.filter(message=message, consumer=name).exists():
            return f"{name}: {error}"
    except Exception as error:  # one consumer's fault must not keep the others from the message
        return _failed(message, name, error)
    return ""


def _failed(message: OutboxMessage, name: str, error: Exception) -> str:
    logger.error("outbox consumer failed", consumer=name, message=message.pk, exc_info=error)
    return f"{name}: {type(error).__name__}"


def _settle(message: OutboxMessage, errors: list[str]) -> None:
    message.last_error = "; ".join(errors)
    if errors:
        wait = timedelta(seconds=2 ** min(message.attempts, 12))
        message.next_attempt_at = timezone.now() + min(wait, LONGEST_WAIT)
    else:
        message.delivered_at = timezone.now()
    message.save()


def _waiting(message: OutboxMessage, *, calls_out: bool) -> list[str]:
    had = set(OutboxDelivery.objects.filter(message=message).values_list("consumer", flat=True))
    consumers = _CONSUMERS.get(message.topic, {})
    return [name for name, entry in consumers.items() if entry.calls_out is calls_out and name not in had]


def waiting(limit: int = 200) -> list[int]:
    """Messages that are due, oldest first."""
    return list(
        OutboxMessage.objects.filter(delivered_at=None, next_attempt_at__lte=timezone.now())
        .order_by("id")
        .values_list("id", flat=True)[:limit]
    )
