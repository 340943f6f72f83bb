"""Components of a stage that are alike: each *shape* is planned once, wherever it occurs.

A fleet has many applications and few ways to build one. Two components have the same shape if their classes and constraints, put in
an order that depends on structure alone, are the same to the last number; then what is found for one is found for the other, class by
class. The order comes from colours: each class and each constraint is digested again and again with those around it (Weisfeiler
and Leman's refinement). Where colours don't tell two apart, their numbers do, and at worst a shape is planned twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, starmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.availability.model import Budget
from orchestrator.planner.columns import Columns, Incidences, Ints
from orchestrator.planner.mixing import mixed
from orchestrator.planner.rules import RuleKind, Rules, parts_of
from orchestrator.planner.sorting import ranked, sorted_by

ROUNDS: Final = 3
"""How far around itself everything is told apart by: applications are a few rules deep."""

_UNNAMED: Final = ("",)

_KINDS: Final = {kind.value: kind for kind in RuleKind}

_Colours = NDArray[np.uint64]


class Shape:
    """Components that are alike. `rules` are in the names of the first.

    Classes are numbered by the machines of the first, so that plans read in the order that people know.
    """

    def __init__(self, sorter: _Sorted, component: int) -> None:
        self._sorter = sorter
        firsts = sorter.firsts(component)
        self._turn = sorted(range(len(firsts)), key=firsts.__getitem__)
        self._bare = sorter.rules(component, self._turn)
        self.rules = replace(
            self.named(component), machines=tuple(sorter.machines[firsts[one]] for one in self._turn)
        )

    def named(self, component: int) -> Rules:
        """The rules in the names of one of the components that have this shape."""
        return self._sorter.named(self._bare, component)

    def members(self, components: Sequence[int]) -> Ints:
        """Of each of these components that have this shape a row: its machines by number, class by class, the most urgent first."""
        return self._sorter.members(components, self._turn)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Every component of a stage, in the order of their first machines, as the number of a shape and its own number."""

    shapes: tuple[Shape, ...]
    components: tuple[tuple[int, int], ...]


def shapes(held: Columns) -> Shapes:
    """The shapes of a stage's components."""
    sorter = _Sorted(held)
    known: dict[bytes, int] = {}
    found: list[Shape] = []
    components: list[tuple[int, int]] = []
    for component in range(len(sorter)):
        key = sorter.key(component)
        shape = known.setdefault(key, len(found))
        if shape == len(found):
            found.append(Shape(sorter, component))
        components.append((shape, component))
    return Shapes(tuple(found), tuple(components))


