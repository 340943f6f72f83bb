"""What the world's reports on one attempt make happen: the attempt protocol, the judgement, the verdict of the probes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import assert_never

from orchestrator.policy.model import Step, StepWhen
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import restarts
from orchestrator.rollout.evolve_machine import result_url_of
from orchestrator.rollout.meanings import MEANINGS, meaning_of
from orchestrator.rollout.parts import has_more
from orchestrator.rollout.patch_results import together
from orchestrator.rollout.state import RECOVERING, MachineRun, MachineStatus, Rollout, Scope
from orchestrator.rollout.stopping import after_not_changed, after_unhealthy, not_begun, sends_nothing, stop

REJECTED_PAUSE = timedelta(seconds=30)
"""Where a throttled answer says no Retry-After."""

REJECTED_LIMIT = 200
"""Attempts at one machine that may be turned away before it counts as not changed: hours of a storm of 429."""

UNTAKEN_LIMIT = 4
"""Requests under one grant that were surely not taken, each after being read back for minutes: then the cause won't pass by itself."""

TRIES = 2
"""A change whose failure is known to pass is tried once more."""

AttemptMessage = (
    m.StepReported
    | m.SendAccepted
    | m.SendRejected
    | m.SendLapsed
    | m.SendUnsettled
    | m.ReadBack
    | m.ChangeReported
    | m.FollowLost
    | m.AssessmentReported
)

_EXPECTED: Mapping[type, Collection[MachineStatus]] = {
    m.StepReported: (MachineStatus.GRANTED, MachineStatus.VERIFYING, *RECOVERING),
    m.SendAccepted: (MachineStatus.INTENDED,),
    m.SendRejected: (MachineStatus.INTENDED,),
    m.SendLapsed: (MachineStatus.INTENDED,),
    m.SendUnsettled: (MachineStatus.INTENDED,),
    m.ReadBack: (MachineStatus.UNSETTLED,),
    m.ChangeReported: (MachineStatus.RUNNING,),
    m.FollowLost: (MachineStatus.RUNNING,),
    m.AssessmentReported: (MachineStatus.VERIFYING,),
}


def decide_attempt(rollout: Rollout, message: AttemptMessage, now: datetime) -> tuple[e.Event, ...]:
    """The facts of a report on an attempt; none if it is late."""
    machine, run = message.machine, rollout.machines[message.machine]
    if run.status not in _EXPECTED[type(message)] or run.attempt != message.attempt:
        return ()
    match message:
        case m.StepReported():
            return _step(rollout, message, run)
        case m.SendAccepted(_, _, _, status_url, result_url):
            told = "" if result_url == result_url_of(status_url) else result_url
            return (e.Started(machine, status_url, told),)
        case m.SendRejected():
            return _rejected(rollout, message, run, now)
        case m.SendLapsed():
            return (e.IntentLapsed(machine), *_carry(rollout, machine))
        case m.SendUnsettled(_, _, _, why):
            return (e.AttemptUnsettled(machine, why),)
        case m.ReadBack():
            return _read_back(rollout, message, run)
        case m.ChangeReported():
            return _change_reported(rollout, message)
        case m.FollowLost(_, _, _, why):
            return _undecided(rollout, machine, why)
        case m.AssessmentReported(_, _, _, pending):
            return (e.Assessed(machine, pending),) if not run.sure else ()
        case _:
            assert_never(message)


def _change_reported(rollout: Rollout, message: m.ChangeReported) -> tuple[e.Event, ...]:
    machine, detail = message.machine, message.detail
    name = rollout.planned.machine(machine).name
    seen, number = _patches(rollout, message)
    whole = _so_far(rollout.machines[machine], detail)
    ended = e.ChangeEnded(
        machine, message.changed, message.passing, whole, patches=number, meaning=message.meaning
    )
    if message.restart and not restarts(rollout, machine):
        # Nobody predicted it, and other machines are let go by the same prediction: a person looks first.
        why = f"its updates were said to never restart it, and then {detail}"
        return (*seen, e.RestartForeseen(machine, why), ended, *stop(rollout, f"{name}: {why}", machine))
    if message.changed and not message.stops and has_more(rollout, machine):
        return (*seen, e.PartEnded(machine, _so_far(rollout.machines[machine], detail), number))
    if not message.stops:
        return (*seen, ended)
    known = MEANINGS.get(message.meaning, MEANINGS["unknown"])
    how = " failed with an error that is not known" if known.name == "unknown" else f": {known.what}"
    return (*seen, ended, *stop(rollout, f"{name}{how}: {detail}", machine))


