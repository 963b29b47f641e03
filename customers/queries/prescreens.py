"""What pre-screening goes by: the table in force, what is known of each member, and its reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from customers.domain.prescreen import SHIPPED
from customers.models import ClusterMember, PrescreenModel, PrescreenRun

#: What loans say of customers, by key: "good", "watch" or "bad"; one that is not named has none. An app above fills it.
Standings = Callable[[Sequence[int]], Mapping[int, str]]
STANDINGS: list[Standings] = []
_WORST = ("none", "good", "watch", "bad")

REASON_WORDS: dict[str, Any] = {
    "overdue": _("Overdue with the anchor"),
    "bad_standing": _("Has non-performing or written-off loans here"),
    "watch_standing": _("Is overdue here"),
    "duplicate": _("Another member has the same name"),
    "years_unknown": _("Years with the anchor are not known"),
    "years_too_few": _("Only %(value)s years with the anchor; less than 1"),
    "years_few": _("Only %(value)s years with the anchor; less than 2"),
    "trade_unknown": _("Yearly trade with the anchor is not known"),
    "trade_too_small": _("Trades %(value)s a year with the anchor; less than 100,000"),
    "depends_on_anchor": _("%(percent)s of its sales are with the anchor"),
    "trade_above_sales": _("Trade with the anchor is %(percent)s of its sales: the figures do not fit"),
    "cluster_grade": _("The cluster has grade %(value)s"),
    "amount_too_small": _("Only %(value)s could be lent; less than 10,000"),
    "no_answer": _("The decision table gave no answer"),
}


def model_in_force(on_date: date) -> PrescreenModel | None:
    """The version activated last for a date not after `on_date`; None while the shipped table is in force."""
    return (
        PrescreenModel.objects.filter(state__in=("active", "retired"), active_from_date__lte=on_date)
        .order_by("-active_from_date", "-number")
        .first()
    )


def table_of(model: PrescreenModel | None) -> dict[str, Any]:
    return SHIPPED if model is None else model.values


def reason_words(reasons: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each reason in the reader's language; the code where this version has no word for it."""
    return [_reason_word(str(reason.get("code", "")), reason.get("value")) for reason in reasons]


def _reason_word(code: str, value: Any) -> str:
    word = REASON_WORDS.get(code)
    if word is None:
        return code if value is None else f"{code}: {value}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    told = {"value": f"{value:,.15g}" if is_number else value, "percent": f"{value:.0%}" if is_number else value}
    return str(word) % told


def facts_of(members: Sequence[ClusterMember], run: PrescreenRun) -> dict[int, dict[str, Any]]:
    """What the table is asked with, by member. The number of queries does not depend on how many there are."""
    twice = _names_twice(run.cluster_id, members)
    standings = standings_of([member.customer_id for member in members if member.customer_id])
    return {
        member.pk: {
            "role": member.role,
            "years_with_anchor": _number(member.years_with_anchor),
            "annual_trade": _number(member.annual_trade),
            "annual_sales": _number(member.annual_sales),
            "trade_share": _share(member.annual_trade, member.annual_sales),
            "employees": member.employees,
            "has_overdue": member.has_overdue,
            "is_duplicate": member.name_key in twice,
            "standing": standings.get(member.customer_id or 0, "none"),
            "cluster_grade": run.grade,
            "has_documents": member.financeable_amount is not None,
            "financeable_amount": float(member.financeable_amount or 0),
            "member_cap": float(run.member_cap),
        }
        for member in members
    }


def _names_twice(cluster_id: int, members: Sequence[ClusterMember]) -> set[str]:
    rows = ClusterMember.objects.filter(
        cluster_id=cluster_id, left_on=None, name_key__in={member.name_key for member in members}
    )
    return set(rows.values("name_key").annotate(n=Count("pk")).filter(n__gt=1).values_list("name_key", flat=True))


def standings_of(customer_ids: Sequence[int]) -> dict[int, str]:
    """The worst that any app above says of each customer; "good" for one nobody says anything of."""
    found = dict.fromkeys(customer_ids, "good")
    for standings in STANDINGS if customer_ids else ():
        for customer_id, word in standings(customer_ids).items():
            found[customer_id] = max(found[customer_id], word, key=_WORST.index)
    return found


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _share(part: Decimal | None, whole: Decimal | None) -> float | None:
    return round(float(part / whole), 4) if part is not None and whole else None
