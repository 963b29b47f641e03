"""The night's SQL and the pure functions give the same figures, to the cent, on schedules and payments at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from branch.models import ParameterValue
from customers.models import Customer
from loans.domain.arrears import InstalmentDue, InstalmentPayment, arrears_on
from loans.domain.daycount import DayCount
from loans.domain.owed import accrued_on, penalty_between
from loans.models import Accrual, Instalment, Loan
from loans.queries.schedules import schedule_rows
from postloan.domain.classification import AssetClass, ClassFacts, ClassParameters, classify, provision
from postloan.domain.indicators import MonthlySeries, OverdueFacts, evaluate
from postloan.domain.thresholds import shipped_rule
from postloan.models import IndicatorReading, LoanDay
from postloan.services.steps.accrue import accrue
from postloan.services.steps.classify import classify as classify_part
from postloan.services.steps.indicators import indicators
from postloan.services.steps.part import Part
from tests.postloan.making import make_customer, make_loan, pay_in_full, use_power

ONE_DAY = timedelta(days=1)
SERIALS = count(1)
WITH_DATABASE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@contextmanager
def undone() -> Iterator[None]:
    """What one example writes is gone before the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def part(day: date) -> Part:
    return Part(day, 0, 1)


@st.composite
def terms(draw: Any) -> dict[str, Any]:
    return {
        "principal": draw(st.decimals("1000", "9000000", places=2)),
        "annual_rate": draw(st.decimals("0.000001", "0.36", places=6)),
        "start_date": draw(st.dates(date(2023, 12, 25), date(2024, 3, 31))),
        "instalments": draw(st.integers(1, 14)),
        "method": draw(st.sampled_from(["equal_instalment", "equal_principal", "interest_only", "bullet"])),
        "day_count": draw(st.sampled_from([convention.value for convention in DayCount])),
        "unit": draw(st.sampled_from(["month", "month", "week"])),
    }


def pay_at_random(loan: Loan, seed: int) -> None:
    """Each instalment whole, in part, or not at all."""
    chance = random.Random(seed)
    for row in loan.instalments.all():
        share = chance.choice([Decimal(0), Decimal("0.37"), Decimal(1)])
        Instalment.objects.filter(pk=row.pk).update(
            principal_paid=(row.principal * share).quantize(Decimal("0.01")),
            interest_paid=(row.interest * chance.choice([share, Decimal(1)])).quantize(Decimal("0.01")),
        )


@WITH_DATABASE
@given(
    terms=terms(),
    days_on=st.integers(0, 420),
    seed=st.integers(0, 9),
    compounds=st.booleans(),
    grace=st.sampled_from([0, 0, 3, 31]),
)
@example(
    # Two days over the end of February of a leap year, bond basis.
    terms={"principal": Decimal("100000"), "annual_rate": Decimal("0.12"), "start_date": date(2024, 1, 31),
           "instalments": 3, "method": "equal_principal", "day_count": "30/360", "unit": "month"},
    days_on=29, seed=1, compounds=True, grace=0,
)  # fmt: skip
@example(
    terms={"principal": Decimal("100000"), "annual_rate": Decimal("0.12"), "start_date": date(2023, 12, 28),
           "instalments": 2, "method": "bullet", "day_count": "actual/actual", "unit": "month"},
    days_on=3, seed=1, compounds=False, grace=0,
)  # fmt: skip
def test_a_days_accrual(
    cast: SimpleNamespace, terms: dict[str, Any], days_on: int, seed: int, compounds: bool, grace: int
) -> None:
    with undone():
        ParameterValue.objects.create(code="penalty.compounds", value=compounds, effective_date=date(2020, 1, 1))
        loan = make_loan(cast, next(SERIALS), **terms)
        Loan.objects.filter(pk=loan.pk).update(terms={"grace_days": grace})
        loan.refresh_from_db()
        pay_at_random(loan, seed)
        day = loan.start_date + timedelta(days=days_on)
        # Catching up days missed before is another test.
        Accrual.objects.bulk_create(
            Accrual(loan=loan, customer_id=loan.customer_id, date=day - n * ONE_DAY, interest=0, penalty=0)
            for n in range(1, min(days_on, 8) + 1)
        )

        accrue(part(day))

        rows, convention = schedule_rows(loan), DayCount(loan.day_count)
        running = [row for row in rows if row.start_date <= day < row.due_date]
        interest = sum(
            accrued_on(day + ONE_DAY, row, loan.annual_rate, convention)
            - accrued_on(day, row, loan.annual_rate, convention)
            for row in running
        )
        penalty = penalty_between(
            day, day + ONE_DAY, rows, penalty_rate=loan.penalty_rate, day_count=convention, compounds=compounds,
            grace_days=grace,
        )  # fmt: skip
        booked = Accrual.objects.get(loan=loan, date=day)
        assert (booked.interest, booked.penalty) == (interest, penalty)


