"""Keeping the feeds: where a source is asked, how often, and which value goes into which column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.models import Office
from branch.services.transition import change, create
from branch.services.use_case import use_case
from branch.words import listed
from customers.domain.layouts import FIRM, LAYOUTS
from customers.models import Feed, RecordSource
from customers.queries.metrics import layout_of
from customers.services.imports import CLUSTER_LAYOUTS
from customers.services.providers import is_allowed
from customers.services.record_sources import KEEPERS

CHANGEABLE = frozenset(
    {"name", "layout", "url", "auth", "header_name", "secret", "rows_path", "paging", "paging_name", "columns",
     "every_hours", "is_active"}
)  # fmt: skip


@use_case("create_feed")
def create_feed(*, actor: Actor, source_id: int, **values: Any) -> Feed:
    """A feed of a source, first asked at once. Raises InvalidInput by field."""
    if not actor.holds_bank_wide(KEEPERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="create")
    source = RecordSource.objects.filter(pk=source_id).first()
    if source is None:
        raise NotFound(_("There is no such record."))
    feed = _with(Feed(source=source, office=Office.objects.get(parent=None), next_run_at=timezone.now()), values)
    try:
        with transaction.atomic():
            return create(feed, actor=actor, roles=KEEPERS)
    except IntegrityError as error:
        raise InvalidInput(fields={"name": [_("There is a feed of this name already.")]}) from error


@use_case("update_feed")
def update_feed(*, actor: Actor, feed_id: int, expected_version: int | None = None, **values: Any) -> Feed:
    """Change what is given; an empty token leaves the one on file. The breaker is closed: a person looked at it."""
    if not values.get("secret", True):
        del values["secret"]
    with change(Feed, feed_id, "update", actor=actor, roles=KEEPERS, expected_version=expected_version) as feed:
        _with(feed, values)
        feed.failures_in_row, feed.open_until = 0, None
    return feed


def _with(feed: Feed, values: Mapping[str, Any]) -> Feed:
    if unknown := set(values) - CHANGEABLE:
        raise TypeError(f"a feed has no {', '.join(sorted(unknown))}")
    for name, value in values.items():
        setattr(feed, name, value)
    if errors := _problems(feed):
        raise InvalidInput(fields=errors)
    return feed


def _problems(feed: Feed) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if feed.layout not in LAYOUTS or feed.layout in CLUSTER_LAYOUTS:
        return {"layout": [_("Choose what the file holds.")]}
    if not is_allowed(feed.url.replace("{uscc}", "X").replace("{month}", "2026-01")):
        errors["url"] = [_("This installation may not ask this address: it is not among its providers.")]
    elif feed.source.consent_scope and not feed.asks_by_customer:
        errors["url"] = [
            _("This source may be asked only about customers who allow it, one by one: put {uscc} into the address.")
        ]
    if feed.auth == Feed.Auth.HEADER and not feed.header_name:
        errors["header_name"] = [_("Name the header.")]
    if feed.auth != Feed.Auth.NONE and not feed.secret:
        errors["secret"] = [_("Enter the token.")]
    if feed.paging != Feed.Paging.NONE and not feed.paging_name:
        errors["paging_name"] = [_("Name the parameter, or where the next page is named.")]
    if not isinstance(feed.columns, dict) or not all(isinstance(path, str) for path in feed.columns.values()):
        return errors | {"columns": [_("Name a place for each column.")]}
    layout = layout_of(feed.layout)
    if unknown := sorted(set(feed.columns) - set(layout.names)):
        errors["columns"] = [_("Unknown columns: %(names)s.") % {"names": listed(unknown)}]
    elif lacking := sorted(set(layout.required) - set(feed.columns) - ({FIRM} if feed.asks_by_customer else set())):
        errors["columns"] = [_("Columns without a place: %(names)s.") % {"names": listed(lacking)}]
    return errors
