"""What happened in one rollout, from a place of the journal on: for whoever reads it page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import Rollout
from orchestrator.service.happenings import Decided, Happening, Sees, happenings
from orchestrator.store.port import Journal


async def story_from(
    journal: Journal,
    rollout: Rollout,
    after: tuple[int, int] = (0, -1),
    upto: int | None = None,
    sees: Sees | None = None,
) -> AsyncIterator[Happening]:
    """All that happened in it behind the fact `after` (row and place in it), as the journal or the archive has it; `upto` a row.

    Holds that came and went meanwhile belong to it, though they are about every rollout: for whoever may see all of its machines.
    """
    seq, index = after
    async for row in journal.read(max(rollout.after, seq - 1)):
        if upto is not None and row.seq > upto:
            return
        if row.rollout not in ("", rollout.id):
            continue
        decided = Decided(row.seq, row.rollout, row.at, decode(row.body, row.seq, row.rollout))
        if not row.rollout and (sees is not None or not _are_of_its_time(rollout, decided)):
            continue
        for one in happenings(rollout, decided, sees):
            if (one.seq, one.index) > (seq, index):
                yield one


def _are_of_its_time(rollout: Rollout, decided: Decided) -> bool:
    """Whether they are facts about holds, written while the rollout went on."""
    ended = rollout.ended_at is not None and decided.at > rollout.ended_at
    return not ended and all(isinstance(fact, e.HoldPlaced | e.HoldLifted) for fact in decided.facts)
