"""Who may do what, written by hand from the roles of the domain: the judge of the code, never derived from it.

READ says which rows of a noun a role sees; ACT who may cause what, in which state, with a body that would do it;
OTHER what a visitor, a person without a role and the roles get from every route that is no noun's.
A role that does not stand in a line gets 403 or 404 and learns nothing.

A new noun `things`:
1. READ["things"]: which roles see how far, and in a comment why. Is it the bank's as a whole, name it in OF_THE_BANK.
   Its pages and files beside list, page, export, timeline and use cases go into FURTHER.
2. ACT["things", "approve"], one line per use case; a state in which it is possible, and a body that does it.
3. WITH_DOCUMENTS, where its things carry documents.
4. world.py: a maker of one thing (in a given state) with MARK in what a stranger must not learn, named in _MAKERS.
A new route that is no noun's gets a line in OTHER. Then run `pytest tests/access -k "things or route"`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from customers.domain.prescreen import SHIPPED

AM = "account_manager"
CO = "co_investigator"
RR = "risk_reviewer"
AP = "approver"
CM = "committee_member"
CS = "committee_secretary"
DO = "disbursement_officer"
LA = "loan_accountant"
PO = "post_loan_officer"
BM = "branch_manager"
PM = "product_manager"
PY = "policy_manager"
AU = "auditor"
AD = "administrator"
BO = "borrower"
IC = "integration"
ROLES = (AM, CO, RR, AP, CM, CS, DO, LA, PO, BM, PM, PY, AU, AD, BO, IC)
STAFF = tuple(role for role in ROLES if role not in (BO, IC))

# --- how far a role reaches

#: Rows the person owns, at an office the role is held at or above.
OWN = "own"
#: Every row of the office the role is held at and of the offices below it.
SUBTREE = "subtree"
#: The same, and the offices below: what a branch does, it does for its sub-branches too.
AROUND = "around"
#: The same, but only files from the offer on: those who release money don't see what is still being decided.
OFFERED = "offered"
#: Things of the bank as a whole, whatever office the role is held at.
BANK = "bank"
#: Things of the bank as a whole, for the role held at the head office.
HEAD = "head"
#: Every row of the offices below the one the role is held at, but not of that office itself.
ABOVE = "above"
#: Rows about the person.
SELF = "self"

#: A payout is the business of those who release money, a collection of those who book it.
PAYOUTS = "payouts"
COLLECTIONS = "collections"

#: Scopes that reach the subtree, but not things in every state (or of every kind).
#: Files of outside facts, and those of watchlists; the former an account manager sees who sent them.
FILES = "files"
OWN_FILES = "own files"
LISTS = "lists"

LIMITED: dict[str, tuple[str, ...]] = {
    FILES: ("draft", "done"),
    OWN_FILES: ("draft", "done"),
    LISTS: ("list",),
    OFFERED: ("approved", "offer_accepted", "contracted"),
    PAYOUTS: ("payout",),
    COLLECTIONS: ("collection",),
}

Who = dict[str, str]


def who(scope: str, *roles: str) -> Who:
    return dict.fromkeys(roles, scope)


# --- rows

#: Nouns whose things stand at the head office; all others' stand at a sub-branch.
OF_THE_BANK = {
    "prescreen-models",
    "products",
    "product-versions",
    "threshold-sets",
    "posting-rules",
    "ledger-days",
    "debit-files",
    "record-sources",
    "watchlists",
    "watchlist-entries",
    "suggestions",
    "metrics",
    "feeds",
    "pulls",
}

READ: dict[str, Who] = {
    # "own leads, customers and applications"; a branch manager reads and an auditor reads everything.
    "leads": who(OWN, AM) | who(SUBTREE, BM, AU),
    # A branch's campaign is its sub-branches' too, who take leads in for it.
    "campaigns": who(AROUND, AM) | who(SUBTREE, BM, AU),
    "referral-links": who(OWN, AM) | who(SUBTREE, BM, AU),
    # What the market asks for is read by everybody on the staff.
    "suggestions": who(BANK, *STAFF),
    "lead-visits": who(OWN, AM) | who(SUBTREE, BM, AU),
    "customers": who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM, AU),
    # Who belongs to whom serves judging too.
    "relations": who(OWN, AM) | who(SUBTREE, CO, RR, AP, PO, BM, AU),
    # What is known from outside serves judging: those who investigate, decide and look after. A client system
    # sends figures in and reads nothing.
    "external-records": who(OWN, AM) | who(SUBTREE, CO, RR, AP, PO, BM, AU),
    "invoices": who(OWN, AM) | who(SUBTREE, CO, RR, AP, PO, BM, AU),
    # A cluster is worked by its account manager, judged by a risk reviewer, looked at by those who decide on its
    # members; what is known of firms that are no customers yet is nobody else's.
    "clusters": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "cluster-members": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "chain-documents": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "prescreen-runs": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "prescreen-results": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    # The decision table is the bank's: read by those who keep it and all who see what it found.
    "prescreen-models": who(BANK, AM, RR, AP, BM, AU, PM, PY),
    # A file holds many customers' facts: whoever sent it, and who looks after the office. A client system sees what
    # came in over the API.
    # The file of a watchlist is seen by who keeps the list, and by no one who sends facts of customers.
    "record-imports": who(OWN_FILES, AM) | who(FILES, PO, BM, IC) | who(SUBTREE, AU) | who(LISTS, PY, AD),
    # Lists are kept at head office and read by who judges a hit. Account managers learn of which kind of list a hit
    # on their customer is; the entry itself they don't see.
    "watchlists": who(BANK, RR, PO, BM, AU, PY, AD),
    "watchlist-entries": who(BANK, RR, PO, BM, AU, PY, AD),
    "screening-hits": who(OWN, AM) | who(SUBTREE, RR, PO, BM, AU),
    # Asked for by whoever owns the file, fulfilled by the branch manager.
    "erasure-requests": who(OWN, AM) | who(SUBTREE, BM, AU),
    # A night's numbers are the bank's; whom it left stands there by number alone.
    "retention-runs": who(BANK, BM, AD, AU),
    # Sources hold nothing of a customer: read by all who work with figures or keep the register.
    "record-details": who(OWN, AM) | who(SUBTREE, CO, RR, AP, PO, BM, AU),
    "record-sources": who(BANK, AM, CO, RR, AP, PO, BM, AU, IC, AD, PY),
    # How providers are asked tells of no customer; whom a call was about does, and so does a consent.
    "feeds": who(BANK, AM, CO, RR, AP, PO, BM, AU, IC, AD, PY),
    "pulls": who(BANK, AM, CO, RR, AP, PO, BM, AU, IC, AD, PY),
    "pull-calls": who(SUBTREE, PO, BM, AU),
    "consents": who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM, AU),
    # A document is read with the thing it belongs to; here that is a customer.
    "documents": who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM, AU),
    "metrics": who(BANK, AM, CO, RR, AP, PO, BM, AU, IC, AD, PY),
    # Everybody on the staff knows what is on sale.
    "products": who(BANK, *STAFF),
    "product-versions": who(BANK, *STAFF),
    "applications": who(OWN, AM) | who(SUBTREE, CO, RR, AP, BM, AU) | who(OFFERED, DO),
    "investigations": who(OWN, AM) | who(SUBTREE, CO, RR, AP, BM, AU),
    "reviews": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "review-stages": who(OWN, AM) | who(SUBTREE, RR, AP, BM, AU),
    "authorities": who(SUBTREE, AD, PY, BM, AU) | who(SELF, AP),
    "contracts": who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
    # Set by those who decide, settled by those who release or waive.
    "conditions": who(OWN, AM) | who(SUBTREE, RR, AP, DO, BM, AU),
    "facilities": who(OWN, AM) | who(SUBTREE, DO, LA, PO, BM, AU),
    "drawdowns": who(OWN, AM) | who(SUBTREE, DO, LA, PO, BM, AU),
    "loans": who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
    "repayments": who(OWN, AM) | who(SUBTREE, LA, PO, BM, AU),
    # What happened to a loan is seen with the loan; what is asked for, by those who ask, decide and look after.
    "loan-transactions": who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
    "loan-requests": who(OWN, AM) | who(SUBTREE, LA, PO, BM, AU),
    # A day's debits are one file of the whole bank; its rows are shown as far as their loans are.
    "debit-files": who(BANK, LA, BM, AU),
    "payments": who(SUBTREE, BM, AU) | who(PAYOUTS, DO) | who(COLLECTIONS, LA),
    # The books: "book repayments" makes a loan accountant their reader; the figures behind them are a loan's.
    "journal-entries": who(SUBTREE, LA, BM, AU),
    "account-balances": who(SUBTREE, LA, BM, AU),
    "accruals": who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
    "loan-days": who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
    # A day's file holds every office; the rules are the bank's, read by those who keep the books or publish rules.
    "ledger-days": who(HEAD, LA, BM, AU),
    "posting-rules": who(BANK, LA, BM, PM, PY, AU),
    # After the money is out: the officer's own trade, and the account manager's for the own customers.
    "signals": who(OWN, AM) | who(SUBTREE, PO, BM, AU),
    "warning-cases": who(OWN, AM) | who(SUBTREE, PO, BM, AU),
    "inspections": who(OWN, AM) | who(SUBTREE, PO, BM, AU),
    "collection-cases": who(OWN, AM) | who(SUBTREE, PO, BM, AU),
    "threshold-sets": who(BANK, PM, PY, PO, BM, AU),
    # How the nights went: whoever starts them, and whoever works with what they bring.
    "sweep-runs": who(BANK, PO, BM, AD, AU),
    # "users, offices, parameters; no customer data"
    "offices": who(SUBTREE, AD, BM, AU),
    "people": who(SUBTREE, AD, BM, AU),
    "role-assignments": who(SUBTREE, AD, BM, AU),
    "parameters": who(BANK, AD, BM, AU),
    "calendar": who(BANK, AD, BM, AU),
    "events": who(SUBTREE, BM, AU),
    "notifications": who(SELF, *ROLES),
}

#: Pages and files of a thing beside the usual ones: read by whoever sees the thing, and by nobody else.
FURTHER: dict[str, tuple[str, ...]] = {
    "loans": (
        "loans/<pk>/statement/",
        "loans/<pk>/statement.<form>",
        "api/v1/loans/<pk>/statement/",
        "api/v1/loans/<pk>/statement.<form>",
    ),
    "customers": ("customers/<pk>/retention/",),
    "referral-links": ("referral-links/<pk>/qr.svg", "referral-links/<pk>/poster/"),
    "record-imports": ("api/v1/record-imports/<pk>/report/",),
    "ledger-days": ("ledger-days/<pk>/file.csv", "api/v1/ledger-days/<pk>/file/"),
}

#: The states (or kinds) that are looked at where a scope of READ depends on them; elsewhere one will do.
LOOKED_AT: dict[str, tuple[str, ...]] = {
    "record-imports": ("draft", "list"),
    "applications": (
        "draft", "submitted", "investigating", "in_review", "returned", "approved", "offer_accepted", "contracted",
        "declined", "withdrawn", "expired",
    ),
    "payments": ("payout", "collection"),
}  # fmt: skip


@dataclass(frozen=True)
class Act:
    """One use case: who may, in which state of the thing (empty: it has none), and a body that would do it.

    A value that starts with @ stands for something of the test's world. `gives` is the API's answer to that body.
    Where the choice made in the form decides who may (`by_choice`), the role opens the form anywhere it is held, and
    the wrong choice is refused. `previews`: what it would do is told at its address and `preview/`.
    """

    who: Who
    state: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    gives: int = 200
    on: str = "item"
    method: str = "POST"
    by_choice: bool = False
    previews: bool = False


WHY = {"reason": "说明原因"}
PROFILE = {"kind": "company", "name": "新客户", "uscc": "@new_uscc", "contact_name": "王"}
OFFER = {
    "min_amount": "10000.00",
    "max_amount": "3000000.00",
    "max_term_days": 365,
    "day_count": "actual/360",
    "margin_bp": 90,
    "repeat_discount_bp": 0,
    "repayment_methods": ["bullet"],
    "guarantee_modes": ["credit"],
    "rate_floor": "0.030000",
    "rate_cap": "0.120000",
}


def asked(body: dict[str, Any], state: str = "active") -> Act:
    """Asking for a booking that somebody else decides."""
    return Act(who(SUBTREE, LA, PO), state, body | WHY, gives=201, previews=True)


MINE = who(OWN, AM)
MINE_OR_HEAD = who(OWN, AM) | who(SUBTREE, BM)
LIMITS = {"blue": "1", "yellow": "10", "orange": "30", "red": "90"}
RULES = {"loan_accounts": "@loan_accounts", "rules": "@rules"}
FIGURES = [{"metric": "electricity_kwh", "source": "grid", "period_month": "2026-01", "value": "33000"}]

INVOICE_COLUMNS = ("firm", "number", "invoice_date", "counterparty", "amount", "tax", "total", "status")
COLUMNS = {name: name for name in INVOICE_COLUMNS}
INVOICES = [dict(zip(INVOICE_COLUMNS, ("E1", "1", "2026-01-05", "B1", "1.00", "0", "1.00", "valid"), strict=True))]

CAPS = {
    "anchor_standing": "sound", "anchor_years": 5, "members_count": 50, "members_left": 1, "defaulted_members": 0,
    "years_running": 3, "proposed_cap": "1000000.00", "proposed_member_cap": "100000.00",
}  # fmt: skip

DOCUMENT = {
    "member": "甲", "document_kind": "order", "document_number": "1", "document_amount": "1", "issued_on": "2026-01-05",
}  # fmt: skip

# --- use cases

ACT: dict[tuple[str, str], Act | tuple[Act, ...]] = {
    # An account manager works the own leads; a branch manager may reassign, give up or take up again.
    ("leads", "create"): Act(
        who(BANK, AM), body={"name": "新线索", "contact_name": "王", "source": "visit"}, gives=201, on="list"
    ),
    # A list comes from whoever works leads, or from a client system, whose leads are shared out.
    ("leads", "import"): Act(
        who(BANK, AM, IC),
        body={"rows": [{"name": "线索", "contact_name": "王"}], "source": "visit"},
        gives=201,
        on="list",
    ),
    ("leads", "assign"): Act(who(SUBTREE, BM), body={"owner_id": "@lead_owner"}, on="list", by_choice=True),
    ("leads", "contact"): Act(MINE, "new"),
    ("leads", "qualify"): Act(MINE, "contacted"),
    ("leads", "convert"): Act(MINE, "qualified", PROFILE),
    ("leads", "link"): Act(MINE, "qualified", {"customer_id": "@customer"}),
    ("leads", "update"): Act(MINE, "new", {"note": "改"}, method="PATCH"),
    ("leads", "reassign"): Act(who(SUBTREE, BM), "new", {"owner_id": "@colleague", **WHY}),
    ("leads", "lose"): Act(MINE_OR_HEAD, "contacted", WHY),
    ("leads", "reopen"): Act(MINE_OR_HEAD, "lost"),
    # Two people erase: whoever owns the lead or heads the branch records the request, the head erases.
    ("leads", "ask-erasure"): Act(MINE_OR_HEAD, "lost", {"channel": "phone"}),
    ("leads", "hold"): Act(who(SUBTREE, BM), "lost", WHY),
    ("leads", "lift-hold"): Act(who(SUBTREE, BM), "held", WHY),
    ("leads", "erase"): Act(who(SUBTREE, BM), "asked", WHY),
    #
    ("leads", "visit"): Act(
        MINE, "new", {"visited_at": "2026-03-02T08:00", "place": "五金城", "outcome": "interested"}
    ),
    # Whoever wins customers runs campaigns, on their own or for the branch.
    ("campaigns", "create"): Act(
        who(BANK, AM, BM),
        body={
            "name": "新推广",
            "kind": "referral",
            "budget": "1000.00",
            "starts_on": "2026-03-02",
            "ends_on": "2026-04-01",
        },
        gives=201,
        on="list",
    ),
    ("campaigns", "launch"): Act(MINE_OR_HEAD, "planned"),
    ("campaigns", "cost"): Act(MINE_OR_HEAD, "running", {"amount": "100.00", "note": "传单"}),
    ("campaigns", "update"): Act(MINE_OR_HEAD, "planned", {"channel": "传单"}, method="PATCH"),
    ("campaigns", "end"): Act(MINE_OR_HEAD, "running"),
    ("campaigns", "cancel"): Act(MINE_OR_HEAD, "planned", WHY),
    ("referral-links", "create"): Act(
        who(BANK, AM), body={"title": "柜台", "expires_on": "2026-04-01"}, gives=201, on="list"
    ),
    ("referral-links", "close"): Act(MINE_OR_HEAD),
    # Told by those who meet the market, voted for by everybody, answered by the product managers of head office.
    ("suggestions", "create"): Act(
        who(BANK, AM, BM), body={"title": "按季还", "text": "旺季才有钱"}, gives=201, on="list"
    ),
    ("suggestions", "vote"): Act(who(BANK, *STAFF), "new"),
    ("suggestions", "unvote"): Act(who(BANK, *STAFF), "voted"),
    ("suggestions", "take-up"): Act(who(HEAD, PM), "new"),
    ("suggestions", "accept"): Act(who(HEAD, PM), "under_review", {"answer": "下季度试点"}),
    ("suggestions", "decline"): Act(who(HEAD, PM), "new", {"answer": "风险过高"}),
    ("suggestions", "finish"): Act(who(HEAD, PM), "accepted"),
    ("customers", "create"): Act(who(BANK, AM), body=PROFILE, gives=201, on="list"),
    ("customers", "update"): Act(MINE, body={"employees": 12}, method="PATCH"),
    ("customers", "apply"): Act(MINE, body={"product_id": "@product"}),
    ("customers", "records"): Act(who(OWN, AM) | who(SUBTREE, PO), body={"records": FIGURES}),
    # Looking is on the record; who sees the customer may look.
    ("customers", "reveal"): Act(
        who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM, AU), body={"field": "phone", **WHY}
    ),
    ("customers", "relate"): Act(
        who(OWN, AM) | who(SUBTREE, CO), body={"kind": "owner", "party_kind": "person", "name": "王大海"}
    ),
    ("relations", "correct"): Act(who(OWN, AM) | who(SUBTREE, CO), body={"remark": "改"}, method="PATCH"),
    ("relations", "end"): Act(who(OWN, AM) | who(SUBTREE, CO), body=WHY),
    ("relations", "reveal"): Act(who(OWN, AM) | who(SUBTREE, CO, RR, AP, PO, BM, AU), body={"end": "from", **WHY}),
    ("customers", "ask-erasure"): Act(MINE_OR_HEAD, body={"channel": "phone"}),
    ("customers", "hold"): Act(who(SUBTREE, BM, PO), body=WHY),
    ("customers", "lift-hold"): Act(who(SUBTREE, BM, PO), "held", WHY),
    ("customers", "erase"): Act(who(SUBTREE, BM), "asked", WHY),
    ("erasure-requests", "withdraw"): Act(MINE_OR_HEAD, "open", WHY),
    ("customers", "reassign"): Act(who(SUBTREE, BM), body={"owner_id": "@colleague", **WHY}),
    # "a branch manager merges a second file, and undoes it"
    ("customers", "merge"): Act(who(SUBTREE, BM), body={"other_id": "@second_file", **WHY}, previews=True),
    ("customers", "undo-merge"): Act(who(SUBTREE, BM), state="merged", body=WHY),
    # "the cap is set in force by a branch manager or risk reviewer who did not propose it"
    ("clusters", "create"): Act(
        who(BANK, AM),
        body={"name": "五金链", "code": "chain", "kind": "platform", "anchor_name": "平台"},
        gives=201,
        on="list",
    ),
    ("clusters", "update"): Act(MINE, "draft", {"name": "五金链二"}, method="PATCH"),
    ("clusters", "evaluate"): Act(MINE, "draft", CAPS),
    ("clusters", "submit"): Act(MINE, "draft"),
    ("clusters", "send-back"): Act(who(SUBTREE, BM, RR), "submitted", WHY),
    ("clusters", "activate"): Act(who(SUBTREE, BM, RR), "submitted"),
    ("clusters", "approve-cap"): Act(who(SUBTREE, BM, RR), "active"),
    ("clusters", "reassign"): Act(who(SUBTREE, BM), "active", {"owner_id": "@colleague", **WHY}),
    ("clusters", "suspend"): Act(who(SUBTREE, BM, RR), "active", WHY),
    ("clusters", "resume"): Act(who(SUBTREE, BM, RR), "suspended"),
    ("clusters", "close"): Act(MINE_OR_HEAD, "active", WHY),
    ("clusters", "take-in-members"): Act(MINE, "active", {"rows": [{"name": "甲五金"}]}),
    ("clusters", "take-in-documents"): Act(MINE, "active", {"rows": [DOCUMENT]}),
    ("clusters", "prescreen"): Act(MINE, "active"),
    ("clusters", "make-leads"): Act(MINE, "active", {"member_ids": "@cluster_member"}),
    # A policy like any other: drafted by one, activated by a second person.
    ("prescreen-models", "create"): Act(who(HEAD, PM, PY), body={"table": SHIPPED}, gives=201, on="list"),
    ("prescreen-models", "update"): Act(who(HEAD, PM, PY), "draft", {"table": SHIPPED}, method="PATCH"),
    ("prescreen-models", "submit"): Act(who(HEAD, PM, PY), "draft"),
    ("prescreen-models", "activate"): Act(who(HEAD, PM, PY), "submitted"),
    ("prescreen-models", "reject"): Act(who(HEAD, PM, PY), "submitted", WHY),
    ("external-records", "create"): Act(
        who(OWN, AM) | who(SUBTREE, PO, IC), body={"uscc": "@uscc", "records": FIGURES}, on="list", by_choice=True
    ),
    # Who may send figures may send files; what each may send them of is cut down row by row.
    ("record-imports", "create"): Act(
        who(BANK, AM, PO, IC),
        body={"source_id": "@source", "layout": "sales_invoices", "rows": INVOICES},
        gives=201,
        on="list",
    ),
    ("record-imports", "start"): (
        Act(who(OWN, AM) | who(SUBTREE, PO, IC), "draft", {"mapping": COLUMNS}),
        Act(who(LISTS, PY, AD), "list", {"mapping": {"name": "姓名"}}),
    ),
    ("record-imports", "discard"): (
        Act(who(OWN, AM) | who(SUBTREE, PO, IC), "draft"),
        Act(who(LISTS, PY, AD), "list"),
    ),
    ("watchlists", "create"): Act(
        who(HEAD, PY, AD), body={"code": "pep", "name": "名单", "kind": "sanctions"}, gives=201, on="list"
    ),
    ("watchlists", "update"): Act(who(HEAD, PY, AD), body={"name": "名单二"}, method="PATCH"),
    ("watchlists", "send"): Act(who(HEAD, PY, AD), body={"rows": [{"name": "陈建国"}]}),
    # One person proposes, another decides; neither is the account manager.
    ("screening-hits", "propose"): Act(who(SUBTREE, RR, PO, BM), "open", {"outcome": "clear", **WHY}),
    ("screening-hits", "clear"): Act(who(SUBTREE, RR, PO, BM), "proposed", WHY),
    ("screening-hits", "confirm"): Act(who(SUBTREE, RR, PO, BM), "proposed confirm", WHY),
    ("screening-hits", "send-back"): Act(who(SUBTREE, RR, PO, BM), "proposed", WHY),
    ("screening-hits", "reopen"): Act(who(SUBTREE, RR, PO, BM), "cleared", WHY),
    ("record-imports", "repeat"): Act(who(OWN, AM) | who(SUBTREE, PO, IC), "done"),
    # The register is the bank's: kept at head office. What a source calls a customer is said by who sends its files.
    ("record-sources", "create"): Act(
        who(HEAD, AD, PY),
        body={"code": "grid", "name": "电网", "identical_rows": "once", "total_tolerance": "0.01"},
        gives=201,
        on="list",
    ),
    ("record-sources", "update"): Act(who(HEAD, AD, PY), body={"name": "税务二"}, method="PATCH"),
    ("consents", "create"): Act(
        who(OWN, AM),
        body={
            "customer_id": "@customer",
            "scope": "tax",
            "given_by_name": "陈",
            "given_on": "2026-03-01",
            "expires_on": "2027-03-01",
        },
        gives=201,
        on="list",
        by_choice=True,
    ),
    ("consents", "withdraw"): Act(who(OWN, AM) | who(SUBTREE, BM, PO), body=WHY),
    # How long it holds is corrected by whoever may add one.
    ("documents", "correct"): Act(
        who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM), body={"expires_on": "2027-03-31", **WHY}
    ),
    # A provider is set up for the bank; one customer is asked about by who looks after them.
    ("feeds", "create"): Act(
        who(HEAD, AD, PY),
        body={
            "name": "新接口",
            "source_id": "@source",
            "layout": "months",
            "auth": "none",
            "paging": "none",
            "url": "https://tax.example/returns?uscc={uscc}",
            "every_hours": 24,
            "columns": {"period_month": "period", "metric_tax_paid": "paid"},
        },
        gives=201,
        on="list",
    ),
    ("feeds", "update"): Act(who(HEAD, AD, PY), body={"every_hours": 12}, method="PATCH"),
    ("feeds", "run"): Act(who(HEAD, AD, PY)),
    ("customers", "pull"): Act(who(OWN, AM) | who(SUBTREE, PO), body={"feed_id": "@feed"}),
    ("pull-calls", "replay"): Act(who(SUBTREE, PO)),
    ("metrics", "create"): Act(
        who(HEAD, AD, PY),
        body={"code": "steam_t", "own_name": "蒸汽", "places": 1, "roll_up": "sum", "words": ["蒸汽"]},
        gives=201,
        on="list",
    ),
    ("metrics", "update"): Act(who(HEAD, AD, PY), body={"unit": "t"}, method="PATCH"),
    ("record-sources", "map-firms"): Act(
        who(BANK, AM, PO, IC), body={"source_id": "@source", "firms": [{"code": "E1", "uscc": "x"}]}, on="list"
    ),
    # Head office publishes products and the prime rate.
    ("products", "create"): Act(
        who(HEAD, PM),
        body={"code": "NEW", "name_zh": "新产品", "name_en": "New", "family": "term"},
        gives=201,
        on="list",
    ),
    ("products", "lpr"): Act(
        who(HEAD, PM, PY),
        body={"published_date": "2026-03-02", "one_year": "3.00", "five_year": "3.50", "source": "NIFC"},
        on="list",
    ),
    ("products", "lpr-import"): Act(
        who(HEAD, PM, PY),
        body={"rows": [{"published_date": "2026-02-20", "one_year": "3.00", "five_year": "3.50", "source": "NIFC"}]},
        on="list",
    ),
    # An offer tried out before it is drafted.
    ("product-versions", "example"): Act(who(HEAD, PM), body={"product_id": "@product", **OFFER}, on="list"),
    ("product-versions", "create"): Act(who(HEAD, PM), body={"product_id": "@product", **OFFER}, gives=201, on="list"),
    ("product-versions", "revise"): Act(who(HEAD, PM), "active", {"margin_bp": 80}, gives=201),
    ("product-versions", "update"): Act(who(HEAD, PM), "draft", {"margin_bp": 80}, method="PATCH"),
    ("product-versions", "submit"): Act(who(HEAD, PM, PY), "draft"),
    ("product-versions", "activate"): Act(who(HEAD, PM, PY), "submitted"),
    ("product-versions", "reject"): Act(who(HEAD, PM, PY), "submitted", WHY),
    ("product-versions", "retire"): Act(who(HEAD, PM, PY), "active", WHY),
    #
    ("applications", "create"): Act(
        MINE, body={"customer_id": "@customer", "product_id": "@product"}, gives=201, on="list", by_choice=True
    ),
    ("applications", "update"): Act(MINE, "draft", {"purpose": "采购"}, method="PATCH"),
    ("applications", "submit"): Act(MINE, "draft"),
    ("applications", "investigate"): Act(MINE, "submitted"),
    ("applications", "send-to-review"): Act(MINE, "signed"),
    ("applications", "resume"): Act(MINE, "returned"),
    ("applications", "accept-offer"): Act(MINE, "approved"),
    ("applications", "contract"): Act(MINE, "offer_accepted"),
    ("applications", "withdraw"): Act(MINE_OR_HEAD, "submitted", WHY),
    ("applications", "override"): Act(who(SUBTREE, BM), "declined", WHY),
    #
    ("investigations", "update"): Act(who(OWN, AM) | who(SUBTREE, CO), "open", {"opinion": "经营稳定"}, method="PATCH"),
    ("investigations", "sign"): Act(MINE, "open"),
    ("investigations", "sign-second"): Act(who(SUBTREE, CO), "signed_by_owner"),
    # A reviewer opines, an approver decides; both take a stage first and can put it back, or the branch manager can.
    ("review-stages", "claim"): (Act(who(SUBTREE, RR), "waiting"), Act(who(SUBTREE, AP), "decision waiting")),
    ("review-stages", "opinion"): Act(who(SUBTREE, RR), "claimed", {"outcome": "approved", "reason": "三表相符"}),
    ("review-stages", "decide"): Act(
        who(SUBTREE, AP), "decision claimed", {"outcome": "declined", "reason": "负债过高"}
    ),
    ("review-stages", "release-claim"): (
        Act(who(SUBTREE, RR, BM), "claimed"),
        Act(who(SUBTREE, AP, BM), "decision claimed"),
    ),
    # Head office says who may decide how much, and nobody says so of themselves.
    ("authorities", "create"): Act(
        who(SUBTREE, PY, AD),
        body={
            "user_id": "@approver",
            "office_id": "@office",
            "limit_amount": "500000.00",
            "effective_date": "2026-03-02",
            **WHY,
        },
        gives=201,
        on="list",
        by_choice=True,
    ),
    ("authorities", "end"): Act(who(SUBTREE, PY, AD), body=WHY),
    #
    ("contracts", "sign"): Act(MINE, "generated"),
    ("contracts", "void"): Act(MINE_OR_HEAD, "generated", WHY),
    ("conditions", "meet"): Act(who(SUBTREE, DO), "open", {"document_id": "@document"}),
    ("conditions", "waive"): Act(who(SUBTREE, AP, BM), "open", WHY),
    ("facilities", "make-effective"): Act(who(SUBTREE, DO), "pending_conditions"),
    ("facilities", "request-drawdown"): Act(
        MINE,
        "effective",
        {"amount": "1000.00", "payee_name": "恒润钢材", "payee_account": "6228480000000001", "purpose": "采购"},
        gives=201,
    ),
    ("facilities", "request-renewal"): Act(MINE, "renewal effective", gives=201),
    ("facilities", "freeze"): Act(who(SUBTREE, PO, BM), "effective", WHY),
    ("facilities", "unfreeze"): Act(who(SUBTREE, PO, BM), "frozen", WHY),
    ("facilities", "change-limit"): Act(who(SUBTREE, BM), "effective", {"limit_amount": "300000.00", **WHY}),
    ("facilities", "cancel"): Act(MINE_OR_HEAD, "pending_conditions", WHY),
    ("facilities", "close"): Act(who(SUBTREE, LA), "matured"),
    ("drawdowns", "check"): Act(who(SUBTREE, DO), "requested"),
    ("drawdowns", "release"): Act(who(SUBTREE, DO), "checked"),
    ("drawdowns", "carry-over"): Act(who(SUBTREE, DO), "renewal checked"),
    ("drawdowns", "correct-payee"): Act(
        MINE, "failed", {"number": 1, "name": "恒润钢材", "account": "6228480000000009"}
    ),
    ("drawdowns", "refuse"): Act(who(SUBTREE, DO), "requested", WHY),
    ("drawdowns", "cancel"): Act(MINE, "requested", WHY),
    ("loans", "repay"): Act(
        who(SUBTREE, LA), "active", {"amount": "100.00", "reference": "@reference"}, gives=201, previews=True
    ),
    ("loans", "renew"): Act(
        MINE,
        "active",
        {"product_id": "@renewal", "instalments": 12, "lawful_business": "证照齐全", "going_concern": "订单充足"},
        gives=201,
    ),
    ("loans", "prepay"): Act(
        who(SUBTREE, LA), "active", {"amount": "200000.00", "reference": "@reference"}, gives=201, previews=True
    ),
    # "reversals, waivers and backdating need a second person": an accountant or the officer after the money asks,
    # another accountant or the branch manager decides.
    ("loans", "request-backdated-repayment"): asked(
        {"amount": "10.00", "reference": "@reference", "value_date": "2026-02-20"}
    ),
    ("loans", "request-reversal"): asked({"transaction_id": "@transaction"}),
    ("loans", "request-waiver"): asked({"kind": "interest", "amount": "1.00"}),
    ("loans", "request-fee"): asked({"amount": "80.00"}),
    ("loans", "request-rate-change"): asked({"annual_rate": "0.04"}),
    ("loans", "request-interest-pause"): asked({"until": "2026-03-10"}),
    ("loans", "request-extension"): asked({"extra_instalments": 2}),
    ("loans", "request-principal-grace"): asked({"principal_grace": 1}),
    ("loans", "request-restructuring"): asked({"extra_instalments": 2}),
    ("loans", "request-misuse"): asked({}),
    ("loans", "request-judgement"): asked({"asset_class": "special_mention"}),
    ("loans", "request-call-in"): asked({}),
    ("loans", "request-write-off"): asked({}, "loss"),
    ("loans", "recover"): Act(
        who(SUBTREE, LA), "written_off", {"amount": "100.00", "reference": "@reference"}, gives=201, previews=True
    ),
    ("loan-requests", "confirm"): Act(who(SUBTREE, LA, BM), "requested", previews=True),
    ("loan-requests", "refuse"): Act(who(SUBTREE, LA, BM), "requested", WHY),
    ("loan-requests", "withdraw"): Act(who(SUBTREE, LA, PO), "requested"),
    ("debit-files", "create"): Act(who(BANK, LA), on="list", gives=201),
    ("loans", "collect"): Act(who(SUBTREE, LA), "active", gives=201),
    ("repayments", "create"): Act(
        who(SUBTREE, LA),
        body={"loan_id": "@loan", "amount": "100.00", "reference": "@reference"},
        gives=201,
        on="list",
        by_choice=True,
        previews=True,
    ),
    ("loans", "settle"): Act(who(SUBTREE, LA), "owes nothing"),
    ("loans", "payoff"): Act(
        who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU), "active", {"on_date": "2026-03-02"}
    ),
    ("loans", "what-if"): Act(
        who(OWN, AM) | who(SUBTREE, RR, AP, DO, LA, PO, BM, AU),
        "active",
        {"what": "repayment", "on_date": "2026-03-02", "amount": "100.00"},
    ),
    # Whoever reads the books of an office asks for its balance.
    ("account-balances", "trial-balance"): Act(
        who(SUBTREE, LA, BM, AU), body={"office_id": "@office"}, on="list", by_choice=True
    ),
    # The bank's rules are published like its products: "a second person activates".
    ("posting-rules", "create"): Act(who(HEAD, PM, PY), body=RULES, gives=201, on="list"),
    ("posting-rules", "update"): Act(who(HEAD, PM, PY), "draft", RULES, method="PATCH"),
    ("posting-rules", "submit"): Act(who(HEAD, PM, PY), "draft"),
    ("posting-rules", "activate"): Act(who(HEAD, PM, PY), "submitted"),
    ("posting-rules", "reject"): Act(who(HEAD, PM, PY), "submitted", WHY),
    # "cases, inspections acceptance, collection"; a branch manager reassigns and ends what was written off.
    ("warning-cases", "assign"): Act(who(SUBTREE, PO, BM), "open", {"officer_id": "@officer"}),
    ("warning-cases", "reassign"): Act(who(SUBTREE, PO, BM), "assigned", {"officer_id": "@officer", **WHY}),
    ("warning-cases", "verify"): Act(who(SUBTREE, PO), "assigned"),
    ("warning-cases", "findings"): Act(who(SUBTREE, PO), "verifying", {"findings": "用电下降"}),
    ("warning-cases", "act"): Act(who(SUBTREE, PO), "verifying", {"findings": "用电下降", "action": "约谈"}),
    ("warning-cases", "freeze-line"): Act(who(SUBTREE, PO), "verifying", {"facility_id": "@facility", **WHY}),
    ("warning-cases", "transfer"): Act(who(SUBTREE, PO), "verifying", WHY),
    ("warning-cases", "dismiss"): Act(who(SUBTREE, PO), "verifying", WHY),
    ("warning-cases", "resolve"): Act(who(SUBTREE, PO), "acting", WHY),
    ("collection-cases", "create"): Act(
        who(SUBTREE, PO), body={"loan_id": "@overdue"}, gives=201, on="list", by_choice=True
    ),
    ("collection-cases", "contact"): Act(who(SUBTREE, PO), "open", {"note": "已联系"}),
    ("collection-cases", "note"): Act(who(SUBTREE, PO), "contacting", {"note": "再次联系"}),
    ("collection-cases", "promise"): Act(
        who(SUBTREE, PO), "contacting", {"amount": "1000.00", "promised_date": "2026-03-09"}
    ),
    ("collection-cases", "break-promise"): Act(who(SUBTREE, PO), "promised", WHY),
    ("collection-cases", "go-legal"): Act(who(SUBTREE, PO), "contacting", WHY),
    ("collection-cases", "close-paid"): Act(who(SUBTREE, PO), "contacting", WHY),
    ("collection-cases", "close-restructured"): Act(who(SUBTREE, PO), "contacting", WHY),
    ("collection-cases", "close-written-off"): Act(who(SUBTREE, BM), "legal", WHY),
    ("inspections", "start"): Act(MINE, "due"),
    ("inspections", "save"): Act(MINE, "in_progress", {"findings": "正常"}, method="PATCH"),
    ("inspections", "submit"): Act(
        MINE, "in_progress", {"funds_used_as_agreed": True, "business_running": True, "findings": "正常"}
    ),
    ("inspections", "resume"): Act(MINE, "returned"),
    ("inspections", "accept"): Act(who(SUBTREE, PO), "submitted"),
    ("inspections", "send-back"): Act(who(SUBTREE, PO), "submitted", WHY),
    # "publish … thresholds (a second person activates)"
    ("threshold-sets", "create"): Act(who(HEAD, PM, PY), body={"indicator": "overdue", **LIMITS}, gives=201, on="list"),
    ("threshold-sets", "update"): Act(who(HEAD, PM, PY), "draft", {"yellow": "3"}, method="PATCH"),
    ("threshold-sets", "submit"): Act(who(HEAD, PM, PY), "draft"),
    ("threshold-sets", "activate"): Act(who(HEAD, PM, PY), "submitted"),
    ("threshold-sets", "reject"): Act(who(HEAD, PM, PY), "submitted", WHY),
    # The business day is the whole bank's.
    ("sweep-runs", "close"): Act(who(HEAD, BM, AD), body={"date": "2026-03-02"}, on="list", gives=201),
    #
    # A new office stands below one the administrator looks after; here that is the branch.
    ("offices", "create"): Act(
        who(ABOVE, AD),
        body={"parent_id": "@branch", "kind": "sub_branch", "code": "NEW", "name": "新支行"},
        gives=201,
        on="list",
        by_choice=True,
    ),
    ("offices", "rename"): Act(who(SUBTREE, AD), body={"name": "新名"}),
    ("people", "create"): Act(
        who(SUBTREE, AD),
        body={"username": "newcomer", "display_name": "新人", "office_id": "@office"},
        gives=201,
        on="list",
        by_choice=True,
    ),
    ("people", "update"): Act(who(SUBTREE, AD), body={"display_name": "改名", "office_id": "@office"}),
    ("people", "assign-role"): Act(
        who(SUBTREE, AD), body={"role": LA, "office_id": "@office", "start_date": "2026-03-02", **WHY}
    ),
    ("people", "set-password"): Act(who(SUBTREE, AD), body={"password": "Long-enough-2026"}),
    ("people", "sign-out-everywhere"): Act(who(SUBTREE, AD)),
    ("people", "deactivate"): Act(who(SUBTREE, AD), body=WHY),
    ("people", "reactivate"): Act(who(SUBTREE, AD), "inactive", WHY),
    ("role-assignments", "end"): Act(who(SUBTREE, AD), body={"end_date": "2026-03-02", **WHY}),
    ("parameters", "create"): Act(
        who(HEAD, AD),
        body={"code": "offer.validity_days", "value": "60", "effective_date": "2026-03-02", **WHY},
        gives=201,
        on="list",
    ),
    ("calendar", "create"): Act(
        who(HEAD, AD), body={"date": "2026-03-07", "is_working": True, **WHY}, gives=201, on="list"
    ),
    ("notifications", "mark-read"): Act(who(SELF, *ROLES)),
    ("notifications", "mark-all-read"): Act(who(BANK, *ROLES), on="list"),
}

# What only those may who look after the place a thing comes from and the one it goes to, which the form's choice says.
ACT["offices", "move"] = Act(who(ABOVE, AD), body={"parent_id": "@branch", **WHY}, by_choice=True)

# --- routes that are no noun's


@dataclass(frozen=True)
class Other:
    """What a route answers: to a visitor, to a person who signed in and holds no role, and to those of `roles`."""

    method: str
    visitor: int
    signed_in: int
    roles: Who = field(default_factory=dict)
    allowed: int = 200
    sample: str = ""  # the route with its blanks filled in


#: A page leads a visitor to the sign-in page; the API answers with a challenge.
TO_SIGN_IN, CHALLENGE = 302, 401
DASHBOARD = who(BANK, BM, AU)

OTHER: dict[str, tuple[Other, ...]] = {
    # the roof
    "": (Other("GET", TO_SIGN_IN, 200),),
    "search/": (Other("GET", TO_SIGN_IN, 200),),
    "calculator/": (Other("GET", TO_SIGN_IN, 200),),
    "calculator/row/": (Other("GET", TO_SIGN_IN, 200),),
    "calculator/plan.<kind>": (Other("GET", TO_SIGN_IN, 200, sample="calculator/plan.csv"),),
    "dashboard/": (Other("GET", TO_SIGN_IN, 403, DASHBOARD),),
    "dashboard/<code>/": (Other("GET", TO_SIGN_IN, 403, DASHBOARD, sample="dashboard/leads/"),),
    "funnel/": (Other("GET", TO_SIGN_IN, 403, who(BANK, AM, BM, AU)),),
    "funnel/<code>/": (Other("GET", TO_SIGN_IN, 403, who(BANK, AM, BM, AU), sample="funnel/leads/"),),
    # who sees links sees their circles, of the customers they see
    "guarantee-circles/": (Other("GET", TO_SIGN_IN, 403, who(BANK, AM, CO, RR, AP, PO, BM, AU)),),
    "guarantee-circles/export.<form>": (
        Other("GET", TO_SIGN_IN, 403, who(BANK, AM, CO, RR, AP, PO, BM, AU), sample="guarantee-circles/export.csv"),
    ),
    "api/v1/guarantee-circles/": (Other("GET", CHALLENGE, 403, who(BANK, AM, CO, RR, AP, PO, BM, AU)),),
    "styleguide/": (Other("GET", TO_SIGN_IN, 200),),
    # for visitors nobody knows: a page for those who have the address, and the same answer whatever they sent
    "r/<token>/": (Other("GET", 404, 404, sample="r/nothing/"), Other("POST", 404, 404, sample="r/nothing/")),
    "r/<token>/done/": (Other("GET", 200, 200, sample="r/nothing/done/"),),
    # for whoever runs the program, from this machine
    "healthz/": (Other("GET", 200, 200),),
    "readyz/": (Other("GET", 200, 200),),
    "metrics": (Other("GET", 200, 200),),
    # documents: who may is in DOCUMENTS
    "attachments/": (Other("GET", TO_SIGN_IN, 405), Other("POST", TO_SIGN_IN, 404)),
    "attachments/<pk>/": (Other("GET", TO_SIGN_IN, 404, sample="attachments/1/"),),
    "api/v1/attachments/": (Other("GET", CHALLENGE, 404), Other("POST", CHALLENGE, 415)),
    "api/v1/attachments/<pk>/content/": (Other("GET", CHALLENGE, 404, sample="api/v1/attachments/1/content/"),),
    "notifications/<pk>/open/": (Other("GET", TO_SIGN_IN, 404, sample="notifications/1/open/"),),
    # the API's own
    "api/v1/auth/token/": (Other("POST", 400, 400),),
    "api/v1/auth/logout/": (Other("POST", CHALLENGE, 204),),
    "api/v1/auth/logout-all/": (Other("POST", CHALLENGE, 204),),
    "api/v1/me/": (Other("GET", CHALLENGE, 200),),
    "api/v1/business-days/current/": (Other("GET", CHALLENGE, 200),),
    "api/v1/business-days/<day>/close/": (
        Other("POST", CHALLENGE, 403, who(HEAD, BM, AD), allowed=202, sample="api/v1/business-days/2026-03-02/close/"),
    ),
    "api/v1/parameters/in-force/": (Other("GET", CHALLENGE, 403, who(BANK, AD, BM, AU)),),
    "api/v1/schema/": (Other("GET", CHALLENGE, 200),),
    "api/v1/docs/": (Other("GET", CHALLENGE, 200),),
    # figures per firm, of the customers one sees
    "api/v1/record-sources/<pk>/totals/": (
        Other(
            "GET",
            CHALLENGE,
            403,
            who(BANK, AM, CO, RR, AP, PO, BM, AU),
            allowed=404,
            sample="api/v1/record-sources/999999/totals/",
        ),
    ),
    # a calculation from what is sent, which knows nothing of the bank's own
    "api/v1/quotes/": (Other("POST", CHALLENGE, 400),),
    "api/v1/simulations/": (Other("POST", CHALLENGE, 400),),
    "i18n/setlang/": (Other("POST", 302, 302),),
}

#: Pages around signing in: what a visitor gets, what somebody who has signed in gets, the route with its blanks
#: filled in. They show a person nothing but themselves; what they change is tested with signing in.
SIGNING_IN: dict[str, tuple[int, int, str]] = {
    # open to everybody; accounts are made by an administrator, so signing up only says so
    "accounts/login/": (200, 302, ""),
    "accounts/signup/": (200, 302, ""),
    "accounts/inactive/": (200, 200, ""),
    "accounts/password/reset/": (200, 200, ""),
    "accounts/password/reset/done/": (200, 200, ""),
    "accounts/password/reset/key/<uidb36>-<key>/": (200, 200, "accounts/password/reset/key/1-abc/"),
    "accounts/password/reset/key/done/": (200, 200, ""),
    "accounts/confirm-email/": (200, 200, ""),
    "accounts/confirm-email/<key>/": (200, 200, "accounts/confirm-email/abc/"),
    "accounts/login/code/confirm/": (302, 302, ""),
    "accounts/2fa/authenticate/": (302, 302, ""),
    "accounts/2fa/webauthn/login/": (302, 302, ""),
    # one's own account
    "accounts/logout/": (302, 200, ""),
    "accounts/sessions/": (302, 200, ""),
    "accounts/sign-out-everywhere/": (302, 405, ""),
    "accounts/email/": (302, 200, ""),
    "accounts/password/change/": (302, 302, ""),
    "accounts/password/set/": (302, 200, ""),
    "accounts/reauthenticate/": (302, 403, ""),
    "accounts/2fa/": (302, 200, ""),
    "accounts/2fa/reauthenticate/": (302, 403, ""),
    "accounts/2fa/totp/activate/": (302, 200, ""),
    "accounts/2fa/totp/deactivate/": (302, 404, ""),
    "accounts/2fa/recovery-codes/": (302, 404, ""),
    "accounts/2fa/recovery-codes/generate/": (302, 200, ""),
    "accounts/2fa/recovery-codes/download/": (302, 404, ""),
    "accounts/2fa/webauthn/": (302, 200, ""),
    "accounts/2fa/webauthn/add/": (302, 200, ""),
    "accounts/2fa/webauthn/reauthenticate/": (302, 403, ""),
    "accounts/2fa/webauthn/keys/<pk>/edit/": (302, 404, "accounts/2fa/webauthn/keys/1/edit/"),
    "accounts/2fa/webauthn/keys/<pk>/remove/": (302, 404, "accounts/2fa/webauthn/keys/1/remove/"),
    # sign-in by another provider, which only settings switch on
    "accounts/oidc/<provider_id>/login/": (404, 404, "accounts/oidc/bank/login/"),
    "accounts/oidc/<provider_id>/login/callback/": (404, 404, "accounts/oidc/bank/login/callback/"),
    "accounts/3rdparty/": (302, 200, ""),
    "accounts/3rdparty/signup/": (302, 302, ""),
    "accounts/3rdparty/login/cancelled/": (200, 200, ""),
    "accounts/3rdparty/login/error/": (401, 401, ""),
    "accounts/social/signup/": (301, 301, ""),
    "accounts/social/connections/": (301, 301, ""),
    "accounts/social/login/cancelled/": (301, 301, ""),
    "accounts/social/login/error/": (301, 301, ""),
}

# --- documents: read through the thing they belong to

#: Nouns whose things carry documents; whoever sees the thing sees them.
WITH_DOCUMENTS = (
    "leads", "lead-visits", "customers", "applications", "investigations", "review-stages", "contracts", "conditions",
    "facilities", "drawdowns", "loans", "signals", "warning-cases", "inspections", "collection-cases",
)  # fmt: skip
#: Who adds one to a thing they see. An auditor changes nothing.
ADDS_DOCUMENTS = who(OWN, AM) | who(SUBTREE, CO, RR, AP, DO, LA, PO, BM)
