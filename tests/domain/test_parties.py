"""Who is behind a firm, who is one risk with it, who guarantees in a circle: worked by hand."""

import time
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.parties import (
    Link,
    Owner,
    beneficial_owners,
    connected_group,
    controllers,
    guarantee_chains,
    guarantee_circles,
    held_shares,
)

HALF = D(50)
PEOPLE = frozenset({"an", "bo", "ci", "du"})


def holds(source: str, target: str, share: str) -> Link:
    return Link("shareholder", source, target, D(share))


def is_(kind: str, source: str, target: str) -> Link:
    return Link(kind, source, target)


#: Links, and who is found behind "firm": name, percent, grounds.
GOLDEN: list[tuple[str, list[Link], list[tuple[str, str, tuple[str, ...]]]]] = [
    ("a quarter counts", [holds("an", "firm", "25")], [("an", "25", ("holds",))]),
    ("less does not", [holds("an", "firm", "24.99")], []),
    # 60 % of 50 % is 30 %.
    ("a chain multiplies", [holds("an", "mid", "60"), holds("mid", "firm", "50")], [("an", "30", ("holds",))]),
    # 10 % directly, 40 % of 50 % is 20 %: together 30 %.
    (
        "paths add up",
        [holds("an", "firm", "10"), holds("an", "mid", "40"), holds("mid", "firm", "50")],
        [("an", "30", ("holds",))],
    ),
    # 50 % of 50 % through each of two firms: 25 % + 25 %.
    (
        "through two firms",
        [holds("an", "x", "50"), holds("an", "y", "50"), holds("x", "firm", "50"), holds("y", "firm", "50")],
        [("an", "50", ("holds",))],
    ),
    # x and y hold each other. An: 80 % of x, x holds 60 % of firm: 48 %. By y: x holds 20 % of y, y 40 % of firm:
    # 80 % · 20 % · 40 % = 6.4 %. y's part in x adds a chain of its own for nobody but y.
    (
        "a circle of holdings ends",
        [
            holds("an", "x", "80"),
            holds("y", "x", "20"),
            holds("x", "y", "20"),
            holds("x", "firm", "60"),
            holds("y", "firm", "40"),
        ],
        [("an", "54.4", ("holds", "controls"))],
    ),
    ("who controls without a share", [is_("actual_controller", "bo", "firm")], [("bo", "0", ("controls",))]),
    # Control goes on through a majority: An has 51 % of mid, mid 51 % of firm; 26.01 % held besides.
    (
        "control through majorities",
        [holds("an", "mid", "51"), holds("mid", "firm", "51")],
        [("an", "26.01", ("holds", "controls"))],
    ),
    # Half is not more than half.
    ("half is no control", [holds("an", "mid", "50"), holds("mid", "firm", "40")], []),
    ("nobody else: who is in charge", [is_("legal_representative", "ci", "firm")], [("ci", "0", ("manages",))]),
    (
        "somebody else: who is in charge is not one",
        [is_("legal_representative", "ci", "firm"), holds("an", "firm", "30")],
        [("an", "30", ("holds",))],
    ),
    ("declared", [is_("beneficial_owner", "du", "firm")], [("du", "0", ("declared",))]),
    ("a firm is nobody's owner by itself", [holds("mid", "firm", "100")], []),
]


@pytest.mark.parametrize(("links", "expected"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_the_people_behind_a_firm(links: list[Link], expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    found = beneficial_owners("firm", links, PEOPLE, least_share=D(25), control_share=HALF)
    assert found == [Owner(node, D(share), grounds) for node, share, grounds in expected]


def test_the_largest_holder_comes_first() -> None:
    links = [holds("an", "firm", "30"), holds("bo", "firm", "45"), holds("ci", "firm", "25")]
    found = beneficial_owners("firm", links, PEOPLE, least_share=D(25), control_share=HALF)
    assert [owner.node for owner in found] == ["bo", "an", "ci"]


nodes = st.sampled_from("abcdef")
holdings = st.dictionaries(st.tuples(nodes, nodes).filter(lambda pair: pair[0] != pair[1]), st.integers(1, 100))


@given(holdings)
def test_nobody_holds_less_than_nothing_and_any_tangle_ends(pairs: dict[tuple[str, str], int]) -> None:
    links = [Link("shareholder", one, two, D(share)) for (one, two), share in pairs.items()]
    found = held_shares("a", links)
    assert "a" not in found
    assert all(share > 0 for share in found.values())
    for link in links:
        if link.target == "a":
            assert found[link.source] >= (link.share or 0)
    assert controllers("a", links, HALF) <= set(found)


@given(holdings)
def test_a_group_is_the_same_from_each_of_its_members(pairs: dict[tuple[str, str], int]) -> None:
    links = [Link("shareholder", one, two, D(share)) for (one, two), share in pairs.items()]
    group = connected_group("a", links, HALF)
    assert all(connected_group(node, links, HALF) == group for node in group)


def test_a_group_is_joined_by_control_marriage_and_guarantees() -> None:
    links = [
        holds("an", "firm", "51"),
        holds("bo", "firm", "49"),
        is_("spouse", "an", "ci"),
        is_("owner", "ci", "shop"),
        is_("guarantor", "shop", "mill"),
        is_("family", "an", "du"),
        is_("legal_representative", "du", "firm"),
        is_("affiliate", "firm", "other"),
        is_("core_enterprise", "core", "firm"),
    ]
    assert connected_group("mill", links, HALF) == {"mill", "shop", "ci", "an", "firm"}


def guarantees(*pairs: str) -> list[Link]:
    return [is_("guarantor", pair[0], pair[1]) for pair in pairs]


@pytest.mark.parametrize(
    ("pairs", "circles"),
    [
        ("ab bc ca", [("a", "b", "c")]),
        ("ab ba", [("a", "b")]),
        ("ab bc cd", []),
        ("ab ba bc cb", [("a", "b"), ("b", "c")]),
        ("bc ca ab xa", [("a", "b", "c")]),
        ("ab bc cd de ea", [("a", "b", "c", "d", "e")]),
    ],
)
def test_circles_of_guarantees(pairs: str, circles: list[tuple[str, ...]]) -> None:
    assert guarantee_circles(guarantees(*pairs.split())) == circles


def test_chains_of_guarantees_are_told_whole_and_from_the_asked_length() -> None:
    links = guarantees("ab", "bc", "cd", "xc")
    assert guarantee_chains(links, 3) == [("a", "b", "c", "d")]
    assert guarantee_chains(links, 2) == [("a", "b", "c", "d"), ("x", "c", "d")]
    assert guarantee_chains(links, 4) == []


def test_a_web_of_guarantees_or_holdings_takes_no_longer_than_a_page_may() -> None:
    """A guarantee company stands for thousands; each way through a dense web would be one of millions."""
    pairs = [(f"a{n}", "hub") for n in range(2000)] + [("hub", f"d{n}") for n in range(2000)]
    hub = [Link("guarantor", one, two) for one, two in pairs]
    web = [holds(f"c{i}", f"c{j}", "8") for i in range(13) for j in range(13) if i != j]
    begun = time.monotonic()
    assert guarantee_chains(hub, 3) == []
    assert len(guarantee_chains(hub, 2)) == 50
    assert held_shares("c0", web)["c1"] > 8
    assert time.monotonic() - begun < 10
