"""Writes the lanes of a stage, each component in its own names.

What is the same in all components of a shape is worked out once, in a `Script`: which of its machines goes in which wave, by place. So a
hundred thousand small components cost little more than their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Final

import numpy as np

from orchestrator.inventory.model import MachineId
from orchestrator.planner.bound import bound_of
from orchestrator.planner.flat import Ints
from orchestrator.planner.lanes import Leaf, Path
from orchestrator.planner.model import Bound, Lane, Wave
from orchestrator.planner.rules import THEN, RuleKind, Rules
from orchestrator.planner.search import searched
from orchestrator.planner.shapes import Shape
from orchestrator.planner.waves import Waves

_ANY: Final = Bound(1, "whatever is changed takes a wave")

_TOGETHER: Final = Bound(1, "no rule keeps any of these machines from going with the others")


@dataclass(frozen=True, slots=True)
class Row:
    """One lane, or several that were made one. `subject` is the constraint that it is named after, if there is one."""

    leaves: list[Leaf]
    waves: Waves
    after: tuple[int, ...]
    path: Path = ()
    subject: int | None = None


class Script:
    """The rows of a shape, and who goes in them: of each component the machines wave after wave, each wave sorted."""

    def __init__(self, rows: Sequence[Row], sizes: Sequence[int], ranks: Ints, machines: int) -> None:
        """`ranks` are those of each component's machines, class by class, among so many `machines` sorted by id."""
        following = (np.cumsum(sizes) - sizes).tolist()  # of each class the place of who goes next
        places: list[int] = []
        self.rows: list[
            tuple[Row, list[int], bool]
        ] = []  # with where its waves end, and whether it is one machine
        before = 0
        for row in rows:
            ends = []
            for wave in row.waves:
                for one in wave:
                    places.append(following[one])
                    following[one] += 1
                ends.append(len(places))
            self.rows.append((row, ends, len(places) - before == 1))
            before = len(places)
        lengths = np.diff([0, *(end for _, ends, _ in self.rows for end in ends)])
        apart = np.repeat(np.arange(len(lengths)), lengths) * machines
        in_waves = ranks[:, places] + apart
        in_waves.sort(axis=1)
        in_waves -= apart
        self.turns: Iterator[Ints] = iter(in_waves)


class Writer:
    """Writes lanes, numbered one after another."""

    def __init__(
        self, machines: Sequence[MachineId], stage: str, names: Mapping[MachineId, str], count: int
    ) -> None:
        self.lanes: list[Lane] = []
        self._stage = stage
        self._names = names
        width = len(str(count))
        self._ids = [f"{stage}-{number + 1:0{width}}" for number in range(count)]
        self._sorted, self._rank = _ranked(machines)

    def script(self, shape: Shape, rows: Sequence[Row], components: Sequence[int]) -> Script:
        """Of a shape, for these components in the order in which they will be written."""
        ranks = self._rank[shape.members(components)]
        return Script(rows, shape.rules.sizes, ranks, len(self._rank))

    def write(self, script: Script, rules: Rules) -> None:
        """The lanes of the next component, whose rules these are."""
        before = len(self.lanes)
        in_order, ids = self._sorted, self._ids
        machines = [in_order[rank] for rank in next(script.turns).tolist()]
        start = 0
        for row, ends, alone in script.rows:
            what = self._names[machines[start]] if alone else _called(rules, row, ends[-1] - start)
            waves = []
            for end in ends:
                waves.append(Wave(tuple(machines[start:end])))
                start = end
            if row.path:
                what = " / ".join([*dict.fromkeys([step_name(rules, at) for at in row.path]), what])
            after = tuple([ids[before + other] for other in row.after])
            self.lanes.append(
                Lane(ids[len(self.lanes)], self._stage, after, tuple(waves), _bound(rules, row), what)
            )

    def write_free(self, free: Sequence[int]) -> None:
        """The lane of those that no rule keeps apart."""
        wave = Wave(tuple([self._sorted[rank] for rank in np.sort(self._rank[free]).tolist()]))
        what = self._names[wave.machines[0]] if len(free) == 1 else _apart(len(free))
        self.lanes.append(Lane(self._ids[len(self.lanes)], self._stage, (), (wave,), _ANY, what))


def _called(rules: Rules, row: Row, machines: int) -> str:
    return _apart(machines) if row.subject is None else rules.constraints[row.subject].what


def _apart(machines: int) -> str:
    return f"{machines:,} machines that no rule keeps apart"


def _ranked(machines: Sequence[MachineId]) -> tuple[Sequence[MachineId], Ints]:
    """The machines by id, and of each its place there. Often they come in that order."""
    if all(map(lt, machines, islice(machines, 1, None))):
        return machines, np.arange(len(machines))
    order = sorted(range(len(machines)), key=machines.__getitem__)
    rank = np.empty(len(machines), dtype=np.int64)
    rank[order] = np.arange(len(machines))
    return [machines[at] for at in order], rank


def _bound(rules: Rules, row: Row) -> Bound:
    if len(row.leaves) > 1:
        return _TOGETHER
    leaf = row.leaves[0]
    if leaf.proof.rule is None and leaf.least <= 1:
        return _ANY  # most lanes are one machine
    proven = bound_of(rules, leaf.proof)
    if leaf.least > proven.waves:
        return searched(proven, leaf.least, rules.count(leaf.classes))
    return proven


def step_name(rules: Rules, at: tuple[int, int]) -> str:
    """What a domain, or a side of an order, is called in the path to a lane."""
    constraint, part = at
    if rules.kinds[constraint] is RuleKind.ORDER:
        return "goes then" if part == THEN else "goes first"
    return rules.part_names[constraint][part]
