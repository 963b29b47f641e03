"""Who is told of what happens to leads and customers, after the commit."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from branch.domain.roles import Role
from branch.models import Office
from branch.queries.actors import holders_of
from branch.queries.notifications import notice
from branch.services.notifications import notify
from branch.services.outbox import consumer
from customers.models import ScreeningHit

LEAD_GIVEN = notice("lead.reassigned", _("A lead was handed over to you"))
LEADS_COME = notice("leads.given", _("New leads came in for you: %(number)s"))
SUGGESTION_ANSWERED = notice("suggestion.answered", _("Head office answered your suggestion"))
CLUSTER_GIVEN = notice("cluster.reassigned", _("A cluster was handed over to you"))
CUSTOMER_GIVEN = notice("customer.reassigned", _("A customer was handed over to you"))
MERGED = notice("customer.merged", _("Two files of a customer of yours were merged"))
MERGE_UNDONE = notice("customer.merge_undone", _("A merge of two customers was undone"))


@consumer("lead.reassigned", "new owner")
def tell_of_lead(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], LEAD_GIVEN, reverse("lead-detail", args=[payload["lead_id"]]))


@consumer("leads.given", "new owner")
def tell_of_leads(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], LEADS_COME, f"{reverse('lead-list')}?state=new", number=payload["number"])


@consumer("suggestion.answered", "who suggested it")
def tell_of_answer(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], SUGGESTION_ANSWERED, reverse("suggestion-detail", args=[payload["suggestion_id"]]))


@consumer("customer.reassigned", "new owner")
def tell_of_customer(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], CUSTOMER_GIVEN, reverse("customer-detail", args=[payload["customer_id"]]))


@consumer("customer.merged", "owner")
def tell_of_merge(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], MERGED, reverse("customer-detail", args=[payload["customer_id"]]))


@consumer("customer.merge_undone", "owner")
def tell_of_parting(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], MERGE_UNDONE, reverse("customer-detail", args=[payload["customer_id"]]))


@consumer("cluster.reassigned", "new owner")
def tell_of_cluster(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], CLUSTER_GIVEN, reverse("cluster-detail", args=[payload["cluster_id"]]))


HITS_FOUND = notice("screening.found", _("Found alike to watchlists: %(count)s; to be looked into"))
HIT_PROPOSED = notice("screening.proposed", _("A screening hit waits for a second person"))
HIT_DECIDED = notice("screening.decided", _("A screening hit of your customer was settled"))


@consumer("screening.found", "owner and reviewers")
def tell_of_hits(payload: dict[str, Any]) -> None:
    """One line each, however many hits there are: the only one by its page, several by the list of open ones."""
    only = payload["count"] == 1
    url = reverse("screening_hit-detail", args=[payload["first_id"]]) if only else _open_hits()
    office = Office.objects.get(pk=payload["office_id"])
    people = {payload["owner_id"], *holders_of(Role.RISK_REVIEWER, office.path)} - {None}
    for user_id in sorted(people):
        notify(user_id, HITS_FOUND, url, count=payload["count"])


@consumer("screening.proposed", "second people")
def tell_of_proposal(payload: dict[str, Any]) -> None:
    hit = ScreeningHit.objects.select_related("office", "customer", "lead").get(pk=payload["hit_id"])
    roles = (Role.RISK_REVIEWER, Role.POST_LOAN_OFFICER)
    people = {user_id for role in roles for user_id in holders_of(role, hit.office.path)}
    for user_id in sorted(people - {hit.proposed_by_id, hit.subject_owner_id}):
        notify(user_id, HIT_PROPOSED, reverse("screening_hit-detail", args=[hit.pk]))


@consumer("screening.decided", "owner")
def tell_of_decision(payload: dict[str, Any]) -> None:
    hit = ScreeningHit.objects.select_related("customer", "lead").get(pk=payload["hit_id"])
    if hit.subject_owner_id is not None:
        notify(hit.subject_owner_id, HIT_DECIDED, reverse("screening_hit-detail", args=[hit.pk]))


def _open_hits() -> str:
    return f"{reverse('screening_hit-list')}?state=open"
