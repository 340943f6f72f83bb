"""The fold of a machine's events, and the counts that hang on a machine's status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orchestrator.errors import Defect
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout.evolve_stretch import count
from orchestrator.rollout.meanings import meaning_of
from orchestrator.rollout.state import IN_FLIGHT, SETTLED, MachineRun, MachineStatus, Rollout, Scope
from orchestrator.rollout.transitions import MACHINE

FOREIGN_PAUSE = timedelta(minutes=10)
"""How long somebody else's patch run is left alone before the machine is looked at again."""


def close_if_over(scope: Scope, rollout: Rollout, at: datetime) -> None:
    """Once nothing is in flight, an ended rollout's constraints are no longer held. Open grants stay in the ledger."""
    if rollout.over and not rollout.in_flight and rollout.ended_at is None:
        rollout.ended_at = at
        scope.ledger.unregister(rollout.id)


def _expect(rollout: Rollout, machine: int, label: str) -> tuple[MachineRun, MachineStatus]:
    run = rollout.machines[machine]
    target = MACHINE[run.status].get(label)
    if target is None:
        raise Defect(f"{label} can't follow for machine {machine}, which is {run.status}")
    return run, target


def move(scope: Scope, rollout: Rollout, machine: int, run: MachineRun) -> None:
    """Put `run` in the machine's place and keep every count that depends on its status."""
    old, new = rollout.machines[machine].status, run.status
    rollout.machines[machine] = run
    if old is new:
        return
    rollout.counts[old] -= 1
    rollout.counts[new] += 1
    begun = (new in IN_FLIGHT) - (old in IN_FLIGHT)
    settled = (new in SETTLED) - (old in SETTLED)
    rollout.in_flight += begun
    if stretches := rollout.planned.stretches.of.get(machine):
        count(rollout, stretches, old, new)
    lane_number = rollout.planned.lane_of[machine]
    lane = rollout.lanes[lane_number]
    if lane.open and rollout.planned.wave_of[machine] == lane.wave:
        lane.left -= settled
        lane.in_flight += begun
        lane.moved_at = run.since
    if settled:
        if rollout.planned.lanes[lane_number].stage == rollout.stage:
            for order in rollout.planned.orders_first.get(machine, ()):
                if order in rollout.orders_left:
                    rollout.orders_left[order] -= settled
        if settled > 0:
            rollout.stragglers.pop(machine, None)
    if rollout.over and run.since is not None:
        close_if_over(scope, rollout, run.since)


def _anew(run: MachineRun, target: MachineStatus, at: datetime, detail: str) -> MachineRun:
    """The machine without what its last attempt left, but for how often it was tried and what became of its updates."""
    kept = (run.attempt, run.tries, run.grants)
    return MachineRun(target, at, *kept, detail=detail, patches=run.patches)


def _granted(scope: Scope, rollout: Rollout, event: e.Granted, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "Granted")
    machine = rollout.planned.machine(event.machine).id
    scope.ledger.grant(machine, rollout.id, at, restarts=event.restarts)
    scope.ledger.mark_back(machine)
    fresh = MachineRun(
        target,
        at,
        attempt=run.attempt,
        tries=run.tries,
        grants=run.grants + 1,
        forced=run.forced,
        broken=event.broken,
        patches=run.patches,
    )
    move(scope, rollout, event.machine, fresh)


def _restart_foreseen(scope: Scope, rollout: Rollout, event: e.RestartForeseen, _at: datetime) -> None:
    rollout.downed.add(event.machine)
    scope.ledger.raise_to_restart(rollout.planned.machine(event.machine).id, rollout.id)


def _intended(scope: Scope, rollout: Rollout, event: e.Intended, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "Intended")
    rollout.attempted += run.attempt == 0
    new = run._replace(
        status=target,
        since=at,
        attempt=event.attempt,
        key=event.key,
        baseline=event.baseline,
        not_after=event.not_after,
        retry_at=None,
    )
    move(scope, rollout, event.machine, new)


