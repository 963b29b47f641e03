"""Two files of one customer read as one, and given back whole: nothing that was booked moves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet, WrongState
from branch.models import Event, ParameterValue
from branch.queries.visibility import visible
from customers.models import Customer, CustomerMerge, Relation
from customers.queries.consents import consenting
from customers.queries.duplicates import duplicates_of, second_files_of, with_second_files
from customers.queries.merges import files_of, kept_by_file
from customers.queries.records import record_series, year_total
from customers.queries.relations import network_of
from customers.queries.visibility import open_customers
from customers.services import consents, customers, leads, merges, records, relations
from tests.customers.making import event_names, make_customer, make_lead, register_sources, resident_id_of, uscc_of
from tests.customers.test_relations import firm, person, relate


def trader(actor: Any, number: int, **changes: Any) -> Customer:
    """Somebody whose shop is not registered yet, as far as this file knows: no code."""
    given = {"kind": "farm_household", "uscc": None, "name": f"陈记农机{number}"} | changes
    return make_customer(actor("lin"), number, **given)


@pytest.fixture
def two(cast, actor) -> tuple[Customer, Customer]:
    """The file that stays, short of some facts, and the second one, with a code of its own."""
    kept = trader(actor, 1, phone="", address="", annual_sales=None, identity_number=resident_id_of(9))
    other = make_customer(actor("lin"), 2, kind="sole_trader", name="陈记农机商行", identity_number=resident_id_of(9))
    return kept, other


def merge(actor: Any, kept: Customer, other: Customer) -> Customer:
    return merges.merge_customers(
        actor=actor("zhou"), customer_id=kept.pk, other_id=other.pk, reason="同一老板，查过执照"
    )


def undo(actor: Any, other: Customer) -> Customer:
    return merges.undo_merge(actor=actor("zhou"), customer_id=other.pk, reason="看错了")


def facts(customer: Customer) -> dict[str, Any]:
    """All of a file but what counts its changes."""
    row = Customer.objects.filter(pk=customer.pk).values().get()
    return {name: value for name, value in row.items() if name not in ("version", "screened_at")}


def test_the_kept_file_takes_what_it_lacks_and_undoing_gives_everything_back(two, actor):
    kept, other = two
    before = facts(kept), facts(other)

    merge(actor, kept, other)

    kept.refresh_from_db()
    other.refresh_from_db()
    assert (kept.uscc, kept.phone, kept.annual_sales) == (uscc_of(2), "13800138000", Decimal("8600000.00"))
    assert kept.phone_digest == other.phone_digest != ""
    assert (other.uscc, other.merged_into, other.is_merged) == (None, kept, True)
    assert files_of(kept) == files_of(other) == [kept.pk, other.pk]
    assert (event_names(kept)[-1], event_names(other)[-1]) == ("customer.merge", "customer.merge_into")
    assert Event.objects.get(name="customer.merge").reason == "同一老板，查过执照"
    assert "13800138000" not in str(list(Event.objects.values_list("after", "before")))

    undo(actor, other)

    assert (facts(kept), facts(other)) == before
    assert files_of(Customer.objects.get(pk=kept.pk)) == [kept.pk]
    assert (event_names(kept)[-1], event_names(other)[-1]) == ("customer.merge_undone", "customer.undo_merge")
    # And once more, as often as somebody is wrong.
    merge(actor, kept, other)
    assert CustomerMerge.objects.filter(undone_on=None).count() == 1


def test_what_was_put_right_meanwhile_stays_when_it_is_undone(two, actor):
    kept, other = two
    merge(actor, kept, other)
    customers.update_customer(actor=actor("lin"), customer_id=kept.pk, phone="13900139000")

    undo(actor, other)

    kept.refresh_from_db()
    assert (kept.phone, kept.address) == ("13900139000", "")


@pytest.mark.parametrize(
    ("one", "second", "refusal"),
    [
        ({"kind": "company", "uscc": uscc_of(1)}, {"kind": "company", "uscc": uscc_of(2)}, Unmet),
        (
            {"identity_number": resident_id_of(1)},
            {"kind": "sole_trader", "uscc": uscc_of(2), "identity_number": resident_id_of(2)},
            Unmet,
        ),
    ],
)
def test_two_codes_are_two_firms_and_two_numbers_two_people(cast, actor, one, second, refusal):
    kept, other = trader(actor, 1, **one), trader(actor, 2, **second)
    before = facts(kept), facts(other)
    with pytest.raises(refusal):
        merge(actor, kept, other)
    assert (facts(kept), facts(other)) == before


def test_a_company_is_not_told_by_whoever_represents_it(cast, actor):
    kept = make_customer(actor("lin"), 1)
    other = trader(actor, 2)
    merge(actor, kept, other)
    assert files_of(kept) == [kept.pk, other.pk]


def test_who_may_and_what_must_be_said(two, actor, cast):
    kept, other = two
    call = {"customer_id": kept.pk, "other_id": other.pk, "reason": "同一老板"}
    with pytest.raises(PermissionRefused):
        merges.merge_customers(actor=actor("lin"), **call)
    with pytest.raises(NotFound):
        merges.merge_customers(actor=actor("outsider"), **call)
    with pytest.raises(InvalidInput):
        merges.merge_customers(actor=actor("zhou"), **call | {"other_id": kept.pk})
    with pytest.raises(InvalidInput):
        merges.merge_customers(actor=actor("zhou"), **call | {"reason": " "})
    with pytest.raises(WrongState):
        undo(actor, other)
    merge(actor, kept, other)
    for refused in ({}, {"customer_id": other.pk, "other_id": kept.pk}):
        with pytest.raises(WrongState):
            merges.merge_customers(actor=actor("zhou"), **call | refused)
    with pytest.raises(PermissionRefused):
        merges.undo_merge(actor=actor("lin"), customer_id=other.pk, reason="错")


def test_a_file_of_another_branch_is_not_there_for_who_does_not_see_it(two, actor):
    kept, _other = two
    strange = make_customer(actor("outsider"), 5)
    with pytest.raises(NotFound):
        merge(actor, kept, strange)


def test_nothing_new_begins_on_a_merged_file(two, actor):
    kept, other = two
    merge(actor, kept, other)
    lin = actor("lin")
    with pytest.raises(WrongState):
        customers.update_customer(actor=lin, customer_id=other.pk, name="别的")
    with pytest.raises(WrongState):
        customers.reassign_customer(actor=actor("zhou"), customer_id=other.pk, owner_id=lin.user_id, reason="走")
    with pytest.raises(WrongState):
        relate(lin, other, "owner", person("王大海", 77))
    with pytest.raises(WrongState):
        consents.record_consent(
            actor=lin, customer_id=other.pk, scope="tax", given_by_name="陈", given_on=date(2026, 3, 1),
            expires_on=date(2027, 3, 1),
        )  # fmt: skip
    lead = make_lead(lin)
    leads.contact_lead(actor=lin, lead_id=lead.pk)
    leads.qualify_lead(actor=lin, lead_id=lead.pk)
    with pytest.raises(WrongState):
        leads.convert_lead(actor=lin, lead_id=lead.pk, customer_id=other.pk)
    assert other not in open_customers(lin)
    # What was asked for a look still is: with a reason, on the record.
    assert customers.reveal_personal(actor=lin, customer_id=other.pk, field="phone", reason="对账") == "13800138000"


def test_links_stand_for_the_kept_file_count_once_and_go_back(two, actor):
    kept, other = two
    lin = actor("lin")
    relate(lin, kept, "shareholder", person("王大海", 77), share=Decimal(60))
    moved = relate(lin, other, "shareholder", person("王大海", 77), share=Decimal(60))
    relate(lin, other, "guarantor", firm("三号公司", 3))
    relations.add_relation(
        actor=lin,
        customer_id=kept.pk,
        kind="guarantor",
        other={"party_kind": "firm", "name": "自己", "uscc": other.uscc},
    )
    debtor = make_customer(lin, 3)
    assert network_of(debtor).group_customers == [kept.pk, other.pk, debtor.pk]

    merge(actor, kept, other)

    network = network_of(debtor)
    assert network.group_customers == [kept.pk, debtor.pk]
    assert network_of(Customer.objects.get(pk=other.pk)).node == f"c{kept.pk}"
    owner = next(one for one in network_of(kept).owners if one.share)
    assert owner.share == 60, "not 120: both files tell of the same share"
    assert all(link.source != link.target for link in network.links)
    later = relate(lin, kept, "affiliate", firm("四号公司", 4))

    undo(actor, other)

    assert network_of(debtor).group_customers == [kept.pk, other.pk, debtor.pk]
    assert set(Relation.objects.filter(customer=other).values_list("pk", flat=True)) >= {moved.pk}
    assert Relation.objects.get(pk=later.pk).customer == kept


def test_a_file_that_stood_for_others_takes_them_along_and_back_in_any_order(cast, actor):
    one, two, three = (trader(actor, n, identity_number=resident_id_of(n), kind="farm_household") for n in (1, 2, 3))
    Customer.objects.update(kind="company")
    before = [facts(row) for row in (one, two, three)]
    merge(actor, two, three)
    merge(actor, one, two)
    assert files_of(Customer.objects.get(pk=three.pk)) == [one.pk, two.pk, three.pk]
    assert kept_by_file([two.pk]) == dict.fromkeys((one.pk, two.pk, three.pk), one.pk)

    undo(actor, three)
    assert files_of(Customer.objects.get(pk=one.pk)) == [one.pk, two.pk]
    undo(actor, two)
    assert [facts(row) for row in (one, two, three)] == before

    merge(actor, two, three)
    merge(actor, one, two)
    undo(actor, two)
    assert files_of(Customer.objects.get(pk=three.pk)) == [two.pk, three.pk]


def test_a_file_merged_anew_meanwhile_stays_where_it_is_now(cast, actor):
    one, two, three = (trader(actor, n, identity_number=resident_id_of(n)) for n in (1, 2, 3))
    Customer.objects.update(kind="company")
    relate(actor("lin"), three, "shareholder", person("王大海", 77), share=Decimal(60))
    merge(actor, two, three)
    merge(actor, one, two)
    undo(actor, three)
    merge(actor, one, three)

    undo(actor, two)

    assert Customer.objects.get(pk=three.pk).merged_into == one
    assert Relation.objects.get().customer == one
    undo(actor, three)
    assert (Relation.objects.get().customer, Relation.objects.get().to_party.customer) == (three, three)


def test_undoing_one_far_down_takes_back_only_what_came_from_it(cast, actor):
    """The file on top had the same phone by itself; the one between had its phone and code from below."""
    top = trader(actor, 1)
    between = trader(actor, 2, phone="", address="")
    below = make_customer(actor("lin"), 3, kind="sole_trader", address="河埠头 3 号")
    Customer.objects.exclude(pk=below.pk).update(kind="company")
    Customer.objects.filter(pk=below.pk).update(kind="company")
    before = [facts(row) for row in (top, between, below)]
    merge(actor, between, below)
    merge(actor, top, between)
    assert (Customer.objects.get(pk=top.pk).uscc, Customer.objects.get(pk=between.pk).uscc) == (uscc_of(3), None)

    undo(actor, below)

    top.refresh_from_db()
    between.refresh_from_db()
    assert (top.phone, top.phone_digest != "", top.uscc) == ("13800138000", True, None)
    assert (between.phone, between.address, between.phone_digest) == ("", "", "")
    undo(actor, between)
    assert [facts(row) for row in (top, between, below)] == before


def test_figures_of_both_are_one_series_and_a_month_told_twice_counts_once(two, actor):
    kept, other = two
    register_sources(grid="国网", solar="光伏")

    def send(customer: Customer, source: str, **months: str) -> None:
        rows = [
            {"metric": "electricity_kwh", "source": source, "period_month": f"2025-{month[1:]}", "value": value}
            for month, value in months.items()
        ]
        records.receive_records(actor=actor("lin"), customer_id=customer.pk, records=rows)

    send(kept, "grid", **{f"m{month:02d}": "100" for month in range(3, 10)})
    send(other, "grid", **{f"m{month:02d}": "70" for month in range(8, 13)})
    send(other, "solar", m05="5")
    assert year_total(kept, "electricity_kwh", until=date(2025, 12, 31)) is None

    merge(actor, kept, other)
    kept = Customer.objects.get(pk=kept.pk)

    grid, solar = record_series(kept, until=date(2025, 12, 31))
    assert [int(point.value) for point in grid.points] == [100] * 7 + [70] * 3
    assert [int(point.value) for point in solar.points] == [5]
    # Figures still come in for the number the sender knows.
    send(Customer.objects.get(pk=other.pk), "grid", m01="70", m02="70")
    assert year_total(kept, "electricity_kwh", until=date(2026, 1, 31)) == 7 * 100 + 5 * 70
    undo(actor, other)
    assert year_total(Customer.objects.get(pk=kept.pk), "electricity_kwh", until=date(2026, 1, 31)) is None


def test_a_consent_on_either_file_holds(two, actor):
    kept, other = two
    given: Any = {"given_by_name": "陈", "given_on": date(2026, 3, 1), "expires_on": date(2027, 3, 1)}
    consents.record_consent(actor=actor("lin"), customer_id=other.pk, scope="tax", **given)
    rows = Customer.objects.filter(pk=kept.pk)
    assert not consenting(rows, "tax", date(2026, 3, 2)).exists()
    merge(actor, kept, other)
    assert consenting(rows, "tax", date(2026, 3, 2)).exists()


def test_a_lead_like_the_merged_file_is_found_to_be_the_kept_one(two, actor):
    kept, other = two
    assert [match.thing for match in second_files_of(kept, actor("zhou"))] == [other]
    merge(actor, kept, other)
    assert second_files_of(Customer.objects.get(pk=kept.pk), actor("zhou")) == []
    found = duplicates_of(make_lead(actor("lin"), name="陈记农机商行", phone="13700137000"), actor("lin"))
    assert [match.thing for match in found] == [kept]


def test_the_list_finds_who_may_be_on_file_twice(two, actor):
    kept, other = two
    lin = actor("lin")
    apart = {"identity_number": resident_id_of(33), "phone": "13700137000"}
    make_customer(lin, 3, name="林记五金", **apart)
    # The same shop by phone and name; another firm by its own code; the same representative of two companies.
    shop = [trader(actor, n, name="周记饭店", phone="13600136000", identity_number=resident_id_of(n)) for n in (4, 5)]
    for number in (6, 7):
        make_customer(lin, number, name="吴记饭店", phone="13500135000", identity_number=resident_id_of(6))

    def found() -> set[int]:
        return set(with_second_files(visible(Customer, actor("zhou"))).values_list("pk", flat=True))

    assert found() == {kept.pk, other.pk, *(row.pk for row in shop)}
    merge(actor, kept, other)
    assert found() == {row.pk for row in shop}


def test_a_number_given_back_may_have_gone_to_somebody_else(two, actor):
    kept, other = two
    merge(actor, kept, other)
    customers.update_customer(actor=actor("lin"), customer_id=kept.pk, uscc=uscc_of(8), kind="sole_trader")
    taken = make_customer(actor("lin"), 2)

    undo(actor, other)

    other.refresh_from_db()
    assert (taken.uscc, other.uscc, Customer.objects.get(pk=kept.pk).uscc) == (uscc_of(2), None, uscc_of(8))


# --- pages and API


@pytest.fixture
def no_second_factor(cast) -> None:
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))


def test_the_pages_say_it_and_offer_what_is_left(no_second_factor, two, actor, client, cast):
    kept, other = two
    client.force_login(cast.zhou)
    form = client.get(reverse("customer-merge", args=[kept.pk]))
    assert f'<option value="{other.pk}">' in form.content.decode()
    address, body = reverse("customer-merge", args=[kept.pk]), {"other_id": other.pk, "reason": "同一老板"}

    preview = client.post(address, body | {"preview": "1"}).content.decode()
    assert "data-preview" in preview
    assert uscc_of(2) in preview
    assert Customer.objects.get(pk=other.pk).merged_into is None

    assert client.post(address, body).status_code == 302
    page = client.get(reverse("customer-detail", args=[kept.pk])).content.decode()
    assert reverse("customer-detail", args=[other.pk]) in page
    merged = client.get(reverse("customer-detail", args=[other.pk])).content.decode()
    assert reverse("customer-undo-merge", args=[other.pk]) in merged
    assert reverse("customer-reassign", args=[other.pk]) not in merged
    assert client.post(reverse("customer-undo-merge", args=[other.pk]), {"reason": "错"}).status_code == 302
    assert Customer.objects.get(pk=other.pk).merged_into is None


def test_a_file_that_is_not_the_readers_has_no_name_on_the_page(no_second_factor, two, actor, client, cast):
    kept, other = two
    merge(actor, kept, other)
    Customer.objects.filter(pk=other.pk).update(owner=cast.outsider, office=cast.offices.JB)
    client.force_login(cast.lin)
    page = client.get(reverse("customer-detail", args=[kept.pk])).content.decode()
    section = page[page.index('id="files"') : page.index('id="size"')]
    assert "陈•••" in section
    assert other.name not in section
    assert reverse("customer-detail", args=[other.pk]) not in section


def test_over_the_api(no_second_factor, two, actor, client, cast):
    kept, other = two
    client.force_login(cast.zhou)
    address = f"/api/v1/customers/{kept.pk}/merge/"
    told = client.post(f"{address}preview/", {"other_id": other.pk, "reason": "同"}, "application/json").json()
    assert told["filled"] == ["address", "annual_sales", "phone", "uscc"]
    assert "13800138000" not in str(told)
    assert client.post(address, {"other_id": other.pk, "reason": "同"}, "application/json").status_code == 200
    assert client.get(f"/api/v1/customers/{other.pk}/").json()["merged_into"] == kept.pk
    refused = client.post(address, {"other_id": other.pk, "reason": "同"}, "application/json")
    assert refused.status_code == 400
    assert "other_id" in refused.json()["errors"]
