"""A rollout put together in virtual time: the emulator's world behind the cloud's port, a journal in memory, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from shutil import copy
from typing import Any, Protocol

from orchestrator.clock import Clock
from orchestrator.cloud.arm.provider import ArmProvider
from orchestrator.cloud.arm.transport import EmulatedSession
from orchestrator.cloud.emulated import Watch, unwatched
from orchestrator.cloud.port import CloudProvider
from orchestrator.cloud.simulated import GlancingProvider, SimulatedProvider
from orchestrator.emulator.world import World
from orchestrator.executor.services import Services, services
from orchestrator.executor.settings import Settings
from orchestrator.hosts.resting import Pace
from orchestrator.notify.port import Delivery, Webhooks
from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.port import Reply, Subject
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from orchestrator.store.port import Journal
from orchestrator.store.sqlite import SqliteJournal

NO_INBOX = Pace(inbox_every_s=0)
"""Nobody else can reach a rollout that lives in one process for a moment."""

LISTENING = Pace(inbox_every_s=30)
"""Letters come now and then, from processes of the same virtual time."""

UNHURRIED = Settings(watch_least=timedelta(minutes=5))
"""In a bake of days the whole fleet is looked at now and then, not each minute: that is most of what a run costs."""


@dataclass(frozen=True, slots=True)
class _WorldProber:
    """Asks a machine's own health endpoint in the emulated world, whatever the probe's address. Who is no machine (a group) is as
    well as it is told.
    """

    world: World
    clock: Clock
    ids: Mapping[str, str]  # name in lower case -> id
    others_well: Callable[[], bool]

    async def ask(self, probe: Probe, subject: Subject) -> Reply:  # noqa: ARG002 - the port's
        """One answer, at once."""
        machine = self.ids.get(subject.name.lower())
        if machine is None:
            well = self.others_well()
            return Reply(well=well, asked=True, evidence="200" if well else "503: no quorum")
        status, _ = self.world.probe(machine, self.clock.now())
        return Reply(well=status == 200, asked=True, evidence=str(status or "no answer"))

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class WillingWebhooks:
    """Knows every name, and every call succeeds."""

    def knows(self, name: str) -> bool:  # noqa: ARG002 - the port's
        """Whatever it is."""
        return True

    async def call(
        self,
        name: str,  # noqa: ARG002 - the port's, as the others
        key: str,  # noqa: ARG002
        body: Mapping[str, Any],  # noqa: ARG002
        timeout_s: float,  # noqa: ARG002
    ) -> Delivery:
        """Done."""
        return Delivery(ok=True, evidence="200")

    async def close(self) -> None:
        """Nothing is held."""


class Face(StrEnum):
    """How a process in virtual time speaks to the emulated world."""

    PROVIDER = "provider"  # straight to the world, in place of the SDK
    GLANCES = "glances"  # the same, lists without their pages: as quick as can be, and no fault strikes them
    TRANSPORT = "transport"  # through the SDK: its codec, headers and errors


def virtual_services(
    world: World,
    clock: Clock,
    *,
    face: Face = Face.PROVIDER,
    webhooks: Webhooks | None = None,
    watch: Watch = unwatched,
    worlds_clock: Clock | None = None,
    settings: Settings = UNHURRIED,
    groups_well: Callable[[], bool] = lambda: True,
) -> Services:
    """The doors to an emulated world: probes are answered by it, those of groups by `groups_well`, webhooks succeed unless others are given.

    `worlds_clock` is the world's where the process's own may be wrong. `watch` is told of every request to the cloud.
    """
    true = worlds_clock or clock
    ids = {machine.rpartition("/")[2].lower(): str(machine) for machine in world.machines()}
    prober = _WorldProber(world, true, ids, groups_well)
    probers = {ProbeKind.HTTP: prober, ProbeKind.TCP: prober}
    return services(
        _provider(world, true, clock, face, watch), probers, webhooks or WillingWebhooks(), clock, settings
    )


def _provider(world: World, true: Clock, clock: Clock, face: Face, watch: Watch) -> CloudProvider:
    if face is Face.GLANCES:
        return GlancingProvider(world, true, watch)
    if face is Face.PROVIDER:
        return SimulatedProvider(world, true, watch)
    session: Any = EmulatedSession(world, true, watch)  # of the SDK's session as much as its transport uses
    return ArmProvider(clock, endpoint="http://127.0.0.1:1", session=session)


class Disk(Protocol):
    """Where a journal is kept between processes."""

    async def journal(self) -> Journal:
        """The journal as a new process opens it."""
        ...

    def died(self) -> None:
        """The process that wrote it is dead, and its lock with it."""
        ...

    def lose_lock(self) -> None:
        """The lock of whoever writes is gone, and nobody told them."""
        ...

    def copied(self, name: str) -> Disk:
        """It as it stands, to be kept as a value (pickled) and written on later: what is done to the one changes nothing on the other."""
        ...


class MemoryStore:
    """A disk in memory."""

    def __init__(self) -> None:
        self._disk = MemoryDisk()

    async def journal(self) -> Journal:
        """The journal as a new process opens it."""
        return MemoryJournal(self._disk)

    def died(self) -> None:
        """Let go of the lock."""
        self._disk.let_go()

    def lose_lock(self) -> None:
        """Let go of it."""
        self._disk.let_go()

    def copied(self, name: str) -> MemoryStore:  # noqa: ARG002 - nothing has a name here
        """Itself: whoever keeps it as a value has copied it."""
        return self


class FileStore:
    """A SQLite file in a folder. It works in the caller's thread, since virtual time knows no other."""

    def __init__(self, folder: Path, name: str = "journal") -> None:
        self._folder = folder
        self._path = folder / f"{name}.db"

    async def journal(self) -> Journal:
        """The journal as a new process opens it."""
        return await SqliteJournal.open(self._path, inline=True)

    def died(self) -> None:
        """A copy of what a dead process leaves, since this very process still has the file open and locked."""
        self._path = self._copy(self._path.stem + "'")

    def lose_lock(self) -> None:
        """Take the lock's file away: the next process locks another one of its name."""
        for lock in self._folder.glob(f"{self._path.name}*lock"):
            lock.unlink()

    def copied(self, name: str) -> FileStore:
        """A file of its own, with all that is in this one."""
        self._copy(name)
        return FileStore(self._folder, name)

    def _copy(self, name: str) -> Path:
        """Copy the file and its log, as they lie there."""
        target = self._folder / f"{name}.db"
        for ending in ("", "-wal"):
            source = self._path.with_name(self._path.name + ending)
            if source.exists():
                copy(source, target.with_name(target.name + ending))
        return target
