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
from collections.abc import Iterable, Iterator

import networkx as nx

from orchestrator.planner.rules import FIRST, THEN, Parts, RuleKind, Rules, View


def exclusions_of(rules: Rules, view: View) -> list[int]:
    """The exclusions that have more than one domain here, outermost first."""
    return [c for c, parts in view.items() if rules.kinds[c] is RuleKind.EXCLUSION and len(parts) > 1]


def orders_of(rules: Rules, view: View) -> list[int]:
    """The orders that have both sides here."""
    return [c for c, parts in view.items() if rules.kinds[c] is RuleKind.ORDER and len(parts) > 1]


class Nesting:
    """What stands above what among some machines. Made once for them; what is asked for again is remembered."""

    def __init__(self, rules: Rules, view: View) -> None:
        self.exclusions = exclusions_of(rules, view)
        self.orders = orders_of(rules, view)
        self._rules = rules
        self.view = view
        self._binding: tuple[int, ...] | None = None
        self._ordering = frozenset(self.orders)
        self._leading: dict[int, list[int]] = {}  # machine -> the orders that it goes first in
        for order in self.orders:
            for machine in view[order][FIRST]:
                self._leading.setdefault(machine, []).append(order)
        self._reached: dict[int, frozenset[int]] = {}
        self._following: dict[int, tuple[tuple[int, int], ...]] = {}
        self._crossed: dict[int, frozenset[int]] = {}
        self._cut: dict[int, tuple[int, ...]] = {}

    @property
    def binding(self) -> tuple[int, ...]:
        """The constraints that keep any of the machines from going all at once."""
        if self._binding is None:
            binds = self._rules.binds
            self._binding = tuple([c for c, parts in self.view.items() if binds(c, parts)])
        return self._binding

    def sequence(self, exclusion: int, *, first: int | None = None) -> list[int] | None:
        """The domains of an exclusion in an order that all orders allow; None if none does.

        Where they leave a choice, `first` comes first, and the others by name.
        """
        following = self.following(exclusion)
        if not following:
            return sorted(self.view[exclusion], key=lambda part: (part != first, part))
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(self.view[exclusion])
        graph.add_edges_from(following)
        try:
            return list(nx.lexicographical_topological_sort(graph, key=lambda part: (part != first, part)))
        except nx.NetworkXUnfeasible:
            return None

    def following(self, exclusion: int) -> tuple[tuple[int, int], ...]:
        """Pairs of domains of an exclusion of which orders put the second after the first. Of most exclusions there are none."""
        known = self._following.get(exclusion)
        if known is None:
            found = self._put_after(self.view[exclusion]) if self.orders else ()
            known = self._following[exclusion] = tuple(dict.fromkeys(found))
        return known

    def cut_by(self, exclusion: int) -> tuple[int, ...]:
        """The exclusions and orders that cut the domains of this exclusion, sorted; none if each can be finished in one go.

        Of orders only those that its machines stand in: others leave it whole, whatever they do to the exclusions around it.
        """
        known = self._cut.get(exclusion)
        if known is None:
            here = self._around(exclusion)
            level = self._rules.levels[exclusion]
            outer = [
                c
                for c in sorted(here)
                if self._rules.kinds[c] is RuleKind.EXCLUSION and self._rules.levels[c] < level
            ]
            cutting = _cutting(self._rules, self.view[exclusion], outer) if outer else set()
            for one in (exclusion, *outer):
                cutting |= here & self._crossing(one)
            known = self._cut[exclusion] = tuple(sorted(cutting))
        return known

    def crossed_by(self, exclusion: int) -> tuple[int, ...]:
        """The orders among the machines of this exclusion, if they let its domains not come one after the other; else none."""
        return tuple(sorted(self._crossing(exclusion)))

    def _crossing(self, exclusion: int) -> frozenset[int]:
        """As `crossed_by`; a set, since those of an exclusion over a whole region stand above all that is in it."""
        known = self._crossed.get(exclusion)
        if known is None:
            known = frozenset()
            if len(self.view[exclusion]) > 1 and self.sequence(exclusion) is None:
                known = self._around(exclusion) & self._ordering
            self._crossed[exclusion] = known
        return known

    def _around(self, exclusion: int) -> frozenset[int]:
        """The constraints that its machines stand in."""
        places = self._rules.places
        return frozenset(
            c for members in self.view[exclusion].values() for m in members for c, _ in places[m]
        )

    def _put_after(self, parts: Parts) -> Iterator[tuple[int, int]]:
        """Pairs of domains of which orders, one or several after one another, put the second after the first."""
        domain_of = {machine: part for part, members in parts.items() for machine in members}
        earlier: dict[int, set[int]] = {}  # order -> the domains of those that go first in it
        for machine, part in domain_of.items():
            for order in self._leading.get(machine, ()):
                earlier.setdefault(order, set()).add(part)
        for order, ones in earlier.items():
            later = {domain_of[m] for o in self._behind(order) for m in self.view[o][THEN] if m in domain_of}
            yield from ((one, other) for one in ones for other in later if one != other)

    def _behind(self, order: int) -> frozenset[int]:
        """The order, and those that begin where it, or one of them, ends."""
        known = self._reached.get(order)
        if known is None:
            found = {order}
            left = [order]
            while left:
                for machine in self.view[left.pop()][THEN]:
                    fresh = [other for other in self._leading.get(machine, ()) if other not in found]
                    found.update(fresh)
                    left += fresh
            known = self._reached[order] = frozenset(found)
        return known


def of_all(rules: Rules) -> Nesting:
    """That of all classes."""
    return Nesting(rules, rules.view(range(len(rules.sizes))))


def sequence(rules: Rules, view: View, exclusion: int, *, first: int | None = None) -> list[int] | None:
    """As `Nesting.sequence`, to ask once."""
    return Nesting(rules, view).sequence(exclusion, first=first)


def cut_by(rules: Rules, view: View, exclusion: int) -> tuple[int, ...]:
    """As `Nesting.cut_by`, to ask once."""
    return Nesting(rules, view).cut_by(exclusion)


def crossed_by(rules: Rules, view: View, exclusion: int) -> tuple[int, ...]:
    """As `Nesting.crossed_by`, to ask once."""
    return Nesting(rules, view).crossed_by(exclusion)


def _cutting(rules: Rules, domains: Parts, outer: Iterable[int]) -> set[int]:
    """Which of the outer exclusions cut one of these domains: it stands partly in one of theirs, and partly elsewhere."""
    wanted = frozenset(outer)
    places = rules.places
    found: set[int] = set()
    for members in domains.values():
        held = Counter([at for machine in members for at in places[machine] if at[0] in wanted])
        found.update([c for (c, _), count in held.items() if count < len(members)])
    return found


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
