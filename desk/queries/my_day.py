"""What waits for a person today, pile by pile: each role's own work, the most urgent first.

A pile is one queryset of rows the person may see, with the words a line shows. Two queries a pile at most: its
first rows, and, for all piles together, how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.models import ReviewStage
from approvals.services.reviews import ROLE_OF
from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.domain.roles import Role
from branch.queries.documents import document_rule
from branch.queries.visibility import visible
from branch.web.noun import NOUNS, url_of
from customers.models import Customer, PrescreenModel
from customers.queries.clusters import waiting_for_caps
from customers.queries.documents import with_documents_due
from customers.queries.leads import leads_to_call
from desk.domain.clocks import Clock
from desk.queries.clocks import Clocks
from desk.queries.open_work import counts
from loans.models import Application, Contract, Drawdown, Facility, Investigation, Loan, ProductVersion
from postloan.models import CollectionCase, Inspection, Signal, ThresholdSet, WarningCase

#: Lines a pile shows before it says how many more there are.
SHOWN = 6
#: Inspections are shown this long before they fall due.
INSPECTION_NOTICE = timedelta(days=7)
#: Most severe first.
_SEVERITY = Case(
    *(When(level=level, then=Value(rank)) for rank, level in enumerate(("red", "orange", "yellow", "blue"))),
    default=Value(9),
    output_field=IntegerField(),
)

Text = Any  # a str or a lazy translation
Rows = Callable[[Actor, date], QuerySet]


@dataclass(frozen=True)
class Pile:
    """One kind of work. `what` is the second line of a row; `due` its date, if a date and not a clock drives it."""

    code: str
    title: Text
    icon: str
    roles: frozenset[Role]
    rows: Rows
    what: Callable[[Any], str]
    noun: str
    query: str = ""
    name: Callable[[Any], str] = lambda row: str(row.customer)
    due: Callable[[Any], date | None] = lambda row: None


@dataclass(frozen=True)
class Line:
    url: str
    name: str
    what: str
    level: str
    clock: Clock | None
    due_date: date | None
    late: bool


@dataclass(frozen=True)
class Work:
    """A pile with its lines; `total` stops at the counting limit."""

    code: str
    title: Text
    icon: str
    lines: tuple[Line, ...]
    total: int
    url: str

    @property
    def more(self) -> int:
        return self.total - len(self.lines)


def my_day(actor: Actor, today: date, clocks: Clocks | None = None) -> list[Work]:
    """The piles of this person's roles that have anything in them."""
    piles = [pile for pile in PILES if actor.roles & pile.roles]
    rows = {pile.code: pile.rows(actor, today) for pile in piles}
    totals = counts(rows)
    reading = clocks or Clocks()
    return [_work(pile, rows[pile.code], totals[pile.code], today, reading) for pile in piles if totals[pile.code]]


def _work(pile: Pile, rows: QuerySet, total: int, today: date, clocks: Clocks) -> Work:
    lines = tuple(_line(pile, row, today, clocks) for row in rows[:SHOWN])
    noun = NOUNS.get(pile.noun)
    url = f"{noun.url()}?{pile.query}" if noun else ""
    return Work(pile.code, pile.title, pile.icon, lines, total, url)


def _line(pile: Pile, row: Any, today: date, clocks: Clocks) -> Line:
    due = pile.due(row)
    return Line(
        url=url_of(row),
        name=pile.name(row),
        what=pile.what(row),
        level=getattr(row, "level", ""),
        clock=clocks.of(row),
        due_date=due,
        late=due is not None and due < today,
    )


# --- rows ------------------------------------------------------------------------------------------


def _own(model: type, actor: Actor, **facts: Any) -> QuerySet:
    return visible(model, actor).filter(owner=actor.user_id, **facts).select_related("customer")


def _own_applications(*states: str) -> Rows:
    return lambda actor, today: _own(Application, actor, state__in=states).order_by("submitted_at", "pk")


def _to_sign_first(actor: Actor, today: date) -> QuerySet:
    return _own(Investigation, actor, state="open").select_related("application").order_by("created_at")


def _to_send_in(actor: Actor, today: date) -> QuerySet:
    rows = _own(Investigation, actor, state="signed_by_second", application__state="investigating")
    return rows.select_related("application").order_by("created_at")


def _to_sign_second(actor: Actor, today: date) -> QuerySet:
    rows = visible(Investigation, actor).filter(state="signed_by_owner").exclude(owner=actor.user_id)
    return rows.select_related("customer", "application", "owner").order_by("signed_by_owner_at", "pk")


