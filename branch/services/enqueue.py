"""Hand work to the background once the transaction has committed."""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from django.db import transaction

logger = structlog.get_logger(__name__)


def after_commit(task: str, *args: Any) -> None:
    """Send `task` by name after the commit. A broker that is down loses nothing: a periodic task finds the row."""
    transaction.on_commit(lambda: _send(task, args))


def _send(task: str, args: tuple[Any, ...]) -> None:
    try:
        current_app.send_task(task, args=args, retry=False)
    except Exception:
        logger.warning("could not enqueue", task=task, exc_info=True)


def at_once(task: str, *args: Any) -> None:
    """Send `task` though this transaction will be taken back: it rests on what was committed before."""
    _send(task, args)
