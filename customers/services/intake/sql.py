"""Expressions that read staged text. Each gives NULL for what is no such value, and never raises."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.conf import settings

#: Blanks that stand around values: ours, and those of a Chinese keyboard or a web page.
BLANKS = " \t\r\n\u3000\u00a0\u2002\u2003\u2009\u200b\u202f\ufeff"
_WIDE = "０１２３４５６７８９．－＋"
_NARROW = "0123456789.-+"
_DROPPED = ",，¥￥ 　"
#: Stands for no value in what is copied: no cell is it.
NULL = "\\N"
#: More than any amount: what is beyond is a mistake, or not a number at all.
MOST = "100000000000000"
#: What binary fractions leave behind: 113.00000000000001 is the 113 that was meant.
DUST = "0.0000001"


def trimmed(column: str) -> str:
    """A staged text without blanks around it."""
    return f"CASE WHEN raw = '' THEN {column} ELSE btrim({column}, '{BLANKS}') END"


def month(column: str) -> str:
    """The first day of a date's month. By way of a timestamp without zone, which needs no look at the zone's rules."""
    return f"date_trunc('month', ({column})::timestamp)::date"


def number(text: str) -> str:
    """A number; thousands may be separated, digits may be wide."""
    plain = f"translate({text}, '{_WIDE}{_DROPPED}', '{_NARROW}')"
    return (
        f"CASE WHEN pg_input_is_valid({text}, 'numeric') THEN {text}::numeric "
        f"WHEN pg_input_is_valid({plain}, 'numeric') THEN {plain}::numeric END"
    )


def within(value: str, places: int = 2) -> str:
    """The number where it is finite, not too large, and has at most `places` decimal places, but for binary dust."""
    return (
        f"CASE WHEN {value} > -{MOST} AND {value} < {MOST} "
        f"THEN CASE WHEN scale({value}) <= {places} THEN {value} "
        f"WHEN abs({value} - round({value}, {places})) < {DUST} THEN round({value}, {places}) END END"
    )


def day(text: str) -> str:
    """A date written 2026-03-02, 2026/3/2, 2026.3.2, 20260302 or 2026年3月2日, with or without a time of day.

    A year below 1000 is a slip; the months before the year 1 are more than what reads the dates can bear.
    """
    plain = f"translate(split_part(split_part({text}, ' ', 1), 'T', 1), '/.年月日', '----')"
    is_plain = f"({plain} ~ '^[1-9]\\d{{3}}-\\d{{1,2}}-\\d{{1,2}}$' OR {plain} ~ '^[1-9]\\d{{7}}$')"
    return (
        f"CASE WHEN length({text}) = 10 AND substr({text}, 5, 1) = '-' AND substr({text}, 8, 1) = '-' "
        f"AND substr({text}, 1, 1) <> '0' AND pg_input_is_valid({text}, 'date') THEN {text}::date "
        f"WHEN {is_plain} AND pg_input_is_valid({plain}, 'date') THEN {plain}::date END"
    )


def month_of(text: str) -> str:
    """The first of the month written 2026-03, 2026/3, 202603, 2026年3月, or any date in it."""
    plain = f"translate({text}, '/.年月', '---')"
    whole = f"rtrim({plain}, '-') || '-01'"
    return (
        f"CASE WHEN {plain} ~ '^[1-9]\\d{{3}}-\\d{{1,2}}-?$' AND pg_input_is_valid({whole}, 'date') "
        f"THEN ({whole})::date "
        f"WHEN {text} ~ '^[1-9]\\d{{5}}$' AND pg_input_is_valid({text} || '01', 'date') THEN ({text} || '01')::date "
        f"ELSE {month(day(text))} END"
    )


def banks_time(text: str) -> str:
    """The text, but a time told with its zone (2026-03-01T23:30:00Z) as it is on the bank's clock."""
    # A year of more than four digits may be one that no clock of ours can be put to.
    zoned = f"{text} ~* '^[1-9]\\d{{3}}(\\d{{4}})?\\D.*\\d:\\d\\d(:\\d\\d(\\.\\d+)?)? ?(z|[+-]\\d\\d(:?\\d\\d)?)$'"
    local = f"({text})::timestamptz AT TIME ZONE '{settings.TIME_ZONE}'"
    return (
        f"CASE WHEN {zoned} AND pg_input_is_valid({text}, 'timestamptz') "
        f"THEN to_char({local}, 'YYYY-MM-DD HH24:MI:SS.US') ELSE {text} END"
    )


def time_of(text: str) -> str:
    """The time of day behind a date, by a blank or a T; 24:00 is the last moment of the day."""
    clock = f"split_part(translate({text}, 'T', ' '), ' ', 2)"
    # "now" is a time to PostgreSQL, and another one each time it is asked.
    return (
        f"CASE WHEN {clock} ~ '^\\d' AND pg_input_is_valid({clock}, 'time') "
        f"THEN least({clock}::time, '23:59:59.999999') END"
    )


def one_of(text: str, words: dict[str, tuple[str, ...]]) -> str:
    """The code whose words the text is among; the words are this program's own."""

    def whens(value: str) -> str:
        return " ".join(
            f"WHEN {value} IN ({', '.join(repr(word) for word in known)}) THEN '{code}'"
            for code, known in words.items()
        )

    # Folding case takes longer than all the rest, and hardly any file needs it.
    return f"CASE {whens(text)} {whens(f'lower({text})')} END"


def counter_of(cursor: Any) -> Counter[str]:
    names = [column.name for column in cursor.description]
    return Counter(dict(zip(names, map(int, cursor.fetchone()), strict=True)))


def fill(cursor: Any, table: str, columns: str, rows: Iterable[Iterable[Any]]) -> None:
    """Make a temporary table of these columns and copy rows into it; None is NULL."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([NULL if value is None else value for value in row] for row in rows)
    text.seek(0)
    cursor.execute(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP")
    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, NULL '{NULL}')", text)
