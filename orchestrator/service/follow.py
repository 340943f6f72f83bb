"""A rollout that another process drives, followed in the journal: hand a plan over, watch, and step in when that process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from orchestrator.executor.log import Decided, read_on, replay
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.service.asking import ask_writer
from orchestrator.store.port import Journal

LOOK_EVERY_S = 0.5
"""Real seconds between two looks into the journal: quick enough for people, and nothing to the writer."""


class Follower:
    """A scope as its journal tells it, kept up to date by reading on."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.scope = Scope()
        self._listeners: list[Callable[[Decided], None]] = []

    @contextmanager
    def told(self, listener: Callable[[Decided], None]) -> Iterator[None]:
        """Have every decision told to `listener` once it is read, while this is entered."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def read(self) -> list[Decided]:
        """What has been decided since the last look; of the first look nothing, since it is of all that ever was."""
        if not self.scope.seq:
            self.scope = await replay(self.journal)
            return []
        news = []
        async for decided in read_on(self.scope, self.journal):
            news.append(decided)
            for listener in self._listeners:
                listener(decided)
        return news

    async def hand_over(self, handover: Handover, now: datetime) -> list[Decided] | None:
        """Ask the writer to run a plan, or to go on with it. What has been decided until it was taken; None if no process
        writes any more.

        Raises `Refused` with the writer's own words.
        """
        await self.read()
        if await ask_writer(self.journal, handover, now) is None:
            return None
        return await self.read()

    async def watch(self, rollout: Rollout) -> bool:
        """Until the rollout rests or is over (True), or nobody drives it any more (False)."""
        while True:
            written = await self.journal.writer() is not None
            await self.read()
            if rests(rollout):
                return True
            if not written:
                return False
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_over(self, rollout: Rollout) -> None:
        """Until nothing of a rollout can happen any more, whoever drives it."""
        while not rollout.over or rollout.in_flight:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.read()


def rests(rollout: Rollout) -> bool:
    """Whether only a person moves it on, as far as the journal tells."""
    return rollout.waits_for_a_person and not rollout.in_flight
