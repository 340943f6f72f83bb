"""Desired activities, kept up to date event by event. Its cost per event depends on what the event touched.

Three indexes: the activities of machines; machines that wait for room, parked under the constraint that refused them, so that
a place given back wakes only who waits for that place; and moments at which somebody has to be asked again, such as a window's
opening and the moment from which it is too late in it.
Machines that are being checked hold a reservation, so that as many are asked as there is room for, and no more.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.availability.ledger import Refusal, Reserved
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.admission import (
    MAX_IN_FLIGHT,
    group_rule,
    is_full,
    refusal,
    restarts,
    stretch_rule,
)
from orchestrator.rollout.agenda_replan import Replans
from orchestrator.rollout.agenda_steps import A_WAVE, Steps
from orchestrator.rollout.due import (
    due_machine,
    due_rollout,
    lane_wakes_at,
    machine_wakes_at,
    stage_wakes_at,
)
from orchestrator.rollout.hours import begins_at, changes_at
from orchestrator.rollout.looking import ALL_THE_WHILE, Looked
from orchestrator.rollout.moved import FLEETWIDE
from orchestrator.rollout.progress import advance_stage, lane_is_due
from orchestrator.rollout.state import Rollout, Scope

Line = OrderedDict[int, None]
"""Machines in the order they came. No plain dict: finding the first of one costs as much as were taken from its front."""


@dataclass(slots=True)
class Agenda:
    """What is due in one rollout of a scope.

    `activities` maps a machine (or -1 for the rollout's own) to what is to be going on, `waiting` to the refusal it waits behind.
    `lanes` are to be advanced now, and so is the stage if `stage_due`.
    A rule's queue has a line for each domain of an exclusion: those of one may pass while those of another may not.
    """

    scope: Scope
    rollout: Rollout
    reserved: Reserved
    steps: Steps
    replans: Replans
    looked: Looked = ALL_THE_WHILE  # as in `messages.Advance`
    activities: dict[int, a.Activity] = field(default_factory=dict)
    own: tuple[a.Activity, ...] = ()
    lanes: OrderedDict[int, None] = field(default_factory=OrderedDict)  # a queue that anybody may leave
    stage_due: bool = False  # the stage is to be advanced now
    waiting: dict[int, Refusal] = field(default_factory=dict)
    _parked: dict[str, dict[str, Line]] = field(default_factory=dict)  # rule -> domain -> machines
    _freed: OrderedDict[str, None] = field(
        default_factory=OrderedDict
    )  # rules that may have room: asked while `max_in_flight` lets
    _alarms: list[tuple[datetime, int, int]] = field(default_factory=list)  # (when, kind, number)
    _watched: dict[int, datetime] = field(default_factory=dict)  # lane -> its first alarm
    _bake: datetime | None = None  # the stage's alarm
    _shut: dict[int, datetime] = field(
        default_factory=dict
    )  # machine -> when calendar and holds let it be begun
    _changes: dict[int, datetime] = field(default_factory=dict)  # machine -> its alarm for that

    # Asking ---------------------------------------------------------------------------------------------

    def refresh(self, facts: Iterable[e.Event], now: datetime) -> set[int]:
        """Ask again whoever these facts, already applied, concern. Returns the machines whose activity may differ."""
        facts = tuple(facts)
        if any(isinstance(fact, FLEETWIDE) for fact in facts):
            return self.ask_all(now)
        touched: set[int] = set()
        crowded = any(self._crowds(fact) for fact in facts)
        for fact in facts:
            self._touch(fact, touched, now)
        for machine in sorted(touched):
            self._ask(machine, now)
        if crowded or any(
            self._is_overdrawn(self._id(machine)) for fact in facts for machine in _went_out(fact)
        ):
            self._ask_reserved(touched, now)
        self._wake(touched, now)
        self.replans.refresh(facts, now)
        self._after(now)
        return touched | self.steps.refresh(facts)

    def _touch(self, fact: e.Event, touched: set[int], now: datetime) -> None:
        if isinstance(fact, e.WaveOpened):
            touched.update(self.rollout.planned.lanes[fact.lane].waves[fact.wave])
            self._ask_lane(fact.lane, now)
        elif isinstance(fact, e.WavePassed | e.LaneGaveUp):
            self._ask_lane(fact.lane, now)
            for follower in self.rollout.planned.lanes[fact.lane].followers:
                self._ask_lane(follower, now)
        elif isinstance(fact, e.StretchBegun | e.StretchStepEnded):
            self._free_rule(stretch_rule(self.rollout.planned.stretches.at[fact.where]))
            if len(fact.where) == A_WAVE:
                self._ask_lane(fact.where[0], now)
        elif isinstance(fact, e.GroupSeen):
            self._free_rule(group_rule(fact.group))
        elif isinstance(fact, e.LaneReplanned):
            self._ask_lane(fact.lane, now)
        elif isinstance(fact, e.FleetSeen):
            for machine in (*fact.out, *fact.back):
                self._unreserve(machine)
                self._free(self._id(machine))
                touched.add(machine)
        elif (machine := getattr(fact, "machine", -1)) >= 0:
            touched.add(machine)
            self._free(self._id(machine))
            for order in self.rollout.planned.orders_first.get(machine, ()):
                self._free_rule(self.rollout.planned.orders[order].order.id)
            if (lane := self.rollout.planned.lane_of[machine]) >= 0:
                self._ask_lane(lane, now)

    def _free(self, machine: MachineId) -> None:
        """Whoever waits behind a constraint of this machine may have room now."""
        for rule, _ in self.scope.ledger.rules_of(machine):
            self._free_rule(rule)
        self._free_rule(MAX_IN_FLIGHT)

    def _free_rule(self, rule: str) -> None:
        if rule in self._parked:
            self._freed[rule] = None

    def _unreserve(self, machine: int) -> None:
        identity = self._id(machine)
        if identity in self.reserved:
            for rule in self.reserved.discard(identity):
                self._free_rule(rule)
            self._free_rule(MAX_IN_FLIGHT)

    # Room that was reserved and is taken ------------------------------------------------------------------

    def _crowds(self, fact: e.Event) -> bool:
        """Whether a fact may take room, or an exclusion's or an order's leave, that others have reserved."""
        match fact:
            case e.Granted(machine):
                return self._id(machine) not in self.reserved  # its check was let go before it ended
            case e.MachineUnhealthy(machine) | e.Undecided(machine):
                late = isinstance(fact, e.MachineUnhealthy) and fact.late
                return late or self.rollout.planned.machine(machine).stays_up
            case e.MachineRetried():
                return True
            case e.RestartForeseen():  # it needs other room than it was reserved
                return True
            case e.GroupSeen():
                return not fact.well
            case e.StretchBegun():
                return True
            case _:
                return False

    def _is_overdrawn(self, machine: MachineId) -> bool:
        """Whether more of a rule of the machine's is reserved than it has left, or another domain's turn of it."""
        for rule, domain in self.scope.ledger.rules_of(machine):
            if domain is not None:
                if self.reserved.foreign_domain(rule, domain):
                    return True
            elif (self.scope.ledger.room(rule) or 0) < self.reserved.count(rule):
                return True
        return False

    def _ask_reserved(self, touched: set[int], now: datetime) -> None:
        """Reserve anew, first come first: whoever finds no room any more waits again."""
        index = self.rollout.planned.index
        machines = [index[identity] for identity in self.reserved.machines()]
        for machine in machines:
            self._unreserve(machine)
        for machine in machines:
            self._ask(machine, now)
        touched.update(machines)

    def ledger_moved(self, machines: Iterable[MachineId], now: datetime) -> set[int]:
        """Another rollout of the scope was granted these machines, or gave them back: who waits for their rules is asked
        again. Returns the machines whose activity may differ.
        """
        touched: set[int] = set()
        crowded = False
        machines = tuple(machines)
        self.replans.ledger_moved(machines, now)
        for identity in machines:
            self._free(identity)
            crowded = crowded or self._is_overdrawn(identity)
        if crowded:
            self._ask_reserved(touched, now)
        self._wake(touched, now)
        return touched

    # Asking everybody -------------------------------------------------------------------------------------

    def ask_all(self, now: datetime) -> set[int]:
        """Ask everybody, as after a replay. Reservations start anew."""
        self.reserved = Reserved(self.scope.ledger)
        self.activities.clear()
        self.waiting.clear()
        self._parked.clear()
        self._freed.clear()
        self._alarms.clear()
        self._watched.clear()
        self._bake = None
        self._shut.clear()
        self._changes.clear()
        self.lanes.clear()
        machines = range(len(self.rollout.machines))
        for machine in machines:
            if self.rollout.planned.lane_of[machine] >= 0:
                self._ask(machine, now)
        self._ask_time(now)
        return set(machines) | self.steps.ask_all()

    def look_ended(self, now: datetime) -> None:
        """The whole fleet was looked at, and what that said is known: from now on time may decide."""
        self.looked = now
        self._ask_time(now)

    def _ask_time(self, now: datetime) -> None:
        for lane in self.rollout.planned.lanes_of_stage[self.rollout.stage]:
            self._ask_lane(lane, now)
        if self.looked is not None:  # whoever was out is back, perhaps
            self.replans.ask(now)
        self._after(now)

    def _after(self, now: datetime) -> None:
        self.own = due_rollout(self.rollout) + self.replans.due
        self.stage_due = bool(advance_stage(self.rollout, now, self.looked))
        when = stage_wakes_at(self.rollout, now, self.looked)
        if when is not None and when > now and when != self._bake:
            heapq.heappush(self._alarms, (when, _STAGE, 0))
        self._bake = when

    def _ask_lane(self, lane: int, now: datetime) -> None:
        if lane_is_due(self.rollout, lane, now, self.looked):
            self.lanes[lane] = None
        else:
            self.lanes.pop(lane, None)
            when, armed = lane_wakes_at(self.rollout, lane, self.looked), self._watched.get(lane)
            if when is not None and when > now and (armed is None or when < armed):
                self._watched[lane] = when
                heapq.heappush(self._alarms, (when, _LANE, lane))

    # Asking one -------------------------------------------------------------------------------------------

    def _ask(self, machine: int, now: datetime) -> None:
        """Settle what is due for one machine, reserving room if it is a check."""
        desired = due_machine(self.scope, self.rollout, machine)
        self._shut.pop(machine, None)
        if isinstance(desired, a.Check) and self._must_wait(machine, now):
            desired = None
        if not isinstance(desired, a.Check):
            self._unpark(machine)
            self._unreserve(machine)
            if desired is None:
                self.activities.pop(machine, None)
            else:
                self.activities[machine] = desired
        elif self._id(machine) in self.reserved:
            self.activities[machine] = desired
        else:
            self._place(machine, desired, refusal(self.scope, self.rollout, machine, self.reserved))

    def _must_wait(self, machine: int, now: datetime) -> bool:
        """Whether a machine is left alone until a moment that is known; it is asked again then."""
        changes = changes_at(self.rollout, machine, now)
        if changes is not None and self._changes.get(machine) != changes:
            self._changes[machine] = changes
            heapq.heappush(self._alarms, (changes, _MACHINE, machine))
        later = machine_wakes_at(self.rollout, machine, now)
        if later is None:
            return False
        if later == changes:
            self._shut[machine] = later
        else:
            heapq.heappush(self._alarms, (later, _MACHINE, machine))
        return True

    def _place(self, machine: int, check: a.Check, refused: Refusal | None) -> None:
        """Reserve room for a check, or queue behind what refused it."""
        if refused is None:
            self._unpark(machine)
            self.reserved.add(self._id(machine), restarts=restarts(self.rollout, machine))
            self.activities[machine] = check
        elif self.waiting.get(machine) != refused:
            self._unpark(machine)
            self.activities.pop(machine, None)
            self.waiting[machine] = refused
            self._parked.setdefault(refused.constraint, {}).setdefault(refused.domain, Line())[machine] = None

    def _unpark(self, machine: int) -> None:
        refused = self.waiting.pop(machine, None)
        if refused is None:
            return
        lines = self._parked[refused.constraint]
        line = lines[refused.domain]
        del line[machine]
        if not line:
            del lines[refused.domain]
            if not lines:
                del self._parked[refused.constraint]

    def _wake(self, touched: set[int], now: datetime) -> None:
        """Ask who is parked behind freed constraints, first come first, until one is refused by it again.

        While `max_in_flight` is reached nobody needs to be asked: the freed constraints are kept for when it isn't.
        """
        while self._freed and not is_full(self.rollout, self.reserved):
            rule = next(iter(self._freed))
            for line in tuple(self._parked.get(rule, {}).values()):
                self._wake_line(rule, line, touched, now)
            if not is_full(self.rollout, self.reserved):
                del self._freed[rule]

    def _wake_line(self, rule: str, line: Line, touched: set[int], now: datetime) -> None:
        while line:
            machine = next(iter(line))
            if begins_at(self.rollout, machine, now) is not None:  # its window closed while it was parked
                self._ask(machine, now)
                continue
            refused = refusal(self.scope, self.rollout, machine, self.reserved)
            if refused is not None and refused.constraint in (rule, MAX_IN_FLIGHT):
                return
            self._place(machine, a.Check(self.rollout.id, machine), refused)
            touched.add(machine)

    def at(self, place: int) -> a.Activity | None:
        """What is to be going on in a place: for a machine, or around a stretch."""
        return self.activities.get(place) if place >= 0 else self.steps.at(place)

    def _id(self, machine: int) -> MachineId:
        return self.rollout.planned.plan.machines[machine].id

    # Ends of checks -------------------------------------------------------------------------------------

    def check_ended(self, machine: int, now: datetime) -> set[int]:
        """A check came to nothing (no fact followed): its place is free for another machine, and it queues again."""
        self._unreserve(machine)
        touched = {machine}
        self._wake(touched, now)
        self._ask(machine, now)
        return touched

    # Time -----------------------------------------------------------------------------------------------

    def wake_at(self) -> datetime | None:
        """The next moment at which somebody has to be asked again, if any."""
        replans = self.replans.wakes_at if self.looked else None
        return min(filter(None, [replans, *(when for when, *_ in self._alarms[:1])]), default=None)

    def wake(self, now: datetime) -> set[int]:
        """Ask whose time has come. Returns the machines whose activity may differ."""
        touched: set[int] = set()
        while self._alarms and self._alarms[0][0] <= now:
            _, kind, number = heapq.heappop(self._alarms)
            if kind == _MACHINE:
                self._ask(number, now)
                touched.add(number)
            elif kind == _LANE:
                self._watched.pop(number, None)
                self._ask_lane(number, now)
        if self.looked is not None:
            self.replans.wake(now)
        self._wake(touched, now)
        self._after(now)
        return touched

    def opens_at(self) -> datetime | None:
        """When the first of the machines that nothing but calendars and holds keep waiting may be begun."""
        return min(self._shut.values(), default=None)


def _went_out(fact: e.Event) -> tuple[int, ...]:
    """The machines that count as out by this fact, though nobody granted it."""
    if isinstance(fact, e.FleetSeen):
        return fact.out
    return (fact.machine,) if isinstance(fact, e.ForeignRunSeen) else ()


_STAGE, _LANE, _MACHINE = 0, 1, 2


def agenda_of(scope: Scope, rollout: Rollout, now: datetime, looked: Looked = ALL_THE_WHILE) -> Agenda:
    """A fresh agenda: everybody asked once."""
    agenda = Agenda(scope, rollout, Reserved(scope.ledger), Steps(rollout), Replans(scope, rollout), looked)
    agenda.ask_all(now)
    return agenda
