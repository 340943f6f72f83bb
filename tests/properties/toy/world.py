"""A world to roll a change over: machines, what happens to them, and everything that can go wrong, drawn from one seed.

It shares nothing with the program but the words of its messages. It knows the truth (who is down, which requests it took),
which the witness holds against what the program did.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

MINUTE = timedelta(minutes=1)

REQUEST_TIMEOUT = timedelta(seconds=30)
VISIBLE_WITHIN = timedelta(minutes=4)  # a run that was taken shows by then; the program waits for 5


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each thing is, each time that it may happen; `until` is when they end for good."""

    until: timedelta = timedelta(hours=12)
    throttled: float = 0.0
    refused: float = 0.0  # the cloud finds the request wrong
    answer_lost: float = 0.0  # the request was taken, nobody is told
    request_lost: float = 0.0  # it never arrived, nobody is told
    late: float = 0.0  # it sends after its time
    unreadable: float = 0.0  # reading back fails, and so does assessing
    endless: float = 0.0  # a run never ends
    passing: float = 0.0  # a run fails, and another would not
    lasting: float = 0.0
    unseen: float = 0.0
    unwell: float = 0.0  # a run leaves its machine unwell for a while
    step_fails: float = 0.0
    foreign: float = 0.0  # somebody else's run, or outage, for each machine and each ten minutes
    off: float = 0.0
    sick: float = 0.0  # a group isn't well for a while, for each ten minutes
    gone: float = 0.0
    person: float = 0.0  # a person says something, for each ten minutes
    words: float = 0.0  # the same of holds and emergencies


@dataclass(slots=True)
class Run:
    """One patch run on a machine; `key` is empty where it isn't ours."""

    id: str
    key: str
    url: str
    shows_at: datetime
    ends_at: datetime | None
    outcome: str = "changed"  # or passing, lasting, unseen
    unwell_for: timedelta = timedelta(0)


@dataclass(slots=True)
class Machine:
    """The truth about one machine."""

    off_until: datetime | None = None
    unwell_until: datetime | None = None
    drained: bool = False
    gone: bool = False
    run: Run | None = None
    runs: list[Run] = field(default_factory=list)
    patched: bool = False


