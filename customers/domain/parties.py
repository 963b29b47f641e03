"""What follows from links between people and firms: who owns and controls, who belongs together, who guarantees whom.

A node is a customer or an outside party under a key of its own ("c12", "p7"). A link reads "source is kind of
target": a shareholder of, a guarantor of. Shares are percent of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, pairwise

import networkx as nx

WHOLE = Decimal(100)
#: Longer chains of shareholdings are not followed; nobody is a quarter's owner through eleven firms unseen.
LONGEST_CHAIN = 10
#: Links that make two borrowers one risk whatever the share.
CONTROL = frozenset({"owner", "actual_controller", "spouse"})
#: The same upwards: who stands there controls the target.
RULES_OVER = frozenset({"owner", "actual_controller"})
#: Percent: a chain of shareholdings worth less is not followed, or a dense web of cross-holdings would take hours.
LEAST_HELD = Decimal("0.01")
LONGEST_CIRCLE = 8
MOST_FOUND = 50
#: Guarantees gone along in search of chains; a web denser than this is told by its circles.
MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class Link:
    """`share` in percent for a shareholder, None where it is not known or means nothing."""

    kind: str
    source: str
    target: str
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """A person who owns or controls. `grounds`: holds, controls, declared, manages."""

    node: str
    share: Decimal
    grounds: tuple[str, ...]


def held_shares(target: str, links: Iterable[Link]) -> dict[str, Decimal]:
    """What each node holds of `target` in percent: shares multiplied along a chain, chains added up.

    A chain passes no node twice, so holdings that run in a circle are counted once and end.
    """
    above: dict[str, list[tuple[str, Decimal]]] = {}
    for link in links:
        if link.kind == "shareholder" and link.share:
            above.setdefault(link.target, []).append((link.source, link.share))
    found: dict[str, Decimal] = {}

    def climb(node: str, share: Decimal, passed: frozenset[str]) -> None:
        for holder, part in above.get(node, ()):
            if holder in passed or len(passed) > LONGEST_CHAIN:
                continue
            held = share * part / WHOLE
            if held < LEAST_HELD:
                continue
            found[holder] = found.get(holder, Decimal(0)) + held
            climb(holder, held, passed | {holder})

    climb(target, WHOLE, frozenset({target}))
    return found


def controllers(target: str, links: Iterable[Link], control_share: Decimal) -> frozenset[str]:
    """Everybody who rules over `target`, directly or through firms ruled over: by title or by more than the share."""
    over: dict[str, set[str]] = {}
    for link in links:
        if _rules(link, control_share):
            over.setdefault(link.target, set()).add(link.source)
    found: set[str] = set()
    waiting = [target]
    while waiting:
        for node in over.get(waiting.pop(), set()) - found - {target}:
            found.add(node)
            waiting.append(node)
    return frozenset(found)


def _rules(link: Link, control_share: Decimal) -> bool:
    if link.kind == "shareholder":
        return link.share is not None and link.share > control_share
    return link.kind in RULES_OVER


def beneficial_owners(
    target: str, links: Iterable[Link], people: Set[str], *, least_share: Decimal, control_share: Decimal
) -> list[Owner]:
    """The people behind `target`, the largest holder first.

    Source: 中国人民银行、市场监管总局令〔2024〕第3号 (受益所有人信息管理办法): who finally holds 25 % or more, or
    finally controls; where there is nobody, who is in charge of the daily business.
    """
    links = list(links)
    held = held_shares(target, links)
    ruling = controllers(target, links, control_share)
    declared = {link.source for link in links if link.kind == "beneficial_owner" and link.target == target}
    grounds: dict[str, list[str]] = {}
    for ground, nodes in (
        ("holds", {node for node, share in held.items() if share >= least_share}),
        ("controls", ruling),
        ("declared", declared),
    ):
        for node in nodes & people:
            grounds.setdefault(node, []).append(ground)
    if not grounds:
        managing = {link.source for link in links if link.kind == "legal_representative" and link.target == target}
        grounds = {node: ["manages"] for node in managing & people}
    owners = [Owner(node, held.get(node, Decimal(0)), tuple(why)) for node, why in grounds.items()]
    return sorted(owners, key=lambda owner: (-owner.share, owner.node))


def joins_risk(link: Link, control_share: Decimal) -> bool:
    """Whether two ends of this link are one risk: one controls the other, is married to it, or guarantees it."""
    return link.kind in CONTROL or link.kind == "guarantor" or _rules(link, control_share)


def connected_group(start: str, links: Iterable[Link], control_share: Decimal) -> frozenset[str]:
    """`start` and all that is one risk with it, however far."""
    beside: dict[str, set[str]] = {}
    for link in links:
        if joins_risk(link, control_share):
            beside.setdefault(link.source, set()).add(link.target)
            beside.setdefault(link.target, set()).add(link.source)
    found, waiting = {start}, [start]
    while waiting:
        for node in beside.get(waiting.pop(), set()) - found:
            found.add(node)
            waiting.append(node)
    return frozenset(found)


def _guarantees(links: Iterable[Link]) -> nx.DiGraph:
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_edges_from((link.source, link.target) for link in links if link.kind == "guarantor")
    return graph


def guarantee_circles(links: Iterable[Link]) -> list[tuple[str, ...]]:
    """Circles of guarantees, each from its smallest key on; a pair that guarantee each other is one of two."""
    circles = islice(nx.simple_cycles(_guarantees(links), length_bound=LONGEST_CIRCLE), MOST_FOUND)
    turned = []
    for circle in circles:
        first = circle.index(min(circle))
        turned.append((*circle[first:], *circle[:first]))
    return sorted(turned, key=lambda circle: (len(circle), circle))


def guarantee_chains(links: Iterable[Link], least: int) -> list[tuple[str, ...]]:
    """Guarantees behind guarantees without a circle, at least `least` of them in a row; whole chains only."""
    graph = _guarantees(links)
    ahead, to_end = _most_ahead(graph), _least_to_end(graph)
    found: list[tuple[str, ...]] = []
    steps = 0
    # The last first: a chain goes on where it stood, in the order of the keys.
    waiting: list[tuple[str, ...]] = [(n,) for n in sorted(graph, reverse=True) if graph.in_degree(n) == 0]
    while waiting and len(found) < MOST_FOUND and steps < MOST_STEPS:
        chain = waiting.pop()
        gone, node, steps = len(chain) - 1, chain[-1], steps + 1
        if gone + ahead[node] < least or gone + to_end.get(node, LONGEST_CIRCLE + 1) > LONGEST_CIRCLE:
            continue
        if graph.out_degree(node) == 0:
            found.append(chain)
            continue
        waiting += [(*chain, after) for after in sorted(graph.successors(node), reverse=True) if after not in chain]
    return found


def _most_ahead(graph: nx.DiGraph) -> dict[str, int]:
    """How many guarantees in a row begin at each node at most; never more than LONGEST_CIRCLE are counted."""
    most = dict.fromkeys(graph, 0)
    for _round in range(LONGEST_CIRCLE):
        most = {node: max((1 + most[after] for after in graph.successors(node)), default=0) for node in graph}
    return most


def _least_to_end(graph: nx.DiGraph) -> dict[str, int]:
    """How many guarantees it is from each node to the nearest that guarantees nobody; without those that reach none."""
    ends = [node for node, after in graph.out_degree() if after == 0]
    found: dict[str, int] = nx.multi_source_dijkstra_path_length(graph.reverse(copy=False), ends) if ends else {}
    return found


@dataclass(frozen=True, slots=True)
class Ring:
    """Guarantees in a row, each node standing for the next; of a circle the last one stands for the first."""

    is_circle: bool
    nodes: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(guarantor, debtor) in order."""
        ends = (*self.nodes, self.nodes[0]) if self.is_circle else self.nodes
        return list(pairwise(ends))


def guarantee_rings(links: Iterable[Link], least: int) -> list[Ring]:
    """All circles and all long chains of a whole book, each knot of guarantees looked at by itself.

    Of one knot at most so many circles and so many chains as guarantee_circles and guarantee_chains bring.
    """
    # A merged customer may stand for itself.
    graph = _guarantees(link for link in links if link.source != link.target)
    rings: list[Ring] = []
    for knot in nx.weakly_connected_components(graph):
        if len(knot) < 2:
            continue
        part = graph.subgraph(knot)
        edges = [Link("guarantor", source, target) for source, target in part.edges]
        tangled = [core for core in nx.strongly_connected_components(part) if len(core) > 1]
        for core in tangled:
            inside = [link for link in edges if link.source in core and link.target in core]
            rings += [Ring(True, circle) for circle in guarantee_circles(inside)]
        # Without a circle the longest chain is known at once; most knots have none long enough.
        if tangled or nx.dag_longest_path_length(part, weight=None, default_weight=1) >= least:
            rings += [Ring(False, chain) for chain in guarantee_chains(edges, least)]
    return sorted(rings, key=lambda ring: (not ring.is_circle, len(ring.nodes), ring.nodes))
