"""`decide(scope, message, now)`: the facts that a message makes, given what is known. Pure, total, and the only one who decides.

A decision that changes nothing is empty. A command that can't be carried out raises `Refused`. Observations that belong
to an attempt that is over, or to a status that has passed, are late, and dropped.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never, get_args

from orchestrator.policy.model import Patches, Restart
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import no_room_since, refusal, restarts
from orchestrator.rollout.blocking import nothing_left
from orchestrator.rollout.codec import request_key
from orchestrator.rollout.commands import decide_command
from orchestrator.rollout.evolve_machine import left_open_by
from orchestrator.rollout.holding import decide_looked, hold_on
from orchestrator.rollout.hours import still_fits
from orchestrator.rollout.membership import decide_moved, decide_outsiders
from orchestrator.rollout.notices import decide_told
from orchestrator.rollout.observations import decide_attempt, decide_health
from orchestrator.rollout.progress import advance_lane, advance_stage
from orchestrator.rollout.replanning import decide_replanned
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, Scope
from orchestrator.rollout.stopping import after_unhealthy, not_begun, stop
from orchestrator.rollout.stretches import decide_stretch, to_begin
from orchestrator.rollout.transitions import MACHINE

UNASKED_LIMIT = 0.1
"""More than a tenth of the probes that can't even be asked is a mistake in the configuration, not a sick fleet."""

NEEDLESS = "no restart is pending on it any more"
"""Why a machine is left out whose restart somebody else has done since the plan was made."""

_COMMANDS = get_args(m.Command)


def decide(scope: Scope, message: m.Message, now: datetime) -> tuple[e.Event, ...]:
    """The facts that `message` makes at `now`. Raises `Refused` for a command that can't be carried out."""
    if isinstance(message, _COMMANDS):
        return decide_command(scope, message, now)
    rollout = scope.rollouts.get(message.rollout)
    if rollout is None:
        return ()
    match message:
        case m.Advance(_, lane, looked):
            if lane < 0:
                return advance_stage(rollout, now, looked)
            return advance_lane(rollout, lane, now, looked)
        case m.FoundWell() | m.FoundOut() | m.FoundBroken() | m.FoundBusy() | m.FoundGone():
            return _found(scope, rollout, message, now)
        case m.FoundGroupSick():
            return _found_sick(scope, rollout, message)
        case m.NoticeTold():
            return decide_told(rollout, message)
        case m.StretchStepReported():
            return decide_stretch(rollout, message)
        case m.GroupRecovered(_, group):
            return (e.GroupSeen(group, well=True, evidence=""),) if group in rollout.sick else ()
        case m.HoldsLooked():
            return decide_looked(rollout, message)
        case m.FleetLooked():
            return _fleet_looked(rollout, message)
        case m.FleetChanged():
            return _fleet_changed(scope, rollout, message)
        case m.FleetMoved():
            return decide_moved(rollout, message)
        case m.OutsidersLooked():
            return decide_outsiders(scope, rollout, message)
        case m.ClockStepped(_, last):
            return stop(rollout, f"the clock went back: it says {now:%H:%M:%S} after {last:%H:%M:%S}")
        case m.ReplanFound():
            return decide_replanned(rollout, message)
        case m.HealthReported():
            return decide_health(scope, rollout, message)
        case (
            m.StepReported()
            | m.SendAccepted()
            | m.SendRejected()
            | m.SendLapsed()
            | m.SendUnsettled()
            | m.ReadBack()
            | m.ChangeReported()
            | m.FollowLost()
            | m.AssessmentReported()
        ):
            return decide_attempt(rollout, message, now)
        case (
            m.Start()
            | m.Pause()
            | m.Resume()
            | m.Abort()
            | m.Approve()
            | m.Retry()
            | m.Skip()
            | m.WriteOff()
            | m.Block()
            | m.Unblock()
            | m.Hold()
            | m.Unhold()
            | m.Emergency()
        ):
            raise AssertionError("commands were decided above")
        case _:
            assert_never(message)


