"""What lending knows of how long a customer's data must stay, and what of it is still open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.domain.retention import Obstacle
from customers.models import Customer
from customers.queries.relations import JOINING, UPWARDS, live_relations
from customers.queries.retention import OBSTACLE_SHORT, OBSTACLE_WORDS, Ids, facts_source, numbered, obstacle_source
from loans.domain.machines import APPLICATION
from loans.models import Application, Contract, Drawdown, Facility, Loan
from loans.queries.exposure import MAY_DRAW, OWED

OVER = ("declined", "withdrawn", "expired", "contracted")
NOT_CLOSED = (*MAY_DRAW, "matured")
RUNNING = tuple(state for state in APPLICATION.states if state not in OVER)
#: Standing behind somebody else's loan: who guarantees, owns, controls or represents the borrower.
BEHIND = tuple(sorted({*JOINING, *UPWARDS}))

OBSTACLE_SHORT.update(
    {
        "running_application": _("application"),
        "open_contract": _("contract"),
        "open_line": _("facility"),
        "open_drawdown": _("drawdown"),
        "open_loan": _("loan"),
        "behind_a_loan": _("stands behind another borrower"),
    }
)

OBSTACLE_WORDS.update(
    {
        "running_application": _("Applications still running: %(numbers)s."),
        "open_contract": _("Contracts not signed yet, or signed with nothing paid out on them: %(numbers)s."),
        "open_line": _("Lines that may be drawn or are not closed yet: %(numbers)s."),
        "open_drawdown": _("Drawdowns on their way: %(numbers)s."),
        "open_loan": _("Loans not paid back: %(numbers)s."),
        "behind_a_loan": _(
            "It stands behind other borrowers with open business, as guarantor, owner or representative: %(count)s."
        ),
    }
)


@facts_source
def dealings(ids: Ids) -> Mapping[int, Mapping[str, Any]]:
    """Whether they borrowed, when the last dealing ended, and when the last application that came to nothing did."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.id, c.signed IS NOT NULL OR l.any_loan IS NOT NULL,
                CASE WHEN NOT coalesce(l.is_open, false) AND NOT coalesce(f.is_open, false)
                THEN greatest(c.signed, l.settled, l.matured, f.matured, r.paid, t.booked) END, a.ended
            FROM unnest(%s::bigint[]) AS o(id)
            LEFT JOIN LATERAL (
                SELECT max(signed_date) AS signed FROM loans_contract WHERE customer_id = o.id AND state <> 'void'
            ) c ON true
            LEFT JOIN LATERAL (
                SELECT max(id) AS any_loan, max(settled_date) AS settled,
                    max(maturity_date) FILTER (WHERE settled_date IS NULL) AS matured,
                    bool_or(state = ANY(%s)) AS is_open
                FROM loans_loan WHERE customer_id = o.id
            ) l ON true
            LEFT JOIN LATERAL (
                SELECT max(maturity_date) FILTER (WHERE state = 'closed') AS matured,
                    bool_or(state = ANY(%s)) AS is_open
                FROM loans_facility WHERE customer_id = o.id
            ) f ON true
            LEFT JOIN LATERAL (
                SELECT max(p.value_date) AS paid FROM loans_repayment p JOIN loans_loan n ON n.id = p.loan_id
                WHERE n.customer_id = o.id
            ) r ON true
            LEFT JOIN LATERAL (
                SELECT max(p.booked_date) AS booked FROM loans_loantransaction p JOIN loans_loan n ON n.id = p.loan_id
                WHERE n.customer_id = o.id
            ) t ON true
            LEFT JOIN LATERAL (
                SELECT max(greatest(x.created_at::date, x.offer_expires_date)) AS ended FROM loans_application x
                WHERE x.customer_id = o.id AND x.state = ANY(%s)
            ) a ON true
            """,
            [list(ids), list(OWED), list(NOT_CLOSED), list(OVER)],
        )
        rows = cursor.fetchall()
    return {
        pk: {"has_borrowed": borrowed, "dealings_ended_on": ended, "application_ended_on": applied}
        for pk, borrowed, ended, applied in rows
    }


def _open(ids: Ids) -> tuple[tuple[str, QuerySet, str], ...]:
    """What is open of these customers: the obstacle, the rows, and where their number stands."""
    return (
        ("running_application", Application.objects.filter(state__in=RUNNING), "number"),
        (
            "open_contract",
            Contract.objects.filter(Q(state="generated") | Q(state="signed", facility=None)),
            "number",
        ),
        ("open_line", Facility.objects.filter(state__in=NOT_CLOSED), "contract__number"),
        ("open_drawdown", Drawdown.objects.exclude(state__in=("disbursed", "refused", "cancelled")), "number"),
        ("open_loan", Loan.objects.filter(state__in=OWED), "number"),
    )


@obstacle_source
def open_business(ids: Ids) -> Iterable[tuple[int, Obstacle]]:
    """What runs, may be drawn or is owed, each with the numbers it is under."""
    for code, rows, number in _open(ids):
        yield from numbered(code, rows.filter(customer__in=ids).order_by("pk").values_list("customer_id", number))


@obstacle_source
def behind_others(ids: Ids) -> Iterable[tuple[int, Obstacle]]:
    """Who guarantees, owns or represents another borrower whose business is open. Whose it is stays unsaid."""
    links = live_relations().filter(kind__in=BEHIND, from_party__customer__in=ids)
    ends = links.exclude(to_party__customer=None).values_list("from_party__customer_id", "to_party__customer_id")
    pairs = {(one, other) for one, other in ends if one != other}
    busy = with_open_business({other for _one, other in pairs})
    others: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        if other in busy:
            others[one].add(other)
    return [(one, Obstacle("behind_a_loan", {"count": len(found)})) for one, found in sorted(others.items())]


def with_open_business(ids: Ids) -> set[int]:
    """Those of the customers with anything running, drawable or owed; one query."""
    found = Customer.objects.none().values_list("pk")
    parts = [rows.filter(customer__in=list(ids)).order_by().values_list("customer_id") for _c, rows, _n in _open(ids)]
    return {pk for (pk,) in found.union(*parts)} if ids else set()
