"""The calculator: a loan's plan and cost from terms alone, and what becomes of it when things happen to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from branch.domain.refusals import InvalidInput
from branch.queries.business_date import business_date
from branch.web import export
from branch.web.tables import DateColumn, MoneyColumn, NumberColumn
from loans.domain.schedule_change import Change, compare, planned
from loans.forms.calculator import CalculatorForm, EventForm, new_row, put_on_forms, rows_of
from loans.queries import calculator


@dataclass(frozen=True)
class Outcome:
    """What came of the terms and events: the plan as it stands after them, and its change against the one before."""

    rows: list[dict[str, Any]]
    totals: dict[str, Decimal]
    apr_simple: Decimal | None
    apr_irr: Decimal | None
    paid_out: Decimal
    standing: dict[str, Any] | None
    change: Change | None

    @property
    def last_row(self) -> dict[str, Any]:
        return self.rows[-1]

    @property
    def cost_rows(self) -> list[tuple[str, str]]:
        """What the annualised cost was worked out from."""
        return [
            (_("Paid out less fees kept back"), f"{self.paid_out:,.2f}"),
            (_("Interest"), f"{self.totals['interest']:,.2f}"),
            (_("Fees"), f"{self.totals['fees']:,.2f}"),
            (_("Repaid in all"), f"{self.totals['total']:,.2f}"),
        ]


@login_required
@require_safe
def calculator_page(request: HttpRequest) -> HttpResponse:
    """The whole page, or what changed of it while somebody types."""
    form, rows = _read(request)
    outcome = _work_out(form, rows)
    query = _query(request)
    context = {
        "form": form,
        "events": rows,
        "outcome": outcome,
        "chart": _chart(outcome.rows) if outcome else None,
        "export_urls": {kind: f"{reverse('calculator-plan', args=[kind])}?{query}" for kind in ("csv", "xlsx")},
    }
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "loans/calculator.html", context)
    response = render(request, "loans/calculator_changed.html", context)
    response["HX-Replace-Url"] = f"{reverse('calculator')}?{query}"
    if outcome is None:
        # The last figures stay in sight, and say that they are of before.
        response["HX-Reswap"] = "none"
    return response


@login_required
@require_safe
def event_row(request: HttpRequest) -> HttpResponse:
    """One more row for something that happens."""
    return render(request, "loans/calculator_event.html", {"event": new_row(date=business_date().isoformat())})


@login_required
@require_safe
def plan_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The plan as CSV or XLSX. Raises Http404 for another kind, InvalidInput for terms no plan follows from."""
    writer = {"csv": export.as_csv, "xlsx": export.as_xlsx}.get(kind)
    if writer is None:
        raise Http404
    form, rows = _read(request)
    outcome = _work_out(form, rows)
    if outcome is None:
        raise InvalidInput(_("No plan can be made of these terms. Correct them on the calculator first."))
    table = (ServedTable if outcome.change else PlanTable)(outcome.rows)
    return writer(table, "plan")


class PlanTable(tables.Table):
    number = NumberColumn(verbose_name=gettext_lazy("No."))
    due_date = DateColumn(verbose_name=gettext_lazy("Due on"))
    days = NumberColumn(verbose_name=gettext_lazy("Days"))
    principal = MoneyColumn(verbose_name=gettext_lazy("Principal"))
    interest = MoneyColumn(verbose_name=gettext_lazy("Interest"))
    fees = MoneyColumn(verbose_name=gettext_lazy("Fees"))
    total = MoneyColumn(verbose_name=gettext_lazy("Instalment"))
    balance = MoneyColumn(verbose_name=gettext_lazy("Balance after"))


class ServedTable(PlanTable):
    paid = MoneyColumn(verbose_name=gettext_lazy("Paid"))
    outstanding = MoneyColumn(verbose_name=gettext_lazy("Outstanding"))


def _read(request: HttpRequest) -> tuple[CalculatorForm, list[EventForm]]:
    """What stands in the address, over what the form starts with."""
    given = request.GET if "principal" in request.GET else CalculatorForm.starting_with(business_date())
    return CalculatorForm(given), rows_of(request.GET)


def _query(request: HttpRequest) -> str:
    """The address without what is empty but an event's fields, which stand side by side."""
    kept = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name.startswith(f"{EventForm.PREFIX}-") or any(values):
            kept.setlist(name, values)
    return kept.urlencode()


def _work_out(form: CalculatorForm, rows: Sequence[EventForm]) -> Outcome | None:
    """None where anything is wrong; the forms then say what."""
    if not all([form.is_valid(), *(row.is_valid() for row in rows)]):
        return None
    terms, events, as_of = form.terms(), [row.event() for row in rows], form.cleaned_data["as_of"]
    try:
        quote = calculator.quote(terms)
        served = None
        if events or as_of:
            is_punctual = form.cleaned_data["is_punctual"]
            served = calculator.simulate(terms, events, form.servicing(), as_of, is_punctual=is_punctual)
    except InvalidInput as refusal:
        put_on_forms(refusal, form, rows)
        return None
    change = None
    if served and events:
        old, new = ([planned(row) for row in answer["rows"]] for answer in (quote, served))
        change = compare(old, new, max(event["date"] for event in events))
    shown = served or quote
    return Outcome(
        rows=shown["rows"],
        totals=shown["totals"] | {"fees": quote["totals"]["fees"]} if not change else shown["totals"],
        apr_simple=quote["apr_simple"],
        apr_irr=quote["apr_irr"],
        paid_out=terms["principal"] - sum(fee.amount for fee in terms["fees"] if fee.on == "start"),
        standing=served["as_of"] if served else None,
        change=change,
    )


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Principal and interest of every instalment, under the sentence they tell."""
    series = [("principal", _("Principal")), ("interest", _("Interest"))]
    if any(row["fees"] for row in rows):
        series.append(("fees", _("Fees")))
    return {
        "title": _sentence(rows),
        "note": _("Instalments by due day, in yuan"),
        "data": {
            "kind": "stack",
            "x": [row["due_date"].isoformat() for row in rows],
            "series": [{"name": word, "data": [float(row[name]) for row in rows]} for name, word in series],
        },
    }


def _sentence(rows: list[dict[str, Any]]) -> str:
    interest, total = (sum(row[name] for row in rows) for name in ("interest", "total"))
    asking = [row for row in rows if row["total"]]
    if not interest:
        return ngettext("%(count)s instalment, no interest", "%(count)s instalments, no interest", len(rows)) % {
            "count": len(rows)
        }
    if len(asking) < 2:
        return _("Interest is %(share)s of the one payment") % {"share": _share(interest, total)}
    first, last = asking[0], asking[-1]
    return _("Interest is %(first)s of the first instalment and %(last)s of the last") % {
        "first": _share(first["interest"], first["total"]),
        "last": _share(last["interest"], last["total"]),
    }


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:.1%}"
