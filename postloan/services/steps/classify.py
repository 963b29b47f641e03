"""Days past due, five-category class and provision of every live loan, with the rule that decided.

The rules are those of loans.domain.arrears and postloan.domain.classification, in SQL; tests compare them.
"""

from __future__ import annotations

from branch.queries.parameters import parameters
from postloan.services.steps.part import COUNT_AND_DIGEST, CUSTOMER_IN_PART, LIVE, MERGED_FILES, Part, Work, execute

#: What the bank set, by the name the statement uses.
_PARAMETERS = {
    "technical_days": "arrears.technical_delay_days",
    "special_mention_above": "class.special_mention_above_days",
    "substandard_above": "class.substandard_above_days",
    "doubtful_above": "class.doubtful_above_days",
    "loss_above": "class.loss_above_days",
    "contagion_share": "class.contagion_share",
    "observation_months": "class.observation_months",
    "observation_instalments": "class.observation_instalments",
    "provision_normal": "provision.normal",
    "provision_special_mention": "provision.special_mention",
    "provision_substandard": "provision.substandard",
    "provision_doubtful": "provision.doubtful",
    "provision_loss": "provision.loss",
}
#: The supervisor lets no delay longer than this stay in class normal.
MOST_TECHNICAL_DAYS = 7

STATEMENT = f"""
WITH classes (severity, asset_class, rate) AS (
    VALUES (0, 'normal', %(provision_normal)s), (1, 'special_mention', %(provision_special_mention)s),
           (2, 'substandard', %(provision_substandard)s), (3, 'doubtful', %(provision_doubtful)s),
           (4, 'loss', %(provision_loss)s)
), merged AS MATERIALIZED ({MERGED_FILES}
), live AS (
    SELECT l.*, l.customer_id AS debtor_id FROM loans_loan l
    WHERE {LIVE.format(t="l")} AND {CUSTOMER_IN_PART.format(t="l")} AND l.start_date <= %(date)s
      AND NOT l.customer_id = ANY (ARRAY(SELECT file_id FROM merged))
    UNION ALL
    -- Loans booked on several files of a debtor weigh in one another's class: all are in the part of the first file.
    SELECT l.*, m.customer_id FROM loans_loan l
    JOIN (SELECT file_id, debtor_id AS customer_id FROM merged) m ON m.file_id = l.customer_id
    WHERE {LIVE.format(t="l")} AND {CUSTOMER_IN_PART.format(t="m")} AND l.start_date <= %(date)s
), arrears AS (
    SELECT i.loan_id, %(date)s - min(i.due_date) AS days_past_due,
           sum(i.principal - i.principal_paid + i.interest - i.interest_paid + i.fee - i.fee_paid) AS overdue_amount
    FROM loans_instalment i JOIN live l ON l.id = i.loan_id
    WHERE i.due_date < %(date)s
      AND (i.principal_paid < i.principal OR i.interest_paid < i.interest OR i.fee_paid < i.fee)
    GROUP BY i.loan_id
), facts AS (
    SELECT l.id, l.customer_id, l.debtor_id, l.outstanding_principal, c.kind = 'company' AS is_non_retail,
           coalesce(a.days_past_due, 0) AS days_past_due, coalesce(a.overdue_amount, 0) AS overdue_amount,
           (SELECT severity FROM classes WHERE classes.asset_class = l.asset_class) AS previous,
           coalesce((SELECT severity FROM classes WHERE classes.asset_class = l.judged_class), 0) AS by_judgement,
           coalesce(l.misused_date <= %(date)s, false) AS is_misused,
           l.restructured_date IS NOT NULL AND NOT (
               %(date)s >= (l.restructured_date + make_interval(months => %(observation_months)s))::date
               AND (SELECT count(*) FROM loans_instalment i WHERE i.loan_id = l.id AND i.due_date > l.restructured_date
                    AND i.principal_paid = i.principal AND i.interest_paid = i.interest
                    AND i.due_date <= %(date)s) >= %(observation_instalments)s) AS is_observed
    FROM live l JOIN customers_customer c ON c.id = l.customer_id LEFT JOIN arrears a ON a.loan_id = l.id
), own AS (
    SELECT facts.*, CASE WHEN is_misused THEN 1 ELSE 0 END AS by_misuse,
           CASE WHEN is_observed THEN 1 ELSE 0 END AS by_restructuring,
           CASE WHEN previous >= 2 THEN 2 ELSE 0 END AS by_proving,
           CASE WHEN days_past_due <= %(technical_days)s THEN 0
                WHEN days_past_due > %(loss_above)s THEN 4 WHEN days_past_due > %(doubtful_above)s THEN 3
                WHEN days_past_due > %(substandard_above)s THEN 2
                WHEN days_past_due > %(special_mention_above)s THEN 1 ELSE 0 END AS by_days
    FROM facts
), debtor AS (
    SELECT own.*, sum(outstanding_principal) OVER same_debtor AS total,
           coalesce(sum(outstanding_principal) FILTER (WHERE greatest(by_days, by_judgement, by_proving) >= 2)
                    OVER same_debtor, 0)
           - CASE WHEN greatest(by_days, by_judgement, by_proving) >= 2 THEN outstanding_principal ELSE 0 END AS others
    FROM own WINDOW same_debtor AS (PARTITION BY debtor_id)
), rules AS (
    SELECT debtor.*,
           CASE WHEN is_non_retail AND others > total * %(contagion_share)s THEN 2 ELSE 0 END AS by_contagion
    FROM debtor
), judged AS (
    SELECT rules.*, greatest(by_days, by_contagion, by_misuse, by_restructuring, by_judgement, by_proving) AS severity
    FROM rules
), decided AS (
    SELECT j.id, j.customer_id, j.outstanding_principal, j.overdue_amount, j.days_past_due, classes.asset_class,
           CASE WHEN j.severity = 0 THEN 'none' WHEN j.by_days = j.severity THEN 'days_past_due'
                WHEN j.by_contagion = j.severity THEN 'contagion' WHEN j.by_misuse = j.severity THEN 'misuse'
                WHEN j.by_restructuring = j.severity THEN 'restructured'
                WHEN j.by_judgement = j.severity THEN 'judgement' ELSE 'proving' END AS class_rule,
           round(j.outstanding_principal * classes.rate, 2) AS provision
    FROM judged j JOIN classes USING (severity)
), kept AS (
    INSERT INTO postloan_loanday (loan_id, customer_id, date, outstanding_principal, overdue_amount, days_past_due,
                                  asset_class, class_rule, provision)
    SELECT id, customer_id, %(date)s, outstanding_principal, overdue_amount, days_past_due,
           asset_class, class_rule, provision
    FROM decided
    WHERE %(keeps_the_day)s
    ON CONFLICT (loan_id, date) DO NOTHING
    RETURNING loan_id, date, outstanding_principal, overdue_amount, days_past_due, asset_class, class_rule, provision
), moved AS (
    UPDATE loans_loan l SET days_past_due = d.days_past_due, asset_class = d.asset_class, class_rule = d.class_rule,
                            version = l.version + 1
    FROM decided d
    WHERE d.id = l.id AND (l.days_past_due, l.asset_class, l.class_rule)
          IS DISTINCT FROM (d.days_past_due, d.asset_class, d.class_rule)
), written AS (
    SELECT concat_ws('|', loan_id, date, outstanding_principal, overdue_amount, days_past_due, asset_class,
                     class_rule, provision) AS line
    FROM kept
)
{COUNT_AND_DIGEST}
"""


def classify(part: Part) -> Work:
    """Write how each live loan of the part stands at the end of the day, and set it on the loan."""
    return _classify(part, keeps_the_day=True)


def restate_classes(part: Part) -> None:
    """Set on the loans of the part how they stand at the end of a day that is over; what was written of it stays."""
    _classify(part, keeps_the_day=False)


def _classify(part: Part, *, keeps_the_day: bool) -> Work:
    values = parameters(*_PARAMETERS.values(), on=part.date)
    named = {name: values[code] for name, code in _PARAMETERS.items()}
    named["technical_days"] = min(named["technical_days"], MOST_TECHNICAL_DAYS)
    return execute(STATEMENT, part.parameters | named | {"keeps_the_day": keeps_the_day})
