"""The loop in one process: message -> decide -> append -> apply -> what is due, over and over.

Order is the safety here. Activities that a decision made desired are started when its own row is durable, never before.
Decisions themselves don't wait for the disk: several may be queued, and the journal commits them together, in order.
Recovery is not a mode: it is the same loop after a replay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from orchestrator.errors import Refused
from orchestrator.executor.fleet import Look, catch_up, look_anew
from orchestrator.executor.log import Decided, Log
from orchestrator.executor.perform import perform
from orchestrator.executor.services import Services
from orchestrator.hosts.resting import Pace, Rest
from orchestrator.hosts.runner import OWN, Runner
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages
from orchestrator.rollout.agenda import agenda_of
from orchestrator.rollout.agenda_steps import place_of
from orchestrator.rollout.decide import clock_message, decide
from orchestrator.rollout.moved import FLEETWIDE, machines_of
from orchestrator.rollout.state import Ended, MachineStatus, Rollout
from orchestrator.store.port import Letter

IDLE_PAUSE_S = 1.0
"""Cloud seconds before an activity that led to no fact is tried again: it must never spin."""

ASLEEP: Final = timedelta(minutes=10)
"""Real time: an alarm that is so late was slept through."""

Listener = Callable[[Decided], None]


@dataclass(frozen=True, slots=True)
class _Posted:
    message: messages.Message
    machine: int = OWN
    activity: a.Activity | None = None
    letter: Letter | None = None
    done: asyncio.Future[None] | None = None


@dataclass(slots=True)
class _Commit:
    decided: Decided
    task: asyncio.Task[int]
    touched: set[int]
    done: asyncio.Future[None] | None = None


class Fellows(Protocol):
    """The other rollouts that the same process drives, as one of them sees them."""

    def moved(self, host: LocalHost, machines: Sequence[MachineId], now: datetime) -> None:
        """Machines that a decision of this host's was about: they may have gone out, or come back."""
        ...

    def may_end(self) -> bool:
        """Whether none of them moves any more by itself. One that rests is kept until then: a word of a person, or of a
        fellow, may set it going again.
        """
        ...

    def lets_go(self, host: LocalHost) -> bool:
        """Whether a rollout of which nothing can move any more is kept no longer, while the others go on."""
        ...


