"""A rollout from its beginning to its end, through as many processes as it takes.

What outlives a process is here: the world, the disk, the time, and what the judge is told. A process is made anew from
them each time, in a loop of its own, by the same `begin` that the command uses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from orchestrator.emulator.arm import answer
from orchestrator.emulator.call import Request
from orchestrator.emulator.chance import portion
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.errors import JournalError, StaleLease
from orchestrator.executor.settings import Settings
from orchestrator.executor.whole import whole
from orchestrator.rollout.ended import known as known_of
from orchestrator.rollout.letters import Handover, dump
from orchestrator.rollout.state import Rollout
from orchestrator.service.follow import Follower
from orchestrator.simulation.boundaries import (
    Acknowledged,
    Boundaries,
    Boundary,
    Died,
    Kind,
    WatchedJournal,
    WatchedWebhooks,
)
from orchestrator.simulation.clocks import TheatreClock
from orchestrator.simulation.copying import Copies
from orchestrator.simulation.fleets import START
from orchestrator.simulation.loop import VirtualLoop
from orchestrator.simulation.mishaps import Mishap, What
from orchestrator.simulation.people import Verb, Word, retag, say
from orchestrator.simulation.trial import Trial
from orchestrator.store.port import Journal, Letter, Row
from orchestrator.wiring.rollout import Running, Services, begin, going_on, prepare, read_plan
from orchestrator.wiring.virtual import LISTENING, NO_INBOX, Disk, virtual_services

T = TypeVar("T")

FAST: Final = Settings(
    watch_least=timedelta(minutes=10), eager_below=0, poll_by_age=0.5, poll_most=timedelta(minutes=5)
)
"""Looks at the fleet and at operations are what a simulated rollout spends its time on: four an operation, within the budget."""

TOLD_NOW_AND_THEN: Final = replace(LISTENING, inbox_every_s=120)
"""Letters are seldom, and days go by between them: looks into an empty inbox would be a tenth of what a soak does."""

WHO: Final = "simulation"
START_UP: Final = timedelta(seconds=1)
"""How long a process takes to start again at least: nothing that it does is of the moment at which the last one died."""

FOLLOWED_S: Final = 300
"""How long a second copy of the command follows the first, before whoever typed it goes home."""

ASSESSMENT: Final = "-assess"  # such a request changes nothing, and may be sent again
TROUBLE_ENDS: Final = timedelta(days=2)
"""Webhooks fail no longer than that; the world's faults end by themselves."""


def nobody(_boundary: Boundary) -> None:
    """Nobody visits any boundary."""


_OUTLIVES: Final = (
    *("world", "off_by", "acknowledged", "waiting", "words", "happened"),
    *("heard", "sent", "calls", "said", "spoken", "late", "intruders", "sick", "processes"),
)
"""What outlives a process, but for the disk and the time, which are looked after one by one."""


