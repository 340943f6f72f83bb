"""Where a rollout stands, for somebody who watches: lanes, machines by state, what is waited for, room that is left.

Read off the state, so it is the same for the process that writes and for one that only looks into the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from orchestrator.rollout.admission import holders, refusal
from orchestrator.rollout.holding import HELD
from orchestrator.rollout.hours import HOURS, begins_at
from orchestrator.rollout.progress import gives_up_at
from orchestrator.rollout.state import A_PERSONS, MachineStatus, Rollout, RolloutStatus, Scope, StageStatus
from orchestrator.service.names import called


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """One lane: `wave` of `waves` is open (or next); `counts` are its machines by state."""

    id: str
    what: str
    stage: str
    wave: int
    waves: int
    state: str  # waiting, open, blocked, finished, gave up
    counts: Mapping[str, int]
    waits_for: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why something doesn't move: who, for what, held by whom, and until when at most."""

    who: str
    reason: str
    holders: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Room:
    """A budget: how many of its machines are out, of how many that may be."""

    what: str
    origin: str
    taken: int
    limit: int
    size: int


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of one rollout."""

    rollout: str
    name: str
    status: str
    cause: str
    stage: str
    stage_status: str
    stage_number: int
    stages: int
    bake_until: datetime | None
    counts: Mapping[str, int]
    machines: int
    in_flight: int
    lanes: tuple[LaneProgress, ...]
    waiting: tuple[Waiting, ...]
    rooms: tuple[Room, ...]
    started_at: datetime
    at: datetime
    emergency: str = ""  # who has it wait for less, since when and why

    @property
    def settled(self) -> int:
        """Machines that need nothing more."""
        unsettled = (
            "pending",
            "granted",
            "intended",
            "unsettled",
            "running",
            "verifying",
            "unhealthy",
            "undecided",
        )
        return self.machines - sum(self.counts.get(name, 0) for name in unsettled)

    def to_json(self) -> dict[str, Any]:
        """Plain values; instants stay datetimes."""
        return asdict(self)


def progress(scope: Scope, rollout: Rollout, now: datetime, *, most: int = 12) -> Progress:
    """The rollout at `now`; of lanes, waits and budgets the `most` telling ones."""
    plan = rollout.planned.plan
    counts = {str(status): n for status, n in sorted(rollout.counts.items()) if n > 0}
    return Progress(
        rollout.id,
        plan.name,
        str(rollout.status),
        rollout.cause,
        plan.stages[rollout.stage].name,
        str(rollout.stage_status),
        rollout.stage + 1,
        len(plan.stages),
        rollout.bake_until,
        counts,
        rollout.planned.changing,
        rollout.in_flight,
        tuple(_lanes(rollout, most)),
        tuple(waits(scope, rollout, now, most)),
        tuple(_rooms(scope, most)),
        rollout.started_at,
        now,
        "" if rollout.emergency is None else str(rollout.emergency),
    )


def _lanes(rollout: Rollout, most: int) -> list[LaneProgress]:
    """Lanes of the current stage, those with something going on first."""
    numbers = rollout.planned.lanes_of_stage[rollout.stage]
    open_first = sorted(numbers, key=lambda n: (not rollout.lanes[n].open, rollout.lanes[n].finished, n))
    return [_lane(rollout, number) for number in open_first[:most]]


def _lane(rollout: Rollout, number: int) -> LaneProgress:
    planned, run = rollout.planned.lanes[number], rollout.lanes[number]
    lane = rollout.planned.plan.lanes[number]
    counts: dict[str, int] = {}
    for wave in planned.waves:
        for machine in wave:
            name = str(rollout.machines[machine].status)
            counts[name] = counts.get(name, 0) + 1
    unfinished = [rollout.planned.lanes[x].id for x in planned.after if not rollout.lanes[x].finished]
    blocked = run.open and any(rollout.machines[m].status in A_PERSONS for m in planned.waves[run.wave])
    if run.gave_up:
        state = "gave up"
    elif run.finished:
        state = "finished"
    elif blocked:
        state = "blocked"
    else:
        state = "open" if run.open else "waiting"
    waits_for = f"lane {unfinished[0]}" if unfinished else ""
    return LaneProgress(
        lane.id,
        lane.what,
        lane.stage,
        min(run.wave + 1, len(planned.waves)),
        len(planned.waves),
        state,
        counts,
        waits_for,
    )


def waits(scope: Scope, rollout: Rollout, now: datetime, most: int) -> list[Waiting]:
    """What doesn't move and why, the whole rollout first, then lanes, then machines that want a grant; of one that is over nothing."""
    if rollout.over:
        return []
    found = _whole(rollout)
    if found:
        return found
    for number in rollout.planned.lanes_of_stage[rollout.stage]:
        if len(found) >= most:
            break
        run = rollout.lanes[number]
        if not run.open:
            continue
        lane = rollout.planned.plan.lanes[number]
        wave = rollout.planned.lanes[number].waves[run.wave]
        held = tuple(_name(rollout, m) for m in wave if rollout.machines[m].status in A_PERSONS)
        if held:
            until = gives_up_at(rollout, number)
            reason = "its gate stays shut until these machines are well, or a person decides"
            found.append(Waiting(f"lane {lane.id}", reason, held, until))
        found.extend(_machines(scope, rollout, wave, now, gives_up_at(rollout, number), most - len(found)))
    return found


def _whole(rollout: Rollout) -> list[Waiting]:
    if rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
        who = f" by {rollout.by}" if rollout.by else ""
        return [Waiting("everything", f"{rollout.status}{who}: {rollout.cause}", (), None)]
    if rollout.stage_status is StageStatus.BAKING:
        stage = rollout.planned.plan.stages[rollout.stage].name
        return [Waiting("everything", f"stage {stage} bakes", (), rollout.bake_until)]
    if rollout.stage_status is StageStatus.AWAITING:
        return [Waiting("everything", "the next stage waits for approval", (), None)]
    return []


def _machines(
    scope: Scope, rollout: Rollout, wave: tuple[int, ...], now: datetime, until: datetime | None, most: int
) -> list[Waiting]:
    found: list[Waiting] = []
    for machine in wave:
        if len(found) >= most:
            break
        run = rollout.machines[machine]
        if run.status is not MachineStatus.PENDING:
            continue
        if run.retry_at is not None:
            found.append(Waiting(_name(rollout, machine), run.detail, (), run.retry_at))
            continue
        refused = refusal(scope, rollout, machine, now=now)
        if refused is not None and refused.constraint in (HOURS, HELD):
            found.append(Waiting(_name(rollout, machine), refused.what, (), begins_at(rollout, machine, now)))
        elif refused is not None:
            who = tuple(called(scope, rollout, m) for m in holders(scope, rollout, refused))
            found.append(Waiting(_name(rollout, machine), refused.what, who[:6], until))
    return found


def _name(rollout: Rollout, machine: int) -> str:
    return rollout.planned.machine(machine).name


def _rooms(scope: Scope, most: int) -> list[Room]:
    """Budgets with something out, the fullest first."""
    rows = [(rule, taken) for rule, taken in scope.ledger.budgets() if taken]
    return [
        Room(rule.what, str(rule.origin), taken, rule.limit, len(rule.machines))
        for rule, taken in rows[:most]
    ]
