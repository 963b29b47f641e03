"""The table of prime rates: announcements come in one by one or as a file, once each, and are never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.services.events import record
from branch.services.use_case import use_case
from loans.models import LprRate

KEEPERS = frozenset({Role.PRODUCT_MANAGER, Role.POLICY_MANAGER, Role.SYSTEM})


@dataclass(frozen=True)
class RowReport:
    """What became of one row: added, unchanged (it was on file), or refused with the reason."""

    row: int
    published_date: str
    one_year: str
    five_year: str
    outcome: str
    reason: str = ""


@use_case("import_lpr")
def import_lpr(*, actor: Actor, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add announcements `{"published_date", "one_year", "five_year", "source"}`, rates in percent as published.

    Sending one again changes nothing. A bad row, or one that contradicts the announcement on file, is refused and
    the others are added. Answers `{"added", "unchanged", "refused", "rows": [one report per row]}`.
    """
    if not actor.holds_bank_wide(KEEPERS):
        raise PermissionRefused(_("Your role does not allow this here."))
    reports = [_take_in(actor, number, row) for number, row in enumerate(rows, start=1)]
    counts = {
        outcome: sum(report.outcome == outcome for report in reports) for outcome in ("added", "unchanged", "refused")
    }
    return {**counts, "rows": [asdict(report) for report in reports]}


def record_lpr(*, actor: Actor, **row: Any) -> dict[str, Any]:
    """Record one announcement. Raises InvalidInput for one that is no announcement or contradicts the one on file."""
    answer = import_lpr(actor=actor, rows=[row])
    if answer["refused"]:
        raise InvalidInput(fields={"published_date": [answer["rows"][0]["reason"]]})
    return answer


def _take_in(actor: Actor, number: int, row: Mapping[str, Any]) -> RowReport:
    day, one_year, five_year = (
        str(row.get(name) or "").strip()[:40] for name in ("published_date", "one_year", "five_year")
    )

    def report(outcome: str, reason: str = "") -> RowReport:
        return RowReport(number, day, one_year, five_year, outcome, reason)

    try:
        rate = _announcement(row)
    except ValueError as refused:
        return report("refused", str(refused))
    present = LprRate.objects.filter(pk=rate.published_date).first()
    if present is None:
        rate.save(force_insert=True)
        record("lpr_rate.import", rate, actor=actor, before={})
        return report("added")
    if (present.one_year, present.five_year) == (rate.one_year, rate.five_year):
        return report("unchanged")
    return report("refused", _("Another announcement is on file for this day."))


def _announcement(row: Mapping[str, Any]) -> LprRate:
    """Raises ValueError with a text for people."""
    day = _day(row.get("published_date"))
    one_year, five_year = _percentage(row.get("one_year")), _percentage(row.get("five_year"))
    source = str(row.get("source") or "").strip()
    if one_year is None:
        raise ValueError(_("A one-year rate is needed."))
    if not 0 < len(source) <= 120:
        raise ValueError(_("Say where the announcement is from, in at most 120 characters."))
    return LprRate(published_date=day, one_year=one_year, five_year=five_year, source=source)


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value or "").strip())
    except ValueError as error:
        raise ValueError(_("A date such as 2025-05-20 is needed.")) from error


def _percentage(value: Any) -> Decimal | None:
    if value is None or not str(value).strip():
        return None
    try:
        rate = Decimal(str(value).strip().removesuffix("%"))
    except ArithmeticError as error:
        raise ValueError(_("Rates are percentages with at most two decimal places.")) from error
    # Anything below a tenth of a percent is a fraction sent where a percentage belongs.
    if not rate.is_finite() or not Decimal("0.1") <= rate < 100 or rate != round(rate, 2):
        raise ValueError(_("Rates are percentages with at most two decimal places."))
    return rate
