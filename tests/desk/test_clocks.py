"""Working time left, in words and in colour."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from desk.domain.clocks import Clock
from desk.queries.clocks import Clocks
from desk.ui.states import clock_allowance, clock_words

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("allowed", "used", "words", "tone", "percent"),
    [
        (960, 380, "9 h 40 left", "fine", 60.4),
        (480, 384, "1 h 36 left", "fine", 20.0),
        (480, 385, "1 h 35 left", "short", 19.8),
        (480, 440, "40 min left", "short", 8.3),
        (480, 480, "0 min left", "short", 0.0),
        (480, 481, "1 min over", "over", 100.0),
        (480, 480 + 1920, "4 d over", "over", 100.0),
        (4320, 300, "8 d left", "fine", 93.1),
    ],
)
def test_a_clock_says_how_much_is_left(allowed: int, used: int, words: str, tone: str, percent: float) -> None:
    clock = Clock(allowed, used)
    with translation.override("en"):
        assert (clock_words(clock), clock.tone, clock.left_percent) == (words, tone, percent)


def test_the_allowance_stands_beside_it() -> None:
    with translation.override("en"):
        assert clock_allowance(Clock(960, 0)) == "of 16 h"


def test_a_stage_runs_in_working_time_only(life) -> None:
    # Given a file sent to review on a Friday at 16:00, with eight hours to be looked at
    stage = life("send_to_review").stage("opinion")
    stage.opened_at = datetime(2026, 3, 6, 16, 0, tzinfo=SHANGHAI)
    # When it is looked at on Monday at 10:00: one hour on Friday, one on Monday
    clock = Clocks(datetime(2026, 3, 9, 10, 0, tzinfo=SHANGHAI)).of(stage)
    # Then two of eight hours are gone
    assert clock is not None
    assert (clock.allowed_minutes, clock.used_minutes) == (480, 120)


def test_done_work_has_no_clock(life) -> None:
    one = life("give_opinion")
    assert Clocks().of(one.stage("opinion")) is None
    assert Clocks().of(one.stage("decision")) is not None
    assert Clocks().of(one.investigation) is None
    assert Clocks().of(one.application) is None


def test_hours_and_holidays_are_read_once_for_a_page(life, django_assert_num_queries) -> None:
    stage = life("send_to_review").stage("opinion")
    clocks = Clocks(timezone.now())
    clocks.of(stage)
    with django_assert_num_queries(0):
        clocks.of(stage)


def test_very_old_work_is_over_without_counting_every_day(life) -> None:
    stage = life("send_to_review").stage("opinion")
    stage.opened_at = datetime(1990, 1, 1, tzinfo=UTC)
    clock = Clocks(datetime(2026, 3, 9, 10, 0, tzinfo=SHANGHAI)).of(stage)
    assert clock is not None
    assert clock.over
