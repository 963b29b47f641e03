"""Who belongs to whom: recorded, found again by number, corrected, ended, drawn as far as one may see."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.models import Event, ParameterValue
from customers.models import Customer, Party, Relation
from customers.nouns.relations import drawing
from customers.queries.relations import network_of
from customers.services import customers, relations
from tests.customers.making import event_names, make_customer, resident_id_of, uscc_of


def person(name: str, number: int | None = None) -> dict[str, Any]:
    return {"party_kind": "person", "name": name, "identity_number": resident_id_of(number) if number else ""}


def firm(name: str, number: int | None = None) -> dict[str, Any]:
    return {"party_kind": "firm", "name": name, "uscc": uscc_of(number) if number else ""}


def relate(actor: Any, customer: Customer, kind: str, other: Any, **facts: Any) -> Relation:
    return relations.add_relation(actor=actor, customer_id=customer.pk, kind=kind, other=other, **facts)


def test_a_person_is_one_party_however_often_recorded(cast, actor):
    lin = actor("lin")
    one, two = make_customer(lin, 1), make_customer(lin, 2)

    relate(lin, one, "owner", person("王大海", 77))
    relate(lin, two, "guarantor", person(" 王大海 ", 77), amount=Decimal("500000"))

    party = Party.objects.get(name="王大海")
    assert party.relations_from.count() == 2
    with pytest.raises(InvalidInput) as refused:
        relate(lin, two, "family", person("王小海", 77))
    assert set(refused.value.fields) == {"name"}


def test_a_number_of_a_customer_makes_that_customer_the_end_now_and_later(cast, actor):
    lin = actor("lin")
    one, two = make_customer(lin, 1), make_customer(lin, 2)

    known = relate(lin, one, "guarantor", firm("随便什么名字", 2))
    later = relate(lin, one, "shareholder", firm("三号公司", 3), share=Decimal(60))
    assert known.from_party.customer == two
    assert later.from_party.customer is None

    three = make_customer(lin, 3)

    assert network_of(one).group_customers == [one.pk, two.pk, three.pk]
    # A code put right takes the link with it.
    customers.update_customer(actor=lin, customer_id=three.pk, uscc=uscc_of(4))
    assert network_of(one).group_customers == [one.pk, two.pk]


def test_a_sole_trader_is_who_trades_but_a_company_is_not_its_representative(cast, actor):
    lin = actor("lin")
    company = make_customer(lin, 1)
    relate(lin, company, "actual_controller", person("林美玉", 5))
    assert Party.objects.get(name="林美玉").customer is None

    trader = make_customer(lin, 2, kind="sole_trader", identity_number=resident_id_of(5))

    assert Party.objects.get(name="林美玉").customer == trader
    # A second shop of the same person: whose number it is says nothing any more.
    make_customer(lin, 6, kind="sole_trader", identity_number=resident_id_of(9))
    make_customer(lin, 7, kind="sole_trader", identity_number=resident_id_of(9))
    party = relate(lin, trader, "spouse", person("赵", 9)).from_party
    assert party.customer is None


@pytest.mark.parametrize(
    ("kind", "other", "facts", "field"),
    [
        ("shareholder", person("王"), {}, "share"),
        ("shareholder", person("王"), {"share": Decimal("100.01")}, "share"),
        ("owner", person("王"), {"share": Decimal(5)}, "share"),
        ("owner", person("王"), {"amount": Decimal(5)}, "amount"),
        ("guarantor", person("王"), {"amount": Decimal(0)}, "amount"),
        ("cousin", person("王"), {}, "kind"),
        ("spouse", person("王"), {}, "kind"),
        ("legal_representative", firm("王公司"), {}, "kind"),
        ("owner", {"party_kind": "person", "name": "王", "uscc": uscc_of(9)}, {}, "uscc"),
        ("owner", {"party_kind": "person", "name": ""}, {}, "name"),
        ("owner", {"party_kind": "", "name": "王"}, {}, "party_kind"),
        ("owner", {"party_kind": "firm", "name": "王", "uscc": "91330212MA0000001X"}, {}, "uscc"),
        ("owner", {"party_id": 999999}, {}, "party_id"),
        ("owner", firm("自己", 1), {}, "name"),
        ("owner", person("王"), {"since_date": date(2030, 1, 1)}, "since_date"),
        (
            "owner",
            person("王"),
            {"since_date": date(2026, 1, 2), "until_date": date(2026, 1, 1)},
            "until_date",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_leaves_nothing(cast, actor, kind, other, facts, field):
    customer = make_customer(actor("lin"))

    with pytest.raises(InvalidInput) as refused:
        relate(actor("lin"), customer, kind, other, **facts)

    assert field in refused.value.fields
    assert not Relation.objects.exists()


def test_the_same_relation_is_on_file_once_but_again_after_it_ended(cast, actor):
    lin = actor("lin")
    customer = make_customer(lin)
    first = relate(lin, customer, "owner", person("王", 7))
    with pytest.raises(InvalidInput):
        relate(lin, customer, "owner", person("王", 7))

    relations.end_relation(actor=lin, relation_id=first.pk, reason="转让")
    relate(lin, customer, "owner", person("王", 7))

    assert event_names(first) == ["relation.add", "relation.end"]
    assert network_of(customer).relations != (first,)
    with pytest.raises(WrongState):
        relations.correct_relation(actor=lin, relation_id=first.pk, remark="晚了")


def test_a_guarantee_past_its_day_joins_nobody_any_more(cast, actor):
    lin = actor("lin")
    one, two = make_customer(lin, 1), make_customer(lin, 2)
    relation = relate(lin, one, "guarantor", firm("二", 2), since_date=date(2025, 1, 1), until_date=date(2026, 3, 2))
    assert network_of(one).group_customers == [one.pk, two.pk]

    relations.correct_relation(actor=lin, relation_id=relation.pk, until_date=date(2026, 3, 1))

    assert network_of(one).group_customers == [one.pk]


def test_only_who_looks_after_the_file_records_on_it(cast, actor):
    customer = make_customer(actor("lin"))
    relate(actor("zhao"), customer, "owner", person("王"))
    for username, refusal in (("sun", PermissionRefused), ("feng", PermissionRefused), ("outsider", NotFound)):
        with pytest.raises(refusal):
            relate(actor(username), customer, "owner", person("李"))


def test_names_and_numbers_of_people_stand_nowhere_in_the_record(cast, actor):
    lin = actor("lin")
    customer = make_customer(lin)
    relation = relate(lin, customer, "owner", person("欧阳不见", 7))

    shown = relations.reveal_party(actor=lin, relation_id=relation.pk, end="from", reason="核对")

    assert shown == resident_id_of(7)
    recorded = str(list(Event.objects.values()))
    assert "欧阳不见" not in recorded
    assert resident_id_of(7) not in recorded
    assert event_names(relation) == ["relation.add", "relation.reveal"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_number FROM customers_party")
        assert resident_id_of(7) not in str(cursor.fetchall())


def test_the_shares_of_a_firm_come_to_no_more_than_the_whole(cast, actor):
    lin, customer = actor("lin"), make_customer(actor("lin"), 1)
    first = relate(lin, customer, "shareholder", person("王", 7), share=Decimal(60))
    with pytest.raises(InvalidInput) as refused:
        relate(lin, customer, "shareholder", person("李", 8), share=Decimal("40.01"))
    assert list(refused.value.fields) == ["share"]
    second = relate(lin, customer, "shareholder", person("李", 8), share=Decimal(40))
    with pytest.raises(InvalidInput):
        relations.correct_relation(actor=lin, relation_id=second.pk, share=Decimal(41))
    relations.correct_relation(actor=lin, relation_id=second.pk, share=Decimal(39), source="章程")
    relations.end_relation(actor=lin, relation_id=first.pk, reason="转让")
    relations.correct_relation(actor=lin, relation_id=second.pk, share=Decimal(100))


def test_the_answer_to_who_recorded_a_relation_names_their_own_customer(client, cast, actor):
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))
    customer = make_customer(actor("lin"), 1)
    client.force_login(cast.lin)
    body = {"kind": "affiliate", "party_kind": "firm", "name": "兴隆建材"}
    answer = client.post(f"/api/v1/customers/{customer.pk}/relate/", body, "application/json").json()
    assert (answer["who"], answer["of_whom"]) == ("兴隆建材", customer.name)
    corrected = client.patch(f"/api/v1/relations/{answer['id']}/", {"source": "工商"}, "application/json")
    assert corrected.json().get("of_whom") == customer.name


def test_owners_behind_a_shareholder_are_recorded_in_its_place(cast, actor):
    lin = actor("lin")
    customer = make_customer(lin)
    mid = relate(lin, customer, "shareholder", firm("中间公司", 8), share=Decimal(60)).from_party

    relate(lin, customer, "shareholder", person("王", 7), share=Decimal(50), of_party_id=mid.pk)

    owners = network_of(customer).owners
    assert [(o.share, o.grounds) for o in owners] == [(Decimal(30), ("holds",))]


def test_a_circle_is_drawn_and_who_is_not_seen_is_masked(cast, actor):
    lin = actor("lin")
    ours, theirs = make_customer(lin, 1), make_customer(actor("outsider"), 2, name="江北大厂有限公司")
    relate(lin, ours, "guarantor", firm("江北大厂有限公司", 2))
    relate(lin, ours, "guarantor", firm("江北大厂有限公司", 2), is_of_other=True)

    mine = drawing(network_of(ours, lin))
    everything = drawing(network_of(ours, actor("feng")))

    assert {node["name"] for node in mine["nodes"]} == {ours.name, "江•••"}
    assert {node["url"] for node in mine["nodes"]} == {""}
    assert {link["style"] for link in mine["links"]} == {"circle"}
    assert {node["name"] for node in everything["nodes"]} == {ours.name, theirs.name}
    assert f"/customers/{theirs.pk}/" in {node["url"] for node in everything["nodes"]}


def test_a_party_known_only_from_a_file_one_does_not_see_has_no_name(cast, actor):
    lin, other = actor("lin"), actor("outsider")
    ours, theirs = make_customer(lin, 1), make_customer(other, 2)
    relate(lin, ours, "guarantor", firm("二", 2))
    relate(other, theirs, "owner", person("欧阳不见", 7))

    names = {node["name"] for node in drawing(network_of(ours, lin))["nodes"]}

    assert "欧•••" in names
    assert not any("欧阳不见" in name for name in names)


def test_the_network_takes_the_same_queries_however_large(cast, actor):
    lin, auditor = actor("lin"), actor("feng")
    customer = make_customer(lin, 1)
    relate(lin, customer, "owner", person("王", 1))
    counts = []
    for serials in (range(2, 4), range(4, 12)):
        for serial in serials:
            make_customer(lin, serial)
            relate(lin, customer, "guarantor", firm("x", serial))
        with CaptureQueriesContext(connection) as queries:
            network = network_of(Customer.objects.get(pk=customer.pk), auditor)
            drawing(network)
            assert len(network.group) == 1 + serials[-1]
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_the_page_shows_owners_links_and_a_circle(cast, actor, client):
    lin = actor("lin")
    one = make_customer(lin, 1)
    make_customer(lin, 2)
    relate(lin, one, "owner", person("王大海", 7))
    relate(lin, one, "guarantor", firm("二", 2))
    relate(lin, one, "guarantor", firm("二", 2), is_of_other=True)
    client.force_login(cast.lin)

    page = client.get(f"/customers/{one.pk}/").content.decode()

    assert "王大海" in page
    assert resident_id_of(7) not in page
    assert "担保圈" in page
    assert 'id="links-drawn-data"' in page
