"""The machines of a stage and the constraints among them as columns of numbers, and what of it falls apart.

Everything here is done on whole columns at once, so that a million machines cost seconds: constraints that bind nobody are dropped,
machines that stand in the same places become one *class*, and classes that constraints join, directly or through others,
become one *component*. A row of `incidences` is a class, a constraint and a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.availability.model import Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner.rules import RuleKind, kind_of, level_of, limit_of, numbered, parts_of

Ints = NDArray[np.int64]

PIECES: Final = 32
"""Into how many a class is cut at most whose machines may go beside several domains."""


@dataclass(frozen=True, slots=True)
class Incidences:
    """Who stands where: rows of three columns, sorted by the first, then by constraint. Parts are those of `rules.parts_of`."""

    who: Ints
    constraint: Ints
    part: Ints

    def rows(self, kept: NDArray[np.bool_] | Ints) -> Incidences:
        """Some of the rows."""
        return Incidences(self.who[kept], self.constraint[kept], self.part[kept])


@dataclass(frozen=True, slots=True)
class Columns:
    """A stage by numbers.

    `class_of` is -1 for machines that no constraint binds, `component_of` is by class: the first class of its component. Classes
    are numbered by their first machines.
    """

    machines: tuple[MachineId, ...]
    constraints: tuple[Constraint, ...]
    class_of: Ints
    sizes: Ints  # class -> machines
    incidences: Incidences  # of classes; constraints that bind, only
    component_of: Ints
    kinds: Ints
    limits: Ints
    levels: Ints

    def free(self) -> list[int]:
        """The machines that no constraint binds."""
        found: list[int] = np.flatnonzero(self.class_of < 0).tolist()
        return found


def columns(machines: Iterable[MachineId], constraints: Iterable[Constraint]) -> Columns:
    """Number the machines that a stage changes, in the order that they come in, and the constraints among them."""
    ordered = tuple(machines)
    rules = numbered(constraints)
    kinds = np.array([kind_of(rule).value for rule in rules], dtype=np.int64)
    limits = np.array([limit_of(rule) for rule in rules], dtype=np.int64)
    found = _incidences(ordered, rules)
    found = found.rows(_binds(found, kinds, limits)[found.constraint])
    class_of, first = _classes(len(ordered), found)
    whole = _of_classes(found, class_of, first)
    wide = _may_go_beside(whole, _components(len(first), whole, len(rules)), kinds)
    class_of, first = _divided(class_of, wide)
    of_classes = _of_classes(found, class_of, first)
    return Columns(
        machines=ordered,
        constraints=tuple(rules),
        class_of=class_of,
        sizes=np.bincount(class_of[class_of >= 0], minlength=len(first)),
        incidences=of_classes,
        component_of=_components(len(first), of_classes, len(rules)),
        kinds=kinds,
        limits=limits,
        levels=np.array([level_of(rule) for rule in rules], dtype=np.int64),
    )


def _incidences(machines: Sequence[MachineId], rules: Sequence[Constraint]) -> Incidences:
    index = {machine: place for place, machine in enumerate(machines)}
    parts = [(c, p, held) for c, rule in enumerate(rules) for p, (_, held) in enumerate(parts_of(rule))]
    lengths = [len(held) for _, _, held in parts]
    names = chain.from_iterable(held for _, _, held in parts)
    who = np.fromiter(map(index.get, names, repeat(-1)), dtype=np.int64, count=sum(lengths))
    constraint = np.repeat(np.array([c for c, _, _ in parts], dtype=np.int64), lengths)
    part = np.repeat(np.array([p for _, p, _ in parts], dtype=np.int64), lengths)
    here = np.flatnonzero(who >= 0)
    return Incidences(who, constraint, part).rows(here[np.argsort(who[here], kind="stable")])


def _binds(found: Incidences, kinds: Ints, limits: Ints) -> NDArray[np.bool_]:
    """Whether each constraint keeps any of the machines from going all at once."""
    count = np.bincount(found.constraint, minlength=len(kinds))
    stride = 1 + int(found.part.max(initial=0))
    parts = np.bincount(np.unique(found.constraint * stride + found.part) // stride, minlength=len(kinds))
    return np.where(kinds == RuleKind.BUDGET.value, count > limits, parts > 1)


def _classes(machines: int, found: Incidences) -> tuple[Ints, Ints]:
    """Of each machine its class, -1 without any place; of each class its first machine.

    Machines are told apart by one place after the other, so that equal class means equal places, never only an equal digest.
    """
    class_of = np.full(machines, -1, dtype=np.int64)
    if not len(found.who):
        return class_of, np.zeros(0, dtype=np.int64)
    stride = 1 + int(found.part.max())
    _, place = np.unique(found.constraint * stride + found.part, return_inverse=True)
    starts = np.flatnonzero(np.r_[True, found.who[1:] != found.who[:-1]])
    lengths = np.diff(np.r_[starts, len(found.who)])
    alike = np.zeros(len(starts), dtype=np.int64)
    longest = int(lengths.max())
    for depth in range(longest):
        rows = np.flatnonzero(lengths > depth)
        shorter = alike.max() + 1  # those that end here keep apart from those that go on
        key = (alike[rows] + shorter) * (len(place) + 1) + place[starts[rows] + depth] + 1
        _, found_here = np.unique(key, return_inverse=True)
        alike[rows] = shorter + found_here
    _, first, alike = np.unique(alike, return_index=True, return_inverse=True)
    turn = np.argsort(first, kind="stable")
    rank = np.empty_like(turn)
    rank[turn] = np.arange(len(turn))
    who = found.who[starts]
    class_of[who] = rank[alike]
    return class_of, who[first[turn]]


def _of_classes(found: Incidences, class_of: Ints, first: Ints) -> Incidences:
    """The rows of each class, taken from its first machine. Sorted, since classes are numbered by these."""
    kept = found.rows(np.isin(found.who, first))
    return Incidences(class_of[kept.who], kept.constraint, kept.part)


def _may_go_beside(found: Incidences, component_of: Ints, kinds: Ints) -> NDArray[np.bool_]:
    """Classes that stand in no domain of any exclusion, where others of their component do."""
    inside = np.zeros(len(component_of), dtype=bool)
    inside[found.who[kinds[found.constraint] == RuleKind.EXCLUSION.value]] = True
    around = np.zeros(len(component_of), dtype=bool)
    around[component_of[inside]] = True
    return around[component_of] & ~inside


def _divided(class_of: Ints, wide: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The classes with the wide ones cut into pieces, and the first machine of each: their machines may go beside several domains."""
    held = np.flatnonzero(class_of >= 0)
    order = held[np.argsort(class_of[held], kind="stable")]
    sizes = np.bincount(class_of[order], minlength=len(wide))
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # of a machine in its class
    pieces = np.where(wide, np.minimum(sizes, PIECES), 1)
    of = class_of[order]
    piece = (np.cumsum(pieces) - pieces)[of] + place * pieces[of] // sizes[of]
    _, at, number = np.unique(piece, return_index=True, return_inverse=True)
    first = order[at]
    rank = np.empty_like(first)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    divided = np.full_like(class_of, -1)
    divided[order] = rank[number]
    return divided, np.sort(first)


def _components(classes: int, found: Incidences, constraints: int) -> Ints:
    """Of each class the first one of its component: the smallest number spreads until nothing changes any more."""
    label = np.arange(classes)
    if not len(found.who):
        return label
    by_rule = np.argsort(found.constraint, kind="stable")
    who, rule = found.who[by_rule], found.constraint[by_rule]
    starts = np.flatnonzero(np.r_[True, rule[1:] != rule[:-1]])
    of_rule = np.zeros(constraints, dtype=np.int64)
    mine = np.flatnonzero(np.r_[True, found.who[1:] != found.who[:-1]])
    while True:
        of_rule[rule[starts]] = np.minimum.reduceat(label[who], starts)
        fresh = np.minimum.reduceat(of_rule[found.constraint], mine)
        fresh = np.minimum(fresh, fresh[fresh])
        if np.array_equal(fresh, label):
            return label
        label = fresh
