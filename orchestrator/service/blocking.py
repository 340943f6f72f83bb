"""Updates that people keep out: which, who has them already, and what that means for a plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.errors import UsageError
from orchestrator.planner.model import Plan
from orchestrator.policy.words import counted
from orchestrator.rollout.blocking import nothing_left
from orchestrator.rollout.ended import known
from orchestrator.rollout.patch_results import installed_kbs
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.look import Take, look, put_whole, taking
from orchestrator.store.port import Journal

NAMED = 5
"""Machines told by name."""


@dataclass(frozen=True, slots=True)
class Has:
    """Machines of a rollout on which it installed an update, by name; those of its canary by themselves."""

    rollout: str
    canary: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        """`the canary of monthly-1 has it: a1, b1; and 3 machines more of that rollout`."""
        parts = [f"the canary of {self.rollout} has it: {_some(self.canary)}"] if self.canary else []
        if self.others:
            more = f"and {counted(len(self.others), 'machine')} more of that rollout"
            alone = f"{self.rollout} has installed it on {counted(len(self.others), 'machine')}"
            parts.append(f"{more if self.canary else alone}: {_some(self.others)}")
        return "; ".join(parts)


def kb_digits(typed: str) -> str:
    """`KB5087423` or `5087423` as digits. Raises `UsageError` for what is no KB."""
    digits = typed.strip().upper().removeprefix("KB")
    if not (digits.isdigit() and digits.isascii() and 6 <= len(digits) <= 8):
        raise UsageError(
            f"{typed} is no KB; write it like KB5087423 (Linux packages are excluded by policies)"
        )
    return digits


LATEST = 8
"""Rollouts that are over and are looked through for an update: those of the last months, mostly."""


async def look_for_installed(journal: Journal, kb: str) -> tuple[Scope, tuple[Has, ...]]:
    """The scope, and who has an update."""
    scope = await look(journal)
    return scope, await installed_in(scope, taking(journal, scope), kb)


async def installed_in(scope: Scope, take: Take, kb: str) -> tuple[Has, ...]:
    """Who has an update: also by rollouts that are over, of which only the end is kept at hand. They are whole in the scope then."""
    ended = [one for one in known(scope) if isinstance(one, Ended) and not one.archive]
    for one in ended[-LATEST:]:
        await put_whole(scope, take, one)
    return who_has(scope, kb)


def who_has(scope: Scope, kb: str) -> tuple[Has, ...]:
    """On which machines rollouts of this journal have installed an update: the newest rollout first."""
    found = [_has(rollout, kb) for rollout in reversed(known(scope)) if isinstance(rollout, Rollout)]
    return tuple(one for one in found if one.canary or one.others)


def _has(rollout: Rollout, kb: str) -> Has:
    sets = {number for number, kept in enumerate(rollout.patches) if kb in installed_kbs(kept)}
    canary: list[str] = []
    others: list[str] = []
    for index, run in enumerate(rollout.machines):
        if run.patches in sets:
            first = len(rollout.planned.plan.stages) > 1 and rollout.planned.stage_of(index) == 0
            (canary if first else others).append(rollout.planned.machine(index).name)
    return Has(rollout.id, tuple(canary), tuple(others))


def blocked_lines(scope: Scope) -> tuple[str, ...]:
    """What is kept out, a sentence each."""
    return tuple(str(scope.blocked[kb]) for kb in sorted(scope.blocked))


def what_it_means_for(plan: Plan, blocked: Collection[str]) -> str:
    """That a plan would install nothing, or for how many machines; empty where blocks leave something for everybody."""
    changing = [machine for machine in plan.machines if machine.change]
    idle = [machine for machine in changing if nothing_left(plan.change, machine.os, blocked)]
    if not idle:
        return ""
    if len(idle) == len(changing):
        return "this plan would install nothing but what is blocked: it will be refused"
    return f"{counted(len(idle), 'machine')} of this plan would get nothing but what is blocked, and will be left out"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
