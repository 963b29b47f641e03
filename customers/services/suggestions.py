"""Product suggestions: told, voted for, taken up, answered by head office."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, WrongState
from branch.domain.roles import STAFF, Role
from branch.models import Office
from branch.services.events import record
from branch.services.outbox import publish
from branch.services.transition import lock, save, transition
from branch.services.use_case import use_case
from customers.models import Suggestion, SuggestionVote
from customers.queries.offices import person_id, topmost_office
from customers.services.profile import Checker

#: Who meets the market.
TELLERS = frozenset({Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER})
#: In these it can still be voted for.
OPEN = ("new", "under_review")


@use_case("make_suggestion")
def make_suggestion(*, actor: Actor, title: str, text: str, product_name: str = "") -> Suggestion:
    """A new suggestion, read by everybody on the staff. Raises InvalidInput by field."""
    if not actor.roles & TELLERS:
        raise PermissionRefused(_("Your role does not allow this here."), event="create")
    checker = Checker()
    title, text, product_name = " ".join(title.split()), text.strip(), " ".join(product_name.split())
    for field, value, most in (("title", title, 120), ("text", text, 4000), ("product_name", product_name, 120)):
        if not value and field != "product_name":
            checker.refuse(field, _("This field is required."))
        if len(value) > most:
            checker.refuse(field, _("At most %(count)d characters.") % {"count": most})
    checker.done()
    home = Office.objects.filter(pk=actor.office_id).first() if actor.office_id else None
    suggestion = Suggestion(
        office=Office.objects.get(parent=None),
        from_office=home or topmost_office(actor, TELLERS),
        submitted_by_id=person_id(actor),
        title=title,
        text=text,
        product_name=product_name,
    )
    # It stands at the head office, where those who tell hold no role: `create` would refuse them.
    suggestion.save(force_insert=True)
    record("suggestion.create", suggestion, actor=actor, before={})
    return suggestion


@use_case("vote_suggestion")
def vote_suggestion(*, actor: Actor, suggestion_id: int) -> Suggestion:
    """One's vote for it; a second one changes nothing. Nobody votes for what they suggested themselves."""

    def add(suggestion: Suggestion) -> bool:
        if suggestion.submitted_by_id == actor.user_id:
            raise PermissionRefused(_("This is your own suggestion."), event="vote")
        _vote, is_new = SuggestionVote.objects.get_or_create(suggestion=suggestion, user_id=person_id(actor))
        return is_new

    return _voted(actor, suggestion_id, "vote", 1, add)


@use_case("withdraw_vote")
def withdraw_vote(*, actor: Actor, suggestion_id: int) -> Suggestion:
    """Take one's vote back; where there is none, nothing changes."""

    def remove(suggestion: Suggestion) -> bool:
        deleted, _by_model = SuggestionVote.objects.filter(suggestion=suggestion, user_id=person_id(actor)).delete()
        return bool(deleted)

    return _voted(actor, suggestion_id, "unvote", -1, remove)


def _voted(actor: Actor, suggestion_id: int, event: str, change: int, cast: Callable[[Suggestion], bool]) -> Suggestion:
    suggestion = lock(Suggestion, suggestion_id, actor)
    if not actor.roles & STAFF:
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    if suggestion.state not in OPEN:
        raise WrongState(_("It is decided already."), state=suggestion.state, id=suggestion.pk)
    if cast(suggestion):
        before = {"votes": suggestion.votes}
        suggestion.votes += change
        save(suggestion)
        record(f"suggestion.{event}", suggestion, actor=actor, before=before, after={"votes": suggestion.votes})
    return suggestion


@use_case("take_up_suggestion")
def take_up_suggestion(*, actor: Actor, suggestion_id: int, expected_version: int | None = None) -> Suggestion:
    """Head office looks into it."""
    with transition(Suggestion, suggestion_id, "take_up", actor=actor, expected_version=expected_version) as suggestion:
        pass
    return suggestion


@use_case("accept_suggestion")
def accept_suggestion(
    *, actor: Actor, suggestion_id: int, answer: str, expected_version: int | None = None
) -> Suggestion:
    """It will be done; `answer` says how."""
    return _answered(actor, suggestion_id, "accept", answer, expected_version)


@use_case("decline_suggestion")
def decline_suggestion(
    *, actor: Actor, suggestion_id: int, answer: str, expected_version: int | None = None
) -> Suggestion:
    """It won't be done; `answer` says why."""
    return _answered(actor, suggestion_id, "decline", answer, expected_version)


@use_case("finish_suggestion")
def finish_suggestion(
    *, actor: Actor, suggestion_id: int, answer: str = "", expected_version: int | None = None
) -> Suggestion:
    """It is done; `answer`, where there is one, adds to what was said before."""
    with transition(Suggestion, suggestion_id, "finish", actor=actor, expected_version=expected_version) as suggestion:
        suggestion.answer = "\n".join(part for part in (suggestion.answer, answer.strip()) if part)
    publish("suggestion.answered", suggestion_id=suggestion.pk, owner_id=suggestion.submitted_by_id)
    return suggestion


def _answered(actor: Actor, suggestion_id: int, event: str, answer: str, expected_version: int | None) -> Suggestion:
    answer = answer.strip()
    if not answer:
        raise InvalidInput(fields={"answer": [_("Say what becomes of it, and why.")]})
    with transition(Suggestion, suggestion_id, event, actor=actor, expected_version=expected_version) as suggestion:
        suggestion.answer, suggestion.answered_by_id = answer, actor.user_id
    publish("suggestion.answered", suggestion_id=suggestion.pk, owner_id=suggestion.submitted_by_id)
    return suggestion
