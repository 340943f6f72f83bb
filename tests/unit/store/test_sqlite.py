"""The SQLite file: how it is made, opened and committed to. What every journal promises stands in the contract."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Defect, JournalError
from orchestrator.store.identity import APPLICATION_ID
from orchestrator.store.port import Letter
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.store.tables import FORMAT

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
LETTER = Letter("l", NOW, "ben", b"{}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is to be."""
    return tmp_path / "journal.db"


async def writer(path: Path, *, inline: bool = True) -> SqliteJournal:
    """A journal, open, that may append."""
    journal = await SqliteJournal.open(path, inline=inline)
    await journal.acquire("ann", NOW)
    return journal


async def sql(journal: SqliteJournal, statement: str) -> list[Any]:
    """Run a statement on the journal's own connection."""
    return await journal._line.alone(lambda db: db._sql.execute(statement).fetchall())


async def bodies(journal: SqliteJournal) -> list[bytes]:
    """What was decided."""
    return [row.body async for row in journal.read()]


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


# Durability


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5_000),
        ("journal_size_limit", 64 << 20),
        ("application_id", APPLICATION_ID),
        ("user_version", FORMAT),
    ],
)
async def test_settings_that_durability_rests_on(
    path: Path, pragma: str, value: object, *, inline: bool
) -> None:
    """Each is as the design says, in both modes, on a file that was just made and on one that is opened again."""
    for _ in range(2):
        journal = await SqliteJournal.open(path, inline=inline)
        assert await sql(journal, f"PRAGMA {pragma}") == [(value,)]
        await journal.close()


def trace(database: Any, into: list[str]) -> None:
    """Note each statement that the journal's connection runs."""
    database._sql.set_trace_callback(into.append)


async def test_what_is_queued_is_committed_together(path: Path) -> None:
    """Appends that wait while the thread is busy cost one transaction; inline, each costs its own."""
    committed: dict[bool, int] = {}
    for inline in (False, True):
        journal = await writer(path.with_name(str(inline)), inline=inline)
        statements: list[str] = []
        await journal._line.alone(partial(trace, into=statements))
        await asyncio.gather(*(journal.append(seq, "r", NOW, b"x") for seq in range(50)))
        committed[inline] = statements.count("COMMIT")
        assert len(await bodies(journal)) == 50
        await journal.close()
    # The thread may have begun with the first while the rest were still queueing.
    assert committed[False] in {1, 2, 3}
    assert committed[True] == 50


async def test_an_append_is_durable_when_it_returns(path: Path) -> None:
    """Another connection sees it at once: it was committed, not only queued."""
    journal = await writer(path, inline=False)
    other = sqlite3.connect(path)
    for seq in range(3):
        await journal.append(seq, "r", NOW, b"x")
        assert other.execute("SELECT max(seq) FROM events").fetchone() == (seq + 1,)
    other.close()
    await journal.close()


# The file


async def test_a_closed_journal_is_one_file(path: Path) -> None:
    """Beside it stays the lock's file alone; nothing of its making is left."""
    journal = await writer(path)
    await journal.append(0, "r", NOW, b"x")
    await journal.close()
    assert names(path.parent) == ["journal.db", "journal.db.lock"]


async def test_two_that_make_the_same_journal_get_one(path: Path) -> None:
    """Whoever comes second opens what the first has made."""
    journals = await asyncio.gather(*(SqliteJournal.open(path) for _ in range(4)))
    await journals[0].post(LETTER)
    assert [await journal.inbox() for journal in journals] == [(LETTER,)] * 4
    for journal in journals:
        await journal.close()


async def test_a_link_is_the_journal_that_it_points_to(path: Path) -> None:
    """Reached by two names, it has one lock."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    first = await writer(path)
    second = await SqliteJournal.open(link, inline=True)
    with pytest.raises(JournalError, match="ann"):
        await second.acquire("ben", NOW)
    await second.close()
    await first.close()


async def test_a_name_with_marks_in_it_is_a_name(tmp_path: Path) -> None:
    """What means something in a URI is nothing but a letter in a file's name."""
    path = tmp_path / "a b?mode=memory#%41&x\udcff.db"
    journal = await writer(path)
    await journal.append(0, "r", NOW, b"x")
    await journal.close()
    assert names(tmp_path) == [path.name, path.name + ".lock"]


