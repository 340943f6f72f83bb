"""What happened in one rollout, from a place of the journal on: for whoever reads it page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

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
    """All that happened in it behind the fact `after` (row and place in it), as the journal or the archive has it; `upto` a row."""
    seq, index = after
    async for row in journal.read(max(rollout.after, seq - 1)):
        if upto is not None and row.seq > upto:
            return
        if row.rollout != rollout.id:
            continue
        decided = Decided(row.seq, row.rollout, row.at, decode(row.body, row.seq, row.rollout))
        for one in happenings(rollout, decided, sees):
            if (one.seq, one.index) > (seq, index):
                yield one
