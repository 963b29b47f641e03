"""What check_balances compares on the books: entries with their lines, loans with entries, balances with postings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from loans.domain.ledger import ENTRY_EFFECTS, Kind
from loans.models import LedgerDay
from loans.queries.ledger import control_accounts
from loans.services.balances import CHECKS, Row, rows_of
from loans.services.ledger_days import gl_file_of


def check(what: str) -> Callable[[Callable[[], Iterable[Row]]], Callable[[], Iterable[Row]]]:
    """Add a function that answers the rows (where, stored, expected) that disagree."""

    def add(function: Callable[[], Iterable[Row]]) -> Callable[[], Iterable[Row]]:
        CHECKS[what] = function
        return function

    return add


_LABEL = "'J-' || lpad({id}::text, 8, '0')"


def _side(side: str) -> list[Row]:
    """Entries whose lines don't come to their total on one side."""
    return rows_of(f"""
        SELECT {_LABEL.format(id="e.id")}, e.total, COALESCE(sum(l.{side}), 0)
        FROM loans_journalentry e
        LEFT JOIN loans_journalline l ON l.entry_id = e.id AND l.date = e.business_date AND l.office_id = e.office_id
        GROUP BY e.id HAVING e.total <> COALESCE(sum(l.{side}), 0) ORDER BY e.id""")


@check("posting of no entry")
def _strays() -> list[Row]:
    """Lines no entry accounts for: of another day, another office, or of nothing."""
    return rows_of(f"""
        SELECT {_LABEL.format(id="l.entry_id")} || '/' || l.id, l.debit + l.credit, 0
        FROM loans_journalline l LEFT JOIN loans_journalentry e
          ON e.id = l.entry_id AND e.business_date = l.date AND e.office_id = l.office_id
        WHERE e.id IS NULL ORDER BY l.id""")


@check("reversal")
def _reversals() -> list[Row]:
    """Reversals that don't take back, account by account, what they name."""
    return rows_of(f"""
        SELECT {_LABEL.format(id="entry_id")} || '/' || account, sum(own), sum(named) FROM (
            SELECT r.id AS entry_id, l.account, l.debit - l.credit AS own, 0 AS named
            FROM loans_journalentry r JOIN loans_journalline l ON l.entry_id = r.id AND l.date = r.business_date
            WHERE r.reverses_id IS NOT NULL
            UNION ALL
            SELECT r.id, l.account, 0, l.credit - l.debit
            FROM loans_journalentry r JOIN loans_journalentry o ON o.id = r.reverses_id
            JOIN loans_journalline l ON l.entry_id = o.id AND l.date = o.business_date
        ) both_ways
        GROUP BY entry_id, account HAVING sum(own) <> sum(named) ORDER BY 1""")


def _of_loan(kind: Kind) -> list[Row]:
    """Loans whose own postings on the control accounts of `kind` are not what their entries say."""
    effects = [(entry, sign) for entry, (its_kind, sign) in ENTRY_EFFECTS.items() if its_kind is kind]
    return rows_of(
        """
        SELECT COALESCE(loan.number, '?'), COALESCE(b.net, 0), COALESCE(e.net, 0)
        FROM (
            SELECT j.loan_id, sum(l.debit - l.credit) AS net
            FROM loans_journalline l JOIN loans_journalentry j ON j.id = l.entry_id
            WHERE l.account = ANY(%(accounts)s) AND j.loan_id IS NOT NULL GROUP BY j.loan_id
        ) b FULL JOIN (
            SELECT e.loan_id, sum(e.amount * effect.sign) AS net
            FROM loans_loanentry e
            JOIN unnest(%(entries)s::text[], %(signs)s::int[]) AS effect (kind, sign) ON effect.kind = e.kind
            GROUP BY e.loan_id
        ) e ON e.loan_id = b.loan_id
        LEFT JOIN loans_loan loan ON loan.id = COALESCE(b.loan_id, e.loan_id)
        WHERE COALESCE(b.net, 0) <> COALESCE(e.net, 0) ORDER BY 1""",
        {
            "accounts": sorted(control_accounts(kind)),
            "entries": [entry for entry, _sign in effects],
            "signs": [sign for _entry, sign in effects],
        },
    )


def _accrued(kind: Kind) -> list[Row]:
    """Offices and families where what the nights posted is not the sum of the loans' days."""
    return rows_of(
        f"""
        SELECT office.code || '/' || COALESCE(b.family, a.family), COALESCE(b.net, 0), COALESCE(a.net, 0)
        FROM (
            SELECT l.office_id, l.family, sum(l.debit - l.credit) AS net
            FROM loans_journalline l JOIN loans_journalentry j ON j.id = l.entry_id
            WHERE l.account = ANY(%(accounts)s) AND j.loan_id IS NULL GROUP BY l.office_id, l.family
        ) b FULL JOIN (
            SELECT loan.office_id, loan.product_family AS family, sum(day.{kind}) AS net
            FROM (
                SELECT loan_id, sum({kind}) AS {kind} FROM (
                    SELECT loan_id, {kind} FROM loans_accrual
                    UNION ALL SELECT loan_id, {kind} FROM loans_accrualcorrection
                ) nights GROUP BY loan_id
            ) day
            JOIN loans_loan loan ON loan.id = day.loan_id GROUP BY loan.office_id, loan.product_family
        ) a ON a.office_id = b.office_id AND a.family = b.family
        JOIN branch_office office ON office.id = COALESCE(b.office_id, a.office_id)
        WHERE COALESCE(b.net, 0) <> COALESCE(a.net, 0) ORDER BY 1""",
        {"accounts": sorted(control_accounts(kind))},
    )


