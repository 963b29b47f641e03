"""What the market asks for: told, voted for once each, answered by head office."""

from __future__ import annotations

from typing import Any

import pytest

from branch.domain.refusals import InvalidInput, PermissionRefused, WrongState
from branch.models import Notification, RoleAssignment, User
from branch.queries.visibility import visible
from branch.services.outbox import deliver, waiting
from customers.models import Suggestion, SuggestionVote
from customers.services import suggestions
from tests.cast import OPENING, PEOPLE
from tests.customers.making import event_names


def suggest(actor: Any, **changes: Any) -> Suggestion:
    values: dict[str, Any] = {"title": "按季还款", "text": "商户旺季才有钱", "product_name": "短期经营贷"} | changes
    return suggestions.make_suggestion(actor=actor, **values)


def test_everybody_on_the_staff_reads_it(cast, actor) -> None:
    made = suggest(actor("lin"))
    assert (made.office, made.from_office, made.submitted_by) == (cast.offices.HO, cast.offices.HW, cast.lin)
    assert {name for name in PEOPLE if made in visible(Suggestion, actor(name))} == set(PEOPLE)
    client = User.objects.create_user("grid", office=cast.offices.CD)
    RoleAssignment.objects.create(user=client, role="integration", office=cast.offices.CD, start_date=OPENING)
    assert not visible(Suggestion, actor("grid")).exists()


@pytest.mark.parametrize(
    ("changes", "field"), [({"title": " "}, "title"), ({"text": ""}, "text"), ({"title": "x" * 121}, "title")]
)
def test_it_says_something(cast, actor, changes, field) -> None:
    with pytest.raises(InvalidInput) as refused:
        suggest(actor("lin"), **changes)
    assert list(refused.value.fields) == [field]
    assert not Suggestion.objects.exists()


def test_those_who_meet_the_market_tell(cast, actor) -> None:
    assert suggest(actor("zhou")).pk
    for name in ("he", "feng", "sun"):
        with pytest.raises(PermissionRefused):
            suggest(actor(name))


def test_a_person_votes_once_and_may_take_it_back(cast, actor) -> None:
    made = suggest(actor("lin"))
    for name in ("he", "he", "outsider"):
        made = suggestions.vote_suggestion(actor=actor(name), suggestion_id=made.pk)
    assert made.votes == SuggestionVote.objects.count() == 2
    for _time in range(2):
        made = suggestions.withdraw_vote(actor=actor("he"), suggestion_id=made.pk)
    assert made.votes == SuggestionVote.objects.count() == 1
    assert event_names(made) == ["suggestion.create", "suggestion.vote", "suggestion.vote", "suggestion.unvote"]
    with pytest.raises(PermissionRefused):
        suggestions.vote_suggestion(actor=actor("lin"), suggestion_id=made.pk)


def test_head_office_takes_it_up_answers_and_does_it(cast, actor) -> None:
    made = suggest(actor("lin"))
    qian = actor("qian")
    suggestions.take_up_suggestion(actor=qian, suggestion_id=made.pk)
    with pytest.raises(InvalidInput):
        suggestions.accept_suggestion(actor=qian, suggestion_id=made.pk, answer=" ")
    accepted = suggestions.accept_suggestion(actor=qian, suggestion_id=made.pk, answer="下季度试点")
    assert (accepted.state, accepted.answer, accepted.answered_by) == ("accepted", "下季度试点", cast.qian)
    with pytest.raises(WrongState):
        suggestions.vote_suggestion(actor=actor("he"), suggestion_id=made.pk)
    done = suggestions.finish_suggestion(actor=qian, suggestion_id=made.pk, answer="已上线")
    assert (done.state, done.answer) == ("done", "下季度试点\n已上线")
    for message_id in waiting():
        deliver(message_id)
    assert Notification.objects.filter(user=cast.lin, kind="suggestion.answered").count() == 2


def test_only_head_office_answers(cast, actor) -> None:
    branch = User.objects.create_user("pm", office=cast.offices.CD)
    RoleAssignment.objects.create(user=branch, role="product_manager", office=cast.offices.CD, start_date=OPENING)
    made = suggest(actor("lin"))
    for name in ("pm", "lin", "feng"):
        with pytest.raises(PermissionRefused):
            suggestions.take_up_suggestion(actor=actor(name), suggestion_id=made.pk)
    assert (
        suggestions.decline_suggestion(actor=actor("qian"), suggestion_id=made.pk, answer="风险过高").state
        == "declined"
    )


def test_a_persons_buttons(cast, actor, client) -> None:
    made = suggest(actor("lin"))

    def buttons(name: str) -> set[str]:
        client.force_login(getattr(cast, name))
        return {offer.name for offer in client.get(f"/suggestions/{made.pk}/").context["offers"]}

    assert buttons("lin") == set()
    assert buttons("he") == {"vote"}
    suggestions.vote_suggestion(actor=actor("he"), suggestion_id=made.pk)
    assert buttons("he") == {"unvote"}
    assert buttons("qian") == {"take-up", "decline", "vote"}
