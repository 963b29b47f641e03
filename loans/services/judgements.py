"""A person's word on a loan's class: for the worse at once; out of non-performing only after the proving time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.utils.translation import gettext as _

from branch.domain.calendar import add_months
from branch.domain.refusals import Unmet
from branch.queries.parameters import parameter
from loans.domain.servicing import Account
from loans.models import Loan, LoanTransaction
from loans.models.loan import AssetClass
from loans.queries.servicing import account_of, live_transactions

NON_PERFORMING = frozenset({AssetClass.SUBSTANDARD, AssetClass.DOUBTFUL, AssetClass.LOSS})


def judge(new: LoanTransaction) -> Callable[[Loan], None]:
    """What a judged class asks of the loan it is booked on. Raises Unmet for a way back that is not proven."""
    wanted = AssetClass(new.parameters["asset_class"])

    def look(loan: Loan) -> None:
        if loan.asset_class in NON_PERFORMING and wanted not in NON_PERFORMING:
            account, _keys = account_of(loan, live_transactions(loan))
            account.advance(new.value_date)
            _require_proof(account, new.value_date)
            # The rules hold a loan where it is; this lets it go. The night's rules judge it from here.
            loan.asset_class = wanted

    return look


def _require_proof(account: Account, day: date) -> None:
    if account.due(day):
        raise Unmet(_("Something is overdue: arrears are cleared first."))
    cleared = cleared_on(account, day)
    months, instalments = parameter("class.proving_months"), parameter("class.proving_instalments")
    proven = add_months(cleared, months)
    paid = sum(1 for line in account.lines if cleared < line.due_date <= day)
    if day < proven or paid < instalments:
        raise Unmet(
            _("Proving time runs until %(day)s and %(instalments)s instalments are paid; %(paid)s are.")
            % {"day": proven, "instalments": instalments, "paid": paid},
            proven_on=proven.isoformat(),
            instalments_paid=paid,
        )


def cleared_on(account: Account, day: date) -> date:
    """The last day up to `day` on which something late was paid; the loan's first where nothing ever was."""
    due_dates = {line.number: line.due_date for line in account.lines}
    late = (p.date for p in account.postings if p.number and due_dates.get(p.number, p.date) < p.date <= day)
    return max(late, default=account.terms.start_date)
