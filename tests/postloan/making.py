"""Loans by the dozen, and nights: what tests of the post-loan part begin with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar

from django.db.models import Model

from branch.domain.actor import system_actor
from branch.models import BusinessDay
from branch.queries.business_date import business_date
from customers.models import Customer, ExternalRecord
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit
from loans.domain.schedule import ScheduleTerms, build_schedule
from loans.domain.terms import RepaymentMethod
from loans.models import Application, Contract, Drawdown, Facility, Instalment, Loan
from loans.services.lending import add_instalments
from postloan.models import SweepRun
from postloan.services.close import close_business_day
from postloan.services.sweep import run_sweep_inline
from tests.loans.given import product_version

M = TypeVar("M", bound=Model)


def make_loan(
    cast: SimpleNamespace,
    serial: int,
    *,
    principal: Decimal = Decimal("120000.00"),
    annual_rate: Decimal = Decimal("0.045"),
    start_date: date = date(2026, 3, 2),
    instalments: int = 12,
    method: str = "equal_instalment",
    day_count: str = "actual/360",
    unit: str = "month",
    kind: str = "company",
    customer: Customer | None = None,
    **facts: Any,
) -> Loan:
    """A loan of Lin's with its schedule, straight into the tables; `facts` override the loan's columns."""
    customer = customer or make_customer(cast, serial, kind)
    common: dict[str, Any] = {"office": customer.office, "customer": customer, "owner_id": customer.owner_id}
    terms = {
        "instalments": instalments,
        "frequency_unit": unit,
        "frequency_every": 1,
        "repayment_method": method,
    }
    application = Application.objects.create(
        **common,
        **terms,
        state="contracted",
        number=f"XW-{serial}",
        product_version=product_version(cast, "short_term"),
        amount=principal,
        guarantee_mode="credit",
        purpose="采购",
    )
    contract = Contract.objects.create(
        **common,
        **terms,
        application=application,
        state="signed",
        number=f"HT-{serial}",
        amount=principal,
        annual_rate=annual_rate,
        penalty_rate=annual_rate * Decimal("1.5"),
        day_count=day_count,
        signed_date=start_date,
    )
    schedule = build_schedule(
        ScheduleTerms(
            principal=principal,
            annual_rate=annual_rate,
            start_date=start_date,
            repayment_method=RepaymentMethod(method),
            day_count=DayCount(day_count),
            instalments=instalments,
            frequency=Frequency(Unit(unit), 1),
        )
    )
    facility = Facility.objects.create(
        **common,
        application=application,
        contract=contract,
        state="effective",
        limit_amount=principal,
        drawn_amount=principal,
        maturity_date=schedule.rows[-1].due_date,
    )
    drawdown = Drawdown.objects.create(
        **common,
        application=application,
        facility=facility,
        state="disbursed",
        number=f"HT-{serial}-D1",
        amount=principal,
        payee_name="恒润钢材有限公司",
        payee_account="6228",
        purpose="采购",
    )
    loan_facts: dict[str, Any] = {
        "principal": principal,
        "outstanding_principal": principal,
        "annual_rate": annual_rate,
        "penalty_rate": annual_rate * Decimal("1.5"),
        "day_count": day_count,
        "start_date": start_date,
        "maturity_date": schedule.rows[-1].due_date,
        "shard_key": customer.pk,
        "product_family": "short_term",
    }
    loan = Loan.objects.create(
        **common, application=application, drawdown=drawdown, number=f"HT-{serial}-L1", **(loan_facts | facts)
    )
    add_instalments(loan)
    return loan


def make_customer(cast: SimpleNamespace, serial: int, kind: str = "company", owner: Any = None) -> Customer:
    return Customer.objects.create(
        office=cast.offices.HW, owner=owner or cast.lin, kind=kind, name=f"永丰冲压件{serial}厂", contact_name="陈"
    )


def pay_in_full(loan: Loan, until: date) -> None:
    """Mark everything due up to `until` as paid, without money moving."""
    for row in loan.instalments.filter(due_date__lte=until):
        Instalment.objects.filter(pk=row.pk).update(principal_paid=row.principal, interest_paid=row.interest)


def use_power(customer: Customer, months: dict[str, str]) -> None:
    """Meter figures by month (2026-02) in kWh."""
    ExternalRecord.objects.bulk_create(
        ExternalRecord(
            customer=customer,
            metric_id="electricity_kwh",
            source_id="grid",
            period_month=date.fromisoformat(f"{month}-01"),
            value=Decimal(kwh),
        )
        for month, kwh in months.items()
    )


def close_day() -> SweepRun:
    """The whole night of the present business date, in this process."""
    return run_sweep_inline(close_business_day(actor=system_actor(), date=business_date()).pk)


def close_until(day: date, before_each: Callable[[date], None] = lambda _today: None) -> None:
    """Close every day before `day`, so that `day` is open."""
    while (today := business_date()) < day:
        before_each(today)
        close_day()


def open_on(day: date) -> None:
    """Make `day` the business date; the days before are closed without their nights."""
    BusinessDay.objects.exclude(state="closed").update(state="closed")
    BusinessDay.objects.update_or_create(date=day, defaults={"state": "open"})


def fresh(row: M) -> M:
    """The row as it stands in the database now."""
    return type(row)._default_manager.get(pk=row.pk)