@pytest.mark.parametrize("contract", [True, False])
def test_the_contract_says_whether_unpaid_interest_bears_penalty(cast: SimpleNamespace, contract: bool) -> None:
    with undone():
        ParameterValue.objects.create(code="penalty.compounds", value=not contract, effective_date=date(2020, 1, 1))
        loan = make_loan(cast, next(SERIALS), principal=Decimal("100000"), instalments=3)
        Loan.objects.filter(pk=loan.pk).update(terms={"penalty_compounds": contract})
        loan.refresh_from_db()
        day = loan.start_date + timedelta(days=75)
        Accrual.objects.bulk_create(
            Accrual(loan=loan, customer_id=loan.customer_id, date=day - n * ONE_DAY, interest=0, penalty=0)
            for n in range(1, 9)
        )

        accrue(part(day))

        with_interest, without = (
            penalty_between(
                day, day + ONE_DAY, schedule_rows(loan), penalty_rate=loan.penalty_rate,
                day_count=DayCount(loan.day_count), compounds=compounds,
            )
            for compounds in (True, False)
        )  # fmt: skip
        assert with_interest != without
        assert Accrual.objects.get(loan=loan, date=day).penalty == (with_interest if contract else without)


@pytest.mark.parametrize("day_count", [convention.value for convention in DayCount])
def test_the_days_of_every_period_sum_to_its_interest(cast: SimpleNamespace, day_count: str) -> None:
    loan = make_loan(
        cast, 1, principal=Decimal("87654.32"), day_count=day_count, start_date=date(2023, 12, 31), instalments=3
    )

    for offset in range((loan.maturity_date - loan.start_date).days):
        accrue(part(loan.start_date + timedelta(days=offset)))

    for row in loan.instalments.all():
        days = Accrual.objects.filter(loan=loan, date__gte=row.start_date, date__lt=row.due_date)
        assert sum(day.interest for day in days) == row.interest
        assert all(day.interest >= 0 for day in days)


@WITH_DATABASE
@given(
    overdue=st.lists(st.integers(-20, 400), min_size=1, max_size=3),
    previous=st.lists(st.sampled_from(AssetClass), min_size=3, max_size=3),
    kind=st.sampled_from(["company", "sole_trader"]),
    technical=st.sampled_from([0, 3, 30]),
    restructured=st.sampled_from([None, 100, 364, 366, 500]),
    misused=st.sampled_from([None, -1, 0, 30]),
    judged=st.sampled_from(["", *(c.value for c in AssetClass if c is not AssetClass.NORMAL)]),
    principal=st.lists(st.decimals("1000", "1000000", places=2), min_size=3, max_size=3),
)
@example(overdue=[91, 0], previous=[AssetClass.NORMAL] * 3, kind="company", technical=0, restructured=None,
         misused=None, judged="", principal=[Decimal(1000), Decimal(9000), Decimal(1000)])  # fmt: skip
@example(overdue=[91, 0], previous=[AssetClass.NORMAL] * 3, kind="company", technical=0, restructured=None,
         misused=None, judged="", principal=[Decimal(1001), Decimal(9000), Decimal(1000)])  # fmt: skip
def test_class_and_provision(
    cast: SimpleNamespace,
    overdue: list[int],
    previous: list[AssetClass],
    kind: str,
    technical: int,
    restructured: int | None,
    misused: int | None,
    judged: str,
    principal: list[Decimal],
) -> None:
    """One debtor with up to three loans, each so many days past its first due date."""
    day = date(2026, 6, 15)
    with undone():
        ParameterValue.objects.create(
            code="arrears.technical_delay_days", value=technical, effective_date=date(2020, 1, 1)
        )
        customer = make_customer(cast, next(SERIALS), kind)
        loans = [
            make_loan(
                cast,
                next(SERIALS),
                customer=customer,
                principal=principal[place],
                instalments=1,
                unit="week",
                start_date=day - timedelta(days=past + 7),
                asset_class=previous[place].value,
                restructured_date=day - timedelta(days=restructured) if restructured and place == 0 else None,
                misused_date=day - timedelta(days=misused) if misused is not None and place == 1 else None,
                judged_class=judged if place == 2 else "",
            )
            for place, past in enumerate(overdue)
            if past > -8
        ]

        classify_part(part(day))

        for place, loan in enumerate(loans):
            facts = class_facts(loan, loans, day, kind, technical)
            parameters = ClassParameters(technical_delay_days=min(technical, 7))
            expected = classify(facts, as_of=day, parameters=parameters)
            row = LoanDay.objects.get(loan=loan)
            found = (row.days_past_due, row.asset_class, row.class_rule, row.provision)
            assert found == (
                facts.days_past_due,
                expected.asset_class.value,
                expected.rule,
                provision(loan.outstanding_principal, expected.provision_rate),
            ), place


