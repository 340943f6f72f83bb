"""The loop in one process: message -> decide -> append -> apply -> what is due, over and over.

Order is the safety here. Activities that a decision made desired are started when its own row is durable, never before.
Decisions themselves don't wait for the disk: several may be queued, and the journal commits them together, in order.
Recovery is not a mode: it is the same loop after a replay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.errors import Defect, Refused, UsageError
from orchestrator.executor.log import Decided, Log
from orchestrator.executor.perform import perform
from orchestrator.executor.services import Services
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import letters, messages
from orchestrator.rollout.agenda import agenda_of
from orchestrator.rollout.decide import clock_message, decide
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, StageStatus

IDLE_PAUSE_S = 1.0
"""Cloud seconds before an activity that led to no fact is tried again: it must never spin."""

OWN = -1
"""The place of the rollout's own activities among those of machines."""

Listener = Callable[[Decided], None]


@dataclass(slots=True)
class Pace:
    """How the host waits. `patience`: how long it stays while only a person, or somebody's recovery, can move it on.

    `inbox_every_s`: real seconds between looks into the inbox; 0 never looks.
    """

    patience: timedelta = timedelta(minutes=30)
    inbox_every_s: float = 1.0


@dataclass(frozen=True, slots=True)
class _Posted:
    message: messages.Message
    machine: int = OWN
    activity: a.Activity | None = None
    letters: tuple[str, ...] = ()
    done: asyncio.Future[None] | None = None


@dataclass(slots=True)
class _Commit:
    decided: Decided
    task: asyncio.Task[int]
    touched: set[int]
    done: asyncio.Future[None] | None = None
    machines: set[int] = field(default_factory=set)


