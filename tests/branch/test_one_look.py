"""A page asks for the day and the parameters once; whoever writes asks anew each time."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.models import BusinessDay, ParameterValue
from branch.queries.business_date import business_date
from branch.queries.one_look import one_look, read_once
from branch.queries.parameters import parameter, parameters
from tests.cast import OPENING


def test_within_a_look_the_same_is_read_once_and_after_it_anew(cast) -> None:
    with one_look(), CaptureQueriesContext(connection) as queries:
        days = {business_date() for _ in range(3)}
        first = parameter("group.control_share"), parameters("group.control_share", "owners.beneficial_share")
        ParameterValue.objects.create(code="group.control_share", value="0.4", effective_date=date(2020, 1, 1))
        assert parameter("group.control_share") == first[0]
    assert days == {OPENING}
    assert len(queries) == 3, "the day, the parameters, and the write"
    assert parameter("group.control_share") == Decimal("0.4")


def test_outside_a_look_nothing_is_kept(cast) -> None:
    before = business_date()
    BusinessDay.objects.update(date=OPENING + timedelta(days=1))
    assert business_date() == before + timedelta(days=1)


def test_a_look_ends_with_its_request_and_one_in_another_is_its_own() -> None:
    with one_look():
        read_once("what", lambda: 1)
        with one_look():
            assert read_once("what", lambda: 2) == 2
        assert read_once("what", lambda: 3) == 1
    with pytest.raises(ZeroDivisionError):
        read_once("what", lambda: 1 // 0)


def test_a_request_that_writes_reads_anew(cast, client, monkeypatch) -> None:
    """Only reading requests are one look: a service behind a form must see what was changed meanwhile."""
    client.force_login(cast.lin, backend="django.contrib.auth.backends.ModelBackend")

    def asked(send: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            getattr(client, send)("/leads/create/", {})
        return sum("branch_businessday" in query["sql"] for query in queries)

    assert asked("get") == 1
    assert asked("post") > 1
