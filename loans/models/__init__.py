from loans.models.application import Application, Investigation
from loans.models.contract import Condition, Contract, Drawdown, Facility
from loans.models.ledger import AccountBalance, JournalEntry, JournalLine, LedgerDay, PostingRuleSet
from loans.models.loan import Accrual, Instalment, Loan, LoanEntry, Repayment
from loans.models.number import NumberSeries
from loans.models.product import LprRate, Product, ProductVersion

__all__ = [
    "AccountBalance",
    "Accrual",
    "Application",
    "Condition",
    "Contract",
    "Drawdown",
    "Facility",
    "Instalment",
    "Investigation",
    "JournalEntry",
    "JournalLine",
    "LedgerDay",
    "Loan",
    "LoanEntry",
    "LprRate",
    "NumberSeries",
    "PostingRuleSet",
    "Product",
    "ProductVersion",
    "Repayment",
]