def _so_far(run: MachineRun, detail: str) -> str:
    """What came of the requests of a change that is several, in a sentence."""
    return f"{run.detail}; {detail}" if run.part and run.detail else detail


def _patches(rollout: Rollout, message: m.ChangeReported) -> tuple[tuple[e.Event, ...], int]:
    """The number of the set of what became of the machine's updates, in all its attempts; with the set, where it is a new one."""
    if not message.patches:
        return (), -1
    before = rollout.machines[message.machine].patches
    known = rollout.patches[before] if before >= 0 else ()
    kept = together(known, message.patches)
    number = rollout.patch_numbers.get(kept, len(rollout.patches))
    return ((e.PatchesSeen(number, kept),) if number == len(rollout.patches) else ()), number


def _carry(rollout: Rollout, machine: int) -> tuple[e.Event, ...]:
    """A machine that is back at its grant in a rollout that sends nothing more gives the grant back."""
    return (
        (not_begun(machine, f"the rollout is {rollout.status}"),) if sends_nothing(rollout, machine) else ()
    )


def _undecided(rollout: Rollout, machine: int, why: str) -> tuple[e.Event, ...]:
    name = rollout.planned.machine(machine).name
    return (e.Undecided(machine, why), *stop(rollout, f"{name} is undecided: {why}", machine))


def _rejected(
    rollout: Rollout, message: m.SendRejected, run: MachineRun, now: datetime
) -> tuple[e.Event, ...]:
    machine = message.machine
    if message.code in ("ResourceNotFound", "NotFound", "ResourceGroupNotFound"):
        return (e.AttemptRejected(machine, message.code, message.message), e.MachineGone(machine))
    if message.transient and run.attempt < REJECTED_LIMIT:
        pause = (
            timedelta(seconds=message.retry_after_s) if message.retry_after_s is not None else REJECTED_PAUSE
        )
        retry_at = now + max(pause, timedelta(seconds=1))
        return (
            e.AttemptRejected(machine, message.code, message.message, retry_at),
            *_carry(rollout, machine),
        )
    rejected = e.AttemptRejected(machine, message.code, message.message)
    if message.transient:
        return (rejected,)
    # A request that this cloud finds wrong is wrong for the next machine too: a person looks first.
    name = rollout.planned.machine(machine).name
    return (rejected, *stop(rollout, f"{name} was refused: {message.code}: {message.message}", machine))


def _read_back(rollout: Rollout, message: m.ReadBack, run: MachineRun) -> tuple[e.Event, ...]:
    machine = message.machine
    if message.installation_id and message.installation_id != run.baseline:
        return (e.Adopted(machine, message.status_url, message.sure),)
    if message.certain:
        carried = _carry(rollout, machine)
        gives_up = run.untaken + 1 >= UNTAKEN_LIMIT and not carried
        return (e.NotStarted(machine), *((_not_taken(machine, run),) if gives_up else carried))
    unread = "it could not be read back for long enough to know whether the request was taken"
    why = f"{run.detail}; and {message.unsettled_by or unread}"
    return _undecided(rollout, machine, why)


def _not_taken(machine: int, run: MachineRun) -> e.ChangeEnded:
    """The last of several requests that came to nothing, such as those for a machine that allows no extensions."""
    detail = f"not taken {UNTAKEN_LIMIT} times in a row; the last time: {run.detail}"
    meaning = meaning_of("NotTaken", run.detail).name
    return e.ChangeEnded(machine, changed=False, passing=False, detail=detail, meaning=meaning)


def _step(rollout: Rollout, message: m.StepReported, run: MachineRun) -> tuple[e.Event, ...]:
    machine = message.machine
    if message.after != (run.status is not MachineStatus.GRANTED):
        return ()
    ended = e.StepEnded(machine, message.after, message.step, message.ok, message.evidence)
    if not message.after:
        return (ended,) if message.step == run.step else ()
    if run.status is not MachineStatus.VERIFYING:
        return (ended,) if message.step == closing_step(rollout, machine, run) else ()
    if run.verdict is None or message.step != next_step(rollout, machine, run):
        return ()
    verdict = (run.verdict or run.broken) and message.ok
    following = first_step(rollout.planned.steps_after(machine), message.step + 1, well=verdict)
    if verdict and following is None and not run.verdict:
        return (ended, *_as_before(machine, run, run.detail))
    if verdict or following is not None:
        return (ended,)
    own = run.verdict is False and not run.broken
    evidence = run.detail if own else f"its step after failed: {message.evidence}"
    return (ended, e.MachineUnhealthy(machine, evidence), *after_unhealthy(rollout, (machine,), evidence))


