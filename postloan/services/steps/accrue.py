"""Interest and penalty interest of the day, one row per loan, to the cent.

The arithmetic is that of loans.domain.owed (accrued_on, penalty_between), in SQL; tests compare the two. Each day
takes what rounding the running total adds to it, so the days of a period sum to the interest its instalment asks
for. Penalty runs on what is overdue from its due date on, in place of contract interest.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from branch.queries.parameters import parameter
from loans.domain.ledger import Kind, MoneyEvent
from loans.services.ledger import post_totals
from postloan.models import SweepShard
from postloan.services.steps.part import COUNT_AND_DIGEST, CUSTOMER_IN_PART, LIVE, Part, Work, execute_and_sum

#: How far back days that were missed are made up: a loan confirmed late, a row that had been set aside.
CATCH_UP_DAYS = 31


def _weight(start: str, end: str) -> str:
    """The part of a year between two dates over _BASIS, as loans.domain.daycount counts it."""
    first = f"least({_field('day', start)}, 30)"
    last = f"CASE WHEN {_field('day', end)} = 31 AND {first} = 30 THEN 30 ELSE {_field('day', end)} END"
    years = f"({_field('year', end)} - {_field('year', start)})"
    months = f"({_field('month', end)} - {_field('month', start)})"
    bond = f"360 * {years} + 30 * {months} + {last} - {first}"
    isda = f"{_isda(end)} - {_isda(start)}"
    return f"CASE l.day_count WHEN '30/360' THEN {bond} WHEN 'actual/actual' THEN {isda} ELSE {end} - {start} END"


def _isda(day: str) -> str:
    """Time up to `day` over 365 × 366: whole years weigh the same, a day of a leap year less than another."""
    year = _field("year", day)
    is_leap = f"(({year} %% 4 = 0 AND {year} %% 100 <> 0) OR {year} %% 400 = 0)"
    return f"({year} * 133590 + ({_field('doy', day)} - 1) * CASE WHEN {is_leap} THEN 365 ELSE 366 END)"


def _field(part: str, day: str) -> str:
    return f"extract({part} FROM {day})::int"


#: NULL for a convention nobody knows.
_BASIS = (
    "CASE l.day_count WHEN 'actual/360' THEN 360 WHEN 'actual/365' THEN 365 WHEN 'actual/actual' THEN 133590"
    " WHEN '30/360' THEN 360 END"
)
# Twenty places, so that only the rounding to cents rounds.
_WIDE = "numeric(40, 20)"
_NEXT = "(d.day + 1)"


def _running_interest(until: str) -> str:
    """Interest of the instalment's period up to `until` (out)."""
    even = f"round((i.interest * ({until} - i.start_date))::{_WIDE} / (i.due_date - i.start_date), 2)"
    yearly = "(i.balance_after + i.principal) * l.annual_rate"
    earned = f"round(({yearly} * ({_weight('i.start_date', until)}))::{_WIDE} / ({_BASIS}), 2)"
    return (
        f"CASE WHEN {until} >= i.due_date THEN i.interest WHEN l.day_count = '30/360' THEN {even}"
        f" ELSE least({earned}, i.interest) END"
    )


def _running_penalty(until: str) -> str:
    """Penalty interest up to `until` (out) on all that is overdue, had it stood as it stands now."""
    unpaid = "(i.principal - i.principal_paid + CASE WHEN %(compounds)s THEN i.interest - i.interest_paid ELSE 0 END)"
    weighed = f"sum(CASE WHEN i.due_date <= d.day THEN {unpaid} * ({_weight('i.due_date', until)}) ELSE 0 END)"
    return f"round(({weighed} * l.penalty_rate)::{_WIDE} / ({_BASIS}), 2)"


STATEMENT = f"""
WITH live AS (
    SELECT l.id, l.customer_id, l.office_id, l.product_family, l.start_date, l.day_count, l.annual_rate, l.penalty_rate
    FROM loans_loan l
    WHERE {LIVE.format(t="l")} AND {CUSTOMER_IN_PART.format(t="l")}
      AND l.start_date <= %(date)s
), days AS (
    SELECT id AS loan_id, %(date)s AS day FROM live
    UNION ALL
    SELECT live.id, missed::date FROM live,
           generate_series(greatest(live.start_date, %(catch_up_from)s), %(date)s::date - 1, interval '1 day') missed
    WHERE (live.start_date >= %(late_since)s OR live.customer_id = ANY(%(set_aside)s::bigint[]))
      AND NOT EXISTS (SELECT 1 FROM loans_accrual a WHERE a.loan_id = live.id AND a.date = missed::date)
), new AS (
    INSERT INTO loans_accrual (loan_id, customer_id, date, interest, penalty)
    SELECT l.id, l.customer_id, d.day,
           CASE WHEN ({_BASIS}) IS NOT NULL AND count(i.id) > 0 THEN
               sum(CASE WHEN i.due_date <= d.day THEN 0
                        ELSE {_running_interest(_NEXT)} - {_running_interest("d.day")} END)
           END,
           {_running_penalty(_NEXT)} - {_running_penalty("d.day")}
    FROM days d JOIN live l ON l.id = d.loan_id
    LEFT JOIN loans_instalment i ON i.loan_id = l.id AND i.start_date <= d.day
         AND (i.due_date > d.day OR i.principal_paid < i.principal OR i.interest_paid < i.interest OR i.number = 1)
    GROUP BY l.id, l.customer_id, l.day_count, l.annual_rate, l.penalty_rate, d.day
    ON CONFLICT (loan_id, date) DO NOTHING
    RETURNING loan_id, date, interest, penalty
), charged AS (
    UPDATE loans_loan l SET penalty_due = l.penalty_due + due.penalty, version = l.version + 1
    FROM (SELECT loan_id, sum(penalty) AS penalty FROM new GROUP BY loan_id) due
    WHERE due.loan_id = l.id AND due.penalty > 0
), written AS (
    SELECT concat_ws('|', loan_id, date, interest, penalty) AS line FROM new
), posted AS (
    SELECT live.office_id, live.product_family, sum(new.interest) AS interest, sum(new.penalty) AS penalty
    FROM new JOIN live ON live.id = new.loan_id GROUP BY 1, 2
)
{COUNT_AND_DIGEST.replace("FROM written", "")},
(SELECT json_agg(json_build_array(office_id, product_family, interest::text, penalty::text)) FROM posted)
FROM written
"""


def accrue(part: Part) -> Work:
    """Book the day's interest and penalty of every live loan of the part, and days missed before."""
    work, posted = execute_and_sum(
        STATEMENT,
        part.parameters
        | {
            "compounds": parameter("penalty.compounds"),
            "catch_up_from": part.date - timedelta(days=CATCH_UP_DAYS),
            "late_since": part.date - timedelta(days=7),
            "set_aside": _set_aside_lately(part),
        },
    )
    totals = {
        (office, family): {Kind.INTEREST: Decimal(interest), Kind.PENALTY: Decimal(penalty)}
        for office, family, interest, penalty in posted
    }
    post_totals(MoneyEvent.ACCRUAL, totals, day=part.date, source=f"accrue/{part.shard}")
    return work


def _set_aside_lately(part: Part) -> list[int]:
    """Customers whose loans this step could not accrue on one of the days before."""
    rows = SweepShard.objects.filter(
        step="accrue",
        run__business_date__gte=part.date - timedelta(days=CATCH_UP_DAYS),
        run__business_date__lt=part.date,
    ).exclude(set_aside=[])
    return sorted({entry["id"] for listed in rows.values_list("set_aside", flat=True) for entry in listed})
