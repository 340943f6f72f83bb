"""Steps around waves, stages and the rollout: which is due now, and what comes of one that ended.

A stretch is begun when a machine of it is about to be granted, and nobody of it is granted before its steps before are done. Its steps after
follow once all its machines are settled, before the gate opens: of a stage, before it bakes; those that say `when: healthy` only
while no machine of it is unhealthy or undecided. A stop and an abort end a stretch too, as soon as nothing in it is in flight: a step
before never stays without its step after. Whatever goes on later begins it anew. After a stop an undecided machine keeps its
stretches open, since its request may still arrive: a person says what becomes of it. Who aborts has said so.
"""

from __future__ import annotations

from orchestrator.planner.stretches import Where
from orchestrator.policy.model import StepWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout, RolloutStatus
from orchestrator.rollout.stopping import has_halted, stop


def due_stretch(rollout: Rollout, number: int) -> a.RunStretchStep | None:
    """The one step that is to be going on around a stretch, under a key that is the same after a crash."""
    found = _due(rollout, number)
    if found is None:
        return None
    after, step = found
    where, times = rollout.planned.stretches.all[number].where, rollout.stretches[number].times
    name = "-".join(("around", *map(str, where)))
    key = f"{rollout.id}-{name}-{times}-{'after' if after else 'before'}-{step}"
    return a.RunStretchStep(rollout.id, where, times, after=after, step=step, key=key)


def _due(rollout: Rollout, number: int) -> tuple[bool, int] | None:
    run = rollout.stretches[number]
    if not run.begun or run.failed:
        return None
    if closes(rollout, number):
        return _due_after(rollout, number)
    before = rollout.planned.stretches.all[number].before
    if rollout.status is not RolloutStatus.RUNNING or run.stale or run.before == len(before):
        return None
    outer_done = all(is_open(rollout, outer) for outer in rollout.planned.stretches.outer[number])
    return (False, run.before) if outer_done else None


def _due_after(rollout: Rollout, number: int) -> tuple[bool, int] | None:
    """From the inside out: what a wave has undone stays so, whatever its stage undoes."""
    run = rollout.stretches[number]
    for place, step in enumerate(rollout.planned.stretches.all[number].after):
        if place not in run.after and (not run.troubled or step.when is StepWhen.ALWAYS):
            inside = rollout.planned.stretches.inner[number]
            return None if any(_due(rollout, inner) for inner in inside) else (True, place)
    return None


def closes(rollout: Rollout, number: int) -> bool:
    """Whether a stretch is over, for good or until somebody resumes: time for its steps after."""
    run = rollout.stretches[number]
    if not run.begun or run.in_flight:
        return False
    if rollout.over:
        return True
    if has_halted(rollout):
        return not run.undecided
    if run.left != run.troubled:
        return False
    match rollout.planned.stretches.all[number].where:
        case (lane, wave):
            return not run.left or rollout.lanes[lane].finished or rollout.lanes[lane].wave > wave
        case (stage,):
            return stage < rollout.stage or not rollout.lanes_left
        case _:
            return rollout.stage + 1 == len(rollout.planned.plan.stages) and not rollout.lanes_left


def is_open(rollout: Rollout, number: int) -> bool:
    """Whether machines of the stretch may be granted: its steps before are done, and none after."""
    run = rollout.stretches[number]
    return run.begun and not run.stale and run.before == len(rollout.planned.stretches.all[number].before)


def is_beginning(rollout: Rollout, number: int) -> bool:
    """Whether its steps before are under way."""
    run = rollout.stretches[number]
    return run.begun and not run.stale and run.before < len(rollout.planned.stretches.all[number].before)


def to_begin(rollout: Rollout, machine: int) -> tuple[int, ...]:
    """The stretches that must be begun before the machine may be granted, the outermost first."""
    stretches = rollout.planned.stretches.of.get(machine, ())
    return tuple(n for n in stretches if not rollout.stretches[n].begun or rollout.stretches[n].stale)


def holds_up(rollout: Rollout, where: Where) -> bool:
    """Whether a stretch of which all machines are settled still has steps after to be done."""
    number = rollout.planned.stretches.at.get(where)
    if number is None or not rollout.stretches[number].begun:
        return False
    return bool(rollout.planned.stretches.all[number].after)


def under_way(rollout: Rollout) -> bool:
    """Whether any step around a wave, a stage or the rollout is due."""
    return any(_due(rollout, number) for number in range(len(rollout.stretches)))


def decide_stretch(rollout: Rollout, message: m.StretchStepReported) -> tuple[e.Event, ...]:
    """The facts of a step that ended; none if it isn't the one that was due, or belongs to another time."""
    number = rollout.planned.stretches.at[message.where]
    run = rollout.stretches[number]
    if not run.begun or run.times != message.times:
        return ()
    if message.step in run.after if message.after else message.step != run.before:
        return ()
    ended = e.StretchStepEnded(message.where, message.after, message.step, message.ok, message.evidence)
    if message.ok:
        return (ended,)
    side = "after" if message.after else "before"
    why = f"a step {side} {rollout.planned.title(number)} failed: {message.evidence}"
    return (ended, *stop(rollout, why))
