"""Who sees contracts, conditions, lines, drawdowns, loans and payments. Domain rule 7; the roles of domain.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import PaymentInstruction
from branch.queries.visibility import owned_or_within, scope, visible, within_offices
from loans.models import (
    AccountBalance,
    Accrual,
    Condition,
    Contract,
    DebitFile,
    Drawdown,
    Facility,
    Instalment,
    JournalEntry,
    LedgerDay,
    Loan,
    LoanEntry,
    LoanRequest,
    LoanTransaction,
    PostingRuleSet,
    Repayment,
)

EVERYONE_ABOVE = (Role.BRANCH_MANAGER, Role.AUDITOR)
DECIDERS = (Role.RISK_REVIEWER, Role.APPROVER)
SERVICING = (Role.DISBURSEMENT_OFFICER, Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER)
#: Who opens a loan at all.
LOAN_READERS = frozenset({Role.ACCOUNT_MANAGER, *DECIDERS, *SERVICING, *EVERYONE_ABOVE})


@scope(Contract)
def contracts(rows: QuerySet[Contract], actor: Actor) -> QuerySet[Contract]:
    return owned_or_within(rows, actor, subtree=(*DECIDERS, *SERVICING, *EVERYONE_ABOVE))


@scope(Condition)
def conditions(rows: QuerySet[Condition], actor: Actor) -> QuerySet[Condition]:
    # Those who decide see them because they may waive one.
    subtree = (*DECIDERS, Role.DISBURSEMENT_OFFICER, *EVERYONE_ABOVE)
    return owned_or_within(rows, actor, subtree=subtree, owner="application__owner")


@scope(Facility)
def facilities(rows: QuerySet[Facility], actor: Actor) -> QuerySet[Facility]:
    return owned_or_within(rows, actor, subtree=(*SERVICING, *EVERYONE_ABOVE))


@scope(Drawdown)
def drawdowns(rows: QuerySet[Drawdown], actor: Actor) -> QuerySet[Drawdown]:
    return owned_or_within(rows, actor, subtree=(*SERVICING, *EVERYONE_ABOVE))


@scope(Loan)
def loans(rows: QuerySet[Loan], actor: Actor) -> QuerySet[Loan]:
    return owned_or_within(rows, actor, subtree=(*DECIDERS, *SERVICING, *EVERYONE_ABOVE))


@scope(Repayment)
def repayments(rows: QuerySet[Repayment], actor: Actor) -> QuerySet[Repayment]:
    subtree = (Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER, *EVERYONE_ABOVE)
    return owned_or_within(rows, actor, subtree=subtree, owner="loan__owner", office="loan__office")


@scope(LoanTransaction)
def transactions(rows: QuerySet[LoanTransaction], actor: Actor) -> QuerySet[LoanTransaction]:
    return rows.filter(loan__in=visible(Loan, actor))


@scope(DebitFile)
def debit_files(rows: QuerySet[DebitFile], actor: Actor) -> QuerySet[DebitFile]:
    """A file is the whole bank's; its rows are shown as far as their loans are."""
    return rows if actor.roles & {Role.LOAN_ACCOUNTANT, *EVERYONE_ABOVE} else rows.none()


@scope(LoanRequest)
def loan_requests(rows: QuerySet[LoanRequest], actor: Actor) -> QuerySet[LoanRequest]:
    subtree = (Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER, *EVERYONE_ABOVE)
    return owned_or_within(rows, actor, subtree=subtree)


@scope(Instalment)
def instalments(rows: QuerySet[Instalment], actor: Actor) -> QuerySet[Instalment]:
    return rows.filter(loan__in=visible(Loan, actor))


@scope(LoanEntry)
def entries(rows: QuerySet[LoanEntry], actor: Actor) -> QuerySet[LoanEntry]:
    return rows.filter(loan__in=visible(Loan, actor))


@scope(Accrual)
def accruals(rows: QuerySet[Accrual], actor: Actor) -> QuerySet[Accrual]:
    return rows.filter(loan__in=visible(Loan, actor))


@scope(PaymentInstruction)
def payments(rows: QuerySet[PaymentInstruction], actor: Actor) -> QuerySet[PaymentInstruction]:
    """A payout is seen by those who release money, a collection by those who book it."""
    release = (Role.DISBURSEMENT_OFFICER, *EVERYONE_ABOVE)
    book = (Role.LOAN_ACCOUNTANT, *EVERYONE_ABOVE)
    payouts = Q(subject_type="drawdown", subject_id__in=_ids(Drawdown, actor, release))
    collections = Q(subject_type="loan", subject_id__in=_ids(Loan, actor, book))
    return rows.filter(payouts | collections)


def _ids(model: type[Model], actor: Actor, roles: Iterable[Role]) -> QuerySet[Any, Any]:
    """The ids, as the text an instruction keeps, of the subjects these roles see."""
    rows = owned_or_within(model._default_manager.all(), actor, subtree=roles)
    return rows.annotate(id_text=Cast("pk", CharField())).values("id_text")


#: Who reads the books: of their offices, and what is made of the whole bank's at the head office.
LEDGER_READERS = frozenset({Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, Role.AUDITOR})


@scope(JournalEntry)
def journal(rows: QuerySet[JournalEntry], actor: Actor) -> QuerySet[JournalEntry]:
    return rows.filter(within_offices(actor, LEDGER_READERS))


@scope(AccountBalance)
def account_balances(rows: QuerySet[AccountBalance], actor: Actor) -> QuerySet[AccountBalance]:
    return rows.filter(within_offices(actor, LEDGER_READERS))


@scope(LedgerDay)
def ledger_days(rows: QuerySet[LedgerDay], actor: Actor) -> QuerySet[LedgerDay]:
    """The file holds every office, so only who reads the books of all of them has it."""
    return rows if actor.holds_bank_wide(LEDGER_READERS) else rows.none()


@scope(PostingRuleSet)
def posting_rules(rows: QuerySet[PostingRuleSet], actor: Actor) -> QuerySet[PostingRuleSet]:
    """The bank's rules, not a branch's."""
    return rows if actor.roles & RULE_READERS else rows.none()


#: Who reads the posting rules: who keeps the books, and who publishes the bank's rules.
RULE_READERS = LEDGER_READERS | {Role.PRODUCT_MANAGER, Role.POLICY_MANAGER}
