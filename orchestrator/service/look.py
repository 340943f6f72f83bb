"""What a journal tells, for those who only look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.executor.log import replay
from orchestrator.executor.whole import read_whole, whole
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import LeftOut
from orchestrator.policy.change import Change
from orchestrator.rollout.ended import known, put_away
from orchestrator.rollout.state import Ended, MachineStatus, Rollout, Scope
from orchestrator.service.names import called_for
from orchestrator.store.port import Journal


async def look(journal: Journal) -> Scope:
    """The state of a scope as its journal tells it. Raises `JournalError` for a journal that can't be trusted."""
    return await replay(journal)


async def look_for(journal: Journal, name: str | None) -> Scope:
    """The same, with what is named whole in it (`make_whole`)."""
    scope = await replay(journal)
    await make_whole(scope, taking(journal, scope), name)
    return scope


Take = Callable[[Ended], Awaitable[Rollout]]
"""Reads a rollout that is over again, whole."""


async def make_whole(scope: Scope, take: Take, name: str | None, *, most: int | None = None) -> None:
    """Have in a scope, whole, the rollout that is named by its id or a beginning, or that has the machine of that name.

    Without a name it is the one that goes on, else the last. Of rollouts that have been over for long only their end is
    known at once: those are looked through last come first, until one has the machine, `most` of them if said.
    """
    everybody = known(scope)
    if name is None:
        if everybody and all(one.over for one in everybody) and _is_here(everybody[-1]):
            await put_whole(scope, take, everybody[-1])
        return
    named = [one for one in everybody if one.id == name] or [
        one for one in everybody if one.id.startswith(name)
    ]
    if named:
        for one in filter(_is_here, named):
            await put_whole(scope, take, one)
        return
    if not any(_has(rollout, name) for rollout in scope.rollouts.values()):
        here = [one for one in reversed(everybody) if isinstance(one, Ended) and not one.archive]
        for ended in here[:most]:
            if _has(await put_whole(scope, take, ended), name):
                break
            put_away(scope, ended.id)


async def put_whole(scope: Scope, take: Take, one: Rollout | Ended) -> Rollout:
    """Have a rollout in a scope, whole."""
    if isinstance(one, Rollout):
        return one
    rollout = await take(one)
    scope.ended.pop(one.id, None)
    scope.rollouts[one.id] = rollout
    return rollout


def taking(journal: Journal, scope: Scope) -> Take:
    """Reads it from the journal of that scope."""

    async def take(ended: Ended) -> Rollout:
        return await whole(scope, journal, ended)

    return take


@dataclass(frozen=True, slots=True)
class Recalled:
    """A rollout as it is looked back on: who was to be changed, and what became of each. A whole one takes a hundred times as much."""

    id: str
    change: Change
    started_at: datetime
    over: bool
    left_out: tuple[LeftOut, ...]
    machines: tuple[tuple[MachineId, MachineStatus, str, datetime | None], ...]  # state, detail, since when


def recalled(rollout: Rollout) -> Recalled:
    """What is kept of it to look back on."""
    planned = rollout.planned
    machines = (
        (planned.machine(index).id, run.status, run.detail, run.since)
        for index, run in enumerate(rollout.machines)
        if planned.machine(index).change
    )
    plan = planned.plan
    return Recalled(rollout.id, plan.change, rollout.started_at, rollout.over, plan.left_out, tuple(machines))


@dataclass(frozen=True, slots=True)
class Remembered:
    """Rollouts of a time, in the order in which they were started; and how many more are in archives."""

    rollouts: tuple[Recalled, ...]
    archived: int


async def look_back(journal: Journal, since: datetime) -> Remembered:
    """Every rollout that was started since then. Raises as `look`."""
    scope = await replay(journal)

    async def take(ended: Ended) -> Rollout:
        return await read_whole(journal, ended, scope.send_within)

    return await remembered(scope, take, since)


async def remembered(scope: Scope, take: Take, since: datetime) -> Remembered:
    """The same of a scope. One after the other is read whole, and none is kept so."""
    wanted = [one for one in known(scope) if one.started_at >= since]
    found = [
        recalled(one if isinstance(one, Rollout) else await take(one)) for one in wanted if _is_here(one)
    ]
    return Remembered(tuple(found), len(wanted) - len(found))


def _is_here(rollout: Rollout | Ended) -> bool:
    return isinstance(rollout, Rollout) or not rollout.archive


def _has(rollout: Rollout, name: str) -> bool:
    """Whether a machine of the plan is called so."""
    wanted = called_for(name)
    return any(wanted in (machine.id, machine.name.lower()) for machine in rollout.planned.plan.machines)
