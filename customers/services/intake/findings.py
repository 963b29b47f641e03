"""The row-by-row report: what was rejected, flagged or noted, written set-based from the checked rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: A staged row `s` as it was sent, but for columns nobody asked for: what is in them is not ours to keep.
RAW = (
    "(SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(s) - '{line,problem,raw}'::text[]) "
    "WHERE key NOT LIKE 'unused\\_%%')"
)


@dataclass(frozen=True)
class Check:
    """A fault: `found` is SQL over the checked row `c`; `field` is the column it lies in."""

    code: str
    field: str
    found: str
    weight: str = "rejected"


def any_of(checks: Sequence[Check]) -> str:
    return "(" + " OR ".join(f"({check.found})" for check in checks if check.weight == "rejected") + ")"


def write_findings(cursor: Any, import_id: int, checks: Sequence[Check]) -> None:
    """From `checked` c (line, problem, is_rejected, is_notable and what the checks look at) and `staged` s."""
    rows = ", ".join(f"('{c.code}', '{c.field}', '{c.weight}', {c.found})" for c in checks)
    cursor.execute(
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %s, s.line, f.field, f.weight, f.code, {RAW}
        FROM checked c JOIN staged s ON s.line = c.line AND s.problem = ''
        CROSS JOIN LATERAL (VALUES {rows}) f (code, field, weight, found)
        WHERE c.is_notable AND f.found AND (f.weight = 'rejected') = c.is_rejected
        UNION ALL
        SELECT %s, s.line, '', 'rejected', s.problem, jsonb_build_object('row', s.raw)
        FROM staged s WHERE s.problem <> ''
        """,
        [import_id, import_id],
    )


def note_open_end(cursor: Any, import_id: int) -> None:
    """The file's last line has no end: where it has all its cells, the last of them may still be cut."""
    cursor.execute(
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %s, s.line, '', 'noted', 'cut', {RAW} FROM staged s
        WHERE s.line = (SELECT max(line) FROM staged) AND s.problem = ''
        """,
        [import_id],
    )


def note_other_sheets(cursor: Any, import_id: int) -> None:
    """The workbook has more sheets with these headings than the one that is taken in."""
    cursor.execute(
        """
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %s, min(s.line), '', 'flagged', 'other_sheets', '{}'::jsonb FROM staged s
        """,
        [import_id],
    )
