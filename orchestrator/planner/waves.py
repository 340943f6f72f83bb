"""Packs the machines of one lane into waves, each as full as the rules allow.

Wave by wave, machines are taken in the order of how many waves their rules still force, most first: whoever stands in the
longest line goes before those who could go at any time. That meets the bound nearly always. Where it doesn't, it is tried
again with the order shaken a little, a fixed number of times: the search is bounded by work, never by time, so that a
plan is the same on every machine.

An exclusion holds a *cell* open: a domain, or what rules above leave of it in one piece (`nesting`), which is tried where
whole domains lead into a dead end. A cell that was begun is finished before another domain begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import Refused
from orchestrator.planner import conflict, nesting
from orchestrator.planner.anyorder import any_order
from orchestrator.planner.pressure import Pressure
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

RESTARTS: Final = 12
"""How often a lane that is longer than its bound is packed anew. Nearly all that gain anything do within the first few."""

LOOKS: Final = 3_000_000
"""How many looks at a machine (may it go in this wave?) restarts may cost a lane: two or three seconds at most."""

DEAD_ENDS: Final = 2
"""After so many shaken tries that all ended in a dead end, there is hardly a way that urgency would find."""

_SHAKE: Final = 8
"""Into how many steps a wave of urgency is divided when the order is shaken."""

Waves = list[list[int]]
"""The waves of a lane, each sorted."""


def pack(rules: Rules, machines: Sequence[int], least: int, view: View) -> Waves | None:
    """Pack a lane into waves; None if every try leads into a dead end. `least` is its bound: once it is met, the search is over."""
    if not any(rules.binds(constraint, parts) for constraint, parts in view.items()):
        return [sorted(machines)]
    lane = _Lane(rules, sorted(machines), view)
    for cut in (False, True):
        best = _Packing(lane, _Cells(lane, cut=cut)).shortest(least)
        if best is not None:
            return [[lane.machines[m] for m in wave] for wave in best]
    return None


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


class _Lane:
    """One lane's machines by numbers of its own, and what of the rules binds among them. Made once, packed many times."""

    def __init__(self, rules: Rules, machines: Sequence[int], view: View) -> None:
        self.rules = rules
        self.machines = machines
        self.nest = nesting.Nesting(rules, view)
        binding = [c for c, parts in view.items() if rules.binds(c, parts)]
        local = {machine: place for place, machine in enumerate(machines)}
        self.exclusions = [c for c in binding if rules.kinds[c] is RuleKind.EXCLUSION]
        orders = [c for c in binding if rules.kinds[c] is RuleKind.ORDER]
        budgets = [c for c in binding if rules.kinds[c] is RuleKind.BUDGET]
        self.limits = [rules.limits[c] for c in budgets]
        self.firsts = [len(view[c][FIRST]) for c in orders]
        self.budgets_of: list[list[int]] = [[] for _ in machines]
        self.domains_of: list[list[tuple[int, int]]] = [[] for _ in machines]  # (exclusion, domain)
        self.leads: list[list[int]] = [[] for _ in machines]  # orders in which it goes first
        self.waits: list[list[int]] = [[] for _ in machines]  # orders in which it goes then
        for number, c in enumerate(budgets):
            for machine in view[c][0]:
                self.budgets_of[local[machine]].append(number)
        for number, c in enumerate(self.exclusions):
            for part, members in view[c].items():
                for machine in members:
                    self.domains_of[local[machine]].append((number, part))
        for number, c in enumerate(orders):
            for part, into in ((FIRST, self.leads), (THEN, self.waits)):
                for machine in view[c][part]:
                    into[local[machine]].append(number)
        self.pressure = Pressure(
            len(machines), self.budgets_of, self.limits, self.domains_of, self.leads, self.waits
        )


class _Cells:
    """The pieces of domains that are each finished in one go, numbered over all exclusions of a lane.

    They are the domains; or, `cut`, what the rules above an exclusion leave of each in one piece.
    """

    def __init__(self, lane: _Lane, *, cut: bool) -> None:
        self.of: list[list[tuple[int, int, int]]] = []  # machine -> (exclusion, domain, cell)
        self.size: list[int] = []
        cutting = [lane.nest.cut_by(c) if cut else () for c in lane.exclusions]
        self.earlier = [
            {} if cutting[number] else _earlier(lane.nest.following(c))
            for number, c in enumerate(lane.exclusions)
        ]  # of each exclusion: domain -> the domains that orders put before it
        numbers: dict[tuple[int, int, tuple[tuple[int, int], ...]], int] = {}
        for place, machine in enumerate(lane.machines):
            held = []
            for exclusion, domain in lane.domains_of[place]:
                label = tuple(at for at in lane.rules.places[machine] if at[0] in cutting[exclusion])
                cell = numbers.setdefault((exclusion, domain, label), len(numbers))
                if cell == len(self.size):
                    self.size.append(0)
                self.size[cell] += 1
                held.append((exclusion, domain, cell))
            self.of.append(held)


