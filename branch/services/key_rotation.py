"""Personal fields written anew with the newest key, so that an old one can be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from branch.fields import EncryptedText, cipher_of

BATCH = 500


def encrypted_fields() -> Iterator[tuple[type[Model], list[str]]]:
    """Every model with encrypted columns, and their names."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedText)]
        if names and model._meta.managed:
            yield model, names


def rotate(model: type[Model], names: list[str], batch: int = BATCH) -> tuple[int, int]:
    """Rows looked at and rows written anew. What the newest key reads is left alone, so it can be begun again.

    Raises InvalidToken where no key reads a value.
    """
    newest, every = cipher_of(settings.FIELD_KEYS[:1]), cipher_of(settings.FIELD_KEYS)
    looked_at = written = 0
    last: Any = 0
    stored = {f"stored_{name}": Cast(name, TextField()) for name in names}
    while True:
        with transaction.atomic():
            rows = model._default_manager.filter(pk__gt=last).order_by("pk").select_for_update(no_key=True)
            found = list(rows.annotate(**stored).values_list("pk", *stored)[:batch])
            for pk, *tokens in found:
                anew = {
                    name: every.decrypt(token.encode()).decode()
                    for name, token in zip(names, tokens, strict=True)
                    if token and not _reads(newest, token)
                }
                if anew:
                    model._default_manager.filter(pk=pk).update(**anew)
                    written += 1
        looked_at += len(found)
        if len(found) < batch:
            return looked_at, written
        last = found[-1][0]


def _reads(cipher: Any, token: str) -> bool:
    try:
        cipher.decrypt(token.encode())
    except InvalidToken:
        return False
    return True
