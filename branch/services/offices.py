"""The tree of offices: added to, renamed, rearranged."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.models import Office
from branch.services.events import record, snapshot
from branch.services.transition import lock
from branch.services.use_case import use_case

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR, Role.SYSTEM})
#: What each kind of office stands under.
PARENT_KIND = {Office.Kind.BRANCH: Office.Kind.HEAD_OFFICE, Office.Kind.SUB_BRANCH: Office.Kind.BRANCH}


def require_administrator(actor: Actor, office: Office, event: str) -> None:
    """Raises PermissionRefused unless the actor administers this office."""
    if not actor.holds(ADMINISTRATORS, office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)


@use_case("open_head_office")
def open_head_office(*, actor: Actor, code: str, name: str) -> Office:
    """The root of the tree, when a bank is set up. Raises Unmet once there is one, PermissionRefused for a person."""
    if not actor.is_system:
        raise PermissionRefused(_("Your role does not allow this here."), event="open_head_office")
    if Office.objects.filter(parent=None).exists():
        raise Unmet(_("There is a head office already."))
    return _add(actor, Office(code=code, name=name, kind=Office.Kind.HEAD_OFFICE), "/")


@use_case("create_office")
def create_office(*, actor: Actor, parent_id: int, code: str, name: str, kind: str) -> Office:
    """A branch under the head office, or a sub-branch under a branch. Raises InvalidInput for any other place."""
    parent = lock(Office, parent_id, actor)
    require_administrator(actor, parent, "create_office")
    office = Office(code=code, name=name, kind=kind, parent=parent)
    _require_place(office, parent)
    return _add(actor, office, parent.path)


def _add(actor: Actor, office: Office, parent_path: str) -> Office:
    _clean(office)
    office.save(force_insert=True)
    office.path = f"{parent_path}{office.pk}/"
    office.save(update_fields=["path"])
    record("office.create", office, actor=actor, before={})
    return office


@use_case("rename_office")
def rename_office(*, actor: Actor, office_id: int, name: str) -> Office:
    office = lock(Office, office_id, actor)
    require_administrator(actor, office, "rename_office")
    before = snapshot(office)
    office.name = name
    _clean(office)
    office.save()
    record("office.rename", office, actor=actor, before=before)
    return office


@use_case("move_office")
def move_office(*, actor: Actor, office_id: int, parent_id: int, reason: str) -> Office:
    """Put an office, with everything below it, under another one. What was recorded before keeps its old path.

    The actor must administer the office and both places. Raises InvalidInput where the office does not fit there.
    """
    # Every move locks the whole tree in one order, so that two moves can neither cross nor make a circle.
    list(Office.objects.order_by("pk").select_for_update().values_list("pk", flat=True))
    office, parent = lock(Office, office_id, actor), lock(Office, parent_id, actor)
    for place in (office.parent or office, parent):
        require_administrator(actor, place, "move_office")
    if parent.path.startswith(office.path):
        raise InvalidInput(fields={"parent_id": [_("An office can't stand under itself.")]})
    _require_place(office, parent)
    before, old_path = snapshot(office), office.path
    office.parent, office.path = parent, f"{parent.path}{office.pk}/"
    office.save()
    below = Office.objects.filter(path__startswith=old_path).exclude(pk=office.pk)
    below.update(path=Concat(Value(office.path), Substr(F("path"), len(old_path) + 1)))
    record("office.move", office, actor=actor, before=before, reason=reason)
    return office


def _require_place(office: Office, parent: Office) -> None:
    wanted = PARENT_KIND.get(Office.Kind(office.kind)) if office.kind in Office.Kind.values else None
    if wanted is None or parent.kind != wanted:
        raise InvalidInput(fields={"kind": [_("A branch stands under the head office, a sub-branch under a branch.")]})


def _clean(office: Office) -> None:
    office.code, office.name = office.code.strip(), office.name.strip()
    try:
        office.full_clean(exclude=["path", "parent"])
    except ValidationError as error:
        raise InvalidInput(fields=error.message_dict) from error
