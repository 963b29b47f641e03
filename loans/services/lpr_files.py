"""Prime rates from a spreadsheet: CSV or Excel with the columns date, 1Y and 5Y+, and a source if rows differ."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput
from branch.words import listed
from customers.services.record_files import read_table

MOST_ROWS = 5000
#: What a heading may be called → the name a row carries.
HEADINGS = {
    "date": "published_date",
    "published_date": "published_date",
    "日期": "published_date",
    "公布日期": "published_date",
    "one_year": "one_year",
    "lpr_1y": "one_year",
    "lpr_1y_pct": "one_year",
    "1y": "one_year",
    "一年期": "one_year",
    "1年期": "one_year",
    "five_year": "five_year",
    "lpr_5y": "five_year",
    "lpr_5y_plus_pct": "five_year",
    "5y": "five_year",
    "5y+": "five_year",
    "五年期以上": "five_year",
    "5年期以上": "five_year",
    "source": "source",
    "来源": "source",
}


def read_announcements(content: bytes, *, source: str = "") -> list[dict[str, Any]]:
    """The rows of a file, each with `source` where it names none of its own.

    Raises InvalidInput when it can't be read, lacks a heading or has too many rows.
    """
    lines = read_table(content)
    names = [HEADINGS.get(str(cell).strip().lower()) for cell in lines[0]]
    if missing := {"published_date", "one_year", "five_year"} - set(names):
        raise InvalidInput(
            fields={"file": [_("The first line lacks: %(names)s.") % {"names": listed(sorted(missing))}]}
        )
    if len(lines) - 1 > MOST_ROWS:
        raise InvalidInput(fields={"file": [_("At most %(most)d rows.") % {"most": MOST_ROWS}]})
    rows = [{name: cell for name, cell in zip(names, line, strict=False) if name} for line in lines[1:]]
    return [row | {"source": row.get("source") or source} for row in rows]
