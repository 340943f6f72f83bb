"""A plan played through on paper: everything goes well, and each machine begins as soon as waves, calendars and caps let it.

It is what admission does, without what only a live fleet can tell: failures, other people's outages, throttles. Budgets that waves
were planned around can't refuse anything here; caps can, and so can `max_in_flight`. The durations of a wave's machines are those that as
many draws would have on average, so that a large wave lasts as long as its slowest probably does, and nothing is left to chance.

Who is let through first where room is short decides when the others go, so it is settled as in a rollout: who waits is asked before who
comes, first come first, and `max_in_flight` before any cap.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Plan
from orchestrator.planner.stretches import Where, stretches_of
from orchestrator.policy.windows import HORIZON, Openings, after_open

_NONE: Final = timedelta(0)

_EVER: Final = datetime.min.replace(tzinfo=UTC)

IN_FLIGHT: Final = -1
"""The place of `max_in_flight` among caps."""


class For(Enum):
    """What is waited for besides caps."""

    HOURS = "its windows to open"
    STEPS_OF_WAVE = "steps around waves"
    STEPS_OF_STAGE = "steps around stages"
    STEPS_OF_ROLLOUT = "steps around the rollout"
    GIVING_UP = "machines that never have room, until they are left out"


_STEPS: Final = (For.STEPS_OF_ROLLOUT, For.STEPS_OF_STAGE, For.STEPS_OF_WAVE)
"""By the length of a stretch's place."""


@dataclass(frozen=True, slots=True)
class Waited:
    """A machine could have begun but for this: a cap (by place; `IN_FLIGHT`) or something else."""

    cap: int | For
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
class PlayedStage:
    """`ended`: when its last machine was well and the steps around it were done. `tail`: what came after that machine."""

    opened: datetime
    ended: datetime
    baked: datetime
    tail: list[Waited]


@dataclass(slots=True)
class Played:
    """How it went. Stages without machines are None."""

    runs: dict[MachineId, Run]
    stages: list[PlayedStage | None]
    never: list[MachineId]  # what never begins: no window in ten years
    given_up: list[MachineId]  # what waits for `max_wait` while nothing of its lane can go, and is left out
    caps: tuple[Budget, ...]


def play(plan: Plan, takes: Mapping[MachineId, timedelta], start: datetime, step: timedelta) -> Played:
    """The whole plan from `start` on. `takes`: from each machine's grant until it is well. `step`: each step around more than a machine."""
    dry_run = _DryRun(plan, takes, step)
    stages: list[PlayedStage | None] = []
    now = start
    for number, gate in enumerate(plan.stages):
        lanes = [place for place, lane in enumerate(plan.lanes) if lane.stage == gate.name]
        if not lanes:
            stages.append(None)
            continue
        ended, tail = dry_run.stage(number, lanes, now)
        stages.append(PlayedStage(now, ended, ended + gate.bake, tail))
        now = ended + gate.bake
    return Played(dry_run.runs, stages, list(dry_run.never), list(dry_run.given_up), dry_run.caps)


