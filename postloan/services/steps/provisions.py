"""The change of provisions on the books: what the portfolio needs by the day's classes, less what is there."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from branch.domain.money import ZERO
from loans.domain.ledger import Kind, MoneyEvent
from loans.queries.ledger import balances_by_family, control_accounts
from loans.services.ledger import post_totals
from postloan.services.steps.part import LIVE, Part, Work, work_of

#: A loan whose day could not be written keeps the provision of its last one, for so long.
KEPT_DAYS = 31

NEEDED = f"""
    SELECT office_id, product_family, sum(provision) FROM (
        SELECT l.office_id, l.product_family, d.provision
        FROM loans_loan l JOIN postloan_loanday d ON d.loan_id = l.id AND d.date = %(date)s
        UNION ALL
        SELECT l.office_id, l.product_family, last.provision
        FROM loans_loan l, LATERAL (
            SELECT d.provision FROM postloan_loanday d
            WHERE d.loan_id = l.id AND d.date < %(date)s AND d.date >= %(kept_from)s ORDER BY d.date DESC LIMIT 1
        ) last
        WHERE ({LIVE.format(t="l")} OR l.settled_date > %(date)s)
          AND NOT EXISTS (SELECT FROM postloan_loanday d WHERE d.loan_id = l.id AND d.date = %(date)s)
    ) standing
    GROUP BY office_id, product_family
"""


def needed_provisions(day: date) -> dict[tuple[int, str], Decimal]:
    """(office id, family) → the provisions of the loans that were live at the end of `day`, by how they stood then."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDED, {"date": day, "kept_from": day - timedelta(days=KEPT_DAYS)})
        return {(office, family): amount for office, family, amount in cursor.fetchall()}


def booked_provisions(day: date) -> dict[tuple[int, str], Decimal]:
    """(office id, family) → what the books hold as provisions at the end of `day`."""
    accounts = control_accounts(Kind.PROVISION)
    held: dict[tuple[int, str], Decimal] = {}
    for (office, family, _account), balance in balances_by_family(accounts, day).items():
        held[office, family] = held.get((office, family), ZERO) - balance
    return held


def provisions(part: Part) -> Work:
    """Post the difference by office and family. Done again, there is none."""
    needed, booked = needed_provisions(part.date), booked_provisions(part.date)
    changes = {key: needed.get(key, ZERO) - booked.get(key, ZERO) for key in needed.keys() | booked.keys()}
    totals = {key: {Kind.PROVISION: change} for key, change in changes.items() if change}
    post_totals(MoneyEvent.PROVISION, totals, day=part.date, source="provisions")
    return work_of(f"{office}|{family}|{changes[office, family]}" for office, family in totals)
