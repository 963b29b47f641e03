"""From readings to signals: the same breach of the same loan stays one signal, refreshed until it stops."""

from __future__ import annotations

from django.db import connection
from django.db.models import Exists, F, OuterRef

from branch.domain.actor import Actor
from branch.services.events import record_all
from postloan.models import IndicatorReading, Signal
from postloan.services.steps.move import move
from postloan.services.steps.part import CUSTOMER_IN_PART, Part, Work, work_of

_RANK = "array_position(ARRAY['blue', 'yellow', 'orange', 'red'], {column}::text)"
# A breach somebody has dealt with is left alone unless it is worse than what they saw.
SUPERSEDE = f"""
UPDATE postloan_signal s SET cleared_on = %(date)s, version = s.version + 1
FROM postloan_indicatorreading r, postloan_warningcase c
WHERE r.date = %(date)s AND r.loan_id = s.loan_id AND r.indicator = s.indicator AND s.cleared_on IS NULL
  AND {CUSTOMER_IN_PART.format(t="s")} AND c.id = s.case_id AND c.state = 'closed'
  AND {_RANK.format(column="r.level")} > {_RANK.format(column="s.level")}
RETURNING s.id
"""
REFRESH = f"""
UPDATE postloan_signal s SET seen_on = %(date)s, level = r.level, value = r.value, threshold = r.threshold,
       threshold_version = r.threshold_version, evidence = r.evidence, version = s.version + 1
FROM postloan_indicatorreading r
WHERE r.date = %(date)s AND r.loan_id = s.loan_id AND r.indicator = s.indicator AND s.cleared_on IS NULL
  AND {CUSTOMER_IN_PART.format(t="s")}
  AND NOT EXISTS (SELECT 1 FROM postloan_warningcase c WHERE c.id = s.case_id AND c.state = 'closed')
RETURNING s.id
"""


def signals(part: Part, actor: Actor) -> Work:
    """Clear what stopped, refresh what goes on, raise what is new."""
    stopped = _clear(part, actor)
    _update(SUPERSEDE, part)
    refreshed = _update(REFRESH, part)
    raised = _raise(part, actor)
    lines = [f"cleared|{pk}" for pk in stopped] + [f"refreshed|{pk}" for pk in refreshed]
    return work_of(lines + [f"raised|{s.loan_id}|{s.indicator}|{s.level}|{s.value}" for s in raised])


def _update(statement: str, part: Part) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, part.parameters)
        return [row[0] for row in cursor.fetchall()]


def _clear(part: Part, actor: Actor) -> list[int]:
    read_today = IndicatorReading.objects.filter(date=part.date, loan=OuterRef("loan"), indicator=OuterRef("indicator"))
    stopped = part.of(Signal.objects.filter(~Exists(read_today), cleared_on=None))
    # One that is in a case stays for the person who works it; it only stops being live.
    in_case = list(stopped.filter(state="in_case").values_list("pk", flat=True))
    Signal.objects.filter(pk__in=in_case).update(cleared_on=part.date, version=F("version") + 1)
    return in_case + move(stopped, "clear", actor, cleared_on=part.date)


def _raise(part: Part, actor: Actor) -> list[Signal]:
    known = Signal.objects.filter(loan=OuterRef("loan"), indicator=OuterRef("indicator"), cleared_on=None)
    new = part.of(IndicatorReading.objects.filter(~Exists(known), date=part.date))
    raised = Signal.objects.bulk_create(
        [_signal(reading) for reading in new.select_related("loan__office").order_by("pk")], batch_size=1000
    )
    record_all("signal.create", raised, actor=actor)
    return raised


def _signal(reading: IndicatorReading) -> Signal:
    return Signal(
        office=reading.loan.office,
        customer_id=reading.customer_id,
        loan=reading.loan,
        owner_id=reading.loan.owner_id,
        indicator=reading.indicator,
        level=reading.level,
        value=reading.value,
        threshold=reading.threshold,
        threshold_version=reading.threshold_version,
        evidence=reading.evidence,
        raised_on=reading.date,
        seen_on=reading.date,
    )
