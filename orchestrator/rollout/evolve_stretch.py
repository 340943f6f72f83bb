"""The fold of what happens around waves, stages and the rollout, and of their counts of machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from orchestrator.rollout import events as e
from orchestrator.rollout.state import (
    A_PERSONS,
    IN_FLIGHT,
    SETTLED,
    MachineStatus,
    Rollout,
    Scope,
    StretchRun,
)
from orchestrator.rollout.stretches import closes


def fresh_stretches(rollout: Rollout) -> list[StretchRun]:
    """Those of a rollout that begins."""
    return [StretchRun(left=stretch.size) for stretch in rollout.planned.stretches.all]


@contextmanager
def stretches_of(rollout: Rollout, numbers: tuple[int, ...]) -> Iterator[None]:
    """What is done inside may let stretches go on that were about to end. Whatever of their steps after was begun, nobody knows:
    they are begun anew before anybody is granted in them.
    """
    ending = [n for n in numbers if rollout.planned.stretches.all[n].after and closes(rollout, n)]
    yield
    for number in ending:
        if not closes(rollout, number):
            rollout.stretches[number].stale = True


def count(rollout: Rollout, numbers: tuple[int, ...], old: MachineStatus, new: MachineStatus) -> None:
    """One machine of these stretches came from one status to another."""
    with stretches_of(rollout, numbers):
        for number in numbers:
            run = rollout.stretches[number]
            run.left += (new not in SETTLED) - (old not in SETTLED)
            run.in_flight += (new in IN_FLIGHT) - (old in IN_FLIGHT)
            run.troubled += (new in A_PERSONS) - (old in A_PERSONS)
            run.undecided += (new is MachineStatus.UNDECIDED) - (old is MachineStatus.UNDECIDED)


def _begun(_: Scope, rollout: Rollout, event: e.StretchBegun, _at: datetime) -> None:
    run = rollout.stretches[rollout.planned.stretches.at[event.where]]
    run.times += 1
    run.begun, run.stale, run.before, run.failed = True, False, 0, ""
    run.after.clear()


def _step_ended(_: Scope, rollout: Rollout, event: e.StretchStepEnded, _at: datetime) -> None:
    number = rollout.planned.stretches.at[event.where]
    run = rollout.stretches[number]
    if not event.after:
        run.before += event.ok
    elif not event.ok:
        run.failed = event.evidence
    else:
        run.after.add(event.step)
        if len(run.after) == len(rollout.planned.stretches.all[number].after):
            run.begun, run.stale = False, False


FOLDS: dict[type, Callable[[Scope, Rollout, Any, datetime], None]] = {
    e.StretchBegun: _begun,
    e.StretchStepEnded: _step_ended,
}