def _found(
    scope: Scope,
    rollout: Rollout,
    message: m.FoundWell | m.FoundOut | m.FoundBroken | m.FoundBusy | m.FoundGone,
    now: datetime,
) -> tuple[e.Event, ...]:
    """The look right before a grant."""
    machine = message.machine
    run = rollout.machines[machine]
    if isinstance(message, m.FoundGone):
        return (e.MachineGone(machine),) if "MachineGone" in MACHINE[run.status] else ()
    if isinstance(message, m.FoundWell) and run.status is MachineStatus.GRANTED:
        if run.step < len(rollout.planned.steps_before(machine)):
            return ()
        if not run.part and not still_fits(rollout, machine, now):
            return (not_begun(machine, "its windows closed before its request could be sent"),)
        if not run.part and (hold := hold_on(rollout, machine, now)) is not None:
            return (not_begun(machine, f"it is {hold}"),)
        if not run.part and (full := no_room_since(scope, rollout, machine)) is not None:
            return (not_begun(machine, f"others went out since it was granted: {full.what}"),)
        if not run.part and _is_needless(rollout, message):
            return (not_begun(machine, NEEDLESS),)
        return (intend(scope, rollout, machine, message.baseline, now),)
    if isinstance(message, m.FoundOut | m.FoundBusy) and run.status is MachineStatus.GRANTED:
        why = "somebody else is patching it now" if isinstance(message, m.FoundBusy) else message.evidence
        return (not_begun(machine, why),)
    if run.status is not MachineStatus.PENDING:
        return ()
    if isinstance(message, m.FoundWell):
        return _grant(scope, rollout, message, now)
    if isinstance(message, m.FoundBroken):
        return _repair(scope, rollout, message, now)
    if refusal(scope, rollout, machine, now=now) is not None:
        return ()
    match message:
        case m.FoundOut() if scope.ledger.holds(rollout.id, rollout.planned.machine(machine).id):
            # A person wants its next attempt, and it was well for a while.
            return (e.FleetSeen(out=(machine,)),)
        case m.FoundOut(_, _, evidence):
            why = f"out already, before we touched it: {evidence}"
            return (e.MachineLeftOut(machine, why), e.FleetSeen(out=(machine,)))
        case m.FoundBusy():
            return (e.ForeignRunSeen(machine),)
        case _:
            assert_never(message)


def _is_needless(rollout: Rollout, found: m.FoundWell) -> bool:
    """Whether a restart is wanted only where one is pending, and none is. What a person wants all the same isn't needless."""
    change = rollout.planned.plan.change
    only_pending = isinstance(change, Restart) and change.only_pending
    return only_pending and not found.restart_pending and not rollout.machines[found.machine].forced


def _why_needless(rollout: Rollout, found: m.FoundWell) -> str:
    """Why nothing would come of a change of this machine; empty where something may."""
    if _is_needless(rollout, found):
        return NEEDLESS
    change, os = rollout.planned.plan.change, rollout.planned.machine(found.machine).os
    kept_out = nothing_left(change, os, rollout.blocked)
    return (
        "all that it would get is kept out: " + "; ".join(str(rollout.blocked[kb]) for kb in kept_out)
        if kept_out
        else ""
    )


def _grant(scope: Scope, rollout: Rollout, found: m.FoundWell, now: datetime) -> tuple[e.Event, ...]:
    """Permission to take down a machine that serves, or that a person wants changed though it doesn't."""
    machine, identity = found.machine, rollout.planned.machine(found.machine).id
    forced = rollout.machines[machine].forced
    installs = isinstance(rollout.planned.plan.change, Patches)
    if installs and found.restart_pending and not restarts(rollout, machine):
        return (e.RestartForeseen(machine, "a restart is pending on it, so that its updates may end in one"),)
    refused = refusal(scope, rollout, machine, serves=found.serves, now=now)
    if refused is None and (why := _why_needless(rollout, found)):
        return (e.MachineLeftOut(machine, why),)
    back = (e.FleetSeen(back=(machine,)),) if found.serves else ()
    if refused is not None:
        on_record = identity in scope.ledger.others or (forced and rollout.status is RolloutStatus.RUNNING)
        return back if on_record else ()
    granted = e.Granted(machine, restarts=restarts(rollout, machine))
    return (*(back if forced else ()), *_begin(scope, rollout, machine, granted, found.baseline, now))


def _repair(scope: Scope, rollout: Rollout, found: m.FoundBroken, now: datetime) -> tuple[e.Event, ...]:
    """The same for a machine that is out already. Once that is on record, its change takes no place that it doesn't take anyway."""
    machine = found.machine
    if rollout.planned.machine(machine).id not in scope.ledger.others:
        return (e.FleetSeen(out=(machine,)),) if rollout.status is RolloutStatus.RUNNING else ()
    if refusal(scope, rollout, machine, now=now) is not None:
        return ()
    return _begin(scope, rollout, machine, e.Granted(machine, broken=True), found.baseline, now)