class LocalHost:
    """Drives one rollout of a scope. `run` returns when nothing moves any more by itself."""

    def __init__(self, log: Log, services: Services, rollout: Rollout, pace: Pace | None = None) -> None:
        self.log = log
        self.rollout = rollout
        self.services = services
        self._clock = services.clock
        self._pace = pace or Pace()
        log.scope.send_within = timedelta(seconds=60) * self._clock.scale
        self.agenda = agenda_of(log.scope, rollout, self._now())
        self._posted: deque[_Posted] = deque()
        self._news = asyncio.Event()
        self._tasks: dict[int, dict[a.Activity, asyncio.Task[None]]] = {}
        self._commits: deque[_Commit] = deque()
        self._touched_at: dict[int, int] = {}
        self._listeners: list[Listener] = []
        self._side: set[asyncio.Task[None]] = set()
        self._armed: datetime | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._blocked_since: datetime | None = None
        self._failure: BaseException | None = None

    # What others may do -----------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Have every durable decision told to `listener`, in order."""
        self._listeners.append(listener)

    def post(self, message: messages.Message) -> None:
        """Have a message decided on in its turn, before the loop rests. A command that is refused is dropped."""
        self._post(_Posted(message))

    async def ask(self, command: messages.Command) -> None:
        """Have a command decided on, and wait until its facts are durable. Raises `Refused` with what to do instead."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._post(_Posted(command, done=done))
        await done

    def activities(self) -> list[a.Activity]:
        """What is going on now."""
        return [activity for running in self._tasks.values() for activity in running]

    # The loop ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Drive the rollout until it is over, rests (paused, stopped, waits for a person), or the journal fails."""
        for machine, run in enumerate(self.rollout.machines):
            if run.status is MachineStatus.INTENDED:
                why = "the process ended before the answer was recorded"
                lost = messages.SendUnsettled(self.rollout.id, machine, run.attempt, why)
                self._post(_Posted(lost))
        self._handle()
        self._reconcile_all()
        if self._pace.inbox_every_s:
            self._beside(self._read_inbox())
        try:
            while True:
                self._handle()
                if self._failure is not None:
                    raise self._failure
                if self._rests():
                    return
                self._arm()
                await self._news.wait()
                self._news.clear()
        finally:
            await self._stop_all()

    def _post(self, posted: _Posted) -> None:
        self._posted.append(posted)
        self._news.set()

    def _now(self) -> datetime:
        """Event time: the clock's, but never before the last fact."""
        now, last = self._clock.now(), self.log.scope.last
        return now if last is None else max(now, last)

    def _handle(self) -> None:
        """Decide on all that was posted, then on what time and facts have made due, until nothing is left."""
        while self._failure is None:
            now = self._now()
            if self._posted:
                self._decide(self._posted.popleft(), now)
            elif (when := self.agenda.wake_at()) is not None and when <= now:
                for machine in self.agenda.wake(now):
                    self._reconcile_when_durable(machine)
            elif self.agenda.lanes:
                lane = next(iter(self.agenda.lanes))
                del self.agenda.lanes[lane]
                self._decide(_Posted(messages.Advance(self.rollout.id, lane)), now)
            elif self.agenda.stage_due:
                self.agenda.stage_due = False
                self._decide(_Posted(messages.Advance(self.rollout.id)), now)
            else:
                return

    def _decide(self, posted: _Posted, now: datetime) -> None:
        scope = self.log.scope
        stepped = clock_message(scope, self.rollout, self._clock.now())
        facts = decide(scope, stepped, now) if stepped is not None else ()
        if facts:
            self._record(facts, now, _Posted(posted.message))
        try:
            facts = decide(scope, posted.message, now)
        except Refused as refused:
            self._refuse(posted, refused, now)
            return
        if facts or posted.letters:
            self._record(facts, now, posted)
        elif posted.done is not None:
            posted.done.set_result(None)
        if not facts and posted.activity is not None:
            self._came_to_nothing(posted, now)

    def _refuse(self, posted: _Posted, refused: Refused, now: datetime) -> None:
        if posted.done is not None:
            posted.done.set_exception(refused)
        if posted.letters:
            who = getattr(posted.message, "who", "")
            facts = tuple(e.CommandRefused(letter, who, str(refused)) for letter in posted.letters)
            self._record(facts, now, posted)

    def _record(self, facts: tuple[e.Event, ...], now: datetime, posted: _Posted) -> None:
        decided, task = self.log.record(self.rollout.id, facts, now, letters=posted.letters)
        touched = self.agenda.refresh(facts, now)
        for machine in touched:
            self._touched_at[machine] = decided.seq
        self._commits.append(_Commit(decided, task, touched, posted.done))
        task.add_done_callback(self._committed)

    def _committed(self, _: asyncio.Task[int]) -> None:
        """Rows became durable: tell listeners, and start or stop what they made due."""
        while self._commits and self._commits[0].task.done() and self._failure is None:
            commit = self._commits.popleft()
            error = (
                commit.task.exception() if not commit.task.cancelled() else Defect("an append was cancelled")
            )
            if error is not None:
                self._failure = error
                break
            for listener in self._listeners:
                listener(commit.decided)
            for machine in commit.touched:
                if self._touched_at.get(machine, 0) <= commit.decided.seq:
                    self._touched_at.pop(machine, None)
                    self._reconcile(machine)
            self._reconcile_own()
            if commit.done is not None and not commit.done.done():
                commit.done.set_result(None)
        self._news.set()

    # Activities -------------------------------------------------------------------------------------------

    def _reconcile_all(self) -> None:
        for machine in list(self.agenda.activities):
            self._reconcile_when_durable(machine)
        self._reconcile_own()

    def _reconcile_when_durable(self, machine: int) -> None:
        if machine not in self._touched_at:
            self._reconcile(machine)

    def _reconcile(self, machine: int) -> None:
        """Make what goes on for a machine what is desired."""
        desired = self.agenda.activities.get(machine)
        self._make_it_so(machine, (desired,) if desired is not None else ())

    def _reconcile_own(self) -> None:
        self._make_it_so(OWN, self.agenda.own)

    def _make_it_so(self, place: int, desired: tuple[a.Activity, ...]) -> None:
        running = self._tasks.get(place)
        if running is None:
            if not desired:
                return
            running = self._tasks[place] = {}
        for activity in [x for x in running if x not in desired]:
            if not isinstance(activity, a.Send):  # a request that is under way is never cut off
                running.pop(activity).cancel()
        for activity in desired:
            if activity not in running:
                task = asyncio.create_task(self._perform(place, activity))
                running[activity] = task
        if not running:
            del self._tasks[place]

    async def _perform(self, place: int, activity: a.Activity) -> None:
        def report(observation: messages.Observation) -> None:
            self._post(_Posted(observation))

        try:
            message = await perform(self.services, self.rollout, activity, report)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in an activity must end the process, not one task in silence
            self._failure = error
            self._news.set()
            return
        self._forget(place, activity)
        if message is not None:
            self._post(_Posted(message, place, activity))

    def _forget(self, place: int, activity: a.Activity) -> None:
        running = self._tasks.get(place)
        if running is not None and activity in running:
            del running[activity]
            if not running:
                del self._tasks[place]

    def _came_to_nothing(self, posted: _Posted, now: datetime) -> None:
        """An activity ended and no fact followed: a check queues again, anything else is tried again after a pause."""
        if isinstance(posted.activity, a.Check):
            for machine in self.agenda.check_ended(posted.machine, now):
                self._reconcile_when_durable(machine)
        else:
            self._beside(self._again(posted.machine))

    async def _again(self, machine: int) -> None:
        await self._clock.sleep(IDLE_PAUSE_S)
        if machine == OWN:
            self._reconcile_own()
        else:
            self._reconcile_when_durable(machine)

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._side.add(task)
        task.add_done_callback(self._side.discard)

    async def _read_inbox(self) -> None:
        """Hand in what other processes asked for."""
        known: set[str] = set()
        while True:
            for letter in await self.log.journal.inbox():
                if letter.id in known:
                    continue
                known.add(letter.id)
                try:
                    command = letters.load(letter.command)
                except UsageError as error:
                    facts = (e.CommandRefused(letter.id, letter.who, str(error)),)
                    self._record(
                        facts, self._now(), _Posted(messages.Advance(self.rollout.id), letters=(letter.id,))
                    )
                    continue
                self._post(_Posted(command, letters=(letter.id,)))
            await self._clock.sleep(self._pace.inbox_every_s * self._clock.scale)

    # Waiting and ending -----------------------------------------------------------------------------------

    def _rests(self) -> bool:
        """Whether nothing moves any more by itself: the process may end, and the journal knows how to go on."""
        rollout = self.rollout
        if self._posted or self._commits or rollout.in_flight:
            self._blocked_since = None
            return False
        if rollout.over or rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
            return True
        if rollout.status is RolloutStatus.RUNNING and rollout.stage_status is StageStatus.AWAITING:
            return True
        if not self.blocked:
            self._blocked_since = None
            return False
        now = self._clock.now()
        self._blocked_since = self._blocked_since or now
        return now - self._blocked_since >= self._pace.patience

    @property
    def blocked(self) -> bool:
        """Whether only a person, or a machine that gets well, can move the rollout on before `max_wait` is over."""
        if (
            self.rollout.status is not RolloutStatus.RUNNING
            or self.rollout.stage_status is StageStatus.BAKING
        ):
            return False
        idle = (a.Watch, a.Verify)
        return not self.agenda.lanes and all(isinstance(x, idle) for x in self.activities())

    def _arm(self) -> None:
        """Ring at the next moment that matters."""
        moments = [self.agenda.wake_at()]
        if self._blocked_since is not None:
            moments.append(self._blocked_since + self._pace.patience)
        when = min((x for x in moments if x is not None), default=None)
        if when == self._armed and self._alarm is not None and not self._alarm.done():
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._armed = when
        self._alarm = asyncio.create_task(self._ring(when)) if when is not None else None

    async def _ring(self, when: datetime) -> None:
        await self._clock.sleep((when - self._clock.now()).total_seconds())
        self._news.set()

    async def _stop_all(self) -> None:
        """Cancel what goes on, and let queued rows become durable."""
        tasks = [task for running in self._tasks.values() for task in running.values()]
        tasks += [*self._side, *([self._alarm] if self._alarm is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(commit.task for commit in self._commits), return_exceptions=True)
        self._tasks.clear()
