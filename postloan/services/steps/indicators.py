"""Readings of every indicator past a threshold. A table of one statement each; adding an indicator adds a line.

The findings are those of postloan.domain.indicators, in SQL; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from postloan.domain.indicators import Level
from postloan.domain.thresholds import Rule
from postloan.queries.thresholds import active_thresholds
from postloan.services.steps.part import (
    COUNT_AND_DIGEST,
    CUSTOMER_IN_PART,
    LIVE,
    MERGED_FILES,
    Part,
    Work,
    execute,
    work_of,
)

#: Each gives customer_id, loan_id, value, inputs and may use the indicator's own settings.
OVERDUE = f"""
    SELECT d.customer_id, d.loan_id, d.days_past_due::numeric AS value,
           jsonb_build_object('days_past_due', d.days_past_due::text, 'overdue_amount', d.overdue_amount::text,
                              'oldest_unpaid_due_date', (d.date - d.days_past_due)::text) AS inputs
    FROM postloan_loanday d
    WHERE d.date = %(date)s AND d.days_past_due > 0 AND {CUSTOMER_IN_PART.format(t="d")}
"""
_ELECTRICITY = """
    e.metric = 'electricity_kwh' AND e.superseded_at IS NULL
    AND e.period_month < date_trunc('month', %(date)s::date)
    AND e.period_month >= date_trunc('month', %(date)s::date) - make_interval(months => %(months)s + %(fresh_months)s)
"""
# The oldest live loan stands for the customer; meters of one customer are added up; only whole months count.
ELECTRICITY_DOWN = f"""
    WITH merged AS MATERIALIZED ({MERGED_FILES}),
    used AS (
        SELECT e.customer_id, e.period_month, e.value FROM customers_externalrecord e
        WHERE {_ELECTRICITY} AND {CUSTOMER_IN_PART.format(t="e")}
          AND NOT e.customer_id = ANY (ARRAY(SELECT file_id FROM merged))
        UNION ALL
        -- Each file of a customer has what they all have; of one month what the first has (customers.queries.merges).
        SELECT own.customer_id, e.period_month, e.value
        FROM (SELECT file_id AS customer_id, debtor_id FROM merged) own
        JOIN merged o USING (debtor_id) JOIN customers_externalrecord e ON e.customer_id = o.file_id
        WHERE {_ELECTRICITY} AND {CUSTOMER_IN_PART.format(t="own")}
          AND (o.file_id = o.debtor_id OR NOT EXISTS (
              SELECT FROM customers_externalrecord f
              WHERE f.customer_id = o.debtor_id AND f.metric = e.metric AND f.source = e.source
                AND f.period_month = e.period_month AND f.superseded_at IS NULL))
    )
    SELECT base.customer_id, loan.id AS loan_id,
           round((total - %(months)s * latest_kwh)::numeric(40, 20) / total, 4) AS value,
           inputs || jsonb_build_object('average', round(total / %(months)s, 2)::text) AS inputs
    FROM (
        SELECT m.customer_id, jsonb_object_agg(to_char(m.period_month, 'YYYY-MM'), m.kwh::text) AS inputs,
               count(*) FILTER (WHERE m.period_month < m.latest) AS months_before,
               sum(m.kwh) FILTER (WHERE m.period_month < m.latest) AS total,
               sum(m.kwh) FILTER (WHERE m.period_month = m.latest) AS latest_kwh
        FROM (
            SELECT customer_id, period_month, sum(value) AS kwh,
                   max(period_month) OVER (PARTITION BY customer_id) AS latest
            FROM used GROUP BY customer_id, period_month
        ) m
        WHERE m.period_month >= m.latest - make_interval(months => %(months)s)
          AND m.latest >= date_trunc('month', %(date)s::date) - make_interval(months => %(fresh_months)s)
        GROUP BY m.customer_id
    ) base
    JOIN LATERAL (
        SELECT l.id FROM loans_loan l WHERE l.customer_id = base.customer_id AND {LIVE.format(t="l")}
        ORDER BY l.id LIMIT 1
    ) loan ON true
    WHERE base.months_before = %(months)s AND base.total > 0
"""
SOURCES: Mapping[str, tuple[str, str]] = {
    "overdue": (OVERDUE, "days_past_due"),
    "electricity_down": (ELECTRICITY_DOWN, "(average − latest) ÷ average"),
}

_LEVEL = " ".join(f"WHEN value >= %({level})s::numeric THEN '{level}'" for level in reversed(Level))
_LIMIT = " ".join(f"WHEN '{level}' THEN %({level})s::numeric" for level in Level)


def statement(source: str) -> str:
    """Judge what `source` finds and keep what is past a threshold."""
    return f"""
    WITH found AS ({source}),
    judged AS (SELECT found.*, CASE {_LEVEL} END AS level FROM found),
    kept AS (
        INSERT INTO postloan_indicatorreading
            (loan_id, customer_id, date, indicator, level, value, threshold, threshold_version, evidence)
        SELECT loan_id, customer_id, %(date)s, %(indicator)s, level, value, CASE level {_LIMIT} END, %(version)s,
               jsonb_build_object('inputs', inputs, 'formula', %(formula)s::text)
        FROM judged WHERE level IS NOT NULL
        ON CONFLICT (date, loan_id, indicator) DO NOTHING
        RETURNING loan_id, indicator, level, value, evidence
    ),
    written AS (SELECT concat_ws('|', loan_id, indicator, level, value, evidence) AS line FROM kept)
    {COUNT_AND_DIGEST}
    """


def indicators(part: Part) -> Work:
    """Read every indicator for the customers of the part."""
    done = {code: _read(part, active_thresholds(code, part.date)) for code in SOURCES}
    digests = work_of(f"{code}|{work.digest}" for code, work in done.items()).digest
    return Work(sum(work.rows for work in done.values()), digests)


def _read(part: Part, rule: Rule) -> Work:
    source, formula = SOURCES[rule.indicator]
    limits = {level.value: rule.thresholds.limits.get(level) for level in Level}
    named = {"indicator": rule.indicator, "version": rule.version, "formula": formula}
    return execute(statement(source), part.parameters | limits | named | dict(rule.settings))