async def test_documents_are_packed(path: Path) -> None:
    """A plan of megabytes takes a fraction of that in the file."""
    journal = await writer(path)
    await journal.append(0, "r", NOW, b"x", documents={"plan": b'{"machine": "vm-1"}, ' * 500_000})
    await journal.close()
    assert path.stat().st_size < 500_000


async def test_the_write_ahead_log_stays_bounded(path: Path) -> None:
    """It is folded into the file as it grows, reader or no reader."""
    journal = await writer(path)
    for seq in range(40):
        await journal.append(seq, "r", NOW, os.urandom(1_000_000))
    assert path.with_name("journal.db-wal").stat().st_size < 12_000_000
    await journal.close()


@pytest.mark.parametrize("scope", ["", "a b", "../up", "a.b", "a/b"])
async def test_a_scope_must_be_a_plain_word(path: Path, scope: str) -> None:
    """It becomes part of a file's name."""
    with pytest.raises(JournalError, match="letters, digits"):
        await SqliteJournal.open(path, scope, inline=True)
    assert names(path.parent) == []


# Looking only


@pytest.mark.parametrize("inline", [False, True])
async def test_looking_makes_no_journal(path: Path, *, inline: bool) -> None:
    """`status` on a name that isn't there says so, and leaves nothing behind."""
    for how in (
        SqliteJournal.read_only(path, inline=inline),
        SqliteJournal.open(path, inline=inline, create=False),
    ):
        with pytest.raises(JournalError, match=r"journal.db: there is no such journal; a rollout makes it"):
            await how
    assert names(path.parent) == []


async def test_looking_reads_beside_the_writer(path: Path) -> None:
    """Rows, inbox, documents and who writes, while somebody does."""
    journal = await writer(path)
    await journal.post(LETTER)
    await journal.append(0, "r", NOW, b"1", documents={"d": b"plan"})
    looker = await SqliteJournal.read_only(path, inline=True)
    await journal.append(1, "r", NOW, b"2")
    held = await looker.writer()
    assert (await bodies(looker), await looker.inbox()) == ([b"1", b"2"], (LETTER,))
    assert await looker.document("d") == b"plan"
    assert held is not None
    assert (held.who, held.pid, held.since) == ("ann", os.getpid(), NOW)
    await looker.close()
    await journal.close()


async def test_looking_changes_nothing(path: Path) -> None:
    """Whoever opened it to look can't write; to ask for that is a mistake in the code."""
    await (await writer(path)).close()
    before = path.read_bytes()
    looker = await SqliteJournal.read_only(path, inline=True)
    with pytest.raises(Defect, match="opened for reading only"):
        await looker.post(LETTER)
    with pytest.raises(Defect, match="opened for reading only"):
        await looker.acquire("ann", NOW)
    await looker.close()
    assert path.read_bytes() == before


# Errors of the machine


async def test_a_full_disk_is_said_and_loses_nothing(path: Path) -> None:
    """All that share the transaction fail; with room again the same appends succeed."""
    journal = await writer(path, inline=False)
    await journal.append(0, "r", NOW, b"kept")
    ((pages,),) = await sql(journal, "PRAGMA page_count")
    await sql(journal, f"PRAGMA max_page_count = {pages + 2}")
    outcomes = await asyncio.gather(
        journal.append(1, "r", NOW, b"small"),
        journal.append(2, "r", NOW, b"x" * 1_000_000),
        return_exceptions=True,
    )
    assert "the disk is full (database or disk is full); free some space" in str(outcomes[1])
    await sql(journal, "PRAGMA max_page_count = 1000000")
    kept = len(await bodies(journal))
    for seq in range(kept, 3):
        await journal.append(seq, "r", NOW, b"again")
    assert (await bodies(journal))[0] == b"kept"
    assert len(await bodies(journal)) == 3
    await journal.close()


async def test_a_file_locked_by_another_program_is_said(path: Path) -> None:
    """A database browser with an open transaction keeps writers out; nothing is lost by it."""
    journal = await writer(path)
    await sql(journal, "PRAGMA busy_timeout = 0")
    browser = sqlite3.connect(path, isolation_level=None)
    browser.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        JournalError, match=r"is locked by another program \(database is locked\); close what has it"
    ):
        await journal.append(0, "r", NOW, b"x")
    browser.execute("ROLLBACK")
    browser.close()
    assert await journal.append(0, "r", NOW, b"x") == 1
    await journal.close()


