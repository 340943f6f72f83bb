"""What the machines of a lane ask of its wide exclusions: of which domain how many waves, in what order.

An exclusion is *wide* if machines stand in it that orders don't join: one zone at a time over a whole fleet. Its domains hold hundreds of
applications, each of which goes through them at its own pace: databases of zone 1, of zone 2, then web servers of zone 1. Which
domain is open in which wave is then what a plan's length depends on (`itinerary`), and what is asked of that is small: machines
that orders join are a *unit*, its *sides* follow one another, and each side takes so many waves of each domain as are proven for it alone.
Units that ask no more than another does are many, and needn't be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.planner import nesting
from orchestrator.planner.bound import Prover
from orchestrator.planner.cells import Numbered
from orchestrator.planner.rules import FIRST, THEN

SHARE: Final = 64
"""An exclusion of fewer than one in so many of a lane's machines is none that the whole has to wait for."""

NOWHERE: Final = -1

Needs = tuple[int, ...]
"""Waves, of each place of a tree."""

Demand = tuple[Needs, ...]
"""What the sides of a unit need, one after another."""


@dataclass(slots=True)
class Tree:
    """Wide exclusions nested in one another. Their domains are *places*, numbered, each after the one that it lies in."""

    around: list[int] = field(default_factory=list)  # place -> the place that it lies in, or NOWHERE
    rule: list[int] = field(default_factory=list)  # place -> its exclusion, by number of this tree
    inside: list[list[int]] = field(default_factory=list)  # place -> those of the exclusion within
    uncut: list[bool] = field(
        default_factory=list
    )  # exclusion -> whether a domain is finished before the next begins, whosoever stands in it
    before: list[tuple[int, int]] = field(
        default_factory=list
    )  # places of which the first is finished before the second

    def add(self, around: int, domains: int, *, uncut: bool) -> int:
        """Put an exclusion into a place. Returns its first new one."""
        first, rule = len(self.rule), len(self.uncut)
        self.uncut.append(uncut)
        for place in range(first, first + domains):
            self.around.append(around)
            self.rule.append(rule)
            self.inside.append([])
            if around != NOWHERE:
                self.inside[around].append(place)
        return first

    def paths(self) -> list[tuple[int, ...]]:
        """What may be open in a wave: each innermost place after those around it."""
        return [self.path(place) for place, inner in enumerate(self.inside) if not inner]

    def path(self, place: int) -> tuple[int, ...]:
        """A place after those around it."""
        found = []
        while place != NOWHERE:
            found.append(place)
            place = self.around[place]
        return tuple(reversed(found))


@dataclass(slots=True)
class Asked:
    """What is asked of one tree. Classes are local to the lane; a unit's sides are numbered as in its demand."""

    tree: Tree
    place: dict[int, int] = field(default_factory=dict)  # class -> the innermost place that it stands in
    sides: dict[tuple[int, int], list[int]] = field(default_factory=dict)  # (unit, side) -> classes
    demands: dict[int, Demand] = field(default_factory=dict)  # unit -> what it asks
    leading: list[int] = field(default_factory=list)  # units that ask for something that no other does


def asked_of(lane: Numbered) -> list[Asked]:
    """The trees of a lane, and what is asked of each."""
    units = _Units(lane)
    trees = _trees(lane, units)
    prove = Prover(lane.rules)
    for asked in trees:
        for one in sorted(asked.place):
            asked.sides.setdefault((units.of[one], units.depth[one]), []).append(one)
        _ask(asked, lane, prove)
    return trees


class _Units:
    """Classes that orders join, and how many orders lead to each. Those in no order are one unit: they share what is finished in one go."""

    def __init__(self, lane: Numbered) -> None:
        rules, orders, view = lane.rules, lane.nest.orders, lane.nest.view
        local = {one: place for place, one in enumerate(lane.classes)}
        above = list(range(len(lane.classes)))

        def top(one: int) -> int:
            while above[one] != one:
                above[one] = one = above[above[one]]
            return one

        for order in orders:
            members = [local[one] for part in (FIRST, THEN) for one in view[order][part]]
            for one in members[1:]:
                above[top(one)] = top(members[0])
        deep = nesting.depths(rules, view, orders)
        self.of = [top(one) if lane.classes[one] in deep else NOWHERE for one in range(len(lane.classes))]
        self.depth = [deep.get(one, 0) for one in lane.classes]


