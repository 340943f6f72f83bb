"""The file of a SQLite journal and one connection to it, used by one thread. Raises errors of the tree only.

A file gets its name only when it is a complete, empty journal. So an empty file isn't a new journal
but one that was cut off, and is refused.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import quote

from orchestrator.errors import Defect, JournalError, WavekeeperError
from orchestrator.store.archive import copy_out, is_left_over, read_through
from orchestrator.store.faults import FOLDER, RESTORE, driver_fault, fault
from orchestrator.store.identity import APPLICATION_ID, beside, check_identity, link, refuse_writing
from orchestrator.store.lock import FileLock
from orchestrator.store.port import Moving, Writer
from orchestrator.store.tables import FORMAT, Copied, Page, Tables
from orchestrator.store.upgrade import upgrade

_SCHEMA = Path(__file__).parent / "sql" / "schema.sql"
_BUSY_TIMEOUT_MS = (
    5_000  # others hold the file for as long as a letter takes; longer means that something is wrong
)
_WAL_LIMIT_BYTES = 64 << 20  # after a large document the write-ahead log shrinks to this
_SMALLEST = 512  # bytes; no page of SQLite's is smaller, and a shorter file looks to it like a new one

T = TypeVar("T")


class Database:
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

    def _write(self, work: Callable[[Database], T]) -> T:
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
                with self._explained(to), closing(_connect(fresh, "mode=rwc")) as copy:
                    self._sql.backup(copy)
                    Tables(copy, fresh, "").mark_copied(mark)
                    copy.execute("PRAGMA journal_mode = DELETE")  # one file, whose log is nowhere beside it
                link(fresh, to)
        except FileExistsError:
            raise taken from None
        except OSError as error:
            raise fault(to, f"can't be made ({error.strerror})", FOLDER) from error

    def archive(self, moving: Moving, to: Path, mark: Copied) -> int:
        """See the port. The archive is read through before it gets its name."""
        taken = fault(
            to, "is there already", "name a file that isn't; an archive never takes another's place"
        )
        if to.exists() and not self._is_left_over(to):
            raise taken
        try:
            with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as folder:
                fresh = Path(folder) / to.name
                _create(fresh)
                with self._explained(to), closing(_connect(fresh, "mode=rw")) as sql:
                    sql.execute("PRAGMA synchronous = FULL")
                    sql.execute("BEGIN")
                    self._sql.execute("BEGIN")
                    count = copy_out(self.tables, self._sql, sql, moving, mark)
                    sql.execute("COMMIT")
                    read_through(Tables(sql, to, self.tables.scope))
                    sql.execute("PRAGMA journal_mode = DELETE")  # one file, whose log is nowhere beside it
                to.unlink(missing_ok=True)
                link(fresh, to)
        except FileExistsError:
            raise taken from None
        except OSError as error:
            raise fault(to, f"can't be made ({error.strerror})", FOLDER) from error
        finally:
            self._roll_back()
        return count

    def _is_left_over(self, archive: Path) -> bool:
        try:
            _check(archive, create=False, writable=False)
            with closing(_connect(archive, "mode=ro")) as sql:
                return is_left_over(self.tables, Tables(sql, archive, self.tables.scope))
        except (JournalError, sqlite3.Error):
            return False

    def tidy(self) -> None:
        """See `SqliteJournal`."""
        with self._explained():
            self._sql.execute("VACUUM")
            self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def file_problems(self) -> list[str]:
        """See `SqliteJournal`."""
        with self._explained():
            found = [said for (said,) in self._sql.execute("PRAGMA integrity_check(20)") if said != "ok"]
            found += [
                f"a row of {table} refers to a row of {parent} that isn't there"
                for table, _, parent, _ in self._sql.execute("PRAGMA foreign_key_check")
            ]
            (page,) = self._sql.execute("PRAGMA page_size").fetchone()
        # What SQLite doesn't say: it takes what is missing of the last page for nought.
        over = self.path.stat().st_size % page
        if over and not _size(beside(self.path, "-wal")):
            found.append(f"was cut off, {page - over} bytes before the end of its last page")
        return [str(fault(self.path, said.replace("\n", " "), RESTORE)) for said in found]

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # the error before it is the one that tells
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    @contextmanager
    def _explained(self, copy: Path | None = None) -> Iterator[None]:
        """Turn SQLite's errors into the tree's. After a failed sync nobody knows what the disk has: no more writes.

        While a copy is made, it is the copy's disk that may be full.
        """
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(("SQLITE_IOERR", "SQLITE_CORRUPT")):
                self._failure = str(error)
            path = copy if copy is not None and name.startswith("SQLITE_FULL") else self.path
            raise driver_fault(path, name, str(error), reading=not self._writable) from error


def _check(path: Path, *, create: bool, writable: bool) -> None:
    """Refuse what isn't a journal before anything is touched; make one where there is nothing, if `create`."""
    wal = beside(path, "-wal")
    try:
        if not path.exists():
            if _size(wal):  # SQLite would put it on top of any new file of that name
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
        unfinished = _size(wal)
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


def _size(path: Path) -> int:
    """In bytes; 0 if it isn't there."""
    return path.stat().st_size if path.exists() else 0


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
