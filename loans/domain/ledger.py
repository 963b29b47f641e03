"""Double entry: the chart of accounts, what each money event posts, and lines that balance. Pure.

An event says what happened (`MoneyEvent`), its amounts are given by kind (`Kind`), and the posting rules say which
account each kind of each event goes to and from. Who adds an event adds its code here, its rules below, and its word
to loans/vocabulary.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from branch.domain.money import ZERO, round_money


class MoneyEvent(StrEnum):
    """What moves money or an entitlement to it. `REVERSAL` has no rules: it turns another entry round."""

    DISBURSEMENT = "disbursement"
    REPAYMENT = "repayment"
    HELD_MONEY_USED = "held_money_used"
    ADJUSTMENT = "adjustment"
    ACCRUAL = "accrual"
    PROVISION = "provision"
    FEE_CHARGED = "fee_charged"
    WAIVER = "waiver"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    RENEWED = "renewed"
    RENEWAL = "renewal"
    REVERSAL = "reversal"


class Kind(StrEnum):
    """What an amount is. `SUSPENSE` is newly held for the borrower, `SUSPENSE_USED` taken from what was held."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    PENALTY = "penalty"
    FEE = "fee"
    SUSPENSE = "suspense"
    SUSPENSE_USED = "suspense_used"
    PROVISION = "provision"


class Nature(StrEnum):
    """Which side of the books an account is on. `CLEARING` and `MEMO` may stand on either."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    CLEARING = "clearing"
    MEMO = "memo"


@dataclass(frozen=True, slots=True)
class Account:
    """One account. Codes follow the accounting standards for banks (企业会计准则), with the bank's own last digits."""

    code: str
    name: str
    nature: Nature


CHART: tuple[Account, ...] = (
    Account("113201", "Interest receivable", Nature.ASSET),
    Account("113202", "Penalty interest receivable", Nature.ASSET),
    Account("113203", "Fees receivable", Nature.ASSET),
    Account("130301", "Loans: revolving micro lines", Nature.ASSET),
    Account("130302", "Loans: short term", Nature.ASSET),
    Account("130303", "Loans: term", Nature.ASSET),
    Account("130304", "Loans: secured", Nature.ASSET),
    Account("130305", "Loans: supply chain", Nature.ASSET),
    Account("130306", "Loans: renewals", Nature.ASSET),
    Account("130401", "Provisions for loan losses", Nature.ASSET),
    Account("224101", "Held for borrowers", Nature.LIABILITY),
    Account("300101", "Clearing with the core bank: customer deposits", Nature.CLEARING),
    Account("300102", "Renewals under way", Nature.CLEARING),
    Account("601101", "Interest income", Nature.INCOME),
    Account("601102", "Penalty interest income", Nature.INCOME),
    Account("602101", "Fee income", Nature.INCOME),
    Account("630101", "Recoveries of loans written off", Nature.INCOME),
    Account("670201", "Loan loss expense", Nature.EXPENSE),
    Account("700101", "Written-off claims", Nature.MEMO),
    Account("700901", "Counter-account of written-off claims", Nature.MEMO),
)
ACCOUNTS: dict[str, Account] = {account.code: account for account in CHART}

#: Families of products, as loans.models.product names them.
FAMILIES = ("revolving", "short_term", "term", "secured", "supply_chain", "renewal")
#: In a rule: the principal account of the loan's family. Any family.
LOANS, ANY = "loans", "*"

RECEIVABLE = {Kind.INTEREST: "113201", Kind.PENALTY: "113202", Kind.FEE: "113203"}
INCOME = {Kind.INTEREST: "601101", Kind.PENALTY: "601102", Kind.FEE: "602101"}
PROVISIONS, HELD, CLEARING, RENEWALS = "130401", "224101", "300101", "300102"
RECOVERIES, LOSSES, WRITTEN_OFF, WRITTEN_OFF_COUNTER = "630101", "670201", "700101", "700901"


class LedgerError(ValueError):
    """No rule, an unknown account, or lines that don't balance. `code` names which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rule:
    """Money of this kind in this event, for loans of this family (or ANY), goes from `credit` to `debit`."""

    event: str
    kind: str
    family: str
    debit: str
    credit: str


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: exactly one of `debit` and `credit` is above zero, in yuan."""

    account: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO


@dataclass(frozen=True)
class RuleSet:
    """The posting rules of one version, and the principal account of each family."""

    version: str
    loan_accounts: Mapping[str, str]
    rules: tuple[Rule, ...]

    @cached_property
    def _by_event(self) -> dict[tuple[str, str, str], list[Rule]]:
        found: dict[tuple[str, str, str], list[Rule]] = {}
        for rule in self.rules:
            found.setdefault((rule.event, rule.kind, rule.family), []).append(rule)
        return found

    def of(self, event: str, kind: str, family: str) -> list[Rule]:
        """The family's own rules, or those for any family; with its principal account put in.

        Raises LedgerError("no_rule").
        """
        rules = self._by_event.get((event, kind, family)) or self._by_event.get((event, kind, ANY))
        if not rules:
            raise LedgerError("no_rule", f"no posting rule for {kind} of {event}, {family or 'no family'}")
        return [
            replace(rule, debit=self.account(rule.debit, family), credit=self.account(rule.credit, family))
            for rule in rules
        ]

    def account(self, name: str, family: str) -> str:
        """A rule's account; LOANS is the family's. Raises LedgerError("no_account")."""
        if name != LOANS:
            return name
        try:
            return self.loan_accounts[family]
        except KeyError:
            raise LedgerError("no_account", f"no loan account for family {family!r}") from None

    def control(self, kind: str, family: str) -> str:
        """The account that holds what the sub-ledger holds by loan: what is owed, held or provided of this kind."""
        event, kind, side = CONTROLS[Kind(kind)]
        return str(getattr(self.of(event, kind, family)[0], side))


#: Kind → the event, kind and side of the rule that names its control account.
CONTROLS: dict[Kind, tuple[MoneyEvent, Kind, str]] = {
    Kind.PRINCIPAL: (MoneyEvent.DISBURSEMENT, Kind.PRINCIPAL, "debit"),
    Kind.INTEREST: (MoneyEvent.ACCRUAL, Kind.INTEREST, "debit"),
    Kind.PENALTY: (MoneyEvent.ACCRUAL, Kind.PENALTY, "debit"),
    Kind.FEE: (MoneyEvent.FEE_CHARGED, Kind.FEE, "debit"),
    Kind.SUSPENSE: (MoneyEvent.REPAYMENT, Kind.SUSPENSE, "credit"),
    Kind.PROVISION: (MoneyEvent.PROVISION, Kind.PROVISION, "credit"),
}


def lines_of(event: str, family: str, amounts: Mapping[Kind, Decimal], rules: RuleSet) -> tuple[Line, ...]:
    """The balanced lines of an event, one per account, in order of account.

    A negative amount posts its rule the other way round (a provision released). Raises LedgerError.
    """
    net: dict[str, Decimal] = {}
    for kind, amount in amounts.items():
        if not amount:
            continue
        for rule in rules.of(event, kind, family):
            net[rule.debit] = net.get(rule.debit, ZERO) + amount
            net[rule.credit] = net.get(rule.credit, ZERO) - amount
    lines = tuple(_line(account, amount) for account, amount in sorted(net.items()) if amount)
    require_balanced(lines)
    return lines


def _line(account: str, amount: Decimal) -> Line:
    return Line(account, debit=amount) if amount > 0 else Line(account, credit=-amount)


def turned_round(lines: Iterable[Line]) -> tuple[Line, ...]:
    """What takes these lines back: debits as credits."""
    return tuple(Line(line.account, debit=line.credit, credit=line.debit) for line in lines)


def require_balanced(lines: Iterable[Line]) -> Decimal:
    """What the lines come to on either side. Raises LedgerError for an account, side or sum that can't be."""
    debit = credit = ZERO
    for line in lines:
        if line.account not in ACCOUNTS:
            raise LedgerError("no_account", f"there is no account {line.account}")
        one_sided = (line.debit > 0) != (line.credit > 0) and line.debit >= 0 and line.credit >= 0
        if not one_sided or round_money(line.debit) != line.debit or round_money(line.credit) != line.credit:
            raise LedgerError("side", f"{line.account}: a line is a debit or a credit above zero, in whole cents")
        debit, credit = debit + line.debit, credit + line.credit
    if debit != credit:
        raise LedgerError("unbalanced", f"debits come to {debit}, credits to {credit}")
    return debit


def faults_of(rules: RuleSet) -> list[str]:
    """What is wrong with a set of rules, a line each: unknown names, and events that only the shipped rules cover."""
    faults = [f"{family}: no loan account" for family in FAMILIES if family not in rules.loan_accounts]
    faults += [f"{code}: no such account" for code in rules.loan_accounts.values() if code not in ACCOUNTS]
    events, kinds = {event.value for event in MoneyEvent}, {kind.value for kind in Kind}
    for rule in rules.rules:
        where = f"{rule.event} {rule.kind} {rule.family}"
        if rule.event not in events or rule.kind not in kinds or rule.family not in (*FAMILIES, ANY):
            faults.append(f"{where}: no such event, kind or family")
        faults += [f"{where}: no account {a}" for a in (rule.debit, rule.credit) if a != LOANS and a not in ACCOUNTS]
        if rule.debit == rule.credit:
            faults.append(f"{where}: both sides are the same account")
    given = {(rule.event, rule.kind, rule.family) for rule in rules.rules}
    for event, kind in dict.fromkeys((rule.event, rule.kind) for rule in SHIPPED.rules):
        if (event, kind, ANY) not in given and any((event, kind, family) not in given for family in FAMILIES):
            faults.append(f"{event} {kind}: no rule for every family")
    return faults or [
        f"{family}: {', '.join(CONTROLS)} must be held on an account each"
        for family in FAMILIES
        if len({rules.control(kind, family) for kind in CONTROLS}) < len(CONTROLS)
    ]


