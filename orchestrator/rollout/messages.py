"""What reaches the decider: commands (a person asks), observations (the world reports), and time passing.

Machines are named by their place in the plan. An observation says which attempt it belongs to, so that one that
comes late, after a crash or a retry, is recognised and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.inventory.model import MachineId
from orchestrator.planner.membership import Moved
from orchestrator.rollout.command_messages import (
    Abort,
    Approve,
    Block,
    Command,
    Emergency,
    Hold,
    Pause,
    Resume,
    Retry,
    Skip,
    Start,
    Unblock,
    Unhold,
    WriteOff,
)
from orchestrator.rollout.looking import ALL_THE_WHILE, Looked

__all__ = [  # those of the other file: messages are named by this one, whichever they are
    "Abort",
    "Approve",
    "Block",
    "Command",
    "Emergency",
    "Hold",
    "Pause",
    "Resume",
    "Retry",
    "Skip",
    "Start",
    "Unblock",
    "Unhold",
    "WriteOff",
]

# Observations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FleetLooked:
    """The preparation's look at everything: who is out, and how many probes couldn't be put, of how many."""

    rollout: str
    out: tuple[int, ...]
    asked: int
    unasked: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class FleetChanged:
    """Machines outside any grant that went out, or serve again. `seen_at`: when that was asked for, if it may be of a while ago."""

    rollout: str
    out: tuple[int, ...]
    back: tuple[int, ...]
    evidence: str = ""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FleetMoved:
    """What a fresh inventory says to a plan: machines that are new or stand elsewhere, and why the plan's own go no more by it."""

    rollout: str
    members: tuple[Moved, ...]
    changed: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OutsidersLooked:
    """Of the machines that count and that the plan doesn't have, these are out, and these serve."""

    rollout: str
    out: tuple[MachineId, ...]
    back: tuple[MachineId, ...]


@dataclass(frozen=True, slots=True)
class FoundWell:
    """A machine about to be granted: every probe passes, or a person wants the attempt whatever they say (`forced`), and its
    last patch run has this id (or none). Of a machine that is granted: its last patch run again, right before an intent.

    `serves` False: it is `forced`, and not well or nobody knows.
    """

    rollout: str
    machine: int
    baseline: str
    restart_pending: bool = False  # from before: the next update may well end in it
    serves: bool = True


@dataclass(frozen=True, slots=True)
class FoundOut:
    """A machine about to be granted is out already. Of one that is granted: it can't be changed now, so its grant is given back."""

    rollout: str
    machine: int
    evidence: str


@dataclass(frozen=True, slots=True)
class FoundBroken:
    """A machine about to be granted is out already, can be changed all the same, and is to be (`when_already_out: repair`)."""

    rollout: str
    machine: int
    baseline: str
    evidence: str


@dataclass(frozen=True, slots=True)
class FoundBusy:
    """A machine about to be granted is being patched by somebody else. Of one that is granted: its grant is given back."""

    rollout: str
    machine: int


@dataclass(frozen=True, slots=True)
class FoundGroupSick:
    """A machine about to be granted is well, and what is asked about a group of its isn't answered well.

    Of one that is granted: its grant is given back.
    """

    rollout: str
    machine: int
    group: int
    evidence: str


@dataclass(frozen=True, slots=True)
class GroupRecovered:
    """What is asked about a group is answered well again."""

    rollout: str
    group: int


@dataclass(frozen=True, slots=True)
class FoundGone:
    """The cloud says that there is no such machine."""

    rollout: str
    machine: int


@dataclass(frozen=True, slots=True)
class HoldsLooked:
    """Whom of the plan's machines each of these holds means, as the fleet is now."""

    rollout: str
    found: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class StepReported:
    """A step around the change came to an end."""

    rollout: str
    machine: int
    attempt: int
    after: bool
    step: int
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class StretchStepReported:
    """A step around a wave, a stage or the rollout came to an end; `times` tells one time from the next."""

    rollout: str
    where: tuple[int, ...]
    times: int
    after: bool
    step: int
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class NoticeTold:
    """A notice reached its receiver, or hasn't for a while."""

    rollout: str
    webhook: str
    notice: int
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class LaneFound:
    """The waves that a lane is to have from `begun` on."""

    lane: int
    begun: int
    waves: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ReplanFound:
    """What was not begun, planned anew for the budgets of a `Replan`: the lanes that differ. `refused`: why none is to."""

    rollout: str
    shrunk: tuple[tuple[int, int], ...]
    lanes: tuple[LaneFound, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SendAccepted:
    """202."""

    rollout: str
    machine: int
    attempt: int
    status_url: str
    result_url: str


@dataclass(frozen=True, slots=True)
class SendRejected:
    """Surely not begun."""

    rollout: str
    machine: int
    attempt: int
    code: str
    message: str
    transient: bool
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class SendLapsed:
    """Never sent: `not_after` had passed."""

    rollout: str
    machine: int
    attempt: int


@dataclass(frozen=True, slots=True)
class SendUnsettled:
    """Nobody knows: no answer, or one that doesn't tell; or the process ended before the answer was recorded."""

    rollout: str
    machine: int
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The end of reading an unsettled machine back.

    `installation_id` is what the platform shows as the last run; `status_url` where that run can be followed;
    `certain` if every read succeeded, over the whole time, with the agent ready. `sure` if the run can only be ours.
    `unsettled_by`: why it can't be known, where that isn't for want of good reads.
    """

    rollout: str
    machine: int
    attempt: int
    installation_id: str
    status_url: str
    certain: bool
    sure: bool
    unsettled_by: str = ""


@dataclass(frozen=True, slots=True)
class ChangeReported:
    """An operation ended, judged by its fields. `stops`: a person looks before the next machine. `restart`: it ended in a
    restart, or asks for one. `meaning`: what it means, by its name (`meanings`). `patches`: what became of each update.
    """

    rollout: str
    machine: int
    attempt: int
    changed: bool
    passing: bool
    stops: bool
    detail: str
    restart: bool = False
    meaning: str = ""
    patches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowLost:
    """An operation that never ended, or that nobody can read any more."""

    rollout: str
    machine: int
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class AssessmentReported:
    """What a fresh assessment still finds missing; -1 if it couldn't be made."""

    rollout: str
    machine: int
    attempt: int
    pending: int


@dataclass(frozen=True, slots=True)
class HealthReported:
    """The gate's verdict on one machine."""

    rollout: str
    machine: int
    attempt: int
    well: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Advance:
    """Time passed or a gate may open: a lane (or, with lane -1, the stage and the rollout) is asked again.

    `looked`: when whoever asks had looked at the whole fleet; None if that is still to be done, and time decides nothing.
    """

    rollout: str
    lane: int = -1
    looked: Looked = ALL_THE_WHILE


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The clock went back: `now` is before the last event's time by more than is harmless."""

    rollout: str
    last: datetime


Observation = (
    FleetLooked
    | FleetChanged
    | FleetMoved
    | OutsidersLooked
    | FoundWell
    | FoundOut
    | FoundBroken
    | FoundBusy
    | FoundGone
    | FoundGroupSick
    | GroupRecovered
    | HoldsLooked
    | StepReported
    | StretchStepReported
    | NoticeTold
    | ReplanFound
    | SendAccepted
    | SendRejected
    | SendLapsed
    | SendUnsettled
    | ReadBack
    | ChangeReported
    | FollowLost
    | AssessmentReported
    | HealthReported
    | Advance
    | ClockStepped
)
Message = Command | Observation
