"""A file's passes through approval: sent in, claimed, opined on, decided, withdrawn, reopened after a decline."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.domain.routing import STANDARD_ROUTE
from approvals.models import Review, ReviewStage
from approvals.models.review import Outcome
from approvals.queries.authorities import authority_limit, grade_of
from branch.domain.actor import Actor
from branch.domain.refusals import AuthorityExceeded, InvalidInput, PermissionRefused, Unmet, WrongState
from branch.domain.roles import Duty, Role
from branch.services.events import record, snapshot
from branch.services.outbox import publish
from branch.services.transition import fire, kind_of, lock, save, take_duty, transition
from branch.services.use_case import use_case
from customers.services.relations import hold_links
from customers.services.screening import Moment, refuse_if_listed
from loans.models import Application, Investigation
from loans.services import applications, offers

#: What doing a stage of a kind counts as, and the role it takes.
DUTY_OF = {ReviewStage.Kind.OPINION: Duty.REVIEW, ReviewStage.Kind.DECISION: Duty.APPROVE}
ROLE_OF = {ReviewStage.Kind.OPINION: Role.RISK_REVIEWER, ReviewStage.Kind.DECISION: Role.APPROVER}


@use_case("send_to_review")
def send_to_review(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Application:
    """Close the signed investigation and open a review. Raises Unmet where a signature is missing or a hit open."""
    with transition(
        Application, application_id, "send_to_review", actor=actor, expected_version=expected_version
    ) as application:
        investigation = Investigation.objects.select_for_update().filter(application=application).first()
        if investigation is None or investigation.state != "signed_by_second":
            raise Unmet(_("Both investigators must have signed first."))
        refuse_if_listed(application.customer, Moment.REVIEW)
        with transition(Investigation, investigation.pk, "close", actor=actor):
            pass
    review = _open_review(application, actor)
    publish("review.opened", review_id=review.pk, application_id=application.pk)
    return application


def _open_review(application: Application, actor: Actor) -> Review:
    review = Review.objects.create(
        application=application,
        customer_id=application.customer_id,
        owner_id=application.owner_id,
        office=application.office,
        pass_number=application.reviews.count() + 1,
    )
    record("review.create", review, actor=actor)
    now = timezone.now()
    for order, plan in enumerate(STANDARD_ROUTE, start=1):
        stage = ReviewStage.objects.create(
            review=review,
            application=application,
            customer_id=application.customer_id,
            office=application.office,
            order=order,
            kind=plan.kind,
            opened_at=now if order == 1 else None,
        )
        record("review_stage.create", stage, actor=actor)
    return review


def _require_role(stage: ReviewStage, actor: Actor) -> None:
    if not actor.holds({ROLE_OF[ReviewStage.Kind(stage.kind)]}, stage.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), stage=stage.kind)
    take_duty(actor, stage.file_key, DUTY_OF[ReviewStage.Kind(stage.kind)])


@use_case("claim_stage")
def claim_stage(*, actor: Actor, review_stage_id: int, expected_version: int | None = None) -> ReviewStage:
    """Take a stage to work on. Raises DutiesConflict, Unmet while an earlier stage is open."""
    with transition(ReviewStage, review_stage_id, "claim", actor=actor, expected_version=expected_version) as stage:
        _require_role(stage, actor)
        if stage.opened_at is None:
            raise Unmet(_("An earlier stage is still open."))
        stage.claimed_by_id = actor.user_id
        stage.claimed_at = timezone.now()
    return stage


@use_case("release_claim")
def release_claim(*, actor: Actor, review_stage_id: int, expected_version: int | None = None) -> ReviewStage:
    """Put a claimed stage back into the queue; the claimer, or the branch manager for somebody who is away."""
    with transition(
        ReviewStage, review_stage_id, "release_claim", actor=actor, expected_version=expected_version
    ) as stage:
        if stage.claimed_by_id != actor.user_id and not actor.holds({Role.BRANCH_MANAGER}, stage.office.path):
            raise PermissionRefused(_("Somebody else holds this stage."))
        stage.claimed_by_id = stage.claimed_at = None
    return stage


def _finish(
    actor: Actor, stage_id: int, kind: str, version: int | None, outcome: str, reason: str, **fields: Any
) -> ReviewStage:
    with transition(ReviewStage, stage_id, "finish", actor=actor, reason=reason, expected_version=version) as stage:
        if stage.kind != kind:
            raise WrongState(_("This stage asks for something else."), kind=stage.kind)
        _require_role(stage, actor)
        if stage.claimed_by_id != actor.user_id:
            raise PermissionRefused(_("Somebody else holds this stage."))
        if not reason.strip():
            raise InvalidInput(fields={"reason": [_("Say why.")]})
        stage.outcome, stage.reason, stage.finished_at = outcome, reason, timezone.now()
        for name, value in fields.items():
            setattr(stage, name, value)
    return stage


@use_case("give_opinion")
def give_opinion(
    *,
    actor: Actor,
    review_stage_id: int,
    outcome: str,
    reason: str,
    amount: Decimal | None = None,
    conditions: list[str] | None = None,
    expected_version: int | None = None,
) -> ReviewStage:
    """A risk reviewer's advice; `returned` sends the file back at once, anything else opens the decision.

    Raises Unmet for advice to approve while a screening hit of the customer is not cleared.
    """
    stage = _finish(
        actor,
        review_stage_id,
        ReviewStage.Kind.OPINION,
        expected_version,
        outcome,
        reason,
        amount=amount,
        conditions=_clean(conditions),
    )
    if outcome == Outcome.APPROVED:
        refuse_if_listed(stage.application.customer, Moment.REVIEW)
    if outcome == Outcome.RETURNED:
        _conclude(actor, stage, outcome, reason)
        offers.return_application(actor=actor, application_id=stage.application_id, reason=reason)
    else:
        following = ReviewStage.objects.select_for_update().get(review_id=stage.review_id, order=stage.order + 1)
        following.opened_at = timezone.now()
        following.save(update_fields=["opened_at"])
        publish("review_stage.opened", review_stage_id=following.pk, application_id=stage.application_id)
    return stage


@use_case("decide")
def decide(
    *,
    actor: Actor,
    review_stage_id: int,
    outcome: str,
    reason: str,
    amount: Decimal | None = None,
    conditions: list[str] | None = None,
    expected_version: int | None = None,
) -> ReviewStage:
    """The decision on a file, within the decider's authority. Raises AuthorityExceeded.

    Also Unmet for an approval while a screening hit of the customer is not cleared; declining and returning go on.
    """
    hold_links()
    asked = lock(ReviewStage, review_stage_id, actor)
    application = Application.objects.select_related("product_version__product", "office").get(pk=asked.application_id)
    approved_amount = amount or application.amount
    if approved_amount > application.amount:
        raise InvalidInput(fields={"amount": [_("More than was asked for.")]})
    limit = authority_limit(actor, application)
    stage = _finish(
        actor,
        review_stage_id,
        ReviewStage.Kind.DECISION,
        expected_version,
        outcome,
        reason,
        amount=approved_amount if outcome == Outcome.APPROVED else None,
        conditions=_clean(conditions),
    )
    if outcome == Outcome.APPROVED and approved_amount > limit:
        raise AuthorityExceeded(
            _("%(amount)s is above your authority of %(limit)s for such a file.")
            % {"amount": approved_amount, "limit": limit},
            limit=str(limit),
            amount=str(approved_amount),
        )
    facts = {
        "risk_grade": grade_of(application),
        "findings": getattr(getattr(application, "investigation", None), "findings", {}),
        "quote": application.quote,
        "authority_limit": str(limit),
    }
    _conclude(actor, stage, outcome, reason, facts)
    if outcome == Outcome.APPROVED:
        offers.approve_application(
            actor=actor,
            application_id=application.pk,
            amount=approved_amount,
            conditions=stage.conditions,
            reason=reason,
        )
    elif outcome == Outcome.DECLINED:
        offers.decline_application(actor=actor, application_id=application.pk, reason=reason)
    else:
        offers.return_application(actor=actor, application_id=application.pk, reason=reason)
    return stage


def _clean(conditions: list[str] | None) -> list[str]:
    return [text.strip()[:200] for text in conditions or [] if text.strip()]


def _conclude(actor: Actor, stage: ReviewStage, outcome: str, reason: str, facts: dict[str, Any] | None = None) -> None:
    """Decide the review and skip what nobody needs to look at any more."""
    with transition(Review, stage.review_id, "decide", actor=actor, reason=reason) as review:
        review.outcome, review.decided_at, review.facts = outcome, timezone.now(), facts or {}
    _skip_open_stages(actor, stage.review_id)


def _skip_open_stages(actor: Actor, review_id: int) -> None:
    for row in ReviewStage.objects.select_for_update().filter(review_id=review_id, state__in=("waiting", "claimed")):
        before = snapshot(row)
        fire(row, "skip")
        save(row)
        record(f"{kind_of(row)}.skip", row, actor=actor, before=before)


@use_case("withdraw_file")
def withdraw_file(
    *, actor: Actor, application_id: int, reason: str, expected_version: int | None = None
) -> Application:
    """The customer no longer wants it: withdraw the application and cancel a review that is open."""
    application = applications.withdraw_application(
        actor=actor, application_id=application_id, reason=reason, expected_version=expected_version
    )
    for review in Review.objects.filter(application=application, state="open"):
        with transition(Review, review.pk, "cancel", actor=actor, reason=reason):
            pass
        _skip_open_stages(actor, review.pk)
    return application


@use_case("override_decline")
def override_decline(
    *, actor: Actor, application_id: int, reason: str, expected_version: int | None = None
) -> Application:
    """Bring a declined file back for another pass, recorded, within the authority of who does it."""
    with transition(
        Application,
        application_id,
        "override_decline",
        actor=actor,
        reason=reason,
        expected_version=expected_version,
    ) as application:
        if not reason.strip():
            raise InvalidInput(fields={"reason": [_("Say why.")]})
        limit = authority_limit(actor, application)
        if application.amount > limit:
            raise AuthorityExceeded(limit=str(limit), amount=str(application.amount))
        investigation = Investigation.objects.filter(application=application).first()
        if investigation is None or investigation.state != "closed":
            raise Unmet(_("The file was declined before its investigation ended; a new application is needed."))
        refuse_if_listed(application.customer, Moment.REVIEW)
    review = _open_review(application, actor)
    publish("review.opened", review_id=review.pk, application_id=application.pk)
    return application
