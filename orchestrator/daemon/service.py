"""The daemon at work: one process that follows policies, opens what is due, and drives every rollout of its fleet until it is over.

Nothing in it is remembered by the process alone: rollouts stand in the journal, the commit that counts stands beside it. Killing it is
as safe as killing a single rollout; the next one goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from orchestrator.daemon.apart import Apart
from orchestrator.daemon.calendar import Entry, strangers
from orchestrator.daemon.config import Config
from orchestrator.daemon.fleet import Fleet, Known, read_fleet
from orchestrator.daemon.following import Following
from orchestrator.daemon.living import Living
from orchestrator.daemon.matters import Seen
from orchestrator.daemon.observing import Observations
from orchestrator.daemon.opening import Opening
from orchestrator.daemon.tags import keep
from orchestrator.daemon.telling import Telling
from orchestrator.daemon.vetting import Vetted, vet
from orchestrator.errors import CloudError, Refused, WavekeeperError
from orchestrator.gitops.repository import Repository
from orchestrator.rollout.holds import standing
from orchestrator.rollout.retention import Retention, may_go
from orchestrator.web.tls import ends_at
from orchestrator.wiring.cloud import Cloud, Hear, unheard
from orchestrator.wiring.journal import archive_of
from orchestrator.wiring.rollout import ScopeHost

log = structlog.get_logger("wavekeeper.daemon")

ARCHIVE_EVERY: Final = timedelta(days=1)


@dataclass(slots=True)
class Daemon:
    """What goes on, and what anybody may look at of it."""

    config: Config
    cloud: Cloud
    house: ScopeHost
    apart: Apart
    hear: Hear = unheard  # of each request that reading the inventory took
    fleet: Fleet = field(init=False)
    following: Following = field(init=False)
    observations: Observations = field(init=False)
    opening: Opening = field(init=False)
    telling: Telling = field(init=False)
    began: datetime = field(init=False)
    living: Living = field(init=False)

    def __post_init__(self) -> None:
        """Follow the branch that the configuration names."""
        git = self.config.git
        repository = Repository(git.source, git.branch, self.config.state / "git", self.config.login)
        self.following = Following(repository, git.folder, self.config.state, self.vet, self.cloud.clock.now)
        self.observations = Observations(self.config.state / "observed", self.house.services)
        self.fleet = Fleet(self._ask, self.cloud.clock.now, self.house.services.aside, self._keep)
        self.opening = Opening(
            lambda: self.config,
            self.following,
            self.fleet,
            self.house,
            self.apart,
            self.observations,
            self.cloud.endpoint,
        )
        self.began = self.cloud.clock.now()
        self.telling = Telling(self.house, lambda: self.config.tell, self._seen)
        self.living = Living(lambda: self.config, self.fleet, self.house, self.following, self.apart)

    async def run(self) -> None:
        """Until it is told to leave, or the journal fails."""
        await self.telling.name_receivers()
        for rollout in list(
            self.house.log.scope.rollouts.values()
        ):  # also those that are over and owe something
            self.house.drive(rollout)
            log.info("going on with a rollout", rollout=rollout.id, status=str(rollout.status))
        self.following.remember()
        self.warn_of_strangers()
        besides = (
            self._follow(),
            self.opening.keep(),
            self._keep_small(),
            self.telling.look(),
            self.telling.tell(),
            self.living.keep_inventory(),
            self.living.keep_health(),
            self.house.run(),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for work in besides:
                    group.create_task(work)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            self.observations.cancel()

    def entries(self) -> tuple[Entry, ...]:
        """The calendar as it is now."""
        return self.opening.entries()

    def _seen(self) -> Seen:
        """What it may say of itself."""
        now = self.cloud.clock.now()
        return Seen(
            now,
            self.following.followed,
            self.entries(),
            self.opening.waits,
            self.fleet.age,
            self.config.inventory_limit,
            now - self.began,
            standing(self.house.log.scope.holds, now),
            self.certificate_ends(),
            self.config.access.tokens,
        )

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate ends, if it has one."""
        web = self.config.web
        return ends_at(web.tls) if web is not None and web.tls is not None else None

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
            before = self.following.followed.good
            try:
                await self.following.look()
            except CloudError as error:
                log.warning("the fleet can not be read, so a new commit can not be tried", why=str(error))
            except WavekeeperError as error:  # rollouts go on, whatever a commit does to those who try it
                log.warning("a new commit can not be tried", why=str(error))
            if self.following.followed.good is not before:
                self.warn_of_strangers()
            await self.cloud.clock.sleep(self.config.git.every.total_seconds())

    def warn_of_strangers(self) -> None:
        """Tell of campaigns that the configuration names and no policy that counts has."""
        good = self.following.followed.good
        if good is not None and (names := strangers(good.policies, self.config.campaigns)):
            log.warning(
                "the configuration names campaigns that no policy has",
                campaigns=names,
                commit=good.commit.short,
            )

    async def vet(self, folder: Path, prefix: str) -> Vetted:
        """Try the policies of a commit on the fleet as it is. Raises `CloudError` where that can't be read."""
        fleet = await self.fleet.younger(self.config.subscriptions, self.config.inventory_age)
        return await self.apart(vet, folder, prefix, fleet.file, self.cloud.clock.now())

    def _keep(self, known: Known) -> None:
        """What the next start needs of it before it can read it."""
        keep(self.config.state, known, self.config.access)

    async def _ask(self, subscriptions: Sequence[str]) -> bytes:
        came = await self.apart(read_fleet, self.cloud.endpoint or None, subscriptions)
        for request in came.requests:
            self.hear(*request)
        if came.error is not None:
            raise came.error
        return came.file
