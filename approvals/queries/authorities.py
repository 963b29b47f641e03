"""How much a person may decide."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q

from approvals.domain.routing import AuthorityLine, limit_for
from approvals.models import Authority
from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from loans.models import Application


def grade_of(application: Application) -> str:
    """The risk grade the investigation found; empty before there is one."""
    investigation = getattr(application, "investigation", None)
    return str(investigation.findings.get("risk_grade", "")) if investigation else ""


def authority_limit(actor: Actor, application: Application) -> Decimal:
    """Up to what amount this person may decide this file today, in yuan; zero without an authority."""
    today = business_date()
    path = application.office.path
    above = [int(part) for part in path.strip("/").split("/") if part]
    rows = Authority.objects.filter(
        Q(end_date__isnull=True) | Q(end_date__gte=today),
        ended_on__isnull=True,
        user_id=actor.person_id,
        office_id__in=above,
        effective_date__lte=today,
    )
    lines = [AuthorityLine(r.family, r.guarantee_mode, r.worst_grade, r.limit_amount) for r in rows]
    return limit_for(
        lines,
        family=application.product_version.product.family,
        guarantee_mode=application.guarantee_mode,
        grade=grade_of(application),
    )
