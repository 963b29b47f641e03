from loans.models.application import Application, Investigation
from loans.models.contract import Condition, Contract, Drawdown, Facility, Payee
from loans.models.debit_file import DebitFile, DebitRow
from loans.models.ledger import AccountBalance, JournalEntry, JournalLine, LedgerDay, PostingRuleSet
from loans.models.loan import (
    Accrual,
    AccrualCorrection,
    Instalment,
    Loan,
    LoanEntry,
    LoanTransaction,
    Movement,
    Repayment,
)
from loans.models.loan_request import LoanRequest
from loans.models.number import NumberSeries
from loans.models.product import LprRate, Product, ProductVersion

__all__ = [
    "AccountBalance",
    "Accrual",
    "AccrualCorrection",
    "Application",
    "Condition",
    "Contract",
    "DebitFile",
    "DebitRow",
    "Drawdown",
    "Facility",
    "Instalment",
    "Investigation",
    "JournalEntry",
    "JournalLine",
    "LedgerDay",
    "Loan",
    "LoanEntry",
    "LoanRequest",
    "LoanTransaction",
    "LprRate",
    "Movement",
    "NumberSeries",
    "Payee",
    "PostingRuleSet",
    "Product",
    "ProductVersion",
    "Repayment",
]
