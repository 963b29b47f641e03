"""The steps of the nightly close, in their order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step; a sharded one is done once per part of the portfolio, the others once."""

    order: int
    name: str
    is_sharded: bool


def _in_order(*names: str, once: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(Step(order, name, name not in once) for order, name in enumerate(names, start=1))


STEPS = _in_order(
    "repricing",  # floating rates whose day has come
    "held_money",  # what a borrower paid early is put to what falls due
    "accrue",  # interest and penalty interest of the day
    "classify",  # days past due, class, provision
    "provisions",  # the change of provisions, on the books
    "indicators",  # readings past a threshold
    "signals",  # raised, refreshed, cleared
    "cases",  # one open case per customer
    "collection",  # promises kept or broken, paid up, new cases
    "inspections",  # fall due by themselves
    "expiries",  # offers and lines past their last day
    "balances",  # every account's balance stored, the file for the general ledger made
    "advance",  # the day closed, the next one open
    "seal",  # the closed day's events sealed
    once=("provisions", "balances", "advance", "seal"),
)
#: Steps done once, whatever the portfolio is cut into.
ONCE = frozenset(step.name for step in STEPS if not step.is_sharded)
