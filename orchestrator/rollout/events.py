"""Facts, in the past tense. One decision's facts are appended together and are what the state is folded from.

Machines are named by their place in the rollout's plan. Times are those of the row, except where a fact is about another time.
The codec writes the fields in their order: a field is only ever added at the end, with a default, under a new `v`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.rollout.machine_events import (
    Adopted,
    Assessed,
    AttemptRejected,
    AttemptUnsettled,
    ChangeEnded,
    ForeignRunSeen,
    Granted,
    Intended,
    IntentLapsed,
    MachineEnded,
    MachineEvent,
    MachineGone,
    MachineLeftOut,
    MachineRetried,
    MachineSkipped,
    MachineUnhealthy,
    MachineWrittenOff,
    NotStarted,
    Outcome,
    PartEnded,
    RestartForeseen,
    Started,
    StepEnded,
    Undecided,
    Verified,
)
from orchestrator.rollout.matter_events import (
    MatterEvent,
    MatterRaised,
    MatterSettled,
    MatterTold,
    ReceiversNamed,
)
from orchestrator.rollout.matters import Receiver
from orchestrator.rollout.shared_events import (
    Archived,
    BudgetsShrunk,
    CommandRefused,
    EmergencyDeclared,
    FleetSeen,
    GroupSeen,
    HoldLifted,
    HoldPlaced,
    HoldSeen,
    LaneGaveUp,
    LaneReplanned,
    MemberMoved,
    OutsidersSeen,
    PatchesSeen,
    Prepared,
    RolloutRefused,
    SharedEvent,
    StageApproved,
    StageAwaiting,
    StageBaking,
    StageOpened,
    StretchBegun,
    StretchStepEnded,
    Told,
    UpdateBlocked,
    UpdateUnblocked,
    WaveOpened,
    WavePassed,
)

__all__ = [
    "Adopted",
    "Archived",
    "Assessed",
    "AttemptRejected",
    "AttemptUnsettled",
    "BudgetsShrunk",
    "ChangeEnded",
    "CommandRefused",
    "EmergencyDeclared",
    "FleetSeen",
    "ForeignRunSeen",
    "Granted",
    "GroupSeen",
    "HoldLifted",
    "HoldPlaced",
    "HoldSeen",
    "Intended",
    "IntentLapsed",
    "LaneGaveUp",
    "LaneReplanned",
    "MachineEnded",
    "MachineGone",
    "MachineLeftOut",
    "MachineRetried",
    "MachineSkipped",
    "MachineUnhealthy",
    "MachineWrittenOff",
    "MatterEvent",
    "MatterRaised",
    "MatterSettled",
    "MatterTold",
    "MemberMoved",
    "NotStarted",
    "Outcome",
    "OutsidersSeen",
    "PartEnded",
    "PatchesSeen",
    "Prepared",
    "ReceiversNamed",
    "RestartForeseen",
    "RolloutRefused",
    "StageApproved",
    "StageAwaiting",
    "StageBaking",
    "StageOpened",
    "Started",
    "StepEnded",
    "StretchBegun",
    "StretchStepEnded",
    "Told",
    "Undecided",
    "UpdateBlocked",
    "UpdateUnblocked",
    "Verified",
    "WaveOpened",
    "WavePassed",
]

# The rollout ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RolloutStarted:
    """A plan was started, kept under `digest`. `dropped` were gone or off by then, each with its reason.

    `due`: the moment of a schedule that it was opened for; `commit`: of the policies that it was planned from.
    `receivers`: who is told of it besides those whom its plan names, as of then.
    """

    rollout: str
    digest: str
    who: str
    reason: str
    dropped: tuple[int, ...] = ()
    dropped_why: tuple[str, ...] = ()
    scale: float = 1.0  # how fast the cloud's time runs: other than 1 against an emulator only
    due: datetime | None = None
    commit: str = ""
    receivers: tuple[Receiver, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutPaused:
    """A person wants no new grants for now."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutResumed:
    """A person lets it go on. What counted for the stop is acknowledged."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutStopped:
    """It stopped by itself, and why; `machine` is -1 where no single machine is the cause."""

    why: str
    machine: int = -1


@dataclass(frozen=True, slots=True)
class RolloutAborted:
    """A person ended it. Nothing is reverted; what is in flight is carried through."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutFinished:
    """Every lane of every stage is finished."""


Event = (
    RolloutStarted
    | RolloutPaused
    | RolloutResumed
    | RolloutStopped
    | RolloutAborted
    | RolloutFinished
    | MachineEvent
    | SharedEvent
    | MatterEvent
)
