"""What two people do to a loan: earlier repayments, reversals, waivers, changes of terms; and what it moves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.money import from_cents
from branch.domain.refusals import (
    AuthorityExceeded,
    DutiesConflict,
    InvalidInput,
    KeyReused,
    PermissionRefused,
    Unmet,
    WrongState,
)
from branch.models import Event, ParameterValue, RoleAssignment
from branch.queries.business_date import business_date
from loans.domain.allocation import DueKind
from loans.domain.product_terms import FeeKind, ProductFee, ProductTerms
from loans.domain.terms import FeeOn
from loans.models import (
    AccrualCorrection,
    Facility,
    Instalment,
    JournalEntry,
    Loan,
    LoanEntry,
    LoanRequest,
    LoanTransaction,
    Repayment,
)
from loans.queries.loans import due_today, payoff_figure
from loans.queries.servicing import account_of, live_transactions
from loans.services import loan_requests, repayments, write_offs
from loans.services.balances import disagreements
from tests.loans.given import everything, move_to, paid_out_loan

FIRST_DUE, SECOND_DUE = date(2026, 4, 2), date(2026, 5, 2)


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """300,000.00 at 4.5 % over twelve months, paid out on 2026-03-02."""
    return paid_out_loan(cast)


def fresh(loan: Loan) -> Loan:
    return Loan.objects.get(pk=loan.pk)


def row(loan: Loan, number: int) -> Instalment:
    return Instalment.objects.get(loan=loan, number=number)


def book(cast: SimpleNamespace, loan: Loan, amount: Any, reference: str = "R-1", **facts: Any) -> Repayment:
    return repayments.book_repayment(
        actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal(amount), reference=reference, **facts
    )


def ask(cast: SimpleNamespace, name: str, loan: Loan, who: str = "he", **facts: Any) -> LoanRequest:
    service = getattr(loan_requests, f"request_{name}")
    return service(actor=cast.actor(who), loan_id=loan.pk, **({"reason": "按客户申请"} | facts))


def confirm(cast: SimpleNamespace, request: LoanRequest, who: str = "zhou") -> LoanRequest:
    return loan_requests.confirm_loan_request(actor=cast.actor(who), loan_request_id=request.pk)


def transaction(reference: str) -> LoanTransaction:
    return LoanTransaction.objects.get(reference=reference)


def all_agrees() -> bool:
    return list(disagreements()) == []


# --- earlier repayments


def test_money_that_came_in_earlier_takes_its_penalty_back(cast: SimpleNamespace, loan: Loan) -> None:
    """Paid on the due day, known ten days later: no penalty, nothing past due; ten nights are corrected today."""
    first = row(loan, 1)
    move_to(date(2026, 4, 12))
    Loan.objects.filter(pk=loan.pk).update(days_past_due=9)
    assert fresh(loan).penalty_due == Decimal("48.05")
    request = ask(
        cast, "backdated_repayment", loan, amount=first.principal + first.interest, reference="SLIP-7",
        value_date=FIRST_DUE,
    )  # fmt: skip
    assert not Repayment.objects.exists()
    assert request.expected["before"]["figures"]["penalty_due"] == "48.05"
    assert request.expected["after"]["figures"]["penalty_due"] == "0.00"

    booked = confirm(cast, request).transaction

    assert booked is not None
    standing = fresh(loan)
    assert standing.penalty_due == standing.suspense_amount == Decimal(0)
    assert standing.outstanding_principal == Decimal("300000.00") - first.principal
    assert standing.days_past_due == 0
    correction = AccrualCorrection.objects.get()
    assert (correction.date, correction.interest, correction.penalty) == (
        date(2026, 4, 12),
        Decimal(0),
        Decimal("-48.05"),
    )
    assert (booked.value_date, booked.booked_date) == (FIRST_DUE, date(2026, 4, 12))
    assert booked.movement.before["figures"]["days_past_due"] == 9
    assert booked.movement.after["figures"]["days_past_due"] == 0
    assert all_agrees()


def test_a_later_repayment_goes_elsewhere_when_an_earlier_one_is_known(cast: SimpleNamespace, loan: Loan) -> None:
    """What paid penalty and the first instalment pays the second one once the first is known to have been paid."""
    move_to(SECOND_DUE)
    first = row(loan, 1)
    later = book(cast, loan, "30000.00", "LATER")
    assert LoanEntry.objects.get(repayment=later, kind="penalty").amount == Decimal("144.14")

    confirm(
        cast,
        ask(cast, "backdated_repayment", loan, amount=first.principal + first.interest, reference="EARLIER",
            value_date=FIRST_DUE),
    )  # fmt: skip

    sums: dict[tuple[str, int | None], Decimal] = {}
    for entry in LoanEntry.objects.filter(repayment=later):
        key = entry.kind, entry.instalment_number
        sums[key] = sums.get(key, Decimal(0)) + entry.amount
    second = row(loan, 2)
    due = second.principal + second.interest
    assert {key: amount for key, amount in sums.items() if amount} == {
        ("interest", 2): second.interest,
        ("principal", 2): second.principal,
        ("suspense", None): Decimal("30000.00") - due,
    }
    assert second.principal_paid + second.interest_paid == due
    moved = LoanEntry.objects.filter(moved_by__reference="EARLIER")
    assert moved.exists()
    assert all_agrees()


@pytest.mark.parametrize("value_date", [date(2026, 3, 1), date(2026, 4, 12), date(2026, 4, 13)])
def test_a_day_before_the_loan_or_not_past_is_refused(cast: SimpleNamespace, loan: Loan, value_date: date) -> None:
    move_to(date(2026, 4, 12))
    before = everything()
    with pytest.raises(InvalidInput) as refusal:
        ask(cast, "backdated_repayment", loan, amount=Decimal(1), reference="S", value_date=value_date)
    assert list(refusal.value.fields) == ["value_date"]
    assert everything() == before


# --- reversals


def test_a_reversed_repayment_leaves_the_loan_as_if_it_had_not_come(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE)
    first = row(loan, 1)
    booked = book(cast, loan, first.principal + first.interest)
    move_to(date(2026, 4, 12))

    confirm(cast, ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk))

    standing = fresh(loan)
    assert standing.outstanding_principal == Decimal("300000.00")
    assert standing.penalty_due == Decimal("48.05")
    assert standing.days_past_due == 9
    assert sum(entry.amount for entry in LoanEntry.objects.filter(repayment=booked)) == 0
    assert AccrualCorrection.objects.get().penalty == Decimal("48.05")
    reversal = JournalEntry.objects.get(event="reversal")
    assert reversal.reverses == JournalEntry.objects.get(reference=f"repayment:{booked.pk}")
    assert all_agrees()


def test_reversing_a_pay_off_makes_the_loan_active_again(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 3, 18))
    book(cast, loan, payoff_figure(loan, business_date()), pay_off=True)
    planned = [r["interest"] for r in transaction("R-1").movement.before["rows"]]
    assert fresh(loan).state == "settled"

    confirm(cast, ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk))

    standing = fresh(loan)
    assert (standing.state, standing.settled_date) == ("active", None)
    assert standing.outstanding_principal == Decimal("300000.00")
    assert [str(r.interest) for r in loan.instalments.order_by("number")] == planned
    assert Event.objects.filter(name="loan.reactivate").count() == 1
    assert all_agrees()


def test_a_revolving_line_is_used_again_by_a_reversal(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast, family="revolving")
    move_to(FIRST_DUE)
    book(cast, loan, due_today(loan))
    assert Facility.objects.get().drawn_amount < Decimal("300000.00")
    confirm(cast, ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk))
    assert Facility.objects.get().drawn_amount == Decimal("300000.00")
    assert all_agrees()


def test_what_a_pay_off_rests_on_is_not_taken_back_alone(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE)
    book(cast, loan, due_today(loan))
    book(cast, loan, payoff_figure(fresh(loan), FIRST_DUE), "OFF", pay_off=True)
    before = everything()
    with pytest.raises(InvalidInput, match=r"it takes 301162\.50 to pay off") as refusal:
        ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk)
    assert list(refusal.value.fields) == ["value_date"]
    assert everything() == before


def test_nothing_is_taken_back_twice_and_no_payout_ever(cast: SimpleNamespace, loan: Loan) -> None:
    book(cast, loan, "1.00")
    asked = [ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk) for _ in range(2)]
    confirm(cast, asked[0])
    before = everything()
    with pytest.raises(KeyReused):
        confirm(cast, asked[1])
    for reference in ("R-1", loan.number):
        with pytest.raises(InvalidInput):
            ask(cast, "reversal", loan, transaction_id=transaction(reference).pk)
    assert everything() == before


# --- who may


def test_who_asked_does_not_decide(cast: SimpleNamespace, loan: Loan) -> None:
    RoleAssignment.objects.create(
        user=cast.he, role="branch_manager", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    book(cast, loan, "1.00")
    request = ask(cast, "reversal", loan, transaction_id=transaction("R-1").pk)
    before = everything()
    with pytest.raises(DutiesConflict):
        confirm(cast, request, "he")
    with pytest.raises(DutiesConflict):
        loan_requests.refuse_loan_request(actor=cast.actor("he"), loan_request_id=request.pk, reason="不")
    assert everything() == before


@pytest.mark.parametrize(("who", "refusal"), [("lin", PermissionRefused), ("wu", DutiesConflict)])
def test_who_may_not_ask(cast: SimpleNamespace, loan: Loan, who: str, refusal: type[Exception]) -> None:
    before = everything()
    with pytest.raises(refusal):
        ask(cast, "fee", loan, who, amount=Decimal(1))
    assert everything() == before


def test_a_waiver_needs_authority(cast: SimpleNamespace, loan: Loan) -> None:
    ParameterValue.objects.create(code="waiver.branch_limit", value="10", effective_date=date(2020, 1, 1))
    move_to(date(2026, 4, 12))
    request = ask(cast, "waiver", loan, kind="penalty", amount=Decimal("48.05"))
    with pytest.raises(AuthorityExceeded) as refusal:
        confirm(cast, request)
    assert refusal.value.facts["limit"] == "10"
    small = confirm(cast, ask(cast, "waiver", loan, kind="penalty", amount=Decimal("8.05")))
    assert small.state == "confirmed"
    assert fresh(loan).penalty_due == Decimal("40.00")
    assert all_agrees()


def test_no_more_is_waived_than_is_due(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 12))
    with pytest.raises(InvalidInput) as refusal:
        ask(cast, "waiver", loan, kind="penalty", amount=Decimal("48.06"))
    assert list(refusal.value.fields) == ["amount"]


def test_a_refused_or_withdrawn_request_moves_nothing(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 12))
    first, second = (ask(cast, "waiver", loan, kind="penalty", amount=Decimal(1)) for _ in range(2))
    loan_requests.refuse_loan_request(actor=cast.actor("zhou"), loan_request_id=first.pk, reason="无依据")
    loan_requests.withdraw_loan_request(actor=cast.actor("he"), loan_request_id=second.pk)
    assert fresh(loan).penalty_due == Decimal("48.05")
    with pytest.raises(WrongState):
        confirm(cast, first)
    assert not LoanTransaction.objects.filter(kind="waiver").exists()


# --- terms


def test_interest_waived_is_earned_but_not_asked(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE)
    confirm(cast, ask(cast, "waiver", loan, kind="interest", amount=Decimal("162.50")))
    assert row(loan, 1).interest == Decimal("1000.00")
    assert all_agrees()
    book(cast, loan, payoff_figure(fresh(loan), FIRST_DUE), pay_off=True)
    assert fresh(loan).state == "settled"
    assert all_agrees()


def test_another_rate_from_the_middle_of_a_period(cast: SimpleNamespace, loan: Loan) -> None:
    """16 days at 4.5 %, 15 at 3.6 %: 600.00 and 450.00; the nights after know the new rate."""
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "rate_change", loan, annual_rate=Decimal("0.036")))
    standing = fresh(loan)
    assert (standing.annual_rate, standing.penalty_rate) == (Decimal("0.036"), Decimal("0.054"))
    assert row(loan, 1).interest == Decimal("1050.00")
    assert not AccrualCorrection.objects.exists()
    move_to(date(2026, 4, 20))
    assert all_agrees()


def test_a_rate_known_too_late_corrects_the_nights(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 10))
    confirm(cast, ask(cast, "rate_change", loan, annual_rate=Decimal("0.036"), value_date=date(2026, 3, 18)))
    assert row(loan, 1).interest == Decimal("1050.00")
    assert AccrualCorrection.objects.get().interest < Decimal("-112.50")
    move_to(date(2026, 4, 20))
    assert all_agrees()


def test_no_interest_runs_in_a_pause(cast: SimpleNamespace, loan: Loan) -> None:
    """Ten of 31 days: 21 days of 4.5 % on 300,000.00 are 787.50."""
    move_to(date(2026, 3, 10))
    confirm(cast, ask(cast, "interest_pause", loan, until=date(2026, 3, 20)))
    assert row(loan, 1).interest == Decimal("787.50")
    move_to(date(2026, 3, 15))
    assert payoff_figure(fresh(loan), date(2026, 3, 20)) == Decimal("300300.00")
    assert payoff_figure(fresh(loan), date(2026, 3, 21)) == Decimal("300337.50")
    move_to(date(2026, 4, 20))
    assert all_agrees()


def test_an_extension_a_grace_and_a_fee(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 3, 10))
    confirm(cast, ask(cast, "extension", loan, extra_instalments=6))
    assert loan.instalments.count() == 18
    assert fresh(loan).maturity_date == date(2027, 9, 2)
    confirm(cast, ask(cast, "principal_grace", loan, principal_grace=2))
    assert [r.principal for r in loan.instalments.order_by("number")[:2]] == [0, 0]
    confirm(cast, ask(cast, "fee", loan, amount=Decimal("80.00")))
    assert row(loan, 1).fee == Decimal("80.00")
    move_to(FIRST_DUE)
    assert due_today(fresh(loan)) == Decimal("1242.50")
    book(cast, loan, "1242.50")
    assert row(loan, 1).fee_paid == Decimal("80.00")
    assert all_agrees()


def test_a_restructured_loan_is_observed(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 12))
    with pytest.raises(InvalidInput):
        ask(cast, "restructuring", loan)
    confirm(cast, ask(cast, "restructuring", loan, annual_rate=Decimal("0.03"), extra_instalments=12))
    standing = fresh(loan)
    assert standing.restructured_date == date(2026, 4, 12)
    assert (standing.asset_class, standing.annual_rate) == ("special_mention", Decimal("0.03"))
    move_to(date(2026, 4, 30))
    assert all_agrees()


def test_misused_money_costs_the_heavier_penalty_alone(cast: SimpleNamespace, loan: Loan) -> None:
    """9 % in place of 4.5 %: the 4.5 % on top of the contract's interest are penalty, 37.50 a day."""
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "misuse", loan, value_date=date(2026, 3, 16)))
    assert fresh(loan).penalty_due == Decimal("75.00")
    assert fresh(loan).misused_date == date(2026, 3, 16)
    move_to(date(2026, 3, 22))
    assert fresh(loan).penalty_due == Decimal("225.00")
    move_to(date(2026, 4, 20))
    assert all_agrees()
    book(cast, loan, payoff_figure(fresh(loan), business_date()), pay_off=True)
    assert fresh(loan).state == "settled"
    assert all_agrees()