def _to_review(actor: Actor, today: date) -> QuerySet:
    kinds = [kind for kind, role in ROLE_OF.items() if role in actor.roles]
    free = Q(state="waiting", kind__in=kinds, opened_at__isnull=False) & ~Q(review__owner=actor.user_id)
    mine = Q(state="claimed", claimed_by=actor.user_id)
    rows = visible(ReviewStage, actor).filter(free | mine)
    return rows.select_related("customer", "application").order_by("opened_at", "pk")


def _to_draw(actor: Actor, today: date) -> QuerySet:
    rows = _own(Facility, actor, state="effective", drawn_amount=0, drawdowns__isnull=True)
    return rows.select_related("contract").order_by("pk")


def _conditions_to_check(actor: Actor, today: date) -> QuerySet:
    rows = visible(Facility, actor).filter(state="pending_conditions", contract__state="signed")
    return rows.select_related("customer", "contract").order_by("pk")


def _to_release(actor: Actor, today: date) -> QuerySet:
    rows = visible(Drawdown, actor).filter(state__in=("requested", "checked", "unknown", "failed"))
    return rows.exclude(owner=actor.user_id).select_related("customer").order_by("pk")


def _overdue(actor: Actor, today: date) -> QuerySet:
    rows = visible(Loan, actor).filter(state__in=("active", "called_in"), days_past_due__gt=0)
    return rows.select_related("customer").order_by("-days_past_due", "pk")


def _own_overdue(actor: Actor, today: date) -> QuerySet:
    return _overdue(actor, today).filter(owner=actor.user_id)


def _due_today(actor: Actor, today: date) -> QuerySet:
    unpaid = Q(instalments__principal_paid__lt=F("instalments__principal")) | Q(
        instalments__interest_paid__lt=F("instalments__interest")
    )
    rows = visible(Loan, actor).filter(unpaid, state="active", days_past_due=0, instalments__due_date=today)
    return rows.select_related("customer").order_by("pk")


def _cases(**facts: Any) -> Rows:
    def rows(actor: Actor, today: date) -> QuerySet:
        found = visible(WarningCase, actor).exclude(state="closed").filter(**facts)
        return found.select_related("customer").order_by(_SEVERITY, "created_at")

    return rows


def _my_cases(actor: Actor, today: date) -> QuerySet:
    return _cases(officer=actor.user_id)(actor, today)


def _own_cases(actor: Actor, today: date) -> QuerySet:
    return _cases(owner=actor.user_id)(actor, today)


def _loose_signals(actor: Actor, today: date) -> QuerySet:
    rows = visible(Signal, actor).filter(state="raised", cleared_on=None)
    return rows.select_related("customer").order_by(_SEVERITY, "raised_on")


def _inspections_due(actor: Actor, today: date) -> QuerySet:
    rows = _own(Inspection, actor, state__in=("due", "in_progress", "returned"))
    return rows.filter(due_date__lte=today + INSPECTION_NOTICE).select_related("loan").order_by("due_date")


def _inspections_to_accept(actor: Actor, today: date) -> QuerySet:
    rows = visible(Inspection, actor).filter(state="submitted").exclude(owner=actor.user_id)
    return rows.select_related("customer", "loan").order_by("due_date")


def _collections(actor: Actor, today: date) -> QuerySet:
    rows = visible(CollectionCase, actor).exclude(state="closed").filter(Q(officer=actor.user_id) | Q(officer=None))
    return rows.select_related("customer", "loan").order_by(F("promised_date").asc(nulls_last=True), "pk")


def _own_promises(actor: Actor, today: date) -> QuerySet:
    rows = _own(CollectionCase, actor, state__in=("promised", "broken_promise"))
    return rows.select_related("loan").order_by("promised_date")


def _documents_due(actor: Actor, today: date) -> QuerySet:
    rows = visible(Customer, actor).filter(owner=actor.user_id)
    return with_documents_due(rows, document_rule(today))


def _policies(model: type) -> Rows:
    def rows(actor: Actor, today: date) -> QuerySet:
        return visible(model, actor).filter(state="submitted").exclude(drafted_by=actor.user_id).order_by("pk")

    return rows


def _capped(actor: Actor, today: date) -> QuerySet:
    """Clusters whose proposed caps are not in force, but for those the person proposed."""
    return waiting_for_caps(actor).exclude(proposed_by=actor.user_id).order_by("pk")


