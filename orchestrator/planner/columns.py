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

from orchestrator.availability.model import Budget, Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner.rules import RuleKind, kind_of, level_of, limit_of, numbered, parts_of
from orchestrator.planner.sorting import ranked, sorted_by

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
    found, place = _incidences(ordered, rules, kinds, limits)
    class_of, first = _classes(len(ordered), found, place)
    del place  # a million machines stand in millions of places
    whole = _of_classes(found, class_of, first)
    wide = _may_go_beside(whole, _components(len(first), whole, len(rules)), kinds)
    if wide.any():
        class_of, first = _divided(class_of, wide)
        whole = _of_classes(found, class_of, first)
    return Columns(
        machines=ordered,
        constraints=tuple(rules),
        class_of=class_of,
        sizes=np.bincount(class_of[class_of >= 0], minlength=len(first)),
        incidences=whole,
        component_of=_components(len(first), whole, len(rules)),
        kinds=kinds,
        limits=limits,
        levels=np.fromiter(map(level_of, rules), dtype=np.int64, count=len(rules)),
    )


def _incidences(
    machines: Sequence[MachineId], rules: Sequence[Constraint], kinds: Ints, limits: Ints
) -> tuple[Incidences, Ints]:
    """Who stands where, of the constraints that keep any of the machines from going all at once; and of each row the number of its place.

    Constraints are gone through part by part, so what binds is told before anything is sorted, and places are numbered as they come.
    """
    index = dict(zip(machines, range(len(machines)), strict=True))
    held: list[Sequence[MachineId]] = []
    of: list[int] = []
    numbers: list[int] = []
    budgets = int(np.searchsorted(kinds, RuleKind.BUDGET.value))  # from here on: most rules, each of one part
    for c, rule in enumerate(rules[:budgets]):
        for p, (_, members) in enumerate(parts_of(rule)):
            held.append(members)
            of.append(c)
            numbers.append(p)
    held += [rule.machines for rule in rules if isinstance(rule, Budget)]
    of += range(budgets, len(rules))
    numbers += [0] * (len(rules) - budgets)
    lengths = np.fromiter(map(len, held), dtype=np.int64, count=len(held))
    names = chain.from_iterable(held)
    who = np.fromiter(map(index.get, names, repeat(-1)), dtype=np.int64, count=int(lengths.sum()))
    place = np.repeat(np.arange(len(held)), lengths)
    constraint, part = np.array(of, dtype=np.int64), np.array(numbers, dtype=np.int64)
    count = np.bincount(place[who >= 0], minlength=len(held))
    machines_of = np.bincount(constraint, count, minlength=len(rules))
    parts_of_rule = np.bincount(constraint[count > 0], minlength=len(rules))
    binds = np.where(kinds == RuleKind.BUDGET.value, machines_of > limits, parts_of_rule > 1)
    here = np.flatnonzero((who >= 0) & binds[constraint][place])
    here = here[sorted_by(who[here])]
    place = place[here]
    return Incidences(who[here], constraint[place], part[place]), place


def _classes(machines: int, found: Incidences, place: Ints) -> tuple[Ints, Ints]:
    """Of each machine its class, -1 without any place; of each class its first machine.

    Machines are told apart by one place after the other, so that equal class means equal places, never only an equal digest.
    """
    class_of = np.full(machines, -1, dtype=np.int64)
    if not len(found.who):
        return class_of, np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, found.who[1:] != found.who[:-1]])
    lengths = np.diff(np.r_[starts, len(found.who)])
    alike = np.zeros(len(starts), dtype=np.int64)
    longest, places = int(lengths.max()), int(place.max()) + 2
    for depth in range(longest):
        rows = np.flatnonzero(lengths > depth)
        shorter = alike.max() + 1  # those that end here keep apart from those that go on
        key = (alike[rows] + shorter) * places + place[starts[rows] + depth] + 1
        alike[rows] = shorter + ranked(key)
    _, first, alike = np.unique(alike, return_index=True, return_inverse=True)
    turn = np.argsort(first, kind="stable")
    rank = np.empty_like(turn)
    rank[turn] = np.arange(len(turn))
    who = found.who[starts]
    class_of[who] = rank[alike]
    return class_of, who[first[turn]]


def _of_classes(found: Incidences, class_of: Ints, first: Ints) -> Incidences:
    """The rows of each class, taken from its first machine. Sorted, since classes are numbered by these."""
    chosen = np.zeros(len(class_of), dtype=np.bool_)
    chosen[first] = True
    kept = found.rows(chosen[found.who])
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
    by_rule = sorted_by(found.constraint)
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
