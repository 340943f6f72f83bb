"""Packs the machines of one lane into waves, each as full as the rules allow.

Wave by wave, machines are taken in the order of how many waves their rules still force, most first: whoever stands in the
longest line goes before those who could go at any time. That meets the bound nearly always. Where it doesn't, it is tried
again with the order shaken a little, a fixed number of times: the search is bounded by work, never by time, so that a
plan is the same on every machine.

An exclusion holds a *cell* open: a domain, or what rules above leave of it in one piece (`nesting`), which is tried where
whole domains lead into a dead end. A cell that was begun is finished before another domain begins. Where that makes a lane
longer than its bound, no more is kept than has to be: a cell is finished before those of other domains begin that stand in
the same place of what cuts them. Others may go in turn with it, in waves of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import Refused
from orchestrator.planner import conflict, nesting
from orchestrator.planner.anyorder import any_order
from orchestrator.planner.cells import LOOSE, Cells, Numbered, Way
from orchestrator.planner.mixing import mixed
from orchestrator.planner.rules import RuleKind, Rules, View

RESTARTS: Final = 12
"""How often a lane that is longer than its bound is packed anew. Nearly all that gain anything do within the first few."""

LOOKS: Final = 3_000_000
"""How many looks at a class (may it go in this wave?) restarts may cost a lane: two or three seconds at most."""

DEAD_ENDS: Final = 2
"""After so many shaken tries that all ended in a dead end, there is hardly a way that urgency would find."""

MANY: Final = 200_000
"""Classes of a lane in which each try takes seconds."""

_AT_ONCE: Final = 16
"""How many classes are reckoned on arrays at the cost of one look."""

_OF_MANY: Final = (Way.WHOLE, Way.BEGUN_FIRST, Way.IN_TURN, Way.BY_CELL)
"""In a lane of many classes those come first that give the fewest waves: one that only shows that there is a way takes as long."""

_SHAKE: Final = 8
"""Into how many steps a wave of urgency is divided when the order is shaken."""

_STRIDE: Final = 0x9E3779B97F4A7C15
"""Far apart from try to try: 2^64 by the golden ratio."""

_Taken = list[list[tuple[int, int]]]
"""Waves of a lane as (class, machines), by the lane's own numbers."""

Waves = list[list[int]]
"""The waves of a lane, each sorted: a class once for each of its machines."""


def pack(rules: Rules, machines: Sequence[int], least: int, view: View) -> Waves | None:
    """Pack a lane into waves; None if every try leads into a dead end. `least` is its bound: once it is met, the search is over."""
    binding = [constraint for constraint, parts in view.items() if rules.binds(constraint, parts)]
    if len(binding) < 2:
        plain = _plain(rules, sorted(machines), view, binding)
        if plain is not None:
            return plain
    lane = Numbered(rules, sorted(machines), view, binding)
    best: _Taken | None = None
    for way in Way if len(lane.classes) <= MANY else _OF_MANY:
        if way is not Way.WHOLE and not lane.is_cut:
            break
        if best is None or (way in LOOSE and len(best) > least):
            best = _Packing(lane, Cells(lane, way)).shortest(least, best)
    if best is None:
        return None
    return [sorted(lane.classes[one] for one, many in wave for _ in range(many)) for wave in best]


def _plain(rules: Rules, classes: Sequence[int], view: View, binding: Sequence[int]) -> Waves | None:
    """Waves where nothing binds, or only one budget over all of the machines; None where it's another rule."""
    everybody = [one for one in classes for _ in range(rules.sizes[one])]
    if not binding:
        return [everybody]
    only = binding[0]
    if rules.kinds[only] is not RuleKind.BUDGET or len(view[only][0]) < len(classes):
        return None
    limit = rules.limits[only]
    return [everybody[at : at + limit] for at in range(0, len(everybody), limit)]