def _lapsed(scope: Scope, rollout: Rollout, event: e.IntentLapsed, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "IntentLapsed")
    move(scope, rollout, event.machine, run._replace(status=target, since=at))


def _started(scope: Scope, rollout: Rollout, event: e.Started, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "Started")
    result_url = event.result_url or result_url_of(event.status_url)
    new = run._replace(status=target, since=at, status_url=event.status_url, result_url=result_url, sure=True)
    move(scope, rollout, event.machine, new)


def result_url_of(status_url: str) -> str:
    """ARM's `Location` of an operation, where it is its status URL's own with `&monitor=true`."""
    return status_url + "&monitor=true"


def _rejected(scope: Scope, rollout: Rollout, event: e.AttemptRejected, at: datetime) -> None:
    label = "AttemptRejected" if event.retry_at else "AttemptRejected for good"
    run, target = _expect(rollout, event.machine, label)
    detail = f"{event.code}: {event.message}"
    if event.retry_at:
        new = run._replace(status=target, since=at, retry_at=event.retry_at, detail=detail)
    else:
        meaning = meaning_of(event.code, event.message).name
        new = run._replace(
            status=target,
            since=at,
            changed=False,
            step=0,
            tries=run.tries + 1,
            detail=detail,
            meaning=meaning,
        )
    move(scope, rollout, event.machine, new)


def _unsettled(scope: Scope, rollout: Rollout, event: e.AttemptUnsettled, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "AttemptUnsettled")
    move(scope, rollout, event.machine, run._replace(status=target, since=at, detail=event.why))


def _adopted(scope: Scope, rollout: Rollout, event: e.Adopted, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "Adopted")
    new = run._replace(
        status=target,
        since=at,
        status_url=event.status_url,
        result_url=result_url_of(event.status_url),
        sure=event.sure,
    )
    move(scope, rollout, event.machine, new)


def _not_started(scope: Scope, rollout: Rollout, event: e.NotStarted, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "NotStarted")
    move(scope, rollout, event.machine, run._replace(status=target, since=at, untaken=run.untaken + 1))


def _undecided(scope: Scope, rollout: Rollout, event: e.Undecided, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "Undecided")
    scope.ledger.raise_to_restart(rollout.planned.machine(event.machine).id, rollout.id)  # nobody knows
    move(scope, rollout, event.machine, run._replace(status=target, since=at, detail=event.why))


def _foreign(scope: Scope, rollout: Rollout, event: e.ForeignRunSeen, at: datetime) -> None:
    run, _ = _expect(rollout, event.machine, "ForeignRunSeen")
    machine = rollout.planned.machine(event.machine).id
    scope.ledger.mark_out(machine, at)
    rollout.machines[event.machine] = run._replace(
        since=at,
        retry_at=at + FOREIGN_PAUSE,
        detail="somebody else is patching it now",
    )


def _step_ended(scope: Scope, rollout: Rollout, event: e.StepEnded, at: datetime) -> None:
    failed_before = not event.after and not event.ok
    run, target = _expect(rollout, event.machine, "StepEnded failed" if failed_before else "StepEnded")
    if failed_before:
        new = run._replace(status=target, since=at, changed=False, step=0, detail=event.evidence)
    elif not event.after:
        new = run._replace(step=event.step + 1)
    elif event.ok:
        new = run._replace(step=event.step + 1, since=at)
    else:
        new = run._replace(step=event.step + 1, since=at, verdict=False, broken=False, detail=event.evidence)
    move(scope, rollout, event.machine, new)


def _part_ended(scope: Scope, rollout: Rollout, event: e.PartEnded, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "PartEnded")
    new = run._replace(
        status=target,
        since=at,
        part=run.part + 1,
        detail=event.detail,
        patches=run.patches if event.patches < 0 else event.patches,
        untaken=0,
        key="",
        status_url="",
        result_url="",
    )
    move(scope, rollout, event.machine, new)


