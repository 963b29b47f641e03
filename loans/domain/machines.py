"""The lives of what we lend: product version, application, investigation, contract, condition, line, drawdown, loan."""

from branch.domain.machine import Machine, on
from branch.domain.policy import POLICY as POLICY
from branch.domain.roles import Duty, Role

MANAGER = Role.ACCOUNT_MANAGER

APPLICATION = Machine(
    "application",
    "draft",
    (
        on("submit", "draft", "submitted", MANAGER, duty=Duty.OWN),
        on("auto_approve", "submitted", "approved", Role.SYSTEM),
        on("auto_decline", "submitted", "declined", Role.SYSTEM),
        on("investigate", "submitted", "investigating", MANAGER, duty=Duty.OWN),
        on("send_to_review", "investigating", "in_review", MANAGER, duty=Duty.OWN),
        on("approve", "in_review", "approved", Role.APPROVER, duty=Duty.APPROVE),
        on("return_file", "in_review", "returned", Role.RISK_REVIEWER, Role.APPROVER),
        on("resume", "returned", "investigating", MANAGER, duty=Duty.OWN),
        on("decline", "investigating in_review", "declined", Role.APPROVER, duty=Duty.APPROVE),
        on("override_decline", "declined", "in_review", Role.BRANCH_MANAGER, duty=Duty.APPROVE),
        on("accept_offer", "approved", "offer_accepted", MANAGER, duty=Duty.OWN),
        on("contract", "offer_accepted", "contracted", MANAGER, duty=Duty.OWN),
        on(
            "withdraw",
            "draft submitted investigating in_review returned approved offer_accepted",
            "withdrawn",
            MANAGER,
            Role.BRANCH_MANAGER,
        ),
        on("expire", "approved", "expired", Role.SYSTEM),
    ),
)

INVESTIGATION = Machine(
    "investigation",
    "open",
    (
        on("sign_by_owner", "open", "signed_by_owner", MANAGER, duty=Duty.OWN),
        on("sign_by_second", "signed_by_owner", "signed_by_second", Role.CO_INVESTIGATOR, duty=Duty.CO_INVESTIGATE),
        on("void_signatures", "signed_by_owner signed_by_second", "open", MANAGER, Role.CO_INVESTIGATOR),
        on("close", "signed_by_second", "closed", MANAGER, duty=Duty.OWN),
        on("reopen", "closed", "open", MANAGER, duty=Duty.OWN),
    ),
)

CONTRACT = Machine(
    "contract",
    "generated",
    (
        on("sign", "generated", "signed", MANAGER, duty=Duty.OWN),
        on("void", "generated signed", "void", MANAGER, Role.BRANCH_MANAGER),
    ),
)

CONDITION = Machine(
    "condition",
    "open",
    (
        on("meet", "open", "met", Role.DISBURSEMENT_OFFICER, duty=Duty.RELEASE),
        on("waive", "open", "waived", Role.APPROVER, Role.BRANCH_MANAGER, duty=Duty.APPROVE),
    ),
)

FACILITY = Machine(
    "facility",
    "pending_conditions",
    (
        on("make_effective", "pending_conditions", "effective", Role.DISBURSEMENT_OFFICER, duty=Duty.RELEASE),
        on("cancel", "pending_conditions", "cancelled", MANAGER, Role.BRANCH_MANAGER),
        on("freeze", "effective", "frozen", Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER),
        on("unfreeze", "frozen", "effective", Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER),
        on("mature", "effective frozen", "matured", Role.SYSTEM),
        on("close", "matured", "closed", Role.LOAN_ACCOUNTANT, Role.SYSTEM),
    ),
)

DRAWDOWN = Machine(
    "drawdown",
    "requested",
    (
        on("check", "requested failed", "checked", Role.DISBURSEMENT_OFFICER, duty=Duty.RELEASE),
        on("release", "checked", "disbursing", Role.DISBURSEMENT_OFFICER, duty=Duty.RELEASE),
        on("refuse", "requested checked", "refused", Role.DISBURSEMENT_OFFICER, duty=Duty.RELEASE),
        on("cancel", "requested checked", "cancelled", MANAGER, duty=Duty.OWN),
        on("lose_answer", "disbursing", "unknown", Role.SYSTEM),
        on("confirm", "disbursing unknown", "disbursed", Role.SYSTEM),
        on("fail", "disbursing unknown", "failed", Role.SYSTEM),
    ),
)

LOAN = Machine(
    "loan",
    "active",
    (
        on("settle", "active called_in", "settled", Role.LOAN_ACCOUNTANT, Role.SYSTEM, duty=Duty.BOOK),
        on("reactivate", "settled", "active", Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, duty=Duty.BOOK),
        on("renew", "active", "renewed", Role.SYSTEM),
        on("call_in", "active", "called_in", Role.BRANCH_MANAGER),
        on("write_off", "active called_in", "written_off", Role.BRANCH_MANAGER),
        on("recover", "written_off", "recovered", Role.LOAN_ACCOUNTANT, duty=Duty.BOOK),
    ),
)

#: What one person asks to be booked on a loan and another one books: corrections, waivers, changes of terms.
LOAN_REQUEST = Machine(
    "loan_request",
    "requested",
    (
        on("confirm", "requested", "confirmed", Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, duty=Duty.BOOK),
        on("refuse", "requested", "refused", Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER),
        on("withdraw", "requested", "withdrawn", Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER),
    ),
)
