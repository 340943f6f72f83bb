"""Facts, in the past tense. One decision's facts are appended together and are what the state is folded from.

Machines are named by their place in the rollout's plan. Times are those of the row, except where a fact is about another time.
The codec writes the fields in their order: a field is only ever added at the end, with a default, under a new `v`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.rollout.shared_events import (
    Archived,
    BudgetsShrunk,
    CommandRefused,
    FleetSeen,
    GroupSeen,
    LaneGaveUp,
    LaneReplanned,
    PatchesSeen,
    Prepared,
    RolloutRefused,
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

__all__ = [  # those of the other file: facts are named by this one, whichever they are about
    "Archived",
    "BudgetsShrunk",
    "CommandRefused",
    "FleetSeen",
    "GroupSeen",
    "LaneGaveUp",
    "LaneReplanned",
    "PatchesSeen",
    "Prepared",
    "RolloutRefused",
    "StageApproved",
    "StageAwaiting",
    "StageBaking",
    "StageOpened",
    "StretchBegun",
    "StretchStepEnded",
    "Told",
    "UpdateBlocked",
    "UpdateUnblocked",
    "WaveOpened",
    "WavePassed",
]

# The rollout ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RolloutStarted:
    """A plan was started, kept under `digest`. `dropped` were gone or off by then, each with its reason.

    `due`: the moment of a schedule that it was opened for; `commit`: of the policies that it was planned from.
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


# One machine ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    """It may be down from now on; it was well just before, unless it is `broken`: out already, and to be repaired.

    `restarts` False: its change leaves it serving, so that it takes no place of budgets of restarts.
    """

    machine: int
    broken: bool = False
    restarts: bool = True


@dataclass(frozen=True, slots=True)
class RestartForeseen:
    """A machine that was to stay up goes down with its change after all, or has: from now on it counts among restarts."""

    machine: int
    why: str


@dataclass(frozen=True, slots=True)
class Intended:
    """One request is about to be sent, and not after `not_after`. `baseline` is the last patch run's id, or empty."""

    machine: int
    attempt: int
    key: str
    baseline: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class IntentLapsed:
    """The request was surely never sent."""

    machine: int


@dataclass(frozen=True, slots=True)
class Started:
    """202. Both URLs to the byte; an empty `result_url` is the status URL's own with `&monitor=true`."""

    machine: int
    status_url: str
    result_url: str = ""


@dataclass(frozen=True, slots=True)
class AttemptRejected:
    """Refused by the cloud: surely not begun. With `retry_at` it is tried again under the same grant."""

    machine: int
    code: str
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttemptUnsettled:
    """Nobody knows whether the request was taken."""

    machine: int
    why: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """The machine shows a run that wasn't there before. `sure` if it can only be ours."""

    machine: int
    status_url: str
    sure: bool


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Read back long enough, each read good: the request was never taken."""

    machine: int


@dataclass(frozen=True, slots=True)
class Undecided:
    """It can't be settled: it counts as out, and is a person's."""

    machine: int
    why: str


@dataclass(frozen=True, slots=True)
class ForeignRunSeen:
    """Somebody else patches this machine right now; we wait."""

    machine: int


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step before (`after` False) or after the change ended; `step` is its place among those."""

    machine: int
    after: bool
    step: int
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class ChangeEnded:
    """The change ended: `changed`, or not and why. `passing` if that kind of failure is known to pass.

    `begun` False: nothing was sent, since the rollout was stopped or aborted between grant and intent. `patches` is the number of a
    `PatchesSeen`, -1 for none; `meaning` the name of what it means.
    """

    machine: int
    changed: bool
    passing: bool
    detail: str
    begun: bool = True
    patches: int = -1
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class PartEnded:
    """One request of a change that is several took; the next one follows under the same grant. `patches` as in `ChangeEnded`."""

    machine: int
    detail: str
    patches: int = -1


@dataclass(frozen=True, slots=True)
class Assessed:
    """A fresh assessment says how many patches of the set are still missing, after a run that may not be ours."""

    machine: int
    pending: int


@dataclass(frozen=True, slots=True)
class Verified:
    """The probes' first verdict after the change, where steps follow."""

    machine: int
    well: bool
    evidence: str


class Outcome(StrEnum):
    """How a machine's part ended; the values are `MachineStatus`'s."""

    DONE = "done"
    NOT_CHANGED = "not_changed"
    PENDING = "pending"  # not changed, well, and to be tried once more


@dataclass(frozen=True, slots=True)
class MachineEnded:
    """Well, and its grant is returned."""

    machine: int
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MachineUnhealthy:
    """Well before, not now. `late`: it had been done already. Keeps, or takes again, its grant."""

    machine: int
    evidence: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class MachineLeftOut:
    """Not begun, and why."""

    machine: int
    why: str


@dataclass(frozen=True, slots=True)
class MachineGone:
    """The cloud doesn't know it any more."""

    machine: int


@dataclass(frozen=True, slots=True)
class MachineRetried:
    """A person wants the next attempt, under a fresh grant."""

    machine: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class MachineSkipped:
    """A person wants it not done. A disruption that is open stays open until the machine is seen well."""

    machine: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class MachineWrittenOff:
    """A named person gave it up: its grant is closed for good, and it counts as out no more."""

    machine: int
    who: str
    reason: str


Event = (
    RolloutStarted
    | Prepared
    | RolloutRefused
    | RolloutPaused
    | RolloutResumed
    | RolloutStopped
    | RolloutAborted
    | RolloutFinished
    | StageOpened
    | StageBaking
    | StageAwaiting
    | StageApproved
    | WaveOpened
    | WavePassed
    | LaneGaveUp
    | BudgetsShrunk
    | LaneReplanned
    | Granted
    | RestartForeseen
    | Intended
    | IntentLapsed
    | Started
    | PatchesSeen
    | AttemptRejected
    | AttemptUnsettled
    | Adopted
    | NotStarted
    | Undecided
    | ForeignRunSeen
    | StepEnded
    | PartEnded
    | ChangeEnded
    | Assessed
    | Verified
    | MachineEnded
    | MachineUnhealthy
    | MachineLeftOut
    | MachineGone
    | MachineRetried
    | MachineSkipped
    | MachineWrittenOff
    | FleetSeen
    | GroupSeen
    | StretchBegun
    | StretchStepEnded
    | Told
    | UpdateBlocked
    | UpdateUnblocked
    | CommandRefused
    | Archived
)
