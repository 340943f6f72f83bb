"""A rollout acted out, fact by fact, so that a page has something to show: no cloud, no host, and no time that passes by itself.

Facts go through the log that a daemon's go through, in an order that a rollout's could have. What takes how long is made up, the same each time.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NoReturn

from orchestrator.errors import Refused
from orchestrator.executor.log import Log
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.document import digest, parse
from orchestrator.rollout import events as e
from orchestrator.rollout.planned import Planned, index_plan
from orchestrator.rollout.state import Ended, MachineStatus, Rollout, Scope
from orchestrator.store.memory import MemoryJournal
from orchestrator.web.desk import Listener
from orchestrator.web.models import Coming, CommitTold, ObservationTold, PoliciesTold

ID = "monthly-2026-11"
WHO = "schedule"
WORSE = 0.001  # of the machines: those that aren't well after their change
TROUBLED = 3  # at most: each shuts the gate of its lane
SLOW = timedelta(minutes=4)


@dataclass
class Stage:
    """One rollout of a plan, moved on by `until`. It is a desk (`web.desk.Desk`) too."""

    plan: bytes
    fleet: Inventory
    start: datetime
    commit: str = "3f9c2ab81d0e47f5a6b1c2d3e4f5061728394a5b"
    coming: tuple[Coming, ...] = ()
    told: PoliciesTold | None = None
    observed: tuple[ObservationTold, ...] = ()
    due: list[tuple[datetime, int, str, int]] = field(default_factory=list)  # when, a number, what, of which

    async def begin(self) -> None:
        """Start it, and open its first stage."""
        self.journal = MemoryJournal()
        await self.journal.acquire(WHO, self.start)
        self.scope = Scope()
        self.log = Log(self.scope, self.journal)
        self.planned: Planned = index_plan(parse(self.plan, "the plan"))
        self.clock, self.chance, self.number = self.start, random.Random(7), 0
        self.tags_of = {one.id: one.tags for one in self.fleet.machines}
        started = e.RolloutStarted(ID, digest(self.plan), WHO, "due 2026-11-22 01:00 UTC", commit=self.commit)
        self.log.record(
            ID, (started,), self.start, planned=self.planned, documents={digest(self.plan): self.plan}
        )
        self.do(e.Prepared(()), e.StageOpened(0))
        self._open()
        await self.log.durable()

    @property
    def rollout(self) -> Rollout:
        """As the facts have it."""
        return self.scope.rollouts[ID]

    def do(self, *facts: e.Event) -> None:
        """Write facts down, as of the stage's time."""
        self.log.record(ID, facts, self.clock)

    async def until(self, done: int) -> None:
        """Act on until so many machines are begun, or nothing is left to come."""
        while self.due and self.rollout.attempted < done:
            await self.step()
        await self.log.durable()

    async def step(self) -> None:
        """What comes next."""
        self.clock, _, what, number = heapq.heappop(self.due)
        getattr(self, f"_{what}")(number)

    def _in(self, minutes: float, what: str, number: int) -> None:
        self.number += 1
        heapq.heappush(self.due, (self.clock + timedelta(minutes=minutes), self.number, what, number))

    def _open(self) -> None:
        """Open the waves that may be."""
        rollout = self.rollout
        for number in self.planned.lanes_of_stage[rollout.stage]:
            lane, run = self.planned.lanes[number], rollout.lanes[number]
            if run.open or run.finished or any(not rollout.lanes[x].finished for x in lane.after):
                continue
            self.do(e.WaveOpened(number, run.wave))
            for machine in lane.waves[run.wave]:
                self._in(self.chance.uniform(0, 6), "grant", machine)

    def _grant(self, machine: int) -> None:
        self.do(e.Granted(machine))
        self._in(self.chance.uniform(0.2, 2), "ask", machine)

    def _ask(self, machine: int) -> None:
        until = self.clock + SLOW
        self.do(e.Intended(machine, 1, f"{ID}-{machine}-1", "", until), e.Started(machine, "https://arm/1"))
        self._in(self.chance.uniform(8, 24), "change", machine)

    def _change(self, machine: int) -> None:
        self.do(e.ChangeEnded(machine, changed=True, passing=False, detail="3 installed, restarted"))
        self._in(self.chance.uniform(5, 8), "prove", machine)

    def _prove(self, machine: int) -> None:
        last = self.rollout.stage + 1 == len(self.planned.plan.stages)  # else no stage would come after it
        troubled = self.rollout.counts[MachineStatus.UNHEALTHY]
        if last and troubled < TROUBLED and self.chance.random() < WORSE:
            self.do(e.MachineUnhealthy(machine, "http://10.4.0.8:8080/healthz answers 503 for 5 min"))
            return
        self.do(e.Verified(machine, well=True, evidence=""), e.MachineEnded(machine, e.Outcome.DONE))
        lane = self.planned.lane_of[machine]
        run = self.rollout.lanes[lane]
        if run.open and run.left == 0:
            self.do(e.WavePassed(lane, run.wave))
            if self.rollout.lanes_left == 0 and self.rollout.stage + 1 < len(self.planned.plan.stages):
                self.do(e.StageBaking(self.rollout.stage, self.clock + timedelta(minutes=10)))
                self._in(10, "next", self.rollout.stage + 1)
            else:
                self._open()

    def _next(self, stage: int) -> None:
        self.do(e.StageOpened(stage))
        self._open()

    # The desk -------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """See the port."""
        return self.clock

    def tags(self, machine: MachineId) -> Mapping[str, str]:
        """See the port."""
        return self.tags_of.get(machine, MappingProxyType({}))

    def calendar(self) -> Sequence[Coming]:
        """See the port."""
        return self.coming

    def policies(self) -> PoliciesTold:
        """See the port."""
        counts = CommitTold(self.commit, "Ada <ada@example.com>", self.start, "Let the canary bake longer")
        return self.told or PoliciesTold("https://git.example/policies.git", "main", counts, self.start, None)

    async def observations(self) -> tuple[ObservationTold, ...]:
        """See the port."""
        return self.observed

    async def whole(self, ended: Ended) -> Rollout:
        """See the port. Nothing ends here."""
        raise Refused(f"rollout {ended.id} was never begun here")

    @asynccontextmanager
    async def journal_of(self, _: Rollout | Ended) -> AsyncIterator[MemoryJournal]:
        """See the port."""
        yield self.journal

    async def read(self, _: bytes) -> NoReturn:
        """See the port. No plan is taken here."""
        raise Refused("there is one rollout here, and it is acted")

    async def prepare(self, *_: object) -> NoReturn:
        """See the port."""
        raise Refused("there is one rollout here, and it is acted")

    def next_archive(self) -> str:
        """See the port."""
        raise Refused("nothing is archived here")

    def look_into_inbox(self) -> None:
        """See the port. Nobody carries letters out here."""

    def listen(self, listener: Listener) -> AbstractContextManager[None]:
        """See the port."""
        return self.log.listening(listener)
