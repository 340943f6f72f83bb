"""Puts machines that stand in no part of what cuts a component beside one part or another.

They are free to go with any of them, so they go where they make the whole least longer: where they share no rule with the
part, they become lanes of their own and run while the part runs. What joins some of them stays together as one *piece*: rules
among them, a domain of an exclusion, a circle of orders.

What a piece would add is estimated from counts, not planned: a poor choice costs a wave, never a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import networkx as nx

from orchestrator.planner import nesting
from orchestrator.planner.bound import Prover
from orchestrator.planner.rules import FIRST, RuleKind, Rules, View, components

_Node = tuple[str, int]
"""A group, a piece or an order in the graph of what comes before what: ("group", 0)."""


@dataclass(slots=True, eq=False)
class _Piece:
    """Machines that go to one group together, within `low` and `high`, and not before the pieces in `after`.

    One without machines only hands on what stands before it to what comes after it: a group, or an order, that many share.
    """

    machines: list[int]
    low: int
    high: int
    after: list[_Piece] = field(default_factory=list)
    group: int = -1


def place(
    prove: Prover, view: View, parts: Sequence[Sequence[int]], rest: Sequence[int], by: frozenset[int]
) -> list[list[int]] | None:
    """The parts, each with what is put beside it; None if some piece may go nowhere. `by` are the rules that cut."""
    rules = prove.rules
    pieces = _in_turn(prove, view, parts, _pieces(rules, view, rest, by))
    if pieces is None:
        return None
    beside_whom = _Domains(rules, view, parts, by)
    groups = [_Load(prove, part) for part in parts]
    for piece in pieces:
        low = max([piece.low, *(other.group for other in piece.after)])
        if not piece.machines:
            piece.group = low
            continue
        allowed = [n for n in range(low, piece.high + 1) if beside_whom.allows(piece.machines, n)]
        if not allowed:
            return None
        load = _Load(prove, piece.machines)
        piece.group = min(allowed, key=lambda n: (groups[n].cost_of(load), n))
        groups[piece.group].add(load)
    filled = [list(part) for part in parts]
    for piece in pieces:
        filled[piece.group].extend(piece.machines)
    return [sorted(group) for group in filled]


# What stays together --------------------------------------------------------------------------------------------


def _pieces(rules: Rules, view: View, rest: Sequence[int], by: frozenset[int]) -> list[list[int]]:
    """As little as possible. A component that an exclusion of its own covers falls apart into the domains of that."""
    found: list[list[int]] = []
    whole = rules.view(rest)
    divisible = bool(nesting.exclusions_of(rules, whole))
    for piece in components(rules, rest, whole):
        if not divisible or len(piece) == 1:
            found.append(piece)
            continue
        inner = rules.view(piece)
        covering = [
            c for c in nesting.exclusions_of(rules, inner) if sum(map(len, inner[c].values())) == len(piece)
        ]
        found += inner[covering[0]].values() if covering else [piece]
    return _joined_by_domains(rules, view, found, by)


def _joined_by_domains(
    rules: Rules, view: View, pieces: Sequence[Sequence[int]], by: frozenset[int]
) -> list[list[int]]:
    """Pieces that hold machines of one domain become one: a domain is finished in one go."""
    graph: nx.Graph[object] = nx.Graph()
    graph.add_nodes_from(range(len(pieces)))
    exclusions = {c for c in nesting.exclusions_of(rules, view) if c not in by}
    for number, piece in enumerate(pieces):
        places = {at for machine in piece for at in rules.places[machine] if at[0] in exclusions}
        graph.add_edges_from((number, at) for at in sorted(places))
    return sorted(
        sorted(machine for number in found if isinstance(number, int) for machine in pieces[number])
        for found in nx.connected_components(graph)
    )


class _Domains:
    """Beside whom a piece may go: machines of a domain that also stands in some parts go to one of these."""

    def __init__(self, rules: Rules, view: View, parts: Sequence[Sequence[int]], by: frozenset[int]) -> None:
        self._rules = rules
        self._groups: dict[tuple[int, int], set[int]] = {}
        exclusions = {c for c in nesting.exclusions_of(rules, view) if c not in by}
        for number, part in enumerate(parts):
            for machine in part:
                for at in rules.places[machine]:
                    if at[0] in exclusions:
                        self._groups.setdefault(at, set()).add(number)

    def allows(self, machines: Iterable[int], group: int) -> bool:
        """Whether these may go beside the part of this number."""
        return all(
            group in self._groups[at]
            for machine in machines
            for at in self._rules.places[machine]
            if at in self._groups
        )


# What comes before what -----------------------------------------------------------------------------------------


def _in_turn(
    prove: Prover, view: View, parts: Sequence[Sequence[int]], pieces: Sequence[list[int]]
) -> list[_Piece] | None:
    """The pieces in the order in which they are placed, each after what must not come later; None if that can't be."""
    rules = prove.rules
    orders = nesting.orders_of(rules, view)
    last = len(parts) - 1
    if not orders:
        return [
            _Piece(machines, 0, last)
            for machines in sorted(pieces, key=lambda piece: (-prove(piece).waves, piece))
        ]
    whole = _in_one(_before(rules, orders, parts, pieces))
    members = whole.nodes(data="members")
    turn = list(nx.lexicographical_topological_sort(whole, key=lambda n: min(members[n])))
    groups = {n: [number for kind, number in members[n] if kind == "group"] for n in turn}
    high: dict[int, int] = {}  # the first group that comes after, or is part of it
    for node in reversed(turn):
        high[node] = min([last, *groups[node], *(high[later] for later in whole.successors(node))])
    found: dict[int, _Piece] = {}
    for node in turn:
        earlier = [found[n] for n in whole.predecessors(node)]
        low = max([0, *(piece.low for piece in earlier), *groups[node]])
        if len(groups[node]) > 1 or low > high[node]:
            return None
        held = sorted(m for kind, number in members[node] if kind == "piece" for m in pieces[number])
        found[node] = _Piece(held, low, high[node], earlier)
    return list(found.values())


