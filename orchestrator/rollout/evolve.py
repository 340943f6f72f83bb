"""The fold: what an event makes of the state. The one place that changes it, and the same for a new fact as for a replayed one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

from orchestrator.errors import Defect
from orchestrator.rollout import events as e
from orchestrator.rollout.emergency import Emergency, least_bake
from orchestrator.rollout.ended import apply_archived, apply_to_ended
from orchestrator.rollout.evolve_machine import FOLDS as MACHINE_FOLDS
from orchestrator.rollout.evolve_machine import close_if_over, move
from orchestrator.rollout.evolve_stretch import FOLDS as STRETCH_FOLDS
from orchestrator.rollout.evolve_stretch import fresh_stretches, stretches_of
from orchestrator.rollout.holding import fold_hold, fold_seen, held_from_the_start
from orchestrator.rollout.membership import member_moved, outsiders_seen
from orchestrator.rollout.notices import fold_receivers, fold_told, note
from orchestrator.rollout.planned import Planned, with_waves
from orchestrator.rollout.replanning import begun_of
from orchestrator.rollout.state import (
    IN_FLIGHT,
    SETTLED,
    Blocked,
    LaneRun,
    MachineRun,
    MachineStatus,
    Replanning,
    Rollout,
    Scope,
    Sick,
    StageStatus,
)
from orchestrator.rollout.tidings import fold_matter
from orchestrator.rollout.transitions import ROLLOUT

PENDING = MachineRun()


def begin(scope: Scope, event: e.RolloutStarted, planned: Planned, at: datetime) -> None:
    """Apply `RolloutStarted`, the one event that needs the plan it names."""
    rollout = Rollout(
        event.rollout,
        planned,
        event.digest,
        event.who,
        event.reason,
        at,
        scale=event.scale,
        status_since=at,
        machines=[PENDING] * len(planned.lane_of),
        lanes=[LaneRun() for _ in planned.lanes],
        after=scope.seq,
        reviewed=planned,
        blocked=scope.blocked,
        holds=scope.holds,
        due=event.due,
        commit=event.commit,
    )
    rollout.stretches = fresh_stretches(rollout)
    rollout.counts[MachineStatus.PENDING] = planned.changing
    held_from_the_start(scope, rollout, at)
    scope.rollouts[event.rollout] = rollout
    scope.ledger.register(event.rollout, planned.plan.constraints)
    for machine, why in zip(event.dropped, event.dropped_why, strict=True):
        if planned.lane_of[machine] >= 0:
            move(scope, rollout, machine, MachineRun(MachineStatus.LEFT_OUT, at, detail=why))
        scope.ledger.mark_out(planned.machine(machine).id, at)
    rollout.receivers = {one.webhook: one.on for one in event.receivers}
    note(rollout, event, at)
    _pass_time(scope, at)


def apply(scope: Scope, rollout_id: str, event: e.Event, at: datetime) -> None:
    """Fold one event into the state. An event that can't follow what is known is a Defect, never half applied."""
    rollout = scope.rollouts.get(rollout_id)
    fold = _FOLDS.get(type(event))
    if rollout is not None and fold is not None:
        fold(scope, rollout, event, at)
        note(rollout, event, at)
    elif isinstance(event, e.RolloutStarted):
        raise Defect("a rollout begins through `begin`, with its plan")
    elif isinstance(event, e.UpdateBlocked | e.UpdateUnblocked):
        _block(scope, event, at)
    elif isinstance(event, e.MatterEvent):
        fold_matter(scope, event, at)
    elif isinstance(event, e.HoldPlaced | e.HoldLifted):
        fold_hold(scope, event, at)
    elif isinstance(event, e.Archived):
        apply_archived(scope, event)
    elif not isinstance(event, e.CommandRefused):  # that one is of no rollout, where none is known
        apply_to_ended(scope, scope.ended[rollout_id], event)
    _pass_time(scope, at)


def _block(scope: Scope, event: e.UpdateBlocked | e.UpdateUnblocked, at: datetime) -> None:
    """Facts of the scope, whatever row they stand in."""
    if isinstance(event, e.UpdateBlocked):
        scope.blocked[event.kb] = Blocked(event.kb, event.who, event.reason, at)
    else:
        scope.blocked.pop(event.kb, None)
    _pass_time(scope, at)