def first_step(steps: tuple[Step, ...], start: int, *, well: bool) -> int | None:
    """The first step from `start` on that runs, given whether the machine is well."""
    for place in range(start, len(steps)):
        if well or steps[place].when is StepWhen.ALWAYS:
            return place
    return None


def next_step(rollout: Rollout, machine: int, run: MachineRun) -> int | None:
    """The step after that is due for a machine whose verdict is there. One that was out before has all of them: they restore that."""
    assert run.verdict is not None
    return first_step(rollout.planned.steps_after(machine), run.step, well=run.verdict or run.broken)


def closing_step(rollout: Rollout, machine: int, run: MachineRun) -> int | None:
    """The step after that is due for a machine that is well again, though its part is over.

    All of them are done anew, under the same keys: what failed is tried again, and nobody stays drained who serves.
    A machine that was done before it failed has had them.
    """
    steps = rollout.planned.steps_after(machine)
    return run.step if run.verdict and not run.late and run.step < len(steps) else None


def decide_health(scope: Scope, rollout: Rollout, message: m.HealthReported) -> tuple[e.Event, ...]:
    """The facts of the probes' verdict."""
    machine, run = message.machine, rollout.machines[message.machine]
    if run.attempt != message.attempt:
        return ()
    if run.status is MachineStatus.VERIFYING:
        return _verified(rollout, message, run)
    holds = scope.ledger.holds(rollout.id, rollout.planned.machine(machine).id)
    if holds and run.status in RECOVERING:
        return _recovering(rollout, message, run)
    return ()


def _recovering(rollout: Rollout, message: m.HealthReported, run: MachineRun) -> tuple[e.Event, ...]:
    """A machine that keeps its grant though its part is over: well, its steps after, well again, and the grant is returned."""
    machine = message.machine
    if closing_step(rollout, machine, run) is not None:
        return ()
    if not message.well:
        return (e.Verified(machine, well=False, evidence=message.evidence),) if run.verdict else ()
    if not run.verdict and not run.late and rollout.planned.steps_after(machine):
        return (e.Verified(machine, well=True, evidence=message.evidence),)
    if run.status is not MachineStatus.UNHEALTHY:
        return (e.MachineEnded(machine, e.Outcome.DONE, run.detail),)
    outcome = e.Outcome.NOT_CHANGED if run.changed is False else e.Outcome.DONE
    return (e.MachineEnded(machine, outcome, "well again"),)


def _verified(rollout: Rollout, message: m.HealthReported, run: MachineRun) -> tuple[e.Event, ...]:
    machine = message.machine
    if not run.sure:
        return ()
    steps = rollout.planned.steps_after(machine)
    if run.verdict is None and first_step(steps, 0, well=message.well or run.broken) is not None:
        return (e.Verified(machine, message.well, message.evidence),)
    if run.verdict is not None and next_step(rollout, machine, run) is not None:
        return ()
    if not message.well and run.broken:
        return _as_before(machine, run, message.evidence)
    if not message.well:
        evidence = message.evidence
        return (e.MachineUnhealthy(machine, evidence), *after_unhealthy(rollout, (machine,), evidence))
    if run.changed:
        return (e.MachineEnded(machine, e.Outcome.DONE, run.detail),)
    if run.passing and run.tries < TRIES:
        return (e.MachineEnded(machine, e.Outcome.PENDING, run.detail),)
    ended = e.MachineEnded(machine, e.Outcome.NOT_CHANGED, run.detail)
    return (ended, *after_not_changed(rollout, machine, run.detail))


def _as_before(machine: int, run: MachineRun, evidence: str) -> tuple[e.Event, ...]:
    """A machine that was out before its change, and is out after it: its grant is returned, and it goes on counting as out by itself."""
    judged = () if run.verdict is False else (e.Verified(machine, well=False, evidence=evidence),)
    outcome = e.Outcome.DONE
    if not run.changed:
        outcome = e.Outcome.PENDING if run.passing and run.tries < TRIES else e.Outcome.NOT_CHANGED
    came = "" if run.verdict is False else f"{run.detail}; "
    detail = f"{came}out, as it was before: {evidence}"
    return (*judged, e.MachineEnded(machine, outcome, detail), e.FleetSeen(out=(machine,)))
