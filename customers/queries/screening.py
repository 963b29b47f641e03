"""Comparing customers and leads with the watchlists, in one statement for one of them or for thousands."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from branch.models import Event
from branch.queries.parameters import parameter
from customers.domain.names import NameKeys, likeness_of
from customers.domain.screening import PIECES_FROM
from customers.models import Customer, Lead, ScreeningHit, Watchlist
from customers.queries.merges import files_of

Match, Side = ScreeningHit.Match, ScreeningHit.Side
#: States in which a hit stops a file.
STOPPING = ("open", "proposed", "confirmed")
OPEN = ("open", "proposed")
#: Candidates brought from the database at once.
ROWS_AT_ONCE = 5000

_FIND = """
WITH subject AS MATERIALIZED (
    SELECT s.id, s.name_key, s.name_core, s.name_spelling, s.contact_key, s.contact_spelling,
           coalesce(s.uscc, '') AS uscc, s.identity_digest
    FROM {table} s WHERE {which}
), called AS MATERIALIZED (
    -- Where a firm is called like its person, it is the person's name.
    SELECT id, 'firm' AS side, name_key AS key, name_core AS core, name_spelling AS spelling, uscc,
           '' AS identity_digest
    FROM subject WHERE name_key <> contact_key AND name_core <> ''
    UNION ALL
    SELECT id, 'person', contact_key, contact_key, contact_spelling, '', identity_digest
    FROM subject WHERE contact_key <> ''
), reach AS MATERIALIZED (
    -- What a name of some length can be alike to, by the other's length (customers.domain.screening).
    SELECT n.length, o.length AS other, n.length + o.length - 2 * c.common AS apart,
           2 * n.length + o.length - 3 * c.common + 1 AS pieces
    FROM (SELECT DISTINCT char_length(core) AS length FROM called) n
    CROSS JOIN LATERAL generate_series({long}, 2 * n.length) o (length)
    CROSS JOIN LATERAL (SELECT (%(score)s * (n.length + o.length) + 199) / 200 AS common) c
    WHERE n.length >= {long} AND c.common <= least(n.length, o.length) AND 2 * c.common < n.length + o.length
), paired AS (
    SELECT c.id, c.side, char_length(c.core) AS length, p.position, substr(c.core, p.position, 2) AS piece
    FROM called c CROSS JOIN LATERAL generate_series(1, char_length(c.core) - 1) p (position)
    WHERE char_length(c.core) >= {long}
), rarest AS (
    SELECT p.*, row_number() OVER (PARTITION BY p.id, p.side ORDER BY coalesce(h.holders, 0), p.position) AS rank
    FROM paired p LEFT JOIN (
        SELECT piece, count(*) AS holders FROM customers_watchlistpiece
        WHERE piece IN (SELECT piece FROM paired) GROUP BY piece
    ) h USING (piece)
), nearly AS (
    SELECT DISTINCT p.id, p.side, w.entry_id, r.apart
    FROM rarest p JOIN reach r ON r.length = p.length AND p.rank <= r.pieces
    JOIN customers_watchlistpiece w ON w.piece = p.piece AND w.length = r.other
         AND w.position BETWEEN p.position - r.apart AND p.position + r.apart {fresh_pieces}
)
SELECT s.id, e.id, 'identity', 'person', s.contact_key, '', '', e.name_key, '', '', '', e.identity_digest
FROM subject s JOIN customers_watchlistentry e ON e.identity_digest = s.identity_digest AND e.identity_digest <> ''
WHERE e.ended_at IS NULL AND e.watchlist_id = ANY(%(lists)s) {fresh}
UNION ALL
SELECT s.id, e.id, 'uscc', 'firm', s.name_key, '', '', e.name_key, '', '', e.uscc, ''
FROM subject s JOIN customers_watchlistentry e ON e.uscc = s.uscc AND e.uscc <> ''
WHERE e.ended_at IS NULL AND e.watchlist_id = ANY(%(lists)s) {fresh}
UNION ALL
SELECT c.id, e.id, 'name', c.side, c.key, c.core, c.spelling, e.name_key, e.core_key, e.spelling,
       CASE WHEN e.uscc <> c.uscc AND c.uscc <> '' THEN e.uscc ELSE '' END, ''
FROM called c JOIN customers_watchlistentry e ON e.spelling = c.spelling AND e.spelling <> ''
WHERE e.ended_at IS NULL AND e.watchlist_id = ANY(%(lists)s) {fresh}
  AND (char_length(c.core) >= {long} AND char_length(e.core_key) >= {long} OR left(e.core_key, 1) = left(c.core, 1)
       OR c.key ~ '^[ -~]+$' OR e.name_key ~ '^[ -~]+$')
  AND NOT (e.identity_digest <> c.identity_digest AND e.identity_digest <> '' AND c.identity_digest <> '')
UNION ALL
SELECT c.id, e.id, 'name', c.side, c.key, c.core, c.spelling, e.name_key, e.core_key, e.spelling,
       CASE WHEN e.uscc <> c.uscc AND c.uscc <> '' THEN e.uscc ELSE '' END, ''
