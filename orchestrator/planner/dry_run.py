"""A plan played through on paper: everything goes well, and each machine begins as soon as waves, calendars and caps let it.

It is what admission does, without what only a live fleet can tell: failures, other people's outages, throttles. Budgets that waves
were planned around can't refuse anything here; caps can, and so can `max_in_flight`. The durations of a wave's machines are those that as
many draws would have on average, so that a large wave lasts as long as its slowest probably does, and nothing is left to chance.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.planner.durations import Duration, Durations
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.policy.model import Each
from orchestrator.policy.windows import Openings

GOLDEN: Final = 0.6180339887498949
"""Multiples of it, without their whole part, fall evenly between nought and one: durations are dealt out in their order, so that
neither the first nor the last by name are always the slow ones."""

IN_FLIGHT: Final = -1
"""The place of `max_in_flight` among caps."""


@dataclass(frozen=True, slots=True)
class Waited:
    """A machine could have begun but for this: its calendar, or a cap (by place; `IN_FLIGHT`)."""

    cap: int | None  # None: the calendar
    start: datetime
    end: datetime


@dataclass(slots=True)
class Run:
    """One machine's part. `opened_by`: the machine whose end opened its wave; None for a stage's first waves."""

    lane: int
    wave: int
    machine: int  # its place in the plan
    takes: timedelta = timedelta(0)
    opened: datetime | None = None
    opened_by: MachineId | None = None
    waited: list[Waited] = field(default_factory=list)
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(slots=True)
class Played:
    """How it went. A stage is (when it opened, when its last machine was well, when it had baked); None for one without machines."""

    runs: dict[MachineId, Run]
    stages: list[tuple[datetime, datetime, datetime] | None]
    never: list[MachineId]  # what never begins: no window in ten years
    caps: tuple[Budget, ...]


def play(plan: Plan, durations: Durations, start: datetime) -> Played:
    """The whole plan from `start` on."""
    dry_run = _DryRun(plan, durations)
    stages: list[tuple[datetime, datetime, datetime] | None] = []
    now = start
    for gate in plan.stages:
        lanes = [number for number, lane in enumerate(plan.lanes) if lane.stage == gate.name]
        if not lanes:
            stages.append(None)
            continue
        ended = dry_run.stage(lanes, now)
        stages.append((now, ended, ended + gate.bake))
        now = ended + gate.bake
    return Played(dry_run.runs, stages, list(dry_run.never), dry_run.caps)


class _DryRun:
    def __init__(self, plan: Plan, durations: Durations) -> None:
        self._plan = plan
        self.never: dict[MachineId, None] = {}
        self.caps = tuple(rule for rule in plan.constraints if isinstance(rule, Budget) and rule.cap)
        self._index = {machine.id: place for place, machine in enumerate(plan.machines)}
        self.runs = dict(_runs(plan, durations, self._index))
        self._caps_of: dict[MachineId, list[int]] = {}
        for place, rule in enumerate(self.caps):
            for machine in rule.machines:
                if machine in self.runs:
                    self._caps_of.setdefault(machine, []).append(place)
        self._room = {place: rule.limit for place, rule in enumerate(self.caps)}
        if plan.max_in_flight is not None:
            self._room[IN_FLIGHT] = plan.max_in_flight
        self._parked: dict[int, deque[tuple[MachineId, datetime]]] = {place: deque() for place in self._room}
        self._events: list[tuple[datetime, int, MachineId]] = []  # when, in which order, who begins or ends
        self._count = 0
        self._openings = Openings(plan.calendars)
        self._left: dict[int, int] = {}  # lane -> machines of its open wave that haven't ended
        self._before: dict[int, int] = {}  # lane -> lanes that it still waits for
        self._followers: dict[int, list[int]] = {}

    # Stages, lanes, waves -----------------------------------------------------------------------------------

    def stage(self, lanes: list[int], now: datetime) -> datetime:
        """Play one stage. Returns when its last machine was well."""
        names = {self._plan.lanes[lane].id: lane for lane in lanes}
        for lane in lanes:
            after = self._plan.lanes[lane].after
            self._before[lane] = len(after)
            for other in after:
                self._followers.setdefault(names[other], []).append(lane)
        last = now
        for lane in lanes:
            if not self._before[lane]:
                self._open(lane, 0, now, None)
        while self._events:
            now, _, machine = heapq.heappop(self._events)
            run = self.runs[machine]
            if run.began is None:
                self._try(machine, now)
            else:
                last = now
                self._end(machine, now)
        return last

    def _open(self, lane: int, wave: int, now: datetime, by: MachineId | None) -> None:
        machines = self._plan.lanes[lane].waves[wave].machines
        self._left[lane] = len(machines)
        for machine in machines:
            run = self.runs[machine]
            run.opened, run.opened_by = now, by
        for machine in machines:
            self._try(machine, now)

    def _over(self, machine: MachineId, now: datetime) -> None:
        """A machine has ended, or never begins: its wave may be over, and its lane."""
        run = self.runs[machine]
        self._left[run.lane] -= 1
        if self._left[run.lane]:
            return
        if run.wave + 1 < len(self._plan.lanes[run.lane].waves):
            self._open(run.lane, run.wave + 1, now, machine)
            return
        for follower in self._followers.get(run.lane, ()):
            self._before[follower] -= 1
            if not self._before[follower]:
                self._open(follower, 0, now, machine)

    # Machines -----------------------------------------------------------------------------------------------

    def _try(self, machine: MachineId, now: datetime) -> None:
        """Begin, or wait for the first thing that is in the way."""
        run = self.runs[machine]
        opens = self._opening(run, now)
        if opens is None:
            self.never[machine] = None
            run.takes = timedelta(0)  # it is passed by
        elif opens > now:
            run.waited.append(Waited(None, now, opens))
            self._push(opens, machine)
            return
        taken = [*self._caps_of.get(machine, ()), *((IN_FLIGHT,) if IN_FLIGHT in self._room else ())]
        for cap in taken:
            if self._room[cap] < 1:
                self._parked[cap].append((machine, now))
                return
        for cap in taken:
            self._room[cap] -= 1
        run.began = now
        self._push(now + run.takes, machine)

    def _end(self, machine: MachineId, now: datetime) -> None:
        self.runs[machine].ended = now
        freed = [*self._caps_of.get(machine, ()), *((IN_FLIGHT,) if IN_FLIGHT in self._room else ())]
        for cap in freed:
            self._room[cap] += 1
        for cap in freed:
            while self._room[cap] > 0 and self._parked[cap]:
                parked, since = self._parked[cap].popleft()
                self.runs[parked].waited.append(Waited(cap, since, now))
                self._try(parked, now)
        self._over(machine, now)

    def _opening(self, run: Run, now: datetime) -> datetime | None:
        """When its calendar lets it begin."""
        machine = self._plan.machines[run.machine]
        if machine.calendar is None:
            return now
        return self._openings.next(machine.calendar, now, machine.takes)

    def _push(self, when: datetime, machine: MachineId) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, machine))


def _runs(plan: Plan, durations: Durations, index: dict[MachineId, int]) -> Iterator[tuple[MachineId, Run]]:
    """Every machine that is changed, with its duration."""
    known: dict[tuple[object, ...], Duration] = {}
    for number, lane in enumerate(plan.lanes):
        for wave, held in enumerate(lane.waves):
            for machine, share in zip(held.machines, _shares(len(held.machines)), strict=True):
                planned = plan.machines[index[machine]]
                like = planned.kind, planned.os, planned.health, planned.around
                if like not in known:
                    known[like] = _takes(plan, planned, durations)
                yield machine, Run(number, wave, index[machine], known[like].quantile(share))


def _takes(plan: Plan, machine: PlannedMachine, durations: Durations) -> Duration:
    entries = (plan.around[place] for place in machine.around)
    around = [entry for entry in entries if entry.each is Each.MACHINE]
    return durations.of(plan.change, machine.kind, machine.os, plan.health[machine.health], around)


def _shares(count: int) -> Iterable[float]:
    """The quantiles (j + 1/2) / n, dealt out evenly."""
    order = sorted(range(count), key=lambda j: (j * GOLDEN) % 1)
    shares = [0.0] * count
    for rank, j in enumerate(order):
        shares[j] = (rank + 0.5) / count
    return shares
