"""Whom a drawdown pays: one payee, or a list of them that is paid one by one, each once (entrusted payment)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO, format_money
from branch.domain.refusals import InvalidInput, NotFound, Unmet
from branch.domain.roles import Role
from branch.models import PaymentInstruction
from branch.services import payments
from branch.services.transition import change
from branch.services.use_case import use_case
from loans.models import Drawdown, Payee
from loans.queries.facilities import entrusted_above, is_the_borrower, payout_amount, sized_by_draw
from loans.services.inputs import clean_account, clean_amount, clean_text

MANAGER = frozenset({Role.ACCOUNT_MANAGER})
MOST_PAYEES = 50


class PayeeFacts(TypedDict):
    name: str
    account: str
    amount: Decimal
    purpose: str


def clean_payees(payees: Sequence[PayeeFacts], drawdown: Drawdown) -> list[Payee]:
    """The list as rows not saved yet; none for no list. Raises InvalidInput, a row's fault as `payees.2.account`."""
    if not payees:
        return []
    if len(payees) > MOST_PAYEES:
        raise InvalidInput(fields={"payees": [_("At most %(most)d payees.") % {"most": MOST_PAYEES}]})
    rows = [_clean(number, given, drawdown) for number, given in enumerate(payees, 1)]
    total, wanted = sum((row.amount for row in rows), ZERO), payout_amount(drawdown)
    if total != wanted:
        message = _("The payees get %(total)s, what goes out is %(wanted)s.")
        sums = {"total": format_money(total), "wanted": format_money(wanted)}
        raise InvalidInput(fields={"payees": [message % sums]})
    return rows


def _clean(number: int, given: PayeeFacts, drawdown: Drawdown) -> Payee:
    try:
        return Payee(
            customer_id=drawdown.customer_id,
            number=number,
            name=clean_text(given["name"], "name", 120),
            account=clean_account(given["account"], "account"),
            amount=clean_amount(given["amount"]),
            purpose=clean_text(given["purpose"], "purpose", 200),
        )
    except InvalidInput as refusal:
        fields = {f"payees.{number - 1}.{name}": said for name, said in refusal.fields.items()}
        raise InvalidInput(fields=fields) from refusal


def require_entrusted(drawdown: Drawdown) -> None:
    """Above the supervisor's thresholds money goes to whom the borrower buys from. Raises Unmet for the borrower.

    A firm's is a single payment's amount, a person's that of the whole draw.
    """
    limit, borrower = entrusted_above(drawdown), drawdown.customer
    paid = [(payee.name, payee.account, payee.amount) for payee in drawdown.payees.all()]
    for name, account, amount in paid or [(drawdown.payee_name, drawdown.payee_account, drawdown.amount)]:
        counts = drawdown.amount if sized_by_draw(borrower) else amount
        if counts > limit and is_the_borrower(borrower, name, account):
            raise Unmet(
                _("Above %(limit)s the bank pays the seller itself, not the borrower.")
                % {"limit": format_money(limit)},
                entrusted_above=str(limit),
            )


def order_payments(drawdown: Drawdown) -> list[PaymentInstruction]:
    """Note the payments of this attempt: to the payee, or to each of the list who was not paid yet."""
    reference = f"{drawdown.number}-{drawdown.attempt}"
    payees = list(drawdown.payees.select_related("payment").select_for_update(of=("self",)))
    if not payees:
        return [_order(drawdown, reference, payout_amount(drawdown), drawdown.payee_account, drawdown.payee_name)]
    ordered = []
    for payee in payees:
        if payee.is_paid:
            continue
        payee.payment = _order(drawdown, f"{reference}-{payee.number}", payee.amount, payee.account, payee.name)
        payee.save(update_fields=["payment"])
        ordered.append(payee.payment)
    return ordered


def _order(drawdown: Drawdown, reference: str, amount: Decimal, account: str, name: str) -> PaymentInstruction:
    return payments.create_instruction(
        reference=reference,
        kind=PaymentInstruction.Kind.PAYOUT,
        amount=amount,
        account=account,
        account_name=name,
        memo=drawdown.number,
        subject=drawdown,
    )


def anybody_paid(drawdown: Drawdown) -> bool:
    return drawdown.payees.filter(payment__state="succeeded").exists()


def outcome_of(drawdown: Drawdown) -> str:
    """What became of the attempt: `succeeded` and `failed` once every order is answered, else empty."""
    states = set(drawdown.payees.values_list("payment__state", flat=True))
    if states - {"succeeded", "failed"}:
        return ""
    return "failed" if "failed" in states else "succeeded"


@use_case("correct_payee")
def correct_payee(
    *,
    actor: Actor,
    drawdown_id: int,
    number: int,
    name: str,
    account: str,
    expected_version: int | None = None,
) -> Drawdown:
    """Put a payee right whose payment came back, before it is checked again. Raises Unmet for one who was paid."""
    name, account = clean_text(name, "name", 120), clean_account(account, "account")
    with change(
        Drawdown,
        drawdown_id,
        "correct_payee",
        actor=actor,
        roles=MANAGER,
        states=("failed",),
        expected_version=expected_version,
    ) as drawdown:
        payee = drawdown.payees.select_related("payment").filter(number=number).first()
        if payee is None and (number != 1 or drawdown.payees.exists()):
            raise NotFound(_("There is no such record."))
        if payee is not None:
            if payee.is_paid:
                raise Unmet(_("%(name)s was paid.") % {"name": payee.name})
            payee.name, payee.account = name, account
            payee.save(update_fields=["name", "account"])
        if number == 1:
            drawdown.payee_name, drawdown.payee_account = name, account
    return drawdown