class _DryRun:
    def __init__(self, plan: Plan, takes: Mapping[MachineId, timedelta], step: timedelta) -> None:
        self._plan = plan
        self._step = step
        self.never: dict[MachineId, None] = {}
        self.given_up: dict[MachineId, None] = {}
        self.caps = tuple(rule for rule in plan.constraints if isinstance(rule, Budget) and rule.cap)
        self._index = {machine.id: place for place, machine in enumerate(plan.machines)}
        self.runs = {
            machine: Run(number, wave, self._index[machine], takes[machine])
            for number, lane in enumerate(plan.lanes)
            for wave, held in enumerate(lane.waves)
            for machine in held.machines
        }
        self._caps_of: dict[MachineId, list[int]] = {}
        for place, rule in enumerate(self.caps):
            for machine in rule.machines:
                if machine in self.runs:
                    self._caps_of.setdefault(machine, []).append(place)
        self._room = {place: rule.limit for place, rule in enumerate(self.caps)}
        if plan.max_in_flight is not None:
            self._room[IN_FLIGHT] = plan.max_in_flight
        self._parked: dict[int, deque[tuple[MachineId, datetime]]] = {place: deque() for place in self._room}
        self._freed: dict[int, None] = {}  # caps that may have room
        self._events: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._count = 0
        self._openings = Openings(plan.calendars)
        self._left: dict[int, int] = {}  # lane -> machines of its open wave that haven't ended
        self._in_flight = [0] * len(plan.lanes)
        self._moved: dict[int, datetime] = {}  # lane -> when anything last happened in it
        self._behind: dict[
            int, tuple[MachineId | None, tuple[Waited, ...]]
        ] = {}  # lane -> what opened its wave
        self._patience: dict[tuple[int, datetime], datetime] = {}
        self._last = Waited(For.STEPS_OF_WAVE, _EVER, _EVER)  # from the last end to the last gate
        self._before: dict[int, int] = {}  # lane -> lanes that it still waits for
        self._followers: dict[int, list[int]] = {}
        self._stretches = stretches_of(plan, _numbered(plan, self._index))
        self._begun: dict[
            int, list[tuple[MachineId, datetime]] | None
        ] = {}  # None: its steps before are done

    # Stages, lanes, waves -----------------------------------------------------------------------------------

    def stage(self, number: int, lanes: list[int], now: datetime) -> tuple[datetime, list[Waited]]:
        """Play one stage. Returns when its last machine was well and the steps after are done, and what came after that machine."""
        names = {self._plan.lanes[lane].id: lane for lane in lanes}
        for lane in lanes:
            after = self._plan.lanes[lane].after
            self._before[lane] = len(after)
            for other in after:
                self._followers.setdefault(names[other], []).append(lane)
        self._last = Waited(For.STEPS_OF_WAVE, now, now)
        for lane in lanes:
            if not self._before[lane]:
                self._open(lane, 0, now, None)
        while self._events:
            now, _, happens = heapq.heappop(self._events)
            happens(now)
        tail = [self._last]
        for where, why in (((number,), For.STEPS_OF_STAGE), ((), For.STEPS_OF_ROLLOUT)):
            if where or number + 1 == len(self._plan.stages):
                tail.append(Waited(why, tail[-1].end, tail[-1].end + self._after(where)))
        return tail[-1].end, tail

    def _open(self, lane: int, wave: int, now: datetime, by: MachineId | None, *before: Waited) -> None:
        """`before`: what was waited for since that machine ended."""
        machines = self._plan.lanes[lane].waves[wave].machines
        self._left[lane] = len(machines)
        self._moved[lane] = now
        self._behind[lane] = by, before
        for machine in machines:
            run = self.runs[machine]
            run.opened, run.opened_by = now, by
            run.waited.extend(before)
        for machine in machines:
            self._try(machine, now)
        self._watch(lane, now)

    def _over(self, machine: MachineId, now: datetime) -> None:
        """A machine has ended, or never begins: its wave may be over, and its lane."""
        run = self.runs[machine]
        self._left[run.lane] -= 1
        if self._left[run.lane]:
            return
        then = now + self._after((run.lane, run.wave))
        if then > now:
            waited = Waited(For.STEPS_OF_WAVE, now, then)
            self._at(then, lambda then: self._pass(run, then, machine, waited))
        else:
            self._pass(run, now, machine)

    def _pass(self, run: Run, now: datetime, by: MachineId, *before: Waited) -> None:
        """The gate of a wave opens."""
        if run.wave + 1 < len(self._plan.lanes[run.lane].waves):
            self._open(run.lane, run.wave + 1, now, by, *before)
        else:
            self._finish(run.lane, now, by, *before)

    def _finish(self, lane: int, now: datetime, by: MachineId | None, *before: Waited) -> None:
        del self._left[lane]
        if before:
            self._last = Waited(before[-1].cap, self._last.start, now)
        for follower in self._followers.get(lane, ()):
            self._before[follower] -= 1
            if not self._before[follower]:
                self._open(follower, 0, now, by, *before)

    # Lanes that never have room -------------------------------------------------------------------------------

    def _watch(self, lane: int, now: datetime) -> None:
        """Where nothing is in flight in an open wave: be there when it has waited for `max_wait`."""
        if self._left.get(lane) and not self._in_flight[lane]:
            self._at(now + self._plan.max_wait, partial(self._despair, lane, self._moved[lane]))

    def _despair(self, lane: int, moved: datetime, now: datetime) -> None:
        """Leave out whoever of a lane hasn't begun, if nothing happened in it meanwhile, and calendars were open for long enough."""
        if self._in_flight[lane] or lane not in self._left or self._moved[lane] != moved:
            return
        waves = self._plan.lanes[lane].waves
        pending = [m for wave in waves for m in wave.machines if self.runs[m].began is None]
        calendars = {self._plan.machines[self.runs[m].machine].calendar for m in pending}
        until = max(self._given_up_at(place, moved) for place in calendars)
        if until > now:
            self._at(until, partial(self._despair, lane, moved))
            return
        self.given_up.update(dict.fromkeys(pending))
        by, before = self._behind[lane]
        ended = [
            (run.ended, m) for m in waves[self.runs[pending[0]].wave].machines if (run := self.runs[m]).ended
        ]
        if ended:
            _, by = max(ended)
            before = ()
        self._finish(lane, now, by, *before, Waited(For.GIVING_UP, moved, now))

    def _given_up_at(self, place: int | None, since: datetime) -> datetime:
        """When machines under a calendar have waited for `max_wait`. Time for which it is closed doesn't count."""
        if place is None:
            return since + self._plan.max_wait
        if (place, since) not in self._patience:
            opens = after_open(self._plan.calendars[place], since, self._plan.max_wait)
            self._patience[place, since] = opens or since + HORIZON
        return self._patience[place, since]

    # Steps around waves, stages, the rollout ------------------------------------------------------------------

    def _after(self, where: Where) -> timedelta:
        """How long the steps after take there."""
        place = self._stretches.at.get(where)
        begun = place is not None and place in self._begun
        return self._step * len(self._stretches.all[place].after) if begun and place is not None else _NONE

    def _begin(self, stretches: Sequence[int], machine: MachineId, now: datetime) -> None:
        """Its steps before, from the outside in. The machine is asked again when those of the outermost are done."""
        then = now
        for place in stretches:
            self._begun[place] = []
            then += self._step * len(self._stretches.all[place].before)
            self._at(then, partial(self._is_open, place))
        self._wait_for_steps(stretches[0], machine, now)

    def _wait_for_steps(self, place: int, machine: MachineId, now: datetime) -> None:
        waiting = self._begun[place]
        assert waiting is not None
        waiting.append((machine, now))

    def _is_open(self, place: int, now: datetime) -> None:
        """Steps before are done: whoever waited for them is asked again."""
        waiting = self._begun[place]
        if waiting is None:
            return
        self._begun[place] = None
        why = _STEPS[len(self._stretches.all[place].where)]
        for machine, since in waiting:
            if since < now:
                self.runs[machine].waited.append(Waited(why, since, now))
            self._try(machine, now)

    # Machines -----------------------------------------------------------------------------------------------

    def _try(self, machine: MachineId, now: datetime) -> None:
        """Begin, or wait for the first thing that is in the way."""
        run = self.runs[machine]
        if machine in self.given_up:
            return
        opens = self._opening(run, now)
        if opens is None:
            self.never[machine] = None
            run.takes = timedelta(0)  # it is passed by
        elif opens > now:
            run.waited.append(Waited(For.HOURS, now, opens))
            self._at(opens, partial(self._try, machine))
            return
        if self._is_full():
            self._parked[IN_FLIGHT].append((machine, now))
            return
        stretches = self._stretches.of.get(run.machine, ())
        for place in stretches:
            if self._begun.get(place) is not None:
                self._wait_for_steps(place, machine, now)
                return
        full = self._full(machine)
        if full is not None:
            self._parked[full].append((machine, now))
            return
        to_begin = [place for place in stretches if place not in self._begun]
        if to_begin:
            self._begin(to_begin, machine, now)
            return
        for cap in self._caps(machine):
            self._room[cap] -= 1
        run.began = self._moved[run.lane] = now
        self._in_flight[run.lane] += 1
        self._at(now + run.takes, partial(self._end, machine))

    def _end(self, machine: MachineId, now: datetime) -> None:
        run = self.runs[machine]
        run.ended = self._moved[run.lane] = now
        self._in_flight[run.lane] -= 1
        self._last = Waited(For.STEPS_OF_WAVE, now, now)
        for cap in self._caps(machine):
            self._room[cap] += 1
            if self._parked[cap]:
                self._freed[cap] = None
        self._wake(now)
        self._over(machine, now)
        self._watch(run.lane, now)

    def _wake(self, now: datetime) -> None:
        """Ask who waits behind caps that were freed. Nobody needs to be asked while `max_in_flight` is reached."""
        while self._freed and not self._is_full():
            cap = next(iter(self._freed))
            line = self._parked[cap]
            while line and (line[0][0] in self.given_up or self._full(line[0][0]) not in {cap, IN_FLIGHT}):
                machine, since = line.popleft()
                if since < now:
                    self.runs[machine].waited.append(Waited(cap, since, now))
                self._try(machine, now)
            if not self._is_full():
                del self._freed[cap]

    def _caps(self, machine: MachineId) -> tuple[int, ...]:
        """The caps that a machine counts in, `max_in_flight` last."""
        return (*self._caps_of.get(machine, ()), *((IN_FLIGHT,) if IN_FLIGHT in self._room else ()))

    def _is_full(self) -> bool:
        return self._room.get(IN_FLIGHT, 1) < 1

    def _full(self, machine: MachineId) -> int | None:
        """The first cap that has no room for a machine."""
        if self._is_full():
            return IN_FLIGHT
        return next((cap for cap in self._caps_of.get(machine, ()) if self._room[cap] < 1), None)

    def _opening(self, run: Run, now: datetime) -> datetime | None:
        """When its calendar lets it begin."""
        machine = self._plan.machines[run.machine]
        if machine.calendar is None:
            return now
        return self._openings.next(machine.calendar, now, machine.takes)

    def _at(self, when: datetime, happens: Callable[[datetime], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, happens))


def _numbered(plan: Plan, index: Mapping[MachineId, int]) -> list[tuple[int, list[list[int]]]]:
    """Lanes by the numbers of their stages and machines."""
    stages = {gate.name: number for number, gate in enumerate(plan.stages)}
    return [
        (stages[lane.stage], [[index[machine] for machine in wave.machines] for wave in lane.waves])
        for lane in plan.lanes
    ]