def _before(
    rules: Rules,
    orders: Iterable[int],
    parts: Sequence[Sequence[int]],
    pieces: Sequence[Sequence[int]],
) -> nx.DiGraph[_Node]:
    """Groups and pieces with an edge to every order that they go first in, and from every order that they go then in."""
    graph: nx.DiGraph[_Node] = nx.DiGraph()
    wanted = frozenset(orders)
    for kind, many in (("group", parts), ("piece", pieces)):
        for number, machines in enumerate(many):
            node = (kind, number)
            graph.add_node(node)
            for machine in machines:
                for order, part in rules.places[machine]:
                    if order in wanted:
                        edge = (node, ("order", order)) if part == FIRST else (("order", order), node)
                        graph.add_edge(*edge)
    return graph


def _in_one(graph: nx.DiGraph[_Node]) -> nx.DiGraph[int]:
    """The graph with each circle made one node, whose `members` are the nodes of the circle."""
    circles = sorted(sorted(found) for found in nx.strongly_connected_components(graph))
    condensed: nx.DiGraph[int] = nx.condensation(graph, scc=circles)
    return condensed


# What it costs --------------------------------------------------------------------------------------------------


class _Load:
    """What some machines ask of each rule, to estimate how many waves several of these would take together."""

    def __init__(self, prove: Prover, machines: Sequence[int]) -> None:
        self._rules = rules = prove.rules
        if len(machines) == 1:
            self._of_one(prove, machines[0])
            return
        view = rules.view(machines)
        self.waves = prove(machines, view).waves
        self.count = {
            c: rules.count(parts[0]) for c, parts in view.items() if rules.kinds[c] is RuleKind.BUDGET
        }
        self.parts = {
            c: {part: min(self.waves, rules.count(members)) for part, members in parts.items()}
            for c, parts in view.items()
            if rules.kinds[c] is not RuleKind.BUDGET
        }

    def _of_one(self, prove: Prover, one: int) -> None:
        """As of several, without a view: most pieces are one class."""
        rules, size = self._rules, self._rules.sizes[one]
        self.waves = prove((one,)).waves
        self.count = {c: size for c, _ in rules.places[one] if rules.kinds[c] is RuleKind.BUDGET}
        forced = min(self.waves, size)
        self.parts = {
            c: {part: forced} for c, part in rules.places[one] if rules.kinds[c] is not RuleKind.BUDGET
        }

    def cost_of(self, other: _Load) -> tuple[int, bool, int]:
        """What it would cost to add the other: waves, then whether the two share a rule, then how little time is to spare."""
        together = self._with(other)
        shared = next(self._shared(other), None) is not None
        return (together - self.waves, shared, -self.waves)

    def add(self, other: _Load) -> None:
        """Count the other in."""
        self.waves = self._with(other)
        for budget, count in other.count.items():
            self.count[budget] = self.count.get(budget, 0) + count
        for rule, parts in other.parts.items():
            mine = self.parts.setdefault(rule, {})
            for part, waves in parts.items():
                mine[part] = max(mine.get(part, 0), waves)

    def _with(self, other: _Load) -> int:
        return max([self.waves, other.waves, *self._shared(other)])

    def _shared(self, other: _Load) -> Iterator[int]:
        """Of each rule that keeps machines of the two from going all at once: the waves that it forces."""
        for budget, count in other.count.items():
            mine = self.count.get(budget, 0)
            if mine and mine + count > self._rules.limits[budget]:
                yield -(-(mine + count) // self._rules.limits[budget])
        for rule, parts in other.parts.items():
            here = self.parts.get(rule)
            if here is not None and len(here.keys() | parts.keys()) > 1:
                yield sum(max(here.get(p, 0), parts.get(p, 0)) for p in here.keys() | parts.keys())
