"""Outside figures: good rows kept, bad ones told, sent twice counted once."""

from datetime import date
from decimal import Decimal

import pytest

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.models import Event, RoleAssignment, User
from branch.queries.visibility import visible
from customers.models import ExternalRecord
from customers.queries.records import record_series, year_total
from customers.services.records import receive_records
from tests.customers.making import make_customer, register_sources


def kwh(month, value, **changes):
    return {"metric": "electricity_kwh", "source": "grid", "period_month": month, "value": value} | changes


@pytest.fixture
def customer(cast, actor):
    register_sources(grid="国网", solar="光伏")
    return make_customer(actor("lin"))


@pytest.fixture
def meter(cast, actor):
    user = User.objects.create_user("meter", password="demo", office=cast.offices.CD)
    RoleAssignment.objects.create(user=user, role="integration", office=cast.offices.CD, start_date=date(2020, 1, 1))
    return actor("meter")


def test_good_rows_are_kept_and_bad_ones_come_back_with_the_reason(customer, actor):
    receipt = receive_records(
        actor=actor("lin"),
        customer_id=customer.pk,
        records=[
            kwh("2026-01", "21460.5"),
            kwh("2026-01-31", 900, source="solar"),
            kwh("2026-13", 1),
            kwh("2026-04", 1),
            kwh("2026-01", -1),
            kwh("2026-01", "1.0001"),
            kwh("2026-01", "NaN"),
            kwh("2026-01", True),
            kwh("2026-01", 1, metric="steam"),
            kwh("2026-01", 1, source=" "),
            "not a row",
            kwh("2026-02", Decimal("0")),
        ],
    )

    assert [row.outcome.value for row in receipt.rows] == [
        "accepted", "accepted", *["rejected"] * 9, "accepted",
    ]  # fmt: skip
    assert receipt.counts == {"accepted": 3, "replaced": 0, "unchanged": 0, "overtaken": 0, "rejected": 9}
    assert all(row.reason for row in receipt.rows if row.outcome == "rejected")
    assert sorted((row.period_month, row.source_id, row.value) for row in ExternalRecord.objects.all()) == [
        (date(2026, 1, 1), "grid", Decimal("21460.500")),
        (date(2026, 1, 1), "solar", Decimal("900.000")),
        (date(2026, 2, 1), "grid", Decimal("0.000")),
    ]


def test_sending_twice_does_it_once(customer, actor):
    rows = [kwh("2026-01", 100), kwh("2026-02", 110)]
    receive_records(actor=actor("lin"), customer_id=customer.pk, records=rows)
    events = Event.objects.count()

    receipt = receive_records(actor=actor("lin"), customer_id=customer.pk, records=rows)

    assert receipt.counts["unchanged"] == 2
    assert ExternalRecord.objects.count() == 2
    assert Event.objects.count() == events


def test_a_corrected_figure_replaces_and_the_former_is_kept(customer, actor):
    receive_records(actor=actor("lin"), customer_id=customer.pk, records=[kwh("2026-01", 100)])

    receipt = receive_records(
        actor=actor("lin"), customer_id=customer.pk, records=[kwh("2026-01", 90), kwh("2026-01", 95)]
    )

    assert [row.outcome.value for row in receipt.rows] == ["overtaken", "replaced"]
    current = ExternalRecord.objects.get(superseded_at=None)
    assert current.value == 95
    assert sorted(ExternalRecord.objects.exclude(superseded_at=None).values_list("value", flat=True)) == [100]
    assert Event.objects.filter(name="customer.receive_records").count() == 2


def test_an_integration_client_sends_what_it_cannot_read(customer, meter):
    receipt = receive_records(actor=meter, customer_id=customer.pk, records=[kwh("2026-01", 100)])

    assert receipt.counts["accepted"] == 1
    assert not visible(ExternalRecord, meter).exists()


def test_who_may_send(customer, actor, cast):
    for name in ("lin", "he"):
        receive_records(actor=actor(name), customer_id=customer.pk, records=[kwh("2026-01", 100)])
    before = (ExternalRecord.objects.count(), Event.objects.count())

    for name in ("zhao", "sun", "qian", "wu", "zhou", "feng"):
        with pytest.raises(PermissionRefused):
            receive_records(actor=actor(name), customer_id=customer.pk, records=[kwh("2026-01", 200)])
    with pytest.raises(NotFound):
        receive_records(actor=actor("outsider"), customer_id=customer.pk, records=[kwh("2026-01", 200)])

    assert (ExternalRecord.objects.count(), Event.objects.count()) == before


def test_a_client_of_another_branch_finds_no_customer(customer, cast, actor):
    user = User.objects.create_user("far", password="demo", office=cast.offices.JB)
    RoleAssignment.objects.create(user=user, role="integration", office=cast.offices.JB, start_date=date(2020, 1, 1))
    with pytest.raises(NotFound):
        receive_records(actor=actor("far"), customer_id=customer.pk, records=[kwh("2026-01", 100)])
    assert not ExternalRecord.objects.exists()


@pytest.mark.parametrize("records", [[], None, {"metric": "electricity_kwh"}, [{}] * 5001])
def test_nothing_or_too_much_is_refused(customer, actor, records):
    with pytest.raises(InvalidInput):
        receive_records(actor=actor("lin"), customer_id=customer.pk, records=records)


def test_series_run_over_the_months_by_metric_and_source(customer, actor):
    receive_records(
        actor=actor("lin"),
        customer_id=customer.pk,
        records=[kwh("2026-02", 110), kwh("2026-01", 100), kwh("2023-01", 1), kwh("2026-01", 9, metric="water_m3")],
    )
    receive_records(actor=actor("lin"), customer_id=customer.pk, records=[kwh("2026-01", 105)])

    series = record_series(customer, until=date(2026, 3, 2))

    assert [(s.metric, s.source, [(p.month.month, p.value) for p in s.points]) for s in series] == [
        ("electricity_kwh", "grid", [(1, Decimal(105)), (2, Decimal(110))]),
        ("water_m3", "grid", [(1, Decimal(9))]),
    ]


def test_a_years_total_needs_twelve_whole_months_of_one_source(customer, actor):
    months = [f"2025-{m:02d}" for m in range(3, 13)] + ["2026-01"]
    send = [kwh(month, 100) for month in months]
    receive_records(actor=actor("lin"), customer_id=customer.pk, records=send)
    assert year_total(customer, "electricity_kwh", until=date(2026, 3, 2)) is None

    receive_records(actor=actor("lin"), customer_id=customer.pk, records=[kwh("2026-02", 150), kwh("2026-03", 7)])
    assert year_total(customer, "electricity_kwh", until=date(2026, 3, 2)) == 1250
