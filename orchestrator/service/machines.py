"""The machines of a rollout: each in a line, and one with all that is to be said of why it is where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import UsageError
from orchestrator.planner.explain import explain
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.service.status import machine_status


@dataclass(frozen=True, slots=True)
class MachineLine:
    """A machine of a rollout. `number` is its place in the plan; `wave` counts from 1, and is 0 for one that isn't changed."""

    number: int
    name: str
    id: str
    status: str
    since: datetime | None
    stage: str
    lane: str
    wave: int
    attempt: int
    late: bool
    detail: str


@dataclass(frozen=True, slots=True)
class MachineTold:
    """One machine in a rollout: `why` it is, or isn't, moving now, and `explain`: why the plan has it where it is. Sentences both.

    `rollouts` are all that have it in their plans, as far as the question went. One that no rollout has is `counted` nowhere: then
    `rollout` is empty, and so is all that a rollout would say.
    """

    rollout: str
    rollouts: tuple[str, ...]
    name: str
    id: str
    status: str
    since: datetime | None
    stage: str
    lane: str
    wave: int
    attempt: int
    late: bool
    detail: str
    why: tuple[str, ...]
    explain: tuple[str, ...]
    at: datetime


def lines_of(rollout: Rollout, after: int = -1, status: str = "") -> Iterator[MachineLine]:
    """The machines that it changes, by their places in the plan, from behind `after` on; of one status, if one is named."""
    changes = rollout.planned.lane_of
    for number in range(after + 1, len(rollout.machines)):
        if changes[number] >= 0 and status in ("", rollout.machines[number].status):
            yield line_of(rollout, number)


def line_of(rollout: Rollout, number: int) -> MachineLine:
    """One of them."""
    planned, run = rollout.planned, rollout.machines[number]
    machine, lane = planned.machine(number), planned.lane_of[number]
    return MachineLine(
        number,
        machine.name,
        machine.arm_id,
        str(run.status) if lane >= 0 else "counted",
        run.since,
        planned.plan.stages[planned.lanes[lane].stage].name if lane >= 0 else "",
        planned.lanes[lane].id if lane >= 0 else "",
        planned.wave_of[number] + 1 if lane >= 0 else 0,
        run.attempt,
        run.late,
        run.detail,
    )


def told_of(scope: Scope, rollout: Rollout, number: int, now: datetime) -> MachineTold:
    """All of one machine, at `now`."""
    line = line_of(rollout, number)
    try:
        explained = tuple(
            text.strip() for text in explain(rollout.planned.plan, rollout.planned.machine(number).id).lines()
        )
    except UsageError as error:
        explained = (str(error),)
    return MachineTold(
        rollout.id,
        (rollout.id,),
        line.name,
        line.id,
        line.status,
        line.since,
        line.stage,
        line.lane,
        line.wave,
        line.attempt,
        line.late,
        line.detail,
        machine_status(scope, rollout, number, now),
        explained,
        now,
    )


def in_no_rollout(name: str, arm_id: str, now: datetime) -> MachineTold:
    """A machine of the fleet that no rollout at hand has in its plan."""
    why = f"{name} is in no rollout that goes on, or has something open."
    return MachineTold(
        "", (), name, arm_id, "", None, "", "", 0, 0, late=False, detail="", why=(why,), explain=(), at=now
    )
