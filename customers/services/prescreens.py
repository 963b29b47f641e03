"""Pre-screening: all present members of a cluster through the decision table, chunk by chunk, and leads made of them.

The run's row coordinates: it says how many members are done, in the transaction that did them. A killed worker's run
goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet, WrongState
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.presence import presence
from branch.services.transition import create, lock, transition
from branch.services.use_case import use_case
from customers.domain.prescreen import Answer, Outcome, Table, TableError
from customers.models import Cluster, ClusterMember, Lead, PrescreenResult, PrescreenRun
from customers.queries.clusters import current_members
from customers.queries.leads import OPEN_STATES
from customers.queries.offices import person_id
from customers.queries.prescreens import facts_of, model_in_force, table_of
from customers.services.clusters import MANAGER
from customers.services.financeable import work_out
from customers.services.leads import capture_lead

logger = structlog.get_logger(__name__)
#: First key of the session lock of the worker that is at a run.
RUN_LOCK = 0x1AA
LONGEST_WAIT = timedelta(minutes=5)
#: How often a run that breaks is taken up again before it has failed.
MOST_ATTEMPTS = 6
#: Leads made in one call: each is compared with all that is on file, some 65 ms a lead.
MOST_LEADS = 200


@use_case("start_prescreen")
def start_prescreen(*, actor: Actor, cluster_id: int) -> PrescreenRun:
    """Have a worker pre-screen all present members. Raises WrongState unless active, Unmet without members."""
    cluster = _own_active(actor, cluster_id, "prescreen")
    members = current_members(cluster)
    until = members.aggregate(last=Max("pk"))["last"]
    if until is None:
        raise Unmet(_("Take in members first."))
    today = business_date()
    # What was late yesterday may be late for good today, and the cap another one.
    work_out(cluster, today)
    model = model_in_force(today)
    run = PrescreenRun(
        office=cluster.office,
        cluster=cluster,
        prescreen_model=model,
        values=table_of(model),
        grade=cluster.grade,
        member_cap=cluster.member_cap or Decimal(0),
        started_by_id=person_id(actor),
        members_total=members.count(),
        until_member_id=until,
    )
    try:
        with transaction.atomic():
            create(run, actor=actor, roles=MANAGER, event="start")
    except IntegrityError as error:
        raise WrongState(_("A pre-screening is under way."), state="running", event="prescreen") from error
    after_commit("customers.tasks.run_prescreen", run.pk)
    return run


def _own_active(actor: Actor, cluster_id: int, event: str) -> Cluster:
    """The cluster, locked. Raises PermissionRefused for another's, WrongState unless it is active."""
    cluster = lock(Cluster, cluster_id, actor)
    if cluster.owner_id != actor.user_id or not actor.holds(MANAGER, cluster.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    if cluster.state != "active":
        raise WrongState(
            _("Only an active cluster is pre-screened and lent to."), state=cluster.state, event=event,
            possible_from=["active"], id=cluster.pk,
        )  # fmt: skip
    return cluster


# --- the worker's part


def run_prescreen(run_id: int) -> bool:
    """Pre-screen the members of a run from where it stands. False when there is nothing to do here.

    Raises what went wrong after noting it; the run is tried again later, and has failed after MOST_ATTEMPTS.
    """
    with presence(RUN_LOCK, run_id) as is_alone:
        run = PrescreenRun.objects.filter(pk=run_id, state="running").first() if is_alone else None
        if run is None:
            return False
        try:
            chunk = run.chunks_done
            while prescreen_chunk(prescreen_run_id=run_id, chunk=chunk):
                chunk += 1
            finish_prescreen(prescreen_run_id=run_id)
        except Exception as error:
            logger.exception("pre-screening failed", prescreen_run=run_id)
            _note_failure(run, error)
            raise
        return True


@use_case("prescreen_chunk")
def prescreen_chunk(*, prescreen_run_id: int, chunk: int) -> bool:
    """Pre-screen the next members, and note that chunk number `chunk` is done. False after the last."""
    run = PrescreenRun.objects.select_for_update().filter(pk=prescreen_run_id, state="running").first()
    if run is None or run.chunks_done != chunk:
        return False
    size = parameter("prescreen.chunk_members")
    members = list(
        ClusterMember.objects.filter(
            cluster_id=run.cluster_id, left_on=None, pk__gt=run.last_member_id, pk__lte=run.until_member_id
        ).order_by("pk")[:size]
    )
    results = _results(run, members)
    PrescreenResult.objects.bulk_create(results)
    counts = Counter(run.counts) + Counter(result.outcome for result in results)
    PrescreenRun.objects.filter(pk=run.pk).update(
        members_done=run.members_done + len(members),
        chunks_done=chunk + 1,
        last_member_id=members[-1].pk if members else run.last_member_id,
        counts=dict(counts),
        amount_total=run.amount_total + sum((result.amount for result in results), Decimal(0)),
        last_error="",
    )
    return len(members) == size


def _results(run: PrescreenRun, members: Sequence[ClusterMember]) -> list[PrescreenResult]:
    table, facts = Table(run.values), facts_of(members, run)
    found = []
    for member in members:
        answer = _answer(table, facts[member.pk])
        found.append(
            PrescreenResult(
                run=run,
                member=member,
                outcome=answer.outcome.value,
                amount=answer.amount,
                reasons=list(answer.reasons),
                facts=facts[member.pk],
            )
        )
    return found


def _answer(table: Table, facts: dict[str, Any]) -> Answer:
    """A member the table has no answer for is looked at by a person; the others go on."""
    try:
        return table.ask(facts)
    except TableError as error:
        return Answer(Outcome.REFER, Decimal(0), ({"code": "no_answer", "value": str(error)},))


@use_case("finish_prescreen")
def finish_prescreen(*, prescreen_run_id: int) -> PrescreenRun | None:
    """Note that all members are done. None where that was noted before."""
    if not PrescreenRun.objects.select_for_update().filter(pk=prescreen_run_id, state="running").exists():
        return None
    with transition(PrescreenRun, prescreen_run_id, "finish", actor=system_actor()) as run:
        # Members that left meanwhile are not among them any more.
        run.members_total = run.members_done
        run.finished_at = timezone.now()
    return run


@use_case("fail_prescreen")
def fail_prescreen(*, prescreen_run_id: int, reason: str) -> PrescreenRun | None:
    """Give a run up that broke again and again; another one can be started. None where it has ended."""
    if not PrescreenRun.objects.select_for_update().filter(pk=prescreen_run_id, state="running").exists():
        return None
    with transition(PrescreenRun, prescreen_run_id, "fail", actor=system_actor(), reason=reason[:2000]) as run:
        run.finished_at = timezone.now()
    return run


def _note_failure(run: PrescreenRun, error: Exception) -> None:
    attempts = run.attempts + 1
    told = f"{type(error).__name__}: {error}"[:2000]
    PrescreenRun.objects.filter(pk=run.pk, state="running").update(
        attempts=attempts,
        last_error=told,
        next_attempt_at=timezone.now() + min(timedelta(seconds=2**attempts), LONGEST_WAIT),
    )
    if attempts >= MOST_ATTEMPTS:
        fail_prescreen(prescreen_run_id=run.pk, reason=told)


def waiting_prescreens(limit: int = 20) -> list[int]:
    """Runs that are due to be taken up (again), the oldest first."""
    rows = PrescreenRun.objects.filter(state="running", next_attempt_at__lte=timezone.now()).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])


