"""Keeping watchlists and sending their files; for the bank as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet
from branch.models import Office
from branch.queries.visibility import visible
from branch.services.transition import change, create
from branch.services.use_case import use_case
from customers.models import RecordImport, Watchlist
from customers.queries.visibility import LIST_KEEPERS
from customers.services.imports import receive_import
from customers.services.record_sources import create_source

#: Sources of lists are told from others by their code.
CODE = "list-{code}"


@use_case("create_watchlist")
def create_watchlist(*, actor: Actor, code: str, name: str, kind: str, is_complete: bool = True) -> Watchlist:
    """A new list, with the source its files come from. Raises InvalidInput by field, PermissionRefused."""
    name = _named(name)
    _check_kind(kind)
    source = create_source(actor=actor, code=CODE.format(code=code)[:40], name=name)
    watchlist = Watchlist(
        office=Office.objects.get(parent=None),
        code=code,
        name=name,
        kind=kind,
        is_complete=is_complete,
        source=source,
    )
    return create(watchlist, actor=actor, roles=LIST_KEEPERS)


@use_case("update_watchlist")
def update_watchlist(
    *, actor: Actor, watchlist_id: int, expected_version: int | None = None, **values: Any
) -> Watchlist:
    """Change name, kind, use, or whether a file is the whole list. Hits of a list out of use stay to be settled."""
    if unknown := set(values) - {"name", "kind", "is_active", "is_complete"}:
        raise TypeError(f"a watchlist has no {', '.join(sorted(unknown))}")
    with change(
        Watchlist, watchlist_id, "update", actor=actor, roles=LIST_KEEPERS, expected_version=expected_version
    ) as watchlist:
        for field, value in values.items():
            setattr(watchlist, field, value)
        watchlist.name = _named(watchlist.name)
        _check_kind(watchlist.kind)
    return watchlist


@use_case("send_list")
def send_list(
    *,
    actor: Actor,
    watchlist_id: int,
    file: Any = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
    mapping: Mapping[str, str] | None = None,
    start: bool = False,
) -> RecordImport:
    """A file of the list on its way in, as receive_import takes it. Raises Unmet for a list out of use."""
    watchlist = visible(Watchlist, actor).filter(pk=watchlist_id).first()
    if watchlist is None:
        raise NotFound(_("There is no such record."))
    if not actor.holds_bank_wide(LIST_KEEPERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="send")
    if not watchlist.is_active:
        raise Unmet(_("This list is out of use."))
    layout = RecordImport.Layout.WATCHLIST
    return receive_import(
        actor=actor, source_id=watchlist.source_id, layout=layout, file=file, rows=rows, mapping=mapping, start=start
    )


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 120:
        raise InvalidInput(fields={"name": [_("Give it a name of at most 120 characters.")]})
    return name


def _check_kind(kind: str) -> None:
    if kind not in Watchlist.Kind.values:
        raise InvalidInput(fields={"kind": [_("Choose one of the kinds.")]})
