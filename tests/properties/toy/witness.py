"""Who holds what happened against the plan, naively: from the facts as written and the world's own truth, never from the ledger.

Each of its claims is a thing that must never be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.availability.model import Budget, Exclusion, Order
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Health
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import RolloutStatus, Scope, StageStatus
from tests.diary import Row
from tests.properties.toy.world import World

ENDS = (e.MachineEnded, e.MachineGone, e.MachineWrittenOff)
"""Facts that close a disruption."""

SETTLES = (e.MachineEnded, e.MachineGone, e.MachineWrittenOff, e.MachineLeftOut, e.MachineSkipped)
"""Facts after which a wave doesn't wait for the machine."""


@dataclass
class Held:
    """A hold, by what was written of it."""

    select: str
    until: datetime
    looked: bool = False
    seen: set[int] = field(default_factory=set)


class Witness:
    """Sees every fact as it is written, every request as it leaves, and what the world told."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.index = {machine.id: i for i, machine in enumerate(plan.machines)}
        self.open: dict[int, None] = {}  # disruptions of ours, by the facts
        self.out: dict[int, None] = {}  # out of others' doing, as far as anybody was told
        self.settled: dict[int, None] = {}
        self.ever_settled: dict[int, None] = {}
        self.retried: dict[int, None] = {}
        self.given_up: dict[int, None] = {}
        self.passed: dict[tuple[int, int], None] = {}
        self.stage = -1
        self.bake_until: datetime | None = None
        self.halted = False  # no grant
        self.stopped = False  # no intent either
        self.keys: list[str] = []
        self.failures = 0
        self.begun: dict[int, None] = {}  # in flight
        self.written_off: dict[int, None] = {}
        self.holds: dict[str, Held] = {}
        self.emergency = False
        self.approved: dict[int, None] = {}

    # What is told ---------------------------------------------------------------------------------------------

    def told(self, out: Iterable[int], back: Iterable[int] = ()) -> None:
        """The world said who is out, and who isn't."""
        for machine in out:
            self.out[machine] = None
        for machine in back:
            self.out.pop(machine, None)

    def called(self, machine: int, step: a.RunStep) -> None:
        """A step around a machine was carried out."""
        assert machine in self.open, f"a step of machine {machine} without a disruption of it"
        if not step.after:
            assert not self.stopped, "a step before, after a stop"

    def called_around(self, step: a.RunStretchStep) -> None:
        """A step around a wave, a stage or the rollout is about to be carried out."""
        inside = [m for m in self.begun if step.where in self._stretches_of(m)]
        if step.after:
            assert not inside, f"a step after {step.where} while machines {inside} of it are under way"
        else:
            assert not self.halted, "a step before, though nothing may be granted"

    def _stretches_of(self, machine: int) -> tuple[tuple[int, ...], ...]:
        """The wave, the stage and the rollout that a machine is in, wherever there are steps around them."""
        stretches = index_plan(self.plan).stretches
        return tuple(stretches.all[n].where for n in stretches.of.get(machine, ()))

    def _holds(self, machine: int) -> None:
        for where in self._stretches_of(machine):
            assert self.world.held.get(where), f"{where} is not held when machine {machine} of it goes down"

    def sends(self, machine: int, send: a.Send, rows: list[Row]) -> None:
        """A request leaves."""
        intents = [
            f for row in rows for f in decode(row.body) if isinstance(f, e.Intended) and f.key == send.key
        ]
        assert len(intents) == 1, f"{send.key} is sent and its intent isn't written down once"
        assert send.key not in self.keys, f"{send.key} is sent twice"
        assert machine in self.open, f"a request for machine {machine} without a disruption of it"
        self.keys.append(send.key)
        self._holds(machine)

    def agrees(self, scope: Scope) -> None:
        """No grant is lost, and none appears from nowhere."""
        assert set(scope.ledger.grants) == {self.plan.machines[i].id for i in self.open}

    # What is written ------------------------------------------------------------------------------------------

    def saw(self, facts: Iterable[e.Event], at: datetime) -> None:
        """A decision was written down."""
        for fact in facts:
            self._saw(fact, at)
            if isinstance(
                fact, e.FleetSeen
            ):  # known from now on, whether or not the process lived on after it
                self.told((), fact.back)

    def _saw(self, fact: e.Event, at: datetime) -> None:
        self._saw_word(fact, at)
        match fact:
            case e.RolloutPaused():
                self.halted = True
            case e.RolloutStopped():
                self.halted = self.stopped = True
            case e.RolloutAborted() | e.RolloutFinished():
                self.halted = self.stopped = True
            case e.RolloutResumed():
                self.halted = self.stopped = False
            case e.StageOpened(stage):
                assert stage == self.stage + 1
                wanted = stage > 0 and self.plan.stages[stage - 1].approve
                assert not wanted or stage - 1 in self.approved, "a stage opens without the yes that it wants"
                assert self.bake_until is None or at >= self.bake_until, (
                    "a stage opens before the last has baked"
                )
                self._stage_is_over(self.stage)
                self.stage, self.bake_until = stage, None
            case e.WaveOpened(lane, wave):
                self._may_open(lane, wave)
            case e.WavePassed(lane, wave):
                names = self.plan.lanes[lane].waves[wave].machines
                assert all(self.index[name] in self.settled for name in names), "a wave passes unsettled"
                self.passed[lane, wave] = None
            case e.LaneGaveUp(lane):
                self.given_up[lane] = None
            case e.Granted(machine):
                self._may_go_down(machine)
                self._may_begin(machine, at)
                self.open[machine] = self.begun[machine] = None
            case e.Intended(machine):
                assert not self.stopped, "an intent after a stop"
                self._may_begin(machine, at)
            case e.MachineUnhealthy(machine):
                self.failures += 1
                self.open[machine] = None
                self.settled.pop(machine, None)
            case e.Undecided() | e.AttemptRejected():
                self.failures += 1
            case e.StretchStepEnded(ok=good) | e.StepEnded(ok=good) | e.ChangeEnded(changed=good):
                self.failures += not good
            case _:
                pass
        if isinstance(fact, (*ENDS, e.MachineUnhealthy, e.Undecided)):
            self.begun.pop(fact.machine, None)
        if isinstance(fact, ENDS):
            self.open.pop(fact.machine, None)
        if isinstance(fact, SETTLES) and getattr(fact, "outcome", None) is not e.Outcome.PENDING:
            self.settled[fact.machine] = self.ever_settled[fact.machine] = None

    def _saw_word(self, fact: e.Event, at: datetime) -> None:
        """What a person said, and how long a stage bakes for it."""
        match fact:
            case e.StageApproved(stage, _, reason):
                assert self.emergency or not reason.startswith("emergency"), (
                    "a yes of an emergency that isn't"
                )
                self.approved[stage] = None
            case e.EmergencyDeclared():
                self.emergency = True
                if self.bake_until is not None:
                    self.bake_until = min(self.bake_until, at + Health().min_healthy_time)
            case e.MachineWrittenOff(machine):
                self.written_off[machine] = None
            case e.MachineRetried(machine):
                self.retried[machine] = None
                self.settled.pop(machine, None)
            case e.HoldPlaced(hold, select, until):
                self.holds[hold] = Held(select, until)
            case e.HoldLifted(hold):
                del self.holds[hold]
            case e.HoldSeen(hold, machines):
                self.holds[hold].looked = True
                self.holds[hold].seen.update(machines)
            case e.StageBaking(stage, until):
                gate = self.plan.stages[stage]
                least = min(gate.bake, Health().min_healthy_time) if self.emergency else gate.bake
                assert until >= at + least, "a stage bakes for less than it has to"
                self.bake_until = until
            case _:
                pass

    # What must never be ---------------------------------------------------------------------------------------

    def _may_go_down(self, machine: int) -> None:
        name = self.plan.machines[machine].id
        assert not self.halted, "a grant after a pause, a stop or the end"
        limit = self.plan.max_in_flight
        assert limit is None or len(self.begun) < limit, f"more than {limit} in flight"
        for rule in self.plan.constraints:
            match rule:
                case Budget():
                    out = {m for m in rule.machines if self.index[m] in self.open or self._is_out(m)}
                    assert name not in rule.machines or name in out or len(out) < rule.limit, rule.what
                case Exclusion():
                    mine = {d for d, members in rule.domains.items() if name in members}
                    held = {
                        d
                        for d, members in rule.domains.items()
                        if any(self.index[m] in self.open for m in members)
                    }
                    assert not mine or held <= mine, f"{held} and {mine}: {rule.what}"
                case Order():
                    self._order(rule, name)
        self._wave_is_open(machine)
        self._holds(machine)

    def _may_begin(self, machine: int, at: datetime) -> None:
        planned = self.plan.machines[machine]
        for hold in self.holds.values():
            *tags, named = hold.select.replace("name=", "").split(",")
            if named.startswith("tag:"):
                tags, named = [named], "*"
            means = named in ("*", planned.name)
            if tags:
                means = machine in hold.seen or (means and not hold.looked)
            assert not means or at >= hold.until, f"{planned.name} is begun, and held until {hold.until}"
        if planned.calendar is not None and not self.emergency:
            closed = self.plan.calendars[planned.calendar].freezes
            assert not any(x.start <= at < x.end for x in closed), f"{planned.name} is begun in a freeze"

    def _is_out(self, name: str) -> bool:
        index = self.index[name]
        return index in self.out and index not in self.written_off and self.world.is_down(index)

    def _order(self, rule: Order, name: str) -> None:
        if name in rule.then:
            stage = self._stage_of(name)
            first = [m for m in rule.first if self._stage_of(m) == stage and stage is not None]
            assert all(self.index[m] in self.settled for m in first), rule.what

    def _stage_of(self, name: str) -> str | None:
        return next((x.stage for x in self.plan.lanes for w in x.waves if name in w.machines), None)

    def _wave_is_open(self, machine: int) -> None:
        name = self.plan.machines[machine].id
        lane, wave = next(
            (i, w)
            for i, x in enumerate(self.plan.lanes)
            for w, each in enumerate(x.waves)
            if name in each.machines
        )
        assert [s.name for s in self.plan.stages].index(self.plan.lanes[lane].stage) <= self.stage
        for earlier in range(wave):
            assert (lane, earlier) in self.passed or lane in self.given_up, "a wave before its predecessor"
        if lane in self.given_up or (lane, wave) in self.passed:
            assert machine in self.retried, "a machine after its wave that nobody retried"
        self._lanes_before(lane)

    def _may_open(self, lane: int, wave: int) -> None:
        assert wave == 0 or (lane, wave - 1) in self.passed
        self._lanes_before(lane)

    def _lanes_before(self, lane: int) -> None:
        for name in self.plan.lanes[lane].after:
            earlier = next(i for i, x in enumerate(self.plan.lanes) if x.id == name)
            assert self._is_over(earlier), f"lane {self.plan.lanes[lane].id} before {name}"

    def _is_over(self, lane: int) -> bool:
        return lane in self.given_up or (lane, len(self.plan.lanes[lane].waves) - 1) in self.passed

    def _stage_is_over(self, stage: int) -> None:
        for i, lane in enumerate(self.plan.lanes):
            if stage >= 0 and lane.stage == self.plan.stages[stage].name:
                assert self._is_over(i), f"a stage opens before lane {lane.id} of the last is over"

    def finally_true(self, scope: Scope) -> None:
        """At the end: no request of ours killed another, and what was drained serves again, or is known not to."""
        assert not self.world.supersedes
        for machine, truth in enumerate(self.world.machines):
            if truth.drained and not truth.gone and machine not in self.written_off:
                assert machine in self.open, f"machine {machine} is left drained"
        (rollout,) = scope.rollouts.values()
        for number, stretch in enumerate(rollout.planned.stretches.all):
            run = rollout.stretches[number]
            paused = (
                rollout.status is RolloutStatus.PAUSED and run.left
            )  # it is under way, and a resume carries it through
            asked = (
                rollout.stage_status is StageStatus.AWAITING and not rollout.over
            )  # the rest follows a yes
            known = run.failed or run.troubled or paused or (asked and stretch.where == ())
            assert known or not self.world.held.get(stretch.where), f"{stretch.where} is left held"