class Failing:
    """A connection whose commits fail as they do on a dying disk."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real

    def execute(self, statement: str, *parameters: Any) -> Any:
        """Run it, unless it is a commit."""
        if statement == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return self.real.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


async def test_after_a_failed_sync_nothing_is_written_any_more(path: Path) -> None:
    """Nobody knows what the disk kept, so no later append may pretend to stand on it."""
    journal = await writer(path)

    def fail(db: Any) -> sqlite3.Connection:
        real, db._sql = db._sql, Failing(db._sql)
        return real  # type: ignore[no-any-return]  # a test's look inside

    real = await journal._line.alone(fail)
    with pytest.raises(JournalError, match=r"the disk failed \(disk I/O error\); see the system's log"):
        await journal.append(0, "r", NOW, b"x")
    await journal._line.alone(lambda db: setattr(db, "_sql", real))
    with pytest.raises(JournalError, match=r"failed before \(disk I/O error\); start again"):
        await journal.append(0, "r", NOW, b"x")
    await journal.close()
    again = await writer(path)
    assert await again.append(0, "r", NOW, b"x") == 1
    await again.close()


async def test_a_file_system_without_write_ahead_logs_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network share, where SQLite has no shared memory, would lose what it promised."""
    await (await writer(path)).close()
    connect = sqlite3.connect

    class Share(sqlite3.Connection):
        def execute(self, statement: str, *parameters: Any) -> Any:
            return super().execute(
                "SELECT 'delete'" if "journal_mode" in statement else statement, *parameters
            )

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, **named, factory=Share))
    with pytest.raises(
        JournalError, match=r"can't have a write-ahead log here \(SQLite insists on 'delete'\)"
    ):
        await SqliteJournal.open(path, inline=True)


async def test_a_file_system_without_links_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a journal there says what to do and leaves nothing behind."""

    def no_links(_source: Path, _target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(
        JournalError, match=r"can't be reached or made \(Operation not permitted\); keep it on a local"
    ):
        await SqliteJournal.open(path, inline=True)
    assert names(path.parent) == []


@pytest.fixture
def somebody() -> Iterator[Path]:
    """A folder that belongs to root, for a test run as somebody else (if it runs as root at all)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own folders can't be entered by others
        folder = Path(name)
        root = os.geteuid() == 0
        folder.chmod(0o755 if root else 0o555)
        yield folder
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


async def test_a_folder_that_cannot_be_written_is_said(somebody: Path) -> None:
    """The message names the journal and what the folder needs."""
    _become_somebody()
    with pytest.raises(
        JournalError, match=r"j.db: can't be reached or made \(Permission denied\); keep it .* may write"
    ):
        await SqliteJournal.open(somebody / "j.db", inline=True)


async def test_a_file_of_somebody_else_is_said(somebody: Path) -> None:
    """Neither to write nor, while nobody writes, to look: SQLite needs files beside it for that."""
    path = somebody / "j.db"
    somebody.chmod(0o755)
    await (await SqliteJournal.open(path, inline=True)).close()
    path.chmod(0o444)
    somebody.chmod(0o555 if os.geteuid() else 0o755)
    _become_somebody()
    with pytest.raises(JournalError, match=r"j.db: can't be written; run as the user who owns it"):
        await SqliteJournal.open(path, inline=True)
    with pytest.raises(
        JournalError, match=r"j.db: can't be read where nothing may be written beside it .*; .* or copy it"
    ):
        await SqliteJournal.read_only(path, inline=True)


def _become_somebody() -> None:
    if os.geteuid() == 0:
        os.seteuid(65_534)  # nobody; root may write everywhere


async def test_a_copy_is_taken_beside_the_writer(path: Path, tmp_path: Path) -> None:
    """Of one moment: what is appended after it isn't in it, and the writer goes on."""
    writer = await SqliteJournal.open(path)
    await writer.acquire("ann", NOW)
    for seq in range(5):
        await writer.append(seq, "r", NOW, b"x")
    looker = await SqliteJournal.read_only(path)
    await looker.back_up(tmp_path / "copy.db", NOW)
    await writer.append(5, "r", NOW, b"x")
    copy = await SqliteJournal.read_only(tmp_path / "copy.db")
    assert [row.seq async for row in copy.read()] == [1, 2, 3, 4, 5]
    assert await copy.file_problems() == []
    for journal in (copy, looker, writer):
        await journal.close()