def test_misuse_and_a_persons_judgement_are_in_the_class(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "misuse", loan, value_date=date(2026, 3, 16)))
    assert (fresh(loan).asset_class, fresh(loan).class_rule) == ("special_mention", "misuse")
    with pytest.raises(InvalidInput):
        ask(cast, "judgement", loan, asset_class="splendid")
    worse = ask(cast, "judgement", loan, asset_class="doubtful", reason="借款人失联")
    assert worse.expected["after"]["figures"]["asset_class"] == "doubtful"
    with pytest.raises(DutiesConflict):
        confirm(cast, worse, who="he")
    confirm(cast, worse)
    assert (fresh(loan).asset_class, fresh(loan).class_rule) == ("doubtful", "judgement")
    assert all_agrees()


def test_the_way_out_of_non_performing_is_proven_and_approved(cast: SimpleNamespace, loan: Loan) -> None:
    """Judged substandard in March, an instalment late in April: half a year and two instalments after that day."""
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "judgement", loan, asset_class="substandard"))
    move_to(date(2026, 4, 10))
    with pytest.raises(Unmet) as refusal:
        ask(cast, "judgement", loan, asset_class="normal")
    assert refusal.value.facts == {}  # not the proving time: arrears come first
    book(cast, loan, due_today(fresh(loan)))
    move_to(date(2026, 4, 30))
    with pytest.raises(Unmet, match="2026-10-10"):
        ask(cast, "judgement", loan, asset_class="normal")
    for month in range(5, 11):
        move_to(date(2026, month, 2))
        book(cast, loan, due_today(fresh(loan)), reference=f"M-{month}")
    move_to(date(2026, 10, 10))
    confirm(cast, ask(cast, "judgement", loan, asset_class="normal", reason="经营恢复"))
    assert (fresh(loan).asset_class, fresh(loan).class_rule, fresh(loan).judged_class) == ("normal", "none", "")
    assert all_agrees()


