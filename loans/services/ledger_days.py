"""The end of a day in the books: every account's balance stored, and the day's file for the general ledger.

The file is made from postings, which nobody can change, so it comes out the same however often it is asked for; its
digest is kept with the day, and a file that no longer agrees with it is not given out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from branch.domain.money import ZERO
from branch.domain.refusals import Unmet
from loans.models import JournalLine, LedgerDay
from loans.queries.ledger import last_stored_day

_STORE = """
    INSERT INTO loans_accountbalance (office_id, date, family, account, opening, debit, credit, closing)
    SELECT office_id, %(day)s, family, account, sum(opening), sum(debit), sum(credit),
           sum(opening) + sum(debit) - sum(credit)
    FROM (
        SELECT office_id, family, account, closing AS opening, 0 AS debit, 0 AS credit
        FROM loans_accountbalance WHERE date = %(stored)s
        UNION ALL
        SELECT office_id, family, account, 0, debit, credit
        FROM loans_journalline WHERE date <= %(day)s AND (%(stored)s::date IS NULL OR date > %(stored)s::date)
    ) moved
    GROUP BY office_id, family, account
    ORDER BY office_id, family, account
"""


@dataclass(frozen=True)
class GlFile:
    """The postings of a day summed by office, account and family. `digest` covers every row but the last."""

    content: bytes
    digest: str
    debit: Decimal
    credit: Decimal


def close_ledger_day(day: date) -> LedgerDay:
    """Store the balances of a day nobody books on any more; done before, the same row."""
    known = LedgerDay.objects.filter(date=day).first()
    if known is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute(_STORE, {"day": day, "stored": last_stored_day(day)})
    file = gl_file_of(day)
    posted = JournalLine.objects.filter(date=day).aggregate(lines=Count("pk"), entries=Count("entry", distinct=True))
    return LedgerDay.objects.create(date=day, debit=file.debit, credit=file.credit, digest=file.digest, **posted)


def gl_file_of(day: date) -> GlFile:
    """H row, a D row for each office, account and family, T row with count, totals and digest; UTF-8, LF."""
    rows = (
        JournalLine.objects.filter(date=day)
        .order_by("office__code", "account", "family")
        .values_list("office__code", "account", "family")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
    )
    lines, debit, credit = [f"H,{day.isoformat()},CNY"], ZERO, ZERO
    for office, account, family, debits, credits in rows:
        lines.append(f"D,{office},{account},{family},{debits},{credits}")
        debit, credit = debit + debits, credit + credits
    body = "".join(f"{line}\n" for line in lines)
    digest = hashlib.sha256(body.encode()).hexdigest()
    content = f"{body}T,{len(lines) - 1},{debit},{credit},{digest}\n".encode()
    return GlFile(content, digest, debit, credit)


def kept_gl_file(day: LedgerDay) -> GlFile:
    """The file of a closed day. Raises Unmet when it no longer is what it was when the day was closed."""
    file = gl_file_of(day.date)
    if file.digest != day.digest:
        raise Unmet(_("The postings of this day are not those it was closed with."), digest=file.digest)
    return file
