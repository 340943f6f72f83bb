"""A journal whose process dies: what `MemoryJournal` can do by itself, for any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.store.around import JournalAround
from orchestrator.store.memory import Crashed
from orchestrator.store.port import Journal, Moving, Snapshot


class MortalJournal(JournalAround):
    """Hands on to `journal`, until the `crash_at`-th append (counted from 1) raises `Crashed`: before or after its row is durable."""

    def __init__(self, journal: Journal, *, crash_at: int | None, durable: bool) -> None:
        super().__init__(journal)
        self._left = crash_at
        self._durable = durable
        self._dead = False

    async def append(
        self,
        expected_seq: int,
        rollout: str,
        at: datetime,
        body: bytes,
        *,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        drops: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> int:
        """As the journal, while it lives."""
        if self._dead:
            raise Crashed("this process is dead already")
        if self._left is not None:
            self._left -= 1
            self._dead = self._left == 0
        if self._dead and not self._durable:
            raise Crashed("crashed before its row")
        seq = await super().append(
            expected_seq, rollout, at, body, documents=documents, letters=letters, drops=drops, moving=moving
        )
        if self._dead:
            raise Crashed("crashed after its row")
        return seq

    async def archive(self, moving: Moving, to: str, at: datetime) -> int:
        """As the journal, while it lives."""
        if self._dead:
            raise Crashed("this process is dead already")
        return await super().archive(moving, to, at)

    async def keep(self, snapshot: Snapshot) -> None:
        """As the journal, while it lives."""
        if self._dead:
            raise Crashed("this process is dead already")
        await super().keep(snapshot)
