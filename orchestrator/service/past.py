"""Decisions from a place on, wherever their rows are: in the journal, or in the archives that some of them went into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from orchestrator.rollout.codec import decode
from orchestrator.service.happenings import Decided
from orchestrator.store.port import Journal, Row


async def decisions_from(journals: Iterable[Journal], after: int) -> AsyncIterator[Decided]:
    """Every decision behind row `after`, in order. No row is in two journals; one that goes into an archive meanwhile may be left out."""
    readers = [journal.read(after) for journal in journals]
    heads: dict[int, Row] = {}
    for place, reader in enumerate(readers):
        await _next(heads, place, reader)
    while heads:
        place = min(heads, key=lambda one: heads[one].seq)
        row = heads[place]
        await _next(heads, place, readers[place])
        yield Decided(row.seq, row.rollout, row.at, decode(row.body, row.seq, row.rollout))


async def _next(heads: dict[int, Row], place: int, reader: AsyncIterator[Row]) -> None:
    try:
        heads[place] = await anext(reader)
    except StopAsyncIteration:
        heads.pop(place, None)
