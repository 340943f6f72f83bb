"""A journal around another one: hands everything on, for whoever changes or watches a part of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from orchestrator.store.port import Journal, Letter, Moving, Row, Snapshot, Writer


class JournalAround:
    """A `Journal` that does what the one inside does. Every method raises as that one's."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def acquire(self, who: str, now: datetime) -> int:
        """See the port, as for all the others."""
        return await self._journal.acquire(who, now)

    async def release(self) -> None:
        """See the port."""
        await self._journal.release()

    async def writer(self) -> Writer | None:
        """See the port."""
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
        moving: Moving | None = None,
    ) -> int:
        """See the port."""
        return await self._journal.append(
            expected_seq, rollout, at, body, documents=documents, letters=letters, drops=drops, moving=moving
        )

    def read(self, after: int = 0) -> AsyncIterator[Row]:
        """See the port."""
        return self._journal.read(after)

    async def archive(self, moving: Moving, to: str, at: datetime) -> int:
        """See the port."""
        return await self._journal.archive(moving, to, at)

    async def document(self, digest: str) -> bytes:
        """See the port."""
        return await self._journal.document(digest)

    async def snapshot(self) -> Snapshot | None:
        """See the port."""
        return await self._journal.snapshot()

    async def keep(self, snapshot: Snapshot) -> None:
        """See the port."""
        await self._journal.keep(snapshot)

    async def tidy(self) -> None:
        """See the port."""
        await self._journal.tidy()

    async def post(self, letter: Letter) -> None:
        """See the port."""
        await self._journal.post(letter)

    async def inbox(self) -> tuple[Letter, ...]:
        """See the port."""
        return await self._journal.inbox()

    async def letters(self, beginning: str) -> tuple[str, ...]:
        """See the port."""
        return await self._journal.letters(beginning)

    async def taken(self, letter: str) -> int | None:
        """See the port."""
        return await self._journal.taken(letter)

    async def close(self) -> None:
        """See the port."""
        await self._journal.close()
