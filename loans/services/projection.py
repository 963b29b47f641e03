"""What is stored of a loan, brought to what follows from its transactions: by differences, so that the record stays.

`bring_up` replays the contract and the live transactions and writes what differs: instalments, entries (with adjusting
ones where money that came in earlier went elsewhere), balances, and what the nights should have accrued. Runs under
the loan's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import Sum

from branch.domain.money import ZERO, from_cents
from loans.domain import ledger
from loans.domain.allocation import DueKind
from loans.domain.servicing import Account
from loans.domain.stored_rows import StoredRow, accrued, stored_rows
from loans.domain.transactions import TransactionKind
from loans.models import AccrualCorrection, Instalment, Loan, LoanEntry, LoanTransaction
from loans.models.loan import AssetClass

Kind = LoanEntry.Kind
ENTRY_KIND = {
    DueKind.PENALTY: Kind.PENALTY,
    DueKind.FEE: Kind.FEE,
    DueKind.INTEREST: Kind.INTEREST,
    DueKind.PRINCIPAL: Kind.PRINCIPAL,
}
WAIVED_KIND = {
    DueKind.PENALTY: Kind.PENALTY_WAIVED,
    DueKind.FEE: Kind.FEE_WAIVED,
    DueKind.INTEREST: Kind.INTEREST_WAIVED,
}
#: Penalty is asked of the loan as a whole.
OF_THE_LOAN = frozenset({Kind.PENALTY, *WAIVED_KIND.values()})
#: Entries that the engine knows nothing of: they are written with what they tell of, once.
NOT_REPLAYED = frozenset(
    {
        Kind.DISBURSEMENT,
        Kind.FEE_CHARGED,
        Kind.PRINCIPAL_WRITTEN_OFF,
        Kind.INTEREST_WRITTEN_OFF,
        Kind.PENALTY_WRITTEN_OFF,
        Kind.FEE_WRITTEN_OFF,
        Kind.RECOVERED,
    }
)
#: Whose transaction it is, its value date, kind and instalment.
Key = tuple[int | None, date, str, int | None]
#: What is held goes up and down: one sum per transaction, whatever the sign.
HELD = "held"
COLUMNS = [field.name for field in fields(StoredRow) if field.name != "number"]


@dataclass(frozen=True, slots=True)
class Written:
    """Amounts by kind of the entries written: of the booking's `own` transaction, and of others it `moved`. Fees are
    `charged` when they fall due or are paid."""

    own: dict[ledger.Kind, Decimal]
    moved: dict[ledger.Kind, Decimal]
    charged: Decimal = ZERO


def bring_up(
    loan: Loan, account: Account, keys: list[int | None], rows: Sequence[LoanTransaction], by: LoanTransaction | None
) -> Written:
    """Change `loan` (unsaved) and what hangs on it to the replayed `account`.

    `keys` name the transactions of its events, `rows` the live ones; `by` is the one being booked, None at night.
    """
    waived = waived_of(rows)
    wanted = stored_rows(account, waived[DueKind.INTEREST])
    _write_instalments(loan, wanted)
    loan.outstanding_principal = from_cents(account.balance())
    loan.penalty_due = from_cents(sum(line.unpaid(DueKind.PENALTY) for line in account.lines))
    loan.suspense_amount = from_cents(account.held)
    loan.annual_rate = _decimal(account.plan.clock.rates[-1][1])
    loan.penalty_rate = _decimal(account.penalty_rates[-1][1])
    loan.maturity_date = max(row.due_date for row in wanted)
    loan.misused_date = account.misuse[0] if account.misuse else None
    loan.is_replayed_nightly = account.misuse is not None or _bears_two_rates(account)
    judged = [row.parameters["asset_class"] for row in rows if row.kind == TransactionKind.JUDGEMENT]
    loan.judged_class = judged[-1] if judged and judged[-1] != AssetClass.NORMAL else ""
    restructured = [row.value_date for row in rows if row.kind == TransactionKind.RESTRUCTURING]
    loan.restructured_date = max(restructured, default=None)
    written = _write_entries(loan, _wanted(account, keys, rows), by)
    return replace(written, charged=_charge_fees(loan, account, waived[DueKind.FEE]))


def correct_accruals(
    loan: Loan, account: Account, rows: Iterable[LoanTransaction], cause: LoanTransaction
) -> dict[ledger.Kind, Decimal]:
    """Book what the nights so far accrued too little or too much, seen from now; what that is, by kind."""
    waived = waived_of(rows)
    wanted = accrued(account, waived[DueKind.INTEREST], waived[DueKind.PENALTY])
    found = accrued_so_far(loan)
    interest, penalty = wanted.interest - found[0], wanted.penalty - found[1]
    if interest or penalty:
        AccrualCorrection.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            date=account.day,
            interest=interest,
            penalty=penalty,
            transaction=cause,
        )
    return {ledger.Kind.INTEREST: interest, ledger.Kind.PENALTY: penalty}


def accrued_so_far(loan: Loan) -> tuple[Decimal, Decimal]:
    """Interest and penalty of all nights and corrections."""
    interest = penalty = ZERO
    for sums in (loan.accruals, loan.accrual_corrections):
        found = sums.aggregate(interest=Sum("interest"), penalty=Sum("penalty"))
        interest += found["interest"] or ZERO
        penalty += found["penalty"] or ZERO
    return interest, penalty


def _bears_two_rates(account: Account) -> bool:
    """Whether anything is overdue since before the penalty rate changed."""
    changed = account.penalty_rates[-1][0]
    return any(line.due_date < min(changed, account.day) and line.total > line.total_paid for line in account.lines)


def _decimal(rate: Fraction) -> Decimal:
    return (Decimal(rate.numerator) / Decimal(rate.denominator)).quantize(Decimal("0.000001"))


def waived_of(rows: Iterable[LoanTransaction]) -> dict[DueKind, Decimal]:
    sums = dict.fromkeys(WAIVED_KIND, ZERO)
    for row in rows:
        if row.kind == TransactionKind.WAIVER:
            sums[DueKind(row.parameters["kind"])] += row.amount or ZERO
    return sums


# --- instalments


def _write_instalments(loan: Loan, wanted: list[StoredRow]) -> None:
    stored = {row.number: row for row in loan.instalments.all()}
    changed, new = [], []
    for row in wanted:
        values = asdict(row)
        found = stored.pop(row.number, None)
        if found is None:
            new.append(Instalment(loan=loan, customer_id=loan.customer_id, **values))
        elif any(getattr(found, name) != values[name] for name in COLUMNS):
            for name in COLUMNS:
                setattr(found, name, values[name])
            changed.append(found)
    # An instalment that asks for nothing and was never paid is no instalment.
    loan.instalments.filter(number__in=stored).delete()
    Instalment.objects.bulk_create(new)
    Instalment.objects.bulk_update(changed, COLUMNS, batch_size=500)


# --- entries


def _wanted(account: Account, keys: list[int | None], rows: Iterable[LoanTransaction]) -> dict[Key, Decimal]:
    sums: dict[Key, Decimal] = {}
    for posting in account.postings:
        whose = keys[posting.event] if posting.event >= 0 else None
        kind = HELD if posting.kind is None else ENTRY_KIND[posting.kind].value
        number = None if kind == HELD or kind in OF_THE_LOAN else posting.number
        key = (whose, posting.date, kind, number)
        sums[key] = sums.get(key, ZERO) + from_cents(posting.cents)
    for row in rows:
        if row.kind == TransactionKind.WAIVER:
            kind = WAIVED_KIND[DueKind(row.parameters["kind"])].value
            sums[row.pk, row.value_date, kind, None] = row.amount or ZERO
    return sums


def _write_entries(loan: Loan, wanted: dict[Key, Decimal], by: LoanTransaction | None) -> Written:
    missing = dict(wanted)
    stored = loan.entries.exclude(kind__in=NOT_REPLAYED)
    for found in stored.values("transaction_id", "value_date", "kind", "instalment_number", "amount"):
        kind, amount = found["kind"], found["amount"]
        if kind in (Kind.SUSPENSE, Kind.SUSPENSE_USED):
            kind, amount = HELD, amount if kind == Kind.SUSPENSE else -amount
        place: Key = (found["transaction_id"], found["value_date"], kind, found["instalment_number"])
        missing[place] = missing.get(place, ZERO) - amount
    repayments: dict[int | None, int | None] = dict(loan.transactions.values_list("pk", "repayment_id"))
    written = Written({}, {})
    entries = []
    for key, amount in sorted(missing.items(), key=lambda item: item[0][2] == HELD):
        if not amount:
            continue
        entry = _entry(loan, key, amount, by)
        entry.repayment_id = repayments.get(entry.transaction_id)
        entries.append(entry)
        sums = written.moved if entry.moved_by_id else written.own
        ledger_kind = ledger.Kind(entry.kind.removesuffix("_waived"))
        sums[ledger_kind] = sums.get(ledger_kind, ZERO) + entry.amount
    LoanEntry.objects.bulk_create(entries)
    return written


def _charge_fees(loan: Loan, account: Account, waived: Decimal) -> Decimal:
    """Enter fees that fell due, were charged or were paid and are not on the record yet; how much they are."""
    day = account.day
    due = sum(line.asked[DueKind.FEE] for line in account.lines if line.is_closed(day))
    paid = sum(line.paid[DueKind.FEE] for line in account.lines if not line.is_closed(day))
    asked = from_cents(due + paid + account.charged_fees(day)) + waived
    found = loan.entries.filter(kind=Kind.FEE_CHARGED).aggregate(total=Sum("amount"))["total"] or ZERO
    if asked != found:
        LoanEntry.objects.create(
            loan=loan, customer_id=loan.customer_id, kind=Kind.FEE_CHARGED, amount=asked - found, value_date=day
        )
    return asked - found


def _entry(loan: Loan, key: Key, amount: Decimal, by: LoanTransaction | None) -> LoanEntry:
    whose, value_date, kind, number = key
    if kind == HELD:
        kind, amount = (Kind.SUSPENSE, amount) if amount > 0 else (Kind.SUSPENSE_USED, -amount)
    return LoanEntry(
        loan=loan,
        customer_id=loan.customer_id,
        kind=kind,
        amount=amount,
        value_date=value_date,
        instalment_number=number,
        transaction_id=whose,
        moved_by_id=by.pk if by is not None and by.pk != whose else None,
    )
