"""An open hit stops a file where money comes nearer, in the service; once cleared it goes on."""

from __future__ import annotations

import pytest

from branch.domain.actor import system_actor
from branch.domain.refusals import Unmet
from customers.models import RecordImport, ScreeningHit
from customers.services import imports, screening, screening_hits, watchlists
from tests.life import Life, set_up_branch

#: The step that is stopped, and the one before it.
GATES = {
    "submit": "draft",
    "sign_contract": "generate_contract",
    "request_drawdown": "make_effective",
    "release_drawdown": "check_drawdown",
}


@pytest.mark.parametrize("step", GATES)
def test_a_name_listed_meanwhile_stops_the_next_step(cast, monkeypatch, step):
    sent: list[tuple] = []
    monkeypatch.setattr(screening, "at_once", lambda *call: sent.append(call))
    set_up_branch(cast)
    life = Life(cast.actor).walk(GATES[step])
    zhou = cast.actor("zhou")
    watchlist = watchlists.create_watchlist(actor=zhou, code="court", name="失信名单", kind="dishonest_debtor")
    rows = [{"name": life.customer.name}]
    imports.run_import(watchlists.send_list(actor=zhou, watchlist_id=watchlist.pk, rows=rows, start=True).pk)
    assert RecordImport.objects.latest("pk").state == "done"

    with pytest.raises(Unmet) as refused:
        getattr(life, step)()
    assert refused.value.facts == {"screening": {"open": 1, "confirmed": 0}}
    assert not ScreeningHit.objects.exists(), "it went with the refused step"
    (_task, customer_id, moment) = sent[-1]
    assert screening.screen_again(actor=system_actor(), customer_id=customer_id, moment=moment) == 1

    hit = ScreeningHit.objects.get(customer=life.customer)
    screening_hits.propose_hit(actor=cast.actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="查过")
    with pytest.raises(Unmet):
        getattr(life, step)()
    screening_hits.clear_hit(actor=cast.actor("he"), screening_hit_id=hit.pk, reason="同意")
    getattr(life, step)()
    assert life.customer.screening_hits.get().state == "cleared"
