"""Rollouts that are over, moved out of a journal into an archive, by whoever writes the journal.

First the archive is whole and durable. Then its rows go, in one transaction, with the row that says so. Whenever a process dies, a
row is in the journal, or in the archive and in none but it: an archive that was made and whose rows didn't go is replaced by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from orchestrator.errors import JournalError, Refused
from orchestrator.executor.log import Log
from orchestrator.executor.plans import packed_name
from orchestrator.rollout import events as e
from orchestrator.rollout.ended import known
from orchestrator.rollout.kept import held
from orchestrator.rollout.retention import Retention, archived, may_go
from orchestrator.rollout.state import Scope
from orchestrator.store.port import Moving

NO_ROLLOUT = ""
"""Whose row it is that tells of an archive: it is about several."""


async def archive(
    log: Log,
    retention: Retention,
    to: Callable[[int], str],
    now: Callable[[], datetime],
    *,
    driven: Collection[str] = (),
    letters: Sequence[str] = (),
) -> e.Archived:
    """Move the rollouts that may go by `retention` into an archive. Others may go on meanwhile; `driven` are those of this process.

    `to` names the archive, by how many there are with it. `letters` asked for it.

    Raises:
        Refused: if none may go, if the archive can't be made, or if a person said something to one of them just then; nothing has gone.
    """
    found = may_go(log.scope, retention, now(), driven=driven)
    if not found.ids:
        held = "".join(f"; {rollout} stays: {why}" for rollout, why in found.held)
        raise Refused(f"no rollout may be archived: none has been over for long enough{held}")
    moving = Moving(found.ids, _documents(log.scope, found.ids), log.scope.seq)
    name = to(log.scope.archivings + 1)
    await log.durable()
    try:
        rows = await log.journal.archive(moving, name, now())
    except JournalError as error:
        raise Refused(str(error)) from error
    moved = [one for one in found.ids if log.moved_after(one, moving.upto)]
    if moved:
        raise Refused(f"something happened to {', '.join(moved)} just now; archive again")
    fact = archived(log.scope, found.ids, name, rows)
    _, commit = log.record(NO_ROLLOUT, (fact,), now(), moving=moving, letters=letters)
    await commit
    return fact


def _documents(scope: Scope, ids: Sequence[str]) -> tuple[str, ...]:
    """What only these rollouts need: plans, and where an operation that nobody could settle was followed."""
    everybody = known(scope)
    staying = {one.digest for one in everybody if one.id not in ids}
    plans = {one.digest for one in everybody if one.id in ids} - staying
    urls = {
        digest
        for rollout in scope.rollouts.values()
        if rollout.id in ids
        for machine in range(len(rollout.machines))
        if (digest := held(rollout, machine))
    }
    return tuple(sorted(plans | set(map(packed_name, plans)) | urls))
