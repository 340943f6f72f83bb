"""The journal in one SQLite file, for a single machine: no server, and a `kill -9` at any moment loses nothing appended.

What makes it safe, and where it is:

- durable: write-ahead log with `synchronous=FULL`; an append returns after its own commit (`groupcommit`);
- one writer: a lock file keeps a second process out (`lock`), and each append checks its epoch and `expected_seq` in
  its own transaction (`tables`), so that a writer that lost its lock unnoticed can't append either;
- nothing silently wrong: what isn't a journal is refused before it is touched (here), each row is sealed (`seal`).

A file gets its name only when it is a complete, empty journal. So an empty file isn't a new journal
but one that was cut off, and is refused.
"""

from __future__ import annotations

import os
import platform
import shlex
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import quote

from orchestrator.errors import Defect, JournalError, StaleLease, WavekeeperError
from orchestrator.store.faults import FOLDER, RESTORE, driver_fault, fault
from orchestrator.store.groupcommit import CallerThread, WriterThread
from orchestrator.store.identity import APPLICATION_ID, beside, check_identity, link, refuse_writing
from orchestrator.store.lock import FileLock
from orchestrator.store.port import Letter, Row, Snapshot, Writer
from orchestrator.store.tables import FORMAT, Copied, Entry, Page, Tables, microseconds
from orchestrator.store.upgrade import upgrade

_SCHEMA = Path(__file__).parent / "sql" / "schema.sql"
_BUSY_TIMEOUT_MS = (
    5_000  # others hold the file for as long as a letter takes; longer means that something is wrong
)
_WAL_LIMIT_BYTES = 64 << 20  # after a large document the write-ahead log shrinks to this
_COMMAND_LENGTH = 300  # characters of the writer's command that the lock tells
_SMALLEST = 512  # bytes; no page of SQLite's is smaller, and a shorter file looks to it like a new one

T = TypeVar("T")


class SqliteJournal:
    """`Journal` on a SQLite file, for one scope. Make one with `open` or `read_only`."""

    def __init__(self, line: WriterThread[_Database] | CallerThread[_Database]) -> None:
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
        return await cls._on(partial(_Database, path, scope, create=create, writable=True), inline=inline)

    @classmethod
    async def read_only(cls, path: Path, scope: str = "default", *, inline: bool = False) -> SqliteJournal:
        """Open the journal at `path` to look at it. It must exist, and looking changes nothing in it."""
        return await cls._on(partial(_Database, path, scope, create=False, writable=False), inline=inline)

    @classmethod
    async def _on(cls, make: Callable[[], _Database], *, inline: bool) -> SqliteJournal:
        return cls(CallerThread(make()) if inline else await WriterThread.start(make))

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
        )
        return await self._line.write(lambda db: db.tables.append(entry))

    async def read(self, after: int = 0) -> AsyncIterator[Row]:
        """Rows in order, a page at a time, each checked as it is read."""
        seal: int | None = None
        while True:
            page = await self._line.alone(partial(_Database.page, after=after, seal=seal))
            for row in page.rows:
                yield row
            if page.complete:
                return
            after, seal = page.rows[-1].seq, page.seal

    async def document(self, digest: str) -> bytes:
        """A document, unpacked."""
        return await self._line.alone(lambda db: db.look(lambda tables: tables.document(digest)))

    async def post(self, letter: Letter) -> None:
        """Put a letter into the inbox, beside whoever writes."""
        await self._line.write(lambda db: db.tables.post(letter))

    async def inbox(self) -> tuple[Letter, ...]:
        """Letters that wait, in the order in which they came."""
        return await self._line.alone(lambda db: db.look(Tables.inbox))

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


def _writer(who: str, now: datetime) -> Writer:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_COMMAND_LENGTH]
    return Writer(who, platform.node(), os.getpid(), now.astimezone(UTC), command)


