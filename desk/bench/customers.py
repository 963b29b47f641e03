"""A bank with a million customers and their figures, made in a few statements."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection

from branch.models import BusinessDay, Office, RoleAssignment, User
from customers.models import Customer, RecordSource

DAY = date(2026, 3, 2)
PLACES = "宁波余姚慈溪奉化象山宁海镇海北仑鄞州海曙江北杭州绍兴台州温州"
WORDS = "鑫达永丰兴隆海泰恒润金诚宏远凯达瑞祥华盛顺通嘉禾东方天元德昌"
TRADES = "五金机械建材食品服饰塑料纸业水产物流电器汽配家具包装模具化工农业"
METRICS = (
    *("electricity_kwh", "water_m3", "tax_declared", "tax_paid", "account_inflow", "account_outflow", "headcount"),
    *("receivables", "gas_m3", "wages"),
)


def make_bank(customers: int, records: int) -> User:
    """`customers` customers at an office, with `records` monthly figures over the last years; who looks at them."""
    BusinessDay.objects.create(date=DAY)
    office = Office.objects.create(code="BENCH", name="bench", kind="head_office", path="/0/")
    Office.objects.filter(pk=office.pk).update(path=f"/{office.pk}/")
    user = User.objects.create(username="bench", office=office)
    RoleAssignment.objects.create(user=user, role="branch_manager", office=office, start_date=date(2020, 1, 1))
    RecordSource.objects.create(office=office, code="bench", name="bench")
    _customers(customers, office.pk, user.pk)
    _records(customers, records)
    with connection.cursor() as cursor:
        for table in ("customers_customer", "customers_externalrecord"):
            cursor.execute(f"ANALYZE {table}")
    return user


def _piece(words: str, step: int) -> str:
    """Two characters of `words`, by the number of the customer and something of chance."""
    pairs = len(words) // 2
    return f"substr('{words}', 1 + 2 * ((g / {step} + (random() * {pairs})::int) % {pairs}), 2)"


def _customers(count: int, office: int, owner: int) -> None:
    pieces = "ARRAY(SELECT DISTINCT substr(n.name, i, 2) FROM generate_series(1, length(n.name) - 1) i)"
    _fill(
        Customer,
        f"""
        SELECT {office} AS office_id, {owner} AS owner_id, 'company' AS kind, n.name, {pieces} AS name_bigrams,
               '9133' || lpad(g::text, 14, '0') AS uscc, '陈' AS contact_name,
               substr('{TRADES}', 1 + 2 * (g % 16)::int, 2) AS industry, (g % 997) * 10000 AS annual_sales
        FROM (SELECT g, {_piece(PLACES, 1)} || {_piece(WORDS, 7)} || {_piece(WORDS, 131)} || {_piece(TRADES, 17)}
                        || '有限公司' AS name FROM generate_series(1, {count}) g) n
        """,
    )


def _records(customers: int, records: int) -> None:
    months = max(records // (customers * len(METRICS)), 1)
    metrics = ", ".join(f"('{code}')" for code in METRICS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO customers_externalrecord (customer_id, metric, source, period_month, value)
            SELECT c.id, m.code, 'bench', '{DAY.replace(day=1)}'::date - make_interval(months => k), 1000 + k
            FROM generate_series(1, {months}) k CROSS JOIN (VALUES {metrics}) m (code)
            CROSS JOIN customers_customer c
            """
        )


def _fill(model: type[Customer], query: str) -> None:
    """Insert what `query` gives; columns it leaves out take the model's defaults, as the database has none of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE made AS {query}")
        cursor.execute("SELECT * FROM made LIMIT 0")
        given = [column.name for column in cursor.description or ()]
        rest: dict[str, Any] = {
            str(field.column): field.get_db_prep_save(field.get_default(), connection)
            for field in model._meta.local_concrete_fields
            if field.column not in given and not field.primary_key and not field.has_db_default()
        }
        names = ", ".join([*given, *rest])
        marks = ", ".join([*given, *["%s"] * len(rest)])
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) SELECT {marks} FROM made", list(rest.values()))
        cursor.execute("DROP TABLE made")