def test_no_penalty_runs_on_days_of_grace(cast: SimpleNamespace) -> None:
    """25,625.45 due on 2 April with three days of grace: at 6.75 % from the 5th, 4.80 a day."""
    loan = paid_out_loan(cast, terms=ProductTerms(grace_days=3).as_json())
    move_to(date(2026, 4, 5))
    assert (fresh(loan).penalty_due, due_today(fresh(loan))) == (Decimal(0), Decimal("25625.45"))
    move_to(date(2026, 4, 7))
    assert fresh(loan).penalty_due == Decimal("9.61")
    book(cast, loan, due_today(fresh(loan)))
    assert all_agrees()


def test_a_fee_with_each_instalment_and_the_contracts_order(cast: SimpleNamespace) -> None:
    """50.00 with each instalment, and principal before interest before the fee: 25,000.00 pay the principal first."""
    order = (DueKind.PENALTY, DueKind.PRINCIPAL, DueKind.INTEREST, DueKind.FEE)
    fee = ProductFee("管理费", "Service fee", FeeKind.FIXED, Decimal(50), FeeOn.EACH)
    loan = paid_out_loan(cast, terms=ProductTerms(allocation_order=order, fees=(fee,)).as_json())
    move_to(FIRST_DUE)
    assert due_today(fresh(loan)) == Decimal("25675.45")
    book(cast, loan, "25000.00")
    first = row(loan, 1)
    assert (first.principal_paid, first.interest_paid, first.fee_paid) == (
        first.principal, Decimal("25000.00") - first.principal, Decimal(0),
    )  # fmt: skip
    book(cast, loan, due_today(fresh(loan)), reference="R-2")
    assert row(loan, 1).fee_paid == Decimal("50.00")
    assert all_agrees()


