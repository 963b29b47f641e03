"""One box for everything a person may see, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from desk.queries.search import SHOWN, only_hit, search_everything


def names(cast, username: str, text: str) -> dict[str, list[str]]:
    found = search_everything(cast.actor(username), text)
    return {kind.noun.name: [str(row) for row in kind.rows] for kind in found}


def test_two_characters_of_a_name_find_the_customer(cast, life) -> None:
    one = life("convert")
    assert names(cast, "lin", "五金")["customer"] == [one.name]
    assert "customer" not in names(cast, "lin", "钢材")


def test_a_code_or_a_number_typed_in_full_leads_to_its_page(cast, life, sits) -> None:
    one = life("request_drawdown")
    browser = sits("lin")

    def leads_to(text: str) -> str:
        return browser.get("/search/", {"q": text}).headers["Location"]

    assert leads_to(one.customer.uscc.lower()) == f"/customers/{one.customer.pk}/"
    assert leads_to(one.application.number) == f"/applications/{one.application.pk}/"


@pytest.mark.parametrize("part", ["application", "contract", "drawdown"])
def test_the_start_of_a_number_finds_files(cast, life, part) -> None:
    one = life("request_drawdown")
    number = getattr(one, part).number
    assert number in names(cast, "lin", number[:-1])[part]


def test_an_identity_number_finds_only_as_a_whole(cast, life) -> None:
    one = life("convert")
    assert names(cast, "lin", "11010519491231002x")["customer"] == [one.name]
    assert "customer" not in names(cast, "lin", "11010519491231")


@pytest.mark.parametrize("text", ["五金", "梅林", "XW-", "HT-"])
def test_another_branch_finds_nothing_of_it(cast, life, text) -> None:
    life("request_drawdown")
    assert names(cast, "lin", text) != {} or text == "XW-"
    assert names(cast, "outsider", text) == {}


def test_a_person_finds_only_kinds_of_things_open_to_the_role(cast, life) -> None:
    life("request_drawdown")
    assert "lead" in names(cast, "lin", "梅林")
    assert "lead" not in names(cast, "wu", "梅林")
    assert "drawdown" not in names(cast, "sun", "HT-")
    assert "drawdown" in names(cast, "wu", "HT-")


@pytest.mark.parametrize("text", ["", "   ", "\x00", "%", "'; drop table branch_user; --", "五" * 5000])
def test_odd_texts_find_nothing_and_break_nothing(cast, life, sits, text) -> None:
    life("convert")
    response = sits("lin").get("/search/", {"q": text})
    assert response.status_code == 200
    assert "work-name" not in response.content.decode()


def test_two_hits_are_shown_and_neither_is_chosen(cast, life) -> None:
    life("convert")
    life("convert", 2)
    found = search_everything(cast.actor("lin"), "梅林")
    assert only_hit(found, "梅林") == ""
    assert len(names(cast, "lin", "梅林")["customer"]) == 2


def test_many_hits_cost_no_more_and_say_there_are_others(cast, life) -> None:
    one = life("convert")

    def cost() -> int:
        actor = cast.actor("lin")
        with CaptureQueriesContext(connection) as seen:
            search_everything(actor, "梅林")
        return len(seen)

    few = cost()
    template = one.customer
    for serial in range(SHOWN + 2):
        template.pk, template.uscc, template._state.adding = None, None, True
        template.name = f"梅林五金{serial}店"
        template.save(force_insert=True)
    assert Customer.objects.count() == SHOWN + 3
    assert cost() == few
    customers = search_everything(cast.actor("lin"), "梅林")[0]
    assert (len(customers.rows), customers.more) == (SHOWN, True)


def test_what_was_typed_stays_in_the_box_and_is_never_markup(sits, cast) -> None:
    html = sits("lin").get("/search/", {"q": "<b>x</b>"}).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x</b>" not in html
