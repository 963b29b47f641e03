"""Pages of the books that are no noun's: a loan's statement on screen and as a file, a day's file for the GL."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.middleware import actor_of
from branch.queries.visibility import visible
from loans.models import LedgerDay
from loans.nouns.loans import LOAN_NOUN
from loans.queries.statements import Statement, find_statement
from loans.queries.visibility_lending import LEDGER_READERS, LOAN_READERS
from loans.services.ledger_days import kept_gl_file
from loans.services.statements import cells, facts, headings, render_statement, statement_workbook, totals

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_date(text: str, field: str) -> date | None:
    """An ISO date, or none where nothing was given. Raises InvalidInput."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(fields={field: [_("Enter a date such as 2026-03-02.")]}) from None


def asked_statement(actor: Actor, pk: int, query: Any) -> Statement:
    """The statement an address asks for with `start` and `end`. Raises PermissionRefused, NotFound, InvalidInput."""
    if not actor.roles & LOAN_READERS:
        raise PermissionRefused(_("This is not open to your role."))
    start, end = (read_date(query.get(name, "").strip(), name) for name in ("start", "end"))
    return find_statement(actor, pk, start, end)


def as_file(statement: Statement, form: str) -> HttpResponse:
    """PDF or XLSX. Raises Http404 for anything else."""
    makers = {"pdf": (render_statement, "application/pdf"), "xlsx": (statement_workbook, XLSX)}
    if form not in makers:
        raise Http404
    make, media_type = makers[form]
    response = HttpResponse(make(statement), content_type=media_type)
    name = f"{statement.loan.number}-{statement.end.isoformat()}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_safe
def statement_page(request: HttpRequest, pk: int) -> HttpResponse:
    found = asked_statement(actor_of(request), pk, request.GET)
    context = {
        "noun": LOAN_NOUN,
        "loan": found.loan,
        "statement": found,
        "headings": headings(),
        "rows": [(line.entry, cells(line)) for line in found.lines],
        "totals": totals(found),
        "facts": facts(found),
        "query": f"start={found.start}&end={found.end}",
        "opens_entries": bool(actor_of(request).roles & LEDGER_READERS),
    }
    return render(request, "loans/statement.html", context)


@login_required
@require_safe
def statement_file(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    return as_file(asked_statement(actor_of(request), pk, request.GET), form)


def gl_file(actor: Actor, pk: int) -> HttpResponse:
    """The day's file. Raises PermissionRefused, NotFound, Unmet where the postings are not what they were."""
    if not actor.roles & LEDGER_READERS:
        raise PermissionRefused(_("This is not open to your role."))
    day = visible(LedgerDay, actor).filter(pk=pk).first()
    if day is None:
        raise NotFound(_("There is no such record."))
    response = HttpResponse(kept_gl_file(day).content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="gl-{day.date.isoformat()}.csv"'
    response["ETag"] = f'"{day.digest}"'
    return response


@login_required
@require_safe
def gl_file_page(request: HttpRequest, pk: int) -> HttpResponse:
    return gl_file(actor_of(request), pk)
