"""A source, two firms it knows by its own codes, and a way to send its files; modules with others override them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from customers.models import Customer, FirmCode, RecordImport, RecordSource
from customers.services import imports
from tests.customers.import_making import Sent
from tests.customers.making import make_customer


@pytest.fixture
def source(cast: SimpleNamespace) -> RecordSource:
    return RecordSource.objects.create(office=cast.offices.HO, code="tax", name="税务")


@pytest.fixture
def firms(cast: SimpleNamespace, actor: Any, source: RecordSource) -> list[Customer]:
    made = [make_customer(actor("lin"), number) for number in (1, 2)]
    for code, customer in zip(("E1", "E2"), made, strict=True):
        FirmCode.objects.create(source=source, code=code, customer=customer)
    return made


@pytest.fixture
def send(actor: Any, source: RecordSource, firms: list[Customer]) -> Callable[..., RecordImport]:
    """Send a file and have it taken in at once; the finished import."""

    def send(content: str | bytes, *, layout: str = "sales_invoices", who: str = "he", **options: Any) -> RecordImport:
        raw = content if isinstance(content, bytes) else content.encode()
        started = imports.receive_import(
            actor=actor(who), source_id=source.pk, layout=layout, file=Sent(raw), start=True, **options
        )
        imports.run_import(started.pk)
        return RecordImport.objects.get(pk=started.pk)

    return send
