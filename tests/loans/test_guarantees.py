"""Every guarantee circle and long chain of a reader's customers, with what is guaranteed and owed."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import relations
from loans.models import Facility
from loans.queries.guarantees import rings_of
from tests.customers.making import make_customer, uscc_of
from tests.loans.given import signed_line


def guarantee(cast: SimpleNamespace, debtor: Customer, guarantor: int, amount: Any = None, who: str = "lin") -> None:
    """The firm numbered `guarantor` stands for `debtor`."""
    other: Any = {"party_kind": "firm", "name": f"{guarantor}号公司", "uscc": uscc_of(guarantor)}
    relations.add_relation(
        actor=cast.actor(who), customer_id=debtor.pk, kind="guarantor", other=other, amount=amount and Decimal(amount)
    )


@pytest.fixture
def firms(cast) -> dict[int, Customer]:
    return {serial: make_customer(cast.actor("lin"), serial) for serial in range(1, 6)}


def names(cast, who: str) -> list[list[str]]:
    return [[member.name for member in ring.members] for ring in rings_of(cast.actor(who))]


def test_circles_come_first_with_the_sum_and_what_each_owes(cast, firms):
    guarantee(cast, firms[2], 1, "100000")
    guarantee(cast, firms[3], 2)
    guarantee(cast, firms[1], 3, "300000")
    guarantee(cast, firms[5], 4, "50000")
    Facility.objects.filter(pk=signed_line(cast).pk).update(customer=firms[3])
    owed = Decimal("300000.00")

    (circle,) = rings_of(cast.actor("lin"))

    assert circle.is_circle
    assert circle.guaranteed == Decimal("400000") + owed, "without an amount it is all that is owed"
    assert [(m.customer_id, m.amount, m.exposure) for m in circle.members] == [
        (firms[1].pk, Decimal("100000.00"), Decimal(0)),
        (firms[2].pk, None, Decimal(0)),
        (firms[3].pk, Decimal("300000.00"), owed),
    ]


def test_a_chain_is_shown_from_so_many_guarantees_on(cast, firms):
    for debtor in (2, 3):
        guarantee(cast, firms[debtor], debtor - 1, "10")
    assert rings_of(cast.actor("lin")) == []
    guarantee(cast, firms[4], 3, "10")
    (chain,) = rings_of(cast.actor("lin"))
    assert not chain.is_circle
    assert [member.customer_id for member in chain.members] == [firms[n].pk for n in (1, 2, 3, 4)]
    assert [member.guarantees for member in chain.members] == [True, True, True, False]
    assert chain.guaranteed == Decimal(30)


def test_a_stranger_in_the_circle_has_no_name_and_a_stranger_to_it_sees_none(cast, firms):
    theirs = make_customer(cast.actor("outsider"), 9, name="江北铸造有限公司")
    guarantee(cast, firms[1], 9, "70000")
    guarantee(cast, theirs, 1, "80000", who="outsider")

    (circle,) = rings_of(cast.actor("lin"))
    assert circle.guaranteed == Decimal(150000)
    assert [(member.name, member.customer_id) for member in circle.members] == [
        (firms[1].name, firms[1].pk), ("江•••", None),
    ]  # fmt: skip
    assert [member.exposure for member in circle.members] == [Decimal(0), None]
    assert names(cast, "outsider") == [[f"{firms[1].name[0]}•••", theirs.name]]
    assert names(cast, "zhou") == [[firms[1].name, "江•••"]]
    assert rings_of(cast.actor("wu")) == [], "who releases money sees no links"


def test_as_many_queries_for_many_as_for_one(cast, firms):
    def counted() -> int:
        actor = cast.actor("lin")
        actor.roles  # noqa: B018 - asked once per request
        with CaptureQueriesContext(connection) as queries:
            rings_of(actor)
        return len(queries)

    guarantee(cast, firms[1], 2)
    guarantee(cast, firms[2], 1)
    one = counted()
    guarantee(cast, firms[3], 4)
    guarantee(cast, firms[4], 3)
    guarantee(cast, firms[5], 4)
    guarantee(cast, firms[3], 5)
    assert len(rings_of(cast.actor("lin"))) == 3
    assert counted() == one


def test_page_file_and_api(cast, client, firms):
    client.force_login(cast.lin)
    english = {"accept-language": "en"}
    assert "stands in a guarantee circle" in client.get("/guarantee-circles/", headers=english).content.decode()
    guarantee(cast, firms[1], 2, "100000")
    guarantee(cast, firms[2], 1)

    page = client.get("/guarantee-circles/", headers=english).content.decode()
    assert "Circle of 2" in page
    assert f"/customers/{firms[1].pk}/" in page
    assert "Circle of 2" not in client.get("/guarantee-circles/?kind=chain", headers=english).content.decode()
    assert "Circle of 2" not in client.get("/guarantee-circles/?q=nobody", headers=english).content.decode()
    lines = b"".join(client.get("/guarantee-circles/export.csv").streaming_content).decode().splitlines()
    assert len(lines) == 3
    assert client.get("/guarantee-circles/export.xlsx").status_code == 200
    assert client.get("/guarantee-circles/export.pdf").status_code == 404
    (ring,) = client.get("/api/v1/guarantee-circles/?kind=circle").json()
    assert ring["guaranteed"] == "100000.00"
    assert [member["customer_id"] for member in ring["members"]] == [firms[1].pk, firms[2].pk]
