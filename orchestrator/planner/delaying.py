"""The waves of one lane under tighter budgets: nobody goes earlier than planned, and no rule is broken on the way.

Whoever finds no room in a wave goes into a later one. He may be delayed until a machine comes of which a rule keeps him apart:
another domain of his exclusion, or what comes after him by an order. Before that, all who would be in the way have a wave of their
own. So a domain that was begun is still finished first, and orders hold.

Who stands in a budget that is shut (it has no room at all for now) is passed by: he comes last of all, so that nobody else waits for
him, or right before one of whom a rule keeps him apart.

One that is gone and keeps its place takes room wherever it is put anew: the plan's waves hold to its budgets as they stand written.

Among the machines of one wave the most exposed keep their place first, as when they were planned; whoever waits already goes before
them.

No wave takes more of any budget than the fullest of the lane did, so that lanes that could go beside it still can.

A wave had room for everybody in it. So only those are looked at who stand in a budget that shrank, or in one of somebody who waits:
in a lane of a million machines a handful.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from orchestrator.planner.replan_index import Index


class Delaying:
    """One lane's waves that were not begun."""

    def __init__(
        self,
        index: Index,
        waves: Sequence[Sequence[int]],
        limit: Callable[[int], int],
        tight: Iterable[int],
        gone: Collection[int] = (),
        shut: Collection[int] = (),
    ) -> None:
        """`tight` are budgets of which waves may take more than `limit` lets them, `gone` machines that may still stand in a wave."""
        self._index = index
        self._waves = waves
        self._limit = limit
        self._shut = frozenset(shut)
        self._place = {machine: place for place, wave in enumerate(waves) for machine in wave}
        self._gone = frozenset(machine for machine in gone if machine in self._place)
        concerned = frozenset(tight).union(shut, *map(index.budgets, self._gone))
        self._tight = concerned.intersection(index.counts(list(self._place)))
        self._rooms: dict[int, int] = {}
        self._budgets: dict[int, list[int]] = {}
        self._standing: dict[int, dict[int, list[int]]] = {}  # budget -> place -> its machines there
        self._touched: dict[int, dict[int, set[int]]] = {}  # exclusion or order -> place -> its parts there

    def waves(self, broken: Collection[int]) -> list[list[int]]:
        """The waves as they have to be. `broken` are those, by place, that take more than they may; each is whole otherwise."""
        found: list[list[int]] = []
        waiting: list[int] = []
        for place, wave in enumerate(self._waves):
            if not waiting and place not in broken:
                found.append(list(wave))
                continue
            while blocking := [m for m in waiting if self._apart(m, place)]:
                others = [m for m in waiting if m not in set(blocking)]
                taken, waiting = self._filled([*blocking, *others], frozenset(blocking))
                found.append(taken)
            concerned = self._concerned(place, waiting)
            taken, waiting = self._filled([*waiting, *self._index.in_turn(concerned)])
            found.append([*(machine for machine in wave if machine not in concerned), *taken])
        while waiting:
            taken, left = self._filled(waiting)
            if not taken:
                taken, left = self._filled(waiting, frozenset(waiting))
            found.append(taken)
            waiting = left
        return [wave for wave in found if wave]

    def _concerned(self, place: int, waiting: Iterable[int]) -> set[int]:
        """The machines of a wave that may find no room, since others do or a budget is tight."""
        budgets = self._tight.union(*map(self._budgets_of, waiting))
        return {machine for budget in budgets for machine in self._members(budget).get(place, ())}

    def _members(self, budget: int) -> dict[int, list[int]]:
        """The machines of a budget by the places of their waves."""
        held = self._standing.get(budget)
        if held is None:
            held = self._standing[budget] = {}
            for machine in self._index.members(budget):
                place = self._place.get(machine)
                if place is not None:
                    held.setdefault(place, []).append(machine)
        return held

    def _filled(self, machines: Iterable[int], whatever: Collection[int] = ()) -> tuple[list[int], list[int]]:
        """Who goes, of these in their order, and who has to wait. The first one always goes, unless a budget of his is shut;
        those in `whatever` go even then.
        """
        used: Counter[int] = Counter()
        taken: list[int] = []
        waiting: list[int] = []
        for machine in machines:
            budgets = self._budgets_of(machine)
            passed_by = machine not in whatever and not self._shut.isdisjoint(budgets)
            if not passed_by and all(used[budget] < self._room(budget) for budget in budgets):
                used.update(budgets)
                taken.append(machine)
            else:
                waiting.append(machine)
        return taken, waiting

    def _budgets_of(self, machine: int) -> list[int]:
        held = self._budgets.get(machine)
        if held is None:
            held = self._budgets[machine] = self._index.budgets(machine)
        return held

    def _room(self, budget: int) -> int:
        room = self._rooms.get(budget)
        if room is None:
            held = self._members(budget).values()
            fullest = max((sum(m not in self._gone for m in some) for some in held), default=0)
            room = self._rooms[budget] = max(1, min(self._limit(budget), fullest))
        return room

    def _parts(self, rule: int) -> dict[int, set[int]]:
        """The parts of an exclusion or an order that each wave stands in."""
        found = self._touched.get(rule)
        if found is None:
            found = self._touched[rule] = {}
            for part, machine in self._index.parted(rule):
                place = self._place.get(machine)
                if place is not None:
                    found.setdefault(place, set()).add(part)
        return found

    def _apart(self, machine: int, place: int) -> bool:
        """Whether a rule keeps the machine from going with, or after, those of the wave at this place."""
        return any(
            self._parts(rule).get(place, {part}) != {part} for rule, part in self._index.shaping(machine)
        )
