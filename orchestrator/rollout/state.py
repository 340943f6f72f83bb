"""What is known of rollouts: the fold of the journal, and nothing else.

The state is mutable and changed in one place, `evolve.apply`, an event at a time: copying a map of 100,000 machines
for each event would make an event's cost grow with the fleet. Everybody else only looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from orchestrator.availability.ledger import Ledger
from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Occasion
from orchestrator.rollout.emergency import Emergency
from orchestrator.rollout.holds import Hold, Meant
from orchestrator.rollout.matters import Tidings
from orchestrator.rollout.planned import Planned


class MachineStatus(StrEnum):
    """Where one machine of a rollout stands. `transitions.MACHINE` has the legal moves."""

    PENDING = "pending"
    GRANTED = "granted"  # may be down: steps before, then the intent
    INTENDED = "intended"  # the request may be on its way
    UNSETTLED = "unsettled"  # nobody knows yet whether it was taken
    RUNNING = "running"  # the operation is followed
    VERIFYING = "verifying"  # it ended: probes, steps after, probes
    DONE = "done"
    NOT_CHANGED = "not_changed"  # the change failed, the machine is well
    UNHEALTHY = "unhealthy"  # well before, not now: keeps its grant
    UNDECIDED = "undecided"  # can't be settled: a person's
    GONE = "gone"
    LEFT_OUT = "left_out"
    SKIPPED = "skipped"
    WRITTEN_OFF = "written_off"


IN_FLIGHT = frozenset(
    {
        MachineStatus.GRANTED,
        MachineStatus.INTENDED,
        MachineStatus.UNSETTLED,
        MachineStatus.RUNNING,
        MachineStatus.VERIFYING,
    },
)
"""Begun and not ended: what a pause, a stop and an abort carry through."""

SETTLED = frozenset(
    {
        MachineStatus.DONE,
        MachineStatus.NOT_CHANGED,
        MachineStatus.GONE,
        MachineStatus.LEFT_OUT,
        MachineStatus.SKIPPED,
        MachineStatus.WRITTEN_OFF,
    },
)
"""What lets a wave pass and satisfies an order."""

A_PERSONS = frozenset({MachineStatus.UNHEALTHY, MachineStatus.UNDECIDED})
"""What keeps its grant, keeps its wave's gate shut, and waits for health or for a person."""

RECOVERING = frozenset({MachineStatus.UNHEALTHY, MachineStatus.SKIPPED, MachineStatus.LEFT_OUT})
"""What, as long as its grant is open, is asked until it is well, has its steps after, and then gives the grant back."""


class RolloutStatus(StrEnum):
    """Where a rollout stands. `transitions.ROLLOUT` has the legal moves."""

    STARTING = "starting"  # every probe of every machine is asked once
    RUNNING = "running"
    PAUSED = "paused"  # by a person
    STOPPED = "stopped"  # by what it saw
    ABORTED = "aborted"  # by a person, for good; what is in flight is carried through
    REFUSED = "refused"  # its preparation found it misconfigured
    FINISHED = "finished"


OVER = frozenset({RolloutStatus.ABORTED, RolloutStatus.REFUSED, RolloutStatus.FINISHED})


class StageStatus(StrEnum):
    """Where the current stage stands."""

    OPEN = "open"
    BAKING = "baking"
    AWAITING = "awaiting_approval"


class MachineRun(NamedTuple):
    """One machine's part in a rollout. `since` is when it came to this status.

    A tuple, and no dataclass: a replay makes four of them for each machine, and `_replace` costs a fifth of what
    `dataclasses.replace` does.

    `verdict`: what the probes said after the change (None: not yet). `step`: the next step before or after.
    `grants`: how often it was granted, which tells the steps around one grant from those around the next.
    `changed`: whether the change took (None: not ended yet). `sure`: whether the run followed is surely ours.
    """

    status: MachineStatus = MachineStatus.PENDING
    since: datetime | None = None
    attempt: int = 0
    tries: int = 0  # changes that ended; a transient failure is tried once more
    grants: int = 0
    step: int = 0
    key: str = ""
    baseline: str = ""
    not_after: datetime | None = None
    retry_at: datetime | None = None
    status_url: str = ""
    result_url: str = ""
    sure: bool = True
    changed: bool | None = None
    passing: bool = False  # the failure is of a kind that is known to pass
    verdict: bool | None = None
    # Out of our doing, and a person wants this attempt, whatever the probes say before it.
    forced: bool = False
    late: bool = False
    broken: bool = False  # it was out already before its grant: that it is out after is no failure of ours
    detail: str = ""
    meaning: str = ""  # of what the last attempt came to: a name of `meanings`
    part: int = 0  # which request of its change is next, or under way: a rollback is several
    untaken: int = 0  # requests under this grant that the cloud surely did not take
    patches: int = -1  # what became of updates in all its attempts: a number of the rollout's sets


