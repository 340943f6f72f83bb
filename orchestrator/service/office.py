"""The office: whoever keeps the rollouts of a scope, and can be asked about them from a terminal.

Commands ask it, and don't know which one answers: the journal on this machine (`wiring.office`), or a daemon elsewhere through its API
(`client.office`). What it answers is read off the same state by the same functions, so that both print the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from orchestrator.inventory.model import Inventory
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import Blocked
from orchestrator.service.blocking import Has
from orchestrator.service.compliance import Past
from orchestrator.service.enrolment import Enrolled
from orchestrator.service.happenings import Happening
from orchestrator.service.holds import Held
from orchestrator.service.status import Status
from orchestrator.service.taking_back import TakenBack
from orchestrator.store.port import Writer

__all__ = [
    "Barred",
    "Blocked",
    "Carried",
    "OfArchived",
    "OfMachine",
    "OfRollout",
    "OfSeveral",
    "Office",
    "Standing",
    "Target",
    "Went",
    "Whereabouts",
    "Writer",
]


@dataclass(frozen=True, slots=True)
class OfRollout:
    """Where one rollout stands, and who drives it, if anybody does."""

    status: Status
    writer: Writer | None


@dataclass(frozen=True, slots=True)
class OfSeveral:
    """Where each of the rollouts stands that go on at once."""

    rollouts: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class OfArchived:
    """What is still known of a rollout whose rows are in an archive: sentences."""

    rollout: str
    archive: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfMachine:
    """Why a machine is, or isn't, moving in a rollout: sentences. `machine` as it was asked for."""

    machine: str
    rollout: str
    lines: tuple[str, ...]


Whereabouts = OfRollout | OfSeveral | OfArchived | OfMachine
"""What `status` answers: of what, depends on what was named, and on what goes on."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a verb made happen, as sentences. `driven`: whether a process acts on it now."""

    rollout: str
    verb: str
    facts: tuple[str, ...]
    driven: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What a name means for a verb: the rollout by its whole id, and the machine by a name that no other of its plan has; or none."""

    rollout: str
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rollout stands, for whoever follows it. `rests`: only a person moves it on; `code`: how the command ends then."""

    status: Status
    rests: bool
    code: int


@dataclass(frozen=True, slots=True)
class Barred:
    """What is kept out after a block or its end; which rollouts that concerns, and who has the update already."""

    blocked: tuple[Blocked, ...]
    going_on: tuple[str, ...]
    has: tuple[Has, ...]


@dataclass(frozen=True, slots=True)
class Went:
    """What went into an archive. `left` are machines that are still out; `space` says why the file keeps its size, if it does."""

    archive: str
    rows: int
    rollouts: tuple[str, ...]
    left: tuple[str, ...]
    space: str


class Office(Protocol):
    """What commands ask. Every method raises `UsageError` for what isn't there, and `Refused` with what to do instead."""

    async def whereabouts(self, name: str | None) -> Whereabouts:
        """Where a rollout or a machine stands; without a name, the rollout that goes on, or each if several do."""
        ...

    async def story(self, name: str | None) -> Sequence[Happening]:
        """All that happened in a rollout, or in that of a machine, oldest first."""
        ...

    async def carry_out(self, verb: str, name: str | None, reason: str) -> Carried:
        """Have a verb carried out on what is named, in the name of whoever asks."""
        ...

    async def blocked(self) -> tuple[Blocked, ...]:
        """The updates that are kept out of every campaign."""
        ...

    async def block(self, verb: str, kb: str, reason: str) -> Barred:
        """Keep an update out (`block`), or let it in again (`unblock`). `kb` as digits."""
        ...

    async def holds(self) -> tuple[Held, ...]:
        """The holds that stand."""
        ...

    async def hold(
        self, select: str, until: str, reason: str, fleet: Inventory | None = None
    ) -> tuple[str, tuple[Held, ...]]:
        """Keep machines out of every rollout until then, as it was typed. The new hold's number, and all that stand."""
        ...

    async def unhold(self, hold: str, reason: str) -> tuple[Held, ...]:
        """End a hold before its time. Those that stand then."""
        ...

    async def installed(self, name: str, kbs: Collection[str] | None) -> tuple[str, TakenBack]:
        """A rollout's whole id, and what it installed that can be taken back; only these KBs, if any are named."""
        ...

    async def enrolled(self, name: str) -> Enrolled:
        """The settings that a rollout wrote, and how they were before."""
        ...

    async def past(self, now: datetime, deadline: timedelta) -> Past:
        """What the rollouts of the last thirteen months made of machines, for their compliance at `now`."""
        ...

    async def archive(self, retention: Retention, to: Path | None) -> Went:
        """Move what may go into an archive, `to` a file or wherever whoever keeps the journal puts it."""
        ...