FROM nearly n JOIN called c ON c.id = n.id AND c.side = n.side JOIN customers_watchlistentry e ON e.id = n.entry_id
WHERE e.ended_at IS NULL AND e.watchlist_id = ANY(%(lists)s) AND e.spelling <> c.spelling
  -- Characters not in common, in order: what the likeness is worked out from, only that it is done here for most.
  AND levenshtein_less_equal(c.core, e.core_key, 1, 1, 2, n.apart) <= n.apart
  AND NOT (e.identity_digest <> c.identity_digest AND e.identity_digest <> '' AND c.identity_digest <> '')
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A subject that looks like an entry. `compared` is a digest of what was alike, on both sides."""

    subject_id: int
    entry_id: int
    match: str
    side: str
    score: int
    compared: str


def find(
    model: type[Customer] | type[Lead],
    which: str,
    values: dict[str, Any],
    *,
    lowest: int,
    run_id: int | None = None,
) -> list[Found]:
    """Who of `model` is like an entry in force, the best match of each pair; `which` is SQL over the subject `s`.

    With `run_id` only entries new to that comparison of the whole book. Names that differ from the entry's are hits
    from the score `lowest` on. Somebody with another identity number than the entry is somebody else whatever the
    name, as is a firm of another USCC unless the names are the same.
    """
    fresh = "" if run_id is None else "AND e.screening_run_id = %(run)s"
    pieces = "" if run_id is None else (
        "AND w.entry_id IN (SELECT id FROM customers_watchlistentry e WHERE e.screening_run_id = %(run)s)"
    )  # fmt: skip
    statement = _FIND.format(
        table=model._meta.db_table,
        which=which,
        fresh=fresh,
        fresh_pieces=pieces,
        long=PIECES_FROM,
    )
    lists = list(Watchlist.objects.filter(is_active=True).values_list("pk", flat=True))
    if not lists:
        return []
    parameters = values | {"lists": lists, "run": run_id, "score": lowest}
    best: dict[tuple[int, int], Found] = {}
    with connection.cursor() as cursor:
        # The planner doesn't know how few rows hold a piece, and would read the whole lists.
        cursor.execute("SELECT set_config('jit', 'off', true), set_config('work_mem', '96MB', true)")
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                found = _judged(row, lowest)
                if found is not None:
                    _keep_better(best, found)
    return list(best.values())


def _judged(row: Sequence[Any], lowest: int) -> Found | None:
    subject_id, entry_id, how, side, key, core, spelling, name_key, core_key, entry_spelling, uscc, digest = row
    score = 100.0
    if how == Match.NAME:
        score = likeness_of(NameKeys(key, core, spelling), NameKeys(name_key, core_key, entry_spelling))
        if score < lowest or (score < 100 and uscc):
            return None
    compared = hashlib.sha256("|".join((how, side, key, name_key, uscc, digest)).encode()).hexdigest()
    return Found(subject_id, entry_id, how, side, int(score), compared)


_RANK = {Match.IDENTITY: 2, Match.USCC: 1, Match.NAME: 0}


def _keep_better(best: dict[tuple[int, int], Found], found: Found) -> None:
    key = (found.subject_id, found.entry_id)
    known = best.get(key)
    if known is None or _order(found) > _order(known):
        best[key] = found


def _order(found: Found) -> tuple[int, int, str]:
    return _RANK[Match(found.match)], found.score, found.side


def find_one(subject: Customer | Lead) -> list[Found]:
    """The entries one customer or lead looks like, by what is stored of it."""
    return find(type(subject), "s.id = %(id)s", {"id": subject.pk}, lowest=lowest_score())


def lowest_score() -> int:
    return int(parameter("screening.name_score"))


def hits_of(subject: Customer | Lead) -> QuerySet[ScreeningHit]:
    """All hits of a customer or lead; who may see them is the caller's to ask."""
    if isinstance(subject, Customer):
        return ScreeningHit.objects.filter(customer__in=files_of(subject))
    return ScreeningHit.objects.filter(lead=subject)


@dataclass(frozen=True, slots=True)
class Stop:
    """Hits that stop a customer's files: how many wait for people, how many were confirmed."""

    open: int
    confirmed: int

    @property
    def sentence(self) -> str:
        """What everybody is told; it names no list."""
        if self.confirmed:
            return _(
                "This customer was confirmed to stand on a watchlist: nothing goes on until that hit is opened and "
                "cleared."
            )
        return _(
            "The customer resembles somebody on a watchlist. A reviewer and a second person settle that under "
            "“Screening hits”; then try again."
        )


def stop_of(customer: Customer) -> Stop | None:
    """What stops the customer's files by the hits on record; None where all are cleared."""
    confirmed = Q(state="confirmed")
    counts = (
        hits_of(customer)
        .filter(state__in=STOPPING)
        .aggregate(open=Count("pk", filter=~confirmed), confirmed=Count("pk", filter=confirmed))
    )
    return Stop(**counts) if any(counts.values()) else None


def with_hits(events: QuerySet[Event], subject: Customer | Lead) -> QuerySet[Event]:
    """A timeline together with what became of the hits of its customer or lead."""
    ids = [str(pk) for pk in hits_of(subject).values_list("pk", flat=True)]
    about = Q(subject_type=ScreeningHit._meta.model_name, subject_id__in=ids)
    return (events | Event.objects.filter(about)).order_by("-id")
