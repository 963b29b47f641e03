"""Do the stored balances equal what they are made of? Set-based over the whole portfolio; reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Disagreement:
    """One stored amount that is not what its parts sum to, in yuan; `where` names the row."""

    where: str
    what: str
    stored: Decimal
    expected: Decimal


Row = tuple[str, Decimal, Decimal]
#: What is compared → query of (row, stored, expected) for the rows that disagree, or a function that answers them;
#: ledger_checks adds those of the books. Penalty accrues by the day and is paid by entries; a drawn limit is what loans
#: (revolving: outstanding, else paid out) and payments under way took.
CHECKS: dict[str, str | Callable[[], Iterable[Row]]] = {
    "outstanding principal": """
        SELECT l.number, l.outstanding_principal, COALESCE(e.disbursed - e.principal, 0)
        FROM loans_loan l LEFT JOIN entry_sums e ON e.loan_id = l.id
        WHERE l.outstanding_principal <> COALESCE(e.disbursed - e.principal, 0)""",
    "principal paid out": """
        SELECT l.number, l.principal, COALESCE(e.disbursed, 0)
        FROM loans_loan l LEFT JOIN entry_sums e ON e.loan_id = l.id
        WHERE l.principal <> COALESCE(e.disbursed, 0)""",
    "held for the borrower": """
        SELECT l.number, l.suspense_amount, COALESCE(e.held, 0)
        FROM loans_loan l LEFT JOIN entry_sums e ON e.loan_id = l.id
        WHERE l.suspense_amount <> COALESCE(e.held, 0)""",
    "penalty due": """
        SELECT l.number, l.penalty_due, COALESCE(a.penalty, 0) - COALESCE(e.penalty, 0)
        FROM loans_loan l LEFT JOIN entry_sums e ON e.loan_id = l.id
        LEFT JOIN (
            SELECT loan_id, SUM(penalty) AS penalty FROM (
                SELECT loan_id, penalty FROM loans_accrual UNION ALL
                SELECT loan_id, penalty FROM loans_accrualcorrection
            ) nights GROUP BY loan_id
        ) a ON a.loan_id = l.id
        WHERE l.penalty_due <> COALESCE(a.penalty, 0) - COALESCE(e.penalty, 0)""",
    "principal of the schedule": """
        SELECT l.number, COALESCE(s.principal, 0), l.principal
        FROM loans_loan l
        LEFT JOIN (SELECT loan_id, SUM(principal) AS principal FROM loans_instalment GROUP BY loan_id) s
          ON s.loan_id = l.id
        WHERE COALESCE(s.principal, 0) <> l.principal""",
    "principal paid on an instalment": """
        SELECT l.number || '/' || i.number, i.principal_paid, COALESCE(e.principal, 0)
        FROM loans_instalment i JOIN loans_loan l ON l.id = i.loan_id
        LEFT JOIN instalment_sums e ON e.loan_id = i.loan_id AND e.instalment_number = i.number
        WHERE i.principal_paid <> COALESCE(e.principal, 0)""",
    "interest paid on an instalment": """
        SELECT l.number || '/' || i.number, i.interest_paid, COALESCE(e.interest, 0)
        FROM loans_instalment i JOIN loans_loan l ON l.id = i.loan_id
        LEFT JOIN instalment_sums e ON e.loan_id = i.loan_id AND e.instalment_number = i.number
        WHERE i.interest_paid <> COALESCE(e.interest, 0)""",
    "fee paid on an instalment": """
        SELECT l.number || '/' || i.number, i.fee_paid, COALESCE(e.fee, 0)
        FROM loans_instalment i JOIN loans_loan l ON l.id = i.loan_id
        LEFT JOIN instalment_sums e ON e.loan_id = i.loan_id AND e.instalment_number = i.number
        WHERE i.fee_paid <> COALESCE(e.fee, 0)""",
    "entry of no instalment": """
        SELECT l.number || '/' || COALESCE(e.instalment_number::text, '?'), e.principal + e.interest + e.fee, 0
        FROM instalment_sums e JOIN loans_loan l ON l.id = e.loan_id
        LEFT JOIN loans_instalment i ON i.loan_id = e.loan_id AND i.number = e.instalment_number
        WHERE i.id IS NULL AND e.principal + e.interest + e.fee <> 0""",
    "entries of a repayment": """
        SELECT r.reference, CASE WHEN back.id IS NULL THEN r.amount ELSE 0 END, COALESCE(e.amount, 0)
        FROM loans_repayment r
        LEFT JOIN loans_loantransaction t ON t.repayment_id = r.id
        LEFT JOIN loans_loantransaction back ON back.reverses_id = t.id
        LEFT JOIN (
            SELECT repayment_id, SUM(CASE WHEN kind = 'suspense_used' THEN -amount ELSE amount END) AS amount
            FROM loans_loanentry GROUP BY repayment_id
        ) e ON e.repayment_id = r.id
        WHERE CASE WHEN back.id IS NULL THEN r.amount ELSE 0 END <> COALESCE(e.amount, 0)""",
    "drawn limit": """
        SELECT c.number, f.drawn_amount, COALESCE(d.drawn, 0)
        FROM loans_facility f JOIN loans_contract c ON c.id = f.contract_id
        LEFT JOIN (
            SELECT d.facility_id, SUM(
                CASE WHEN l.id IS NULL THEN d.amount
                     WHEN f.is_revolving THEN l.outstanding_principal ELSE l.principal END) AS drawn
            FROM loans_drawdown d JOIN loans_facility f ON f.id = d.facility_id
            LEFT JOIN loans_loan l ON l.drawdown_id = d.id
            WHERE d.state IN ('disbursing', 'unknown', 'disbursed') GROUP BY d.facility_id
        ) d ON d.facility_id = f.id
        WHERE f.drawn_amount <> COALESCE(d.drawn, 0)""",
}

#: Sums of entries, per loan and per instalment: what every balance rests on.
_SUMS = """
    WITH entry_sums AS (
        SELECT loan_id,
               SUM(amount) FILTER (WHERE kind = 'disbursement') AS disbursed,
               COALESCE(SUM(amount) FILTER (WHERE kind = 'principal'), 0) AS principal,
               COALESCE(SUM(amount) FILTER (WHERE kind IN ('penalty', 'penalty_waived')), 0) AS penalty,
               COALESCE(SUM(amount) FILTER (WHERE kind = 'suspense'), 0)
                 - COALESCE(SUM(amount) FILTER (WHERE kind = 'suspense_used'), 0) AS held
        FROM loans_loanentry GROUP BY loan_id
    ), instalment_sums AS (
        SELECT loan_id, instalment_number,
               COALESCE(SUM(amount) FILTER (WHERE kind = 'principal'), 0) AS principal,
               COALESCE(SUM(amount) FILTER (WHERE kind = 'interest'), 0) AS interest,
               COALESCE(SUM(amount) FILTER (WHERE kind = 'fee'), 0) AS fee
        FROM loans_loanentry WHERE kind IN ('principal', 'interest', 'fee') GROUP BY loan_id, instalment_number
    )"""


def disagreements() -> Iterator[Disagreement]:
    """Every stored amount of every loan, line, entry and account that is not the sum of its parts."""
    for what, check in CHECKS.items():
        rows = check() if callable(check) else rows_of(f"{_SUMS} {check} ORDER BY 1")
        for where, stored, expected in rows:
            yield Disagreement(where, what, stored, Decimal(expected))


def rows_of(query: str, parameters: dict[str, Any] | None = None) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