def _begin(
    scope: Scope, rollout: Rollout, machine: int, granted: e.Granted, baseline: str, now: datetime
) -> tuple[e.Event, ...]:
    stretches = to_begin(rollout, machine)
    begun = tuple(e.StretchBegun(rollout.planned.stretches.all[n].where, machine) for n in stretches)
    if any(rollout.planned.stretches.all[n].before for n in stretches):
        return begun  # it is looked at again once their steps before are done
    if rollout.planned.steps_before(machine):
        return (*begun, granted)
    return (*begun, granted, intend(scope, rollout, machine, baseline, now))


def _found_sick(scope: Scope, rollout: Rollout, found: m.FoundGroupSick) -> tuple[e.Event, ...]:
    """A machine that must wait for its group: the group is put down, so that nobody else of it is looked at in vain.

    One that is granted gives its grant back.
    """
    machine, run = found.machine, rollout.machines[found.machine]
    fresh = found.group not in rollout.sick
    seen = (e.GroupSeen(found.group, well=False, evidence=found.evidence),) if fresh else ()
    if run.status is MachineStatus.GRANTED:
        if run.part or run.step < len(rollout.planned.steps_before(machine)):
            return ()
        name = rollout.planned.plan.group_probes[found.group].name
        return (*seen, not_begun(machine, f"its group {name} isn't well any more: {found.evidence}"))
    if run.status is not MachineStatus.PENDING or rollout.status is not RolloutStatus.RUNNING:
        return ()
    back = rollout.planned.machine(machine).id in scope.ledger.others  # it was seen well itself
    return (*((e.FleetSeen(back=(machine,)),) if back else ()), *seen)


def intend(scope: Scope, rollout: Rollout, machine: int, baseline: str, now: datetime) -> e.Intended:
    """The intent of the machine's next attempt."""
    attempt = rollout.machines[machine].attempt + 1
    key = request_key(rollout.id, machine, attempt)
    return e.Intended(machine, attempt, key, baseline, now + scope.send_within)


def _fleet_looked(rollout: Rollout, message: m.FleetLooked) -> tuple[e.Event, ...]:
    if rollout.status is not RolloutStatus.STARTING:
        return ()
    total = message.asked + message.unasked
    if message.unasked > UNASKED_LIMIT * total:
        why = (
            f"{message.unasked} of {total} probes can't be asked ({message.example}): more than a tenth, "
            "so the probes are taken as misconfigured; mend them and plan again"
        )
        return (e.RolloutRefused(why),)
    return (e.Prepared(message.out), e.StageOpened(0))


def _fleet_changed(scope: Scope, rollout: Rollout, message: m.FleetChanged) -> tuple[e.Event, ...]:
    """Machines that went out while nobody held a grant for them: ours that were done are late failures."""
    out, late = [], []
    for machine in message.out:
        run = rollout.machines[machine]
        ours = run.attempt and not run.broken
        if run.status in (MachineStatus.DONE, MachineStatus.NOT_CHANGED) and ours:
            late.append(machine)
        elif run.status is MachineStatus.WRITTEN_OFF:
            continue  # a person said that it counts no more
        elif not scope.ledger.is_out(rollout.planned.machine(machine).id):
            out.append(machine)
    back = []
    for machine in message.back:
        identity = rollout.planned.machine(machine).id
        if (
            message.seen_at is not None
            and scope.ledger.others.get(identity, message.seen_at) > message.seen_at
        ):
            continue  # it went out after it was looked at
        if identity in scope.ledger.others or left_open_by(scope, rollout, identity) is not None:
            back.append(machine)
    evidence = message.evidence or "well when verified, not now"
    facts: list[e.Event] = [e.MachineUnhealthy(machine, evidence, late=True) for machine in late]
    if out or back:
        facts.append(e.FleetSeen(tuple(out), tuple(back)))
    if late:
        facts.extend(after_unhealthy(rollout, late, f"late: {evidence}"))
    return tuple(facts)


SHORT_STEP_BACK = timedelta(seconds=5)
"""A clock that steps back by more than this starts nothing new."""


def clock_message(scope: Scope, rollout: Rollout, now: datetime) -> m.ClockStepped | None:
    """Whether `now` is so far before the last fact that the rollout must stop."""
    if scope.last is not None and now < scope.last - SHORT_STEP_BACK:
        return m.ClockStepped(rollout.id, scope.last)
    return None
