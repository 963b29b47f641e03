"""Where lending tests begin: a signed contract and its line, a loan paid out, a real sandbox bank."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import transaction

from branch.models import BusinessDay, Event, FileDuty, OutboxMessage, PaymentInstruction
from branch.rail import PaymentAnswer
from customers.models import Customer
from loans.models import (
    Application,
    Condition,
    Contract,
    Drawdown,
    Facility,
    Instalment,
    Loan,
    LoanEntry,
    Product,
    ProductVersion,
    Repayment,
)
from loans.services import drawdowns, facilities, payouts
from postloan.services.steps.accrue import accrue
from postloan.services.steps.held_money import held_money
from postloan.services.steps.part import Part

AMOUNT = Decimal("300000.00")
PAYEE: dict[str, Any] = {
    "payee_name": "恒润钢材有限公司",
    "payee_account": "6228480000000001",
    "purpose": "采购不锈钢板材",
}
SUCCEEDED = PaymentAnswer("succeeded")
BOUNCED = PaymentAnswer("failed", failure_code="bounced", failure_reason="The payment was sent back.")


def product_version(cast: SimpleNamespace, family: str) -> ProductVersion:
    product, _ = Product.objects.get_or_create(
        code=family, defaults={"name_zh": "经营贷", "name_en": "Business loan", "family": family}
    )
    version, _ = ProductVersion.objects.get_or_create(
        product=product,
        number=1,
        defaults={
            "state": "active",
            "office": cast.offices.HO,
            "drafted_by": cast.zhou,
            "min_amount": Decimal("1000"),
            "max_amount": Decimal("3000000"),
            "max_term_days": 1096,
            "repayment_methods": ["equal_instalment", "bullet"],
            "guarantee_modes": ["credit"],
            "rate_floor": Decimal("0.03"),
            "rate_cap": Decimal("0.12"),
        },
    )
    return version


def signed_contract(
    cast: SimpleNamespace,
    *,
    serial: int = 1,
    amount: Decimal = AMOUNT,
    family: str = "short_term",
    conditions: tuple[str, ...] = (),
    **terms: Any,
) -> Contract:
    """A contract of Lin's file at Hardware City, signed on the business date. `terms` override the contract's."""
    customer = Customer.objects.create(
        office=cast.offices.HW,
        owner=cast.lin,
        kind="company",
        name=f"梅林五金制品{serial:04d}有限公司",
        contact_name="陈",
        repayment_account=f"6222{serial:012d}",
    )
    common = {
        "instalments": 12,
        "frequency_unit": "month",
        "frequency_every": 1,
        "repayment_method": "equal_instalment",
    }
    application = Application.objects.create(
        state="contracted",
        office=customer.office,
        number=f"XW-2026-{serial:06d}",
        customer=customer,
        owner=cast.lin,
        product_version=product_version(cast, family),
        amount=amount,
        guarantee_mode="credit",
        purpose="采购不锈钢板材",
        **common,
    )
    FileDuty.objects.create(file_key=application.file_key, user_id=cast.lin.pk, duty="own")
    for title in conditions:
        Condition.objects.create(application=application, customer=customer, office=customer.office, title=title)
    facts = common | {"annual_rate": Decimal("0.045"), "penalty_rate": Decimal("0.0675"), "day_count": "actual/360"}
    return Contract.objects.create(
        state="signed",
        office=customer.office,
        number=f"HT-2026-{serial:06d}",
        application=application,
        customer=customer,
        owner=cast.lin,
        amount=amount,
        signed_date=BusinessDay.objects.exclude(state="closed").get().date,
        **(facts | terms),
    )


def signed_line(cast: SimpleNamespace, **facts: Any) -> Facility:
    """The line of a signed contract, waiting for its conditions."""
    contract = signed_contract(cast, **facts)
    return facilities.open_facility(actor=cast.actor("lin"), contract_id=contract.pk)


def effective_line(cast: SimpleNamespace, **facts: Any) -> Facility:
    line = signed_line(cast, **facts)
    return facilities.make_effective(actor=cast.actor("wu"), facility_id=line.pk)


def checked_drawdown(cast: SimpleNamespace, line: Facility | None = None, amount: Decimal = AMOUNT) -> Drawdown:
    """Asked for by Lin, checked by Wu."""
    line = line or effective_line(cast)
    drawdown = drawdowns.request_drawdown(actor=cast.actor("lin"), facility_id=line.pk, amount=amount, **PAYEE)
    return drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


def released_drawdown(cast: SimpleNamespace, line: Facility | None = None, amount: Decimal = AMOUNT) -> Drawdown:
    drawdown = checked_drawdown(cast, line, amount)
    return drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


def instruction_of(drawdown: Drawdown | Loan) -> PaymentInstruction:
    """The latest payment instruction of a drawdown or loan."""
    return PaymentInstruction.objects.filter(
        subject_type=drawdown._meta.model_name, subject_id=str(drawdown.pk)
    ).latest("id")


def paid_out_loan(cast: SimpleNamespace, amount: Decimal = AMOUNT, **facts: Any) -> Loan:
    """A loan paid out today, as if the bank had answered at once."""
    drawdown = released_drawdown(cast, effective_line(cast, amount=amount, **facts), amount)
    instruction = instruction_of(drawdown)
    PaymentInstruction.objects.filter(pk=instruction.pk).update(state="sent")
    payouts.record_payout_answer(instruction_id=instruction.pk, answer=SUCCEEDED)
    return Loan.objects.get(drawdown=drawdown)


def move_to(day: date) -> None:
    """Make `day` the business date. Of the nights between only the money happens: held money is put to what falls due,
    interest and penalty accrue."""
    today = BusinessDay.objects.exclude(state="closed").get().date
    for offset in range((day - today).days):
        part = Part(today + timedelta(days=offset), 0, 1)
        with transaction.atomic():  # as a night's worker does it
            held_money(part)
            accrue(part)
    BusinessDay.objects.exclude(state="closed").update(state="closed")
    BusinessDay.objects.create(date=day)


def everything() -> tuple[object, ...]:
    """What a refused call must leave as it was."""
    return (
        Event.objects.count(),
        OutboxMessage.objects.count(),
        FileDuty.objects.count(),
        list(Facility.objects.order_by("pk").values_list("state", "drawn_amount", "version")),
        list(Drawdown.objects.order_by("pk").values_list("state", "attempt", "version")),
        list(
            Loan.objects.order_by("pk").values_list(
                "state", "outstanding_principal", "penalty_due", "suspense_amount", "version"
            )
        ),
        list(Instalment.objects.order_by("pk").values_list("principal_paid", "interest_paid")),
        list(PaymentInstruction.objects.order_by("pk").values_list("reference", "state")),
        Repayment.objects.count(),
        LoanEntry.objects.count(),
    )
