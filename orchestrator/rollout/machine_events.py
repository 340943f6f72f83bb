"""Facts about one machine: its grant, the attempts at it, what the probes said, how its part ended. Named by `events`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


MachineEvent = (
    Granted
    | RestartForeseen
    | Intended
    | IntentLapsed
    | Started
    | AttemptRejected
    | AttemptUnsettled
    | Adopted
    | NotStarted
    | Undecided
    | ForeignRunSeen
    | StepEnded
    | ChangeEnded
    | PartEnded
    | Assessed
    | Verified
    | MachineEnded
    | MachineUnhealthy
    | MachineLeftOut
    | MachineGone
    | MachineRetried
    | MachineSkipped
    | MachineWrittenOff
)
