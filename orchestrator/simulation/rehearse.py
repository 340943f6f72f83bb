"""A test of policies, carried out: planned, rolled out where it is asked for, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator.emulator import faults
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.document import dump
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Policy, Selector
from orchestrator.policy.select import matcher
from orchestrator.rehearsal.judge import judge
from orchestrator.rehearsal.model import Case, Course, Failure, Planned, Result, Run, Seen, Turn
from orchestrator.rehearsal.paper import planned
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.status import what_is_next
from orchestrator.service.timeline import Timeline
from orchestrator.simulation.loop import Stuck, run
from orchestrator.simulation.rollout import Played, Script, play

GRACE: Final = timedelta(days=7)
"""How long a rollout is watched beyond its campaign's deadline, by default."""

_ENDINGS: Final[Mapping[RolloutStatus, str]] = {
    RolloutStatus.FINISHED: "finished",
    RolloutStatus.STOPPED: "stopped",
    RolloutStatus.REFUSED: "refused",
}
"""What tests call the ends of a rollout; everything else waits for something."""

_WENT_BADLY: Final = frozenset(
    {MachineStatus.NOT_CHANGED, MachineStatus.UNHEALTHY, MachineStatus.UNDECIDED, MachineStatus.LEFT_OUT}
)


def rehearse(case: Case, fleet: Inventory, policies: Sequence[Policy], floor: Policy) -> Result:
    """Carry out one test on this fleet under these policies."""
    paper = planned(fleet, case.situation, policies, floor, case.ask)
    if case.run is None or paper.plan is None:
        return judge(case, paper, None)
    try:
        return judge(case, paper, _seen(case.run, paper, paper.plan))
    except Stuck as stuck:
        what = f"it can never go on: {stuck}"
        return Result(case, "stuck", (Failure("a rollout that ends", what, (), case.origin),), paper)


def _seen(asked: Run, paper: Planned, plan: Plan) -> Seen:
    now = paper.situation.now
    until = now + (asked.at_most or plan.deadline + GRACE)
    wrong = faults.Faults(tuple(_faults(asked, paper.inventory)))
    played = run(play(Script(dump(plan), paper.inventory, now, until, wrong, approve=asked.approve)))
    if played.rollout is None or played.timeline is None:
        return Seen("refused", played.refusal, played.ended, Course({}, {}))
    return _told(played, played.rollout, played.timeline, plan)


def _faults(asked: Run, fleet: Inventory) -> Iterable[faults.Fault]:
    """What the test wants to go wrong, in the emulator's words."""
    kinds: tuple[tuple[Selector | None, type[faults.Fault]], ...] = (
        (asked.unhealthy, faults.Unhealthy),
        (asked.not_changed, faults.InstallFails),
        (asked.stays_out, faults.StaysOut),
    )
    for select, kind in kinds:
        if select is not None:
            test = matcher(select)
            names = tuple(machine.id for machine in fleet.machines if test(machine))
            if names:
                yield kind(machines=names)


def _told(played: Played, rollout: Rollout, told: Timeline, plan: Plan) -> Seen:
    """The rollout in the words of tests."""
    ids = [machine.id for machine in plan.machines]
    runs = list(zip(plan.machines, rollout.machines, strict=True))
    return Seen(
        ending=_ENDINGS.get(rollout.status, "waiting"),
        cause=rollout.cause or ("" if rollout.over else what_is_next(rollout, played.ended)),
        ended=played.ended,
        course=_course(told, ids),
        turns=tuple(_turns(told, ids)),
        outcomes={machine.id: str(held.status) for machine, held in runs if machine.change},
        touched=tuple(sorted({ids[d.machine] for d in told.disruptions if d.begun is not None})),
        why={
            machine.id: f"{machine.name}: {held.detail}"
            for machine, held in runs
            if machine.change and held.detail and held.status in _WENT_BADLY
        },
        broken=tuple(map(str, played.verdict.violations)),
    )


def _course(told: Timeline, ids: Sequence[MachineId]) -> Course:
    """From a machine's first grant to the end of its last: what its change cost in all."""
    begun: dict[MachineId, datetime] = {}
    ended: dict[MachineId, datetime | None] = {}
    for disruption in told.disruptions:
        machine = ids[disruption.machine]
        begun.setdefault(machine, disruption.granted)
        ended[machine] = disruption.until
    return Course(begun, ended)


def _turns(told: Timeline, ids: Sequence[MachineId]) -> Iterable[Turn]:
    """Who went out and who came back, ours and others'; at one moment, those who come back first."""
    spans = [(d.machine, d.granted, d.until) for d in told.disruptions]
    spans += [(o.machine, o.since, o.until) for o in told.outages]
    turns = [Turn(since, ids[machine], out=True) for machine, since, _ in spans]
    turns += [Turn(until, ids[machine], out=False) for machine, _, until in spans if until is not None]
    return sorted(turns, key=lambda turn: (turn.at, turn.out, turn.machine))
