"""Hits settled and found at the same moment: real threads, real transactions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from branch.domain.actor import system_actor
from branch.domain.refusals import WrongState
from customers.models import ScreeningHit
from customers.services import imports, screening, screening_hits, watchlists
from tests.concurrency.test_money import at_once, refusals
from tests.customers.making import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def listed(cast: SimpleNamespace, name: str) -> None:
    zhou = cast.actor("zhou")
    watchlist = watchlists.create_watchlist(actor=zhou, code="court", name="失信名单", kind="wanted")
    sent = watchlists.send_list(actor=zhou, watchlist_id=watchlist.pk, rows=[{"name": name}], start=True)
    imports.run_import(sent.pk)


def test_two_people_decide_once(cast: SimpleNamespace) -> None:
    listed(cast, "梅林五金制品有限公司1")
    make_customer(cast.actor("lin"))
    hit = ScreeningHit.objects.get()
    screening_hits.propose_hit(actor=cast.actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="查过")
    he, zhou = cast.actor("he"), cast.actor("zhou")

    results = at_once(
        lambda: screening_hits.clear_hit(actor=he, screening_hit_id=hit.pk, reason="同意"),
        lambda: screening_hits.clear_hit(actor=zhou, screening_hit_id=hit.pk, reason="同意"),
        lambda: screening_hits.send_back_hit(actor=zhou, screening_hit_id=hit.pk, reason="再查"),
    )

    assert [type(refusal) for refusal in refusals(results)] == [WrongState, WrongState]
    assert ScreeningHit.objects.get().version == 3


def test_one_customer_looked_up_by_many_has_one_hit(cast: SimpleNamespace) -> None:
    customer = make_customer(cast.actor("lin"))
    listed(cast, "梅林五金制品有限公司1")
    system = system_actor()

    results = at_once(*[lambda: screening.screen_again(actor=system, customer_id=customer.pk, moment="book")] * 4)

    assert refusals(results) == []
    assert ScreeningHit.objects.count() == 1
