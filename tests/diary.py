"""A host in miniature: no loop, no disk, no cloud. The test is the world, and tells it what happened.

It does what every host does, in the same order: decide, write the row down, apply what was read back from it, ask the
agenda, and go on with whatever is due of itself. What the test reports must be what was being done: `accepted("a")` fails unless
a request for `a` was to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from orchestrator.executor.replan import answer, standing
from orchestrator.planner.model import Plan
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.agenda import Agenda, agenda_of
from orchestrator.rollout.codec import decode, encode
from orchestrator.rollout.decide import clock_message, decide
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.looking import ALL_THE_WHILE, Looked
from orchestrator.rollout.planned import Planned, index_plan
from orchestrator.rollout.state import LaneRun, MachineRun, MachineStatus, Rollout, Scope
from tests.builders import NOON

F = TypeVar("F", bound=e.Event)

WHO, WHY = "ada", "ticket 4711"

OLD, NEW = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
"""Ids of patch runs: the one before ours, and ours."""

URL = "https://management.azure.com/operations/1"


@dataclass(frozen=True, slots=True)
class Row:
    """A decision as it was written down."""

    rollout: str
    at: datetime
    body: bytes


@dataclass
class Diary:
    """One rollout of one scope, or the first of several."""

    plan: Plan
    id: str = "r1"
    now: datetime = NOON
    scope: Scope = field(default_factory=Scope)
    rows: list[Row] = field(default_factory=list)
    prepared: bool = True
    dropped: tuple[tuple[str, str], ...] = ()
    listen: Callable[[tuple[e.Event, ...]], None] = lambda facts: None

    def __post_init__(self) -> None:
        """Start it, and let it find everything well."""
        self.planned: Planned = index_plan(self.plan)
        dropped = tuple((self.index(name), why) for name, why in self.dropped)
        start = m.Start(self.id, self.planned, "digest", WHO, WHY, dropped)
        self._record(decide(self.scope, start, self.now))
        self.agenda: Agenda = agenda_of(self.scope, self.rollout, self.now)
        if self.prepared:
            self.looked()

    # What it knows ----------------------------------------------------------------------------------------

    @property
    def rollout(self) -> Rollout:
        """The rollout as the facts have it."""
        return self.scope.rollouts[self.id]

    def index(self, name: str) -> int:
        """A machine's place in the plan."""
        return next(i for i, machine in enumerate(self.planned.plan.machines) if machine.name == name)

    def run(self, name: str) -> MachineRun:
        """A machine as the facts have it."""
        return self.rollout.machines[self.index(name)]

    def status(self, name: str) -> MachineStatus:
        """Where a machine stands."""
        return self.run(name).status

    def lane(self, name: str) -> LaneRun:
        """A lane as the facts have it."""
        return self.rollout.lanes[next(i for i, x in enumerate(self.planned.lanes) if x.id == name)]

    def doing(self, name: str) -> a.Activity | None:
        """What is to be going on for a machine."""
        return self.agenda.activities.get(self.index(name))

    def around(self, *where: int) -> a.RunStretchStep | None:
        """The step that is to be going on around a wave `(lane, wave)`, a stage `(stage,)` or the rollout `()`."""
        return self.agenda.steps.due.get(self.planned.stretches.at[where])

    def stepping(self) -> str:
        """All of them, by the ends of their keys."""
        due = sorted(self.agenda.steps.due.values(), key=lambda step: step.key)
        return " ".join(step.key.removeprefix(f"{self.id}-around-") for step in due)

    def checked(self) -> str:
        """The machines that are being looked at for a grant."""
        return self.names(i for i, x in self.agenda.activities.items() if isinstance(x, a.Check))

    def names(self, machines: Iterable[int]) -> str:
        """Machines by name, in the plan's order."""
        return " ".join(self.planned.machine(i).name for i in sorted(machines))

    def granted(self) -> str:
        """The machines whose disruption is open, whosever it is."""
        return self.names(self.planned.index[machine] for machine in self.scope.ledger.grants)

    # What happens -----------------------------------------------------------------------------------------

    def tell(self, message: m.Message) -> tuple[e.Event, ...]:
        """Have a message decided on, and all that is due after it. Returns the facts, in order."""
        stepped = clock_message(self.scope, self.rollout, self.now)
        now = self._event_time()
        facts = self._decide(stepped, now) if stepped is not None else ()
        return facts + self._decide(message, now) + self.settle()

    def settle(self) -> tuple[e.Event, ...]:
        """Go on with what facts and time have made due, until nothing is left."""
        facts: tuple[e.Event, ...] = ()
        while True:
            now, agenda = self._event_time(), self.agenda
            when = agenda.wake_at()
            if when is not None and when <= now:
                agenda.wake(now)
            elif agenda.lanes:
                facts += self._decide(m.Advance(self.id, next(iter(agenda.lanes)), agenda.looked), now)
            elif agenda.stage_due:
                facts += self._decide(m.Advance(self.id, looked=agenda.looked), now)
            else:
                return facts

    def wait(self, **time: float) -> tuple[e.Event, ...]:
        """Let time pass, in `timedelta`'s words."""
        until = self.now + timedelta(**time)
        facts: tuple[e.Event, ...] = ()
        while (when := self.agenda.wake_at()) is not None and when <= until:
            self.now = max(self.now, when)
            facts += self.settle()
        self.now = until
        return facts + self.settle()

    def away(self, **time: float) -> tuple[e.Event, ...]:
        """Be dead for so long, in `timedelta`'s words. Whoever comes back has looked at nothing yet: see `caught_up`."""
        self.now += timedelta(**time)
        return self.crash(looked=None)

    def caught_up(self) -> tuple[e.Event, ...]:
        """The fleet was looked at after a return, and what that said was told."""
        self.agenda.look_ended(self._event_time())
        return self.settle()

    def crash(self, looked: Looked = ALL_THE_WHILE) -> tuple[e.Event, ...]:
        """Forget all but the rows, and go on from them as every host does. Returns the facts of the recovery."""
        before = self.scope
        self.scope = replay(self.rows, {self.id: self.planned}, onto=Scope(before.send_within))
        assert_same_state(before, self.scope)
        self.agenda = agenda_of(self.scope, self.rollout, self._event_time(), looked)
        facts = self.settle()
        for machine, run in enumerate(self.rollout.machines):
            if run.status is MachineStatus.INTENDED:
                why = "the process ended before the answer was recorded"
                facts += self.tell(m.SendUnsettled(self.id, machine, run.attempt, why))
        return facts

    def _event_time(self) -> datetime:
        return self.now if self.scope.last is None else max(self.now, self.scope.last)

    def _decide(self, message: m.Message, now: datetime) -> tuple[e.Event, ...]:
        facts = decide(self.scope, message, now)
        if facts:
            self._record(facts)
            self.agenda.refresh(facts, now)
            self.listen(facts)
        elif isinstance(
            message, m.FoundWell | m.FoundOut | m.FoundBroken | m.FoundBusy | m.FoundGone | m.FoundGroupSick
        ):
            self.agenda.check_ended(message.machine, now)
        return facts

    def _record(self, facts: tuple[e.Event, ...]) -> None:
        at = self._event_time()
        row = Row(self.id, at, encode(facts))
        assert facts == decode(row.body)
        self.rows.append(row)
        _apply(self.scope, row, {self.id: self.planned})

    # Short for what the world reports -----------------------------------------------------------------------

    def looked(self, out: str = "", *, asked: int = 10, unasked: int = 0) -> tuple[e.Event, ...]:
        """The preparation has looked at everything."""
        machines = tuple(self.index(name) for name in out.split())
        return self.tell(m.FleetLooked(self.id, machines, asked, unasked, "vm-a: no address"))

    def fleet(self, out: str = "", back: str = "", evidence: str = "503") -> tuple[e.Event, ...]:
        """The watch saw machines go out, or come back."""
        gone, here = (tuple(self.index(name) for name in names.split()) for names in (out, back))
        return self.tell(m.FleetChanged(self.id, gone, here, evidence))

    def replanned(self) -> tuple[e.Event, ...]:
        """What was not begun is planned anew by the real planner, and read by the real judge."""
        return self.tell(self.replan_found())

    def replan_found(self) -> m.ReplanFound:
        """The answer that they give."""
        asked = next(x for x in self.agenda.own if isinstance(x, a.Replan))
        return answer(self.rollout.planned, standing(self.rollout, asked), asked)

    def well(self, name: str, baseline: str = OLD, *, pending: bool = False) -> tuple[e.Event, ...]:
        """A look before a grant, or before another intent: every probe passes. A restart may be `pending` from before."""
        self._is(name, a.Check, a.ReadBaseline)
        return self.tell(m.FoundWell(self.id, self.index(name), baseline, pending))

    def out(self, name: str, evidence: str = "503") -> tuple[e.Event, ...]:
        """The same: it is out already."""
        self._is(name, a.Check, a.ReadBaseline)
        return self.tell(m.FoundOut(self.id, self.index(name), evidence))

    def broken(self, name: str, evidence: str = "503", baseline: str = OLD) -> tuple[e.Event, ...]:
        """The same: it is out already, and is to be repaired. The first time that is only put down."""
        self._is(name, a.Check)
        return self.tell(m.FoundBroken(self.id, self.index(name), baseline, evidence))

    def busy(self, name: str) -> tuple[e.Event, ...]:
        """The same: somebody else is patching it."""
        self._is(name, a.Check, a.ReadBaseline)
        return self.tell(m.FoundBusy(self.id, self.index(name)))

    def group_sick(self, name: str, evidence: str = "503", group: int = 0) -> tuple[e.Event, ...]:
        """The same: it is well, and what is asked about a group of it isn't answered well."""
        self._is(name, a.Check)
        return self.tell(m.FoundGroupSick(self.id, self.index(name), group, evidence))

    def group_well(self, group: int = 0) -> tuple[e.Event, ...]:
        """It is answered well again."""
        assert a.WatchGroups(self.id) in self.agenda.own
        return self.tell(m.GroupRecovered(self.id, group))

    def heard(self, webhook: str, *, ok: bool = True) -> tuple[e.Event, ...]:
        """What is being told to a receiver reached it, or hasn't for a while."""
        (doing,) = (x for x in self.agenda.own if isinstance(x, a.Tell) and x.webhook == webhook)
        evidence = "204" if ok else "503"
        return self.tell(m.NoticeTold(self.id, webhook, doing.notice, ok=ok, evidence=evidence))

    def gone(self, name: str) -> tuple[e.Event, ...]:
        """The cloud doesn't know it."""
        return self.tell(m.FoundGone(self.id, self.index(name)))

    def step(self, name: str, *, ok: bool = True) -> tuple[e.Event, ...]:
        """The step that is being carried out ended."""
        doing = self._is(name, a.RunStep)
        assert isinstance(doing, a.RunStep)
        evidence = "200" if ok else "500"
        return self.tell(
            m.StepReported(
                self.id, doing.machine, doing.attempt, doing.after, doing.step, ok=ok, evidence=evidence
            )
        )

    def step_around(self, *where: int, ok: bool = True) -> tuple[e.Event, ...]:
        """The step that is being carried out around a wave, a stage or the rollout ended."""
        doing = self.around(*where)
        assert doing is not None, f"no step is due around {where}: {self.stepping()}"
        evidence = "200" if ok else "500"
        return self.tell(
            m.StretchStepReported(
                self.id, where, doing.times, doing.after, doing.step, ok=ok, evidence=evidence
            )
        )

    def accepted(self, name: str, url: str = URL) -> tuple[e.Event, ...]:
        """202."""
        self._is(name, a.Send)
        return self.tell(
            m.SendAccepted(self.id, self.index(name), self._attempt(name), url, url + "&monitor=true")
        )

    def rejected(
        self, name: str, code: str = "TooManyRequests", *, transient: bool = True, after: float | None = 60
    ) -> tuple[e.Event, ...]:
        """429, or another answer that says that nothing has begun."""
        self._is(name, a.Send)
        where = self.index(name), self._attempt(name)
        return self.tell(m.SendRejected(self.id, *where, code, "no", transient, after))

    def lapsed(self, name: str) -> tuple[e.Event, ...]:
        """Its time was over before it was sent."""
        self._is(name, a.Send)
        return self.tell(m.SendLapsed(self.id, self.index(name), self._attempt(name)))

    def unsettled(self, name: str, why: str = "the connection was reset") -> tuple[e.Event, ...]:
        """No answer."""
        self._is(name, a.Send)
        return self.tell(m.SendUnsettled(self.id, self.index(name), self._attempt(name), why))

    def read_back(
        self, name: str, shown: str, *, certain: bool = True, sure: bool = False
    ) -> tuple[e.Event, ...]:
        """The machine was read back, and this is the run it shows."""
        self._is(name, a.Settle)
        url = URL if shown else ""
        where = self.index(name), self._attempt(name)
        return self.tell(m.ReadBack(self.id, *where, shown, url, certain=certain, sure=sure))

    def ended(
        self,
        name: str,
        *,
        changed: bool = True,
        passing: bool = False,
        stops: bool = False,
        detail: str = "1 installed",
        restart: bool = False,
        meaning: str = "",
        patches: tuple[str, ...] = (),
    ) -> tuple[e.Event, ...]:
        """The operation ended, and was judged."""
        self._is(name, a.Follow)
        where = self.index(name), self._attempt(name)
        return self.tell(
            m.ChangeReported(self.id, *where, changed, passing, stops, detail, restart, meaning, patches)
        )

    def lost(self, name: str) -> tuple[e.Event, ...]:
        """The operation never ended."""
        self._is(name, a.Follow)
        where = self.index(name), self._attempt(name)
        return self.tell(m.FollowLost(self.id, *where, "it has not ended after 3 h"))

    def assessed(self, name: str, pending: int) -> tuple[e.Event, ...]:
        """The machine has assessed what is missing."""
        self._is(name, a.Assess)
        return self.tell(m.AssessmentReported(self.id, self.index(name), self._attempt(name), pending))

    def healthy(self, name: str) -> tuple[e.Event, ...]:
        """The probes pass for long enough."""
        self._is(name, a.Verify)
        return self.tell(
            m.HealthReported(self.id, self.index(name), self._attempt(name), well=True, evidence="")
        )

    def unhealthy(self, name: str, evidence: str = "503 for 30 min") -> tuple[e.Event, ...]:
        """They don't."""
        self._is(name, a.Verify)
        where = self.index(name), self._attempt(name)
        return self.tell(m.HealthReported(self.id, *where, well=False, evidence=evidence))

    def _attempt(self, name: str) -> int:
        return self.run(name).attempt

    def _is(self, name: str, *kinds: type) -> a.Activity:
        doing = self.doing(name)
        assert isinstance(doing, kinds), f"{name} is {self.status(name)} and {doing} is being done"
        return doing

    # Short for whole stretches --------------------------------------------------------------------------------

    def send(self, *names: str) -> None:
        """Each is granted, through its steps before, and its request is about to be sent."""
        for name in names:
            self.well(name)
            while isinstance(self.doing(name), a.RunStep):
                self.step(name)
            if isinstance(self.doing(name), a.ReadBaseline):
                self.well(name)

    def follow(self, *names: str) -> None:
        """Each is sent, accepted, and runs."""
        for name in names:
            self.send(name)
            self.accepted(name)

    def change(self, *names: str) -> None:
        """Each is changed, and waits for the verdict of its probes."""
        for name in names:
            self.follow(name)
            self.ended(name)

    def finish(self, *names: str) -> tuple[e.Event, ...]:
        """Each goes all the way."""
        facts: tuple[e.Event, ...] = ()
        for name in names:
            self.change(name)
            facts = self.recover(name)
        return facts

    def recover(self, name: str) -> tuple[e.Event, ...]:
        """It is well, its steps after succeed, and it is well still."""
        facts = self.healthy(name)
        while isinstance(self.doing(name), a.RunStep):
            facts = self.step(name)
        return self.healthy(name) if isinstance(self.doing(name), a.Verify) else facts

    # Commands ---------------------------------------------------------------------------------------------

    def pause(self) -> tuple[e.Event, ...]:
        """A person pauses."""
        return self.tell(m.Pause(self.id, WHO, WHY))

    def resume(self) -> tuple[e.Event, ...]:
        """A person resumes."""
        return self.tell(m.Resume(self.id, WHO, WHY))

    def abort(self) -> tuple[e.Event, ...]:
        """A person aborts."""
        return self.tell(m.Abort(self.id, WHO, WHY))

    def approve(self) -> tuple[e.Event, ...]:
        """A person approves."""
        return self.tell(m.Approve(self.id, WHO, WHY))

    def emergency(self) -> tuple[e.Event, ...]:
        """A person declares an emergency."""
        return self.tell(m.Emergency(self.id, WHO, WHY))

    def hold(self, select: str, **time: float) -> tuple[e.Event, ...]:
        """A person holds machines for so long, in `timedelta`'s words."""
        return self.tell(m.Hold(select, self.now + timedelta(**time), WHO, WHY, rollout=self.id))

    def unhold(self, hold: str) -> tuple[e.Event, ...]:
        """A person ends a hold."""
        return self.tell(m.Unhold(hold, WHO, WHY, rollout=self.id))

    def found_held(self, hold: str, names: str = "") -> tuple[e.Event, ...]:
        """A look at the fleet found whom a hold means."""
        machines = tuple(self.index(name) for name in names.split())
        return self.tell(m.HoldsLooked(self.id, ((hold, machines),)))

    def retry(self, name: str) -> tuple[e.Event, ...]:
        """A person wants another attempt."""
        return self.tell(m.Retry(self.id, self.index(name), WHO, WHY))

    def skip(self, name: str) -> tuple[e.Event, ...]:
        """A person wants it left."""
        return self.tell(m.Skip(self.id, self.index(name), WHO, WHY))

    def write_off(self, name: str) -> tuple[e.Event, ...]:
        """A person gives it up."""
        return self.tell(m.WriteOff(self.id, self.index(name), WHO, WHY))


