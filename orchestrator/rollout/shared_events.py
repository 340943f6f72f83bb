"""Facts about what several machines share: stages, lanes and waves, what became of updates, the fleet, the groups that are asked about,
steps around more than one machine, what people are told, the journal itself. Named by `events`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.availability.ledger import Grant
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.state import Ended

# Stages, lanes and waves ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StageOpened:
    """Its lanes may begin."""

    stage: int


@dataclass(frozen=True, slots=True)
class StageBaking:
    """Its last machine is verified; the next stage opens at `until` at the earliest."""

    stage: int
    until: datetime


@dataclass(frozen=True, slots=True)
class StageAwaiting:
    """A person's yes is wanted before the next stage."""

    stage: int


@dataclass(frozen=True, slots=True)
class StageApproved:
    """A person said yes."""

    stage: int
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaveOpened:
    """The gates before it have passed; its machines start as admission allows."""

    lane: int
    wave: int


@dataclass(frozen=True, slots=True)
class WavePassed:
    """Every machine of it is settled."""

    lane: int
    wave: int


@dataclass(frozen=True, slots=True)
class LaneGaveUp:
    """It waited for `max_wait`; what it hadn't begun is left out, so that others go on."""

    lane: int
    why: str


# Replanning -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BudgetsShrunk:
    """These budgets, by their places in the plan, have so much room, since machines of theirs stay out of nobody's grant.

    What was not begun was planned anew for it: the `LaneReplanned` of the same decision say what differs. With `refused`, nothing does, and why.
    """

    budgets: tuple[int, ...]
    limits: tuple[int, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class LaneReplanned:
    """The waves of a lane from `begun` on: the same machines as before, some of them later. Waves are told by their `sizes`."""

    lane: int
    begun: int
    machines: tuple[int, ...]
    sizes: tuple[int, ...]


# Updates ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UpdateBlocked:
    """A named person keeps an update out of every campaign from now on, running ones included. `kb` is digits. Of the scope, of no rollout."""

    kb: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateUnblocked:
    """It is let in again."""

    kb: str
    who: str
    reason: str


# Holds and emergencies ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """A named person keeps the machines that a selector selects out of every rollout until then. Of the scope, of no rollout.

    `matched`: whom it selected in the inventory that the person had at hand, if any.
    """

    hold: str
    select: str
    until: datetime
    who: str
    reason: str
    matched: tuple[MachineId, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """A named person ends a hold before its time."""

    hold: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldSeen:
    """A look at the fleet found that a hold means these machines of the plan, besides those of which that was known."""

    hold: str
    machines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencyDeclared:
    """A named person has the rollout wait for less from now on; `overrides` are sentences on what that shortens."""

    who: str
    reason: str
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatchesSeen:
    """A set of what became of updates, kept once for all machines of which it is true: a letter for the state, then the name."""

    number: int
    patches: tuple[str, ...]


# The fleet --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FleetSeen:
    """Machines that went out or came back, of nobody's grant."""

    out: tuple[int, ...] = ()
    back: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberMoved:
    """A machine, which the plan may not have, isn't where it was when the plan was reviewed: new, or with other tags or another place.

    It counts in the budgets that it joins from now on, and in those that it left as out; both by their places in the plan.
    """

    identity: MachineId
    joins: tuple[int, ...]
    leaves: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OutsidersSeen:
    """Machines that the plan doesn't have, and that count in its budgets, went out or serve again."""

    out: tuple[MachineId, ...] = ()
    back: tuple[MachineId, ...] = ()


# Groups -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """A probe of a group, by its place in the plan, is answered well, or isn't any more: its machines wait until it is."""

    group: int
    well: bool
    evidence: str


# Steps around waves, stages and the rollout -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StretchBegun:
    """The steps before a wave `(lane, wave)`, a stage `(stage,)` or the rollout `()` are due: `first` is about to be granted in it."""

    where: tuple[int, ...]
    first: int


@dataclass(frozen=True, slots=True)
class StretchStepEnded:
    """A step before (`after` False) or after it ended; `step` is its place among those."""

    where: tuple[int, ...]
    after: bool
    step: int
    ok: bool
    evidence: str


# What people are told ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A notice reached the receiver of a webhook; or (`ok` False) it hasn't for a while, and is tried on."""

    notice: int
    webhook: str
    ok: bool
    evidence: str


# The journal ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A grant that is open."""

    machine: MachineId
    grant: Grant


@dataclass(frozen=True, slots=True)
class OutSince:
    """A machine that is out of nobody's grant."""

    machine: MachineId
    since: datetime


@dataclass(frozen=True, slots=True)
class Archived:
    """The rows of these rollouts, so many, went into a file. A fact of the scope, and of no rollout.

    `grants` and `others` are all that is out as of now: what those rows had to say of it, they say no more.
    """

    archive: str
    rows: int
    rollouts: tuple[Ended, ...]
    grants: tuple[Held, ...]
    others: tuple[OutSince, ...]


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command out of the inbox that couldn't be carried out; whoever sent it reads why here."""

    letter: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Every machine was looked at and every probe asked once: these are out already, of their own."""

    out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RolloutRefused:
    """The preparation found that this can't be run as configured."""

    why: str


SharedEvent = (
    Archived
    | BudgetsShrunk
    | CommandRefused
    | FleetSeen
    | GroupSeen
    | LaneGaveUp
    | LaneReplanned
    | MemberMoved
    | OutsidersSeen
    | HoldPlaced
    | HoldLifted
    | HoldSeen
    | EmergencyDeclared
    | PatchesSeen
    | Prepared
    | RolloutRefused
    | StageApproved
    | StageAwaiting
    | StageBaking
    | StageOpened
    | StretchBegun
    | StretchStepEnded
    | Told
    | UpdateBlocked
    | UpdateUnblocked
    | WaveOpened
    | WavePassed
)
