"""Repayments: booked once, spread over what is due, settled when nothing is owed.

Everything happens under the loan's lock, so that two people and a result file at the same moment come one after
the other.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.machine import Transition
from branch.domain.money import ZERO, format_money
from branch.domain.refusals import InvalidInput, KeyReused, PermissionRefused, Unmet
from branch.domain.roles import Duty, Role
from branch.models import PaymentInstruction
from branch.queries.parameters import parameter
from branch.services import payments
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import change, lock, may, take_duty, transition, wrong_state
from branch.services.use_case import use_case
from loans.domain.ledger import Kind, MoneyEvent
from loans.domain.transactions import TransactionKind
from loans.models import Loan, LoanTransaction, Repayment
from loans.queries.loans import OWING, due_today, what_is_owed
from loans.queries.servicing import account_of, live_transactions
from loans.queries.terms import terms_of
from loans.services.inputs import clean_amount, clean_reference
from loans.services.ledger import post
from loans.services.projection import bring_up
from loans.services.transactions import book, end, give_back, settle_if_paid

BOOKERS = frozenset({Role.LOAN_ACCOUNTANT, Role.SYSTEM})
Channel = Repayment.Channel


@use_case("book_repayment")
def book_repayment(
    *,
    actor: Actor,
    loan_id: int,
    amount: Decimal,
    reference: str,
    value_date: date | None = None,
    channel: str = Channel.COUNTER,
    pay_off: bool = False,
    expected_version: int | None = None,
) -> Repayment:
    """Book money that came in for a loan, once per reference; the same call again answers the same repayment.

    It goes to what is due today, oldest first; what is over is held for the borrower. `pay_off` settles the loan
    and takes exactly the pay-off figure. Raises InvalidInput by field, KeyReused for a reference that stands for
    something else, DutiesConflict for who released the money, Unmet while the business day is being closed.
    """
    amount, reference = clean_amount(amount), clean_reference(reference)
    if channel not in Channel.values:
        raise InvalidInput(fields={"channel": [_("Choose one of the channels.")]})
    loan = lock(Loan, loan_id, actor)
    _require_booker(actor, loan, "book_repayment")
    day = open_business_date()
    new = Repayment(
        loan=loan,
        customer_id=loan.customer_id,
        reference=reference,
        amount=amount,
        value_date=day,
        channel=channel,
        is_payoff=pay_off,
        booked_by_id=actor.user_id,
    )
    if (known := _known(new, value_date)) is not None:
        return known
    if value_date not in (None, day):
        raise InvalidInput(
            fields={"value_date": [_("Repayments are booked with today's business date, %(day)s.") % {"day": day}]}
        )
    if loan.state not in OWING:
        raise wrong_state(loan, "book_repayment", OWING)
    return receive(actor, new, version=expected_version)


@use_case("prepay_loan")
def prepay_loan(
    *,
    actor: Actor,
    loan_id: int,
    amount: Decimal,
    reference: str,
    surplus: str = "",
    expected_version: int | None = None,
) -> Repayment:
    """Book money of which more than what is due is repaid early; `surplus` says what the rest does to the schedule
    (shorten_term, lower_instalment, next_instalment, last_instalment, spread_evenly; empty: as signed).

    Raises InvalidInput by field, also for as much as it takes to pay off; Unmet where the contract does not allow it.
    """
    amount, reference = clean_amount(amount), clean_reference(reference)
    loan = lock(Loan, loan_id, actor)
    _require_booker(actor, loan, "prepay_loan")
    day = open_business_date()
    terms = terms_of(loan)
    surplus = surplus or terms.surplus
    if surplus not in parameter("prepayment.modes"):
        raise InvalidInput(fields={"surplus": [_("Choose one of the ways the bank offers.")]})
    new = Repayment(
        loan=loan,
        customer_id=loan.customer_id,
        reference=reference,
        amount=amount,
        value_date=day,
        channel=Channel.COUNTER,
        booked_by_id=actor.user_id,
    )
    if (known := _known(new, None)) is not None:
        return known
    if loan.state != "active":
        raise wrong_state(loan, "prepay_loan", ("active",))
    if not terms.prepayment_allowed:
        raise Unmet(_("The contract does not allow early repayment."))
    owed = what_is_owed(loan, day)
    over, payoff = amount + loan.suspense_amount - owed.due_amount, owed.payoff_amount - loan.suspense_amount
    if over <= 0:
        raise InvalidInput(fields={"amount": [_("This is no more than what is due: book a repayment.")]})
    if amount >= payoff:
        message = _("This pays the loan off: book a pay-off of %(payoff)s.") % {"payoff": format_money(payoff)}
        raise InvalidInput(fields={"amount": [message]})
    return receive(
        actor,
        new,
        TransactionKind.PREPAYMENT,
        states=("active",),
        version=expected_version,
        parameters={"surplus": str(surplus)},
    )


def book_collected(*, actor: Actor, loan_id: int, amount: Decimal, reference: str) -> Repayment:
    """Book what a debit took, in the transaction that notes the bank's answer, whatever state the loan is in.

    Money that comes for a loan no longer owing is held for the borrower.
    """
    loan = lock(Loan, loan_id, actor)
    new = Repayment(
        loan=loan,
        customer_id=loan.customer_id,
        reference=reference,
        amount=amount,
        value_date=open_business_date(),
        channel=Channel.DEBIT,
    )
    return receive(actor, new)


@use_case("collect_repayment")
def collect_repayment(*, actor: Actor, loan_id: int, amount: Decimal | None = None) -> PaymentInstruction:
    """Debit the borrower's repayment account with what is due today, or with `amount` of it.

    The order goes to the core bank after the commit and is booked when the bank says what it took. Raises Unmet
    when nothing is due, no account is known, or a debit of this loan is still without an answer.
    """
    loan = lock(Loan, loan_id, actor)
    _require_booker(actor, loan, "collect_repayment")
    if loan.state not in OWING:
        raise wrong_state(loan, "collect_repayment", OWING)
    open_business_date()
    earlier = PaymentInstruction.objects.filter(subject_type="loan", subject_id=str(loan.pk))
    if waiting := earlier.exclude(state__in=("succeeded", "failed")).first():
        raise Unmet(_("A debit of this loan is still without an answer."), reference=waiting.reference)
    instruction = payments.create_instruction(
        reference=f"{loan.number}-C{earlier.count() + 1}",
        kind=PaymentInstruction.Kind.COLLECTION,
        amount=_amount_to_collect(loan, amount),
        account=_repayment_account(loan),
        account_name=loan.customer.name,
        memo=loan.number,
        subject=loan,
    )
    record(
        "loan.collect",
        loan,
        actor=actor,
        before={},
        after={"reference": instruction.reference, "amount": str(instruction.amount)},
    )
    after_commit("loans.tasks.send_collection", instruction.pk)
    return instruction


@use_case("use_held_money")
def use_held_money(*, loan_id: int, on_date: date) -> Decimal:
    """Put what is held for the borrower to what is due on `on_date`; how much was used, in yuan.

    The nightly close calls it before it counts days past due, so that money paid early counts on the due day.
    """
    actor = system_actor()
    with change(Loan, loan_id, "use_held_money", actor=actor, roles=BOOKERS, states=OWING) as loan:
        held, outstanding = loan.suspense_amount, loan.outstanding_principal
        rows = live_transactions(loan)
        account, keys = account_of(loan, rows)
        account.advance(on_date)
        account.use_held(on_date)
        written = bring_up(loan, account, keys, rows, None)
    amounts = written.own
    amounts.pop(Kind.SUSPENSE_USED, None)  # both sides of it are the other amounts
    post(MoneyEvent.FEE_CHARGED, loan, {Kind.FEE: written.charged}, value_date=on_date)
    post(MoneyEvent.HELD_MONEY_USED, loan, amounts, value_date=on_date)
    give_back(actor, loan, outstanding - loan.outstanding_principal, BOOKERS)
    settle_if_paid(actor, loan.pk, on_date)
    return held - loan.suspense_amount


@use_case("settle_loan")
def settle_loan(*, actor: Actor, loan_id: int, expected_version: int | None = None) -> Loan:
    """End a loan that owes nothing any more. Raises Unmet with what it still owes."""
    day = open_business_date()
    with transition(Loan, loan_id, "settle", actor=actor, expected_version=expected_version) as loan:
        owed = what_is_owed(loan, day).payoff_amount
        if owed:
            raise Unmet(_("The loan still owes %(owed)s.") % {"owed": format_money(owed)}, owed=str(owed))
        end(loan, day)
    publish("loan.settled", loan_id=loan.pk)
    return loan


def _require_booker(actor: Actor, loan: Loan, event: str) -> None:
    if not may(actor, Transition(event, OWING, "", BOOKERS), loan):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    take_duty(actor, loan.file_key, Duty.BOOK)


def _known(new: Repayment, value_date: date | None) -> Repayment | None:
    """The repayment already booked under this reference. Raises KeyReused when it is another one."""
    known = Repayment.objects.filter(reference=new.reference).first()
    if known is None:
        return None
    same = all(getattr(known, name) == getattr(new, name) for name in ("loan_id", "amount", "channel", "is_payoff"))
    if not same or value_date not in (None, known.value_date):
        raise KeyReused(_("This reference was used for another repayment."), reference=new.reference)
    return known


def receive(
    actor: Actor,
    new: Repayment,
    kind: TransactionKind = TransactionKind.REPAYMENT,
    *,
    roles: frozenset[Role] = BOOKERS,
    states: tuple[str, ...] = (),
    version: int | None = None,
    **facts: Any,
) -> Repayment:
    """Keep the receipt and book what it did to the loan. Raises InvalidInput, KeyReused."""

    def keep(loan: Loan) -> None:
        if new.is_payoff:
            _require_exact(new.amount, what_is_owed(loan, new.value_date).payoff_amount - loan.suspense_amount)
        _insert(new)
        booked.repayment = new

    booked = LoanTransaction(
        loan_id=new.loan_id,
        customer_id=new.customer_id,
        kind=TransactionKind.PAYOFF if new.is_payoff else kind,
        reference=new.reference,
        value_date=new.value_date,
        amount=new.amount,
        booked_by_id=new.booked_by_id,
        **facts,
    )
    book(
        booked,
        event="book_repayment",
        actor=actor,
        roles=roles,
        states=states,
        reason=new.reference,
        expected_version=version,
        prepare=keep,
    )
    publish("repayment.booked", repayment_id=new.pk)
    # Read again: the loan it hangs on has moved.
    return Repayment.objects.select_related("loan", "transaction__movement").get(pk=new.pk)


def _insert(new: Repayment) -> None:
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError as error:
        # Two loans at the same moment: the lock of neither covers the reference, the constraint does.
        raise KeyReused(_("This reference was used for another repayment."), reference=new.reference) from error


def _require_exact(amount: Decimal, payoff: Decimal) -> None:
    if amount != payoff:
        raise InvalidInput(
            fields={"amount": [_("Today it takes exactly %(payoff)s to pay off.") % {"payoff": format_money(payoff)}]}
        )


def _amount_to_collect(loan: Loan, amount: Decimal | None) -> Decimal:
    due = due_today(loan)
    if due <= ZERO:
        raise Unmet(_("Nothing is due today."))
    amount = due if amount is None else clean_amount(amount)
    if amount > due:
        raise InvalidInput(fields={"amount": [_("Only %(due)s is due today.") % {"due": format_money(due)}]})
    return amount


def _repayment_account(loan: Loan) -> str:
    account = loan.customer.repayment_account
    if not account:
        raise Unmet(_("The customer has no repayment account on file."))
    return account