class World:
    """Machines by number, and the time."""

    def __init__(self, size: int, seed: int, faults: Faults, start: datetime) -> None:
        self.chance = Random(seed)
        self.faults = faults
        self.start = self.now = start
        self.machines = [Machine() for _ in range(size)]
        self.requests: list[tuple[int, str]] = []  # (machine, key) as taken
        self.supersedes: list[int] = []  # machines whose run of ours was killed by another request
        self.held: dict[tuple[int, ...], bool] = {}  # a wave, a stage or the rollout -> whether it is held
        self.sick_until: datetime | None = None  # the one group that there is
        self._ids = itertools.count(1)
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []

    # Time ---------------------------------------------------------------------------------------------------

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Have something done, in the order of time and of asking."""
        heapq.heappush(self._later, (when, next(self._ids), do))

    def next_at(self) -> datetime | None:
        """When something is to be done next."""
        return self._later[0][0] if self._later else None

    def do_next(self) -> None:
        """Do what is next, at its time."""
        when, _, do = heapq.heappop(self._later)
        self.now = max(self.now, when)
        do()

    def happens(self, rate: float) -> bool:
        """Whether a fault strikes now."""
        struck = self.chance.random() < rate
        return struck and self.faulty

    @property
    def faulty(self) -> bool:
        """Whether faults have not ended yet."""
        return self.now < self.start + self.faults.until

    def soon(self, low_s: float, high_s: float) -> timedelta:
        """Some time between."""
        return timedelta(seconds=round(self.chance.uniform(low_s, high_s), 3))

    # The truth ------------------------------------------------------------------------------------------------

    def is_down(self, index: int) -> bool:
        """Whether a machine serves nobody now."""
        machine = self.machines[index]
        return (
            machine.gone
            or self.running(index)
            or _lasts(machine.off_until, self.now)
            or _lasts(machine.unwell_until, self.now)
        )

    def can_be_changed(self, index: int) -> bool:
        """Whether a machine is unwell and nothing else: it takes requests."""
        machine = self.machines[index]
        off = machine.gone or self.running(index) or _lasts(machine.off_until, self.now)
        return self.is_down(index) and not off

    def running(self, index: int) -> bool:
        """Whether a patch run is under way."""
        run = self.machines[index].run
        return run is not None and (run.ends_at is None or run.ends_at > self.now)

    def shown(self, index: int) -> str:
        """The id of the last run that the platform shows."""
        return next((r.id for r in reversed(self.machines[index].runs) if r.shows_at <= self.now), "")

    def run_at(self, index: int, url: str) -> Run | None:
        """The run that is followed under a URL."""
        return next((r for r in self.machines[index].runs if r.url == url), None)

    # What is done to it -----------------------------------------------------------------------------------------

    def take(self, index: int, key: str) -> Run:
        """A request arrives and is taken: whatever ran is killed, as Azure does."""
        if key:
            self.requests.append((index, key))
        running = self.machines[index].run
        if running is not None and self.running(index) and key and running.key:
            self.supersedes.append(index)
        run = self._run(index, key)
        self.machines[index].run = run
        self.machines[index].runs.append(run)
        if run.ends_at is not None:
            self.at(run.ends_at, lambda: self._end(index, run))
        return run

    def _run(self, index: int, key: str) -> Run:
        number = next(self._ids)
        outcome = next(
            (x for x in ("passing", "lasting", "unseen") if key and self.happens(getattr(self.faults, x))),
            "changed",
        )
        endless = bool(key) and self.happens(self.faults.endless)
        return Run(
            id=f"run-{number}",
            key=key,
            url=f"https://cloud/{index}/{number}",
            shows_at=self.now + self.soon(0, VISIBLE_WITHIN.total_seconds()),
            ends_at=None if endless else self.now + self.soon(60, 1200),
            outcome=outcome,
            unwell_for=self.soon(60, 7200) if self.happens(self.faults.unwell) else timedelta(0),
        )

    def _end(self, index: int, run: Run) -> None:
        machine = self.machines[index]
        if machine.run is not run or machine.gone:
            return
        if run.outcome == "changed":
            machine.patched = True
        if run.unwell_for:
            machine.unwell_until = self.now + run.unwell_for

    def call(self, index: int, webhook: str) -> bool:
        """A webhook is called: `drain` and `undrain` have an effect."""
        if self.happens(self.faults.step_fails):
            if webhook == "drain" and self.chance.random() < 0.5:
                self.machines[index].drained = True
            return False
        if webhook in ("drain", "undrain"):
            self.machines[index].drained = webhook == "drain"
        return True

    def call_around(self, where: tuple[int, ...], webhook: str) -> bool:
        """The same around a wave, a stage or the rollout, with `hold` and `free`."""
        failed = self.happens(self.faults.step_fails)
        if webhook in ("hold", "free") and not (failed and self.chance.random() < 0.5):
            self.held[where] = webhook == "hold"
        return not failed

    def is_sick(self) -> bool:
        """Whether the group isn't well."""
        return _lasts(self.sick_until, self.now)

    def misfortune(self) -> None:
        """Ten minutes of what others do to machines."""
        if self.happens(self.faults.sick):
            self.sick_until = self.now + self.soon(60, 5000)
        for index, machine in enumerate(self.machines):
            if machine.gone:
                continue
            if self.happens(self.faults.unwell / 10):
                machine.unwell_until = self.now + self.soon(60, 7200)
            if self.happens(self.faults.off):
                machine.off_until = self.now + self.soon(60, 20_000)
            if self.happens(self.faults.foreign) and not self.running(index):
                self.take(index, "")
            if self.happens(self.faults.gone):
                machine.gone = True

    def heal(self) -> None:
        """Faults are over: what was off or unwell is back, and what would never end ends."""
        self.sick_until = None
        for index, machine in enumerate(self.machines):
            machine.off_until = machine.unwell_until = None
            run = machine.run
            if run is not None and run.ends_at is None:
                run.ends_at = self.now
                self._end(index, run)


def _lasts(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until
