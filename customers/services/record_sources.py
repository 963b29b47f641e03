"""Keeping the register of sources, and what each calls our customers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.models import Office
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.transition import change, create
from branch.services.use_case import use_case
from customers.models import FirmCode, InvoiceMonth, RecordSource, TouchedMonth
from customers.queries.visibility import importable_customers
from customers.services.imports import SENDERS

KEEPERS = frozenset({Role.ADMINISTRATOR, Role.POLICY_MANAGER})
MOST_FIRMS = 5000
LONGEST_CODE = 60
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)


@use_case("create_source")
def create_source(
    *,
    actor: Actor,
    code: str,
    name: str,
    identical_rows: str = "once",
    total_tolerance: Decimal = Decimal("0.01"),
    consent_scope: str = "",
) -> RecordSource:
    """Register a source at the head office. Raises InvalidInput for a code that is taken."""
    if not _CODE.fullmatch(code):
        raise InvalidInput(fields={"code": [_("Small letters, digits, - and _; at most 40.")]})
    if not actor.holds_bank_wide(KEEPERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="create")
    source = RecordSource(
        office=Office.objects.get(parent=None),
        code=code,
        name=name.strip(),
        identical_rows=identical_rows,
        total_tolerance=total_tolerance,
        consent_scope=consent_scope,
    )
    try:
        with transaction.atomic():
            return create(source, actor=actor, roles=KEEPERS)
    except IntegrityError as error:
        raise InvalidInput(fields={"code": [_("There is a source of this code already.")]}) from error


@use_case("update_source")
def update_source(
    *, actor: Actor, record_source_id: int, expected_version: int | None = None, **values: Any
) -> RecordSource:
    """Change name, rules or use. A new rule for identical rows has the months of its customers worked out anew."""
    with change(
        RecordSource, record_source_id, "update", actor=actor, roles=KEEPERS, expected_version=expected_version
    ) as source:
        was = source.identical_rows
        for field, value in values.items():
            if field not in ("name", "identical_rows", "total_tolerance", "consent_scope", "is_active"):
                raise TypeError(f"a source's {field} is not changed")
            setattr(source, field, value)
    if source.identical_rows != was:
        months = InvoiceMonth.objects.filter(source=source).values_list("customer_id", "month")
        last = source.imports.filter(state="done").order_by("-pk").first()
        if last is not None:
            TouchedMonth.objects.bulk_create(
                (TouchedMonth(record_import=last, customer_id=pk, month=month) for pk, month in months.iterator()),
                batch_size=5000,
                ignore_conflicts=True,
            )
    return source


@use_case("map_firms")
def map_firms(*, actor: Actor, source_id: int, firms: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Settle what the source calls customers: `{"code", "uscc"}` each. Good rows are kept, others told by place.

    Returns {"mapped": n, "unchanged": n, "rejected": [{"row", "reason"}]}. A code that belonged to another customer
    moves; invoices that came in before stay with whom they came in for.
    """
    source = visible(RecordSource, actor).filter(pk=source_id).first()
    if source is None:
        raise NotFound(_("There is no such record."))
    if not actor.roles & SENDERS:
        raise PermissionRefused(_("Your role does not allow this here."), event="map_firms")
    if not isinstance(firms, list | tuple) or not 0 < len(firms) <= MOST_FIRMS:
        raise InvalidInput(fields={"firms": [_("Send 1 to %(most)d rows.") % {"most": MOST_FIRMS}]})
    codes = {row: _texts(firm) for row, firm in enumerate(firms)}
    customers = dict(
        importable_customers(actor).filter(uscc__in={uscc for _code, uscc in codes.values()}).values_list("uscc", "pk")
    )
    present = dict(FirmCode.objects.filter(source=source).select_for_update().values_list("code", "customer_id"))
    held = {present[code] for code, _uscc in codes.values() if code in present}
    within_reach = set(importable_customers(actor).filter(pk__in=held).values_list("pk", flat=True))
    rejected, mapped = [], 0
    for row, (code, uscc) in codes.items():
        if not 0 < len(code) <= LONGEST_CODE:
            rejected.append({"row": row, "reason": _("The code is missing or too long.")})
        elif uscc not in customers:
            rejected.append({"row": row, "reason": _("No customer of this unified social credit code.")})
        elif code in present and present[code] not in within_reach | {customers[uscc]}:
            rejected.append({"row": row, "reason": _("This code is another customer's, whom you do not look after.")})
        elif present.get(code) != customers[uscc]:
            FirmCode.objects.update_or_create(source=source, code=code, defaults={"customer_id": customers[uscc]})
            present[code] = customers[uscc]
            mapped += 1
    if mapped:
        record("recordsource.map_firms", source, actor=actor, before={}, after={"mapped": mapped})
    return {"mapped": mapped, "unchanged": len(codes) - mapped - len(rejected), "rejected": rejected}


def _texts(firm: Any) -> tuple[str, str]:
    values = firm if isinstance(firm, Mapping) else {}
    return str(values.get("code") or "").strip(), str(values.get("uscc") or "").strip().upper()