class _Database:
    """One connection, used by one thread. Raises errors of the tree only."""

    def __init__(self, path: Path, scope: str, *, create: bool, writable: bool) -> None:
        if not scope.replace("-", "").replace("_", "").isalnum():
            raise JournalError(f"scope {scope!r}: write letters, digits, '-' and '_' only")
        # SQLite names its own files after what a link points to; so must the lock be named.
        self.path = Path(os.path.realpath(path))
        self._writable = writable
        self._failure = ""  # set when the disk failed under a commit: what is on it is no longer sure
        self.lock = FileLock(beside(self.path, ".lock" if scope == "default" else f".{scope}.lock"))
        with self._explained():
            _check(self.path, create=create, writable=writable)
            self._sql = _connect(self.path, "mode=rw" if writable else "mode=ro")
            try:
                self._set_up()
            except BaseException:
                self._sql.close()
                raise
        self.tables = Tables(self._sql, self.path, scope)

    def _set_up(self) -> None:
        self._sql.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        check_identity(self._sql, self.path)  # again: now with what the write-ahead log says
        if not self._writable:
            self._sql.execute("PRAGMA query_only = ON")
            return
        (mode,) = self._sql.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise fault(self.path, f"can't have a write-ahead log here (SQLite insists on {mode!r})", FOLDER)
        self._sql.execute("PRAGMA synchronous = FULL")
        self._sql.execute("PRAGMA foreign_keys = ON")
        self._sql.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")

    def close(self) -> None:
        """Give back lock and file."""
        self.lock.drop()
        with self._explained():
            self._sql.close()

    def acquire(self, writer: Writer) -> int:
        """Become the writer: the lock first, then the epoch."""
        if not self._writable:
            raise Defect(f"{self.path}: opened for reading only")
        self.lock.take(writer)
        try:
            refuse_writing(self._sql, self.path)
            return self._write(lambda db: db.tables.next_epoch())
        except BaseException:
            self.lock.drop()
            raise

    def _write(self, work: Callable[[_Database], T]) -> T:
        """Do one work in a transaction of its own."""
        (outcome,) = self.together([work])
        if isinstance(outcome, WavekeeperError):
            raise outcome
        result: T = outcome
        return result

    def together(self, works: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Do `works` in one transaction. What one was refused for is its own; an error of the file is everybody's."""
        if not self._writable:
            raise Defect(f"{self.path}: opened for reading only")
        if self._failure:
            raise fault(self.path, f"failed before ({self._failure})", "start again, so that it is read anew")
        outcomes: list[Any] = []
        try:
            with self._explained():
                self._sql.execute("BEGIN IMMEDIATE")
                for work in works:
                    try:
                        outcomes.append(work(self))
                    except WavekeeperError as refusal:
                        outcomes.append(refusal)
                self._sql.execute("COMMIT")
        finally:
            self._roll_back()
        return outcomes

    def page(self, after: int, seal: int | None) -> Page:
        """Some rows, and whether they were the last, all of one moment."""
        return self.look(lambda tables: tables.page(after, seal))

    def look(self, question: Callable[[Tables], T]) -> T:
        """Ask within one snapshot, whatever a writer does meanwhile."""
        try:
            with self._explained():
                self._sql.execute("BEGIN")
                return question(self.tables)
        finally:
            self._roll_back()

    def upgrade(self, writer: Writer) -> bool:
        """In one transaction; the space of the old tables is given back after it."""
        self.lock.take(writer)
        try:
            with self._explained():
                self._sql.execute("PRAGMA foreign_keys = OFF")
                self._sql.execute("BEGIN IMMEDIATE")
                done = upgrade(self._sql, _SCHEMA.read_text(encoding="utf-8"))
                self._sql.execute("COMMIT")
                self._sql.execute("PRAGMA foreign_keys = ON")
                if done:
                    self._sql.execute("VACUUM")
                return done
        finally:
            self._roll_back()
            self.lock.drop()

    def back_up(self, to: Path, mark: Copied) -> None:
        """One read of everything: writers go on beside it. The copy gets its name when it is whole and synced."""
        taken = fault(to, "is there already", "name a file that isn't; a backup never takes another's place")
        if to.exists():
            raise taken
        try:
            with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as folder:
                fresh = Path(folder) / to.name
                with self._explained(), closing(_connect(fresh, "mode=rwc")) as copy:
                    self._sql.backup(copy)
                    Tables(copy, fresh, "").mark_copied(mark)
                    copy.execute("PRAGMA journal_mode = DELETE")  # one file, whose log is nowhere beside it
                link(fresh, to)
        except FileExistsError:
            raise taken from None
        except OSError as error:
            raise fault(to, f"can't be made ({error.strerror})", FOLDER) from error

    def file_problems(self) -> list[str]:
        """See `SqliteJournal`."""
        with self._explained():
            found = [said for (said,) in self._sql.execute("PRAGMA integrity_check(20)") if said != "ok"]
            found += [
                f"a row of {table} refers to a row of {parent} that isn't there"
                for table, _, parent, _ in self._sql.execute("PRAGMA foreign_key_check")
            ]
        return [str(fault(self.path, said.replace("\n", " "), RESTORE)) for said in found]

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # the error before it is the one that tells
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into the tree's. After a failed sync nobody knows what the disk has: no more writes."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(("SQLITE_IOERR", "SQLITE_CORRUPT")):
                self._failure = str(error)
            raise driver_fault(self.path, name, str(error)) from error


def _check(path: Path, *, create: bool, writable: bool) -> None:
    """Refuse what isn't a journal before anything is touched; make one where there is nothing, if `create`."""
    wal = beside(path, "-wal")
    try:
        if not path.exists():
            if wal.exists() and wal.stat().st_size:  # SQLite would put it on top of any new file of that name
                raise fault(
                    path,
                    f"is gone, but {wal.name}, which holds its last rows, is there",
                    "bring the file back beside it, or move that one away too to begin anew",
                )
            if not create:
                raise fault(
                    path, "there is no such journal", "a rollout makes it when it starts; check the name"
                )
            _create(path)
        size = path.stat().st_size
        unfinished = wal.exists() and wal.stat().st_size
    except OSError as error:
        raise fault(path, f"can't be reached or made ({error.strerror})", FOLDER) from error
    if not path.is_file():
        raise fault(path, "is a folder or a device", "name a file")
    wanted = os.R_OK | os.W_OK if writable else os.R_OK
    if not os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids):
        raise fault(path, "can't be written" if writable else "can't be read", "run as the user who owns it")
    if size < _SMALLEST:
        raise fault(
            path,
            f"has {size} bytes, too few for a journal",
            f"name another file, or, if it was one: {RESTORE}",
        )
    # SQLite itself reads the header, in a mode that takes no lock and makes no file. Reading it with `open` would
    # be worse than it looks: closing a file drops all locks that this process has on it, SQLite's included.
    try:
        with closing(_connect(path, "mode=ro&immutable=1")) as header:
            check_identity(header, path)
    except sqlite3.DatabaseError as error:
        # After a crash within a checkpoint, the file is whole only together with its write-ahead log.
        if not (unfinished and getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT")):
            raise


def _create(path: Path) -> None:
    """Make an empty journal under another name, then give it its own, unless somebody else was faster."""
    with TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        with closing(_connect(fresh, "mode=rwc")) as sql:
            sql.execute("PRAGMA journal_mode = WAL")
            sql.executescript(f"BEGIN;\n{_SCHEMA.read_text(encoding='utf-8')}\nCOMMIT;")
            sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            sql.execute(f"PRAGMA user_version = {FORMAT}")
        with suppress(FileExistsError):
            link(fresh, path)


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{how}", uri=True, isolation_level=None)