@dataclass(slots=True)
class LaneRun:
    """A lane's progress: waves before `wave` have passed; `open` while that one's gate is shut behind it."""

    wave: int = 0
    open: bool = False
    opened_at: datetime | None = None
    left: int = 0  # machines of the open wave that are not settled
    in_flight: int = 0  # machines of the open wave that are begun and not ended
    moved_at: datetime | None = None  # when anything last happened in it
    finished: bool = False
    gave_up: str = ""


@dataclass(slots=True)
class StretchRun:
    """How far the steps around a wave, a stage or the rollout are. The counts are of its machines.

    `times`: how often it was begun, which tells the steps of one time from those of the next. `stale`: its steps after may be done
    already, so that it is begun anew before the next grant in it. `before`: how many steps before are done; `after`: which ones after.
    """

    left: int = 0  # machines that are not settled
    in_flight: int = 0
    troubled: int = 0  # machines that are a person's
    undecided: int = 0  # of those, the ones whose work may be going on, for all that anybody knows
    times: int = 0
    begun: bool = False
    stale: bool = False
    before: int = 0
    after: set[int] = field(default_factory=set)
    failed: str = ""  # why a step after failed; it isn't tried again before a person resumes


@dataclass(frozen=True, slots=True)
class Sick:
    """A group whose probe isn't answered well: since when, and what was answered."""

    since: datetime
    evidence: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are to be told; `machine` is -1 where it is about none."""

    number: int
    occasion: Occasion
    at: datetime
    text: str
    stage: int
    machine: int = -1
    stake: str = ""  # what is at stake
    options: tuple[str, ...] = ()  # what may be done: commands


@dataclass(slots=True)
class Replanning:
    """What was not begun was planned anew: when, for which budgets (place in the plan -> room), and which lanes differ since."""

    at: datetime
    limits: dict[int, int]
    refused: str
    lanes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Membership:
    """The budgets, by place in the plan, that a machine has joined since the plan was reviewed, and those that it has left."""

    joins: tuple[int, ...]
    leaves: tuple[int, ...]


@dataclass(slots=True)
class Rollout:
    """One run of one plan."""

    id: str
    planned: Planned
    digest: str
    who: str
    reason: str
    started_at: datetime
    scale: float = 1.0
    status: RolloutStatus = RolloutStatus.STARTING
    status_since: datetime | None = None
    cause: str = ""  # why it stands where it stands
    by: str = ""  # who put it there
    prepared: bool = False
    stage: int = 0
    stage_status: StageStatus = StageStatus.OPEN
    bake_until: datetime | None = None
    machines: list[MachineRun] = field(default_factory=list)
    lanes: list[LaneRun] = field(default_factory=list)
    counts: Counter[MachineStatus] = field(default_factory=Counter)
    in_flight: int = 0
    attempted: int = 0
    unacknowledged: set[int] = field(default_factory=set)  # unhealthy ones that count for stop_when
    not_changed: set[int] = field(default_factory=set)  # the same for not_changed
    lanes_left: int = 0  # unfinished lanes of the current stage
    downed: set[int] = field(default_factory=set)  # planned to stay up, and found to restart after all
    stragglers: dict[int, None] = field(default_factory=dict)  # retried after their wave had passed, in order
    orders_left: dict[int, int] = field(default_factory=dict)  # order -> unsatisfied firsts in this stage
    stretches: list[StretchRun] = field(default_factory=list)
    sick: dict[int, Sick] = field(default_factory=dict)  # groups whose machines wait
    notices: int = 0  # made so far
    stages_done: int = 0  # of which people were told, or need not be
    receivers: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # who else is told of what: webhook -> occasions
    untold: dict[str, dict[int, Notice]] = field(default_factory=dict)  # webhook -> notices, in order
    mute: dict[str, str] = field(default_factory=dict)  # webhooks that can't be told now, and why
    replannings: list[Replanning] = field(default_factory=list)
    patches: list[tuple[str, ...]] = field(default_factory=list)  # sets of what became of updates, by number
    patch_numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    shrunk: dict[int, int] = field(default_factory=dict)  # budget -> the least room it was planned anew for
    moved: dict[MachineId, Membership] = field(default_factory=dict)  # since the plan was reviewed
    ended_at: datetime | None = None
    after: int = field(default=0, compare=False)  # its first row comes after this one
    blocked: Mapping[str, Blocked] = field(default_factory=dict, compare=False, repr=False)  # the scope's
    due: datetime | None = None  # the moment of its campaign's schedule that it was opened for
    commit: str = ""  # of the policies that it was planned from
    emergency: Emergency | None = None  # who has it wait for less
    meant: dict[str, Meant] = field(default_factory=dict)  # hold -> whom of the plan it means
    holds: Mapping[str, Hold] = field(default_factory=dict, compare=False, repr=False)  # the scope's
    reviewed: Planned | None = field(
        default=None, compare=False, repr=False
    )  # `planned` as its digest names it

    @property
    def over(self) -> bool:
        """Whether nothing will ever be granted again."""
        return self.status in OVER

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nothing new is begun before somebody says so, or ever again. What is in flight goes on meanwhile.

        While a machine is retried, nobody can approve its stage.
        """
        if self.over or self.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
            return True
        if self.status is not RolloutStatus.RUNNING or self.stage_status is not StageStatus.AWAITING:
            return False
        return not any(self.machines[m].status is MachineStatus.PENDING for m in self.stragglers)


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A machine that a rollout left out when it was archived: it counts until it is seen well, or a person writes it off."""

    machine: MachineId
    name: str
    status: MachineStatus
    since: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A rollout that is over and of which nothing can move any more: what is still asked of it, without its plan.

    `after` and `last`: its rows are among those between. `archive`: the file that has them, if they are not in the journal any more;
    then `left` has the machines, by their places in the plan, that are still out by it.
    """

    id: str
    name: str
    digest: str
    who: str
    reason: str
    scale: float
    status: RolloutStatus
    cause: str
    by: str
    started_at: datetime
    ended_at: datetime
    changing: int
    counts: dict[MachineStatus, int]
    after: int = field(compare=False)
    last: int = field(compare=False)
    archive: str = ""
    left: dict[int, LeftOpen] = field(default_factory=dict)
    due: datetime | None = None
    commit: str = ""

    @property
    def over(self) -> bool:
        """As of every rollout; of these it goes without saying."""
        return True


