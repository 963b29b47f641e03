"""Thresholds: drafted by one person, activated by another, in force from a date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, WrongState
from postloan.domain.indicators import INDICATORS, Level
from postloan.domain.thresholds import SETTINGS, SHIPPED, shipped_rule
from postloan.models import Signal, ThresholdSet
from postloan.queries.thresholds import active_thresholds
from postloan.services import thresholds
from postloan.services.steps.indicators import SOURCES
from tests.cast import OPENING
from tests.postloan.making import close_day, fresh, make_loan, open_on

STRICTER = {"yellow": "2", "orange": "5"}


def submitted(cast: SimpleNamespace, values: dict[str, Any] = STRICTER) -> ThresholdSet:
    drafted = thresholds.draft_threshold_set(actor=cast.actor("zhou"), indicator="overdue", values=values)
    return thresholds.submit_threshold_set(actor=cast.actor("zhou"), threshold_set_id=drafted.pk)


def activated(cast: SimpleNamespace, values: dict[str, Any] = STRICTER, **facts: Any) -> ThresholdSet:
    row = submitted(cast, values)
    return thresholds.activate_threshold_set(actor=cast.actor("qian"), threshold_set_id=row.pk, **facts)


@pytest.mark.parametrize("code", list(INDICATORS))
def test_every_indicator_has_a_rule_and_a_source(code: str) -> None:
    rule = shipped_rule(code)

    assert rule.version == f"{code} v0"
    assert set(rule.settings) == set(SETTINGS[code])
    assert {level.value: str(limit) for level, limit in rule.thresholds.limits.items()} == dict(SHIPPED[code])
    assert set(SOURCES) == set(INDICATORS)


def test_in_force_from_the_day_of_activation(cast: SimpleNamespace) -> None:
    assert active_thresholds("overdue", OPENING).version == "overdue v0"

    row = activated(cast)

    assert (row.state, row.active_from_date, row.activated_by_id) == ("active", OPENING, cast.qian.pk)
    rule = active_thresholds("overdue", OPENING)
    assert (rule.version, rule.thresholds.limits) == (
        "overdue v1",
        {Level.YELLOW: Decimal(2), Level.ORANGE: Decimal(5)},
    )
    assert active_thresholds("overdue", date(2026, 3, 1)).version == "overdue v0"


def test_a_new_version_retires_the_former_from_its_day_on(cast: SimpleNamespace) -> None:
    first = activated(cast)
    second = activated(cast, {"red": "9"}, active_from_date=date(2026, 3, 10))

    assert (fresh(first).state, fresh(second).state) == ("retired", "active")
    assert active_thresholds("overdue", date(2026, 3, 9)).version == "overdue v1"
    assert active_thresholds("overdue", date(2026, 3, 10)).version == "overdue v2"


def test_a_version_overtaken_before_its_day_never_comes(cast: SimpleNamespace) -> None:
    activated(cast, active_from_date=date(2026, 3, 10))
    activated(cast, {"red": "9"})

    assert active_thresholds("overdue", date(2026, 3, 12)).version == "overdue v2"


def test_nobody_activates_what_he_drafted(cast: SimpleNamespace) -> None:
    row = submitted(cast)

    with pytest.raises(DutiesConflict):
        thresholds.activate_threshold_set(actor=cast.actor("zhou"), threshold_set_id=row.pk)

    assert (fresh(row).state, fresh(row).version) == ("submitted", row.version)
    assert active_thresholds("overdue", OPENING).version == "overdue v0"


def test_no_activation_before_submission_or_in_the_past(cast: SimpleNamespace) -> None:
    drafted = thresholds.draft_threshold_set(actor=cast.actor("zhou"), indicator="overdue", values=STRICTER)

    with pytest.raises(WrongState):
        thresholds.activate_threshold_set(actor=cast.actor("qian"), threshold_set_id=drafted.pk)
    with pytest.raises(InvalidInput):
        thresholds.activate_threshold_set(
            actor=cast.actor("qian"), threshold_set_id=drafted.pk, active_from_date=date(2026, 3, 1)
        )
    assert fresh(drafted).state == "draft"


def test_sent_back_changed_and_submitted_again(cast: SimpleNamespace) -> None:
    row = submitted(cast)
    back = thresholds.reject_threshold_set(actor=cast.actor("qian"), threshold_set_id=row.pk, reason="太松")
    assert back.state == "draft"
    with pytest.raises(PermissionRefused):
        thresholds.update_threshold_set(actor=cast.actor("qian"), threshold_set_id=row.pk, values={"red": "3"})

    thresholds.update_threshold_set(actor=cast.actor("zhou"), threshold_set_id=row.pk, values={"red": "3"})

    assert fresh(row).values == {"red": "3"}
    assert thresholds.submit_threshold_set(actor=cast.actor("zhou"), threshold_set_id=row.pk).state == "submitted"


@pytest.mark.parametrize(
    ("indicator", "values", "field"),
    [
        ("overdue", {}, "limits"),
        ("overdue", {"yellow": "5", "orange": "5"}, "limits"),
        ("overdue", {"yellow": "viel"}, "yellow"),
        ("overdue", {"yellow": "NaN"}, "yellow"),
        ("overdue", {"yellow": "-1"}, "yellow"),
        ("overdue", {"yellow": "1", "green": "2"}, "green"),
        ("overdue", {"yellow": "1", "months": "6"}, "months"),
        ("electricity_down", {"yellow": "0.1", "months": "1"}, "months"),
        ("electricity_down", {"yellow": "0.1", "months": "six"}, "months"),
        ("moon_phase", {"yellow": "1"}, "indicator"),
    ],
)
def test_bad_values_are_refused_by_field(
    cast: SimpleNamespace, indicator: str, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        thresholds.draft_threshold_set(actor=cast.actor("zhou"), indicator=indicator, values=values)

    assert field in refused.value.fields
    assert not ThresholdSet.objects.exists()


@pytest.mark.parametrize("who", ["he", "lin", "feng", "outsider"])
def test_only_head_office_drafts(cast: SimpleNamespace, who: str) -> None:
    with pytest.raises(PermissionRefused):
        thresholds.draft_threshold_set(actor=cast.actor(who), indicator="overdue", values=STRICTER)
    assert not ThresholdSet.objects.exists()


def test_account_managers_see_no_rules(cast: SimpleNamespace) -> None:
    row = submitted(cast)

    with pytest.raises(NotFound):
        thresholds.reject_threshold_set(actor=cast.actor("lin"), threshold_set_id=row.pk, reason="x")
    assert fresh(row).state == "submitted"


def test_the_night_uses_them_and_keeps_the_version(cast: SimpleNamespace) -> None:
    activated(cast)
    make_loan(cast, 1)
    open_on(date(2026, 4, 3))

    close_day()
    assert not Signal.objects.exists()

    close_day()
    signal = Signal.objects.get()
    assert (signal.level, signal.value, signal.threshold, signal.threshold_version) == (
        "yellow",
        Decimal(2),
        Decimal(2),
        "overdue v1",
    )


def test_own_settings_are_used(cast: SimpleNamespace) -> None:
    row = thresholds.draft_threshold_set(
        actor=cast.actor("zhou"), indicator="electricity_down", values={"red": "0.5", "months": 3}
    )

    assert row.values == {"red": "0.5", "months": 3, "fresh_months": 3}
