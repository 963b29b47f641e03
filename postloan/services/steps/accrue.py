"""Interest and penalty interest of the day, one row per loan, to the cent.

The arithmetic is that of loans.domain.owed (accrued_on, penalty_between), in SQL; tests compare the two. Each day
takes what rounding the running total adds to it, so the days of a period sum to the interest its instalment asks
for. Penalty runs on what is overdue from its due date on, in place of contract interest.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from branch.domain.money import ZERO
from branch.queries.parameters import parameter
from loans.domain.ledger import Kind, MoneyEvent
from loans.models import Loan
from loans.services.ledger import post_totals
from loans.services.replayed_nights import accrue_replayed
from postloan.models import SweepShard
from postloan.services.steps.part import CUSTOMER_IN_PART, LIVE, Part, Work, execute_and_sum, work_of

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
    days = "(i.end_date - i.start_date)"
    spread = f"round((i.earned_interest * ({until} - i.start_date))::{_WIDE} / {days}, 2)"
    yearly = "i.bearing_principal * l.annual_rate"
    counted = f"({yearly} * i.counted_days * ({until} - i.bearing_from))::{_WIDE} / (360 * {days})"
    weighed = f"({yearly} * ({_weight('i.bearing_from', until)}))::{_WIDE} / ({_BASIS})"
    since = f"CASE WHEN {until} <= i.bearing_from THEN 0 WHEN l.day_count = '30/360' THEN {counted} ELSE {weighed} END"
    return (
        f"CASE WHEN {until} >= i.end_date THEN i.earned_interest WHEN i.is_spread THEN {spread}"
        f" ELSE least(round(i.interest_before + {since}, 2), i.earned_interest) END"
    )


# The contract says how many days of grace there are and whether unpaid interest bears penalty; the bank's parameter
# where it says nothing. Looked up for what is overdue alone: reading every loan's terms would cost more than the day's
# interest.
_LATE_TERMS = """
    SELECT i.due_date + coalesce((t.terms->>'grace_days')::int, 0) AS penal_from,
           coalesce((t.terms->>'penalty_compounds')::boolean, %(compounds)s) AS compounds
    FROM loans_loan t WHERE t.id = i.loan_id