def arrears(loan: Loan, day: date) -> Any:
    rows = list(loan.instalments.all())
    return arrears_on(
        day,
        [InstalmentDue(row.number, row.due_date, row.principal, row.interest) for row in rows],
        [InstalmentPayment(row.number, row.start_date, row.principal_paid, row.interest_paid) for row in rows],
    )


def class_facts(loan: Loan, loans: list[Loan], day: date, kind: str, technical: int) -> ClassFacts:
    def own(other: Loan) -> ClassFacts:
        return ClassFacts(
            days_past_due=arrears(other, day).past_due_days,
            delay_is_technical=technical > 0,
            is_retail=kind != "company",
            restructured_date=other.restructured_date,
            funds_misused=other.misused_date is not None and other.misused_date <= day,
            judged_class=AssetClass(other.judged_class) if other.judged_class else None,
            previous_class=AssetClass(other.asset_class),
        )

    parameters = ClassParameters(technical_delay_days=min(technical, 7))
    bad = [
        other.outstanding_principal
        for other in loans
        if other != loan and classify(own(other), as_of=day, parameters=parameters).asset_class.is_non_performing
    ]
    total = sum(other.outstanding_principal for other in loans)
    return ClassFacts(
        **{name: getattr(own(loan), name) for name in (
            "days_past_due", "delay_is_technical", "is_retail", "restructured_date", "funds_misused", "judged_class",
            "previous_class",
        )},
        non_performing_share=sum(bad, Decimal(0)) / total,
    )  # fmt: skip


def test_arrears_in_part(cast: SimpleNamespace) -> None:
    day = date(2026, 8, 20)
    loans = [make_loan(cast, serial) for serial in range(1, 9)]
    for seed, loan in enumerate(loans):
        pay_at_random(loan, seed)

    classify_part(part(day))

    for loan in loans:
        expected, row = arrears(loan, day), LoanDay.objects.get(loan=loan)
        assert (row.days_past_due, row.overdue_amount) == (expected.past_due_days, expected.overdue_amount)


kwh = st.decimals("0", "900000", places=3)


