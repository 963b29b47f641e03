"""Which rows a person sees. Each app says it once per model; everything that reads rows asks here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import Role

M = TypeVar("M", bound=Model)
_SCOPES: dict[type[Model], Callable[[QuerySet, Actor], QuerySet]] = {}


def scope(model: type[Model]) -> Callable:
    """Register the function (queryset, actor) → queryset that cuts `model` down to what an actor may see."""

    def register(function: Callable[[QuerySet, Actor], QuerySet]) -> Callable[[QuerySet, Actor], QuerySet]:
        _SCOPES[model] = function
        return function

    return register


def is_open(model: type[Model]) -> bool:
    """Whether anybody sees rows of `model` at all."""
    return model in _SCOPES


def visible(model: type[M], actor: Actor) -> QuerySet[M]:
    """The rows of `model` this actor may see. Raises LookupError for a model without a scope: all is closed."""
    try:
        cut = _SCOPES[model]
    except KeyError:
        raise LookupError(f"{model.__name__} has no visibility scope") from None
    rows = model._default_manager.all()
    return rows if actor.is_system else cut(rows, actor)


def within_offices(actor: Actor, roles: Iterable[Role], office: str = "office") -> Q:
    """Rows whose office lies in a subtree where the actor holds one of `roles`."""
    roles = frozenset(roles)
    if actor.holds_bank_wide(roles):
        # The head office's subtree is the bank: asking each row for its office would only mislead the planner.
        return ~Q(pk__in=[])
    condition = Q(pk__in=[])
    for path in actor.paths(roles):
        condition |= Q(**{f"{office}__path__startswith": path})
    return condition


def owned_or_within(
    rows: QuerySet[M],
    actor: Actor,
    *,
    subtree: Iterable[Role],
    owner: str = "owner",
    office: str = "office",
    own: Iterable[Role] = (Role.ACCOUNT_MANAGER,),
) -> QuerySet[M]:
    """The common rule: some roles see the whole subtree, account managers what they own there."""
    mine = within_offices(actor, own, office) & Q(**{owner: actor.user_id})
    return rows.filter(within_offices(actor, subtree, office) | mine)
