"""A rollout of which only its end is kept, read again from its rows: for whoever asks for more of it than how it ended."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.errors import JournalError, Refused
from orchestrator.executor.plans import plan_of
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.store.port import Journal


async def whole(scope: Scope, journal: Journal, wanted: Rollout | Ended) -> Rollout:
    """The rollout with its plan and its machines, in the scope again if it was put away.

    Its own rows are enough: what they make of it hangs on no other rollout's. Raises `Refused` for one whose rows are in an archive.
    """
    if isinstance(wanted, Rollout):
        return wanted
    if wanted.archive:
        raise Refused(where_archived(wanted))
    rollout = await read_whole(journal, wanted, scope.send_within)
    rollout.blocked = scope.blocked
    rollout.holds = scope.holds
    del scope.ended[wanted.id]
    scope.rollouts[wanted.id] = rollout
    return rollout


async def read_whole(journal: Journal, wanted: Ended, send_within: timedelta) -> Rollout:
    """The same, from the journal or the archive that has its rows, into no scope."""
    alone = Scope(send_within=send_within)
    async for row in journal.read(wanted.after):
        if row.seq > wanted.last:
            break
        if row.rollout != wanted.id:
            continue
        alone.seq = row.seq - 1
        for fact in decode(row.body, row.seq, row.rollout):
            if isinstance(fact, e.RolloutStarted):
                begin(alone, fact, await plan_of(journal, fact.digest), row.at)
            else:
                apply(alone, row.rollout, fact, row.at)
    if wanted.id not in alone.rollouts:
        raise JournalError(f"the rows of {wanted.id} have just gone into an archive; ask again")
    return alone.rollouts[wanted.id]


def where_archived(ended: Ended) -> str:
    """Where all that happened in an archived rollout can be read."""
    return (
        f"rollout {ended.id} is {ended.status} since {ended.ended_at:%Y-%m-%d %H:%M} UTC, and its facts are in the archive "
        f"{ended.archive}: wavekeeper status {ended.id} --journal {ended.archive}"
    )