@dataclass(frozen=True, slots=True)
class Blocked:
    """An update that a person keeps out of every campaign."""

    kb: str
    who: str
    reason: str
    since: datetime

    def __str__(self) -> str:
        """`KB5087423 is blocked by ada since 2026-11-29 10:00 UTC: it breaks the shop`."""
        return f"KB{self.kb} is blocked by {self.who} since {self.since:%Y-%m-%d %H:%M} UTC: {self.reason}"


@dataclass(slots=True)
class Scope:
    """One fleet as one operator sees it: its rollouts and the one ledger they share.

    `send_within` bounds the time from an intent to its request; where emulated time runs faster, the host multiplies it.
    """

    send_within: timedelta = timedelta(seconds=60)

    ledger: Ledger = field(default_factory=Ledger)
    rollouts: dict[str, Rollout] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)  # of which nothing is kept but this
    archivings: int = 0  # how often rollouts went into an archive
    blocked: dict[str, Blocked] = field(
        default_factory=dict
    )  # KB -> who keeps it out; each rollout has this very mapping
    tidings: Tidings = field(default_factory=Tidings)  # what people are told by the service
    holds: dict[str, Hold] = field(default_factory=dict)  # by id; each rollout has this very mapping
    holdings: int = 0  # holds that were ever placed
    holdings_changed: int = 0  # how often a hold was placed, or lifted
    seq: int = 0
    last: datetime | None = None  # event time: never goes back

    @property
    def revision(self) -> tuple[int, int]:
        """Of what may be granted but for who is out: rules that come and go, and holds."""
        return self.ledger.revision, self.holdings_changed

    def event_time(self, now: datetime) -> datetime:
        """The time of a fact that is written now: the clock's, but never before the last fact."""
        return now if self.last is None else max(now, self.last)

    def active(self) -> list[Rollout]:
        """Rollouts that may still grant or have machines in flight, oldest first."""
        return [r for r in self.rollouts.values() if not r.over or r.in_flight]