def _rules(event: MoneyEvent, *rows: tuple[Kind, str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(event.value, kind.value, ANY, debit, credit) for kind, debit, credit in rows)


#: What an entry of a loan (loans.models.LoanEntry.kind) does to the control account of which kind: 1 debits it.
#: check_balances holds the books of every loan against its entries by this.
ENTRY_EFFECTS: dict[str, tuple[Kind, int]] = {
    "disbursement": (Kind.PRINCIPAL, 1),
    "principal": (Kind.PRINCIPAL, -1),
    "interest": (Kind.INTEREST, -1),
    "penalty": (Kind.PENALTY, -1),
    "fee_charged": (Kind.FEE, 1),
    "fee": (Kind.FEE, -1),
    "interest_waived": (Kind.INTEREST, -1),
    "penalty_waived": (Kind.PENALTY, -1),
    "fee_waived": (Kind.FEE, -1),
    "principal_written_off": (Kind.PRINCIPAL, -1),
    "interest_written_off": (Kind.INTEREST, -1),
    "penalty_written_off": (Kind.PENALTY, -1),
    "fee_written_off": (Kind.FEE, -1),
    "suspense": (Kind.SUSPENSE, -1),
    "suspense_used": (Kind.SUSPENSE, 1),
}
#: Kinds that a borrower owes, and the account each is owed on.
OWED = {Kind.PRINCIPAL: LOANS} | RECEIVABLE

#: What applies until a bank activates its own. Suspense money that pays a debt passes through clearing, so that
#: clearing always shows what really came in.
SHIPPED = RuleSet(
    "shipped",
    {family: f"13030{place}" for place, family in enumerate(FAMILIES, 1)},
    (
        *_rules(MoneyEvent.DISBURSEMENT, (Kind.PRINCIPAL, LOANS, CLEARING)),
        *_rules(MoneyEvent.REPAYMENT, *((kind, CLEARING, owed) for kind, owed in OWED.items())),
        *_rules(
            MoneyEvent.REPAYMENT,
            (Kind.SUSPENSE, CLEARING, HELD),
            (Kind.SUSPENSE_USED, HELD, CLEARING),
        ),
        # Money that came in earlier goes elsewhere: amounts of either sign that come to nothing on clearing.
        *_rules(MoneyEvent.ADJUSTMENT, *((kind, CLEARING, owed) for kind, owed in OWED.items())),
        *_rules(
            MoneyEvent.ADJUSTMENT,
            (Kind.SUSPENSE, CLEARING, HELD),
            (Kind.SUSPENSE_USED, HELD, CLEARING),
        ),
        *_rules(MoneyEvent.HELD_MONEY_USED, *((kind, HELD, owed) for kind, owed in OWED.items())),
        *_rules(
            MoneyEvent.ACCRUAL,
            (Kind.INTEREST, RECEIVABLE[Kind.INTEREST], INCOME[Kind.INTEREST]),
            (Kind.PENALTY, RECEIVABLE[Kind.PENALTY], INCOME[Kind.PENALTY]),
        ),
        *_rules(MoneyEvent.PROVISION, (Kind.PROVISION, LOSSES, PROVISIONS)),
        *_rules(MoneyEvent.FEE_CHARGED, (Kind.FEE, RECEIVABLE[Kind.FEE], INCOME[Kind.FEE])),
        *_rules(
            MoneyEvent.WAIVER,
            (Kind.PRINCIPAL, PROVISIONS, LOANS),
            *((kind, INCOME[kind], owed) for kind, owed in RECEIVABLE.items()),
        ),
        *_rules(MoneyEvent.WRITE_OFF, *((kind, PROVISIONS, owed) for kind, owed in OWED.items())),
        *_rules(MoneyEvent.WRITE_OFF, *((kind, WRITTEN_OFF, WRITTEN_OFF_COUNTER) for kind in OWED)),
        *_rules(MoneyEvent.RECOVERY, *((kind, CLEARING, RECOVERIES) for kind in OWED)),
        *_rules(MoneyEvent.RECOVERY, *((kind, WRITTEN_OFF_COUNTER, WRITTEN_OFF) for kind in OWED)),
        *_rules(MoneyEvent.RENEWED, (Kind.PRINCIPAL, RENEWALS, LOANS)),
        *_rules(MoneyEvent.RENEWAL, (Kind.PRINCIPAL, LOANS, RENEWALS)),
    ),
)