class LocalHost:
    """Drives one rollout of a scope, beside its fellows. `run` returns when nothing of theirs moves any more by itself."""

    def __init__(
        self,
        log: Log,
        services: Services,
        rollout: Rollout,
        pace: Pace,
        fellows: Fellows,
    ) -> None:
        self.log = log
        self.rollout = rollout
        self.services = services
        self._clock = services.clock
        self._pace = pace
        self._fellows = fellows
        log.scope.send_within = timedelta(seconds=60) * self._clock.scale
        self.agenda = agenda_of(log.scope, rollout, self.event_time(), None)
        self._posted: deque[_Posted] = deque()
        self._news = asyncio.Event()
        self._runner = Runner(self._perform, self._ended, self._fail)
        self._commits: deque[_Commit] = deque()
        self._touched_at: dict[int, int] = {}
        self._listeners: list[Listener] = []
        self._side: set[asyncio.Task[None]] = set()
        self._armed: datetime | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._stopped = False
        self._taken_up = False  # before it, nothing is begun, whatever fellows have to tell
        one_try = timedelta(seconds=services.settings.request_timeout_s * self._clock.scale)
        self._rest = Rest(rollout, self.agenda, self._clock, self._pace.patience, self._clock.now() + one_try)
        self._caught_up = asyncio.Event()  # before it, nobody is granted anything

    # What others may do -----------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Have every durable decision told to `listener`, in order."""
        self._listeners.append(listener)

    def post(self, message: messages.Message) -> None:
        """Have a message decided on in its turn, before the loop rests. A command that is refused is dropped."""
        self._post(_Posted(message))

    async def ask(self, command: messages.Command) -> None:
        """Have a command decided on, and wait until its facts are durable. Raises `Refused` with what to do instead."""
        if self._stopped:
            raise self._not_driven()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._post(_Posted(command, done=done))
        await done

    def deliver(self, letter: Letter, command: messages.Command) -> None:
        """Have the command of another process's letter decided on."""
        self._post(_Posted(command, letter=letter))

    def refuse_letter(self, letter: Letter, why: str) -> None:
        """Take a letter out of the inbox by saying why it isn't carried out."""
        facts = (e.CommandRefused(letter.id, letter.who, why),)
        advance = _Posted(messages.Advance(self.rollout.id), letter=letter)
        self._record(self.rollout, facts, self.event_time(), advance)

    def poke(self) -> None:
        """Look again: something outside has changed."""
        self._news.set()

    def ledger_moved(self, machines: Sequence[MachineId], now: datetime) -> None:
        """A fellow's decision took room in our rules, or gave it back. What follows of it is written after that decision."""
        for machine in self.agenda.ledger_moved(machines, now):
            self._reconcile(machine)
        self._news.set()

    def rules_moved(self, now: datetime) -> None:
        """Rules that our machines may be under came or went with another rollout, or a hold did: everybody is asked again."""
        for machine in self.agenda.ask_all(now):
            self._reconcile(machine)
        self._want_own()
        self._news.set()

    def activities(self) -> list[a.Activity]:
        """What is going on now."""
        return self._runner.activities()

    # The loop ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Drive the rollout until it is over, rests (paused, stopped, waits for a person), or the journal fails."""
        try:
            self._take_up()
            while True:
                self._handle()
                if self._failure is not None:
                    raise self._failure
                if self.rests() and (self._fellows.may_end() or self._fellows.lets_go(self)):
                    return
                self._arm()
                await self._news.wait()
                self._news.clear()
        finally:
            await self._stop_all()

    def _take_up(self) -> None:
        """Go on where the journal ends. What was about to be sent then may have been, and is read back before anything."""
        for machine, run in enumerate(self.rollout.machines):
            if run.status is MachineStatus.INTENDED:
                why = "the process ended before the answer was recorded"
                self.post(messages.SendUnsettled(self.rollout.id, machine, run.attempt, why))
        self._handle()
        self._taken_up = True
        for place in (*self.agenda.activities, *map(place_of, self.agenda.steps.due)):
            self._reconcile(place)
        self._runner.want(OWN, self.agenda.own)
        self._beside(self._catch_up())

    def _look_anew(self) -> None:
        """An alarm rings long after its time: the host was asleep, or its clock leapt, and nobody has looked meanwhile."""
        self.agenda.looked = None
        self._caught_up.clear()
        self._beside(self._catch_up(look_anew))

    async def _catch_up(self, look: Look = catch_up) -> None:
        """See who went out while no process looked. What is in flight doesn't wait for it; a grant and an intent do."""
        if self.rollout.prepared and not self.rollout.over:
            for observation in await look(self.services, self.rollout):
                self.post(observation)
        self._caught_up.set()
        self._news.set()

    def _post(self, posted: _Posted) -> None:
        self._posted.append(posted)
        self._news.set()

    def event_time(self) -> datetime:
        """Event time: the clock's, but never before the last fact."""
        return self.log.scope.event_time(self._clock.now())

    def _handle(self) -> None:
        """Decide on all that was posted, then on what time and facts have made due, until nothing is left."""
        while self._failure is None:
            now = self.event_time()
            if self._posted:
                self._decide(self._posted.popleft(), now)
            elif (when := self.agenda.wake_at()) is not None and when <= now:
                if now - when > ASLEEP * self._clock.scale and self.agenda.looked is not None:
                    self._look_anew()
                for machine in self.agenda.wake(now):
                    self._reconcile(machine)
                self._want_own()
            elif self.agenda.looked is None and self._caught_up.is_set():
                self.agenda.look_ended(now)
                self._want_own()
            elif self.agenda.lanes:
                lane = next(iter(self.agenda.lanes))
                del self.agenda.lanes[lane]
                self._decide(_Posted(messages.Advance(self.rollout.id, lane, self.agenda.looked)), now)
            elif self.agenda.stage_due:
                self.agenda.stage_due = False
                self._decide(_Posted(messages.Advance(self.rollout.id, looked=self.agenda.looked)), now)
            else:
                return

    def _want_own(self) -> None:
        """Start and stop what the rollout as a whole has to do, unless facts that have a say in it aren't durable yet."""
        if self._taken_up and not self._commits:
            self._runner.want(OWN, self.agenda.own)

    def _decide(self, posted: _Posted, now: datetime) -> None:
        scope = self.log.scope
        stepped = clock_message(scope, self.rollout, self._clock.now())
        if stepped is not None and (facts := decide(scope, stepped, now)):
            self._record(self.rollout, facts, now, _Posted(stepped))
        if posted.activity is not None:
            self._runner.forget(posted.machine, posted.activity)
        try:
            facts = decide(scope, posted.message, now)
        except Refused as refused:
            self._refuse(posted, refused)
            return
        if facts or posted.letter is not None:
            wanted = posted.message.rollout
            self._record(scope.rollouts.get(wanted) or scope.ended.get(wanted), facts, now, posted)
        elif posted.done is not None:
            posted.done.set_result(None)
        if not facts and posted.activity is not None:
            self._came_to_nothing(posted.machine, posted.activity, now)

    def _refuse(self, posted: _Posted, refused: Refused) -> None:
        if posted.done is not None:
            posted.done.set_exception(refused)
        if posted.letter is not None:
            self.refuse_letter(posted.letter, str(refused))

    def _record(
        self, rollout: Rollout | Ended | None, facts: tuple[e.Event, ...], now: datetime, posted: _Posted
    ) -> None:
        """Write a decision down, and see whom it touches. What it makes due waits until it is durable. No rollout: of the scope."""
        taken = (posted.letter.id,) if posted.letter is not None else ()
        moved = machines_of(rollout, facts) if rollout is not None else ()
        decided, task = self.log.record("" if rollout is None else rollout.id, facts, now, letters=taken)
        if rollout is self.rollout or any(isinstance(fact, FLEETWIDE) for fact in facts if rollout is None):
            touched = self.agenda.refresh(facts, now)
        else:  # a person's word on a machine of another rollout, which counts in our rules
            touched = self.agenda.ledger_moved(moved, now)
        self._fellows.moved(self, moved, now)
        if posted.activity is not None and posted.machine != OWN:
            touched.add(posted.machine)
        for machine in touched:
            self._touched_at[machine] = decided.seq
        self._commits.append(_Commit(decided, task, touched, posted.done))
        task.add_done_callback(self._committed)

    def _committed(self, _: asyncio.Task[int]) -> None:
        """Rows became durable: tell listeners, and start or stop what they made due."""
        while self._commits and self._commits[0].task.done() and self._failure is None:
            commit = self._commits.popleft()
            try:
                self._publish(commit)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it ends `run`, and not this callback alone
                self._fail(error)
        self._news.set()

    def _publish(self, commit: _Commit) -> None:
        commit.task.result()
        for listener in self._listeners:
            listener(commit.decided)
        for machine in commit.touched:
            if self._touched_at.get(machine) == commit.decided.seq:  # else a later row has a say in it
                del self._touched_at[machine]
                self._reconcile(machine)
        self._runner.want(OWN, self.agenda.own)
        if commit.done is not None and not commit.done.done():
            commit.done.set_result(None)

    # Activities -------------------------------------------------------------------------------------------

    def _reconcile(self, machine: int) -> None:
        """Make what goes on for a machine what is desired, unless a fact that has a say in it isn't durable yet.

        A host that hasn't taken up its rollout yet begins nothing: what the journal has as about to be sent may have been.
        """
        if self._taken_up and machine not in self._touched_at:
            desired = self.agenda.at(machine)
            self._runner.want(machine, (desired,) if desired is not None else ())

    async def _perform(self, activity: a.Activity) -> messages.Observation:
        if isinstance(activity, a.Check | a.ReadBaseline):
            await self._caught_up.wait()
        return await perform(self.services, self.rollout, activity, self.post)

    def _ended(self, place: int, activity: a.Activity, message: messages.Observation) -> None:
        self._post(_Posted(message, place, activity))

    def _came_to_nothing(self, machine: int, activity: a.Activity, now: datetime) -> None:
        """An activity ended and no fact followed: others may have its room, and it is tried again after a pause."""
        if isinstance(activity, a.Check):
            for other in self.agenda.check_ended(machine, now) - {machine}:
                self._reconcile(other)
        self._beside(self._again(machine))

    async def _again(self, machine: int) -> None:
        await self._clock.sleep(IDLE_PAUSE_S)
        if machine == OWN:
            self._runner.want(OWN, self.agenda.own)
        else:
            self._reconcile(machine)

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._side.add(task)
        task.add_done_callback(self._side_done)

    def _side_done(self, task: asyncio.Task[None]) -> None:
        self._side.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._news.set()

    # Waiting and ending -----------------------------------------------------------------------------------

    def rests(self) -> bool:
        """Whether nothing moves any more by itself: the process may end, and the journal knows how to go on."""
        return not self._posted and not self._commits and self._rest.reached(self.activities())

    @property
    def blocked(self) -> bool:
        """Whether only a person, or a machine that gets well, can move the rollout on before `max_wait` is over."""
        return self._rest.blocked(self.activities())

    def _arm(self) -> None:
        """Ring at the next moment that matters."""
        moments = [*self._rest.moments(), *(x for x in (self.agenda.wake_at(),) if x is not None)]
        when = min(moments, default=None)
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
        self._stopped = True
        tasks = [*self._side, *([self._alarm] if self._alarm is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(self._runner.stop(), *tasks, return_exceptions=True)
        await asyncio.gather(*(commit.task for commit in self._commits), return_exceptions=True)
        for posted in self._posted:
            if posted.done is not None and not posted.done.done():
                posted.done.set_exception(self._not_driven())

    def _not_driven(self) -> Refused:
        return Refused(f"rollout {self.rollout.id} is not driven any more; ask again")
