"""What a person's command makes happen, or the sentence that says why it can't."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from orchestrator.errors import Busy, Refused
from orchestrator.policy.words import counted
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.blocking import decide_block, nothing_left
from orchestrator.rollout.emergency import overridden
from orchestrator.rollout.ended import still_left
from orchestrator.rollout.holding import decide_hold, hold_on
from orchestrator.rollout.matters import Receiver
from orchestrator.rollout.progress import next_stage
from orchestrator.rollout.state import (
    IN_FLIGHT,
    Ended,
    MachineStatus,
    Rollout,
    RolloutStatus,
    Scope,
    StageStatus,
)
from orchestrator.rollout.stopping import give_back
from orchestrator.rollout.stretches import under_way
from orchestrator.rollout.transitions import MACHINE, ROLLOUT


def decide_command(scope: Scope, command: m.Command, now: datetime) -> tuple[e.Event, ...]:
    """The facts that a command makes. Raises `Refused` with what to do instead; then nothing is changed."""
    if isinstance(command, m.Start):
        return _start(scope, command, now)
    if isinstance(command, m.Block | m.Unblock):
        return decide_block(scope, command)
    if isinstance(command, m.Hold | m.Unhold):
        return decide_hold(scope, command, now)
    rollout = scope.rollouts.get(command.rollout)
    if rollout is None and command.rollout in scope.ended:
        return _of_ended(scope, scope.ended[command.rollout], command)
    if rollout is None:
        known = ", ".join(scope.rollouts) or "none"
        raise Refused(f"no rollout {command.rollout} in this journal; it knows: {known}")
    match command:
        case m.Pause(_, who, reason):
            _legal(rollout, "RolloutPaused", "paused")
            return (e.RolloutPaused(who, reason),)
        case m.Resume(_, who, reason):
            _legal(rollout, "RolloutResumed", "resumed")
            return (e.RolloutResumed(who, reason),)
        case m.Abort(_, who, reason):
            _legal(rollout, "RolloutAborted", "aborted")
            return (e.RolloutAborted(who, reason), *give_back(rollout, "the rollout was aborted"))
        case m.Approve(_, who, reason):
            return _approve(rollout, who, reason)
        case m.Emergency(_, who, reason):
            return _emergency(rollout, who, reason, now)
        case m.Retry() | m.Skip() | m.WriteOff():
            return _machine(scope, rollout, command, now)
        case _:
            assert_never(command)


def _start(scope: Scope, command: m.Start, now: datetime) -> tuple[e.Event, ...]:
    if command.rollout in scope.rollouts or command.rollout in scope.ended:
        raise Refused(f"rollout {command.rollout} is in this journal already")
    mine = {machine.id for machine in command.planned.plan.machines if machine.change}
    for other in scope.active():
        shared = sorted(mine & {x.id for x in other.planned.plan.machines if x.change})
        if shared:
            name = shared[0].rsplit("/", 1)[-1]
            raise Busy(
                f"{counted(len(shared), 'machine')} of this plan, such as {name}, {'is' if len(shared) == 1 else 'are'} in rollout {other.id}, which is {other.status}; "
                f"wait until it has ended (--queue does), or abort it: wavekeeper abort {other.id} --reason ...",
                rollout=other.id,
            )
    _refuse_blocked(scope, command)
    dropped = tuple(machine for machine, _ in command.dropped)
    why = tuple(reason for _, reason in command.dropped)
    started = e.RolloutStarted(
        command.rollout,
        command.digest,
        command.who,
        command.reason,
        dropped,
        why,
        command.scale,
        command.due,
        command.commit,
        tuple(Receiver(webhook, on) for webhook, on in scope.tidings.receivers.items()),
    )
    if not command.emergency.strip():
        return (started,)
    shortened = overridden(command.planned.plan, now)
    return started, e.EmergencyDeclared(command.who, command.emergency, shortened)


def _refuse_blocked(scope: Scope, command: m.Start) -> None:
    """A plan that would install nothing but what is blocked."""
    plan = command.planned.plan
    kept_out = [nothing_left(plan.change, x.os, scope.blocked) for x in plan.machines if x.change]
    if kept_out and all(kept_out):
        why = "; ".join(str(scope.blocked[kb]) for kb in sorted({kb for kbs in kept_out for kb in kbs}))
        raise Refused(f"the plan would install nothing but what is blocked: {why}")


def _legal(rollout: Rollout, event: str, verb: str) -> None:
    if event not in ROLLOUT[rollout.status]:
        raise Refused(f"rollout {rollout.id} is {rollout.status} and can't be {verb}")


def _approve(rollout: Rollout, who: str, reason: str) -> tuple[e.Event, ...]:
    stage = rollout.planned.plan.stages[rollout.stage].name
    if rollout.over or rollout.stage_status is not StageStatus.AWAITING:
        raise Refused(
            f"rollout {rollout.id} is {rollout.status}, in stage {stage}, and waits for no approval now"
        )
    if rollout.status is not RolloutStatus.RUNNING:
        raise Refused(f"rollout {rollout.id} is {rollout.status}; resume it, then approve stage {stage}")
    retried = sum(1 for m in rollout.stragglers if rollout.machines[m].status is MachineStatus.PENDING)
    if rollout.in_flight or retried:
        raise Refused(
            f"{counted(rollout.in_flight + retried, 'machine')} of stage {stage} retried and not verified yet; "
            "wait for them or skip them, then approve"
        )
    if under_way(rollout):
        raise Refused(f"steps after stage {stage} are under way; wait for them, then approve")
    return (e.StageApproved(rollout.stage, who, reason), *next_stage(rollout))


def _emergency(rollout: Rollout, who: str, reason: str, now: datetime) -> tuple[e.Event, ...]:
    """It stands where the rollout does: one that is paused or stopped stays so until somebody resumes it."""
    if not reason.strip():
        raise Refused("say why, for whoever reads it later: --reason ...")
    if rollout.over:
        raise Refused(f"rollout {rollout.id} is {rollout.status}: there is nothing left to hurry")
    if rollout.emergency is not None:
        raise Refused(f"rollout {rollout.id}: {rollout.emergency}")
    shortened = overridden(rollout.planned.plan, now, rollout.stage)
    if not shortened:
        raise Refused(
            f"rollout {rollout.id} has no windows, freezes, longer bakes or approvals ahead: an emergency would shorten nothing; "
            "budgets, exclusions, orders, probes and gates hold in every emergency"
        )
    return (e.EmergencyDeclared(who, reason, shortened),)


def _of_ended(scope: Scope, ended: Ended, command: m.Command) -> tuple[e.Event, ...]:
    """Of a rollout that is over, and not kept whole any more, a person may only write off whom it left out."""
    left = dict(still_left(scope, ended))
    if isinstance(command, m.WriteOff) and command.machine in left:
        return (e.MachineWrittenOff(command.machine, command.who, command.reason),)
    names = ", ".join(one.name for one in left.values())
    can = f"of those it left out ({names}) you may write off each" if names else "nobody is out by it"
    raise Refused(f"rollout {ended.id} is {ended.status} since {ended.ended_at:%Y-%m-%d %H:%M} UTC; {can}")


def _machine(
    scope: Scope, rollout: Rollout, command: m.Retry | m.Skip | m.WriteOff, now: datetime
) -> tuple[e.Event, ...]:
    """A verb for one machine. Its grant's fate is the fold's affair."""
    machine, run = command.machine, rollout.machines[command.machine]
    name = rollout.planned.machine(machine).name
    if rollout.planned.lane_of[machine] < 0:
        if isinstance(command, m.WriteOff) and rollout.planned.machine(machine).id in scope.ledger.others:
            return (e.MachineWrittenOff(machine, command.who, command.reason),)
        raise Refused(f"{name} only counts in this rollout's budgets; it isn't changed by it")
    if run.status in IN_FLIGHT:
        raise Refused(
            f"{name} is {run.status} since {run.since or now:%H:%M}; wait until it is verified, then say it again"
        )
    label = {m.Retry: "MachineRetried", m.Skip: "MachineSkipped", m.WriteOff: "MachineWrittenOff"}[
        type(command)
    ]
    if label not in MACHINE[run.status]:
        raise Refused(f"{name} is {run.status}: there is nothing to {_VERBS[type(command)]}")
    match command:
        case m.Retry(_, _, who, reason):
            if rollout.over:
                raise Refused(f"rollout {rollout.id} is {rollout.status}; a new rollout takes up {name}")
            if (hold := hold_on(rollout, machine, now)) is not None:
                raise Refused(
                    f"{name} is {hold}; lift that first, for all that it holds: wavekeeper unhold {hold.id} --reason ..."
                )
            return (e.MachineRetried(machine, who, reason),)
        case m.Skip(_, _, who, reason):
            return (e.MachineSkipped(machine, who, reason),)
        case m.WriteOff(_, _, who, reason):
            return (e.MachineWrittenOff(machine, who, reason),)
        case _:
            assert_never(command)


_VERBS: dict[type, str] = {m.Retry: "retry", m.Skip: "skip", m.WriteOff: "write off"}