"""
_UNPAID = "(i.principal - i.principal_paid + CASE WHEN late.compounds THEN i.interest - i.interest_paid ELSE 0 END)"


def _running_penalty(until: str) -> str:
    """Penalty interest up to `until` (out) on what is overdue, had it stood as it stands now."""
    weight = _weight(f"least(late.penal_from, {until})", until)
    return f"round((sum({_UNPAID} * ({weight})) * l.penalty_rate)::{_WIDE} / ({_BASIS}), 2)"


_IS_OPEN = "(i.principal_paid < i.principal OR i.interest_paid < i.interest)"


def _interest(has_period: str, earned: str) -> str:
    """What is earned in the running period; without one nothing. NULL for a loan that has no schedule to accrue by."""
    schedule = "(SELECT 0 FROM loans_instalment s WHERE s.loan_id = l.id AND s.start_date <= d.day LIMIT 1)"
    return (
        f"(CASE WHEN ({_BASIS}) IS NULL THEN NULL WHEN {has_period} THEN {earned} ELSE {schedule} END)::numeric(16, 2)"
    )


_INTEREST = f"({_running_interest(_NEXT)}) - ({_running_interest('d.day')})"
_PENALTY = f"({_running_penalty(_NEXT)}) - ({_running_penalty('d.day')})"

# A loan has at most one instalment running on a day; what is overdue is few loans'. Both are read by index, whatever
# is past. A loan none of it applies to earns nothing, unless it has no schedule at all: then NULL is refused.
STATEMENT = f"""
WITH live AS MATERIALIZED (
    SELECT l.id, l.customer_id, l.office_id, l.product_family, l.start_date, l.day_count, l.annual_rate, l.penalty_rate
    FROM loans_loan l
    WHERE {LIVE.format(t="l")} AND {CUSTOMER_IN_PART.format(t="l")}
      AND l.start_date <= %(date)s AND NOT l.is_replayed_nightly
), missed AS MATERIALIZED (
    SELECT live.*, gone::date AS day FROM live,
           generate_series(greatest(live.start_date, %(catch_up_from)s), %(date)s::date - 1, interval '1 day') gone
    WHERE (live.start_date >= %(late_since)s OR live.customer_id = ANY(%(set_aside)s::bigint[]))
      AND (SELECT a.id FROM loans_accrual a WHERE a.loan_id = live.id AND a.date = gone::date
           AND a.date >= %(catch_up_from)s AND a.date < %(date)s) IS NULL
      -- A correction made up for every night before its day.
      AND NOT EXISTS (SELECT FROM loans_accrualcorrection c WHERE c.loan_id = live.id AND c.date > gone::date)
), fallen_due AS MATERIALIZED (
    SELECT i.* FROM loans_instalment i
    WHERE i.due_date <= %(date)s AND {_IS_OPEN} AND {CUSTOMER_IN_PART.format(t="i")}
), overdue AS MATERIALIZED (
    SELECT l.id, {_PENALTY} AS penalty
    FROM fallen_due i JOIN live l ON l.id = i.loan_id CROSS JOIN LATERAL ({_LATE_TERMS}) late,
         (SELECT %(date)s::date AS day) d
    GROUP BY l.id, l.day_count, l.penalty_rate, d.day
), computed AS MATERIALIZED (
    SELECT l.id AS loan_id, l.customer_id, l.office_id, l.product_family, d.day,
           {_interest("i.loan_id IS NOT NULL", _INTEREST)} AS interest,
           coalesce(o.penalty, 0)::numeric(16, 2) AS penalty
    FROM (SELECT %(date)s::date AS day) d CROSS JOIN live l
    LEFT JOIN loans_instalment i ON i.loan_id = l.id AND i.start_date <= %(date)s AND i.end_date > %(date)s
    LEFT JOIN overdue o ON o.id = l.id
    WHERE NOT EXISTS (SELECT FROM loans_accrual a WHERE a.loan_id = l.id AND a.date = %(date)s)
    UNION ALL
    SELECT l.id, l.customer_id, l.office_id, l.product_family, l.day,
           {_interest("running.interest IS NOT NULL", "running.interest")},
           coalesce(behind.penalty, 0)::numeric(16, 2)
    FROM missed l CROSS JOIN LATERAL (SELECT l.day AS day) d
    LEFT JOIN LATERAL (
        SELECT sum({_INTEREST}) AS interest FROM loans_instalment i
        WHERE i.loan_id = l.id AND i.start_date <= d.day AND i.end_date > d.day
    ) running ON true
    LEFT JOIN LATERAL (
        SELECT {_PENALTY} AS penalty FROM loans_instalment i CROSS JOIN LATERAL ({_LATE_TERMS}) late
        WHERE i.loan_id = l.id AND i.due_date <= d.day AND {_IS_OPEN}
    ) behind ON true
), new AS (
    INSERT INTO loans_accrual (loan_id, customer_id, date, interest, penalty)
    SELECT loan_id, customer_id, day, interest, penalty FROM computed
), charged AS (
    UPDATE loans_loan l SET penalty_due = l.penalty_due + due.penalty, version = l.version + 1
    FROM (SELECT loan_id, sum(penalty) AS penalty FROM computed WHERE penalty > 0 GROUP BY loan_id) due
    WHERE due.loan_id = l.id
), posted AS (
    SELECT office_id, product_family, sum(interest) AS interest, sum(penalty) AS penalty
    FROM computed GROUP BY office_id, product_family
)
SELECT count(*),
       encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', loan_id, day, interest, penalty), E'\\n'
              ORDER BY loan_id, day), ''), 'UTF8')), 'hex'),
       (SELECT json_agg(json_build_array(office_id, product_family, interest::text, penalty::text)) FROM posted)
FROM computed
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
    lines = []
    for accrual in accrue_replayed(part.of(Loan.objects.all()), part.date):
        sums = totals.setdefault((accrual.loan.office_id, accrual.loan.product_family), {})
        for kind, amount in ((Kind.INTEREST, accrual.interest), (Kind.PENALTY, accrual.penalty)):
            sums[kind] = sums.get(kind, ZERO) + amount
        lines.append(f"{accrual.loan_id}|{accrual.date}|{accrual.interest}|{accrual.penalty}")
    if lines:
        own = work_of(lines)
        work = Work(work.rows + own.rows, work_of([work.digest, own.digest]).digest)
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
