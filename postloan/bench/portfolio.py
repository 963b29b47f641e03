"""A portfolio of any size in a few statements: one loan made row by row, then multiplied in the database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Model

from branch.models import BusinessDay, Office, User
from customers.models import Customer
from loans.models import Application, Contract, Drawdown, Facility, Loan, Product, ProductVersion

#: Ids of what is multiplied begin here, so that they follow each other.
BASE = 1_000_000
INSTALMENTS = 12
#: Of a hundred loans, so many owe their last instalment still.
LATE_OF_HUNDRED = 3


def make_portfolio(count: int, day: date) -> None:
    """`count` loans of as many customers at every point of their year on `day`, three in a hundred of them late.

    A thirtieth each is 30/360 and ACT/ACT; loans of the last days have accrued before. On the days of the rounds the
    others pay what falls due, so that no more than three in a hundred stay late.
    """
    loan = _template(day)
    age = "(g % 330)"
    ids = {"id": f"{BASE} + g", "customer_id": f"{BASE} + g", "application_id": f"{BASE} + g"}
    number = "'BENCH-' || g"
    _multiply(loan.customer, count, {"id": ids["id"], "name": number})
    _multiply(loan.application, count, ids | {"application_id": "", "number": number})
    facility = loan.drawdown.facility
    _multiply(facility.contract, count, ids | {"number": number})
    _multiply(facility, count, ids | {"contract_id": ids["id"]})
    _multiply(loan.drawdown, count, ids | {"facility_id": ids["id"], "number": number})
    offices = ", ".join(str(pk) for pk in Office.objects.values_list("pk", flat=True))
    _multiply(
        loan,
        count,
        ids
        | {
            "drawdown_id": ids["id"],
            "number": number,
            "principal": "(10000 + g % 90000)",
            "outstanding_principal": "(10000 + g % 90000)",
            "start_date": f"DATE '{day}' - {age}",
            "maturity_date": f"(DATE '{day}' - {age} + interval '{INSTALMENTS} months')::date",
            "office_id": f"(ARRAY[{offices}])[1 + g % {Office.objects.count()}]",
            "product_family": "(ARRAY['term', 'short_term', 'revolving', 'secured'])[1 + g % 4]",
            "day_count": "CASE g % 30 WHEN 0 THEN '30/360' WHEN 1 THEN 'actual/actual' ELSE 'actual/360' END",
            "shard_key": f"{BASE} + g",
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULES, {"day": day, "base": BASE, "instalments": INSTALMENTS, "late": LATE_OF_HUNDRED})
        cursor.execute(_LAST_DAYS, {"day": day, "base": BASE})
        cursor.execute("UPDATE loans_loan SET state = 'settled', outstanding_principal = 0 WHERE id = %s", [loan.pk])
        for table in ("loans_loan", "loans_instalment", "loans_accrual", "customers_customer", "loans_loanentry"):
            cursor.execute(f"VACUUM ANALYZE {table}")


_SCHEDULES = """
    INSERT INTO loans_instalment (loan_id, customer_id, number, start_date, due_date, principal, interest,
                                  principal_paid, interest_paid, balance_after, fee, fee_paid, end_date, counted_days,
                                  earned_interest, brought_interest, bearing_principal, bearing_from, interest_before,
                                  is_spread)
    SELECT id, customer_id, n, start, due, part, interest,
           CASE WHEN is_paid THEN part ELSE 0 END, CASE WHEN is_paid THEN interest ELSE 0 END,
           principal - least(n * part, principal), 0, 0, due, CASE day_count WHEN '30/360' THEN 30 ELSE due - start END,
           interest, 0, principal - (n - 1) * round(principal / %(instalments)s, 2), start, 0, false
    FROM (
        SELECT l.id, l.customer_id, l.principal, l.day_count, n, start, due,
               CASE WHEN n < %(instalments)s THEN round(l.principal / %(instalments)s, 2)
                    ELSE l.principal - (n - 1) * round(l.principal / %(instalments)s, 2) END AS part,
               round((l.principal - (n - 1) * round(l.principal / %(instalments)s, 2)) * l.annual_rate
                     * CASE l.day_count WHEN '30/360' THEN 30 ELSE due - start END / 360, 2) AS interest,
               due <= %(day)s::date + 10 AND NOT (l.id %% 100 < %(late)s AND due >= %(day)s::date - 31) AS is_paid
        FROM loans_loan l, generate_series(1, %(instalments)s) n,
             LATERAL (SELECT (l.start_date + make_interval(months => n - 1))::date AS start,
                             (l.start_date + make_interval(months => n))::date AS due) period
        WHERE l.id > %(base)s
    ) rows
"""
_LAST_DAYS = """
    INSERT INTO loans_accrual (loan_id, customer_id, date, interest, penalty)
    SELECT l.id, l.customer_id, gone::date, 1, 0
    FROM loans_loan l, generate_series(greatest(l.start_date, %(day)s::date - 7), %(day)s::date - 1, '1 day') gone
    WHERE l.id > %(base)s
"""


def _multiply(row: Model, count: int, changed: dict[str, str]) -> None:
    """Copy a row `count` times with some columns worked out from `g`, the number of the copy."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields]
    values = [changed.get(str(column)) or f't."{column}"' for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} t, generate_series(1, {count:d}) g "
            f"WHERE t.id = {row.pk:d}"
        )
        cursor.execute(f"ANALYZE {table}")


def _template(day: date) -> Loan:
    """The loan that is multiplied, with everything it hangs on; itself it is settled."""
    BusinessDay.objects.create(date=day)
    office = Office.objects.create(code="HO", name="Head office", kind="head_office", path="/1/")
    Office.objects.bulk_create(
        Office(code=f"B{n}", name=f"Branch {n}", kind="branch", parent=office, path=f"/1/{n}/") for n in range(2, 6)
    )
    user = User.objects.create_user("bench", office=office, display_name="bench")
    product = Product.objects.create(code="B", name_zh="测", name_en="Bench", family="term")
    version = ProductVersion.objects.create(
        product=product,
        number=1,
        office=office,
        drafted_by=user,
        min_amount=1,
        max_amount=10**7,
        max_term_days=1000,
        repayment_methods=[],
        guarantee_modes=[],
        rate_floor=0,
        rate_cap=1,
    )
    own: dict[str, Any] = {"office": office, "owner": user}
    customer = Customer.objects.create(**own, kind="company", name="bench", contact_name="bench")
    terms = {
        "instalments": INSTALMENTS,
        "frequency_unit": "month",
        "frequency_every": 1,
        "repayment_method": "equal_principal",
    }
    own |= {"customer": customer}
    application = Application.objects.create(
        **own,
        **terms,
        number="BENCH",
        product_version=version,
        amount=10000,
        guarantee_mode="credit",
        purpose="bench",
    )
    own |= {"application": application}
    rates = {"annual_rate": Decimal("0.045"), "penalty_rate": Decimal("0.0675"), "day_count": "actual/360"}
    contract = Contract.objects.create(**own, **terms, **rates, number="BENCH", amount=10000)
    facility = Facility.objects.create(**own, contract=contract, limit_amount=10000, maturity_date=day)
    drawdown = Drawdown.objects.create(
        **own, facility=facility, number="BENCH", amount=10000, payee_name="-", payee_account="-", purpose="-"
    )
    return Loan.objects.create(
        **own,
        **rates,
        drawdown=drawdown,
        number="BENCH",
        product_family="term",
        principal=10000,
        outstanding_principal=10000,
        start_date=day,
        maturity_date=day,
        shard_key=0,
    )