def test_a_loan_called_in_under_30_360_keeps_the_days_that_passed(cast: SimpleNamespace) -> None:
    """16 of the 31 days to 2 April: 30 × 16 ÷ 31 of 360 at 4.5 % on 300,000.00 are 580.65."""
    loan = paid_out_loan(cast, day_count="30/360")
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "call_in", loan))
    assert due_today(fresh(loan)) == Decimal("300580.65")
    assert all_agrees()
    move_to(date(2026, 3, 28))
    assert all_agrees()


def test_a_loan_called_in_is_due_as_a_whole(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 3, 18))
    confirm(cast, ask(cast, "call_in", loan))
    standing = fresh(loan)
    assert (standing.state, due_today(standing)) == ("called_in", Decimal("300600.00"))
    assert loan.instalments.count() == 1
    move_to(date(2026, 3, 28))
    # All of it bears the penalty rate: 300,600.00 × 6.75 % × 10 ÷ 360
    assert fresh(loan).penalty_due == Decimal("563.63")
    assert all_agrees()
    book(cast, loan, due_today(fresh(loan)))
    assert fresh(loan).state == "settled"
    assert all_agrees()


# --- the end


def test_a_claim_is_written_off_and_what_comes_in_later_is_a_recovery(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 12))
    with pytest.raises(Unmet):
        ask(cast, "write_off", loan)
    Loan.objects.filter(pk=loan.pk).update(asset_class="loss")
    request = confirm(cast, ask(cast, "write_off", loan))
    standing = fresh(loan)
    assert standing.state == "written_off"
    assert request.transaction is not None
    claim = request.transaction.amount or Decimal(0)
    assert claim > Decimal("301000.00")
    move_to(date(2026, 4, 20))
    assert fresh(loan).penalty_due == Decimal("48.05")
    assert all_agrees()

    he = cast.actor("he")
    write_offs.book_recovery(actor=he, loan_id=loan.pk, amount=Decimal("1000.00"), reference="REC-1")
    assert fresh(loan).state == "written_off"
    with pytest.raises(InvalidInput):
        write_offs.book_recovery(actor=he, loan_id=loan.pk, amount=claim, reference="REC-2")
    write_offs.book_recovery(actor=he, loan_id=loan.pk, amount=claim - 1000, reference="REC-2")
    assert fresh(loan).state == "recovered"
    assert all_agrees()


def test_a_loan_that_ended_is_late_no_more(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 4, 20))
    Loan.objects.filter(pk=loan.pk).update(days_past_due=17)
    book(cast, loan, payoff_figure(fresh(loan), business_date()), pay_off=True)
    assert (fresh(loan).state, fresh(loan).days_past_due) == ("settled", 0)


@pytest.mark.parametrize("method", ["equal_instalment", "interest_only"])
@pytest.mark.parametrize("day", [date(2026, 3, 20), date(2026, 4, 2), date(2026, 4, 15), date(2026, 5, 2)])
def test_interest_put_off_is_in_the_pay_off_figure(cast: SimpleNamespace, method: str, day: date) -> None:
    """The page's figure, the replay's, and what settles the loan are one, within the grace and after it."""
    terms = ProductTerms(interest_grace=2, principal_grace=2).as_json()
    loan = paid_out_loan(cast, repayment_method=method, terms=terms)
    move_to(day)
    account, _keys = account_of(fresh(loan), live_transactions(loan))
    account.advance(day)
    figure = payoff_figure(fresh(loan), day)
    assert figure == from_cents(account.payoff(day)) > loan.principal
    book(cast, loan, figure, pay_off=True)
    assert fresh(loan).state == "settled"
    assert all_agrees()