def kinds(facts: Iterable[e.Event]) -> str:
    """Facts by their names alone."""
    return " ".join(type(fact).__name__ for fact in facts)


def only(facts: Iterable[e.Event], kind: type[F]) -> F:
    """The one fact of this kind."""
    (found,) = (fact for fact in facts if isinstance(fact, kind))
    return found


def replay(rows: Iterable[Row], plans: dict[str, Planned], *, onto: Scope | None = None) -> Scope:
    """The state of a scope from its rows alone, or from what it was before them."""
    scope = onto if onto is not None else Scope()
    for row in rows:
        _apply(scope, row, plans)
    return scope


def _apply(scope: Scope, row: Row, plans: dict[str, Planned]) -> None:
    for fact in decode(row.body):
        if isinstance(fact, e.RolloutStarted):
            begin(scope, fact, plans[fact.rollout], row.at)
        else:
            apply(scope, row.rollout, fact, row.at)
    scope.seq += 1


def assert_same_state(one: Scope, other: Scope) -> None:
    """The same facts make the same state."""
    assert one.rollouts == other.rollouts
    assert one.ended == other.ended
    assert one.ledger.grants == other.ledger.grants
    assert one.ledger.others == other.ledger.others
    assert one.ledger.budgets() == other.ledger.budgets()
    assert one.ledger.exclusions() == other.ledger.exclusions()
    assert (one.holds, one.revision[1]) == (other.holds, other.revision[1])
    assert (one.seq, one.last) == (other.seq, other.last)
