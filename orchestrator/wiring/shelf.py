"""Rollouts that are over, taken off the shelf: read again from the journal or its archives, beside the loop, for whoever looks back."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from orchestrator.executor.whole import read_whole
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.wiring.journal import Journal, look_into

KEPT: Final = 4
"""Rollouts that are kept once they were read: pages of one story are asked for one after another. A large one takes some 100 MiB."""


@dataclass(slots=True)
class Shelf:
    """The files of one journal. One rollout is read at a time."""

    journal: Path
    _kept: OrderedDict[tuple[str, int], Rollout] = field(default_factory=OrderedDict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, ended: Ended) -> Rollout:
        """The rollout as it was when it ended. Nobody may change it. Raises `JournalError` where its file can't be read."""
        wanted = (ended.id, ended.last)
        async with self._turn:
            rollout = self._kept.get(wanted)
            if rollout is None:
                rollout = await asyncio.to_thread(lambda: asyncio.run(self._read(ended)))
                self._kept[wanted] = rollout
            self._kept.move_to_end(wanted)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return rollout

    @asynccontextmanager
    async def file_of(self, one: Rollout | Ended) -> AsyncIterator[Journal]:
        """The journal or the archive that has its rows, to be looked into."""
        journal = await look_into(
            Path(one.archive) if isinstance(one, Ended) and one.archive else self.journal
        )
        try:
            yield journal
        finally:
            await journal.close()

    async def _read(self, ended: Ended) -> Rollout:
        async with self.file_of(ended) as journal:
            return await read_whole(journal, ended, timedelta(seconds=60))
