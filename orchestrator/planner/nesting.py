"""Which rules stand above an exclusion and may cut its domains, so that they can't each be finished in one go.

An exclusion takes its domains one at a time, and finishes one before the next begins. Two things stand above that, and
never excuse two domains at the same time:

- an exclusion of a lower level, if one domain stands in several of the outer's, or partly in none: a cell of machines that
  spans zones. The outer one is finished, the inner one within each domain of the outer;
- orders, if they let the domains not come one after the other: databases before web servers, where both stand in zone 1
  and in zone 2. The domains are then finished within each side of the orders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import networkx as nx

from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View


def exclusions_of(rules: Rules, view: View) -> list[int]:
    """The exclusions that have more than one domain here, outermost first."""
    return [c for c, parts in view.items() if rules.kinds[c] is RuleKind.EXCLUSION and len(parts) > 1]


def orders_of(rules: Rules, view: View) -> list[int]:
    """The orders that have both sides here."""
    return [c for c, parts in view.items() if rules.kinds[c] is RuleKind.ORDER and len(parts) > 1]


def sequence(rules: Rules, view: View, exclusion: int, *, first: int | None = None) -> list[int] | None:
    """The domains of an exclusion in an order that all orders allow; None if none does.

    Where they leave a choice, `first` comes first, and the others by name.
    """
    following: nx.DiGraph[int] = nx.DiGraph()
    following.add_nodes_from(view[exclusion])
    domain_of = {machine: part for part, members in view[exclusion].items() for machine in members}
    for order, reached in _reached(rules, view).items():
        later = {domain_of[m] for o in reached for m in view[o][THEN] if m in domain_of}
        earlier = {domain_of[m] for m in view[order][FIRST] if m in domain_of}
        following.add_edges_from((one, other) for one in earlier for other in later if one != other)
    try:
        return list(nx.lexicographical_topological_sort(following, key=lambda part: (part != first, part)))
    except nx.NetworkXUnfeasible:
        return None


def cut_by(rules: Rules, view: View, exclusion: int) -> tuple[int, ...]:
    """The exclusions and orders that cut the domains of this exclusion, sorted; none if each can be finished in one go."""
    standing = {machine for members in view[exclusion].values() for machine in members}
    outer = [
        other
        for other in view
        if rules.kinds[other] is RuleKind.EXCLUSION
        and rules.level(other) < rules.level(exclusion)
        and any(not standing.isdisjoint(members) for members in view[other].values())
    ]
    cutting = {other for other in outer if _cuts(rules, view, other, exclusion)}
    for one in (exclusion, *outer):
        cutting.update(crossed_by(rules, view, one))
    return tuple(sorted(cutting))


def crossed_by(rules: Rules, view: View, exclusion: int) -> tuple[int, ...]:
    """The orders among the machines of this exclusion, if they let its domains not come one after the other; else none."""
    if len(view[exclusion]) < 2 or sequence(rules, view, exclusion) is not None:
        return ()
    standing = {machine for members in view[exclusion].values() for machine in members}
    return tuple(
        order
        for order in orders_of(rules, view)
        if any(not standing.isdisjoint(members) for members in view[order].values())
    )


def _cuts(rules: Rules, view: View, outer: int, exclusion: int) -> bool:
    """Whether a domain of the exclusion stands partly in one of the outer's, and partly elsewhere."""
    for members in view[exclusion].values():
        held = Counter(part for machine in members for c, part in rules.places[machine] if c == outer)
        if any(count < len(members) for count in held.values()):
            return True
    return False


def _reached(rules: Rules, view: View) -> dict[int, Iterable[int]]:
    """Each order, and those that begin where it, or one of them, ends; with itself."""
    orders = orders_of(rules, view)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(orders)
    for order in orders:
        for machine in view[order][THEN]:
            graph.add_edges_from(
                (order, other)
                for other, part in rules.places[machine]
                if part == FIRST and other in graph and other != order
            )
    return {order: sorted({order, *nx.descendants(graph, order)}) for order in orders}


def depths(rules: Rules, view: View, orders: Iterable[int]) -> dict[int, int]:
    """How many of the orders, one after another, lead to each machine that stands in one of them. None may go in a circle."""
    wanted = frozenset(orders)
    leads_to: dict[int, int] = {}

    def depth_of(machine: int) -> int:
        return max(
            (behind(c) for c, part in rules.places[machine] if part == THEN and c in wanted), default=0
        )

    def behind(order: int) -> int:
        known = leads_to.get(order)
        if known is None:
            known = leads_to[order] = 1 + max(map(depth_of, view[order][FIRST]))
        return known

    machines = {m for order in sorted(wanted) for members in view[order].values() for m in members}
    return {machine: depth_of(machine) for machine in sorted(machines)}
