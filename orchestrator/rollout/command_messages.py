"""What people ask for: commands. Named by `messages`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.inventory.model import MachineId
from orchestrator.rollout.planned import Planned


@dataclass(frozen=True, slots=True)
class Start:
    """Run this plan. `dropped` are machines that are gone, off or on hold since it was made, with the reason.

    `due` and `commit`: see `RolloutStarted`. `emergency`: why it waits for less from its start on; empty: it doesn't.
    """

    rollout: str
    planned: Planned
    digest: str
    who: str
    reason: str
    dropped: tuple[tuple[int, str], ...] = ()
    scale: float = 1.0
    due: datetime | None = None
    commit: str = ""
    emergency: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """No new grants; what has begun is carried through."""

    rollout: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the same plan."""

    rollout: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """Pause, then end; reverts nothing."""

    rollout: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Open the next stage."""

    rollout: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt at one machine."""

    rollout: str
    machine: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Not this machine."""

    rollout: str
    machine: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class WriteOff:
    """This machine won't come back; close its grant."""

    rollout: str
    machine: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Block:
    """Keep an update out of every campaign; `kb` is digits. It is about no rollout."""

    kb: str
    who: str
    reason: str
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Unblock:
    """Let it in again."""

    kb: str
    who: str
    reason: str
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the machines that an expression of `--select` selects out of every rollout until then. It is about no rollout.

    `matched`: whom it selects in the inventory that the person has at hand, if any.
    """

    select: str
    until: datetime
    who: str
    reason: str
    matched: tuple[MachineId, ...] = ()
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Unhold:
    """End a hold before its time."""

    hold: str
    who: str
    reason: str
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Emergency:
    """Have a rollout wait for less: windows, freezes, bakes and approvals."""

    rollout: str
    who: str
    reason: str


Command = (
    Start
    | Pause
    | Resume
    | Abort
    | Approve
    | Retry
    | Skip
    | WriteOff
    | Block
    | Unblock
    | Hold
    | Unhold
    | Emergency
)