@check("interest accrued for an instalment")
def _periods() -> list[Row]:
    """Instalments whose days, all of them nights the ledger has closed, don't come to what their period earns.

    A loan whose nights were corrected since is looked at as a whole ("interest earned").
    """
    return rows_of("""
        SELECT loan.number || '/' || i.number, COALESCE(sum(a.interest), 0), i.earned_interest
        FROM loans_instalment i JOIN loans_loan loan ON loan.id = i.loan_id
        JOIN (SELECT min(date) AS first, max(date) AS last FROM loans_ledgerday) closed
          ON i.start_date >= closed.first AND i.end_date <= closed.last + 1
        LEFT JOIN loans_accrual a ON a.loan_id = i.loan_id AND a.date >= i.start_date AND a.date < i.end_date
        WHERE NOT EXISTS (SELECT FROM loans_accrualcorrection c WHERE c.loan_id = loan.id)
          AND loan.state NOT IN ('written_off', 'recovered')
        GROUP BY loan.number, i.id HAVING COALESCE(sum(a.interest), 0) <> i.earned_interest ORDER BY 1""")


_KEY = "office.code || '/' || {t}.account || '/' || {t}.family || ' ' || {t}.date"


@check("opening balance")
def _openings() -> list[Row]:
    """Stored balances that don't begin where the day stored before ended."""
    return rows_of(f"""
        SELECT {_KEY.format(t="b")}, b.opening, b.before FROM (
            SELECT *, COALESCE(lag(closing) OVER (PARTITION BY office_id, account, family ORDER BY date), 0) AS before
            FROM loans_accountbalance
        ) b JOIN branch_office office ON office.id = b.office_id
        WHERE b.opening <> b.before ORDER BY 1""")


def _turnover(side: str) -> list[Row]:
    """Stored days of an account whose turnover is not the sum of the postings since the day stored before."""
    return rows_of(f"""
        SELECT {_KEY.format(t="found")}, found.stored, found.posted FROM (
            SELECT COALESCE(b.office_id, p.office_id) AS office_id, COALESCE(b.account, p.account) AS account,
                   COALESCE(b.family, p.family) AS family, COALESCE(b.date, p.date) AS date,
                   COALESCE(b.{side}, 0) AS stored, COALESCE(p.{side}, 0) AS posted
            FROM loans_accountbalance b FULL JOIN (
                SELECT l.office_id, l.account, l.family, stored.date, sum(l.{side}) AS {side}
                FROM (
                    SELECT office_id, account, family, date, sum({side}) AS {side}
                    FROM loans_journalline GROUP BY office_id, account, family, date
                ) l
                JOIN LATERAL (SELECT min(d.date) AS date FROM loans_ledgerday d WHERE d.date >= l.date) stored
                  ON stored.date IS NOT NULL
                GROUP BY l.office_id, l.account, l.family, stored.date
            ) p ON p.office_id = b.office_id AND p.account = b.account AND p.family = b.family AND p.date = b.date
        ) found JOIN branch_office office ON office.id = found.office_id
        WHERE found.stored <> found.posted ORDER BY 1""")


@check("balance that is missing")
def _missing() -> list[Row]:
    """Closed days without the balance of an account that moved before."""
    return rows_of(f"""
        SELECT {_KEY.format(t="gone")}, 0, COALESCE((
            SELECT b.closing FROM loans_accountbalance b
            WHERE b.office_id = gone.office_id AND b.account = gone.account AND b.family = gone.family
              AND b.date < gone.date ORDER BY b.date DESC LIMIT 1), 0)
        FROM (
            SELECT first.office_id, first.account, first.family, day.date
            FROM (SELECT office_id, account, family, min(date) AS date FROM loans_accountbalance GROUP BY 1, 2, 3) first
            JOIN loans_ledgerday day ON day.date > first.date
            LEFT JOIN loans_accountbalance b ON b.office_id = first.office_id AND b.account = first.account
                 AND b.family = first.family AND b.date = day.date
            WHERE b.id IS NULL
        ) gone JOIN branch_office office ON office.id = gone.office_id ORDER BY 1""")


@check("file for the general ledger")
def _files() -> Iterable[Row]:
    """Closed days whose file would not be what it was."""
    for day in LedgerDay.objects.order_by("date"):
        file = gl_file_of(day.date)
        if file.digest != day.digest or (file.debit, file.credit) != (day.debit, day.credit):
            yield str(day.date), day.debit, file.debit


CHECKS["debits of an entry"] = partial(_side, "debit")
CHECKS["credits of an entry"] = partial(_side, "credit")
for _kind in dict.fromkeys(kind for kind, _sign in ENTRY_EFFECTS.values()):
    CHECKS[f"{_kind} on the books"] = partial(_of_loan, _kind)
for _kind in (Kind.INTEREST, Kind.PENALTY):
    CHECKS[f"{_kind} accrued on the books"] = partial(_accrued, _kind)
CHECKS["debit of a day"] = partial(_turnover, "debit")
CHECKS["credit of a day"] = partial(_turnover, "credit")