# --- words -----------------------------------------------------------------------------------------


def _file_line(application: Any) -> str:
    return f"{application.number} · {format_money(application.approved_amount or application.amount)}"


def _lead_line(lead: Any) -> str:
    wanted = format_money(lead.wanted_amount) if lead.wanted_amount else ""
    return " · ".join(part for part in (lead.contact_name, wanted, lead.next_action) if part)


def _loan_line(loan: Any) -> str:
    days = loan.days_past_due
    late = ngettext("%(n)d day overdue", "%(n)d days overdue", days) % {"n": days}
    return f"{loan.number} · {late}"


def _promise_line(case: Any) -> str:
    if case.promised_amount is None:
        return str(case.loan)
    return _("Promised %(amount)s") % {"amount": format_money(case.promised_amount)}


def _document_line(customer: Any) -> str:
    word = dict(NOUNS["customer"].attachment_kinds).get(customer.document_kind)
    return str(word or _("Document"))


MANAGER = frozenset({Role.ACCOUNT_MANAGER})
SECOND = frozenset({Role.CO_INVESTIGATOR})
DECIDERS = frozenset({Role.RISK_REVIEWER, Role.APPROVER})
RELEASE = frozenset({Role.DISBURSEMENT_OFFICER})
BOOK = frozenset({Role.LOAN_ACCOUNTANT})
CARE = frozenset({Role.POST_LOAN_OFFICER})
HEAD = frozenset({Role.BRANCH_MANAGER})

