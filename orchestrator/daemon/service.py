"""The daemon at work: one process that follows policies, opens what is due, and drives every rollout of its fleet until it is over.

Nothing in it is remembered by the process alone: rollouts stand in the journal, the commit that counts stands beside it. Killing it is
as safe as killing a single rollout; the next one goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from orchestrator.daemon.calendar import Due, Entry, calendar, opened
from orchestrator.daemon.config import Config
from orchestrator.daemon.following import Following
from orchestrator.daemon.observing import Observations
from orchestrator.daemon.vetting import Vetted, plan_campaign, vet
from orchestrator.errors import CloudError, Refused
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.regions import with_regions
from orchestrator.rollout.ended import known
from orchestrator.rollout.retention import Retention, may_go
from orchestrator.wiring.cloud import Cloud
from orchestrator.wiring.journal import archive_of
from orchestrator.wiring.rollout import ScopeHost, prepare, read_plan, start

log = structlog.get_logger("wavekeeper.daemon")

T = TypeVar("T")

LOOK_EVERY: Final = timedelta(seconds=20)
"""How often the calendar is looked at: a rollout begins within so long of its moment."""

AGAIN_AFTER: Final = timedelta(minutes=5)
"""After which what could not be opened is tried again: the fleet couldn't be read, or another rollout has its machines."""

ARCHIVE_EVERY: Final = timedelta(days=1)

WHO: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Waits:
    """A moment that is due and could not be opened yet: why, and when it is tried again."""

    due: Due
    why: str
    again_at: datetime


@dataclass(slots=True)
class Daemon:
    """What goes on, and what anybody may look at of it."""

    config: Config
    cloud: Cloud
    house: ScopeHost
    pool: ProcessPoolExecutor
    following: Following = field(init=False)
    waits: dict[str, Waits] = field(default_factory=dict)
    observations: Observations = field(init=False)
    fleet: Inventory | None = None
    fleet_at: datetime | None = None

    def __post_init__(self) -> None:
        """Follow the branch that the configuration names."""
        git = self.config.git
        repository = Repository(git.source, git.branch, self.config.state / "git", self.config.login)
        self.following = Following(repository, git.folder, self.config.state, self.vet, self.cloud.clock.now)
        self.observations = Observations(self.config.state / "observed", self.house.services)

    async def run(self) -> None:
        """Until it is told to leave, or the journal fails."""
        for rollout in self.house.log.scope.active():
            self.house.drive(rollout)
            log.info("going on with a rollout", rollout=rollout.id, status=str(rollout.status))
        self.following.remember()
        besides = (self._follow(), self._keep_calendar(), self._keep_small(), self.house.run())
        try:
            async with asyncio.TaskGroup() as group:
                for work in besides:
                    group.create_task(work)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            self.observations.cancel()

    def entries(self) -> tuple[Entry, ...]:
        """The calendar as it is now; nothing before any commit counts."""
        good = self.following.followed.good
        if good is None:
            return ()
        scope = self.house.log.scope
        done = opened(known(scope)) | self.observations.known()
        return calendar(good.policies, self.config.campaigns, good.since, done, self.cloud.clock.now())

    async def _keep_small(self) -> None:
        """Once a day, move what has been over for long enough into an archive beside the journal."""
        while True:
            if may_go(
                self.house.log.scope, self._retention, self.cloud.clock.now(), driven=self.house.hosts
            ).ids:
                await self._archive()
            await self.cloud.clock.sleep(ARCHIVE_EVERY.total_seconds())

    @property
    def _retention(self) -> Retention:
        return Retention(older_than=self.config.keep_for)

    async def _archive(self) -> None:
        try:
            went = await self.house.archive(
                self._retention, lambda number: str(archive_of(self.config.journal, number).resolve())
            )
        except Refused as refused:
            log.warning("nothing could be archived", why=str(refused))
        else:
            log.info("archived", archive=went.archive, rollouts=len(went.rollouts), rows=went.rows)

    # Policies -------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self.following.look()
            except CloudError as error:
                log.warning("the fleet can not be read, so a new commit can not be tried", why=str(error))
            await self.cloud.clock.sleep(self.config.git.every.total_seconds())

    async def vet(self, folder: Path, prefix: str) -> Vetted:
        """Try the policies of a commit on the fleet as it is. Raises `CloudError` where that can't be read."""
        now = self.cloud.clock.now()
        if self.fleet is None or self.fleet_at is None or now - self.fleet_at > self.config.inventory_age:
            await self._read_fleet()
        assert self.fleet is not None
        return await self._apart(vet, folder, prefix, native.dump(self.fleet), now)

    async def _read_fleet(self) -> Inventory:
        self.fleet = with_regions(await self.cloud.provider.inventory(self.config.subscriptions))
        self.fleet_at = self.cloud.clock.now()
        return self.fleet

    async def _apart(self, work: Callable[..., T], *given: Any) -> T:
        """In a process of its own: rollouts go on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, partial(work, *given))

    # The calendar ---------------------------------------------------------------------------------------------

    async def _keep_calendar(self) -> None:
        while True:
            for entry in self.entries():
                if entry.due is not None and self._tries(entry.due):
                    await self._open(entry.due, act=entry.act)
            await self.cloud.clock.sleep(LOOK_EVERY.total_seconds())

    def _tries(self, due: Due) -> bool:
        waiting = self.waits.get(due.campaign)
        return waiting is None or waiting.due != due or waiting.again_at <= self.cloud.clock.now()

    async def _open(self, due: Due, *, act: bool) -> None:
        good = self.following.followed.good
        assert good is not None
        try:
            fleet = await self._read_fleet()
            plan = await self._apart(plan_campaign, native.dump(fleet), good.policies, due.campaign)
            if not act:
                self.waits.pop(due.campaign, None)
                self.observations.begin(due, plan, fleet)
                return
            reason = f"due {due.at:%Y-%m-%d %H:%M} UTC, commit {good.commit.short}"
            read = read_plan(plan)
            handover = await prepare(
                read, self.house.services, who=WHO, reason=reason, live=fleet, endpoint=self.cloud.endpoint,
                due=due.at, commit=good.commit.id,
            )  # fmt: skip
            rollout = await start(self.house, read, handover)
        except (CloudError, Refused) as error:
            self._wait(due, str(error))
            return
        self.waits.pop(due.campaign, None)
        log.info("opened", rollout=rollout.id, campaign=due.campaign, due=due.at, commit=good.commit.short)

    def _wait(self, due: Due, why: str) -> None:
        before = self.waits.get(due.campaign)
        if before is None or before.why != why:
            log.warning("due, and can not be opened yet", campaign=due.campaign, due=due.at, why=why)
        self.waits[due.campaign] = Waits(due, why, self.cloud.clock.now() + AGAIN_AFTER)
