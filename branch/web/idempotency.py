"""The same request twice does it once: the answer is kept in the transaction that did the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from rest_framework.utils.encoders import JSONEncoder

from branch.domain.refusals import InvalidInput, KeyReused
from branch.models import IdempotentAnswer

LONGEST_KEY = 200


def digest(*parts: bytes | str) -> str:
    """Keyed (HMAC-SHA256), as a body may hold a password, which a bare digest would let be guessed."""
    joined = b"\x00".join(part.encode() if isinstance(part, str) else part for part in parts)
    return salted_hmac("branch.web.idempotency", joined, algorithm="sha256").hexdigest()


def once(
    *, caller: str, route: str, key: str, body_sha256: str, work: Callable[[], tuple[int, Any]]
) -> tuple[int, Any, bool]:
    """Status and body of `work`, and whether they were kept from before.

    A second caller with the same key waits for the first one's transaction. What raises or answers with an error is
    not kept: it did nothing worth keeping, and may be tried again. Raises KeyReused when the key came with another
    request, InvalidInput when it is too long.
    """
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidInput(_("An Idempotency-Key has at most 200 printable characters."))
    with transaction.atomic():
        kept, created = IdempotentAnswer.objects.get_or_create(
            caller=caller, key=key, defaults={"route": route[:200], "body_sha256": body_sha256}
        )
        if not created:
            if kept.body_sha256 != body_sha256:
                raise KeyReused(_("This Idempotency-Key was used with another request."))
            return kept.status or 200, json.loads(kept.body), True
        status, body = work()
        if status >= 400:
            kept.delete()
            return status, body, False
        kept.status, kept.body = status, json.dumps(body, cls=JSONEncoder)
        kept.save()
    return status, body, False