PILES: tuple[Pile, ...] = (
    Pile(
        "returned",
        gettext_lazy("Files returned to me"),
        "arrow-back-up",
        MANAGER,
        _own_applications("returned"),
        lambda row: row.outcome_reason or _file_line(row),
        "application",
        "state=returned",
    ),
    Pile(
        "own_cases",
        gettext_lazy("Warnings on my customers"),
        "alert-triangle",
        MANAGER,
        _own_cases,
        lambda row: row.number,
        "warning_case",
    ),
    Pile(
        "own_overdue",
        gettext_lazy("Overdue with my customers"),
        "clock-exclamation",
        MANAGER,
        _own_overdue,
        _loan_line,
        "loan",
    ),
    Pile(
        "own_promises",
        gettext_lazy("Promises to pay"),
        "phone-call",
        MANAGER,
        _own_promises,
        _promise_line,
        "collection_case",
        due=lambda row: row.promised_date,
    ),
    Pile(
        "inspections_due",
        gettext_lazy("Inspections due"),
        "clipboard-check",
        MANAGER,
        _inspections_due,
        lambda row: str(row.loan),
        "inspection",
        due=lambda row: row.due_date,
    ),
    Pile(
        "to_sign_first",
        gettext_lazy("Investigations to finish"),
        "map-pin",
        MANAGER,
        _to_sign_first,
        lambda row: _file_line(row.application),
        "investigation",
        "state=open",
    ),
    Pile(
        "to_send_in",
        gettext_lazy("Signed, to be sent to review"),
        "send",
        MANAGER,
        _to_send_in,
        lambda row: _file_line(row.application),
        "investigation",
        "state=signed_by_second",
        name=lambda row: str(row.customer),
    ),
    Pile(
        "offers",
        gettext_lazy("Approved, offer to be accepted"),
        "circle-check",
        MANAGER,
        _own_applications("approved"),
        _file_line,
        "application",
        "state=approved",
        due=lambda row: row.offer_expires_date,
    ),
    Pile(
        "to_contract",
        gettext_lazy("Accepted, contract to be made"),
        "file-plus",
        MANAGER,
        _own_applications("offer_accepted"),
        _file_line,
        "application",
        "state=offer_accepted",
    ),
    Pile(
        "to_sign_contract",
        gettext_lazy("Contracts to sign"),
        "writing-sign",
        MANAGER,
        lambda actor, today: _own(Contract, actor, state="generated").order_by("pk"),
        lambda row: f"{row.number} · {format_money(row.amount)}",
        "contract",
        "state=generated",
    ),
    Pile(
        "to_draw",
        gettext_lazy("Lines nobody has drawn yet"),
        "credit-card",
        MANAGER,
        _to_draw,
        lambda row: f"{row.contract} · {format_money(row.limit_amount)}",
        "facility",
        "state=effective",
    ),
    Pile(
        "documents",
        gettext_lazy("Documents that expire"),
        "file-alert",
        MANAGER,
        _documents_due,
        _document_line,
        "customer",
        name=str,
        due=lambda row: row.document_due,
    ),
    Pile(
        "leads",
        gettext_lazy("Leads to call"),
        "target-arrow",
        MANAGER,
        leads_to_call,
        _lead_line,
        "lead",
        name=lambda row: str(row),
        due=lambda row: row.next_action_date,
    ),
    Pile(
        "drafts",
        gettext_lazy("Applications not sent yet"),
        "file-text",
        MANAGER,
        _own_applications("draft", "submitted"),
        _file_line,
        "application",
        "state=draft",
    ),
    Pile(
        "to_sign_second",
        gettext_lazy("Waiting for a second signature"),
        "writing-sign",
        SECOND,
        _to_sign_second,
        lambda row: f"{_file_line(row.application)} · {row.owner}",
        "investigation",
        "state=signed_by_owner",
    ),
    Pile(
        "to_review",
        gettext_lazy("Files to decide"),
        "scale",
        DECIDERS,
        _to_review,
        lambda row: _file_line(row.application),
        "review_stage",
    ),
    Pile(
        "to_release",
        gettext_lazy("Money to release"),
        "cash-banknote",
        RELEASE,
        _to_release,
        lambda row: f"{row.number} · {format_money(row.amount)}",
        "drawdown",
    ),
    Pile(
        "conditions",
        gettext_lazy("Conditions to check"),
        "list-check",
        RELEASE,
        _conditions_to_check,
        lambda row: f"{row.contract} · {format_money(row.limit_amount)}",
        "facility",
        "state=pending_conditions",
    ),
    Pile(
        "due_today",
        gettext_lazy("Instalments due today"),
        "calendar-event",
        BOOK,
        _due_today,
        lambda row: row.number,
        "loan",
    ),
    Pile("overdue", gettext_lazy("Overdue loans"), "clock-exclamation", BOOK | HEAD, _overdue, _loan_line, "loan"),
    Pile(
        "my_cases",
        gettext_lazy("My warning cases"),
        "alert-triangle",
        CARE,
        _my_cases,
        lambda row: row.number,
        "warning_case",
    ),
    Pile(
        "loose_cases",
        gettext_lazy("Cases nobody works on"),
        "alert-triangle",
        CARE | HEAD,
        _cases(officer=None),
        lambda row: row.number,
        "warning_case",
        "state=open",
    ),
    Pile(
        "signals",
        gettext_lazy("Signals without a case"),
        "activity",
        CARE,
        _loose_signals,
        lambda row: str(row.indicator),
        "signal",
        "state=raised",
    ),
    Pile(
        "inspections_to_accept",
        gettext_lazy("Inspections to accept"),
        "clipboard-check",
        CARE,
        _inspections_to_accept,
        lambda row: str(row.loan),
        "inspection",
        "state=submitted",
        due=lambda row: row.due_date,
    ),
    Pile(
        "collections",
        gettext_lazy("Money to collect"),
        "phone-call",
        CARE,
        _collections,
        _promise_line,
        "collection_case",
        due=lambda row: row.promised_date,
    ),
    Pile(
        "products",
        gettext_lazy("Products waiting for a second person"),
        "package",
        frozenset({Role.PRODUCT_MANAGER}),
        _policies(ProductVersion),
        lambda row: "",
        "product_version",
        "state=submitted",
        name=str,
    ),
    Pile(
        "thresholds",
        gettext_lazy("Thresholds waiting for a second person"),
        "adjustments",
        frozenset({Role.POLICY_MANAGER}),
        _policies(ThresholdSet),
        lambda row: "",
        "threshold_set",
        "state=submitted",
        name=str,
    ),
    Pile(
        "prescreen_models",
        gettext_lazy("Pre-screening models waiting for a second person"),
        "table",
        frozenset({Role.POLICY_MANAGER}),
        _policies(PrescreenModel),
        lambda row: "",
        "prescreen_model",
        "state=submitted",
        name=str,
    ),
    Pile(
        "clusters",
        gettext_lazy("Caps of clusters waiting for a second person"),
        "affiliate",
        frozenset({Role.BRANCH_MANAGER, Role.RISK_REVIEWER}),
        _capped,
        lambda cluster: format_money(cluster.proposed_cap),
        "cluster",
        name=str,
    ),
)
