"""What a person may do now, and what it would start; of what can't be done, why not.

Nothing is guessed: each verb is decided on by the very code that would decide it, and what that gives out is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.errors import Refused
from orchestrator.policy.words import counted
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.letters import make
from orchestrator.rollout.state import Ended, MachineStatus, Rollout, RolloutStatus, Scope
from orchestrator.service.status import what_is_next

ROLLOUT_ACTS: Final = ("pause", "resume", "approve", "abort")
MACHINE_ACTS: Final = ("retry", "skip", "write-off")

STAYS: Final = "All rules stay: budgets, exclusions, orders, probes, gates, what stops a rollout, and holds."
"""What no emergency touches, for whoever declares one."""

_NOBODY: Final = "somebody"  # who asks doesn't matter to whether it can be done


@dataclass(frozen=True, slots=True)
class Act:
    """A verb: `effect` is what it would start, `why_not` is empty where it can be done now. `shortens`: what an emergency would, each."""

    verb: str
    effect: str
    why_not: str = ""
    shortens: tuple[str, ...] = ()


def rollout_acts(scope: Scope, rollout: Rollout, now: datetime) -> tuple[Act, ...]:
    """Of each verb for the whole rollout; of an emergency only where it would shorten something."""
    usual = (
        Act(verb, _effect(rollout, verb, now), _why_not(scope, verb, rollout, now)) for verb in ROLLOUT_ACTS
    )
    return (*usual, *_emergency(scope, rollout, now))


def machine_acts(scope: Scope, rollout: Rollout, machine: int, now: datetime) -> tuple[Act, ...]:
    """Of each verb for one machine of it."""
    return tuple(
        Act(
            verb, _machine_effect(scope, rollout, machine, verb), _why_not(scope, verb, rollout, now, machine)
        )
        for verb in MACHINE_ACTS
    )


def left_acts(scope: Scope, ended: Ended, machine: int, now: datetime) -> tuple[Act, ...]:
    """Of a machine that a rollout left out when it ended, and of which no more is kept: it may be written off."""
    effect = "Closes its grant in your name: it no longer counts as out, whether it serves or not."
    return (Act("write-off", effect, _why_not(scope, "write-off", ended, now, machine)),)


def _why_not(
    scope: Scope, verb: str, rollout: Rollout | Ended, now: datetime, machine: int | None = None
) -> str:
    about = {} if machine is None else {"machine": machine}
    command = make(verb, rollout=rollout.id, who=_NOBODY, reason=verb, **about)
    try:
        decide(scope, command, scope.event_time(now))
    except Refused as refused:
        return str(refused)
    return ""


def _emergency(scope: Scope, rollout: Rollout, now: datetime) -> Iterator[Act]:
    try:
        facts = decide(scope, m.Emergency(rollout.id, _NOBODY, "emergency"), scope.event_time(now))
    except Refused:
        return  # declared already, or there is nothing ahead that it would shorten
    stands = (
        f" It stays {rollout.status} until somebody resumes it."
        if rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED)
        else ""
    )
    effect = f"Waits for less until it is over; that can't be taken back.{stands} {STAYS}"
    for fact in facts:
        if isinstance(fact, e.EmergencyDeclared):
            yield Act("emergency", effect, shortens=fact.overrides)


def _effect(rollout: Rollout, verb: str, now: datetime) -> str:
    flying = rollout.in_flight
    carried = (
        f"{counted(flying, 'machine')} in flight {'is' if flying == 1 else 'are'} carried through"
        if flying
        else ("nothing is in flight")
    )
    pending = counted(rollout.counts[MachineStatus.PENDING], "machine")
    match verb:
        case "pause":
            return f"Nothing new starts; {carried}. Resume goes on with the same plan."
        case "resume":
            return f"{pending} wait and go on, as windows and rules let them. Gates are asked first."
        case "approve":
            return f"Begins {what_is_next(rollout, now).removesuffix(', once a person approves')}."
        case _:
            return f"Ends the rollout for good; {carried}. {pending} not begun stay as they are. Nothing is reverted."


def _machine_effect(scope: Scope, rollout: Rollout, machine: int, verb: str) -> str:
    out = scope.ledger.holds(rollout.id, rollout.planned.machine(machine).id)
    match verb:
        case "retry":
            return "The next attempt, under a fresh grant, as rules leave room for it."
        case "skip":
            goes = "It counts as out until it is seen well; " if out else ""
            return f"This machine is not changed. {goes}others go on without it."
        case _:
            return "Closes its grant in your name: it no longer counts as out, whether it serves or not."