def pack_anyhow(rules: Rules, machines: Sequence[int], view: View) -> Waves:
    """Waves that keep every rule, though not the fewest, for a lane that `pack` has no way through.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    waves = any_order(rules, machines, view)
    if waves is None:
        raise Refused(_crossing(rules, view, machines))
    return waves


def _crossing(rules: Rules, view: View, machines: Sequence[int]) -> str:
    """What to say of a lane in which no machine may go next, whoever went before."""
    shaping = (*nesting.exclusions_of(rules, view), *nesting.orders_of(rules, view))

    def feasible(some: Sequence[int]) -> bool:
        return (
            any_order(_only(rules, machines, some), machines, {c: view[c] for c in sorted(some)}) is not None
        )

    found = conflict.conflict_of_rules({c: rules.constraints[c] for c in shaping}, feasible)
    blamed = [rules.constraints[c] for c in found.entries]
    told = conflict.in_words(blamed, (rules.machines[m] for m in machines), minimal=found.minimal)
    return (
        f"{told}. No way was found to finish every domain that is begun before another has to begin; "
        "loosen one of them, or select fewer machines"
    )


def _only(rules: Rules, machines: Sequence[int], some: Collection[int]) -> Rules:
    """The rules as if these machines stood in no other constraints."""
    places = list(rules.places)
    for machine in machines:
        places[machine] = tuple(at for at in places[machine] if at[0] in some)
    return replace(rules, places=tuple(places))


class _Packing:
    """Packs a lane once and again, under one way of finishing domains."""

    def __init__(self, lane: Numbered, cells: Cells) -> None:
        self._lane = lane
        self._cells = cells
        self._looks = 0

    def shortest(self, least: int, best: _Taken | None = None) -> _Taken | None:
        """The shortest that is found, or `best` if none is shorter; None if every try ends where no machine may go next."""
        for shake in range(RESTARTS + 1):
            found = self.run(shake, shorter_than=len(best) if best else None)
            best = found or best
            if (best and len(best) <= least) or self._looks > LOOKS or (not best and shake >= DEAD_ENDS):
                break
            if best and self._cells.way is Way.BY_CELL:
                break  # that there is a way is all that is asked: the looser ones are tried next, and get shorter
        return best

    def run(self, shake: int, *, shorter_than: int | None = None) -> _Taken | None:
        """The waves, or None if no machine may go next, or if it would get no shorter than asked."""
        state = _State(self._lane, self._cells)
        waves: _Taken = []
        while state.machines:
            if shorter_than is not None and len(waves) + 1 >= shorter_than:
                return None
            turn = self._in_turn(state, shake)
            self._looks += len(turn) + len(state.left) // _AT_ONCE
            wave = state.fill(turn)
            if not wave:
                return None
            state.finish(wave)
            waves.append(wave)
        return waves

    def _in_turn(self, state: _State, shake: int) -> list[int]:
        """Who may go as far as orders say, the most urgent first; among equals by number, or by lot if shaken."""
        left = np.flatnonzero(state.may_go())
        urgency, weight = self._lane.pressure.of(state.left, left)
        turn = np.lexsort((-weight, -urgency))
        if shake:
            lots = mixed(left.astype(np.uint64) + np.uint64(shake * _STRIDE & 0xFFFFFFFFFFFFFFFF))
            swing = np.uint64(_SHAKE * (1 + shake // 4))  # later tries are shaken harder
            turn = np.lexsort((lots, -(urgency * _SHAKE + (lots % swing).astype(np.int64))))
        if self._cells.begun_first:
            turn = turn[np.argsort(~state.in_begun()[left[turn]], kind="stable")]
        in_turn: list[int] = left[turn].tolist()
        return in_turn


class _State:
    """What is taken and what is open while waves are filled one after another. `left` are machines by class, `machines` all of them."""

    def __init__(self, lane: Numbered, cells: Cells) -> None:
        self.left = np.array(lane.sizes, dtype=np.int64)
        self.machines = sum(lane.sizes)
        self._lane = lane
        self._cells = cells
        self._firsts = list(lane.firsts)  # of each order: those that go first and aren't done
        self._waits = np.array([len(held) for held in lane.waits], dtype=np.int64)  # orders that keep a class
        self._cell_left = list(cells.size)
        self._begun = [False] * len(cells.size)
        self._active = [-1] * cells.sets  # of each set of cells the domain that is open
        self._open = [0] * cells.sets  # how many of its cells are begun and not finished
        self._now: dict[int, int] = {}  # exclusion -> the domain that is in the wave, if cells go in turn
        self._domain_left = list(cells.domain_size)
        self._earlier = cells.earlier.copy()  # of each domain: those before it that aren't finished

    def may_go(self) -> NDArray[np.bool_]:
        """Classes that no order keeps back, nor a domain that is open already, or that has to be finished before theirs begins.

        To begin one before those that orders put before it would be a dead end.
        """
        cells = self._cells
        found: NDArray[np.bool_] = (self.left > 0) & (self._waits == 0)
        if len(cells.whose):
            active = np.array(self._active, dtype=np.int64)[cells.set]
            shut = (active != cells.domain) & ((active >= 0) | (self._earlier[cells.number] > 0))
            found[cells.whose[shut]] = False
        return found

    def in_begun(self) -> NDArray[np.bool_]:
        """Classes that stand in a cell that is begun, and that others wait for."""
        cells, found = self._cells, np.zeros(len(self.left), dtype=np.bool_)
        if len(cells.whose):
            begun = np.array(self._begun) & (np.array(self._cell_left) > 0) & cells.has_rivals
            found[cells.whose[begun[cells.cell]]] = True
        return found

    def fill(self, turn: Sequence[int]) -> list[tuple[int, int]]:
        """The next wave: of whoever may go, in this order, as many as may. (class, machines)."""
        room = list(self._lane.limits)
        left = self.left.tolist()
        wave = []
        self._now.clear()
        cells_of, stands, budgets_of = self._cells.of, self._cells.stand, self._lane.budgets_of
        enters: dict[
            int, bool
        ] = {}  # stand -> whether it may enter: once it is known it holds for the whole wave
        for one in turn:
            may = enters.get(stands[one])
            if may is False:
                continue
            budgets = budgets_of[one]
            many = left[one]
            for b in budgets:
                if room[b] < many:
                    many = room[b]
                    if not many:
                        break
            if not many:
                continue
            if may is None:
                may = enters[stands[one]] = self._enters(cells_of[stands[one]])
                if not may:
                    continue
            for b in budgets:
                room[b] -= many
            wave.append((one, many))
        return wave

    def finish(self, wave: Sequence[tuple[int, int]]) -> None:
        """The wave is done: those who waited for it may go, cells that are empty close."""
        taken = np.array(wave, dtype=np.int64)
        self.left[taken[:, 0]] -= taken[:, 1]
        self.machines -= int(taken[:, 1].sum())
        by_stand: dict[int, int] = {}
        for one, many in wave:
            stand = self._cells.stand[one]
            by_stand[stand] = by_stand.get(stand, 0) + many
            for order in self._lane.leads[one]:
                self._firsts[order] -= many
                if not self._firsts[order]:
                    self._waits[self._lane.behind[order]] -= 1
        for stand, many in by_stand.items():
            for number in self._cells.domain_of[stand]:
                self._domain_left[number] -= many
                if not self._domain_left[number]:
                    self._earlier[self._cells.later[number]] -= 1
            for _, _, cell, among in self._cells.of[stand]:
                self._cell_left[cell] -= many
                if not self._cell_left[cell]:
                    self._open[among] -= 1
                    if not self._open[among]:
                        self._active[among] = -1

    def _enters(self, cells: Sequence[tuple[int, int, int, int]]) -> bool:
        """Begin these, unless another domain was begun since the wave began, or is in it."""
        active, begun, now = self._active, self._begun, self._now
        for exclusion, domain, _, among in cells:
            if active[among] != domain and active[among] >= 0:
                return False
            if now.get(exclusion, domain) != domain:
                return False
        for exclusion, domain, cell, among in cells:
            if self._cells.in_turn:
                now[exclusion] = domain
            if not begun[cell]:
                active[among] = domain
                begun[cell] = True
                self._open[among] += 1
        return True
