"""The outbox: say it in the transaction that made it true, deliver it afterwards at least once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from branch.models import OutboxDelivery, OutboxMessage
from branch.services.enqueue import after_commit
from branch.services.use_case import use_case

logger = structlog.get_logger(__name__)
Consumer = Callable[[dict[str, Any]], None]
_CONSUMERS: dict[str, dict[str, Consumer]] = {}
LONGEST_WAIT = timedelta(hours=1)


def consumer(topic: str, name: str) -> Callable[[Consumer], Consumer]:
    """Register a consumer of a topic. It runs in a transaction with the note that it ran, so it happens once."""

    def register(function: Consumer) -> Consumer:
        _CONSUMERS.setdefault(topic, {})[name] = function
        return function

    return register


def publish(topic: str, **payload: Any) -> OutboxMessage:
    """Write a message and have a worker deliver it after the commit."""
    message = OutboxMessage.objects.create(topic=topic, payload=payload)
    after_commit("branch.tasks.deliver_outbox", message.pk)
    return message


@use_case("deliver_message")
def deliver(message_id: int) -> bool:
    """Give one message to each consumer that has not had it. False when it must be tried again."""
    message = OutboxMessage.objects.select_for_update(skip_locked=True).filter(pk=message_id, delivered_at=None).first()
    if message is None:
        return True
    errors = []
    for name, consume in _CONSUMERS.get(message.topic, {}).items():
        try:
            with transaction.atomic():
                OutboxDelivery.objects.create(message=message, consumer=name)
                consume(message.payload)
        except IntegrityError as error:
            if not OutboxDelivery.objects.filter(message=message, consumer=name).exists():
                errors.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 - one consumer's fault must not keep the others from the message
            logger.exception("outbox consumer failed", consumer=name, message=message.pk)
            errors.append(f"{name}: {type(error).__name__}")
    message.attempts += 1
    message.last_error = "; ".join(errors)
    if errors:
        message.next_attempt_at = timezone.now() + min(timedelta(seconds=2**message.attempts), LONGEST_WAIT)
    else:
        message.delivered_at = timezone.now()
    message.save()
    return not errors


def waiting(limit: int = 200) -> list[int]:
    """Messages that are due, oldest first."""
    return list(
        OutboxMessage.objects.filter(delivered_at=None, next_attempt_at__lte=timezone.now())
        .order_by("id")
        .values_list("id", flat=True)[:limit]
    )