@dataclass(slots=True)
class Theatre:
    """One trial as it is played. `visit` sees every boundary first: to fork there, or to tell of it."""

    trial: Trial
    world: World
    disk: Disk
    visit: Callable[[Boundary], None] = nobody
    now: datetime = START  # true time, at which the next process begins
    clock: TheatreClock | None = None  # true time in the process that is under way
    sick: list[tuple[datetime, datetime]] = field(default_factory=list)  # groups that are asked: from, to
    off_by: timedelta = timedelta(0)  # of Wavekeeper's clock
    boundaries: Boundaries = field(init=False)
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    waiting: list[Mishap] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)  # those that nobody has said yet
    spoken: list[tuple[datetime, Word]] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)  # keys of requests that start work, as they left
    calls: Counter[str] = field(default_factory=Counter)
    said: list[tuple[datetime, str, str]] = field(
        default_factory=list
    )  # a person's words: when, on which machine, the verb
    late: list[tuple[datetime, Request]] = field(default_factory=list)
    away: timedelta = timedelta(0)
    processes: int = 0
    intruders: int = 0  # second processes that became the writer beside the first
    beside: list[asyncio.Task[Any]] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)  # as the last process that came so far saw them
    graveyard: list[object] = field(
        default_factory=list
    )  # dead processes: what they left must never run again

    @classmethod
    def restored(cls, trial: Trial, parts: dict[str, Any]) -> Theatre:
        """What was `taken`, between two processes."""
        passed = parts.pop("passed")
        theatre = cls(trial, parts.pop("world"), parts.pop("disk"))
        for part, value in parts.items():
            setattr(theatre, part, value)
        theatre.boundaries.passed = passed
        return theatre

    def __post_init__(self) -> None:
        """The mishaps and people's words lie ahead."""
        self.boundaries = Boundaries(self._crossed)
        self.waiting, self.words = sorted(self.trial.mishaps), sorted(self.trial.words)

    # Boundaries -----------------------------------------------------------------------------------------------

    def _crossed(self, boundary: Boundary) -> None:
        self.visit(boundary)
        self._befall(boundary)
        if boundary.kind is Kind.LEAVES and boundary.starts_work:
            self._leaves(boundary)

    def _befall(self, boundary: Boundary) -> None:
        """Let happen what is due here, and people say what they have to say: from other terminals, beside the process."""
        while self.words and self.words[0].at <= boundary.number:
            self.beside.append(asyncio.create_task(self.speak()))
        while self.waiting and self.waiting[0].at <= boundary.number:
            if not self._can(self.waiting[0].what, boundary):
                return
            self._happen(self.waiting.pop(0), boundary)

    @staticmethod
    def _can(what: What, boundary: Boundary) -> bool:
        match what:
            case What.FULL_DISK:
                return boundary.kind is Kind.BEFORE_ROW
            case What.LOCKED:
                return boundary.kind is Kind.AFTER_ROW
            case What.LATE:
                return boundary.kind is Kind.LEAVES and boundary.starts_work
            case What.TWIN | What.LOST_LOCK:
                return boundary.kind is Kind.ANSWERED
            case _:
                return True

    def _leaves(self, boundary: Boundary) -> Request:
        """A request that starts work is under way."""
        assert boundary.request is not None
        key = boundary.request.headers.get("x-ms-client-request-id", "")
        self.sent[key] += not key.endswith(ASSESSMENT)
        return boundary.request

    def _happen(self, mishap: Mishap, boundary: Boundary) -> None:
        length = timedelta(seconds=mishap.seconds)
        match mishap.what:
            case What.CRASH:
                self.die(length)
            case What.LATE:
                self.late.append((self.true_now() + length, self._leaves(boundary)))
                self.die(timedelta(0))
            case What.FULL_DISK:
                self.away = length
                raise JournalError("the journal can't grow, the disk is full")
            case What.LOCKED:
                self.away = length
                raise JournalError("the journal is locked by another program")
            case What.CLOCK:
                self.off_by += length
            case What.QUORUM:
                self.sick.append((self.true_now(), self.true_now() + length))
            case What.TWIN:
                self.beside.append(asyncio.create_task(self._twin()))
            case What.LOST_LOCK:
                self.disk.lose_lock()
                self.beside.append(asyncio.create_task(self.process()))

    def speak(self) -> Coroutine[Any, Any, None]:
        """A person says the next word, with what may happen around its row as around any other."""
        word = self.words.pop(0)
        self.spoken.append((self.true_now(), word))
        return self._said(word)

    async def _said(self, word: Word) -> None:
        journal = WatchedJournal(await self.disk.journal(), self.boundaries, self.acknowledged)
        try:
            if word.verb is Verb.TAG:
                retag(word, self.world, self.true_now())
            else:
                await say(word, journal, self.wrongly_now())
        finally:
            await journal.close()

    def taken(self, copies: Copies, name: str) -> bytes:
        """A copy of what would outlive the process if it died now. `name` is the copied disk's."""
        parts = {part: getattr(self, part) for part in _OUTLIVES}
        parts |= {"now": self.true_now(), "disk": self.disk.copied(name), "passed": self.boundaries.passed}
        return copies.take((self.trial, parts))

    def killed_at(self, boundary: Boundary, mishap: Mishap) -> None:
        """In a copy: the process that was under way is dead, as if `mishap` had happened in it, and time goes on from here."""
        with contextlib.suppress(Died):
            self._happen(mishap, boundary)
        self.now += self.away
        self.disk.died()

    def die(self, away: timedelta) -> None:
        """End the process here."""
        self.away = max(away, START_UP)
        raise Died

    async def _twin(self) -> None:
        """The same command beside the one that runs: it is turned away, by a message that names the writer, and follows it for a while."""
        try:
            await self.process()
        except JournalError as error:
            if WHO not in str(error):
                raise
            if self.several:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOWED_S):
                        await self._follow()
        else:  # whoever comes once the lock is lost may take it
            befell = [one for one in self.trial.mishaps if one not in self.waiting]
            self.intruders += not any(one.what is What.LOST_LOCK for one in befell)

    async def _follow(self) -> None:
        """Hand the plan over, as a person does who types the same command again, and read how it goes on."""
        premises, follower = self.trial.premises, Follower(await self.disk.journal())
        handover = Handover(premises.plans[0], "grace", "", (), "", 1.0)
        if await follower.hand_over(handover, self.wrongly_now()) is None:
            return
        known = await going_on(follower.journal, follower.scope, premises.plans[0], 1.0)
        if known is not None:
            await follower.watch(known)

    # Processes ------------------------------------------------------------------------------------------------

    @property
    def several(self) -> bool:
        """Whether one process drives several rollouts."""
        return len(self.trial.premises.plans) > 1

    async def process(self) -> list[Rollout]:
        """One process: begins the rollout or goes on with it, until it rests or is over. Further plans are handed over to it."""
        assert self.clock is not None
        true = self.clock
        start = self.now
        clock = TheatreClock(asyncio.get_running_loop(), start, lambda: self.off_by)
        webhooks = WatchedWebhooks(self.boundaries, self._hears, true.now, self.heard)
        doors = virtual_services(
            self.world,
            clock,
            face=self.trial.face,
            webhooks=webhooks,
            watch=self.boundaries.watch,
            worlds_clock=true,
            settings=FAST,
            groups_well=lambda: not any(since <= self.true_now() < until for since, until in self.sick),
        )
        journal = WatchedJournal(await self.disk.journal(), self.boundaries, self.acknowledged)
        try:
            await journal.acquire(WHO, clock.now())
            first, *more = self.trial.premises.plans
            running = await begin(
                journal,
                doors,
                first,
                who=WHO,
                live=self.trial.premises.live,
                accept_drift=True,
                pace=TOLD_NOW_AND_THEN if more or self.trial.words else NO_INBOX,
            )
            self.rollouts = [running.rollout]
            for number, text in enumerate(more):
                await self._beside_it(running, journal, doors, f"plan-{number}", text)
            await running.run()
            self.rollouts = [await whole(running.scope, journal, one) for one in known_of(running.scope)]
            return self.rollouts
        finally:
            await doors.views.close()
            await doors.cloud.close()
            await journal.close()

    async def _beside_it(
        self, running: Running, journal: Journal, doors: Services, name: str, text: bytes
    ) -> None:
        """Go on with another plan's rollout, or ask for it by letter, as another terminal does."""
        known = await going_on(journal, running.scope, text, 1.0)
        if known is not None:
            running.house.drive(known)
            return
        live = self.trial.premises.live
        handover = await prepare(read_plan(text), doors, who="grace", live=live, accept_drift=True)
        await journal.post(Letter(name, self.wrongly_now(), "grace", dump(handover)))

    def _hears(self, name: str, key: str) -> bool:
        """Whether a webhook's receiver answers: by chance that belongs to the call, and always in the end."""
        self.calls[key] += 1
        if self.true_now() > START + TROUBLE_ENDS:
            return True
        return portion(self.trial.seed, name, key, self.calls[key]) >= self.trial.deaf

    def rows(self) -> dict[int, Row]:
        """All that stands in the journal."""
        found: dict[int, Row] = {}

        async def read() -> None:
            journal = await self.disk.journal()
            async for row in journal.read():
                found[row.seq] = row
            await journal.close()

        self.in_a_loop(read)
        return found

    def true_now(self) -> datetime:
        """The world's time, in a process and between two."""
        return self.clock.now() if self.clock is not None else self.now

    def wrongly_now(self) -> datetime:
        """The time as Wavekeeper's host has it."""
        return self.true_now() + self.off_by

    def stage(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Run one process in a loop of its own; None if it died or could not go on. Time goes on from there."""
        self.processes += 1
        return self.in_a_loop(work)

    def in_a_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """The same for what is no process of the rollout's."""
        loop = VirtualLoop()
        loop.set_exception_handler(lambda _loop, _context: None)
        self.clock, self.beside, self.away = TheatreClock(loop, self.now, timedelta), [], timedelta(0)
        try:
            return loop.run_until_complete(self._with_stragglers(work))
        except Died:
            self.graveyard.append((loop, asyncio.all_tasks(loop)))
            self.disk.died()
            return None
        except (JournalError, StaleLease):
            return None
        finally:
            self.now = self.clock.now() + self.away
            self.clock = None

    async def _with_stragglers(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The process, while requests of a dead one still arrive, and while a second one runs beside it."""
        assert self.clock is not None
        late, self.late = self.late, []
        arriving = [asyncio.create_task(self._arrive(when, request)) for when, request in late]
        try:
            result = await work()
        except (JournalError, StaleLease):
            if not self.beside:
                raise
            result = await self._others()
        await asyncio.gather(*self.beside, *arriving)
        return result

    async def _others(self) -> Any:
        """Where the first process lost its lock: what came of those beside it, of whom the last one that took it goes on."""
        while self.beside:
            others, self.beside = self.beside, []
            for ended in await asyncio.gather(*others, return_exceptions=True):
                if isinstance(ended, list):
                    return ended
                if isinstance(ended, BaseException) and not isinstance(ended, JournalError | StaleLease):
                    raise ended
        raise JournalError("nobody writes any more")

    async def _arrive(self, when: datetime, request: Request) -> None:
        assert self.clock is not None
        await self.clock.sleep((when - self.clock.now()).total_seconds())
        answer(self.world, request, self.clock.now())