@WITH_DATABASE
@given(
    usage=st.lists(st.one_of(st.none(), kwh), min_size=9, max_size=9),
    tail=st.lists(kwh, min_size=7, max_size=7),
)
@example(usage=[None] * 9, tail=[Decimal(34000)] * 6 + [Decimal(19000)])
@example(usage=[None] * 9, tail=[Decimal(10000)] * 6 + [Decimal(8500)])
@example(usage=[None] * 9, tail=[Decimal(0)] * 6 + [Decimal(8500)])
@example(usage=[Decimal(5)] * 9, tail=[Decimal(10000)] * 7)
def test_electricity(cast: SimpleNamespace, usage: list[Decimal | None], tail: list[Decimal]) -> None:
    """Sixteen months up to February 2026; the last seven are there, those before perhaps."""
    day, latest = date(2026, 3, 20), date(2026, 2, 1)
    months = [date(2024 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(16)]
    series = {month: value for month, value in zip(months, [*usage, *tail], strict=True) if value is not None}
    assert months[-1] == latest
    with undone():
        loan = make_loan(cast, next(SERIALS), start_date=date(2026, 2, 10))
        use_power(loan.customer, {f"{month:%Y-%m}": str(value) for month, value in series.items()})
        classify_part(part(day))

        indicators(part(day))

        rule = shipped_rule("electricity_down")
        facts = MonthlySeries(series, latest, rule.settings["months"])
        assert_same(loan, "electricity_down", evaluate("electricity_down", facts, rule.thresholds), series)


@pytest.mark.parametrize(
    ("label", "usage", "level"),
    [
        ("a month is missing", {"2025-08": "100", "2025-10": "100", "2025-11": "100", "2025-12": "100",
                                "2026-01": "100", "2026-02": "10"}, None),
        ("the month that is running does not count", {f"2025-{m:02d}": "100" for m in range(7, 13)}
         | {"2026-01": "100", "2026-02": "100", "2026-03": "3"}, None),
        ("a quarter less", {f"2025-{m:02d}": "100" for m in range(7, 13)} | {"2026-01": "75"}, "orange"),
        ("figures stopped coming long ago", {f"2025-{m:02d}": "100" for m in range(4, 11)} | {"2025-11": "1"}, None),
    ],
)  # fmt: skip
def test_electricity_at_its_edges(cast: SimpleNamespace, label: str, usage: dict[str, str], level: str | None) -> None:
    loan = make_loan(cast, 1, start_date=date(2026, 2, 10))
    use_power(loan.customer, usage)

    indicators(part(date(2026, 3, 20)))

    found = IndicatorReading.objects.filter(loan=loan).values_list("level", flat=True).first()
    assert found == level, label


@pytest.mark.parametrize("days", [0, 1, 7, 8, 30, 31])
def test_overdue(cast: SimpleNamespace, days: int) -> None:
    loan = make_loan(cast, 1)
    day = date(2026, 4, 2) + timedelta(days=days)
    classify_part(part(day))

    indicators(part(day))

    standing, rule = arrears(loan, day), shipped_rule("overdue")
    facts = OverdueFacts(standing.past_due_days, standing.overdue_amount, standing.oldest_unpaid_due_date)
    assert_same(loan, "overdue", evaluate("overdue", facts, rule.thresholds), None)


def assert_same(loan: Loan, code: str, expected: Any, series: dict[date, Decimal] | None) -> None:
    row = IndicatorReading.objects.filter(loan=loan, indicator=code).first()
    if expected.level is None:
        assert row is None
        return
    assert row is not None
    assert (row.level, row.value, row.threshold) == (expected.level.value, expected.value, expected.threshold)
    inputs = dict(expected.inputs)
    if series is not None:
        # Meter figures are kept with three places.
        inputs |= {f"{month:%Y-%m}": f"{value:.3f}" for month, value in series.items() if f"{month:%Y-%m}" in inputs}
    assert row.evidence == {"inputs": inputs, "formula": expected.formula}


def test_loans_on_merged_files_are_one_debtors_in_whichever_part_they_lie(cast: SimpleNamespace) -> None:
    """The bad loan of one file taints the good one of the other, also where a night's parts would split them."""
    day = date(2026, 3, 2) + timedelta(days=150)
    bad = make_loan(cast, 1, principal=Decimal("900000"))
    good = make_loan(cast, 2, principal=Decimal("100000"))
    pay_in_full(good, day)
    alone = make_loan(cast, 3)
    pay_in_full(alone, day)
    Customer.objects.filter(pk=bad.customer_id).update(merged_into=good.customer_id, uscc=None)
    assert (bad.customer_id - good.customer_id) % 2

    counts = [classify_part(Part(day, shard, 2)).rows for shard in (0, 1)]

    found = {row.loan_id: (row.asset_class, row.class_rule) for row in LoanDay.objects.filter(date=day)}
    assert sum(counts) == len(found) == 3
    assert found[good.pk] == ("substandard", "contagion")
    assert found[alone.pk] == ("normal", "none")
    assert {row.customer_id for row in LoanDay.objects.filter(loan=bad)} == {bad.customer_id}
    # Repeated, it writes nothing more; and set back, the good one recovers its own standing only by proving.
    assert [classify_part(Part(day, shard, 2)).rows for shard in (0, 1)] == [0, 0]


def test_power_told_on_a_merged_file_warns_of_the_loan_on_the_other(cast: SimpleNamespace) -> None:
    day = date(2026, 3, 20)
    loan = make_loan(cast, 1, start_date=date(2026, 2, 10))
    other = make_customer(cast, 2)
    use_power(other, {f"2025-{m:02d}": "100" for m in range(7, 13)} | {"2026-01": "75"})
    # What the file itself knows of a month counts, not both together.
    use_power(loan.customer, {"2025-12": "100", "2026-01": "75"})
    for shard in (0, 1):
        indicators(Part(day, shard, 2))
    assert not IndicatorReading.objects.exists()

    Customer.objects.filter(pk=other.pk).update(merged_into=loan.customer_id, uscc=None)
    for shard in (0, 1):
        indicators(Part(day, shard, 2))

    reading = IndicatorReading.objects.get()
    assert (reading.loan_id, reading.level, reading.value) == (loan.pk, "orange", Decimal("0.2500"))
