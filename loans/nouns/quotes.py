"""A quote as the page shows it: the rate in parts, the cost of a year, the plan as bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from loans.domain.product_terms import ProductTerms
from loans.queries.terms_words import fees_word, rate_word

Text = Any  # a str or a lazy translation

COMPONENTS: dict[str, Text] = {
    "product_margin": _("Product margin"),
    "grade_margin": _("Risk grade"),
    "guarantee_discount": _("Guarantee discount"),
    "repeat_customer": _("Repeat customer"),
    "cluster_concession": _("Cluster concession"),
    "floor": _("Raised to the floor"),
    "cap": _("Lowered to the cap"),
}
LPR_TERMS: dict[str, Text] = {"1y": _("LPR, one year"), "5y_plus": _("LPR, over five years")}
#: More bars than this can't be told apart; instalments are then drawn together.
MOST_BARS = 60


@dataclass(frozen=True)
class Part:
    """A component of the rate; `start` and `width` place its bar in percent about a common zero."""

    label: Text
    bp: Decimal
    source: str
    start: Decimal
    width: Decimal


@dataclass(frozen=True)
class Bar:
    """One or more instalments: principal below, interest on top, in percent of the drawing."""

    x: Decimal
    width: Decimal
    principal: Decimal
    interest: Decimal

    @property
    def principal_top(self) -> Decimal:
        return 100 - self.principal

    @property
    def interest_top(self) -> Decimal:
        return 100 - self.principal - self.interest


@dataclass(frozen=True)
class QuoteView:
    annual_rate: Decimal
    apr_simple: Decimal
    apr_irr: Decimal
    first_instalment: Decimal
    interest_total: Decimal
    fees_total: Decimal
    total: Decimal
    start_date: date
    maturity_date: date
    instalment_count: int
    floor: Decimal
    cap: Decimal
    grade: str
    lpr_label: Text
    lpr_rate: Decimal
    lpr_date: date
    lpr_source: str
    start_fees: Decimal
    paid_out: Decimal | None
    fees_word: str
    rate_word: str
    repricing_dates: tuple[date, ...]
    zero: Decimal
    parts: tuple[Part, ...]
    bars: tuple[Bar, ...]
    rows: list[dict[str, Any]]

    @property
    def cost_rows(self) -> list[tuple[Text, str]]:
        """The cost of a year by both methods, with what it was worked out from."""
        return [
            (_("Simple: periodic rate × periods a year"), f"{self.apr_simple * 100:.2f}%"),
            (_("Compounded over the year"), f"{self.apr_irr * 100:.2f}%"),
            (_("Paid out"), f"{self.paid_out:,.2f}" if self.paid_out is not None else "—"),
            (_("Fees"), f"{self.fees_total:,.2f}"),
            (_("Interest"), f"{self.interest_total:,.2f}"),
            (_("Repaid in all"), f"{self.total:,.2f}"),
        ]


def quote_view(quote: dict[str, Any]) -> QuoteView | None:
    """None for a file that has no price yet."""
    if not quote:
        return None
    components = [(part["code"], Decimal(part["bp"]), part["source"]) for part in quote["components"]]
    low = min([Decimal(0), *(bp for _code, bp, _source in components)])
    high = max([Decimal(1), *(bp for _code, bp, _source in components)])
    zero = _share(-low, high - low)
    parts = tuple(
        Part(
            COMPONENTS.get(code, code),
            bp,
            source,
            zero if bp >= 0 else _share(bp - low, high - low),
            _share(abs(bp), high - low),
        )
        for code, bp, source in components
    )
    amounts = ("annual_rate", "apr_simple", "apr_irr", "first_instalment", "interest_total", "fees_total", "total")
    lpr, terms = quote["lpr"], ProductTerms.from_json(quote.get("terms", {}))
    return QuoteView(
        **{name: Decimal(quote[name]) for name in (*amounts, "floor", "cap")},
        start_date=date.fromisoformat(quote["start_date"]),
        maturity_date=date.fromisoformat(quote["maturity_date"]),
        instalment_count=quote["instalment_count"],
        grade=quote["grade"],
        lpr_label=LPR_TERMS[lpr["term"]],
        lpr_rate=Decimal(lpr["rate"]),
        lpr_date=date.fromisoformat(lpr["published_date"]),
        lpr_source=lpr.get("source", ""),
        start_fees=Decimal(quote.get("start_fees", 0)),
        paid_out=Decimal(quote["paid_out"]) if "paid_out" in quote else None,
        fees_word=fees_word(terms.fees),
        rate_word=rate_word(terms),
        repricing_dates=tuple(map(date.fromisoformat, quote.get("repricing_dates", []))),
        zero=zero,
        parts=parts,
        bars=_bars(quote.get("rows", [])),
        rows=quote.get("rows", []),
    )


def _bars(rows: list[dict[str, Any]]) -> tuple[Bar, ...]:
    if not rows:
        return ()
    step = -(-len(rows) // MOST_BARS)
    groups = [rows[i : i + step] for i in range(0, len(rows), step)]
    sums = [[sum(Decimal(row[kind]) for row in group) for kind in ("principal", "interest")] for group in groups]
    highest = max(principal + interest for principal, interest in sums)
    pitch = Decimal(100) / len(sums)
    return tuple(
        Bar(
            round(number * pitch, 3),
            round(pitch * Decimal("0.8"), 3),
            _share(principal, highest),
            _share(interest, highest),
        )
        for number, (principal, interest) in enumerate(sums)
    )


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    return round(Decimal(part) * 100 / Decimal(whole), 3) if whole else Decimal(0)
