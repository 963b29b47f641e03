"""Icons, and where the marks of small figures stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from desk.domain import figures
from desk.ui.values import decimal, percent


@cache
def _drawing(name: str, style: str) -> str:
    """The paths of a Tabler icon. Raises ValueError for a name the package does not have."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"{name!r} is no icon name")
    found = finders.find(f"vendor/tabler-icons/{style}/{name}.svg")
    if found is None:
        raise ValueError(f"there is no {style} icon {name}")
    svg = Path(str(found)).read_text(encoding="utf-8")
    return svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")].strip()


def icon(name: str, css: str = "", style: str = "outline") -> SafeString:
    """A Tabler icon, drawn in the text's colour; it says nothing to screen readers, so a word goes with it."""
    paint = 'fill="currentColor"' if style == "filled" else 'fill="none" stroke="currentColor"'
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" {} aria-hidden="true" focusable="false">{}</svg>',
        css,
        mark_safe(paint),
        mark_safe(_drawing(name, style)),
    )


def deviation(stated: Any, checked: Any, green: Any, amber: Any) -> figures.DeviationBar | None:
    """Geometry of a deviation bar; None where one of the figures is missing."""
    values = [decimal(value) for value in (stated, checked, green, amber)]
    return None if None in values else figures.deviation_bar(*values)  # type: ignore[arg-type]


def share(used: Any, limit: Any) -> figures.Share:
    return figures.share_of_limit(decimal(used) or Decimal(0), decimal(limit) or Decimal(0))


def waterfall(base: Any, steps: Any) -> figures.Waterfall:
    """`steps` is a list of (label, amount)."""
    return figures.waterfall(Decimal(str(base)), [(label, Decimal(str(amount))) for label, amount in steps])


@dataclass(frozen=True)
class PricePart:
    label: Any
    text: str
    band: figures.Band
    css: str


def price_parts(parts: Any) -> list[PricePart]:
    """The pieces of a rate: `parts` is a list of (label, yearly fraction), discounts negative."""
    rates = [Decimal(str(rate)) for _label, rate in parts]
    pieces = []
    for index, ((label, _rate), rate, band) in enumerate(zip(parts, rates, figures.parts_of_whole(rates), strict=True)):
        text = percent(rate) if index == 0 or rate < 0 else f"+{percent(rate)}"
        pieces.append(PricePart(label, text, band, "part-takes" if rate < 0 else f"part-{index % 3}"))
    return pieces


def sparkline(values: Any) -> str:
    return figures.sparkline([Decimal(str(value)) for value in values])


TAGS = (
    icon,
    deviation,
    share,
    waterfall,
    price_parts,
    sparkline,
)
