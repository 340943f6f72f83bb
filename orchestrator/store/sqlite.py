"""The journal in one SQLite file, for a single machine: no server, and a `kill -9` at any moment loses nothing appended.

What makes it safe, and where it is:

- durable: write-ahead log with `synchronous=FULL`; an append returns after its own commit (`groupcommit`);
- one writer: a lock file keeps a second process out (`lock`), and each append checks its epoch and `expected_seq` in
  its own transaction (`tables`), so that a writer that lost its lock unnoticed can't append either;
- nothing silently wrong: what isn't a journal is refused before it is touched (`database`), each row is sealed (`seal`).
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from orchestrator.errors import StaleLease
from orchestrator.store.database import Database
from orchestrator.store.groupcommit import CallerThread, WriterThread
from orchestrator.store.port import Letter, Moving, Row, Snapshot, Writer
from orchestrator.store.tables import Copied, Entry, Tables, microseconds

_COMMAND_LENGTH = 300  # characters of the writer's command that the lock tells


class SqliteJournal:
    """`Journal` on a SQLite file, for one scope. Make one with `open` or `read_only`."""

    def __init__(self, line: WriterThread[Database] | CallerThread[Database]) -> None:
        self._line = line
        self._epoch: int | None = None  # None: this object isn't the writer

    @classmethod
    async def open(
        cls, path: Path, scope: str = "default", *, inline: bool = False, create: bool = True
    ) -> SqliteJournal:
        """Open the journal at `path`; make it if there is none, unless `create` is False.

        `inline` works in the caller's thread and commits each append by itself; otherwise one thread of the journal's
        own commits together what is queued. Raises `JournalError` for what isn't a sound journal of this version.
        """
        return await cls._on(partial(Database, path, scope, create=create, writable=True), inline=inline)

    @classmethod
    async def read_only(cls, path: Path, scope: str = "default", *, inline: bool = False) -> SqliteJournal:
        """Open the journal at `path` to look at it. It must exist, and looking changes nothing in it."""
        return await cls._on(partial(Database, path, scope, create=False, writable=False), inline=inline)

    @classmethod
    async def _on(cls, make: Callable[[], Database], *, inline: bool) -> SqliteJournal:
        return cls(await _line(make, inline=inline))

    async def acquire(self, who: str, now: datetime) -> int:
        """Take the lock file and begin an epoch."""
        self._epoch = await self._line.alone(lambda db: db.acquire(_writer(who, now)))
        return self._epoch

    async def release(self) -> None:
        """Give the lock back, after what is queued."""
        self._epoch = None
        await self._line.alone(lambda db: db.lock.drop())

    async def writer(self) -> Writer | None:
        """Who holds the lock file."""
        return await self._line.alone(lambda db: db.lock.holder())

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
        """Append one decision; see the port. After a `JournalError` only a fresh `read` tells whether it was kept."""
        if self._epoch is None:
            raise StaleLease(
                "this isn't the journal's writer: it never acquired the scope, or has released it"
            )
        entry = Entry(
            self._epoch,
            expected_seq,
            rollout,
            microseconds(at),
            body,
            dict(documents or {}),
            tuple(letters),
            tuple(drops),
            moving,
        )
        return await self._line.write(lambda db: db.tables.append(entry))

    async def read(self, after: int = 0) -> AsyncIterator[Row]:
        """Rows in order, a page at a time, each checked as it is read."""
        seal: int | None = None
        while True:
            page = await self._line.alone(partial(Database.page, after=after, seal=seal))
            for row in page.rows:
                yield row
            if page.complete:
                return
            after, seal = page.rows[-1].seq, page.seal

    async def archive(self, moving: Moving, to: str, at: datetime) -> int:
        """Write an archive; see the port. By a connection of its own, so that appends go on meanwhile."""
        path, scope = await self._line.alone(lambda db: (db.path, db.tables.scope))
        mark = Copied(str(path), at)
        reader = await _line(
            partial(Database, path, scope, create=False, writable=False),
            inline=isinstance(self._line, CallerThread),
        )
        try:
            return await reader.alone(lambda db: db.archive(moving, Path(to), mark))
        finally:
            await reader.close()

    async def archive_of(self) -> Copied | None:
        """Of which journal and since when this is an archive, if it is one."""
        return await self._line.alone(lambda db: db.look(Tables.archive_of))

    async def document(self, digest: str) -> bytes:
        """A document, unpacked."""
        return await self._line.alone(lambda db: db.look(lambda tables: tables.document(digest)))

    async def tidy(self) -> None:
        """Rewrite the file without its empty pages; see the port."""
        if self._epoch is None:
            raise StaleLease("the journal's space is its writer's to give back")
        await self._line.alone(Database.tidy)

    async def post(self, letter: Letter) -> None:
        """Put a letter into the inbox, beside whoever writes."""
        await self._line.write(lambda db: db.tables.post(letter))

    async def inbox(self) -> tuple[Letter, ...]:
        """Letters that wait, in the order in which they came."""
        return await self._line.alone(lambda db: db.look(Tables.inbox))

    async def letters(self, beginning: str) -> tuple[str, ...]:
        """Ids of letters, waiting or taken."""
        return await self._line.alone(lambda db: db.look(lambda tables: tables.letters(beginning)))

    async def taken(self, letter: str) -> int | None:
        """The row that took it."""
        return await self._line.alone(lambda db: db.look(lambda tables: tables.taken(letter)))

    async def snapshot(self) -> Snapshot | None:
        """The state that was kept last; see the port."""
        return await self._line.alone(lambda db: db.look(Tables.snapshot))

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep a state in the last one's place; see the port."""
        epoch = self._epoch
        await self._line.write(lambda db: db.tables.keep(snapshot, epoch))

    async def back_up(self, to: Path, now: datetime) -> None:
        """Copy the file as it is at one moment, also while somebody writes it, and have the copy say so. `to` must not be there."""
        await self._line.alone(lambda db: db.back_up(to, Copied(str(db.path), now)))

    async def is_older(self) -> bool:
        """Whether the file is of an older format than this version writes."""
        return await self._line.alone(lambda db: db.look(Tables.is_older))

    async def copied(self) -> Copied | None:
        """Of which journal and when this is a copy, if it is one."""
        return await self._line.alone(lambda db: db.look(Tables.copied))

    async def no_copy_any_more(self) -> None:
        """What wasn't known of a copy is settled: it may be written from now on."""
        await self._line.write(lambda db: db.tables.forget_copied())

    async def upgrade(self, who: str, now: datetime) -> bool:
        """Bring a file of an older format to the present one, which nobody may write meanwhile. False: it is of the present one."""
        return await self._line.alone(lambda db: db.upgrade(_writer(who, now)))

    async def file_problems(self) -> list[str]:
        """What SQLite finds wrong with its own pages, indexes and references; seals are `read`'s affair."""
        return await self._line.alone(lambda db: db.file_problems())

    async def close(self) -> None:
        """Finish what is queued, release, close."""
        await self._line.close()


async def _line(
    make: Callable[[], Database], *, inline: bool
) -> WriterThread[Database] | CallerThread[Database]:
    return CallerThread(make()) if inline else await WriterThread.start(make)


def _writer(who: str, now: datetime) -> Writer:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_COMMAND_LENGTH]
    return Writer(who, platform.node(), os.getpid(), now.astimezone(UTC), command)
