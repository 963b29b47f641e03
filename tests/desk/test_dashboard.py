"""The branch at a glance: every figure is the number of the rows it opens."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import ReviewStage
from branch.web.noun import NOUNS
from desk.queries.dashboard import FUNNEL, ROWS, dashboard
from loans.models import Loan
from postloan.models import WarningCase
from tests.cast import OPENING
from tests.life import set_up_branch
from tests.postloan.making import make_loan

SINCE = date(2000, 1, 1)


@pytest.fixture
def book(cast, life):
    """Three files on their way, two loans of which one is overdue, two warnings of which one has an owner."""
    life("capture", 1)
    life("send_to_review", 2)
    life("decide", 3)
    loans = [make_loan(cast, serial) for serial in (11, 12)]
    Loan.objects.filter(pk=loans[0].pk).update(days_past_due=40, asset_class="special_mention")
    for loan, level, officer in ((loans[0], "red", None), (loans[1], "yellow", cast.he)):
        WarningCase.objects.create(
            number=f"EW-{level}",
            customer=loan.customer,
            owner=loan.owner,
            office=loan.office,
            level=level,
            officer=officer,
            opened_on=OPENING,
        )
    return loans


def test_the_figures_are_those_of_the_book(cast, book) -> None:
    board = dashboard(cast.actor("feng"), SINCE)
    assert board.portfolio.loans == 2
    assert board.portfolio.balance == sum(loan.outstanding_principal for loan in book)
    assert board.portfolio.overdue_loans == 1
    assert board.portfolio.overdue_balance == board.portfolio.par_balance == book[0].outstanding_principal
    assert (board.open_cases, board.loose_cases) == (2, 1)
    assert [(line.name, line.total) for line in board.owners] == [("", 1), ("何", 1)]
    assert board.approvals == 1
    assert sum(line.loans for line in board.classes) == 2


def test_the_funnel_never_widens_and_counts_from_a_day(cast, book) -> None:
    funnel = {step.code: step.count for step in dashboard(cast.actor("feng"), SINCE).funnel}
    assert funnel["leads"] == 3
    assert funnel["qualified"] == 2
    assert funnel["approved"] >= 1
    assert [funnel["leads"], funnel["contacted"], funnel["qualified"]] == sorted(
        [funnel["leads"], funnel["contacted"], funnel["qualified"]], reverse=True
    )
    later = dashboard(cast.actor("feng"), date(2999, 1, 1)).funnel
    assert {step.count for step in later} == {0}


@pytest.mark.parametrize("code", sorted(ROWS))
def test_every_figure_opens_exactly_its_rows(cast, book, sits, code) -> None:
    response = sits("feng").get(f"/dashboard/{code}/", {"since": "year"})
    assert response.status_code == 200
    expected = ROWS[code].of(cast.actor("feng"), OPENING.replace(month=1, day=1))
    assert {row.record.pk for row in response.context["table"].rows} == set(expected.values_list("pk", flat=True))
    assert NOUNS[ROWS[code].noun].model is expected.model


def test_the_numbers_on_the_page_are_the_numbers_of_rows(cast, book, sits) -> None:
    browser = sits("feng")
    html = browser.get("/dashboard/", {"since": "year"}).content.decode()
    for code in FUNNEL:
        shown = re.search(rf'/dashboard/{code}/\?since=year">.*?<b class="num">(\d+)</b>', html, re.DOTALL)
        assert shown, code
        assert int(shown.group(1)) == len(browser.get(f"/dashboard/{code}/?since=year").context["table"].rows)


def test_a_file_over_its_clock_is_named(cast, book, sits) -> None:
    stage = ReviewStage.objects.filter(state="waiting", opened_at__isnull=False).first()
    assert stage is not None
    ReviewStage.objects.filter(pk=stage.pk).update(opened_at="2026-01-05T01:00:00Z")
    board = dashboard(cast.actor("feng"), SINCE)
    assert (board.late_files, board.oldest_late) == (1, stage)
    assert "1 file is over its clock" in sits("feng").get("/dashboard/").content.decode()


@pytest.mark.parametrize("username", ["lin", "zhao", "sun", "qian", "wu", "he", "outsider"])
@pytest.mark.parametrize("path", ["/dashboard/", "/dashboard/overdue/"])
def test_others_are_refused(sits, username, path) -> None:
    assert sits(username).get(path).status_code == 403


def test_an_unknown_figure_is_not_found(sits) -> None:
    assert sits("feng").get("/dashboard/nothing/").status_code == 404


def test_the_price_is_fixed(cast) -> None:
    set_up_branch(cast)

    def cost() -> int:
        actor = cast.actor("feng")
        with CaptureQueriesContext(connection) as seen:
            dashboard(actor, SINCE)
        return len(seen)

    make_loan(cast, 1)
    few = cost()
    for serial in range(2, 8):
        make_loan(cast, serial)
    assert cost() == few


def test_a_branch_without_anything_is_drawn(sits) -> None:
    html = sits("feng").get("/dashboard/").content.decode()
    assert "No warning is open." in html
    assert "0.00%" in html
