"""Lists of leads from a file or a call, through the pipeline all files come in by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.models import Office
from branch.services.transition import create
from branch.services.use_case import use_case
from customers.models import Lead, RecordImport, RecordSource
from customers.queries.campaigns import running_campaign
from customers.services.imports import receive_import

SENDERS = frozenset({Role.ACCOUNT_MANAGER, Role.INTEGRATION})
#: The source all lists of leads come in by: it remembers what their columns are called.
SOURCE_CODE = "leads"


@use_case("receive_leads")
def receive_leads(
    *,
    actor: Actor,
    file: Any = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
    source: str = Lead.Source.PLATFORM,
    by_load: bool = False,
    campaign_id: int | None = None,
    mapping: Mapping[str, str] | None = None,
    sha256: str = "",
    start: bool = False,
) -> RecordImport:
    """Keep a list of leads; a worker takes it in row by row once its columns are settled (see `receive_import`).

    `source` is where those came from whose row doesn't say it. The leads are the sender's own; `by_load`, and where
    the sender is no account manager, they are shared out among the account managers of the office.
    """
    if not actor.roles & SENDERS:
        raise PermissionRefused(_("Your role does not allow this here."), event="receive_leads")
    if source not in Lead.Source.values:
        raise InvalidInput(fields={"source": [_("Choose where the lead came from.")]})
    if campaign_id:
        running_campaign(actor, campaign_id)
    return receive_import(
        actor=actor,
        source_id=_lists().pk,
        layout=RecordImport.Layout.LEADS,
        file=file,
        rows=rows,
        mapping=mapping,
        sha256=sha256,
        start=start,
        options={"source": source, "by_load": by_load, "campaign_id": campaign_id},
    )


def _lists() -> RecordSource:
    head = Office.objects.select_for_update().get(parent=None)
    found = RecordSource.objects.filter(code=SOURCE_CODE).first()
    if found is not None:
        return found
    source = RecordSource(office=head, code=SOURCE_CODE, name="线索名单 Lists of leads")
    return create(source, actor=system_actor(), roles=frozenset({Role.SYSTEM}))
