"""Sealing a closed day, and writing down the head of the chain."""

from __future__ import annotations

from datetime import date

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from branch.domain.refusals import Unmet
from branch.domain.sealing import GENESIS, count_of, digest_of, head_after
from branch.models import BusinessDay, Event, Seal
from branch.queries.seals import ExportedHead, day_before, pairs_between
from branch.services.events import DAY_LOCK
from branch.services.use_case import use_case

#: Two workers never extend the chain at once.
SEAL_LOCK = 0x5EA1


@use_case("seal_day")
def seal_day(business_date: date) -> Seal:
    """Seal a closed day, and first any closed day before it that has no seal yet. Done twice it changes nothing.

    Raises Unmet for a day that is not closed, or that should have been sealed before days that already are.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
    last = Seal.objects.order_by("-business_date").first()
    waiting = BusinessDay.objects.filter(state=BusinessDay.State.CLOSED, date__lte=business_date)
    if last is not None:
        waiting = waiting.filter(date__gt=last.business_date)
    for day in waiting.order_by("date"):
        last = _seal(day.date, last)
    seal = Seal.objects.filter(business_date=business_date).first()
    if seal is None:
        raise Unmet(_("This day can't be sealed: it is not closed, or later days are sealed."), day=str(business_date))
    return seal


def _seal(day: date, last: Seal | None) -> Seal:
    pairs = pairs_between(day_before(day), day)
    previous = last.head if last else GENESIS
    digest, count = digest_of(pairs), count_of(pairs)
    return Seal.objects.create(
        business_date=day,
        event_count=count,
        row_digests=pairs,
        digest=digest,
        previous_head=previous,
        head=head_after(previous, day, count, digest),
    )


def export_head() -> ExportedHead:
    """The head to be kept outside, with a digest over the events no seal covers yet."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Alone for a moment: every id given out so far is committed or lost, and later ones are higher.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DAY_LOCK])
        last = Seal.objects.order_by("-business_date").first()
        last_id = Event.objects.aggregate(last=Max("id"))["last"] or 0
    sealed_up_to = last.business_date if last else None
    # The lock is let go: these events can't change any more, and reading them may take a while.
    pairs = pairs_between(sealed_up_to, None, last_id)
    return ExportedHead(
        head=last.head if last else GENESIS,
        date=sealed_up_to,
        last_id=last_id,
        count=count_of(pairs),
        digest=digest_of(pairs),
    )
