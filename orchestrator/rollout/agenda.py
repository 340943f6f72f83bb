"""Desired activities, kept up to date event by event. Its cost per event depends on what the event touched.

Three indexes: the activities of machines; machines that wait for room, parked under the constraint that refused them, so that
a place given back wakes only who waits for that place; and moments at which somebody has to be asked again.
Machines that are being checked hold a reservation, so that as many are asked as there is room for, and no more.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.availability.ledger import Refusal, Reserved
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.due import (
    due_machine,
    due_rollout,
    lane_wakes_at,
    machine_wakes_at,
    stage_wakes_at,
)
from orchestrator.rollout.progress import advance_stage, lane_is_due
from orchestrator.rollout.state import Rollout, Scope

FLEETWIDE = (
    e.RolloutStarted,
    e.RolloutPaused,
    e.RolloutResumed,
    e.RolloutStopped,
    e.RolloutAborted,
    e.RolloutFinished,
    e.StageOpened,
    e.Prepared,
)
"""Events after which everything of the rollout is asked again; rare."""


@dataclass(slots=True)
class Agenda:
    """What is due in one rollout of a scope.

    `activities` maps a machine (or -1 for the rollout's own) to what is to be going on. `lanes` are to be advanced now, and so is the stage if
    `stage_due`.
    `waiting` maps a machine to the refusal it waits behind.
    """

    scope: Scope
    rollout: Rollout
    reserved: Reserved
    activities: dict[int, a.Activity] = field(default_factory=dict)
    own: tuple[a.Activity, ...] = ()
    lanes: dict[int, None] = field(default_factory=dict)  # a set in order
    stage_due: bool = False  # the stage is to be advanced now
    waiting: dict[int, Refusal] = field(default_factory=dict)
    _parked: dict[str, dict[int, None]] = field(default_factory=dict)
    _alarms: list[tuple[datetime, int, int]] = field(default_factory=list)  # (when, kind, number)
    _watched: set[int] = field(default_factory=set)  # lanes that have an alarm
    _bake: datetime | None = None  # the stage's alarm

    # Asking ---------------------------------------------------------------------------------------------

    def refresh(self, facts: Iterable[e.Event], now: datetime) -> set[int]:
        """Ask again whoever these facts, already applied, concern. Returns the machines whose activity may differ."""
        touched: set[int] = set()
        freed: dict[str, None] = {}
        for fact in facts:
            if isinstance(fact, FLEETWIDE):
                return self.ask_all(now)
            self._touch(fact, touched, freed, now)
        for machine in sorted(touched):
            self._ask(machine, now, freed)
        self._wake(freed, touched, now)
        self._after(now)
        return touched

    def _touch(self, fact: e.Event, touched: set[int], freed: dict[str, None], now: datetime) -> None:
        if isinstance(fact, e.WaveOpened):
            touched.update(self.rollout.planned.lanes[fact.lane].waves[fact.wave])
            self._ask_lane(fact.lane, now)
        elif isinstance(fact, e.WavePassed | e.LaneGaveUp):
            self._ask_lane(fact.lane, now)
            for follower in self.rollout.planned.lanes[fact.lane].followers:
                self._ask_lane(follower, now)
        elif isinstance(fact, e.FleetSeen):
            for machine in (*fact.out, *fact.back):
                self._free(machine, freed)
                touched.add(machine)
        else:
            machine = getattr(fact, "machine", -1)
            if machine >= 0:
                touched.add(machine)
                self._free(machine, freed)
                if (lane := self.rollout.planned.lane_of[machine]) >= 0:
                    self._ask_lane(lane, now)

    def _free(self, machine: int, freed: dict[str, None]) -> None:
        """Whoever waits behind a constraint of this machine may have room now."""
        for rule, _ in self.scope.ledger.rules_of(self._id(machine)):
            if rule in self._parked:
                freed[rule] = None
        for order in self.rollout.planned.orders_first.get(machine, ()):
            rule = self.rollout.planned.orders[order].order.id
            if rule in self._parked:
                freed[rule] = None
        if "max_in_flight" in self._parked:
            freed["max_in_flight"] = None

    def ask_all(self, now: datetime) -> set[int]:
        """Ask everybody, as after a replay. Reservations start anew."""
        self.reserved = Reserved(self.scope.ledger)
        self.activities.clear()
        self.waiting.clear()
        self._parked.clear()
        self._alarms.clear()
        self._watched.clear()
        self._bake = None
        self.lanes.clear()
        machines = range(len(self.rollout.machines))
        for machine in machines:
            if self.rollout.planned.lane_of[machine] >= 0:
                self._ask(machine, now, {})
        for lane in self.rollout.planned.lanes_of_stage[self.rollout.stage]:
            self._ask_lane(lane, now)
        self._after(now)
        return set(machines)

    def _after(self, now: datetime) -> None:
        self.own = due_rollout(self.rollout)
        self.stage_due = bool(advance_stage(self.rollout, now))
        when = stage_wakes_at(self.rollout)
        if when is not None and when > now and when != self._bake:
            heapq.heappush(self._alarms, (when, _STAGE, 0))
        self._bake = when

    def _ask_lane(self, lane: int, now: datetime) -> None:
        if lane_is_due(self.rollout, lane, now):
            self.lanes[lane] = None
        else:
            self.lanes.pop(lane, None)
            if lane not in self._watched and (when := lane_wakes_at(self.rollout, lane)) is not None:
                self._watched.add(lane)
                heapq.heappush(self._alarms, (when, _LANE, lane))

    def _ask(self, machine: int, now: datetime, freed: dict[str, None]) -> None:
        """Settle what is due for one machine, reserving room if it is a check."""
        desired = due_machine(self.scope, self.rollout, machine)
        identity = self._id(machine)
        if not isinstance(desired, a.Check):
            self._unpark(machine)
            for rule in self.reserved.discard(identity):
                if rule in self._parked:
                    freed[rule] = None
            if desired is None:
                self.activities.pop(machine, None)
            else:
                self.activities[machine] = desired
            return
        if identity in self.reserved:
            self.activities[machine] = desired
            return
        later = machine_wakes_at(self.rollout, machine)
        if later is not None and later > now:
            self.activities.pop(machine, None)
            heapq.heappush(self._alarms, (later, _MACHINE, machine))
            return
        refused = refusal(self.scope, self.rollout, machine, self.reserved)
        self._unpark(machine)
        if refused is None:
            self.reserved.add(identity)
            self.activities[machine] = desired
        else:
            self.activities.pop(machine, None)
            self.waiting[machine] = refused
            self._parked.setdefault(refused.constraint, {})[machine] = None

    def _unpark(self, machine: int) -> None:
        refused = self.waiting.pop(machine, None)
        if refused is not None:
            parked = self._parked[refused.constraint]
            parked.pop(machine, None)
            if not parked:
                del self._parked[refused.constraint]

    def _wake(self, freed: dict[str, None], touched: set[int], now: datetime) -> None:
        """Ask who is parked behind a freed constraint, first come first, until one is refused by it again."""
        while freed:
            rule = next(iter(freed))
            del freed[rule]
            while parked := self._parked.get(rule):
                machine = next(iter(parked))
                refused = refusal(self.scope, self.rollout, machine, self.reserved)
                if refused is not None and refused.constraint == rule:
                    break
                self._ask(machine, now, freed)
                touched.add(machine)

    def _id(self, machine: int) -> MachineId:
        return self.rollout.planned.plan.machines[machine].id

    # Ends of checks -------------------------------------------------------------------------------------

    def check_ended(self, machine: int, now: datetime) -> set[int]:
        """A check came to nothing (no fact followed): its place is free for another machine, and it queues again."""
        freed: dict[str, None] = {}
        for rule in self.reserved.discard(self._id(machine)):
            if rule in self._parked:
                freed[rule] = None
        touched = {machine}
        self._wake(freed, touched, now)
        self._ask(machine, now, {})
        return touched

    # Time -----------------------------------------------------------------------------------------------

    def wake_at(self) -> datetime | None:
        """The next moment at which somebody has to be asked again, if any."""
        return self._alarms[0][0] if self._alarms else None

    def wake(self, now: datetime) -> set[int]:
        """Ask whose time has come. Returns the machines whose activity may differ."""
        touched: set[int] = set()
        freed: dict[str, None] = {}
        while self._alarms and self._alarms[0][0] <= now:
            _, kind, number = heapq.heappop(self._alarms)
            if kind == _MACHINE:
                self._ask(number, now, freed)
                touched.add(number)
            elif kind == _LANE:
                self._watched.discard(number)
                self._ask_lane(number, now)
        self._wake(freed, touched, now)
        self._after(now)
        return touched


_STAGE, _LANE, _MACHINE = 0, 1, 2


def agenda_of(scope: Scope, rollout: Rollout, now: datetime) -> Agenda:
    """A fresh agenda: everybody asked once."""
    agenda = Agenda(scope, rollout, Reserved(scope.ledger))
    agenda.ask_all(now)
    return agenda
