"""Encrypted columns for personal data, and the keyed digest by which an encrypted value can still be found."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    # A passphrase of any length becomes a Fernet key; the first one encrypts, all of them decrypt.
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(k.encode()).digest())) for k in keys])


def cipher() -> MultiFernet:
    return cipher_of(settings.FIELD_KEYS)


def cipher_of(keys: Sequence[str]) -> MultiFernet:
    return _cipher(tuple(keys))


def lookup_digest(value: str) -> str:
    """A keyed digest (hex, 64) of a normalised identity value: equal values can be matched, none read."""
    return hmac.new(settings.LOOKUP_KEY.encode(), value.strip().upper().encode(), hashlib.sha256).hexdigest()


class EncryptedText(models.TextField):
    """Text that stands encrypted in the database and in clear in Python."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return cipher().decrypt(value.encode()).decode() if value else value
