"""The conversion funnel: every figure is the number of the rows it opens, as far as the person sees them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branch.web.noun import NOUNS
from customers.models import Lead
from customers.services import leads
from desk.queries.funnel import FUNNEL, ROWS, Cut, funnel
from loans.models import Application, Loan
from tests.customers.making import make_lead
from tests.customers.test_campaigns import make_campaign
from tests.life import Life
from tests.postloan.making import make_loan

SINCE = date(2000, 1, 1)


@pytest.fixture
def book(cast, life):
    """A loan paid out, a file filed, a lead called, two lost (one a duplicate); the first two of a campaign."""
    campaign = make_campaign(cast.actor("lin"))
    loan = make_loan(cast, 21, customer=life("convert", 1).customer)
    Application.objects.filter(pk=loan.application_id).update(submitted_at=timezone.now())
    life("submit", 2)
    life("contact", 3)
    Lead.objects.filter(name__in=[Life(cast.actor, n).name for n in (1, 2)]).update(campaign=campaign)
    lost = [make_lead(cast.actor("lin"), name=f"别家{n}", phone="") for n in (1, 2)]
    leads.lose_lead(actor=cast.actor("lin"), lead_id=lost[0].pk, code="price")
    leads.lose_lead(actor=cast.actor("lin"), lead_id=lost[1].pk, code="duplicate", duplicate_lead_id=lost[0].pk)
    return campaign


def test_each_step_counts_those_beyond_it(cast, book) -> None:
    found = funnel(cast.actor("zhou"), Cut(SINCE), "campaign")
    assert [step.count for step in found.steps] == [4, 3, 2, 2, 2, 1, 1]
    assert [step.of_former for step in found.steps] == [None, 75.0, 66.7, 100.0, 100.0, 50.0, 100.0]
    assert found.amount == Loan.objects.get().principal
    assert {code: count for code, _word, count in found.losses} == {"lost_price": 1, "lost_duplicate": 1}


@pytest.mark.parametrize("who", ["lin", "zhou", "feng", "outsider"])
@pytest.mark.parametrize("cut", [{}, {"source": "visit"}, {"source": "online"}, {"campaign": True}])
def test_every_figure_is_the_number_of_its_rows(cast, book, who, cut) -> None:
    actor = cast.actor(who)
    asked = Cut(SINCE, **{name: book.pk if value is True else value for name, value in cut.items()})
    found = funnel(actor, asked, "source")
    numbers = {step.code: step.count for step in found.steps} | {code: n for code, _word, n in found.losses}
    for code, number in numbers.items():
        assert ROWS[code].of(actor, asked).count() == number, code
    if who == "outsider":
        assert set(numbers.values()) == {0}


def test_the_breakdown_adds_up(cast, book) -> None:
    for by in ("campaign", "source", "owner"):
        found = funnel(cast.actor("zhou"), Cut(SINCE), by)
        assert [sum(line.counts[place] for line in found.lines) for place in range(4)] == [
            step.count for step in found.steps[:4]
        ]
        assert sum(line.loans for line in found.lines) == 1
        assert sum((line.amount for line in found.lines), Decimal(0)) == found.amount
    by_campaign = {line.key: line for line in funnel(cast.actor("zhou"), Cut(SINCE), "campaign").lines}
    assert by_campaign[book.pk].counts == (2, 2, 2, 2)
    assert by_campaign[None].lost == 1


def test_the_number_of_queries_is_fixed(cast, book) -> None:
    actor = cast.actor("zhou")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            funnel(actor, Cut(SINCE), "campaign")
        return len(caught)

    few = queries()
    for number in range(6):
        campaign = make_campaign(cast.actor("lin"), name=f"推广{number}")
        make_lead(cast.actor("lin"), name=f"新{number}", phone="", campaign_id=campaign.pk)
    assert queries() == few == 17


def test_a_file_from_before_the_lead_is_not_its_doing(cast, life) -> None:
    life("submit", 1)
    lead = Lead.objects.get()
    Lead.objects.filter(pk=lead.pk).update(created_at="2099-01-01T00:00Z")
    assert [step.count for step in funnel(cast.actor("zhou"), Cut(SINCE), "source").steps] == [1, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("who", ["lin", "feng"])
def test_the_page_opens_its_rows(cast, book, client: Client, who) -> None:
    client.force_login(getattr(cast, who))
    page = client.get("/funnel/?since=year&by=owner")
    assert page.status_code == 200
    for step, url in page.context["steps"]:
        rows = client.get(url)
        assert rows.status_code == 200
        assert rows.context["table"].paginator.count == step.count
    for line, url in page.context["lines"]:
        assert client.get(url).context["funnel"].steps[0].count == line.counts[0]
    assert client.get(f"/funnel/?since=year&campaign={book.pk}").context["funnel"].steps[0].count == 2


@pytest.mark.parametrize(
    "address", ["campaign=x", "campaign=99999999999999999999", "owner=-1", "source=moon", "by=x", "since=x"]
)
def test_what_cant_be_read_is_left_out(cast, book, client: Client, address) -> None:
    client.force_login(cast.lin)
    assert client.get(f"/funnel/?since=year&{address}").context["funnel"].steps[0].count == 4


def test_every_step_has_a_noun(db) -> None:
    assert {ROWS[code].noun for code in FUNNEL} <= set(NOUNS)


def test_an_unknown_figure_is_not_there(cast, client: Client) -> None:
    client.force_login(cast.lin)
    assert client.get("/funnel/nothing/").status_code == 404
