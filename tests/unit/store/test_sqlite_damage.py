"""Files that aren't sound journals: each is named for what it is, none is touched, nothing is repaired."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.store.port import Letter, Moving
from orchestrator.store.sqlite import SqliteJournal

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is to be."""
    return tmp_path / "journal.db"


async def written(path: Path, count: int = 5) -> Path:
    """A journal of `count` rows, closed."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    for seq in range(count):
        await journal.append(seq, "monthly", NOW, b"decision %d" % (seq + 1))
    await journal.post(Letter("l", NOW, "ben", b"{}"))
    await journal.close()
    return path


async def read(path: Path) -> list[bytes]:
    """What was decided, read in a new process's way."""
    journal = await SqliteJournal.open(path, inline=True, create=False)
    try:
        return [row.body async for row in journal.read()]
    finally:
        await journal.close()


def edit(path: Path, *statements: str) -> None:
    """Change the file as a hand with a database browser does."""
    with sqlite3.connect(path) as browser:
        for statement in statements:
            browser.execute(statement)
    browser.close()


# Not a journal


def text(path: Path) -> None:
    """A policy, say."""
    path.write_text("machines:\n  - vm-1\n" * 100)


def short_text(path: Path) -> None:
    """Too short to have a header."""
    path.write_text("x")


def foreign(path: Path) -> None:
    """Another program's tables."""
    edit(path, "CREATE TABLE songs (title)", "INSERT INTO songs VALUES ('Yesterday')")


def foreign_with_wal(path: Path) -> None:
    """The same, in the mode that journals have."""
    edit(path, "PRAGMA journal_mode = WAL", "CREATE TABLE songs (title)")


def named(path: Path) -> None:
    """Another program that says who it is."""
    edit(path, "PRAGMA application_id = 1", "CREATE TABLE songs (title)")


def folder(path: Path) -> None:
    """No file at all."""
    path.mkdir()


