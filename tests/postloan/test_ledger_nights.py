"""What a night posts: interest, penalty and provisions of the whole portfolio, once, and the balances of the day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.db.models import F, Sum

from branch.domain.actor import system_actor
from branch.models import ParameterValue
from loans.models import AccountBalance, Accrual, Instalment, JournalEntry, JournalLine, LedgerDay, Loan
from loans.queries.ledger import trial_balance
from loans.services.ledger_days import close_ledger_day
from postloan.models import LoanDay
from postloan.services.steps.accrue import accrue
from postloan.services.steps.part import Part
from postloan.services.steps.provisions import provisions
from postloan.services.sweep import WORK
from tests.cast import OPENING
from tests.postloan.making import close_day, close_until, make_loan


def balance(account: str) -> Decimal:
    """Debits less credits of all postings."""
    total = JournalLine.objects.filter(account=account).aggregate(net=Sum(F("debit") - F("credit")))["net"]
    return total or Decimal(0)


def test_a_night_posts_what_accrued(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    overdue = make_loan(cast, 2, start_date=date(2026, 1, 2), instalments=3)

    close_day()

    accrued = Accrual.objects.aggregate(interest=Sum("interest"), penalty=Sum("penalty"))
    assert balance("113201") == -balance("601101") == accrued["interest"] > 0
    assert balance("113202") == -balance("601102") == accrued["penalty"] > 0
    assert Accrual.objects.get(loan=overdue, date=OPENING).penalty > 0
    entry = JournalEntry.objects.get(event="accrual")
    assert (entry.office, entry.source, entry.loan, entry.business_date) == (
        cast.offices.HW, "accrue/0", None, OPENING,
    )  # fmt: skip


def test_provisions_follow_the_classes(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1)
    other = make_loan(cast, 2, product_family="term")

    close_day()
    assert balance("130401") == -(loan.principal + other.principal) / 100 == -balance("670201")

    close_until(date(2026, 4, 4))
    latest = LoanDay.objects.filter(date=date(2026, 4, 3)).aggregate(total=Sum("provision"))["total"]
    assert balance("130401") == -latest == -(loan.principal + other.principal) / 50
    # On the days between nothing changed, and nothing was posted.
    assert JournalEntry.objects.filter(event="provision").count() == 2


def test_the_provision_of_a_loan_that_ended_is_released(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1)
    close_day()

    Instalment.objects.filter(loan=loan).update(principal_paid=F("principal"), interest_paid=F("interest"))
    Loan.objects.filter(pk=loan.pk).update(state="settled", outstanding_principal=0)
    close_day()

    assert balance("130401") == balance("670201") == 0


def test_a_loan_whose_day_is_missing_keeps_its_provision(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    close_day()
    before = balance("130401")

    provisions(Part(OPENING + timedelta(days=1), 0, 1))

    assert balance("130401") == before < 0


def test_steps_done_again_post_nothing(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    close_day()
    before = JournalEntry.objects.count()

    accrue(Part(OPENING, 0, 1))
    for step in ("classify", "provisions", "balances"):
        WORK[step](Part(OPENING, 0, 1), system_actor())

    assert JournalEntry.objects.count() == before
    assert LedgerDay.objects.count() == 1


def test_each_part_posts_its_own(cast: SimpleNamespace) -> None:
    ParameterValue.objects.create(code="sweep.shards", value=3, effective_date=OPENING)
    for serial in range(6):
        make_loan(cast, serial)

    close_day()

    sources = set(JournalEntry.objects.filter(event="accrual").values_list("source", flat=True))
    assert sources == {f"accrue/{customer % 3}" for customer in Loan.objects.values_list("customer_id", flat=True)}
    assert len(sources) > 1
    assert balance("113201") == Accrual.objects.aggregate(total=Sum("interest"))["total"]


def test_the_balances_of_every_night_follow_each_other(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)

    close_until(OPENING + timedelta(days=3))

    days = list(LedgerDay.objects.order_by("date").values_list("date", flat=True))
    assert days == [OPENING + timedelta(days=n) for n in range(3)]
    rows = list(AccountBalance.objects.filter(account="113201").order_by("date"))
    assert [row.closing for row in rows[:-1]] == [row.opening for row in rows[1:]]
    assert rows[-1].closing == balance("113201")
    found = trial_balance(cast.offices.HO, OPENING + timedelta(days=2))
    assert (found.is_closed, found.is_tied) == (True, True)
    assert found.totals["debit"] == LedgerDay.objects.latest("date").debit


def test_a_day_skipped_counts_with_the_next(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    accrue(Part(OPENING, 0, 1))
    accrue(Part(OPENING + timedelta(days=1), 0, 1))

    close_ledger_day(OPENING + timedelta(days=1))

    assert AccountBalance.objects.get(account="113201").closing == balance("113201")