def _change_ended(scope: Scope, rollout: Rollout, event: e.ChangeEnded, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "ChangeEnded")
    new = run._replace(
        status=target,
        since=at,
        changed=event.changed,
        passing=event.passing,
        detail=event.detail,
        meaning=event.meaning,
        patches=run.patches if event.patches < 0 else event.patches,
        tries=run.tries + event.begun,
        step=0,
        verdict=None,
        key="",
        status_url="",
        result_url="",
    )
    move(scope, rollout, event.machine, new)


def _assessed(_: Scope, rollout: Rollout, event: e.Assessed, _at: datetime) -> None:
    run, _target = _expect(rollout, event.machine, "Assessed")
    changed = event.pending == 0
    detail = run.detail
    if event.pending < 0:
        detail = "whether patches of the set are still missing after the run could not be assessed"
    elif not changed:
        detail = f"{event.pending} patches of the set are still missing after the run"
    rollout.machines[event.machine] = run._replace(sure=True, changed=changed, detail=detail)


def _verified(_: Scope, rollout: Rollout, event: e.Verified, at: datetime) -> None:
    run, _target = _expect(rollout, event.machine, "Verified")
    detail = run.detail if event.well else event.evidence
    rollout.machines[event.machine] = run._replace(verdict=event.well, step=0, since=at, detail=detail)


def _ended(scope: Scope, rollout: Rollout, event: e.MachineEnded, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, f"MachineEnded {event.outcome}")
    scope.ledger.release(rollout.planned.machine(event.machine).id, rollout.id)
    if target is MachineStatus.PENDING:
        new = _anew(run, target, at, event.detail)._replace(meaning=run.meaning)
    else:
        as_before = run.broken and run.verdict is False
        new = run._replace(status=target, since=at, broken=as_before, detail=event.detail)
    if target is MachineStatus.NOT_CHANGED and not new.broken:
        rollout.not_changed.add(event.machine)
    move(scope, rollout, event.machine, new)


def _unhealthy(scope: Scope, rollout: Rollout, event: e.MachineUnhealthy, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "MachineUnhealthy")
    machine = rollout.planned.machine(event.machine).id
    if scope.ledger.holds(rollout.id, machine):
        scope.ledger.raise_to_restart(machine, rollout.id)  # it doesn't serve, whatever was said of it
    else:
        scope.ledger.grant(machine, rollout.id, at)
    rollout.unacknowledged.add(event.machine)
    new = run._replace(status=target, since=at, detail=event.evidence, late=event.late, verdict=False)
    move(scope, rollout, event.machine, new)


def _left_out(scope: Scope, rollout: Rollout, event: e.MachineLeftOut, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "MachineLeftOut")
    new = _anew(run, target, at, event.why)
    move(scope, rollout, event.machine, new)


def _unfollowed(run: MachineRun) -> MachineRun:
    """Nobody asks for its operation any more."""
    return run._replace(status_url="", result_url="")


def _gone(scope: Scope, rollout: Rollout, event: e.MachineGone, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "MachineGone")
    machine = rollout.planned.machine(event.machine).id
    scope.ledger.mark_out(machine, at)  # what isn't there serves nobody, until a person says that it needn't
    scope.ledger.release(machine, rollout.id)
    rollout.unacknowledged.discard(event.machine)
    move(
        scope,
        rollout,
        event.machine,
        _unfollowed(run)._replace(status=target, since=at, detail="the cloud knows it no more"),
    )


def _retried(scope: Scope, rollout: Rollout, event: e.MachineRetried, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "MachineRetried")
    # A disruption that is open stays open, with its place and its domain, until the fresh grant takes it over.
    forced = scope.ledger.holds(rollout.id, rollout.planned.machine(event.machine).id)
    rollout.unacknowledged.discard(event.machine)
    rollout.not_changed.discard(event.machine)
    detail = f"{event.who} wants another attempt: {event.reason}"
    new = _anew(run, target, at, detail)._replace(tries=0, forced=forced)
    if _wave_has_passed(rollout, event.machine):
        rollout.stragglers[event.machine] = None
    move(scope, rollout, event.machine, new)


