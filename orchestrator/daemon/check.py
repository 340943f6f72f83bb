"""What a daemon would do under a configuration, without being one: for whoever sets it up, and for a pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from orchestrator.access.doubts import doubts
from orchestrator.clock import SystemClock
from orchestrator.daemon.calendar import Due, Entry, calendar, opened, strangers
from orchestrator.daemon.checkout import prefix_of
from orchestrator.daemon.config import Config
from orchestrator.daemon.fleet import read_apart
from orchestrator.daemon.following import since_of
from orchestrator.daemon.observing import observed
from orchestrator.daemon.stragglers import with_stragglers
from orchestrator.daemon.vetting import vet
from orchestrator.errors import CloudError, GitError
from orchestrator.gitops.repository import Repository
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import RolloutStatus, Scope, StageStatus
from orchestrator.service.look import look
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.journal import look_into


@dataclass(frozen=True, slots=True)
class GoingOn:
    """A rollout of the journal that isn't over: how it stands, and what it waits for, if it does."""

    rollout: str
    stands: str
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The newest commit, and what is to be said of it; what the journal has under way, and what comes."""

    commit: str = ""
    policies: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    going_on: tuple[GoingOn, ...] = ()
    calendar: tuple[Entry, ...] = ()


async def check(config: Config) -> Checked:
    """Look at the branch, the fleet, the policies and the journal once. Nothing is kept, nothing is changed.

    Raises:
        UsageError, AccessDenied: the cloud can't be spoken to at all.
        JournalError: there is a journal, and it can't be read.
    """
    with TemporaryDirectory(prefix="wavekeeper-") as folder:
        repository = Repository(config.git.source, config.git.branch, Path(folder) / "git", config.login)
        try:
            commit = await asyncio.to_thread(repository.newest)
            checkout = Path(folder) / "checkout"
            await asyncio.to_thread(repository.write_out, commit.id, config.git.folder, checkout)
        except GitError as error:
            return Checked(problems=(str(error),))
        cloud = await open_cloud(config.endpoint)
        await cloud.provider.close()
        try:
            fleet = await read_apart(config.endpoint, config.subscriptions)
        except CloudError as error:
            return Checked(str(commit), problems=(f"the fleet can't be read: {error}",))
        now = cloud.clock.now()
        vetted = await asyncio.to_thread(vet, checkout, prefix_of(config.git.folder), fleet, now)
    scope = await _scope(config.journal) if await asyncio.to_thread(config.journal.exists) else Scope()
    missing = () if vetted.problems else strangers(vetted.policies, config.campaigns)
    notes = [f"the configuration names the campaign {name}, and no policy has it" for name in missing]
    notes += await doubts(config.access, SystemClock().now())
    entries = with_stragglers(
        calendar(vetted.policies, config.campaigns, _since(config), _done(config, scope), now),
        vetted.policies,
        config.campaigns,
        known(scope),
        now,
    )
    return Checked(
        str(commit), len(vetted.policies), vetted.problems, (*vetted.notes, *notes), going_on(scope), entries
    )


def going_on(scope: Scope) -> tuple[GoingOn, ...]:
    """What isn't over, oldest first."""
    return tuple(
        GoingOn(one.id, str(one.status), _waits(one.stage_status, one.status, one.cause))
        for one in scope.active()
    )


def _waits(stage: StageStatus, status: RolloutStatus, cause: str) -> str:
    if status is RolloutStatus.RUNNING and stage is StageStatus.AWAITING:
        return "a person's yes to its next stage: wavekeeper approve"
    if status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
        return f"a person, since: {cause}" if cause else "a person"
    return ""


async def _scope(path: Path) -> Scope:
    journal = await look_into(path)
    try:
        return await look(journal)
    finally:
        await journal.close()


def _since(config: Config) -> Mapping[str, datetime]:
    return since_of(config.state) or MappingProxyType({})


def _done(config: Config, scope: Scope) -> frozenset[Due]:
    return opened(known(scope)) | observed(config.state / "observed")