def _pass_time(scope: Scope, at: datetime) -> None:
    """Event time never goes back, whatever a row says."""
    scope.last = scope.event_time(at)


# The rollout ------------------------------------------------------------------------------------------------


def _to(rollout: Rollout, event: e.Event, at: datetime, cause: str, by: str = "", variant: str = "") -> None:
    target = ROLLOUT[rollout.status].get(type(event).__name__ + variant)
    if target is None:
        raise Defect(f"{type(event).__name__} can't follow in a rollout that is {rollout.status}")
    rollout.status, rollout.status_since, rollout.cause, rollout.by = target, at, cause, by


def _prepared(scope: Scope, rollout: Rollout, event: e.Prepared, at: datetime) -> None:
    _to(rollout, event, at, "")
    rollout.prepared = True
    for machine in event.out:
        scope.ledger.mark_out(rollout.planned.machine(machine).id, at)


def _refused(scope: Scope, rollout: Rollout, event: e.RolloutRefused, at: datetime) -> None:
    _to(rollout, event, at, event.why)
    close_if_over(scope, rollout, at)


def _paused(_: Scope, rollout: Rollout, event: e.RolloutPaused, at: datetime) -> None:
    _to(rollout, event, at, event.reason, event.who)


def _resumed(_: Scope, rollout: Rollout, event: e.RolloutResumed, at: datetime) -> None:
    with stretches_of(rollout, tuple(range(len(rollout.stretches)))):
        _to(rollout, event, at, event.reason, event.who, "" if rollout.prepared else " unprepared")
    for stretch in rollout.stretches:
        stretch.failed = ""
    rollout.unacknowledged.clear()
    rollout.not_changed.clear()


def _stopped(_: Scope, rollout: Rollout, event: e.RolloutStopped, at: datetime) -> None:
    _to(rollout, event, at, event.why)


def _aborted(scope: Scope, rollout: Rollout, event: e.RolloutAborted, at: datetime) -> None:
    _to(rollout, event, at, event.reason, event.who)
    close_if_over(scope, rollout, at)


def _finished(scope: Scope, rollout: Rollout, event: e.RolloutFinished, at: datetime) -> None:
    _to(rollout, event, at, "")
    close_if_over(scope, rollout, at)


# Stages, lanes, waves ---------------------------------------------------------------------------------------


def _stage_opened(_: Scope, rollout: Rollout, event: e.StageOpened, _at: datetime) -> None:
    rollout.stage, rollout.stage_status, rollout.bake_until = event.stage, StageStatus.OPEN, None
    lanes = rollout.planned.lanes_of_stage[event.stage]
    rollout.lanes_left = len(lanes)
    rollout.orders_left = {
        number: sum(1 for m in order.first[event.stage] if rollout.machines[m].status not in SETTLED)
        for number, order in enumerate(rollout.planned.orders)
        if order.first[event.stage]
    }


def _stage_baking(_: Scope, rollout: Rollout, event: e.StageBaking, _at: datetime) -> None:
    rollout.stage_status, rollout.bake_until = StageStatus.BAKING, event.until


def _stage_awaiting(_: Scope, rollout: Rollout, _event: e.StageAwaiting, at: datetime) -> None:
    rollout.stage_status, rollout.status_since = StageStatus.AWAITING, at


def _stage_approved(_: Scope, rollout: Rollout, event: e.StageApproved, _at: datetime) -> None:
    rollout.by = event.who


def _wave_opened(_: Scope, rollout: Rollout, event: e.WaveOpened, at: datetime) -> None:
    lane = rollout.lanes[event.lane]
    lane.wave, lane.open, lane.opened_at = event.wave, True, at
    wave = rollout.planned.lanes[event.lane].waves[event.wave]
    lane.moved_at = at
    lane.left = sum(1 for m in wave if rollout.machines[m].status not in SETTLED)
    lane.in_flight = sum(1 for m in wave if rollout.machines[m].status in IN_FLIGHT)


