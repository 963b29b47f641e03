"""Background work of the ground floor."""

from __future__ import annotations

import time

from celery import shared_task
from django.core.cache import cache

from branch.services import attachments, outbox

HEARTBEAT_KEY = "worker-heartbeat"


@shared_task
def heartbeat() -> None:
    """A worker is alive; `/readyz/` looks at it."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=120)


@shared_task
def deliver_outbox(message_id: int | None = None) -> int:
    """Deliver one message, or all that are due. Returns how many were tried."""
    ids = [message_id] if message_id else outbox.waiting()
    for pk in ids:
        outbox.deliver(pk)
    return len(ids)


@shared_task
def remove_orphan_files() -> int:
    """Delete uploaded bytes whose transaction failed. Returns how many."""
    return attachments.remove_orphan_files()
