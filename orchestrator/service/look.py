"""What a journal tells, for those who only look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.executor.log import replay
from orchestrator.executor.whole import whole
from orchestrator.rollout.codec import decode
from orchestrator.rollout.ended import known, put_away
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.names import called_for
from orchestrator.service.narrate import is_quiet, sentence
from orchestrator.store.port import Journal


async def look(journal: Journal) -> Scope:
    """The state of a scope as its journal tells it. Raises `JournalError` for a journal that can't be trusted."""
    return await replay(journal)


async def look_for(journal: Journal, name: str | None) -> Scope:
    """The same, with the rollout that is named by its id or a beginning, or that has the machine of that name, whole.

    Without a name it is the one that goes on, else the last. Of rollouts that have been over for long only their end is
    known at once: those are looked through last come first, until one has the machine.
    """
    scope = await replay(journal)
    everybody = known(scope)
    if name is None:
        if everybody and all(one.over for one in everybody) and _is_here(everybody[-1]):
            await whole(scope, journal, everybody[-1])
        return scope
    named = [one for one in everybody if one.id == name] or [
        one for one in everybody if one.id.startswith(name)
    ]
    if named:
        for one in filter(_is_here, named):
            await whole(scope, journal, one)
        return scope
    if not any(_has(rollout, name) for rollout in scope.rollouts.values()):
        for ended in reversed([one for one in everybody if isinstance(one, Ended) and not one.archive]):
            if _has(await whole(scope, journal, ended), name):
                break
            put_away(scope, ended.id)
    return scope


async def apart(journal: Journal, ended: Ended) -> Rollout:
    """A rollout of which only its end is kept, whole, beside whatever scope it is of. Raises `Refused` for one that is archived."""
    return await whole(Scope(ended={ended.id: ended}), journal, ended)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Rollouts of a time, whole, in the order in which they were started; and how many more are in archives."""

    rollouts: tuple[Rollout, ...]
    archived: int


async def look_back(journal: Journal, since: datetime) -> Remembered:
    """Every rollout that was started since then. Raises as `look`."""
    scope = await replay(journal)
    wanted = [one for one in known(scope) if one.started_at >= since]
    found = [await whole(scope, journal, one) for one in wanted if _is_here(one)]
    return Remembered(tuple(found), len(wanted) - len(found))


def _is_here(rollout: Rollout | Ended) -> bool:
    return isinstance(rollout, Rollout) or not rollout.archive


def _has(rollout: Rollout, name: str) -> bool:
    """Whether a machine of the plan is called so."""
    wanted = called_for(name)
    return any(wanted in (machine.id, machine.name.lower()) for machine in rollout.planned.plan.machines)


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened, and when."""

    at: datetime
    sentence: str

    def __str__(self) -> str:
        """`2026-11-29 10:00:00  paused by ada: because`."""
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.sentence}"


async def story(journal: Journal, scope: Scope, rollout: str, *, everything: bool) -> list[Happened]:
    """All that happened in a rollout, oldest first; without `everything`, what goes without saying is left out."""
    told: list[Happened] = []
    known = scope.rollouts[rollout]
    async for row in journal.read():
        if row.rollout == rollout:
            told += [
                Happened(row.at, sentence(known, fact))
                for fact in decode(row.body, row.seq, row.rollout)
                if everything or not is_quiet(fact)
            ]
    return told
