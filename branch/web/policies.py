"""What every policy in versions offers: drafting, handing in, activating, changing a draft, sending back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.web.forms import ActionForm, DateField, ReasonForm
from branch.web.noun import Action, Text

Initial = Callable[[Actor, Any], dict[str, Any]]


class ActivateForm(ActionForm):
    active_from_date = DateField(label=_("In force from"), required=False, help_text=_("Empty: today."))


def waiting_for(rows: QuerySet, actor: Actor) -> QuerySet:
    """Versions that wait for this person: handed in, and not drafted by them."""
    return rows.filter(state="submitted").exclude(drafted_by=actor.user_id)


def version_facts(row: Any) -> list[tuple[Text, Any]]:
    """Who made a version, who let it in force, and since when it is."""
    return [
        (_("Drafted by"), row.drafted_by),
        (_("Activated by"), row.activated_by),
        (_("In force from"), row.active_from_date),
    ]


def policy_actions(
    *,
    label: Text,
    confirm: Text,
    drafters: frozenset[Role],
    draft: Callable[..., Any],
    submit: Callable[..., Any],
    activate: Callable[..., Any],
    update: Callable[..., Any],
    reject: Callable[..., Any],
    form: type[ActionForm],
    initial: Initial,
    draft_form: type[ActionForm] | None = None,
    draft_initial: Initial | None = None,
    full_page: bool = False,
) -> tuple[Action, ...]:
    """The actions of a policy's noun, by its services.

    `initial` fills the form with a draft that is changed, `draft_initial` the form of a new one.
    `label` is the button of a new draft, `confirm` what is said before a version comes in force.
    """
    return (
        Action(
            "create",
            label,
            draft,
            form=draft_form or form,
            on="list",
            bank_wide=True,
            roles=drafters,
            tone="primary",
            full_page=full_page,
            initial=draft_initial,
        ),
        Action("submit", _("Submit"), submit, event="submit", tone="primary"),
        Action(
            "activate", _("Activate"), activate, form=ActivateForm, event="activate", tone="primary", confirm=confirm
        ),
        Action(
            "update",
            _("Edit"),
            update,
            form=form,
            roles=drafters,
            method="PATCH",
            partial=True,
            full_page=full_page,
            when=lambda row: row.state == "draft",
            initial=initial,
        ),
        Action("reject", _("Send back"), reject, form=ReasonForm, event="reject", tone="danger"),
    )