class _Packing:
    """Packs a lane once and again, under one way of finishing domains."""

    def __init__(self, lane: _Lane, cells: _Cells) -> None:
        self._lane = lane
        self._cells = cells
        self._looks = 0

    def shortest(self, least: int) -> Waves | None:
        """The shortest that is found; None if every try ends where no machine may go next."""
        best: Waves | None = None
        for shake in range(RESTARTS + 1):
            found = self.run(shake, shorter_than=len(best) if best else None)
            best = found or best
            if (best and len(best) <= least) or self._looks > LOOKS or (not best and shake >= DEAD_ENDS):
                break
        return best

    def run(self, shake: int, *, shorter_than: int | None = None) -> Waves | None:
        """The waves, or None if no machine may go next, or if it would get no shorter than asked."""
        lane = self._lane
        alive = np.ones(len(lane.machines), dtype=bool)
        state = _State(lane, self._cells)
        waves: Waves = []
        left = len(lane.machines)
        while left:
            if shorter_than is not None and len(waves) + 1 >= shorter_than:
                return None
            turn = self._in_turn(alive, shake)
            self._looks += len(turn)
            wave = state.fill(turn)
            if not wave:
                return None
            state.finish(wave)
            alive[wave] = False
            left -= len(wave)
            waves.append(sorted(wave))
        return waves

    def _in_turn(self, alive: NDArray[np.bool_], shake: int) -> list[int]:
        """Who is left, the most urgent first; among equals by id, or by lot if shaken."""
        urgency, weight = self._lane.pressure.of(alive)
        left = np.flatnonzero(alive)
        turn = np.lexsort((left, -weight[left], -urgency[left]))
        if shake:
            lots = _lots(left, shake)
            swing = np.uint64(_SHAKE * (1 + shake // 4))  # later tries are shaken harder
            turn = np.lexsort((lots, -(urgency[left] * _SHAKE + (lots % swing).astype(np.int64))))
        in_turn: list[int] = left[turn].tolist()
        return in_turn


class _State:
    """What is taken and what is open while waves are filled one after another."""

    def __init__(self, lane: _Lane, cells: _Cells) -> None:
        self._lane = lane
        self._cells = cells
        self._firsts = list(lane.firsts)  # of each order: those that go first and aren't done
        self._cell_left = list(cells.size)
        self._begun = [False] * len(cells.size)
        self._active = [-1] * len(lane.exclusions)  # the domain that is open
        self._open = [0] * len(lane.exclusions)  # how many of its cells are begun and not finished
        self._domain_left = [Counter[int]() for _ in lane.exclusions]
        for held in lane.domains_of:
            for exclusion, domain in held:
                self._domain_left[exclusion][domain] += 1

    def fill(self, turn: Sequence[int]) -> list[int]:
        """The next wave: whoever may go, in this order."""
        room = list(self._lane.limits)
        wave = []
        waits, firsts, cells_of = self._lane.waits, self._firsts, self._cells.of
        budgets_of = self._lane.budgets_of
        for machine in turn:
            budgets = budgets_of[machine]
            for b in budgets:
                if not room[b]:
                    break
            else:
                if waits[machine] and any(firsts[order] for order in waits[machine]):
                    continue
                if cells_of[machine]:
                    if not self._may_enter(machine):
                        continue
                    self._enter(machine)
                for b in budgets:
                    room[b] -= 1
                wave.append(machine)
        return wave

    def finish(self, wave: Sequence[int]) -> None:
        """The wave is done: those who waited for it may go, cells that are empty close."""
        for machine in wave:
            for order in self._lane.leads[machine]:
                self._firsts[order] -= 1
            for exclusion, domain, cell in self._cells.of[machine]:
                self._domain_left[exclusion][domain] -= 1
                self._cell_left[cell] -= 1
                if not self._cell_left[cell]:
                    self._open[exclusion] -= 1
                    if not self._open[exclusion]:
                        self._active[exclusion] = -1

    def _may_enter(self, machine: int) -> bool:
        for exclusion, domain, _ in self._cells.of[machine]:
            active = self._active[exclusion]
            if active != domain and (active >= 0 or self._comes_later(exclusion, domain)):
                return False
        return True

    def _comes_later(self, exclusion: int, domain: int) -> bool:
        """Whether orders put a domain that isn't finished before this one: to begin it would be a dead end."""
        left = self._domain_left[exclusion]
        return any(left[other] for other in self._cells.earlier[exclusion].get(domain, ()))

    def _enter(self, machine: int) -> None:
        for exclusion, domain, cell in self._cells.of[machine]:
            self._active[exclusion] = domain
            if not self._begun[cell]:
                self._begun[cell] = True
                self._open[exclusion] += 1


def _earlier(following: nx.DiGraph[int]) -> dict[int, list[int]]:
    return {
        domain: sorted(following.predecessors(domain)) for domain in following if following.in_degree(domain)
    }


def _lots(machines: NDArray[np.intp], shake: int) -> NDArray[np.uint64]:
    """A number for each machine that looks like chance and is always the same (the mixer of SplitMix64)."""
    mixed = machines.astype(np.uint64) + np.uint64(shake * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