def _wave_passed(_: Scope, rollout: Rollout, event: e.WavePassed, _at: datetime) -> None:
    lane = rollout.lanes[event.lane]
    lane.open, lane.wave = False, event.wave + 1
    if lane.wave == len(rollout.planned.lanes[event.lane].waves):
        _finish_lane(rollout, lane)


def _lane_gave_up(_: Scope, rollout: Rollout, event: e.LaneGaveUp, _at: datetime) -> None:
    lane = rollout.lanes[event.lane]
    lane.open, lane.gave_up = False, event.why
    _finish_lane(rollout, lane)


def _finish_lane(rollout: Rollout, lane: LaneRun) -> None:
    lane.finished = True
    rollout.lanes_left -= 1


def _group_seen(_: Scope, rollout: Rollout, event: e.GroupSeen, at: datetime) -> None:
    if event.well:
        rollout.sick.pop(event.group, None)
    else:
        rollout.sick[event.group] = Sick(at, event.evidence)


def _budgets_shrunk(_: Scope, rollout: Rollout, event: e.BudgetsShrunk, at: datetime) -> None:
    limits = dict(zip(event.budgets, event.limits, strict=True))
    rollout.shrunk.update(limits)
    rollout.replannings.append(Replanning(at, limits, event.refused))


def _lane_replanned(_: Scope, rollout: Rollout, event: e.LaneReplanned, _at: datetime) -> None:
    if event.begun < begun_of(rollout, event.lane):
        raise Defect(f"waves of lane {event.lane} that were begun can't be planned anew")
    rest = iter(event.machines)
    waves = [tuple(islice(rest, size)) for size in event.sizes]
    rollout.planned = with_waves(rollout.planned, event.lane, event.begun, waves)
    rollout.replannings[-1].lanes.append(event.lane)


def _patches_seen(_: Scope, rollout: Rollout, event: e.PatchesSeen, _at: datetime) -> None:
    if event.number != len(rollout.patches):
        raise Defect(
            f"set {event.number} of what became of updates can't follow {len(rollout.patches)} others"
        )
    rollout.patches.append(event.patches)
    rollout.patch_numbers[event.patches] = event.number


def _emergency(_: Scope, rollout: Rollout, event: e.EmergencyDeclared, at: datetime) -> None:
    rollout.emergency = Emergency(event.who, event.reason, at)
    if rollout.bake_until is not None:
        plan = rollout.planned.plan
        rollout.bake_until = min(rollout.bake_until, at + least_bake(plan, plan.stages[rollout.stage]))


def _told(_: Scope, rollout: Rollout, event: e.Told, _at: datetime) -> None:
    fold_told(rollout, event)


def _nothing(_: Scope, _rollout: Rollout, _event: e.Event, _at: datetime) -> None:
    """A fact for people alone."""


_FOLDS: dict[type, Callable[[Scope, Rollout, Any, datetime], None]] = {
    e.Prepared: _prepared,
    e.ReceiversNamed: lambda _, rollout, event, __: fold_receivers(rollout, event),
    e.RolloutRefused: _refused,
    e.RolloutPaused: _paused,
    e.RolloutResumed: _resumed,
    e.RolloutStopped: _stopped,
    e.RolloutAborted: _aborted,
    e.RolloutFinished: _finished,
    e.StageOpened: _stage_opened,
    e.StageBaking: _stage_baking,
    e.StageAwaiting: _stage_awaiting,
    e.StageApproved: _stage_approved,
    e.WaveOpened: _wave_opened,
    e.WavePassed: _wave_passed,
    e.LaneGaveUp: _lane_gave_up,
    e.BudgetsShrunk: _budgets_shrunk,
    e.LaneReplanned: _lane_replanned,
    e.GroupSeen: _group_seen,
    e.PatchesSeen: _patches_seen,
    e.HoldSeen: fold_seen,
    e.EmergencyDeclared: _emergency,
    e.Told: _told,
    e.MemberMoved: member_moved,
    e.OutsidersSeen: outsiders_seen,
    e.CommandRefused: _nothing,
    **MACHINE_FOLDS,
    **STRETCH_FOLDS,
}
"""Every event of a rollout but the first, and but `Archived`, which is about one that isn't there any more, has its fold; a test
compares this with `events.Event`.
"""
