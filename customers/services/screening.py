"""Screening at work: what is found becomes a hit once, and a hit nobody has settled stops the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.refusals import Unmet
from branch.services.enqueue import at_once
from branch.services.events import record_all
from branch.services.outbox import publish
from branch.services.transition import transition
from branch.services.use_case import use_case
from customers.models import Customer, Lead, ScreeningHit
from customers.queries.screening import Found, find_one, hits_of, stop_of

Moment = ScreeningHit.Moment


def screen_lead(lead: Lead) -> list[ScreeningHit]:
    """Compare a lead, saved in the caller's transaction, with the lists. The new hits; a repeated look finds none."""
    return _screen(lead, Moment.LEAD)


def screen_customer(customer: Customer, moment: str = Moment.CUSTOMER) -> list[ScreeningHit]:
    """The same for a customer."""
    return _screen(customer, moment)


def _screen(subject: Customer | Lead, moment: str) -> list[ScreeningHit]:
    model = type(subject)
    # A comparison of the whole book takes the same lock: a hit comes either before or after what rests on it.
    model._default_manager.select_for_update(no_key=True, of=("self",)).get(pk=subject.pk)
    made = settle(model, find_one(subject), moment)
    model._default_manager.filter(pk=subject.pk, screened_at=None).update(screened_at=timezone.now())
    return made


def settle(model: type[Customer] | type[Lead], found: Sequence[Found], moment: str) -> list[ScreeningHit]:
    """Make hits of what is new. A cleared hit is opened again where something else is alike than what was cleared.

    The subjects are locked by the caller, or here in the order of their ids.
    """
    if not found:
        return []
    kind = "customer" if model is Customer else "lead"
    ids = sorted({one.subject_id for one in found})
    subjects = {
        row.pk: row
        for row in model._default_manager.select_for_update(no_key=True, of=("self",))
        .select_related("office")
        .filter(pk__in=ids)
        .order_by("pk")
    }
    known = {
        (getattr(hit, f"{kind}_id"), hit.entry_id): hit
        for hit in ScreeningHit.objects.filter(**{f"{kind}_id__in": ids})
    }
    new = []
    for one in found:
        hit = known.get((one.subject_id, one.entry_id))
        if hit is None:
            new.append(_hit(one, kind, subjects[one.subject_id], moment))
        elif hit.compared != one.compared:
            _renew(hit, one)
    ScreeningHit.objects.bulk_create(new, batch_size=1000)
    record_all("screening_hit.find", new, actor=system_actor())
    _tell(new)
    return new


def _hit(one: Found, kind: str, subject: Customer | Lead, moment: str) -> ScreeningHit:
    return ScreeningHit(
        office=subject.office,
        entry_id=one.entry_id,
        match=one.match,
        side=one.side,
        score=one.score,
        compared=one.compared,
        at_event=moment,
        **{kind: subject},
    )


def _renew(hit: ScreeningHit, one: Found) -> None:
    """What is alike now is not what people looked at: they look again. A confirmed hit stays confirmed."""
    event = {"cleared": "reopen", "proposed": "send_back"}.get(hit.state)
    if event is None:
        facts = {"match": one.match, "side": one.side, "score": one.score, "compared": one.compared}
        ScreeningHit.objects.filter(pk=hit.pk).update(**facts)
        return
    reason = _("Names or numbers changed since.")
    with transition(ScreeningHit, hit.pk, event, actor=system_actor(), reason=reason) as row:
        row.match, row.side, row.score, row.compared = one.match, one.side, one.score, one.compared
        row.proposal = ""
    _tell([hit])


def _tell(hits: Iterable[ScreeningHit]) -> None:
    """One message per office and owner, however many hits there are."""
    groups: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    for hit in hits:
        groups[hit.office_id, hit.subject_owner_id].append(hit.pk)
    for (office_id, owner_id), ids in groups.items():
        publish("screening.found", office_id=office_id, owner_id=owner_id, first_id=ids[0], count=len(ids))


@use_case("screen_again")
def screen_again(*, actor: Actor, customer_id: int, moment: str) -> int:
    """Look a customer up once more and keep what is found; how many new hits there are."""
    customer = Customer.objects.filter(pk=customer_id).first()
    return len(screen_customer(customer, moment)) if customer is not None and actor.is_system else 0


def refuse_if_listed(customer: Customer, moment: str) -> None:
    """Look the customer up in the lists now, under its lock; raises Unmet while any hit is not cleared.

    What is said is said to everybody, so it speaks of no list: whoever may see the hit finds it among the hits. A hit
    found only now would be taken back with the refused transaction; a worker finds it anew and keeps it.
    """
    new = screen_customer(customer, moment)
    stop = stop_of(customer)
    if stop is None:
        return
    if new:
        at_once("customers.tasks.screen_customer", customer.pk, moment)
    raise Unmet(stop.sentence, screening={"open": stop.open, "confirmed": stop.confirmed})


def refuse_if_confirmed(lead: Lead) -> None:
    """Raises Unmet where a hit of the lead was confirmed; one that is open is looked at with the customer's numbers."""
    if hits_of(lead).filter(state="confirmed").exists():
        raise Unmet(_("This lead was confirmed to stand on a watchlist, so it can't become a customer."))
