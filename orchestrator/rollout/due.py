"""What must be going on, given the facts: the definitions, machine by machine and lane by lane.

These are the truth. `agenda.Agenda` keeps their union up to date after each event without asking everybody again; a property
compares the two.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.rollout import actions as a
from orchestrator.rollout.admission import eligible
from orchestrator.rollout.codec import step_key
from orchestrator.rollout.holding import unlooked
from orchestrator.rollout.hours import begins_at
from orchestrator.rollout.looking import ALL_THE_WHILE, Looked
from orchestrator.rollout.notices import due_notices
from orchestrator.rollout.observations import closing_step, next_step
from orchestrator.rollout.progress import given_up_at, lane_may_move, leaves_held_at, stragglers_give_up_at
from orchestrator.rollout.state import MachineRun, MachineStatus, Rollout, RolloutStatus, Scope
from orchestrator.rollout.stopping import sends_nothing


def due_machine(scope: Scope, rollout: Rollout, machine: int) -> a.Activity | None:
    """The one thing that is to be going on for this machine, admission apart: a `Check` still needs room."""
    run = rollout.machines[machine]
    match run.status:
        case MachineStatus.PENDING:
            may = rollout.status is RolloutStatus.RUNNING and eligible(rollout, machine)
            return a.Check(rollout.id, machine) if may else None
        case MachineStatus.GRANTED:
            return _granted(rollout, machine, run)
        case MachineStatus.INTENDED:
            assert run.not_after is not None
            return a.Send(rollout.id, machine, run.attempt, run.key, run.not_after)
        case MachineStatus.UNSETTLED:
            assert run.not_after is not None
            return a.Settle(rollout.id, machine, run.attempt, run.baseline, run.not_after)
        case MachineStatus.RUNNING:
            return a.Follow(rollout.id, machine, run.attempt, run.status_url, run.result_url)
        case MachineStatus.VERIFYING:
            return _verifying(rollout, machine, run)
        case MachineStatus.UNHEALTHY | MachineStatus.SKIPPED | MachineStatus.LEFT_OUT:
            holds = scope.ledger.holds(rollout.id, rollout.planned.machine(machine).id)
            return _recovering(rollout, machine, run) if holds else None
        case _:
            return None


def _granted(rollout: Rollout, machine: int, run: MachineRun) -> a.Activity | None:
    if sends_nothing(rollout, machine):
        return None
    steps = rollout.planned.steps_before(machine)
    if run.step < len(steps):
        return _step(rollout, machine, run, run.step, after=False)
    return a.ReadBaseline(rollout.id, machine, run.attempt, run.retry_at)


def _verifying(rollout: Rollout, machine: int, run: MachineRun) -> a.Activity | None:
    assert run.since is not None
    if not run.sure:
        return a.Assess(rollout.id, machine, run.attempt)
    if run.verdict is None:
        return a.Verify(rollout.id, machine, run.attempt, run.since, briefly=False, hoping=False)
    step = next_step(rollout, machine, run)
    if step is not None:
        return _step(rollout, machine, run, step, after=True)
    return a.Verify(rollout.id, machine, run.attempt, run.since, briefly=True, hoping=False)


def _recovering(rollout: Rollout, machine: int, run: MachineRun) -> a.Activity:
    """It keeps its grant though its part is over: hope, then its steps after, then one clean round."""
    assert run.since is not None
    step = closing_step(rollout, machine, run)
    if step is not None:
        return _step(rollout, machine, run, step, after=True)
    well = bool(run.verdict)
    return a.Verify(rollout.id, machine, run.attempt, run.since, briefly=well, hoping=not well)


def _step(rollout: Rollout, machine: int, run: MachineRun, step: int, *, after: bool) -> a.RunStep:
    key = step_key(rollout.id, machine, run.grants, step, after=after)
    return a.RunStep(rollout.id, machine, run.attempt, after=after, step=step, key=key)


def due_rollout(rollout: Rollout) -> tuple[a.Activity, ...]:
    """What is to be going on for the rollout as a whole."""
    return (*_looks(rollout), *due_notices(rollout))


def _looks(rollout: Rollout) -> tuple[a.Activity, ...]:
    unknown = () if rollout.over else unlooked(rollout)
    look = (a.LookForHeld(rollout.id, unknown),) if unknown else ()
    if rollout.status is RolloutStatus.STARTING:
        return (a.Prepare(rollout.id), *look)
    if rollout.prepared and not (rollout.over and not rollout.in_flight):
        asked = rollout.sick and rollout.status is RolloutStatus.RUNNING
        return (a.Watch(rollout.id), *((a.WatchGroups(rollout.id),) if asked else ()), *look)
    return ()


def lane_wakes_at(rollout: Rollout, lane: int, looked: Looked = ALL_THE_WHILE) -> datetime | None:
    """When a lane has to be asked again though nothing happened, by somebody who looked then."""
    if not lane_may_move(rollout, lane):
        return None
    moments = (given_up_at(rollout, lane, looked), leaves_held_at(rollout, lane, looked))
    return min((when for when in moments if when is not None), default=None)


def stage_wakes_at(rollout: Rollout, now: datetime, looked: Looked = ALL_THE_WHILE) -> datetime | None:
    """When the stage has to be asked again though nothing happened: its bake is over, or a straggler waited for too long."""
    if rollout.status is not RolloutStatus.RUNNING:
        return None
    if rollout.bake_until is not None and now < rollout.bake_until:
        return rollout.bake_until
    return stragglers_give_up_at(rollout, now, looked)


def machine_wakes_at(rollout: Rollout, machine: int, now: datetime) -> datetime | None:
    """Until when a pending machine is left alone: somebody else is patching it, its calendar is closed, or it is held."""
    run = rollout.machines[machine]
    if run.status is not MachineStatus.PENDING:
        return None
    if run.retry_at is not None and run.retry_at > now:
        return run.retry_at
    return begins_at(rollout, machine, now)
