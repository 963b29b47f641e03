"""The order of the places, and which four a phone shows: the lifecycle of a loan, from lead to account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.web.noun import NOUNS, Noun
from loans.queries.guarantees import RING_READERS

Text = Any  # a str or a lazy translation

SECTIONS: dict[str, Text] = {
    "find": _("Find"),
    "decide": pgettext_lazy("section", "Decide"),
    "lend": _("Lend"),
    "look_after": _("Look after"),
    "account_for": _("Account for"),
}

#: Who reads the branch as a whole.
DASHBOARD_READERS = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR})

#: Who sees what becomes of leads, each as far as they see the leads.
FUNNEL_READERS = DASHBOARD_READERS | {Role.ACCOUNT_MANAGER}

#: Nouns in the order of a loan's life; one that is not named comes last in its section.
_ORDER = (
    *("lead", "campaign", "referral_link", "suggestion", "cluster", "customer", "relation"),
    *("external_record", "record_import"),
    *("application", "investigation", "review_stage", "review", "screening_hit", "erasure_request"),
    *("contract", "condition", "facility", "drawdown", "loan", "repayment"),
    *("warning_case", "signal", "inspection", "collection_case"),
    *("journal_entry", "account_balance", "ledger_day", "posting_rule_set"),
    *(
        "sweep_run",
        "retention_run",
        "business_day",
        "product",
        "product_version",
        "threshold_set",
        "prescreen_model",
        "authority",
        "metric",
        "record_source",
    ),
    *("office", "user", "parameter", "calendar_override", "event"),
)


@dataclass(frozen=True)
class Tool:
    """A place that is no noun's: it keeps nothing, and stands last in its section."""

    name: str
    label: Text
    route: str
    icon: str
    section: str
    readers: frozenset[Role]


TOOLS = (
    Tool("funnel", _("Conversion funnel"), "desk:funnel", "filter", "find", FUNNEL_READERS),
    Tool("guarantees", _("Guarantee circles"), "guarantee-circles", "topology-ring", "find", RING_READERS),
    Tool(
        "calculator",
        _("Calculator"),
        "calculator",
        "calculator",
        "lend",
        frozenset(Role) - {Role.ADMINISTRATOR, Role.BORROWER, Role.INTEGRATION, Role.SYSTEM},
    ),
)

#: What each role opens most, for the phone's bar after "My day".
_BAR: tuple[tuple[Role, tuple[str, str]], ...] = (
    (Role.ACCOUNT_MANAGER, ("customer", "application")),
    (Role.CO_INVESTIGATOR, ("investigation", "application")),
    (Role.RISK_REVIEWER, ("review_stage", "application")),
    (Role.APPROVER, ("review_stage", "application")),
    (Role.DISBURSEMENT_OFFICER, ("drawdown", "contract")),
    (Role.POST_LOAN_OFFICER, ("warning_case", "inspection")),
    (Role.BRANCH_MANAGER, ("application", "warning_case")),
    (Role.LOAN_ACCOUNTANT, ("loan", "repayment")),
    (Role.AUDITOR, ("application", "loan")),
)


def first_role(actor: Actor) -> Role | None:
    """The role a person is known by: the one nearest the customer's file."""
    order = [role for role, _names in _BAR]
    return min(actor.roles, key=lambda role: (order.index(role) if role in order else len(order), role), default=None)


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. `count` is None where open work is not counted."""

    name: str
    label: Text
    url: str
    icon: str
    count: int | None = None
    current: bool = False

    @property
    def count_text(self) -> str:
        if not self.count:
            return ""
        return "999+" if self.count >= 1000 else str(self.count)


@dataclass(frozen=True)
class Group:
    label: Text
    places: tuple[Place, ...]


def nouns_for(actor: Actor) -> list[Noun]:
    """The nouns this person may open, in the order of the lifecycle."""
    rank = {name: position for position, name in enumerate(_ORDER)}
    mine = [noun for noun in NOUNS.values() if noun.in_navigation and actor.roles & noun.readers]
    return sorted(mine, key=lambda noun: (rank.get(noun.name, len(rank)), noun.name))


def tools_for(actor: Actor) -> list[Tool]:
    return [tool for tool in TOOLS if actor.roles & tool.readers]


def groups(nouns: list[Noun], counts: dict[str, int], path: str, tools: Sequence[Tool] = ()) -> tuple[Group, ...]:
    """Nouns and tools under their sections' headings; a section without places is left out."""
    found = []
    for section, label in SECTIONS.items():
        places = [_place(noun, counts, path) for noun in nouns if noun.section == section]
        places += [_tool_place(tool, path) for tool in tools if tool.section == section]
        if places:
            found.append(Group(label, tuple(places)))
    return tuple(found)


def bar(actor: Actor, places: list[Place], top: Place) -> list[Place]:
    """My day and two places for this person's first role; the phone adds the sheet with all the others."""
    wanted = next((names for role, names in _BAR if role in actor.roles), ())
    chosen = [place for name in wanted for place in places if place.name == name]
    chosen += [place for place in places if place not in chosen]
    return [top, *chosen[:2]]


def _tool_place(tool: Tool, path: str) -> Place:
    url = reverse(tool.route)
    return Place(tool.name, tool.label, url, tool.icon, None, path.startswith(url))


def _place(noun: Noun, counts: dict[str, int], path: str) -> Place:
    url = noun.url()
    return Place(noun.name, noun.label_plural, url, noun.icon, counts.get(noun.name), path.startswith(url))