def _wave_has_passed(rollout: Rollout, machine: int) -> bool:
    """Whether the machine's own wave is behind: one whose wave is yet to open waits for that like all others of it."""
    number = rollout.planned.lane_of[machine]
    stage, lane = rollout.planned.lanes[number].stage, rollout.lanes[number]
    return stage < rollout.stage or lane.finished or rollout.planned.wave_of[machine] < lane.wave


def _skipped(scope: Scope, rollout: Rollout, event: e.MachineSkipped, at: datetime) -> None:
    run, target = _expect(rollout, event.machine, "MachineSkipped")
    rollout.unacknowledged.discard(event.machine)
    rollout.not_changed.discard(event.machine)
    new = _unfollowed(run)._replace(status=target, since=at, detail=f"{event.who}: {event.reason}")
    move(scope, rollout, event.machine, new)


def _written_off(scope: Scope, rollout: Rollout, event: e.MachineWrittenOff, at: datetime) -> None:
    detail = f"{event.who}: {event.reason}"
    if rollout.planned.lane_of[event.machine] < 0:  # it is nobody's to change, and only counted as out
        scope.ledger.mark_back(rollout.planned.machine(event.machine).id)
        rollout.machines[event.machine] = MachineRun(MachineStatus.WRITTEN_OFF, at, detail=detail)
        return
    run, target = _expect(rollout, event.machine, "MachineWrittenOff")
    machine = rollout.planned.machine(event.machine).id
    scope.ledger.release(machine, rollout.id)
    scope.ledger.mark_back(machine)
    rollout.unacknowledged.discard(event.machine)
    new = _unfollowed(run)._replace(status=target, since=at, detail=detail)
    move(scope, rollout, event.machine, new)


def _fleet_seen(scope: Scope, rollout: Rollout, event: e.FleetSeen, at: datetime) -> None:
    for index in event.out:
        run, machine = rollout.machines[index], rollout.planned.machine(index).id
        if run.status is MachineStatus.PENDING and scope.ledger.holds(rollout.id, machine):
            rollout.machines[index] = run._replace(forced=True)  # retried, and out again of what we did
        else:
            scope.ledger.mark_out(machine, at)
    for index in event.back:
        run, machine = rollout.machines[index], rollout.planned.machine(index).id
        scope.ledger.mark_back(machine)
        if run.broken or run.forced:
            # Retried, and well by itself before its turn: its next attempt takes it down anew, like anybody's.
            rollout.machines[index] = run._replace(broken=False, forced=False)
        if (holder := left_open_by(scope, rollout, machine)) is not None:
            scope.ledger.release(machine, holder)


def left_open_by(scope: Scope, rollout: Rollout, machine: MachineId) -> str | None:
    """The rollout that is over and left this machine's disruption open; whoever sees the machine well may close it."""
    grant = scope.ledger.grants.get(machine)
    if grant is None or grant.rollout == rollout.id:
        return None
    other = scope.rollouts.get(grant.rollout)
    if other is None:  # it was put away or archived, or is about to be: rows that went tell nothing any more
        return grant.rollout
    return other.id if other.over and not other.in_flight else None


FOLDS: dict[type, Callable[[Scope, Rollout, Any, datetime], None]] = {
    e.Granted: _granted,
    e.RestartForeseen: _restart_foreseen,
    e.Intended: _intended,
    e.IntentLapsed: _lapsed,
    e.Started: _started,
    e.AttemptRejected: _rejected,
    e.AttemptUnsettled: _unsettled,
    e.Adopted: _adopted,
    e.NotStarted: _not_started,
    e.Undecided: _undecided,
    e.ForeignRunSeen: _foreign,
    e.StepEnded: _step_ended,
    e.PartEnded: _part_ended,
    e.ChangeEnded: _change_ended,
    e.Assessed: _assessed,
    e.Verified: _verified,
    e.MachineEnded: _ended,
    e.MachineUnhealthy: _unhealthy,
    e.MachineLeftOut: _left_out,
    e.MachineGone: _gone,
    e.MachineRetried: _retried,
    e.MachineSkipped: _skipped,
    e.MachineWrittenOff: _written_off,
    e.FleetSeen: _fleet_seen,
}
