"""One try at filling the waves of a lane, wave by wave.

There are three ways to do the same, and every one gives the same waves. In a small lane the loops of `packing` run over lists, which costs
least where there is little to do. In a large one they are compiled, where that can be had; where it can't, whose turn it is is reckoned on
whole arrays instead.

A strategy that looks for fewer waves calls `begin` for each try, then `in_turn` and `fill` by turns until no machine is left. What it
wants otherwise is another order of the classes that `in_turn` gave, since `fill` takes any; or another key in `turns`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from orchestrator.planner.cells import Cells, Numbered, Way
from orchestrator.planner.flat import Numbers, array_of, blank, listed
from orchestrator.planner.machine_code import AS_THEY_STAND, Loops, compiled
from orchestrator.planner.packing import Groups, Lane, Line, Stands, State
from orchestrator.planner.turns import Turn, turn_of_few, turn_of_many

SMALL: Final = 100
"""Classes of a lane up to which lists cost less than arrays."""

LARGE: Final = 50_000
"""Classes of a lane from which on machine code is worth loading, which takes a third of a second and 80 MiB."""

AGAIN: Final = 5_000
"""The same, once a lane has been packed and isn't short enough: it may be packed 40 times more."""


def begin(lane: Numbered, cells: Cells, way: Way, shake: int) -> Filling:
    """A try from the start. `shake` numbers it: the first, 0, goes by urgency alone, later ones by chance too, the same one each time."""
    turn = Turn(len(lane.classes), shake, begun_first=way is Way.BEGUN_FIRST)
    if len(lane.classes) <= SMALL:
        return _OverLists(lane.table, cells.stands, lane.groups, AS_THEY_STAND, turn)
    again = shake > 0 or way is not Way.WHOLE
    loops = compiled() if len(lane.classes) >= (AGAIN if again else LARGE) else None
    if loops is None:
        return _WholeArrays(lane, cells, turn)
    return _Compiled(lane.arrays[0], cells.arrays, lane.arrays[1], loops, turn)


class Filling:
    """What is taken and what is open while waves are filled one after another. `machines` are those that are left."""

    def __init__(self, lane: Lane, stands: Stands, groups: Groups, loops: Loops, turn: Turn) -> None:
        self.machines = sum(listed(lane.sizes))
        self._lane, self._stands, self._groups = lane, stands, groups
        self._loops = loops
        self._turn = turn
        self._state = _state(lane, stands, groups)
        classes, of_stands = len(lane.sizes), len(stands.starts) - 1
        self._line = Line(
            *(blank(lane.sizes, classes) for _ in range(4)), *(blank(lane.sizes, of_stands) for _ in range(3))
        )
        self._taken, self._many = blank(lane.sizes, classes), blank(lane.sizes, classes)
        self._wave = 0

    def in_turn(self) -> Numbers:
        """Who may go as far as orders and open domains say, the most urgent first; among equals by number, or by lot if shaken."""
        self._loops.weigh(self._groups, self._state)
        self._loops.look(self._stands, self._state, self._line)
        count = self._loops.line_up(self._lane, self._stands, self._groups, self._state, self._line)
        return self._sorted(count)

    def fill(self, turn: Numbers) -> list[tuple[int, int]]:
        """The next wave: of those, in this order, as many as may go. (class, machines)."""
        taken, many = self._taken, self._many
        count = self._loops.fill(self._lane, self._stands, self._state, self._wave, turn, taken, many)
        self._loops.finish(self._lane, self._stands, self._state, taken, many, count)
        self._relieve(count)
        self._wave += 1
        wave = list(zip(listed(taken[:count]), listed(many[:count]), strict=True))
        self.machines -= sum(many for _, many in wave)
        return wave

    def _sorted(self, count: int) -> Numbers:
        """The first of the line in turn."""
        raise NotImplementedError

    def _relieve(self, count: int) -> None:
        """What was taken counts no more."""
        self._loops.relieve(self._groups, self._state, self._taken, self._many, count)


class _OverLists(Filling):
    """Few classes: everything in lists."""

    def _sorted(self, count: int) -> Numbers:
        return turn_of_few(self._turn, self._line, count)


class _Compiled(Filling):
    """Machine code over arrays."""

    def _sorted(self, count: int) -> Numbers:
        who, urgency, weight, begun = (array_of(column)[:count] for column in self._line[:4])
        return turn_of_many(self._turn, who, urgency, weight, begun)


class _WholeArrays(Filling):
    """Whose turn it is is reckoned on arrays, over all classes at once; the rest runs over lists."""

    def __init__(self, lane: Numbered, cells: Cells, turn: Turn) -> None:
        super().__init__(lane.table, cells.stands, lane.groups, AS_THEY_STAND, turn)
        self._pressure = lane.pressure
        self._left = np.array(lane.sizes, dtype=np.int64)
        self._waits = np.array(lane.table.waits, dtype=np.int64)
        self._state = self._state._replace(waits=self._waits)
        at = cells.arrays
        self._of = array_of(at.of)
        self._stand = np.repeat(np.arange(len(at.starts) - 1), np.diff(array_of(at.starts)))
        self._among, self._cell = array_of(at.among), array_of(at.cell)
        self._domain, self._number = array_of(at.domain), array_of(at.number)
        self._has_rivals = array_of(at.has_rivals) > 0

    def in_turn(self) -> Numbers:
        """As asked for."""
        state = self._state
        may = np.ones(1 + int(self._of.max(initial=-1)), dtype=np.bool_)
        begun = np.zeros(len(may), dtype=np.bool_)
        if len(self._stand):
            active = np.array(state.active)[self._among]
            earlier = np.array(state.earlier)[self._number]
            may[self._stand[(active != self._domain) & ((active >= 0) | (earlier > 0))]] = False
            waited_for = (np.array(state.begun) > 0) & (np.array(state.cell_left) > 0) & self._has_rivals
            begun[self._stand[waited_for[self._cell]]] = True
        who = np.flatnonzero((self._left > 0) & (self._waits == 0) & may[self._of])
        urgency, weight = self._pressure.of(self._left, who)
        in_turn: list[int] = turn_of_many(self._turn, who, urgency, weight, begun[self._of[who]]).tolist()
        return in_turn

    def _relieve(self, count: int) -> None:
        taken, many = np.array([listed(self._taken[:count]), listed(self._many[:count])], dtype=np.int64)
        self._left[taken] -= many


def _state(lane: Lane, stands: Stands, groups: Groups) -> State:
    """At the start. In lists or arrays, as the tables are."""
    cells, like = len(stands.sizes), lane.sizes
    return State(
        left=lane.sizes.copy(),
        waits=lane.waits.copy(),
        firsts=lane.firsts.copy(),
        cell_left=stands.sizes.copy(),
        begun=blank(like, cells),
        active=blank(like, stands.sets, -1),
        open=blank(like, stands.sets),
        domain_left=stands.domain_sizes.copy(),
        earlier=stands.earlier.copy(),
        enters=blank(like, len(stands.starts) - 1, -1),
        now=blank(like, stands.exclusions),
        now_in=blank(like, stands.exclusions, -1),
        gone=blank(like, len(stands.starts) - 1),
        touched=blank(like, len(stands.starts) - 1),
        counts=groups.counts.copy(),
        needs=groups.needs.copy(),
        stale=blank(like, len(groups.parts.starts) - 1, 1),
        base=blank(like, len(groups.parts.starts) - 1),
        force=blank(like, len(groups.parts.starts) - 1),
        whole=blank(like, len(groups.exclusions.starts) - 1),
    )