class _Sorted:
    """Classes, constraints and incidences of a stage, sorted by component and, in it, by colour."""

    def __init__(self, held: Columns) -> None:
        self.machines = held.machines
        self._held = held
        found = held.incidences
        stride = 1 + int(found.part.max(initial=0))
        at = found.constraint * stride + found.part
        place = ranked(at)
        places = np.zeros(1 + int(place.max(initial=-1)), dtype=np.int64)
        places[place] = at
        # Of each place that anybody stands in; a part's rank is its place among those of its rule.
        rules = places // stride
        first_place = np.searchsorted(rules, np.arange(len(held.constraints)))
        rank = place - first_place[found.constraint]
        self._present, self._present_starts = places % stride, np.r_[first_place, len(places)]
        colours, rule_colours = _coloured(held, place, rank, rules)
        present = np.unique(found.constraint)
        home = np.zeros(len(held.constraints), dtype=np.int64)
        home[found.constraint] = held.component_of[found.who]
        self.classes = np.lexsort((np.arange(len(held.sizes)), colours, held.component_of))
        self.constraints = present[
            np.lexsort(
                (present, rule_colours[present], held.levels[present], held.kinds[present], home[present])
            )
        ]
        labels = np.unique(held.component_of)
        ends: Ints = np.append(labels, len(held.sizes))
        self._class_starts: Ints = np.searchsorted(held.component_of[self.classes], ends)
        self._rule_starts: Ints = np.searchsorted(home[self.constraints], ends)
        self._rows = self._in_place(found, rank)
        self._row_starts: Ints = np.searchsorted(self._rows[:, 0], self._class_starts)
        self._local()
        order = sorted_by(held.class_of + 1)
        self._members = order[np.count_nonzero(held.class_of < 0) :]
        self._member_starts = np.r_[0, np.cumsum(held.sizes)]
        self._attributes = np.column_stack((held.kinds, held.limits, held.levels))[self.constraints]
        self._sizes = held.sizes[self.classes]
        self._slices = _slices(self._class_starts, self._rule_starts, self._row_starts)

    def __len__(self) -> int:
        return len(self._class_starts) - 1

    def _in_place(self, found: Incidences, rank: Ints) -> Ints:
        """The rows by the places of their classes and constraints in the sorted sequences: (class, constraint, rank of the part)."""
        class_at = np.empty(len(self.classes), dtype=np.int64)
        class_at[self.classes] = np.arange(len(self.classes))
        rule_at = np.zeros(len(self._held.constraints), dtype=np.int64)
        rule_at[self.constraints] = np.arange(len(self.constraints))
        who, rule = class_at[found.who], rule_at[found.constraint]
        return np.column_stack((who, rule, rank))[sorted_by(who * len(self.constraints) + rule)]

    def _local(self) -> None:
        """Count classes and constraints from the first of their component."""
        component = np.repeat(np.arange(len(self)), np.diff(self._row_starts))
        self._rows[:, 0] -= self._class_starts[component]
        self._rows[:, 1] -= self._rule_starts[component]

    def key(self, component: int) -> bytes:
        """The same for two components if and only if they have the same shape."""
        classes, rules, rows = self._slices[component]
        return b"|".join((
            self._sizes[classes].tobytes(), self._attributes[rules].tobytes(), self._rows[rows].tobytes()
        ))  # fmt: skip

    def firsts(self, component: int) -> list[int]:
        """The first machine of each class, by number."""
        found: list[int] = self._members[
            self._member_starts[self.classes[self._slices[component][0]]]
        ].tolist()
        return found

    def members(self, components: Sequence[int], turn: Sequence[int]) -> Ints:
        """As `Shape.members`. All have the same shape, so their classes have the same sizes; `turn` says in which order they come."""
        starts = self._class_starts[list(components)]
        sizes = self._sizes[starts[0] + np.array(turn)]
        first = self._member_starts[self.classes[starts[:, np.newaxis] + np.array(turn)]]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        found: Ints = self._members[np.repeat(first, sizes, axis=1) + within]
        return found

    def rules(self, component: int, turn: Sequence[int]) -> Rules:
        """The component by itself, its classes in this turn and its constraints numbered from 0, without names."""
        classes, rules, rows = self._slices[component]
        attributes = self._attributes[rules].tolist()
        sizes = self._sizes[classes].tolist()
        places: list[list[tuple[int, int]]] = [[] for _ in sizes]
        for one, rule, part in self._rows[rows].tolist():
            places[one].append((rule, part))
        return Rules(
            machines=(),
            sizes=tuple([sizes[one] for one in turn]),
            places=tuple([tuple(places[one]) for one in turn]),
            kinds=tuple([_KINDS[kind] for kind, _, _ in attributes]),
            limits=tuple([limit for _, limit, _ in attributes]),
            levels=tuple([level for _, _, level in attributes]),
            constraints=(),
            part_names=(),
        )

    def named(self, rules: Rules, component: int) -> Rules:
        """The rules of a shape in the names of one of its components. Machines are left out: it is asked for every component."""
        held = self.constraints[self._slices[component][1]].tolist()
        constraints = self._held.constraints
        return Rules(
            machines=(),
            sizes=rules.sizes,
            places=rules.places,
            kinds=rules.kinds,
            limits=rules.limits,
            levels=rules.levels,
            constraints=tuple([constraints[rule] for rule in held]),
            part_names=_PartNames(self, held),
        )

    def part_names(self, rule: int) -> tuple[str, ...]:
        """Names of the parts that anybody stands in."""
        constraint = self._held.constraints[rule]
        if isinstance(constraint, Budget):
            return _UNNAMED
        parts = parts_of(constraint)
        present = self._present[self._present_starts[rule] : self._present_starts[rule + 1]].tolist()
        return tuple(parts[part][0] for part in present)


class _PartNames:
    """Of each rule of a component the names of its parts that anybody stands in; looked up when they are told, which is seldom."""

    def __init__(self, sorter: _Sorted, rules: Sequence[int]) -> None:
        self._sorter = sorter
        self._rules = rules
        self._known: dict[int, tuple[str, ...]] = {}

    def __getitem__(self, constraint: int, /) -> tuple[str, ...]:
        known = self._known.get(constraint)
        if known is None:
            known = self._known[constraint] = self._sorter.part_names(self._rules[constraint])
        return known


def _slices(*starts: Ints) -> list[tuple[slice, ...]]:
    """Of each component where it stands in each of the sequences."""
    each = [list(starmap(slice, pairwise(some.tolist()))) for some in starts]
    return list(zip(*each, strict=True))


def _coloured(held: Columns, place: Ints, rank: Ints, rule_of_place: Ints) -> tuple[_Colours, _Colours]:
    """The colours of classes and of constraints."""
    found = held.incidences
    rules = len(held.constraints)
    of_rule = mixed(
        held.kinds.astype(np.uint64)
        + mixed(held.limits.astype(np.uint64) + mixed(held.levels.astype(np.uint64)))
    )
    of_class = mixed(held.sizes.astype(np.uint64))
    ranks = mixed(rank.astype(np.uint64))
    first_of_place = np.zeros(len(rule_of_place), dtype=np.uint64)
    first_of_place[place] = ranks
    by_place = sorted_by(place)
    who, places = found.who[by_place], place[by_place]
    for _ in range(ROUNDS):
        of_place = mixed(_summed(of_class[who], places, len(rule_of_place)) ^ first_of_place)
        of_rule = mixed(of_rule + _summed(of_place, rule_of_place, rules))
        around = mixed(of_rule[found.constraint] ^ ranks)
        of_class = mixed(of_class + _summed(around, found.who, len(held.sizes)))
    return of_class, of_rule


def _summed(values: _Colours, of: Ints, count: int) -> _Colours:
    """The sum of the values of each; `of` is sorted."""
    found = np.zeros(count, dtype=np.uint64)
    if len(of):
        starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
        found[of[starts]] = np.add.reduceat(values, starts)
    return found
