"""One part of the portfolio is enough for most nights, and four times as fast."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from branch.models import ParameterValue
from tests.cast import make_cast


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    made = make_cast()
    ParameterValue.objects.create(code="sweep.shards", value=1, effective_date=date(2020, 1, 1))
    return made
