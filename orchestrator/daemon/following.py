"""Which commit counts: the newest one that was found fit. A bad one never replaces a good one, and says so.

What was found is kept in a file beside the journal, so that a restart goes on under the same commit, also while git can't be reached
or the newest commit is bad.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson
import structlog

from orchestrator.daemon.checkout import prefix_of, read_checkout
from orchestrator.daemon.vetting import Vetted
from orchestrator.errors import GitError, UsageError
from orchestrator.gitops.model import Commit
from orchestrator.gitops.repository import Repository
from orchestrator.policy.model import Policy
from orchestrator.policy.own import own
from orchestrator.wiring.files import read_bytes, write_bytes

log = structlog.get_logger("wavekeeper.policies")

Vet = Callable[[Path, str], Awaitable[Vetted]]
"""Tries the policies of a folder, which people know by a name."""

FILE: Final = "policies.json"
CHECKOUTS: Final = "checkouts"


def since_of(state: Path) -> dict[str, datetime]:
    """When each campaign came to count, as the daemon of that folder has written it down; nothing if none ever ran."""
    file = state / FILE
    if not file.exists():
        return {}
    told: dict[str, Any] = orjson.loads(read_bytes(file, "state of the daemon"))
    return {name: datetime.fromisoformat(at) for name, at in told["since"].items()}


@dataclass(frozen=True, slots=True)
class Good:
    """The commit that counts. `since` is when each campaign came to count, by name."""

    commit: Commit
    accepted_at: datetime
    policies: tuple[Policy, ...]
    since: Mapping[str, datetime]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bad:
    """A commit that doesn't count, and why."""

    commit: Commit
    problems: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """How a branch stands. `unreachable`: why it couldn't be asked, since when. `rewritten`: it doesn't descend from what counted before.

    `looked_at`: when this process last learned how it stands; None before it has.
    """

    good: Good | None = None
    bad: Bad | None = None
    unreachable: str = ""
    unreachable_since: datetime | None = None
    rewritten: str = ""
    looked_at: datetime | None = None


@dataclass(slots=True)
class Following:
    """Looks at a branch, and tries what is new in it."""

    repository: Repository
    folder: str
    state: Path
    vet: Vet
    now: Callable[[], datetime]
    followed: Followed = field(default_factory=Followed)

    @property
    def prefix(self) -> str:
        """See `prefix_of`."""
        return prefix_of(self.folder)

    def remember(self) -> None:
        """Go on under the commit that counted when this was last run, if its files are still here and still read the same."""
        file = self.state / FILE
        if not file.exists():
            return
        told: dict[str, Any] = orjson.loads(read_bytes(file, "state of the daemon"))
        commit = Commit(**{**told["commit"], "at": datetime.fromisoformat(told["commit"]["at"])})
        try:
            loaded = read_checkout(self._checkout(commit), self.prefix)
        except UsageError:
            return  # it is read from git once more
        if loaded.problems:
            return
        since = {name: datetime.fromisoformat(at) for name, at in told["since"].items()}
        accepted = datetime.fromisoformat(told["accepted_at"])
        self.followed = Followed(Good(commit, accepted, own(loaded.policies), MappingProxyType(since)))
        log.info("going on under the commit that counted before", commit=commit.short)

    async def look(self) -> Followed:
        """Ask for the newest commit, and try it if it is new. Never raises for what is wrong with git or the policies."""
        try:
            newest = await asyncio.to_thread(self.repository.newest)
            await self._try(newest)
        except GitError as error:
            self._unreachable(str(error))
        self.followed = replace(self.followed, looked_at=self.now())
        return self.followed

    async def _try(self, newest: Commit) -> None:
        before = self.followed
        if before.unreachable:
            log.info("git answers again", source=self.repository.source)
            self.followed = replace(before, unreachable="", unreachable_since=None)
        if any(known and known.commit.id == newest.id for known in (before.good, before.bad)):
            if before.good and before.good.commit.id == newest.id and before.bad is not None:
                self.followed = replace(
                    self.followed, bad=None
                )  # taken back: what counts is the newest again
            return
        rewritten = await self._rewritten(newest)
        folder = self._checkout(newest)
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                await asyncio.to_thread(self.repository.write_out, newest.id, self.folder, folder)
            except GitError as error:  # of what is in the commit: git itself has just answered
                self._refuse(newest, (str(error),), rewritten)
                return
        vetted = await self.vet(folder, self.prefix)
        if vetted.problems:
            self._refuse(newest, vetted.problems, rewritten)
        else:
            self._accept(newest, vetted, rewritten)

    def _refuse(self, newest: Commit, problems: tuple[str, ...], rewritten: str) -> None:
        self.followed = replace(self.followed, bad=Bad(newest, problems, self.now()), rewritten=rewritten)
        counts = self.followed.good.commit.short if self.followed.good else "nothing"
        log.error("a commit is bad and does not count", commit=str(newest), counts=counts, problems=problems)

    def _accept(self, newest: Commit, vetted: Vetted, rewritten: str) -> None:
        at, before = self.now(), self.followed.good
        since = {
            policy.name: (before.since if before is not None else {}).get(policy.name, at)
            for policy in vetted.policies
            if policy.campaign is not None
        }
        good = Good(newest, at, vetted.policies, MappingProxyType(since), vetted.notes)
        told = {
            "commit": {"id": newest.id, "author": newest.author, "at": newest.at, "subject": newest.subject},
            "accepted_at": at,
            "since": since,
        }
        write_bytes(self.state / FILE, orjson.dumps(told))
        self.followed = Followed(good, rewritten=rewritten)
        log.info("a commit counts from now on", commit=str(newest), notes=vetted.notes)
        self._tidy(newest)

    async def _rewritten(self, newest: Commit) -> str:
        good = self.followed.good
        if good is None or await asyncio.to_thread(self.repository.descends, newest.id, good.commit.id):
            return ""
        told = f"{newest.short} does not come of {good.commit.short}, which counted before: the branch was rewritten"
        log.warning("the branch was rewritten", newest=newest.short, before=good.commit.short)
        return told

    def _unreachable(self, why: str) -> None:
        since = self.followed.unreachable_since or self.now()
        if why != self.followed.unreachable:
            counts = self.followed.good.commit.short if self.followed.good else "nothing"
            log.warning("git can not be asked", why=why, counts=counts)
        self.followed = replace(self.followed, unreachable=why, unreachable_since=since)

    def _checkout(self, commit: Commit) -> Path:
        return self.state / CHECKOUTS / commit.id

    def _tidy(self, keep: Commit) -> None:
        for other in (self.state / CHECKOUTS).iterdir():
            if other.name != keep.id:
                shutil.rmtree(other, ignore_errors=True)
