"""Renewal without repaying principal: five conditions, a new contract in time, no money moved for the principal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet, WrongState
from branch.models import PaymentInstruction
from branch.services.attachments import attach
from customers.services import customers, merges
from loans.models import Application, Contract, Drawdown, JournalEntry, Loan, ProductVersion
from loans.queries.loans import due_today
from loans.queries.renewals import conditions_of, interest_to_pay, renewal_picture
from loans.services import (
    applications,
    contracts,
    drawdowns,
    facilities,
    loan_requests,
    payouts,
    products,
    renewals,
    repayments,
)
from loans.services.balances import disagreements
from tests.customers.making import resident_id_of
from tests.life import PDF, Life, set_up_branch
from tests.loans.given import PAYEE, SUCCEEDED, instruction_of, move_to, paid_out_loan, product_version
from tests.loans.making import publish_lpr

STATED = {"lawful_business": "证照齐全,无涉诉", "going_concern": "订单排到八月,用电平稳"}
#: The old loan of 300,000.00 from 2 March runs twelve months at 4.5 %, interest monthly.
RENEWS_ON = date(2026, 4, 12)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    publish_lpr()
    loan = paid_out_loan(cast, serial=900, repayment_method="interest_only")
    move_to(date(2026, 4, 2))
    book(cast, loan, due_today(fresh(loan)), "R-1")
    return fresh(loan)


def fresh(loan: Loan) -> Loan:
    return Loan.objects.get(pk=loan.pk)


def book(cast: SimpleNamespace, loan: Loan, amount: Decimal, reference: str) -> None:
    repayments.book_repayment(actor=cast.actor("he"), loan_id=loan.pk, amount=amount, reference=reference)


def apply(cast: SimpleNamespace, loan: Loan, who: str = "lin", **facts: Any) -> Application:
    product = product_version(cast, "renewal").product
    values = {"product_id": product.pk, "instalments": 12} | STATED | facts
    return renewals.apply_for_renewal(actor=cast.actor(who), loan_id=loan.pk, **values)


def contracted(cast: SimpleNamespace, loan: Loan) -> Contract:
    """The file decided and its contract drawn up, to be signed."""
    application = apply(cast, loan)
    Application.objects.filter(pk=application.pk).update(state="contracted", approved_amount=application.amount)
    return Contract.objects.create(
        office=loan.office, number="HT-2026-000901", application=application, customer=loan.customer, owner=cast.lin,
        amount=application.amount, annual_rate=Decimal("0.042"), penalty_rate=Decimal("0.063"),
        day_count="actual/360", instalments=12, frequency_unit="month", frequency_every=1,
        repayment_method="interest_only",
    )  # fmt: skip


def asked(cast: SimpleNamespace, loan: Loan) -> Drawdown:
    contract = contracts.sign_contract(actor=cast.actor("lin"), contract_id=contracted(cast, loan).pk)
    facilities.make_effective(actor=cast.actor("wu"), facility_id=contract.facility.pk)
    drawdown = renewals.request_renewal(actor=cast.actor("lin"), facility_id=contract.facility.pk)
    return drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


def release(cast: SimpleNamespace, drawdown: Drawdown) -> Drawdown:
    return drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


def failing(application: Application) -> dict[str, list[str]]:
    return {held.condition.value: list(held.grounds) for held in conditions_of(application) if not held.holds}


def test_a_loan_on_a_merged_file_is_renewed_where_it_was_booked(cast: SimpleNamespace, loan: Loan) -> None:
    lin, zhou = cast.actor("lin"), cast.actor("zhou")
    kept = customers.create_customer(
        actor=lin, kind="farm_household", name="陈记农机", contact_name="陈", identity_number=resident_id_of(44)
    )
    merges.merge_customers(actor=zhou, customer_id=kept.pk, other_id=loan.customer_id, reason="同一家")
    move_to(RENEWS_ON)

    application = apply(cast, loan)

    assert application.customer_id == loan.customer_id
    proof = attach(actor=lin, subject=application, kind="purpose", title="合同", upload=PDF)
    assert proof.customer_id == loan.customer_id
    with pytest.raises(WrongState, match="merged into another"):
        applications.draft_application(actor=lin, customer_id=loan.customer_id)
    with pytest.raises(WrongState, match="merged into another"):
        attach(actor=lin, subject=loan.customer, kind="document", title="门面", upload=PDF)


def test_the_new_contract_takes_the_principal_over(cast: SimpleNamespace, loan: Loan) -> None:
    payments = PaymentInstruction.objects.count()
    move_to(RENEWS_ON)
    drawdown = asked(cast, loan)
    picture = renewal_picture(drawdown.application)
    assert picture is not None
    assert [len(picture[side]["rows"]) for side in ("before", "after")] == [12, 12]

    # Ten days of 4.5 % on 300,000.00 over 360 are paid in first.
    assert interest_to_pay(fresh(loan), RENEWS_ON) == Decimal("375.00")
    with pytest.raises(Unmet, match=r"375\.00"):
        release(cast, drawdown)
    assert (fresh(loan).state, Drawdown.objects.get(pk=drawdown.pk).state) == ("active", "checked")
    book(cast, loan, Decimal("375.00"), "INTEREST")
    assert release(cast, drawdown).state == "disbursed"

    old, new = fresh(loan), Loan.objects.get(drawdown=drawdown)
    assert (old.state, old.outstanding_principal, old.suspense_amount, old.settled_date) == (
        "renewed", Decimal(0), Decimal(0), RENEWS_ON,
    )  # fmt: skip
    assert (new.state, new.principal, new.annual_rate, new.asset_class) == (
        "active", Decimal("300000.00"), Decimal("0.042000"), "normal",
    )  # fmt: skip
    assert PaymentInstruction.objects.count() == payments
    assert {entry.event for entry in JournalEntry.objects.filter(loan=new)} == {"renewal"}
    assert {"renewed", "held_money_used"} <= {entry.event for entry in JournalEntry.objects.filter(loan=old)}
    assert list(disagreements()) == []
    move_to(date(2026, 5, 12))
    assert due_today(fresh(new)) == Decimal("1050.00")
    assert list(disagreements()) == []


def test_it_is_done_once_by_whom_it_is_for(cast: SimpleNamespace, loan: Loan) -> None:
    with pytest.raises(PermissionRefused):
        apply(cast, loan, who="he")
    with pytest.raises(InvalidInput) as refusal:
        apply(cast, loan, going_concern="  ")
    assert set(refusal.value.fields) == {"going_concern"}
    drawdown = asked(cast, loan)
    with pytest.raises(Unmet, match="renews this loan already"):
        apply(cast, loan)
    with pytest.raises(Unmet, match="asked for already"):
        renewals.request_renewal(actor=cast.actor("lin"), facility_id=drawdown.facility_id)
    with pytest.raises(Unmet, match="no money is paid out"):
        drawdowns.request_drawdown(
            actor=cast.actor("lin"), facility_id=drawdown.facility_id, amount=Decimal(1000), **PAYEE
        )
    release(cast, drawdown)
    for again in (lambda: release(cast, drawdown), lambda: apply(cast, loan)):
        with pytest.raises(WrongState):
            again()
    assert Loan.objects.filter(application=drawdown.application).count() == 1


def test_each_condition_that_fails_is_named(cast: SimpleNamespace, loan: Loan) -> None:
    application = apply(cast, loan)
    assert failing(application) == {}

    def with_loan(**facts: Any) -> dict[str, list[str]]:
        Loan.objects.filter(pk=loan.pk).update(**facts)
        found = failing(Application.objects.get(pk=application.pk))
        Loan.objects.filter(pk=loan.pk).update(
            misused_date=None, asset_class="normal", maturity_date=loan.maturity_date,
            outstanding_principal=loan.outstanding_principal,
        )  # fmt: skip
        return found

    def with_file(**facts: Any) -> dict[str, list[str]]:
        kept = {name: getattr(application, name) for name in facts}
        Application.objects.filter(pk=application.pk).update(**facts)
        found = failing(Application.objects.get(pk=application.pk))
        Application.objects.filter(pk=application.pk).update(**kept)
        return found

    assert with_loan(misused_date=date(2026, 4, 1)) == {"lawful_business": ["misused"]}
    assert with_file(renewal_statement={"lawful_business": "有"}) == {"going_concern": ["not_stated"]}
    assert with_loan(asset_class="special_mention") == {"good_credit": ["not_normal"]}
    assert with_loan(maturity_date=date(2026, 4, 1)) == {"bank_terms": ["matured"]}
    assert with_loan(outstanding_principal=Decimal(1)) == {"bank_terms": ["above_outstanding"]}
    other = product_version(cast, "short_term")
    assert with_file(product_version=other) == {"bank_terms": ["no_renewal_product"]}
    version = application.product_version
    version.customer_kinds = ["farm_household"]
    version.save()
    assert failing(Application.objects.get(pk=application.pk)) == {"loan_conditions": ["criteria"]}


def test_a_condition_that_fails_stops_signing_and_the_renewal(cast: SimpleNamespace, loan: Loan) -> None:
    contract = contracted(cast, loan)
    loan_requests.confirm_loan_request(
        actor=cast.actor("zhou"),
        loan_request_id=loan_requests.request_misuse(actor=cast.actor("he"), loan_id=loan.pk, reason="挪作购房").pk,
    )
    with pytest.raises(Unmet) as refusal:
        contracts.sign_contract(actor=cast.actor("lin"), contract_id=contract.pk)
    assert refusal.value.facts["conditions"] == ["lawful_business"]
    assert Contract.objects.get(pk=contract.pk).state == "generated"


def test_an_instalment_paid_meanwhile_asks_for_it_anew(cast: SimpleNamespace, loan: Loan) -> None:
    drawdown = asked(cast, loan)
    repayments.prepay_loan(actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal(50000), reference="PART")
    with pytest.raises(Unmet, match="250,000"):
        release(cast, drawdown)
    assert fresh(loan).state == "active"


class Renewing(Life):
    """The life of the file that takes the first one's loan over."""

    @property
    def application(self) -> Application:
        return Application.objects.exclude(renews=None).get()

    def request_drawdown(self) -> None:
        renewals.request_renewal(actor=self.actor("lin"), facility_id=self.facility.pk)


