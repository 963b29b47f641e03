"""One renewal at the same moment: real threads, real transactions."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from branch.domain.refusals import Unmet, WrongState
from loans.models import Application, Loan, LoanTransaction
from loans.queries.renewals import interest_to_pay, require_conditions
from loans.services import drawdowns, loan_requests, renewals
from loans.services.balances import disagreements
from tests.concurrency.test_money import at_once, refusals
from tests.loans.given import move_to, product_version
from tests.loans.test_renewals import RENEWS_ON, STATED, asked, book, fresh, loan  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def pay_interest(cast: SimpleNamespace, loan: Loan) -> None:  # noqa: F811
    move_to(RENEWS_ON)
    book(cast, loan, interest_to_pay(fresh(loan), RENEWS_ON), "INTEREST")


def test_two_files_do_not_renew_one_loan(cast: SimpleNamespace, loan: Loan) -> None:  # noqa: F811
    lin, product = cast.actor("lin"), product_version(cast, "renewal").product
    facts: Any = {"actor": lin, "loan_id": loan.pk, "product_id": product.pk, "instalments": 12} | STATED

    results = at_once(*[lambda: renewals.apply_for_renewal(**facts)] * 3)

    assert [type(r) for r in refusals(results)] == [Unmet, Unmet]
    assert Application.objects.filter(renews=loan).count() == 1


def test_two_releases_renew_once(cast: SimpleNamespace, loan: Loan) -> None:  # noqa: F811
    pay_interest(cast, loan)
    drawdown, wu = asked(cast, loan), cast.actor("wu")

    results = at_once(*[lambda: drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk)] * 3)

    assert [type(r) for r in refusals(results)] == [WrongState, WrongState]
    assert Loan.objects.filter(application=drawdown.application).count() == 1
    assert LoanTransaction.objects.filter(kind="renewal").count() == 1
    assert list(disagreements()) == []


def test_misuse_confirmed_while_it_is_released_waits(
    cast: SimpleNamespace,
    loan: Loan,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the conditions were looked at, nothing changes them any more."""
    pay_interest(cast, loan)
    drawdown, zhou = asked(cast, loan), cast.actor("zhou")
    request = loan_requests.request_misuse(actor=cast.actor("he"), loan_id=loan.pk, reason="挪作购房")
    confirmed: list[Future[Any]] = []

    def confirm() -> None:
        try:
            loan_requests.confirm_loan_request(actor=zhou, loan_request_id=request.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:

        def overtaken(application: Application) -> None:
            require_conditions(application)
            confirmed.append(pool.submit(confirm))
            wait(confirmed, timeout=2)

        monkeypatch.setattr(renewals, "require_conditions", overtaken)
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)

    assert isinstance(confirmed[0].exception(), WrongState)
    assert (fresh(loan).state, fresh(loan).misused_date) == ("renewed", None)
