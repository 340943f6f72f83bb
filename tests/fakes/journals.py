"""A journal whose process dies: what `MemoryJournal` can do by itself, for any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from orchestrator.store.memory import Crashed
from orchestrator.store.port import Journal, Letter, Row, Snapshot, Writer


class MortalJournal:
    """Hands on to `journal`, until the `crash_at`-th append (counted from 1) raises `Crashed`: before or after its row is durable."""

    def __init__(self, journal: Journal, *, crash_at: int | None, durable: bool) -> None:
        self._journal = journal
        self._left = crash_at
        self._durable = durable
        self._dead = False

    async def acquire(self, who: str, now: datetime) -> int:
        """As the journal."""
        return await self._journal.acquire(who, now)

    async def release(self) -> None:
        """As the journal."""
        await self._journal.release()

    async def writer(self) -> Writer | None:
        """As the journal."""
        return await self._journal.writer()

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
    ) -> int:
        """As the journal, while it lives."""
        if self._dead:
            raise Crashed("this process is dead already")
        if self._left is not None:
            self._left -= 1
            self._dead = self._left == 0
        if self._dead and not self._durable:
            raise Crashed("crashed before its row")
        seq = await self._journal.append(
            expected_seq, rollout, at, body, documents=documents, letters=letters, drops=drops
        )
        if self._dead:
            raise Crashed("crashed after its row")
        return seq

    def read(self, after: int = 0) -> AsyncIterator[Row]:
        """As the journal."""
        return self._journal.read(after)

    async def document(self, digest: str) -> bytes:
        """As the journal."""
        return await self._journal.document(digest)

    async def snapshot(self) -> Snapshot | None:
        """As the journal."""
        return await self._journal.snapshot()

    async def keep(self, snapshot: Snapshot) -> None:
        """As the journal, while it lives."""
        if self._dead:
            raise Crashed("this process is dead already")
        await self._journal.keep(snapshot)

    async def post(self, letter: Letter) -> None:
        """As the journal."""
        await self._journal.post(letter)

    async def inbox(self) -> tuple[Letter, ...]:
        """As the journal."""
        return await self._journal.inbox()

    async def close(self) -> None:
        """Close the file; a kernel would do no less for a dead process."""
        await self._journal.close()
