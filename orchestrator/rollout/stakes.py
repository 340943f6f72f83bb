"""What is at stake when something happens in a rollout, and what may be done about it: for whoever is told of it at night."""

from __future__ import annotations

from typing import assert_never

from orchestrator.policy.model import Occasion
from orchestrator.policy.words import counted
from orchestrator.rollout.state import A_PERSONS, MachineStatus, Rollout


def stake_of(rollout: Rollout, occasion: Occasion, machine: int) -> str:
    """What is at stake, in a sentence or two."""
    done, waiting = rollout.counts[MachineStatus.DONE], rollout.counts[MachineStatus.PENDING]
    progress = f"{done} of {rollout.planned.changing} machines are done, {waiting} not begun."
    match occasion:
        case Occasion.STARTED:
            return (
                "Machines are changed from now on, one wave after another, as their rules and windows allow."
            )
        case Occasion.STAGE:
            return progress
        case Occasion.APPROVAL if rollout.emergency is not None:
            return (
                f"Windows, freezes, longer bakes and approvals keep nothing waiting any more: {counted(waiting, 'machine')} to go. "
                "Budgets, exclusions, orders and health gates hold as always."
            )
        case Occasion.APPROVAL:
            return f"Nothing new begins before a person approves: {counted(waiting, 'machine')} to go."
        case Occasion.UNHEALTHY:
            return (
                f"{rollout.planned.machine(machine).name} counts as out: its groups have that much less room, and its wave goes no "
                "further until it is well or a person decides."
            )
        case Occasion.STOPPED | Occasion.PAUSED:
            if not rollout.waits_for_a_person:
                return progress
            trouble = sum(rollout.counts[status] for status in A_PERSONS)
            look = f" To be looked at: {counted(trouble, 'machine')}." if trouble else ""
            carried = (
                f"In flight, and carried through: {counted(rollout.in_flight, 'machine')}. Nothing new begins."
                if rollout.in_flight
                else "Nothing is in flight and nothing new begins: waiting makes nothing worse."
            )
            return f"{carried}{look} {progress}"
        case Occasion.FINISHED:
            flight = f" In flight, and carried through: {rollout.in_flight}." if rollout.in_flight else ""
            return f"{done} of {rollout.planned.changing} machines are done.{flight}"
        case _:
            assert_never(occasion)


def options_of(rollout: Rollout, occasion: Occasion, machine: int) -> tuple[str, ...]:
    """The commands that are of use, the one that only looks first."""
    look = f"wavekeeper status {rollout.id}"
    pause, abort = f"wavekeeper pause {rollout.id}", f"wavekeeper abort {rollout.id}"
    resume = f"wavekeeper resume {rollout.id}"
    of_machine: tuple[str, ...] = ()
    if machine >= 0:
        name = rollout.planned.machine(machine).name
        of_machine = tuple(f"wavekeeper {verb} {name}" for verb in ("status", "retry", "skip", "write-off"))
    match occasion:
        case Occasion.STARTED:
            return look, pause, abort
        case Occasion.APPROVAL if rollout.emergency is not None:
            return look, pause, abort
        case Occasion.APPROVAL:
            return look, f"wavekeeper approve {rollout.id}", abort
        case Occasion.UNHEALTHY:
            return *of_machine, pause
        case Occasion.STOPPED:
            return look, *of_machine, resume, abort
        case Occasion.PAUSED if rollout.waits_for_a_person:
            return look, resume, abort
        case Occasion.PAUSED:
            return look, pause, abort
        case Occasion.STAGE | Occasion.FINISHED:
            return (look,)
        case _:
            assert_never(occasion)
