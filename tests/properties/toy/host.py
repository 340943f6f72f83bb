"""A host without an event loop: it carries out activities against the toy world, and may die at any append.

What it does is what `hosts/` and `executor/` do, said as simply as possible; what they do better (pacing, throttles, sweeps)
is left out. Everything it knows is in memory but the rows, and a crash takes memory away. A request that has left goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from orchestrator.errors import Refused
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Health
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.agenda import Agenda, agenda_of
from orchestrator.rollout.agenda_steps import place_of
from orchestrator.rollout.codec import decode, encode
from orchestrator.rollout.decide import decide
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import MachineStatus, Rollout
from tests.diary import Row, assert_same_state, replay
from tests.properties.toy.agenda_check import check_agenda
from tests.properties.toy.witness import Witness
from tests.properties.toy.world import MINUTE, REQUEST_TIMEOUT, World
from tests.recount import assert_counts

SETTLE_FOR = timedelta(minutes=5)
ROLLOUT = "r1"
OWN = -1


class Died(Exception):
    """The process is gone. Whoever runs it starts it again."""


class When(StrEnum):
    """On which side of an append the process dies."""

    BEFORE = "before"  # what it decided never happened, what it did has
    AFTER = "after"  # it is written, and nothing of it is done


class Host:
    """The loop, a life at a time."""

    def __init__(
        self,
        plan: Plan,
        world: World,
        witness: Witness,
        dies: Callable[[int, When], bool],
        *,
        check: bool = True,
    ) -> None:
        self.planned = index_plan(plan)
        self.world = world
        self.witness = witness
        self.rows: list[Row] = []
        self.appends = 0
        self._dies = dies
        self._check = check
        self._begun: dict[
            tuple[int, a.Activity], object
        ] = {}  # what goes on, each with what tells it from its like

    @property
    def rollout(self) -> Rollout:
        """The rollout as the facts have it."""
        return self.scope.rollouts[ROLLOUT]

    # The loop -----------------------------------------------------------------------------------------------

    def live(self, step: Callable[[], None]) -> None:
        """Do something that may be the last thing this process does; if it is, start the next one until one lives."""
        try:
            step()
        except Died:
            self._begun = {}
            self.live(self.recover)

    def start(self) -> None:
        """Begin the rollout."""
        self.scope = replay((), {})
        start = m.Start(ROLLOUT, self.planned, "digest", "ada", "test")
        self._append(decide(self.scope, start, self._now()))
        self.agenda: Agenda = agenda_of(self.scope, self.rollout, self._now())
        self.settle()

    def recover(self) -> None:
        """Start again from the rows."""
        self.scope = replay(self.rows, {ROLLOUT: self.planned})
        if not self.rows:
            self.start()
            return
        self.agenda = agenda_of(self.scope, self.rollout, self._now())
        for machine, run in enumerate(self.rollout.machines):
            if run.status is MachineStatus.INTENDED:
                self._decide(m.SendUnsettled(ROLLOUT, machine, run.attempt, "the process ended"))
        self.settle()

    def tell(self, message: m.Message) -> None:
        """Something happened."""
        self._decide(message)
        self.settle()
        if isinstance(message, m.FleetLooked | m.FleetChanged):  # and it lived to write that down
            self.witness.told(message.out, getattr(message, "back", ()))

    def settle(self) -> None:
        """Go on with what is due, and make what goes on what is desired."""
        while True:
            now, agenda = self._now(), self.agenda
            when = agenda.wake_at()
            if when is not None and when <= now:
                agenda.wake(now)
                self._checked(now)
            elif agenda.lanes:
                self._decide(m.Advance(ROLLOUT, next(iter(agenda.lanes))))
            elif agenda.stage_due:
                self._decide(m.Advance(ROLLOUT))
            else:
                break
        self._reconcile()

    def next_at(self) -> datetime | None:
        """When it wants to be woken."""
        return self.agenda.wake_at()

    def _now(self) -> datetime:
        return self.world.now

    def _decide(self, message: m.Message) -> None:
        now = self._now()
        try:
            facts = decide(self.scope, message, now)
        except Refused:
            return
        if facts:
            self._append(facts)
            self.agenda.refresh(facts, now)
        elif isinstance(message, m.FoundWell | m.FoundOut | m.FoundBroken | m.FoundBusy | m.FoundGroupSick):
            self.agenda.check_ended(message.machine, now)
        self._checked(now)

    def _checked(self, now: datetime) -> None:
        if self._check:
            check_agenda(self.agenda, now)

    def _append(self, facts: tuple[e.Event, ...]) -> None:
        self.appends += 1
        if self._dies(self.appends, When.BEFORE):
            raise Died
        row = Row(ROLLOUT, self._now(), encode(facts))
        self.rows.append(row)
        self.witness.saw(decode(row.body), row.at)
        before = self.scope
        self.scope = replay([row], {ROLLOUT: self.planned}, onto=before)
        self.witness.agrees(self.scope)
        if self._check:
            assert_counts(self.scope, self.rollout)
        if self._dies(self.appends, When.AFTER):
            assert_same_state(self.scope, replay(self.rows, {ROLLOUT: self.planned}))
            raise Died

    # Activities -----------------------------------------------------------------------------------------------

    def _reconcile(self) -> None:
        desired = {(machine, activity) for machine, activity in self.agenda.activities.items()}
        desired |= {(OWN, activity) for activity in self.agenda.own}
        desired |= {(place_of(stretch), step) for stretch, step in self.agenda.steps.due.items()}
        for place in [x for x in self._begun if x not in desired and not isinstance(x[1], a.Send)]:
            del self._begun[place]
        for place in sorted(desired - set(self._begun), key=lambda x: x[0]):
            self._begun[place] = object()
            self._perform(*place)

    def _perform(self, machine: int, activity: a.Activity) -> None:
        soon = self.world.soon(1, 30)
        match activity:
            case a.Prepare() | a.Check():
                self._later(soon, machine, activity, self._looked)
            case a.ReadBaseline(not_before=not_before):
                wait = max(timedelta(0), (not_before or self._now()) - self._now())
                self._later(wait + soon, machine, activity, self._looked)
            case a.RunStretchStep():
                self._later(soon, machine, activity, self._called_around)
            case a.RunStep() | a.Assess():
                self._later(soon, machine, activity, self._called)
            case a.Send():
                late = self.world.happens(self.world.faults.late)
                self._later(timedelta(minutes=2) if late else soon / 10, machine, activity, self._send)
            case a.Settle():
                until = max(self._now(), activity.not_after) + REQUEST_TIMEOUT + SETTLE_FOR
                certain = not self.world.happens(self.world.faults.unreadable)
                self._later(soon, machine, activity, partial(self._settle, until=until, certain=certain))
            case a.Follow():
                self._later(
                    soon, machine, activity, partial(self._follow, until=self._now() + timedelta(hours=3))
                )
            case a.Verify():
                self._later(soon, machine, activity, partial(self._verify, well_since=None))
            case a.Watch():
                self._later(MINUTE, machine, activity, self._watch)
            case a.WatchGroups():
                self._later(MINUTE, machine, activity, self._watch_groups)
            case a.LookForHeld():
                self._later(soon, machine, activity, self._look_for_held)

    def _later(
        self,
        wait: timedelta,
        machine: int,
        activity: a.Activity,
        go_on: Callable[[int, a.Activity], m.Message | None],
    ) -> None:
        """Go on with an activity later, if it is wanted still. What it returns is reported, and ends it."""
        begun = self._begun[machine, activity]

        def do() -> None:
            if self._begun.get((machine, activity)) is not begun:
                return
            message = go_on(machine, activity)
            if message is not None:
                self._begun.pop((machine, activity), None)
                self.live(lambda: self.tell(message))

        self.world.at(self._now() + wait, do)

    def _looked(self, machine: int, activity: a.Activity) -> m.Message:
        world = self.world
        if isinstance(activity, a.Prepare):
            out = tuple(i for i in range(len(world.machines)) if world.is_down(i))
            return m.FleetLooked(ROLLOUT, out, 10, 0)
        if world.machines[machine].gone:
            return m.FoundGone(ROLLOUT, machine)
        if world.running(machine):
            return m.FoundBusy(ROLLOUT, machine)
        forced = isinstance(activity, a.ReadBaseline) or self.rollout.machines[machine].forced
        if world.can_be_changed(machine) and not forced and self.planned.plan.health[0].repair:
            return m.FoundBroken(ROLLOUT, machine, world.shown(machine), "503")
        if world.is_down(machine) and not forced:
            return m.FoundOut(ROLLOUT, machine, "503")
        if world.is_sick() and not forced and self.planned.machine(machine).groups:
            return m.FoundGroupSick(ROLLOUT, machine, 0, "503")
        return m.FoundWell(ROLLOUT, machine, world.shown(machine), serves=not world.is_down(machine))

    def _look_for_held(self, _: int, activity: a.Activity) -> m.Message:
        """Tags mean every other machine."""
        assert isinstance(activity, a.LookForHeld)
        every_other = tuple(range(0, len(self.world.machines), 2))
        return m.HoldsLooked(ROLLOUT, tuple((hold, every_other) for hold in activity.holds))

    def _called(self, machine: int, activity: a.Activity) -> m.Message:
        world = self.world
        if isinstance(activity, a.Assess):
            left = -1 if world.happens(world.faults.unreadable) else int(not world.machines[machine].patched)
            return m.AssessmentReported(ROLLOUT, machine, activity.attempt, left)
        assert isinstance(activity, a.RunStep)
        steps = self.planned.steps_after(machine) if activity.after else self.planned.steps_before(machine)
        ok = world.call(machine, steps[activity.step].webhook)
        self.witness.called(machine, activity)
        return m.StepReported(ROLLOUT, machine, activity.attempt, activity.after, activity.step, ok, "told")

    def _called_around(self, _: int, activity: a.Activity) -> m.Message:
        assert isinstance(activity, a.RunStretchStep)
        where, stretches = activity.where, self.planned.stretches
        stretch = stretches.all[stretches.at[where]]
        step = (stretch.after if activity.after else stretch.before)[activity.step]
        self.witness.called_around(activity)
        ok = self.world.call_around(where, step.webhook)
        return m.StretchStepReported(
            ROLLOUT, where, activity.times, activity.after, activity.step, ok, "told"
        )

    def _send(self, machine: int, activity: a.Activity) -> m.Message | None:
        assert isinstance(activity, a.Send)
        world, attempt = self.world, activity.attempt
        if self._now() >= activity.not_after:
            return m.SendLapsed(ROLLOUT, machine, attempt)
        self.witness.sends(machine, activity, self.rows)
        if world.machines[machine].gone:
            return m.SendRejected(ROLLOUT, machine, attempt, "ResourceNotFound", "no", False, None)
        if world.happens(world.faults.throttled):
            after = world.chance.choice([None, 5.0, 60.0])
            return m.SendRejected(ROLLOUT, machine, attempt, "TooManyRequests", "no", True, after)
        if world.happens(world.faults.refused):
            return m.SendRejected(ROLLOUT, machine, attempt, "InvalidParameter", "no", False, None)
        lost = world.happens(world.faults.request_lost)
        told = not lost and not world.happens(world.faults.answer_lost)
        url: list[str] = []
        if not lost:  # it has left: whatever becomes of this process, it arrives
            transit = world.soon(0, REQUEST_TIMEOUT.total_seconds() - 1)
            world.at(self._now() + transit, lambda: url.append(world.take(machine, activity.key).url))
        self._later(REQUEST_TIMEOUT, machine, activity, partial(self._answered, url=url, told=told))
        return None

    def _answered(self, machine: int, activity: a.Activity, url: list[str], told: bool) -> m.Message:
        assert isinstance(activity, a.Send)
        if told:
            return m.SendAccepted(ROLLOUT, machine, activity.attempt, url[0], url[0] + "&monitor=true")
        return m.SendUnsettled(ROLLOUT, machine, activity.attempt, "timed out")

    def _settle(self, machine: int, activity: a.Activity, until: datetime, certain: bool) -> m.Message | None:
        assert isinstance(activity, a.Settle)
        shown = self.world.shown(machine)
        if self.world.machines[machine].gone:
            return m.FoundGone(ROLLOUT, machine)
        if shown != activity.baseline:
            url = next(r.url for r in self.world.machines[machine].runs if r.id == shown)
            return m.ReadBack(ROLLOUT, machine, activity.attempt, shown, url, certain=True, sure=False)
        if self._now() >= until:
            return m.ReadBack(ROLLOUT, machine, activity.attempt, shown, "", certain=certain, sure=False)
        again = partial(self._settle, until=until, certain=certain)
        self._later(min(MINUTE / 2, until - self._now()), machine, activity, again)
        return None

    def _follow(self, machine: int, activity: a.Activity, until: datetime) -> m.Message | None:
        assert isinstance(activity, a.Follow)
        world, attempt = self.world, activity.attempt
        if world.machines[machine].gone:
            return m.FoundGone(ROLLOUT, machine)
        run = world.run_at(machine, activity.status_url)
        assert run is not None, "a run is followed that never was"
        if run.ends_at is not None and run.ends_at <= self._now():
            changed, passing, unseen = (
                run.outcome == "changed",
                run.outcome == "passing",
                run.outcome == "unseen",
            )
            return m.ChangeReported(ROLLOUT, machine, attempt, changed, passing, unseen, run.outcome)
        if self._now() >= until:
            return m.FollowLost(ROLLOUT, machine, attempt, "it has not ended")
        self._later(MINUTE, machine, activity, partial(self._follow, until=until))
        return None

    def _verify(self, machine: int, activity: a.Activity, well_since: datetime | None) -> m.Message | None:
        assert isinstance(activity, a.Verify)
        world, health, now = self.world, Health(), self._now()
        if world.machines[machine].gone:
            return m.FoundGone(ROLLOUT, machine)
        well_since = None if world.is_down(machine) else (well_since or now)
        needed = timedelta(0) if activity.briefly else health.min_healthy_time
        if well_since is not None and now - well_since >= needed:
            return m.HealthReported(ROLLOUT, machine, activity.attempt, well=True, evidence="")
        if not activity.hoping and now - activity.since >= health.healthy_deadline:
            return m.HealthReported(ROLLOUT, machine, activity.attempt, well=False, evidence="503")
        self._later(MINUTE, machine, activity, partial(self._verify, well_since=well_since))
        return None

    def _watch(self, machine: int, activity: a.Activity) -> m.Message | None:
        world = self.world
        out = tuple(i for i in range(len(world.machines)) if world.is_down(i))
        back = tuple(i for i in range(len(world.machines)) if not world.is_down(i))
        self._later(MINUTE, machine, activity, self._watch)
        self.live(lambda: self.tell(m.FleetChanged(ROLLOUT, out, back, "503")))
        return None

    def _watch_groups(self, machine: int, activity: a.Activity) -> m.Message | None:
        self._later(MINUTE, machine, activity, self._watch_groups)
        if not self.world.is_sick():
            self.live(lambda: self.tell(m.GroupRecovered(ROLLOUT, 0)))
        return None

    def stepping(self) -> bool:
        """Whether a step after is still to be carried out, or its machine to be seen well after it."""
        return bool(self.agenda.steps.due) or any(
            isinstance(x, a.RunStep) or (isinstance(x, a.Verify) and not x.hoping)
            for x in self.agenda.activities.values()
        )
