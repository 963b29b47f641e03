"""No promise and no payment takes a borrower, or the group it belongs to, above the bank's limits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from branch.domain.money import ZERO, format_money
from branch.domain.refusals import Unmet
from customers.models import Customer
from customers.queries.merges import kept_id
from customers.queries.relations import network_of
from customers.services.relations import hold_links
from loans.models import Application, Drawdown
from loans.queries.exposure import Exposure, exposures_of, group_limit, own_limit


def require_room_to_promise(application: Application, amount: Decimal) -> None:
    """What is owed, undrawn and offered, with `amount`, stays within the limits. Raises Unmet with the figures."""
    if application.renews_id is None:
        _require(application.customer, amount, lambda one: one.total, except_application=application.pk)


def require_room_to_pay(drawdown: Drawdown) -> None:
    """What is owed, with this drawdown, stays within the limits: a group may have grown since it was approved."""
    if drawdown.application.renews_id is None:
        _require(drawdown.customer, drawdown.amount, lambda one: one.owed)


def hold_group(customer: Customer) -> list[int]:
    """Lock the customers who are one risk with this one, in the order of their keys, and tell them.

    Files merged into one of them are locked with it. What is told are the files that stand for them.
    Taken before any other lock on one of them (its screening, the cap of its cluster), or two members would each
    hold their own row and wait for the other's.
    """
    hold_links()
    members = network_of(customer).group_customers
    files = Customer.objects.filter(Q(pk__in=members) | Q(merged_into__in=members)).order_by("pk")
    list(files.select_for_update(no_key=True).values_list("pk", flat=True))
    return members


def _require(
    customer: Customer, amount: Decimal, part: Callable[[Exposure], Decimal], except_application: int | None = None
) -> None:
    members = hold_group(customer)
    exposures = exposures_of(members, except_application=except_application)
    kept = kept_id(customer)
    own = part(exposures[kept])
    if own + amount > own_limit(customer):
        raise _refusal(
            _("With %(amount)s this borrower would come to %(sum)s; the limit is %(limit)s."),
            own,
            amount,
            own_limit(customer),
            [kept],
        )
    together = sum((part(one) for one in exposures.values()), ZERO)
    if len(members) > 1 and together + amount > group_limit():
        raise _refusal(
            _("With %(amount)s the connected borrowers would come to %(sum)s; the limit is %(limit)s."),
            together,
            amount,
            group_limit(),
            members,
        )


def _refusal(sentence: str, used: Decimal, amount: Decimal, limit: Decimal, members: list[int]) -> Unmet:
    figures = {"amount": amount, "sum": used + amount, "limit": limit}
    return Unmet(
        sentence % {name: format_money(figure) for name, figure in figures.items()},
        used=str(used),
        amount=str(amount),
        limit=str(limit),
        borrowers=len(members),
    )
