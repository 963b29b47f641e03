"""What the books say of one loan over a period, entry by entry: its statement for the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.domain.refusals import InvalidInput, NotFound
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from loans.domain.ledger import Kind
from loans.models import Accrual, JournalEntry, JournalLine, Loan, Repayment
from loans.queries.ledger import control_accounts

KINDS = (Kind.PRINCIPAL, Kind.INTEREST, Kind.PENALTY, Kind.FEE, Kind.SUSPENSE)


@dataclass(frozen=True)
class StatementLine:
    """One entry. `principal` above zero is paid out, below it repaid; the others above zero are repaid (or held).

    `balance` is the principal after it, `held` what is held for the borrower after it. In yuan.
    """

    entry: JournalEntry
    reference: str
    principal: Decimal
    interest: Decimal
    penalty: Decimal
    fees: Decimal
    suspense: Decimal
    balance: Decimal
    held: Decimal


@dataclass(frozen=True)
class Statement:
    """A loan from `start` to `end`, both in, by booking day."""

    loan: Loan
    start: date
    end: date
    opening_balance: Decimal
    opening_held: Decimal
    lines: list[StatementLine]
    interest_accrued: Decimal
    penalty_accrued: Decimal

    @property
    def closing_balance(self) -> Decimal:
        return self.lines[-1].balance if self.lines else self.opening_balance

    @property
    def closing_held(self) -> Decimal:
        return self.lines[-1].held if self.lines else self.opening_held

    @property
    def paid_out(self) -> Decimal:
        return _sum(max(line.principal, ZERO) for line in self.lines)

    @property
    def repaid(self) -> Decimal:
        """Principal repaid."""
        return _sum(max(-line.principal, ZERO) for line in self.lines)

    @property
    def interest(self) -> Decimal:
        return _sum(line.interest for line in self.lines)

    @property
    def penalty(self) -> Decimal:
        return _sum(line.penalty for line in self.lines)

    @property
    def fees(self) -> Decimal:
        return _sum(line.fees for line in self.lines)


def find_statement(actor: Actor, loan_id: int, start: date | None = None, end: date | None = None) -> Statement:
    """The statement of a loan this person may see; empty dates are its first day and the business date.

    Raises NotFound, InvalidInput for a period that ends before it begins.
    """
    loan = visible(Loan, actor).filter(pk=loan_id).select_related("customer", "office").first()
    if loan is None:
        raise NotFound(_("There is no such record."))
    start, end = start or loan.start_date, end or business_date()
    if end < start:
        raise InvalidInput(fields={"end": [_("The period ends before it begins.")]})
    return statement_of(loan, start, end)


def statement_of(loan: Loan, start: date, end: date) -> Statement:
    accounts = {account: kind for kind in KINDS for account in control_accounts(kind)}
    entries = JournalEntry.objects.filter(loan=loan, business_date__lte=end).order_by("business_date", "pk")
    moved = _moves(entries, accounts)
    references = _references(entries)
    balance = held = opening_balance = opening_held = ZERO
    lines: list[StatementLine] = []
    for entry in entries:
        move = moved.get(entry.pk, {})
        balance += move.get(Kind.PRINCIPAL, ZERO)
        held -= move.get(Kind.SUSPENSE, ZERO)
        if entry.business_date < start:
            opening_balance, opening_held = balance, held
        elif any(move.values()):
            lines.append(_line(entry, references.get(entry.reference or "", ""), move, balance, held))
    accrued = Accrual.objects.filter(loan=loan, date__range=(start, end)).aggregate(
        interest=Sum("interest"), penalty=Sum("penalty")
    )
    return Statement(
        loan,
        start,
        end,
        opening_balance,
        opening_held,
        lines,
        accrued["interest"] or ZERO,
        accrued["penalty"] or ZERO,
    )


def _moves(entries: Iterable[JournalEntry], accounts: dict[str, Kind]) -> dict[int, dict[Kind, Decimal]]:
    """Entry id → debits less credits by kind."""
    rows = JournalLine.objects.filter(entry__in=entries, account__in=accounts)
    found: dict[int, dict[Kind, Decimal]] = {}
    for entry_id, account, debit, credit in rows.values_list("entry_id", "account", "debit", "credit"):
        kinds = found.setdefault(entry_id, {})
        kinds[accounts[account]] = kinds.get(accounts[account], ZERO) + debit - credit
    return found


def _references(entries: Iterable[JournalEntry]) -> dict[str, str]:
    """An entry's reference → that of the repayment it posts."""
    references = [entry.reference or "" for entry in entries]
    ids = [text.removeprefix("repayment:") for text in references if text.startswith("repayment:")]
    rows = Repayment.objects.filter(pk__in=ids).values_list("pk", "reference")
    return {f"repayment:{pk}": reference for pk, reference in rows}


def _line(
    entry: JournalEntry, reference: str, move: dict[Kind, Decimal], balance: Decimal, held: Decimal
) -> StatementLine:
    return StatementLine(
        entry=entry,
        reference=reference,
        principal=move.get(Kind.PRINCIPAL, ZERO),
        interest=-move.get(Kind.INTEREST, ZERO),
        penalty=-move.get(Kind.PENALTY, ZERO),
        fees=-move.get(Kind.FEE, ZERO),
        suspense=-move.get(Kind.SUSPENSE, ZERO),
        balance=balance,
        held=held,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
