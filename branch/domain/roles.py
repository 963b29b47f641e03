"""The roles a person can hold at an office, and the duties that exclude one another over a file's life."""

from enum import StrEnum


class Role(StrEnum):
    ACCOUNT_MANAGER = "account_manager"
    CO_INVESTIGATOR = "co_investigator"
    RISK_REVIEWER = "risk_reviewer"
    APPROVER = "approver"
    COMMITTEE_MEMBER = "committee_member"
    COMMITTEE_SECRETARY = "committee_secretary"
    DISBURSEMENT_OFFICER = "disbursement_officer"
    LOAN_ACCOUNTANT = "loan_accountant"
    POST_LOAN_OFFICER = "post_loan_officer"
    BRANCH_MANAGER = "branch_manager"
    PRODUCT_MANAGER = "product_manager"
    POLICY_MANAGER = "policy_manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    BORROWER = "borrower"
    INTEGRATION = "integration"
    #: Not a person: sweeps and tasks. Nobody can be given this role.
    SYSTEM = "system"


#: Everybody who works in the bank; borrowers and client systems do not.
STAFF = frozenset(Role) - {Role.BORROWER, Role.INTEGRATION, Role.SYSTEM}


class Duty(StrEnum):
    """What a person did on a file. Nobody does two of these on the same file."""

    OWN = "own"
    CO_INVESTIGATE = "co_investigate"
    REVIEW = "review"
    APPROVE = "approve"
    RELEASE = "release"
    BOOK = "book"
