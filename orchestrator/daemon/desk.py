"""The daemon as the API sees it: one who writes the journal, follows policies and keeps the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import structlog

from orchestrator.daemon.fleet import FRESH
from orchestrator.daemon.observing import Observations
from orchestrator.daemon.service import Daemon
from orchestrator.daemon.tags import Tagged, remembered
from orchestrator.gitops.model import Commit
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.web.desk import Listener
from orchestrator.web.models import Coming, CommitTold, GrantTold, ObservationTold, PoliciesTold
from orchestrator.wiring.journal import Journal, archive_of
from orchestrator.wiring.rollout import ReadPlan, prepare, read_plan
from orchestrator.wiring.shelf import Shelf

log = structlog.get_logger("wavekeeper.web")

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(slots=True)
class DaemonDesk:
    """See `web.desk.Desk`."""

    daemon: Daemon
    shelf: Shelf = field(init=False)
    _before: Tagged | None = field(init=False)
    _tagged: tuple[Inventory | None, Mapping[MachineId, Mapping[str, str]]] = (None, MappingProxyType({}))

    def __post_init__(self) -> None:
        """What is over is read from the daemon's own journal, and whose machines are whose from what the one before kept."""
        self.shelf = Shelf(self.daemon.config.journal)
        self._before = remembered(self.daemon.config.state)
        if self._before is not None:
            log.info(
                "until the fleet is read, roles by tag go by the tags of before", read_at=self._before.at
            )

    @property
    def scope(self) -> Scope:
        """See the port."""
        return self.daemon.house.log.scope

    @property
    def journal(self) -> Journal:
        """See the port."""
        return self.daemon.house.log.journal

    @property
    def fleet(self) -> Inventory | None:
        """See the port."""
        known = self.daemon.fleet.known
        return known.inventory if known is not None else None

    def now(self) -> datetime:
        """See the port."""
        return self.daemon.cloud.clock.now()

    def tags(self, machine: MachineId) -> Mapping[str, str]:
        """See the port."""
        fleet = self.fleet
        if fleet is None:
            return self._before.of.get(machine, _NONE) if self._before is not None else _NONE
        if self._tagged[0] is not fleet:
            self._tagged = (fleet, {one.id: one.tags for one in fleet.machines})
            self._before = None
        return self._tagged[1].get(machine, _NONE)

    def calendar(self) -> tuple[Coming, ...]:
        """See the port."""
        waits = self.daemon.opening.waits
        return tuple(
            Coming(
                entry.campaign,
                entry.act,
                entry.next,
                entry.due.at if entry.due is not None else None,
                entry.missed,
                waits[entry.campaign].why if entry.due is not None and entry.campaign in waits else "",
            )
            for entry in self.daemon.entries()
        )

    def policies(self) -> PoliciesTold:
        """See the port."""
        followed, git = self.daemon.following.followed, self.daemon.config.git
        good, bad = followed.good, followed.bad
        return PoliciesTold(
            _without_login(git.source),
            git.branch,
            _commit(good.commit, notes=good.notes) if good is not None else None,
            good.accepted_at if good is not None else None,
            _commit(bad.commit, problems=bad.problems) if bad is not None else None,
            followed.unreachable,
            followed.unreachable_since,
            followed.rewritten,
        )

    async def observations(self) -> tuple[ObservationTold, ...]:
        """See the port."""
        return await asyncio.to_thread(_observed, self.daemon.observations)

    async def whole(self, ended: Ended) -> Rollout:
        """See the port."""
        return await self.shelf.take(ended)

    def journal_of(self, rollout: Rollout | Ended) -> AbstractAsyncContextManager[Journal]:
        """See the port."""
        return self.shelf.file_of(rollout)

    async def read(self, plan: bytes) -> ReadPlan:
        """See the port."""
        return await asyncio.to_thread(read_plan, plan)

    async def prepare(self, plan: ReadPlan, who: str, reason: str) -> Handover:
        """See the port."""
        daemon = self.daemon
        fleet = await daemon.fleet.younger(daemon.config.subscriptions, FRESH)
        return await prepare(
            plan,
            daemon.house.services,
            who=who,
            reason=reason,
            live=fleet.inventory,
            endpoint=daemon.cloud.endpoint,
        )

    def next_archive(self) -> str:
        """See the port."""
        return str(archive_of(self.daemon.config.journal, self.scope.archivings + 1).resolve())

    def look_into_inbox(self) -> None:
        """See the port."""
        self.daemon.house.look_into_inbox()

    def listen(self, listener: Listener) -> AbstractContextManager[None]:
        """See the port."""
        return self.daemon.house.log.listening(listener)


def _commit(commit: Commit, *, problems: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> CommitTold:
    return CommitTold(commit.id, commit.author, commit.at, commit.subject, problems, notes)


def _without_login(source: str) -> str:
    """A URL may carry a token, which is nobody's to see."""
    parts = urlsplit(source)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.scheme else source


def _observed(observations: Observations) -> tuple[ObservationTold, ...]:
    found = [
        ObservationTold(
            one["campaign"],
            datetime.fromisoformat(one["due"]),
            one["status"],
            one["cause"],
            one["done"],
            datetime.fromisoformat(one["ended"]),
            tuple(
                GrantTold(grant["machine"], datetime.fromisoformat(grant["at"])) for grant in one["grants"]
            ),
        )
        for one in observations.told()
    ]
    return tuple(sorted(found, key=lambda one: (one.due, one.campaign), reverse=True))
