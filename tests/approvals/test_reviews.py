"""A file's pass through approval: opinions, authority, returns, overrides, and who may not."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from approvals.models import Authority, Review, ReviewStage
from approvals.services import reviews
from branch.domain.refusals import (
    AuthorityExceeded,
    DutiesConflict,
    InvalidInput,
    NotFound,
    PermissionRefused,
    Unmet,
    WrongState,
)
from branch.models import Event, RoleAssignment
from loans.services import applications
from tests.life import AMOUNT, Life, set_up_branch


@pytest.fixture
def life(cast: SimpleNamespace) -> Life:
    set_up_branch(cast)
    return Life(cast.actor)


def count_of_everything() -> tuple[int, ...]:
    states = tuple(ReviewStage.objects.order_by("id").values_list("state", "outcome"))
    return (Event.objects.count(), hash(states), hash(tuple(Review.objects.values_list("state", "outcome"))))


def test_a_file_is_approved_within_authority(life: Life) -> None:
    life.walk(until="decide")

    application = life.application
    assert application.state == "approved"
    assert application.approved_amount == AMOUNT
    assert application.approved_rate == Decimal(application.quote["annual_rate"])
    review = Review.objects.get(application=application)
    assert (review.state, review.outcome) == ("decided", "approved")
    assert review.facts["risk_grade"] == life.investigation.findings["risk_grade"]
    assert [c.title for c in application.conditions.all()] == ["营业执照"]


def test_an_unsigned_file_is_not_sent(life: Life) -> None:
    life.walk(until="sign_by_owner")
    before = count_of_everything()

    with pytest.raises(Unmet):
        life.send_to_review()

    assert count_of_everything() == before
    assert life.application.state == "investigating"


def test_the_decision_waits_for_the_opinion(life: Life) -> None:
    life.walk(until="send_to_review")
    before = count_of_everything()

    with pytest.raises(Unmet):
        life.claim_decision()

    assert count_of_everything() == before


def test_the_owner_may_not_decide(life: Life) -> None:
    life.walk(until="claim_decision")
    before = count_of_everything()

    with pytest.raises(PermissionRefused):
        reviews.decide(
            actor=life.actor("lin"), review_stage_id=life.stage("decision").pk, outcome="approved", reason="x"
        )

    assert count_of_everything() == before


def test_an_owner_who_is_also_approver_is_stopped_by_duties(life: Life, cast: SimpleNamespace) -> None:
    RoleAssignment.objects.create(
        user=cast.lin, role="approver", office=cast.offices.CD, start_date=cast.qian.assignments.first().start_date
    )
    life.walk(until="give_opinion")
    before = count_of_everything()

    with pytest.raises(DutiesConflict):
        reviews.claim_stage(actor=life.actor("lin"), review_stage_id=life.stage("decision").pk)

    assert count_of_everything() == before


def test_above_authority_is_refused(life: Life, cast: SimpleNamespace) -> None:
    cast.qian.authorities.update(limit_amount=Decimal("299999.99"))
    life.walk(until="claim_decision")
    before = count_of_everything()

    with pytest.raises(AuthorityExceeded) as refusal:
        life.decide()

    assert refusal.value.facts["limit"] == "299999.99"
    assert count_of_everything() == before
    assert life.application.state == "in_review"


def test_a_smaller_amount_fits_the_authority(life: Life, cast: SimpleNamespace) -> None:
    cast.qian.authorities.update(limit_amount=Decimal("200000.00"))
    life.walk(until="claim_decision")

    reviews.decide(
        actor=life.actor("qian"),
        review_stage_id=life.stage("decision").pk,
        outcome="approved",
        amount=Decimal("200000.00"),
        conditions=["  回款归集 ", ""],
        reason="减额",
    )

    assert life.application.approved_amount == Decimal("200000.00")
    assert sorted(c.title for c in life.application.conditions.all()) == ["回款归集", "营业执照"]


def test_more_than_asked_is_refused(life: Life) -> None:
    life.walk(until="claim_decision")

    with pytest.raises(InvalidInput) as refusal:
        reviews.decide(
            actor=life.actor("qian"),
            review_stage_id=life.stage("decision").pk,
            outcome="approved",
            amount=AMOUNT + 1,
            reason="x",
        )

    assert "amount" in refusal.value.fields


def test_a_decline_stops_everything(life: Life) -> None:
    life.walk(until="claim_decision")
    reviews.decide(
        actor=life.actor("qian"), review_stage_id=life.stage("decision").pk, outcome="declined", reason="负债过高"
    )
    assert life.application.state == "declined"
    before = count_of_everything()

    with pytest.raises(WrongState):
        life.decide()
    with pytest.raises(WrongState):
        life.accept_offer()

    assert count_of_everything() == before
    assert life.application.outcome_reason == "负债过高"


def test_a_decline_overridden_goes_through_a_second_review(life: Life, cast: SimpleNamespace) -> None:
    life.walk(until="claim_decision")
    reviews.decide(actor=life.actor("qian"), review_stage_id=life.stage("decision").pk, outcome="declined", reason="x")
    with pytest.raises(AuthorityExceeded):
        reviews.override_decline(actor=life.actor("zhou"), application_id=life.application.pk, reason="老客户")
    Authority.objects.create(
        user=cast.zhou,
        office=cast.offices.CD,
        limit_amount=AMOUNT,
        effective_date=cast.qian.authorities.first().effective_date,
        granted_by=cast.qian,
    )

    reviews.override_decline(actor=life.actor("zhou"), application_id=life.application.pk, reason="老客户")

    assert life.application.state == "in_review"
    assert Review.objects.filter(application=life.application).count() == 2


def test_a_returned_file_comes_back_and_passes_again(life: Life) -> None:
    life.walk(until="claim_opinion")
    reviews.give_opinion(
        actor=life.actor("sun"), review_stage_id=life.stage("opinion").pk, outcome="returned", reason="补三个月水费单"
    )
    assert life.application.state == "returned"
    assert set(ReviewStage.objects.values_list("kind", "state")) == {("opinion", "done"), ("decision", "skipped")}

    applications.resume_application(actor=life.actor("lin"), application_id=life.application.pk)
    assert life.investigation.state == "open"
    for step in ("save_facts", "sign_by_owner", "sign_by_second", "send_to_review"):
        getattr(life, step)()
    for step in ("claim_opinion", "give_opinion", "claim_decision", "decide"):
        getattr(life, step)()

    assert life.application.state == "approved"
    assert Review.objects.filter(application=life.application).count() == 2


def test_a_withdrawn_file_closes_its_review(life: Life) -> None:
    life.walk(until="claim_opinion")

    reviews.withdraw_file(actor=life.actor("lin"), application_id=life.application.pk, reason="客户不贷了")

    assert life.application.state == "withdrawn"
    assert Review.objects.get().state == "cancelled"
    assert set(ReviewStage.objects.values_list("state", flat=True)) == {"skipped"}


def test_another_office_does_not_even_learn_of_it(life: Life) -> None:
    life.walk(until="send_to_review")

    with pytest.raises(NotFound):
        reviews.claim_stage(actor=life.actor("outsider"), review_stage_id=life.stage("opinion").pk)


def test_a_claim_belongs_to_its_claimer_until_put_back(life: Life, cast: SimpleNamespace) -> None:
    life.walk(until="claim_opinion")
    RoleAssignment.objects.create(user=cast.feng, role="risk_reviewer", office=cast.offices.CD, start_date=cast.OPENING)

    with pytest.raises(PermissionRefused):
        reviews.give_opinion(
            actor=life.actor("feng"), review_stage_id=life.stage("opinion").pk, outcome="approved", reason="x"
        )
    reviews.release_claim(actor=life.actor("zhou"), review_stage_id=life.stage("opinion").pk)

    assert life.stage("opinion").claimed_by_id is None
    assert life.stage("opinion").state == "waiting"