def test_a_renewal_goes_the_way_of_every_file(cast: SimpleNamespace) -> None:
    """Investigated, decided, offered, contracted and released by the same people and duties as the first."""
    set_up_branch(cast)
    first = Life(cast.actor, instalments=6, frequency_unit="month")
    for step in Life.TO_RELEASE:
        getattr(first, step)()
    instruction = instruction_of(first.drawdown)
    PaymentInstruction.objects.filter(pk=instruction.pk).update(state="sent")
    payouts.record_payout_answer(instruction_id=instruction.pk, answer=SUCCEEDED)
    sold = ProductVersion.objects.get(state="active")
    product = products.create_product(
        actor=cast.actor("zhou"), code="RN", name_zh="续贷", name_en="Renewal", family="renewal"
    )
    sold.pk, sold._state.adding, sold.product = None, True, product
    sold.save()

    old = first.loan
    renewals.apply_for_renewal(actor=cast.actor("lin"), loan_id=old.pk, product_id=product.pk, instalments=12, **STATED)
    second = Renewing(cast.actor)
    applications.update_application(
        actor=cast.actor("lin"), application_id=second.application.pk, instalments=11, frequency_unit="month"
    )
    for step in Life.TO_RELEASE[Life.TO_RELEASE.index("submit") :]:
        getattr(second, step)()

    assert (fresh(old).state, second.loan.state, second.loan.principal) == ("renewed", "active", old.principal)
    assert second.contract.pdf_zh is not None
    assert list(disagreements()) == []