def empty(path: Path) -> None:
    """What `touch` leaves, and what is left of a file that was cut off at once."""
    path.touch()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            text,
            r"isn't a SQLite file, so no journal \(file is not a database\); name another file; this one wasn't touched",
        ),
        (short_text, r"has 1 bytes, too few for a journal; name another file, or"),
        (foreign, r"is another program's file; name another file; this one wasn't touched"),
        (foreign_with_wal, r"is another program's file"),
        (named, r"is another program's file"),
        (folder, r"is a folder or a device; name a file"),
        (empty, r"has 0 bytes, too few for a journal; .*: nothing was repaired: restore it"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
@pytest.mark.parametrize("inline", [False, True])
async def test_what_is_no_journal_is_named_and_not_touched(
    path: Path, make: Callable[[Path], None], message: str, *, inline: bool
) -> None:
    """Opened to write or to look, it is left byte for byte, and nothing is made beside it."""
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    beside = sorted(path.parent.iterdir())
    for how in (SqliteJournal.open, SqliteJournal.read_only):
        with pytest.raises(JournalError, match=f"{path.name}: {message}"):
            await how(path, inline=inline)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert sorted(path.parent.iterdir()) == beside


async def test_a_device_is_no_journal() -> None:
    """It exists and is no folder, and still isn't a file."""
    with pytest.raises(JournalError, match="/dev/null: is a folder or a device; name a file"):
        await SqliteJournal.open(Path("/dev/null"), inline=True)


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """It isn't made: a mistyped path must not become a new, empty journal somewhere."""
    with pytest.raises(JournalError, match=r"can't be reached or made \(No such file or directory\)"):
        await SqliteJournal.open(tmp_path / "gone" / "journal.db", inline=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("in_header", [True, False])
async def test_a_newer_journal_is_refused(path: Path, *, in_header: bool) -> None:
    """Whether its file says so or only its write-ahead log, a newer format isn't guessed at."""
    await written(path)
    browser = sqlite3.connect(path, isolation_level=None)
    browser.execute("PRAGMA user_version = 4")
    if in_header:
        browser.close()
    with pytest.raises(
        JournalError, match=r"newer Wavekeeper \(format 4, this one knows 3\); update Wavekeeper"
    ):
        await read(path)
    browser.close()


async def test_a_format_that_never_was_is_refused(path: Path) -> None:
    """Formats count from 1."""
    await written(path)
    edit(path, "PRAGMA user_version = 0")
    with pytest.raises(JournalError, match="format 0, which never was"):
        await read(path)


async def test_a_journal_without_its_tables_is_not_whole(path: Path) -> None:
    """Its header says it is one of ours, and it isn't."""
    await written(path)
    edit(path, "PRAGMA foreign_keys = OFF", "DROP TABLE events")
    with pytest.raises(JournalError, match=r"isn't whole \(no such table: events\); nothing was repaired"):
        await read(path)


async def test_a_lost_file_whose_log_is_there_is_not_begun_anew(path: Path) -> None:
    """The rows that the write-ahead log holds would vanish, or worse, be put into the new file."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    await journal.append(0, "r", NOW, b"x")
    wal = path.with_name("journal.db-wal")
    shutil.copy(wal, path.with_name("kept"))
    await journal.close()
    path.unlink()
    path.with_name("kept").rename(wal)
    with pytest.raises(
        JournalError, match=r"journal.db: is gone, but journal.db-wal, .* bring the file back beside it"
    ):
        await SqliteJournal.open(path, inline=True)
    assert not path.exists()


# Rows that can't be trusted


@pytest.mark.parametrize(
    ("statement", "row", "what"),
    [
        ("UPDATE events SET body = 'decision 9' WHERE seq = 3", 3, "is damaged or was changed"),
        ("UPDATE events SET body = CAST('decision 9' AS BLOB) WHERE seq = 3", 3, "is damaged or was changed"),
        ("UPDATE events SET body = x'' WHERE seq = 5", 5, "is damaged or was changed"),
        ("UPDATE events SET at = at + 1 WHERE seq = 1", 1, "is damaged or was changed"),
        ("UPDATE events SET at = 'yesterday' WHERE seq = 1", 1, "is damaged or was changed"),
        ("UPDATE events SET rollout = 1 WHERE seq = 2", 2, "is damaged or was changed"),
        ("UPDATE events SET epoch = 2 WHERE seq = 4", 4, "is damaged or was changed"),
        ("UPDATE events SET seal = seal + 1 WHERE seq = 4", 4, "is damaged or was changed"),
        ("UPDATE events SET seal = 'x' WHERE seq = 4", 4, "is damaged or was changed"),
        ("UPDATE events SET scope = 2 WHERE seq = 2", 2, "is missing"),
        ("UPDATE events SET seq = 7 WHERE seq = 5", 5, "is missing"),
        ("DELETE FROM events WHERE seq = 1", 1, "is missing"),
        ("DELETE FROM events WHERE seq = 3", 3, "is missing"),
        ("DELETE FROM events WHERE seq >= 4", 4, "is missing"),
        ("DELETE FROM events", 1, "is missing"),
        (
            "INSERT INTO events SELECT scope, 6, epoch, rollout, at, body, seal FROM events WHERE seq = 5",
            6,
            "is damaged or was changed",
        ),
        ("UPDATE scopes SET seq = 4", 5, "is there, but was never counted"),
        ("UPDATE scopes SET seal = seal + 1", 5, "is damaged or was changed"),
        ("DELETE FROM scopes", 1, "is there, but was never counted"),
    ],
)
async def test_a_row_that_was_tampered_with_is_named(path: Path, statement: str, row: int, what: str) -> None:
    """Changed, taken out, put in or cut off: reading stops with the number of the row."""
    await written(path)
    edit(path, statement)
    before = path.read_bytes()
    with pytest.raises(JournalError) as found:
        await read(path)
    assert str(found.value).startswith(f"{path}: row {row} of scope 'default' {what}; nothing was repaired")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "row", "what"),
    [
        ("UPDATE gaps SET seal = seal + 1", 2, "went into an archive, and the note of it is damaged"),
        ("UPDATE gaps SET first = 1", 1, "went into an archive, and the note of it is damaged"),
        ("UPDATE gaps SET last = 4", 2, "went into an archive, and the note of it is damaged"),
        ("UPDATE gaps SET last = 2", 2, "went into an archive, and the note of it is damaged"),
        ("DELETE FROM gaps", 2, "is missing"),
        ("DELETE FROM events WHERE seq = 4", 4, "is missing"),
        ("DELETE FROM events WHERE seq = 1", 1, "is missing"),
        (
            "INSERT INTO events SELECT scope, 2, epoch, rollout, at, body, seal FROM events WHERE seq = 1",
            2,
            "is damaged or was changed",
        ),
    ],
)
async def test_a_gap_that_was_tampered_with_is_named(path: Path, statement: str, row: int, what: str) -> None:
    """Rows that went into an archive are known by number and seal: nothing else may be missing under that name."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    for seq, rollout in enumerate(("stays", "goes", "goes", "stays", "stays")):
        await journal.append(seq, rollout, NOW, b"%d" % seq)
    moving = Moving(("goes",), (), 5)
    await journal.archive(moving, str(path.with_name("archive.db")), NOW)
    await journal.append(5, "", NOW, b"went", moving=moving)
    await journal.close()
    assert await read(path) == [b"0", b"3", b"4", b"went"]
    edit(path, statement)
    with pytest.raises(JournalError, match=f"row {row} of scope 'default' {what}"):
        await read(path)


async def test_nobody_writes_an_archive(path: Path) -> None:
    """It says whose it is."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    await journal.append(0, "goes", NOW, b"1")
    await journal.archive(Moving(("goes",), (), 1), str(path.with_name("archive.db")), NOW)
    await journal.close()
    archive = await SqliteJournal.open(path.with_name("archive.db"), inline=True)
    whose = await archive.archive_of()
    assert whose is not None
    assert (whose.of, whose.at) == (str(path), NOW)
    with pytest.raises(JournalError, match=r"is an archive of .*journal.db, made on 2026-11-22 01:00 UTC"):
        await archive.acquire("ben", NOW)
    await archive.close()


async def test_an_archive_takes_nobodys_place(path: Path) -> None:
    """Neither a policy's, nor a journal's; a folder that isn't there is said."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    await journal.append(0, "goes", NOW, b"1")
    other = path.with_name("policy.yaml")
    other.write_text("version: 1\n" * 99)
    for to in (other, path):
        with pytest.raises(JournalError, match="is there already; name a file that isn't"):
            await journal.archive(Moving(("goes",), (), 1), str(to), NOW)
    with pytest.raises(JournalError, match="can't be made"):
        await journal.archive(Moving(("goes",), (), 1), str(path.with_name("no") / "archive.db"), NOW)
    assert other.read_text() == "version: 1\n" * 99
    await journal.close()


async def test_reading_from_the_middle_checks_too(path: Path) -> None:
    """What is after is checked; a starting row that isn't there is missed."""
    await written(path)
    edit(path, "UPDATE events SET body = x'00' WHERE seq = 4", "DELETE FROM events WHERE seq = 2")
    journal = await SqliteJournal.open(path, inline=True)
    for after, said in ((2, "row 2 .* is missing"), (3, "row 4 .* is damaged")):
        with pytest.raises(JournalError, match=said):
            _ = [row async for row in journal.read(after)]
    assert [row.seq async for row in journal.read(4)] == [5]
    await journal.close()


async def test_nobody_writes_on_after_a_lost_row(path: Path) -> None:
    """Whoever would be the writer learns it before the first append, and holds no lock then."""
    await written(path)
    edit(path, "DELETE FROM events WHERE seq = 5")
    journal = await SqliteJournal.open(path, inline=True)
    with pytest.raises(JournalError, match=r"row 5 .* is missing"):
        await journal.acquire("ann", NOW)
    assert await journal.writer() is None
    await journal.close()


@pytest.mark.parametrize("damage", ["UPDATE documents SET body = 'x'", "UPDATE documents SET body = x'00'"])
async def test_a_damaged_document_is_named(path: Path, damage: str) -> None:
    """A plan that isn't the reviewed one must not be handed out."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    await journal.append(0, "r", NOW, b"x", documents={"sha256-1": b"plan"})
    edit(path, damage)
    with pytest.raises(JournalError, match="has a damaged document sha256-1"):
        await journal.document("sha256-1")
    await journal.close()


# Files that lost or changed bytes


async def test_a_cut_file_never_reads_as_a_shorter_log(path: Path) -> None:
    """At whichever page it was cut off, reading fails; it never ends early as if that were all."""
    await written(path, 300)
    whole = path.read_bytes()
    assert len(whole) > 10 * PAGE
    for size in (*range(0, len(whole), PAGE), 1, 100, PAGE + 1, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(JournalError):
            await read(path)


async def test_a_flipped_byte_never_changes_what_is_read(path: Path) -> None:
    """A byte that goes bad is in a place that doesn't matter, or is found: no row is ever read wrong."""
    await written(path, 120)
    whole, rows, chance = path.read_bytes(), await read(path), random.Random(1)
    found = 0
    for _ in range(300):
        at = chance.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :])
        try:
            assert await read(path) == rows
        except JournalError:
            found += 1
        for left in path.parent.glob("journal.db-*"):
            left.unlink()
    assert found > 20


async def test_a_crash_within_a_checkpoint_loses_nothing(path: Path) -> None:
    """With its first page new and its last ones not yet there, the file is whole with its write-ahead log."""
    await written(path, 5)
    short = path.read_bytes()
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    for seq in range(5, 105):
        await journal.append(seq, "r", NOW, b"x" * 500)
    log = path.with_name("journal.db-wal").read_bytes()
    await journal.close()
    long = path.read_bytes()
    assert len(long) > len(short)
    path.write_bytes(long[:PAGE] + short[PAGE:])
    with pytest.raises(JournalError, match=r"is damaged \(database disk image is malformed\)"):
        await read(path)
    path.with_name("journal.db-wal").write_bytes(log)
    assert len(await read(path)) == 105
