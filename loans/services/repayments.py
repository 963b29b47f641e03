"""Repayments: booked once, spread over what is due, settled when nothing is owed.

Everything happens under the loan's lock, so that two people and a result file at the same moment come one after
the other.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.machine import Transition
from branch.domain.money import ZERO, format_money
from branch.domain.refusals import InvalidInput, KeyReused, PermissionRefused, Unmet
from branch.domain.roles import Duty, Role
from branch.models import PaymentInstruction
from branch.services import payments
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import change, lock, may, take_duty, transition, wrong_state
from branch.services.use_case import use_case
from loans.domain.allocation import DueKind, allocate_repayment
from loans.domain.ledger import Kind, MoneyEvent
from loans.models import Loan, Repayment
from loans.queries.loans import OWING, due_today, what_is_owed
from loans.services.facilities import take_from_limit
from loans.services.inputs import clean_amount, clean_reference
from loans.services.ledger import post
from loans.services.posting import end_schedule, post_allocation

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
    return _book(actor, new, expected_version)


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
    return _book(actor, new)


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
        held = loan.suspense_amount
        allocation = allocate_repayment(held, what_is_owed(loan, on_date).due, as_of=on_date)
        amounts = post_allocation(loan, allocation, on_date)
    amounts.pop(Kind.SUSPENSE_USED, None)  # both sides of it are the other amounts
    post(MoneyEvent.HELD_MONEY_USED, loan, amounts, value_date=on_date)
    _after_booking(actor, loan, on_date, allocation.total(DueKind.PRINCIPAL))
    return held - allocation.surplus


@use_case("settle_loan")
def settle_loan(*, actor: Actor, loan_id: int, expected_version: int | None = None) -> Loan:
    """End a loan that owes nothing any more. Raises Unmet with what it still owes."""
    return _settle(actor, loan_id, open_business_date(), expected_version)


def _settle(actor: Actor, loan_id: int, day: date, expected_version: int | None = None) -> Loan:
    with transition(Loan, loan_id, "settle", actor=actor, expected_version=expected_version) as loan:
        owed = what_is_owed(loan, day).payoff_amount
        if owed:
            raise Unmet(_("The loan still owes %(owed)s.") % {"owed": format_money(owed)}, owed=str(owed))
        loan.settled_date = day
        end_schedule(loan)
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


def _book(actor: Actor, new: Repayment, expected_version: int | None = None) -> Repayment:
    """Post the repayment and settle the loan when nothing is left. Raises InvalidInput, KeyReused."""
    with change(
        Loan,
        new.loan_id,
        "book_repayment",
        actor=actor,
        roles=BOOKERS,
        reason=new.reference,
        expected_version=expected_version,
    ) as loan:
        _insert(new)
        owed = what_is_owed(loan, new.value_date)
        items = owed.due
        if new.is_payoff:
            _require_exact(new.amount, owed.payoff_amount - loan.suspense_amount)
            items = (*owed.due, *owed.early)
        allocation = allocate_repayment(new.amount + loan.suspense_amount, items, as_of=new.value_date)
        amounts = post_allocation(loan, allocation, new.value_date, new)
    post(MoneyEvent.REPAYMENT, loan, amounts, value_date=new.value_date, reference=f"repayment:{new.pk}")
    _after_booking(actor, loan, new.value_date, allocation.total(DueKind.PRINCIPAL))
    publish("repayment.booked", repayment_id=new.pk)
    # Read again: the loan it hangs on has moved.
    return Repayment.objects.select_related("loan").get(pk=new.pk)


def _after_booking(actor: Actor, loan: Loan, day: date, principal: Decimal) -> None:
    """Give a revolving line its limit back, and end a loan that owes nothing any more."""
    facility = loan.drawdown.facility
    if principal and facility.is_revolving:
        take_from_limit(facility.pk, -principal, event="give_back", actor=actor, roles=BOOKERS)
    if loan.state in OWING and not what_is_owed(loan, day).payoff_amount:
        _settle(actor, loan.pk, day)


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
