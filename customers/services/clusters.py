"""Clusters: taken on and judged by an account manager, their cap set in force by a second person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.identity import IdentityError, parse_uscc
from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused, Unmet, WrongState
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.events import record
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, create, lock, transition
from branch.services.use_case import use_case
from customers.models import Cluster, Customer, RecordImport, RecordSource
from customers.queries.clusters import EVALUATION, evaluation_of
from customers.queries.offices import account_manager, person_id, working_office
from customers.services.financeable import work_out
from customers.services.imports import receive_import
from customers.services.profile import Checker, identity_message

MANAGER = frozenset({Role.ACCOUNT_MANAGER})
JUDGES = frozenset({Role.BRANCH_MANAGER, Role.RISK_REVIEWER})
#: States in which a cluster is judged and takes files in.
OPEN_STATES = ("draft", "submitted", "active", "suspended")
JUDGED_IN = ("draft", "active", "suspended")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MOST = Decimal(10) ** 13


class Identity(TypedDict, total=False):
    """What a cluster is and whom it stands around."""

    kind: str
    code: str
    name: str
    anchor_name: str
    anchor_uscc: str


class Evaluation(TypedDict, total=False):
    """What a cluster is judged by, and the caps asked for, in yuan."""

    anchor_standing: str
    anchor_years: int
    members_count: int
    members_left: int
    defaulted_members: int
    years_running: int
    proposed_cap: Decimal
    proposed_member_cap: Decimal


@use_case("create_cluster")
def create_cluster(*, actor: Actor, **values: Unpack[Identity]) -> Cluster:
    """A new cluster of the acting account manager, with the source its files come in by. Raises InvalidInput."""
    cluster = Cluster(owner_id=person_id(actor), office=working_office(actor, Role.ACCOUNT_MANAGER))
    _set_identity(cluster, {"kind": "", "code": "", "name": "", "anchor_name": "", **values})
    if not actor.holds(MANAGER, cluster.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event="create")
    try:
        with transaction.atomic():
            source = RecordSource(office=cluster.office, code=f"cluster-{cluster.code}", name=cluster.name)
            source.save(force_insert=True)
            cluster.source = source
            created = create(cluster, actor=actor, roles=MANAGER)
    except IntegrityError as error:
        raise InvalidInput(fields={"code": [_("This code is taken.")]}) from error
    record("recordsource.create", source, actor=actor, before={})
    return created


@use_case("update_cluster")
def update_cluster(
    *, actor: Actor, cluster_id: int, expected_version: int | None = None, **values: Unpack[Identity]
) -> Cluster:
    """Change what a draft is called and stands around; its code stays. Raises InvalidInput by field."""
    with change(
        Cluster,
        cluster_id,
        "update",
        actor=actor,
        roles=MANAGER,
        states=("draft",),
        expected_version=expected_version,
    ) as cluster:
        if values.get("code", cluster.code) != cluster.code:
            raise InvalidInput(fields={"code": [_("The code stays as it is.")]})
        _set_identity(cluster, values)
        RecordSource.objects.filter(pk=cluster.source_id).update(name=cluster.name)
    return cluster


@use_case("reassign_cluster")
def reassign_cluster(
    *, actor: Actor, cluster_id: int, owner_id: int, reason: str, expected_version: int | None = None
) -> Cluster:
    """Hand a cluster to another account manager; members who are customers stay with whoever looks after them."""
    reason = clean_reason(reason)
    with change(
        Cluster,
        cluster_id,
        "reassign",
        actor=actor,
        roles=frozenset({Role.BRANCH_MANAGER}),
        states=OPEN_STATES,
        reason=reason,
        expected_version=expected_version,
    ) as cluster:
        cluster.owner = account_manager(owner_id, cluster.office)
    publish("cluster.reassigned", cluster_id=cluster.pk, owner_id=owner_id)
    return cluster


@use_case("evaluate_cluster")
def evaluate_cluster(
    *, actor: Actor, cluster_id: int, expected_version: int | None = None, **values: Unpack[Evaluation]
) -> Cluster:
    """Set what the cluster is judged by, work out its score and grade, and propose caps.

    Nothing of it is in force before a second person says so. Raises InvalidInput by field.
    """
    with change(
        Cluster,
        cluster_id,
        "evaluate",
        actor=actor,
        roles=MANAGER,
        states=JUDGED_IN,
        expected_version=expected_version,
    ) as cluster:
        for field, value in values.items():
            if field not in Evaluation.__annotations__:
                raise TypeError(f"a cluster is not judged by {field}")
            setattr(cluster, field, value)
        _check_evaluation(cluster)
        score = evaluation_of(cluster)
        if score is not None:
            cluster.score, cluster.proposed_grade = score.total, score.grade
        cluster.proposed_by_id = actor.user_id
    return cluster


@use_case("submit_cluster")
def submit_cluster(*, actor: Actor, cluster_id: int, expected_version: int | None = None) -> Cluster:
    """Hand a judged cluster to a second person. Raises Unmet while something it is judged by is missing."""
    with transition(Cluster, cluster_id, "submit", actor=actor, expected_version=expected_version) as cluster:
        if not cluster.proposed_grade or cluster.proposed_cap is None:
            raise Unmet(_("Evaluate the cluster and propose its caps first."), missing=list(EVALUATION))
    return cluster


@use_case("send_back_cluster")
def send_back_cluster(*, actor: Actor, cluster_id: int, reason: str, expected_version: int | None = None) -> Cluster:
    """Back to the account manager, with the reason."""
    reason = clean_reason(reason)
    with transition(
        Cluster, cluster_id, "send_back", actor=actor, reason=reason, expected_version=expected_version
    ) as cluster:
        pass
    return cluster


@use_case("activate_cluster")
def activate_cluster(*, actor: Actor, cluster_id: int, expected_version: int | None = None) -> Cluster:
    """Grade and caps as proposed are in force from today. Raises DutiesConflict for who proposed them."""
    with transition(Cluster, cluster_id, "activate", actor=actor, expected_version=expected_version) as cluster:
        _put_in_force(cluster, actor)
    return cluster


@use_case("approve_cluster_cap")
def approve_cluster_cap(*, actor: Actor, cluster_id: int, expected_version: int | None = None) -> Cluster:
    """Grade and caps proposed since it became active come in force. Raises DutiesConflict for who proposed them."""
    with change(
        Cluster,
        cluster_id,
        "approve_cap",
        actor=actor,
        roles=JUDGES,
        states=("active", "suspended"),
        expected_version=expected_version,
    ) as cluster:
        if not cluster.has_proposal:
            raise WrongState(_("Nothing is proposed that is not in force."), state=cluster.state, event="approve_cap")
        _put_in_force(cluster, actor)
    return cluster


@use_case("suspend_cluster")
def suspend_cluster(*, actor: Actor, cluster_id: int, reason: str, expected_version: int | None = None) -> Cluster:
    """No more pre-screening, leads or loans by it until it is resumed; what stands goes on."""
    reason = clean_reason(reason)
    with transition(
        Cluster, cluster_id, "suspend", actor=actor, reason=reason, expected_version=expected_version
    ) as cluster:
        pass
    return cluster


@use_case("resume_cluster")
def resume_cluster(*, actor: Actor, cluster_id: int, reason: str = "", expected_version: int | None = None) -> Cluster:
    """A suspended cluster is active again, under the caps in force."""
    with transition(
        Cluster, cluster_id, "resume", actor=actor, reason=reason.strip(), expected_version=expected_version
    ) as cluster:
        pass
    return cluster


@use_case("close_cluster")
def close_cluster(*, actor: Actor, cluster_id: int, reason: str, expected_version: int | None = None) -> Cluster:
    """For good. Its members and what was found about them stay on file."""
    reason = clean_reason(reason)
    with transition(
        Cluster, cluster_id, "close", actor=actor, reason=reason, expected_version=expected_version
    ) as cluster:
        RecordSource.objects.filter(pk=cluster.source_id).update(is_active=False)
    return cluster


@use_case("take_in_members")
def take_in_members(
    *, actor: Actor, cluster_id: int, file: Any = None, rows: Sequence[Mapping[str, Any]] | None = None
) -> RecordImport:
    """Keep a file of members (CSV or Excel); its columns are settled next. `rows` in its place start at once.

    Raises InvalidInput for what is no table.
    """
    return _take_in(actor, cluster_id, RecordImport.Layout.CLUSTER_MEMBERS, file, rows)


@use_case("take_in_documents")
def take_in_documents(
    *, actor: Actor, cluster_id: int, file: Any = None, rows: Sequence[Mapping[str, Any]] | None = None
) -> RecordImport:
    """The same for orders and receivables between members and the anchor."""
    return _take_in(actor, cluster_id, RecordImport.Layout.CHAIN_DOCUMENTS, file, rows)


def _take_in(
    actor: Actor, cluster_id: int, layout: str, file: Any, rows: Sequence[Mapping[str, Any]] | None
) -> RecordImport:
    cluster = lock(Cluster, cluster_id, actor)
    if cluster.owner_id != actor.user_id or not actor.holds(MANAGER, cluster.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event="take_in")
    if cluster.state not in OPEN_STATES:
        raise WrongState(_("This cluster is closed."), state=cluster.state, event="take_in")
    return receive_import(actor=actor, source_id=cluster.source_id, layout=layout, file=file, rows=rows)


# --- inside


def _put_in_force(cluster: Cluster, actor: Actor) -> None:
    if cluster.proposed_by_id == actor.user_id:
        raise DutiesConflict(_("You proposed these caps, so somebody else must set them in force."))
    cluster.grade, cluster.cap, cluster.member_cap = (
        cluster.proposed_grade,
        cluster.proposed_cap,
        cluster.proposed_member_cap,
    )
    cluster.cap_proposed_by_id, cluster.cap_set_by_id = cluster.proposed_by_id, actor.user_id
    cluster.cap_set_on = business_date()
    work_out(cluster, cluster.cap_set_on)


def _set_identity(cluster: Cluster, values: Identity) -> None:
    checker = Checker()
    for field, value in values.items():
        if field not in Identity.__annotations__:
            raise TypeError(f"a cluster has no {field}")
        setattr(cluster, field, str(value or "").strip())
    if cluster.kind not in Cluster.Kind.values:
        checker.refuse("kind", _("Choose one."))
    if not _CODE.fullmatch(cluster.code):
        checker.refuse("code", _("Small letters, digits, - and _; at most 32."))
    for field in ("name", "anchor_name"):
        if not getattr(cluster, field):
            checker.refuse(field, _("This field is required."))
        elif len(getattr(cluster, field)) > 120:
            checker.refuse(field, _("At most %(count)d characters.") % {"count": 120})
    if cluster.anchor_uscc:
        try:
            cluster.anchor_uscc = parse_uscc(cluster.anchor_uscc)
        except IdentityError as error:
            checker.refuse("anchor_uscc", identity_message(error.code))
    checker.done()
    cluster.anchor_customer = Customer.objects.filter(uscc=cluster.anchor_uscc or None).first()


def _check_evaluation(cluster: Cluster) -> None:
    checker = Checker()
    if cluster.anchor_standing not in Cluster.Standing.values:
        checker.refuse("anchor_standing", _("Choose one."))
    for field, most in (
        ("anchor_years", 300),
        ("members_count", 1_000_000),
        ("members_left", 1_000_000),
        ("defaulted_members", 1_000_000),
        ("years_running", 300),
    ):
        value = getattr(cluster, field)
        if value is None or not 0 <= value <= most:
            checker.refuse(field, _("Enter a whole number from 0 to %(most)d.") % {"most": most})
    for field in ("proposed_cap", "proposed_member_cap"):
        value = getattr(cluster, field)
        if value is None or not 0 < value < _MOST or value != round(value, 2):
            checker.refuse(field, _("Enter an amount above zero."))
    checker.done()
    if cluster.proposed_member_cap > cluster.proposed_cap:  # type: ignore[operator]
        checker.refuse("proposed_member_cap", _("No more than the cap of the whole cluster."))
    if (cluster.defaulted_members or 0) > (cluster.members_count or 0) + (cluster.members_left or 0):
        checker.refuse("defaulted_members", _("There are not that many members."))
    checker.done()