# --- leads


@dataclass(frozen=True)
class MadeLead:
    """What became of one member: "made", "open" (it has an open lead) or "refused", with the reason in words."""

    member_id: int
    name: str
    outcome: str
    reason: str = ""
    lead_id: int | None = None


@use_case("make_cluster_leads")
def make_cluster_leads(
    *,
    actor: Actor,
    cluster_id: int,
    member_ids: Sequence[int] = (),
    prescreen_run_id: int | None = None,
    capture_anyway: bool = False,
    anyway_reason: str = "",
) -> list[MadeLead]:
    """Leads of the acting account manager from members, row by row: one that can't be made leaves the others.

    Members are named, or are all that are fit in a run. The lead asks for what was pre-approved last. A member that
    has an open lead keeps it. `capture_anyway`: see `capture_lead`. Raises InvalidInput for members of another cluster.
    """
    cluster = _own_active(actor, cluster_id, "make_leads")
    members = _chosen(cluster, member_ids, prescreen_run_id)
    amounts = _pre_approved(members)
    options: dict[str, Any] = {"capture_anyway": capture_anyway, "anyway_reason": anyway_reason}
    made = [_make(actor, cluster, member, amounts.get(member.pk), options) for member in members]
    counts = Counter(row.outcome for row in made)
    record("cluster.make_leads", cluster, actor=actor, before={}, after=dict(counts))
    return made


def _chosen(cluster: Cluster, member_ids: Sequence[int], run_id: int | None) -> list[ClusterMember]:
    rows = current_members(cluster).select_related("lead", "cluster").order_by("pk")
    if run_id is not None:
        fit = PrescreenResult.objects.filter(run_id=run_id, run__cluster=cluster, outcome=Outcome.FIT)
        return list(rows.filter(pk__in=fit.values("member_id"), lead=None)[:MOST_LEADS])
    wanted = set(member_ids)
    if not 0 < len(wanted) <= MOST_LEADS:
        raise InvalidInput(fields={"member_ids": [_("Choose 1 to %(most)d members.") % {"most": MOST_LEADS}]})
    found = list(rows.filter(pk__in=wanted).select_for_update(of=("self",)))
    if len(found) != len(wanted):
        raise InvalidInput(fields={"member_ids": [_("Choose present members of this cluster.")]})
    return found


def _pre_approved(members: Sequence[ClusterMember]) -> dict[int, Decimal]:
    """What the last finished pre-screening gave each member."""
    rows = PrescreenResult.objects.filter(member__in=members, run__state="done").order_by("member", "-run_id")
    return dict(rows.distinct("member").values_list("member_id", "amount"))


def _make(
    actor: Actor, cluster: Cluster, member: ClusterMember, amount: Decimal | None, options: dict[str, Any]
) -> MadeLead:
    if member.lead is not None and member.lead.state in OPEN_STATES:
        return MadeLead(member.pk, member.name, "open", _("Has an open lead."), member.lead_id)
    try:
        lead = capture_lead(
            actor=actor,
            name=member.name,
            uscc=member.uscc or None,
            contact_name=member.contact_name,
            phone=member.phone,
            source=Lead.Source.CLUSTER.value,
            wanted_amount=amount or None,
            note=_("Member of %(cluster)s.") % {"cluster": cluster.name},
            **options,
        )
    except InvalidInput as refusal:
        return MadeLead(member.pk, member.name, "refused", _told(refusal))
    ClusterMember.objects.filter(pk=member.pk).update(lead=lead)
    return MadeLead(member.pk, member.name, "made", lead_id=lead.pk)


def _told(refusal: InvalidInput) -> str:
    if "contact_name" in refusal.fields:
        return _("The contact person is not known.")
    messages = [message for found in refusal.fields.values() for message in found[:1]]
    return " ".join(dict.fromkeys(messages)) or refusal.detail