def _trees(lane: Numbered, units: _Units) -> list[Asked]:
    """Wide exclusions, the outermost and largest first; one that lies across another, or beside one in the same place, is left out."""
    domains = lane.domains
    size = [sum(lane.sizes[one] for held in each.values() for one in held) for each in domains]
    level = [lane.rules.levels[c] for c in lane.exclusions]
    trees: list[Asked] = []
    stands: dict[int, tuple[int, int]] = {}  # class -> (tree, place)
    for number in sorted(range(len(domains)), key=lambda x: (level[x], -size[x], x)):
        members = [one for held in domains[number].values() for one in held]
        if size[number] * SHARE < sum(lane.sizes) or len({units.of[one] for one in members}) < 2:
            continue
        around = {stands.get(one, (NOWHERE, NOWHERE)) for one in members}
        if len(around) > 1:
            continue
        tree, place = around.pop()
        if tree == NOWHERE:
            tree = len(trees)
            trees.append(Asked(Tree()))
        elif trees[tree].tree.inside[place]:
            continue
        exclusion = lane.exclusions[number]
        uncut = not lane.nest.cut_by(exclusion)
        first = trees[tree].tree.add(place, len(domains[number]), uncut=uncut)
        place_of = {domain: first + nth for nth, domain in enumerate(sorted(domains[number]))}
        if uncut:
            trees[tree].tree.before += [
                (place_of[one], place_of[other]) for one, other in lane.nest.following(exclusion)
            ]
        for domain, held in domains[number].items():
            for one in held:
                stands[one] = (tree, place_of[domain])
                trees[tree].place[one] = place_of[domain]
    return trees


def _ask(asked: Asked, lane: Numbered, prove: Prover) -> None:
    """Find what each unit asks. One that couldn't ask for more than another does, even one machine at a time, isn't proven."""
    by_unit: dict[int, list[list[int]]] = {}
    for (unit, _), members in sorted(asked.sides.items()):
        by_unit.setdefault(unit, []).append(members)
    asked.sides = {
        (unit, nth): members for unit, sides in by_unit.items() for nth, members in enumerate(sides)
    }
    kept: dict[int, Demand] = {}
    size = {unit: sum(lane.sizes[one] for held in sides for one in held) for unit, sides in by_unit.items()}
    for unit in sorted(by_unit, key=lambda unit: (unit != NOWHERE, -size[unit], unit)):
        demand = tuple(_counted(asked, lane, members) for members in by_unit[unit])
        if all(within(demand, other) is None for other in kept.values()):
            demand = kept[unit] = tuple(_proven(asked, lane, members, prove) for members in by_unit[unit])
        asked.demands[unit] = demand
    asked.leading = leading_of(asked.demands)


def leading_of(demands: Mapping[int, Demand]) -> list[int]:
    """The units that ask for something that no other asks for too."""
    kept: list[int] = []
    for unit in sorted(demands, key=lambda unit: (-sum(map(sum, demands[unit])), unit)):
        if all(within(demands[unit], demands[other]) is None for other in kept):
            kept.append(unit)
    return sorted(kept)


def _by_place(asked: Asked, members: Iterable[int]) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one in members:
        for place in asked.tree.path(asked.place[one]):
            found.setdefault(place, []).append(one)
    return found


def _counted(asked: Asked, lane: Numbered, members: Sequence[int]) -> Needs:
    held = _by_place(asked, members)
    return tuple(sum(lane.sizes[one] for one in held.get(place, ())) for place in range(len(asked.tree.rule)))


def _proven(asked: Asked, lane: Numbered, members: Sequence[int], prove: Prover) -> Needs:
    held = _by_place(asked, members)
    return tuple(
        prove(sorted(lane.classes[one] for one in held[place])).waves if place in held else 0
        for place in range(len(asked.tree.rule))
    )


def within(demand: Demand, other: Demand) -> list[int] | None:
    """For each side one of the other's that needs no less, in the same order; None if there are none."""
    found: list[int] = []
    at = 0
    for needs in demand:
        while at < len(other) and any(mine > its for mine, its in zip(needs, other[at], strict=True)):
            at += 1
        if at == len(other):
            return None
        found.append(at)
        at += 1
    return found
