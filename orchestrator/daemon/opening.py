"""Opening rollouts when they are due: the calendar, looked at now and then, and what keeps a moment of it waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from orchestrator.daemon.apart import Apart
from orchestrator.daemon.calendar import Due, Entry, calendar, opened
from orchestrator.daemon.config import Config
from orchestrator.daemon.fleet import FRESH, Fleet
from orchestrator.daemon.following import Following, Good
from orchestrator.daemon.observing import Observations
from orchestrator.daemon.vetting import plan_campaign
from orchestrator.errors import CloudError, Refused
from orchestrator.rollout.ended import known
from orchestrator.wiring.rollout import ScopeHost, prepare, read_plan, start

log = structlog.get_logger("wavekeeper.daemon")

LOOK_EVERY: Final = timedelta(seconds=20)
"""How often the calendar is looked at: a rollout begins within so long of its moment."""

AGAIN_AFTER: Final = timedelta(minutes=5)
"""After which what could not be opened is tried again: the fleet couldn't be read, or another rollout has its machines."""

WHO: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Waits:
    """A moment that is due and could not be opened yet: why, and when it is tried again."""

    due: Due
    why: str
    again_at: datetime


@dataclass(slots=True)
class Opening:
    """Looks at the calendar, and opens what is due. `config` is asked each time, since it may be read once more."""

    config: Callable[[], Config]
    following: Following
    fleet: Fleet
    house: ScopeHost
    apart: Apart
    observations: Observations
    endpoint: str
    waits: dict[str, Waits] = field(default_factory=dict)
    _told: set[tuple[str, datetime]] = field(default_factory=set)  # missed moments

    def entries(self) -> tuple[Entry, ...]:
        """The calendar as it is now; nothing before any commit counts."""
        good = self.following.followed.good
        if good is None:
            return ()
        done = opened(known(self.house.log.scope)) | self.observations.known()
        return calendar(good.policies, self.config().campaigns, good.since, done, self._now())

    async def keep(self) -> None:
        """For ever."""
        while True:
            for entry in self.entries():
                self._tell_missed(entry)
                if entry.due is not None and self._tries(entry.due):
                    await self._open(entry.due, act=entry.act)
            await self.house.services.clock.sleep(LOOK_EVERY.total_seconds())

    def _now(self) -> datetime:
        return self.house.services.clock.now()

    def _tell_missed(self, entry: Entry) -> None:
        """Once for each moment that is past catching up."""
        if entry.missed is None or (entry.campaign, entry.missed) in self._told:
            return
        self._told.add((entry.campaign, entry.missed))
        catch_up = self.config().campaign(entry.campaign).catch_up
        log.warning(
            "a moment was missed, and is too long ago to be caught up",
            campaign=entry.campaign,
            due=entry.missed,
            catch_up=str(catch_up),
            next=entry.next,
        )

    def _tries(self, due: Due) -> bool:
        waiting = self.waits.get(due.campaign)
        return waiting is None or waiting.due != due or waiting.again_at <= self._now()

    async def _open(self, due: Due, *, act: bool) -> None:
        good = self.following.followed.good
        assert good is not None
        try:
            await (self._run(due, good) if act else self._observe(due, good))
        except (CloudError, Refused) as error:
            self._wait(due, str(error))
        else:
            self.waits.pop(due.campaign, None)

    async def _observe(self, due: Due, good: Good) -> None:
        fleet = await self.fleet.younger(self.config().subscriptions, FRESH)
        plan = await self.apart(plan_campaign, fleet.file, good.policies, due.campaign)
        self.observations.begin(due, plan)

    async def _run(self, due: Due, good: Good) -> None:
        fleet = await self.fleet.younger(self.config().subscriptions, FRESH)
        plan = await self.apart(plan_campaign, fleet.file, good.policies, due.campaign)
        read = await asyncio.to_thread(read_plan, plan)
        handover = await prepare(
            read, self.house.services, who=WHO, reason=f"due {due.at:%Y-%m-%d %H:%M} UTC, commit {good.commit.short}",
            endpoint=self.endpoint, due=due.at, commit=good.commit.id,
        )  # fmt: skip
        rollout = await start(self.house, read, handover)
        log.info("opened", rollout=rollout.id, campaign=due.campaign, due=due.at, commit=good.commit.short)

    def _wait(self, due: Due, why: str) -> None:
        before = self.waits.get(due.campaign)
        if before is None or before.why != why:
            log.warning("due, and can not be opened yet", campaign=due.campaign, due=due.at, why=why)
        self.waits[due.campaign] = Waits(due, why, self._now() + AGAIN_AFTER)
