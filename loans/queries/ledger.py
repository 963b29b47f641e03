"""What the books say: rules in force, balances of a day, the trial balance of an office's subtree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.domain.refusals import NotFound
from branch.models import Office
from branch.queries.business_date import business_date
from loans.domain.ledger import ACCOUNTS, FAMILIES, SHIPPED, Account, Kind, Rule, RuleSet
from loans.models import AccountBalance, JournalLine, LedgerDay, PostingRuleSet
from loans.queries.visibility_lending import LEDGER_READERS

ONE_DAY = timedelta(days=1)


def posting_rules_in_force(on_date: date) -> PostingRuleSet | None:
    """The bank's own rules activated last for a date not after `on_date`; one retired since counts for its time."""
    rows = PostingRuleSet.objects.filter(state__in=("active", "retired"), active_from_date__lte=on_date)
    return rows.order_by("-active_from_date", "-number").first()


def rules_in_force(on_date: date) -> RuleSet:
    """The posting rules in force: the bank's own, or those shipped."""
    row = posting_rules_in_force(on_date)
    return parse_rules(str(row), row.values) if row else SHIPPED


def parse_rules(version: str, values: dict[str, Any]) -> RuleSet:
    return RuleSet(version, values["loan_accounts"], tuple(Rule(*row) for row in values["rules"]))


def stored_rules(rules: RuleSet) -> dict[str, Any]:
    """A rule set as JSON keeps it."""
    rows = [[r.event, r.kind, r.family, r.debit, r.credit] for r in rules.rules]
    return {"loan_accounts": dict(rules.loan_accounts), "rules": rows}


def control_accounts(kind: Kind) -> set[str]:
    """Every account that holds what is owed, held or provided of this kind, under any rules that were ever in force."""
    rows = PostingRuleSet.objects.filter(state__in=("active", "retired")).exclude(active_from_date=None)
    ever = [SHIPPED, *(parse_rules(str(row), row.values) for row in rows.order_by("number"))]
    return {rules.control(kind, family) for rules in ever for family in FAMILIES}


def balances_by_family(accounts: Iterable[str], day: date) -> dict[tuple[int, str, str], Decimal]:
    """(office id, family, account) → debits less credits at the end of `day`, what is posted so far included."""
    stored = last_stored_day(day)
    keys = ("office_id", "family", "account")
    since = JournalLine.objects.filter(account__in=accounts, date__lte=day)
    sums: dict[tuple[int, str, str], Decimal] = {}
    if stored is not None:
        since = since.filter(date__gt=stored)
        rows = AccountBalance.objects.filter(account__in=accounts, date=stored)
        sums = {
            (office, family, account): closing
            for office, family, account, closing in rows.values_list(*keys, "closing")
        }
    moved = since.order_by().values(*keys).annotate(net=Sum("debit") - Sum("credit"))
    for office, family, account, net in moved.values_list(*keys, "net"):
        key = (office, family, account)
        sums[key] = sums.get(key, ZERO) + net
    return sums


@dataclass(frozen=True)
class TrialRow:
    """One account over a day. Balances are debits less credits."""

    account: Account
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True)
class TrialBalance:
    """The accounts of an office and all below it on one day, in order; `is_closed` once the night has stored it."""

    office: Office
    date: date
    rows: Sequence[TrialRow]
    is_closed: bool

    @property
    def totals(self) -> dict[str, Decimal]:
        """Each pair of debit and credit columns comes to the same on both sides."""
        return {
            "opening_debit": _sum(max(row.opening, ZERO) for row in self.rows),
            "opening_credit": _sum(max(-row.opening, ZERO) for row in self.rows),
            "debit": _sum(row.debit for row in self.rows),
            "credit": _sum(row.credit for row in self.rows),
            "closing_debit": _sum(max(row.closing, ZERO) for row in self.rows),
            "closing_credit": _sum(max(-row.closing, ZERO) for row in self.rows),
        }

    @property
    def is_tied(self) -> bool:
        totals = self.totals
        return all(totals[side] == totals[side.replace("debit", "credit")] for side in totals if "debit" in side)


def trial_balance(office: Office, day: date) -> TrialBalance:
    """From the balances stored at the end of a day; after the last stored day, with the postings since."""
    stored = last_stored_day(day)
    within = Q(office__path__startswith=office.path)
    if stored == day:
        rows = AccountBalance.objects.filter(within, date=day)
        sums = _by_account(rows, "opening", "debit", "credit")
    else:
        sums = _with_postings(within, stored, day)
    found = [TrialRow(ACCOUNTS[code], *amounts) for code, amounts in sorted(sums.items()) if any(amounts)]
    return TrialBalance(office, day, found, stored == day)


def last_stored_day(day: date) -> date | None:
    """The last day up to `day` whose balances are stored."""
    return LedgerDay.objects.filter(date__lte=day).aggregate(last=Max("date"))["last"]


def _with_postings(within: Q, stored: date | None, day: date) -> dict[str, list[Decimal]]:
    since = JournalLine.objects.filter(within, date__lte=day)
    before: dict[str, list[Decimal]] = {}
    if stored is not None:
        since = since.filter(date__gt=stored)
        before = _by_account(AccountBalance.objects.filter(within, date=stored), "closing")
    between = _by_account(since.filter(date__lt=day), "debit", "credit")
    today = _by_account(since.filter(date=day), "debit", "credit")
    sums: dict[str, list[Decimal]] = {}
    for code in before.keys() | between.keys() | today.keys():
        debit, credit = between.get(code, [ZERO, ZERO])
        opening = before.get(code, [ZERO])[0] + debit - credit
        sums[code] = [opening, *today.get(code, [ZERO, ZERO])]
    return sums


def _by_account(rows: QuerySet[Any], *fields: str) -> dict[str, list[Decimal]]:
    totals = rows.order_by().values("account").annotate(**{f"sum_{name}": Sum(name) for name in fields})
    return {row["account"]: [row[f"sum_{name}"] for name in fields] for row in totals}


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def readable_offices(actor: Actor) -> QuerySet[Office]:
    """The offices whose books this person reads, by path: the topmost first."""
    condition = Q(pk__in=[])
    for path in actor.paths(LEDGER_READERS):
        condition |= Q(path__startswith=path)
    return Office.objects.filter(condition).order_by("path")


def trial_balance_for(actor: Actor, office_id: int | None, day: date | None) -> TrialBalance:
    """Of the office asked for, or the topmost this person reads; of the business date unless another day is asked for.

    Raises NotFound for an office whose books are not for them.
    """
    offices = readable_offices(actor)
    office = offices.filter(pk=office_id).first() if office_id is not None else offices.first()
    if office is None:
        raise NotFound(_("There is no such record."))
    return trial_balance(office, day or business_date())
