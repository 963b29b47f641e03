"""Customers: numbers checked, personal data hidden, found by what people type."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, StaleVersion
from branch.models import Event, RoleAssignment, User
from branch.queries.visibility import visible
from customers.models import Customer
from customers.queries.search import search_customers
from customers.services import customers
from tests.cast import PEOPLE, make_cast
from tests.customers.making import (
    event_names,
    make_customer,
    profile,
    resident_id_of,
    state_of_world,
    uscc_of,
)

CLEAR = (resident_id_of(1), "13800138000", "江北五金城 B 区 12 号", "6222020200012345678", "林美玉")


def test_numbers_are_brought_into_one_form(cast, actor):
    customer = make_customer(
        actor("lin"), uscc=f" {uscc_of(1).lower()} ", phone="138-0013 8000", name=" 梅林　五金（宁波） "
    )

    assert customer.uscc == uscc_of(1)
    assert customer.phone == "13800138000"
    assert customer.name == "梅林 五金(宁波)"


def test_personal_data_is_neither_in_the_record_nor_readable_in_the_table(cast, actor):
    customer = make_customer(actor("lin"))
    customers.update_customer(actor=actor("lin"), customer_id=customer.pk, phone="13900139000")

    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_number, phone, address, repayment_account FROM customers_customer")
        stored = str(cursor.fetchall())
    recorded = str(list(Event.objects.values()))
    for value in (*CLEAR, "13900139000"):
        assert value not in recorded
    for value in CLEAR[:4]:
        assert value not in stored


def test_a_changed_personal_field_is_named_in_the_record(cast, actor):
    customer = make_customer(actor("lin"))

    customers.update_customer(
        actor=actor("lin"), customer_id=customer.pk, repayment_account="6222020200099999999", employees=38
    )

    assert event_names(customer) == ["customer.create", "customer.update", "customer.update_personal"]
    assert Event.objects.get(name="customer.update").after == {"employees": 38}
    assert Event.objects.get(name="customer.update_personal").after == {"fields": ["repayment_account"]}


def test_an_update_changes_only_what_it_names(cast, actor):
    customer = make_customer(actor("lin"))

    changed = customers.update_customer(actor=actor("lin"), customer_id=customer.pk, name="新名五金")

    assert changed.uscc == customer.uscc
    assert changed.identity_number == resident_id_of(1)
    assert set(changed.name_bigrams) == {"新名", "名五", "五金"}


def test_an_update_is_refused_whole(cast, actor):
    lin = actor("lin")
    customer = make_customer(lin)
    other = make_customer(lin, 2)
    before = state_of_world()

    with pytest.raises(InvalidInput):
        customers.update_customer(actor=lin, customer_id=customer.pk, name="新名", uscc=other.uscc)
    with pytest.raises(StaleVersion):
        customers.update_customer(actor=lin, customer_id=customer.pk, name="新名", expected_version=9)
    with pytest.raises(PermissionRefused):
        customers.update_customer(actor=actor("zhou"), customer_id=customer.pk, name="新名")
    with pytest.raises(NotFound):
        customers.update_customer(actor=actor("outsider"), customer_id=customer.pk, name="新名")

    assert state_of_world() == before


def test_a_farm_household_is_known_by_its_person(cast, actor):
    household: dict[str, Any] = {"kind": "farm_household", "uscc": None}
    make_customer(actor("outsider"), **household)
    before = state_of_world()

    with pytest.raises(InvalidInput) as refused:
        make_customer(actor("lin"), **household, name="林家")

    assert list(refused.value.fields) == ["identity_number"]
    assert state_of_world() == before


def test_one_person_may_own_several_firms(cast, actor):
    make_customer(actor("lin"), 1)
    make_customer(actor("lin"), 2, identity_number=resident_id_of(1))

    assert Customer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_code_make_one_customer():
    cast = make_cast()
    actors = [cast.actor("lin"), cast.actor("outsider")]
    start = Barrier(2)

    def file(actor):
        start.wait()
        try:
            return make_customer(actor).pk
        except InvalidInput as refused:
            return list(refused.fields)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(file, actors))

    assert Customer.objects.count() == 1
    assert ["uscc"] in answers


def test_who_sees_a_customer(cast, actor):
    customer = make_customer(actor("lin"))
    client = User.objects.create_user("meter", password="demo", office=cast.offices.CD)
    RoleAssignment.objects.create(user=client, role="integration", office=cast.offices.CD, start_date=date(2020, 1, 1))

    seen_by = {name for name in (*PEOPLE, "meter") if customer in visible(Customer, actor(name))}

    assert seen_by == {"lin", "zhao", "sun", "qian", "wu", "zhou", "he", "feng"}


def test_an_administrator_without_another_role_sees_no_customer(cast, actor):
    make_customer(actor("lin"))
    RoleAssignment.objects.filter(user=cast.zhou).exclude(role="administrator").update(end_date=date(2020, 1, 2))

    assert not visible(Customer, actor("zhou")).exists()


def test_a_personal_field_is_shown_for_a_reason_that_is_kept(cast, actor):
    customer = make_customer(actor("lin"))

    shown = customers.reveal_personal(
        actor=actor("feng"), customer_id=customer.pk, field="identity_number", reason="核对合同"
    )

    assert shown == resident_id_of(1)
    event = Event.objects.get(name="customer.reveal")
    assert (event.actor_name, event.reason, event.after) == ("feng", "核对合同", {"field": "identity_number"})


def test_personal_fields_stay_hidden_without_reason_right_or_name(cast, actor):
    customer = make_customer(actor("lin"))
    before = state_of_world()
    reveal = customers.reveal_personal

    with pytest.raises(InvalidInput):
        reveal(actor=actor("lin"), customer_id=customer.pk, field="phone", reason=" ")
    with pytest.raises(InvalidInput):
        reveal(actor=actor("lin"), customer_id=customer.pk, field="identity_digest", reason="好奇")
    with pytest.raises(NotFound):
        reveal(actor=actor("outsider"), customer_id=customer.pk, field="phone", reason="好奇")

    assert state_of_world() == before


def test_a_customer_is_handed_over_by_the_branch_manager(cast, actor):
    customer = make_customer(actor("lin"))
    user = User.objects.create_user("ma", password="demo", office=cast.offices.HW)
    RoleAssignment.objects.create(
        user=user, role="account_manager", office=cast.offices.HW, start_date=date(2020, 1, 1)
    )
    before = state_of_world()
    with pytest.raises(PermissionRefused):
        customers.reassign_customer(actor=actor("lin"), customer_id=customer.pk, owner_id=user.pk, reason="休假")
    with pytest.raises(InvalidInput):
        customers.reassign_customer(
            actor=actor("zhou"), customer_id=customer.pk, owner_id=cast.outsider.pk, reason="休假"
        )
    assert state_of_world() == before

    customers.reassign_customer(actor=actor("zhou"), customer_id=customer.pk, owner_id=user.pk, reason="休假")

    assert customer in visible(Customer, actor("ma"))
    assert customer not in visible(Customer, actor("lin"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("五金", True),
        ("林五", True),
        ("梅林五金制品", True),
        ("　五 金 ", True),
        ("梅", True),
        (uscc_of(1), True),
        (uscc_of(1)[:8].lower(), True),
        (resident_id_of(1), True),
        (resident_id_of(1)[:12], False),
        ("五品", False),
        ("塑料", False),
        ("13800138000", False),
        ("", False),
    ],
)
def test_customers_are_found_by_a_piece_of_name_a_code_or_a_whole_identity_number(cast, actor, typed, found):
    customer = make_customer(actor("lin"))

    assert (customer in search_customers(actor("lin"), typed)) is found


def test_a_search_finds_only_what_may_be_seen(cast, actor):
    make_customer(actor("outsider"))

    for typed in ("五金", uscc_of(1), resident_id_of(1)):
        assert not search_customers(actor("lin"), typed).exists()


def test_an_unknown_fact_is_a_programming_error(cast, actor):
    with pytest.raises(TypeError):
        customers.create_customer(actor=actor("lin"), **profile(), shoe_size=42)  # type: ignore[call-arg]
