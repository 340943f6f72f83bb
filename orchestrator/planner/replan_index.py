"""Where everything of a plan is: made once, so that a replan looks only at the lanes that it concerns.

Machines, constraints and lanes are numbered. Each machine knows its lane, its wave and its *places* (constraint and part, as in
`rules`); each lane knows who waits for it. What a replan changed is written in, and costs what it changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat

import numpy as np

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.planner.exposure import rank_of
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.rules import numbered, parts_of


class Index:
    """The look-ups of one plan, as it is by now. `lanes` holds None where a lane came to an end."""

    def __init__(self, plan: Plan) -> None:
        self._machines = plan.machines
        self.names: list[MachineId] = [machine.id for machine in plan.machines]
        self.number = {name: place for place, name in enumerate(self.names)}
        self.rules = numbered(plan.constraints)
        self.rule_of = {rule.id: place for place, rule in enumerate(self.rules)}
        self.is_budget = [isinstance(rule, Budget) for rule in self.rules]
        self.limits = [rule.limit if isinstance(rule, Budget) else 0 for rule in self.rules]
        self.gone: set[int] = set()
        self.lanes: list[Lane | None] = []
        self.lane_of: dict[str, int] = {}
        self.followers: list[list[int]] = []
        self.turn: list[
            tuple[int, int]
        ] = []  # where a lane stands in the plan: the rest of one right after it
        self.lane_at = array("i", [-1]) * len(self.names)
        self.wave_at = array("i", [-1]) * len(self.names)
        self._starts, self._places = self._incidences()
        for lane in plan.lanes:
            self._add(lane, (len(self.lanes), 0))
        for number, lane in enumerate(plan.lanes):
            self._follow(number, lane.after)

    def _incidences(self) -> tuple[array[int], array[int]]:
        """The places of all machines, one machine after another: constraint and part by turns."""
        parts = [
            (c, p, held) for c, rule in enumerate(self.rules) for p, (_, held) in enumerate(parts_of(rule))
        ]
        lengths = [len(held) for _, _, held in parts]
        names = chain.from_iterable(held for _, _, held in parts)
        who = np.fromiter(map(self.number.get, names, repeat(-1)), dtype=np.int64, count=sum(lengths))
        rule = np.repeat(np.array([c for c, _, _ in parts], dtype=np.int32), lengths)
        part = np.repeat(np.array([p for _, p, _ in parts], dtype=np.int32), lengths)
        order = np.argsort(who, kind="stable")
        starts = np.searchsorted(who[order], np.arange(len(self.names) + 1)).astype(np.int32)
        pairs = np.column_stack((rule[order], part[order])).astype(np.int32)
        return array("i", starts.tobytes()), array("i", pairs.tobytes())

    def places(self, machine: int) -> Iterator[tuple[int, int]]:
        """The constraints that a machine stands in, and the part of each."""
        held = self._places
        for at in range(2 * self._starts[machine], 2 * self._starts[machine + 1], 2):
            yield held[at], held[at + 1]

    def budgets(self, machine: int) -> list[int]:
        """The budgets that count a machine."""
        return [rule for rule, _ in self.places(machine) if self.is_budget[rule]]

    def shaping(self, machine: int) -> list[tuple[int, int]]:
        """A machine's places in exclusions and orders."""
        return [(rule, part) for rule, part in self.places(machine) if not self.is_budget[rule]]

    def members(self, budget: int) -> Iterator[int]:
        """The machines of a budget that are in any lane."""
        rule = self.rules[budget]
        assert isinstance(rule, Budget)
        for name in rule.machines:
            machine = self.number[name]
            if self.lane_at[machine] >= 0:
                yield machine

    def parted(self, rule: int) -> Iterator[tuple[int, int]]:
        """The machines of a rule that the plan knows, each after its part."""
        for part, (_, held) in enumerate(parts_of(self.rules[rule])):
            for name in held:
                machine = self.number.get(name)
                if machine is not None:
                    yield part, machine

    def counts(self, machines: Sequence[int]) -> dict[int, int]:
        """Of each constraint how many of these machines stand in it."""
        starts, places = np.frombuffer(self._starts, np.int32), np.frombuffer(self._places, np.int32)
        who = np.fromiter(machines, dtype=np.int64, count=len(machines))
        first, lengths = starts[who].astype(np.int64), starts[who + 1] - starts[who]
        rows = np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
        found = np.bincount(places[2 * rows])
        here = np.flatnonzero(found)
        return dict(zip(here.tolist(), found[here].tolist(), strict=True))

    def lane(self, number: int) -> Lane:
        """A lane that is there."""
        found = self.lanes[number]
        assert found is not None
        return found

    def waves(self, number: int, begun: int) -> list[list[int]]:
        """The waves of a lane from one on, by machine numbers."""
        return [[self.number[name] for name in wave.machines] for wave in self.lane(number).waves[begun:]]

    def named(self, wave: Iterable[int]) -> tuple[MachineId, ...]:
        """Machines by name, sorted."""
        return tuple(sorted(map(self.names.__getitem__, wave)))

    def in_turn(self, wave: Iterable[int]) -> list[int]:
        """Machines in the order in which they were planned among equals: the most exposed first, then by id."""
        return sorted(wave, key=lambda machine: (rank_of(self._machines[machine]), machine))

    # What changes ---------------------------------------------------------------------------------------------------

    def update(
        self, lanes: Sequence[Lane], ended: Iterable[str], dropped: Iterable[MachineId], rest: str
    ) -> None:
        """Write in what a replan changed. A lane that is new is named after another, with `rest` behind."""
        for name in dropped:
            self.lane_at[self.number[name]] = -1
        for lane_id in ended:
            number = self.lane_of.pop(lane_id)
            self._unfollow(number, self.lane(number).after)
            self.lanes[number] = None
        fresh: list[tuple[int, Lane]] = []
        for lane in lanes:
            known = self.lane_of.get(lane.id)
            if known is None:
                base, depth = self.turn[self.lane_of[lane.id.removesuffix(rest)]]
                fresh.append((self._add(lane, (base, depth + 1)), lane))
                continue
            self._unfollow(known, self.lane(known).after)
            moved = self.lane(known).waves != lane.waves
            self.lanes[known] = lane
            if moved:
                self._locate(known, lane)
            fresh.append((known, lane))
        for number, lane in fresh:
            self._follow(number, lane.after)

    def _add(self, lane: Lane, turn: tuple[int, int]) -> int:
        number = len(self.lanes)
        self.lanes.append(lane)
        self.followers.append([])
        self.turn.append(turn)
        self.lane_of[lane.id] = number
        self._locate(number, lane)
        return number

    def _locate(self, number: int, lane: Lane) -> None:
        for place, wave in enumerate(lane.waves):
            for name in wave.machines:
                machine = self.number[name]
                self.lane_at[machine] = number
                self.wave_at[machine] = place

    def _follow(self, number: int, after: Iterable[str]) -> None:
        for other in after:
            self.followers[self.lane_of[other]].append(number)

    def _unfollow(self, number: int, after: Iterable[str]) -> None:
        for other in after:
            held = self.lane_of.get(other)
            if held is not None:
                self.followers[held].remove(number)
