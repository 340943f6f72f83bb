"""The file under a SQLite journal: what it says of itself where SQLite says nothing, or names another file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.store import database
from orchestrator.store.sqlite import SqliteJournal

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
PAGE = 4096


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A journal of some rows that ends in pages that nothing is written on any more, closed."""
    path = tmp_path / "journal.db"
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    for seq in range(300):
        await journal.append(seq, "monthly", NOW, b"decision %d" % (seq + 1))
    await journal.close()
    with sqlite3.connect(path) as browser:
        browser.execute("CREATE TABLE last (body)")
        browser.execute("INSERT INTO last VALUES (zeroblob(100000))")
        browser.execute("DELETE FROM last")
    browser.close()
    return path


@pytest.mark.parametrize("lost", [1, 100, PAGE - 1])
async def test_a_cut_is_found_where_nothing_was_written(path: Path, lost: int) -> None:
    """SQLite takes the rest of a page for nought and finds nothing wrong with it, nor is any row missing."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - lost)

    journal = await SqliteJournal.read_only(path, inline=True)
    rows, problems = [row.seq async for row in journal.read()], await journal.file_problems()
    await journal.close()

    assert len(rows) == 300
    assert len(problems) == 1
    assert (
        f"journal.db: was cut off, {lost} bytes before the end of its last page; nothing was rep"
        in problems[0]
    )


async def test_nothing_is_missing_that_the_log_still_has(path: Path) -> None:
    """After a crash within a checkpoint the last page may be half there: the write-ahead log has it whole."""
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ann", NOW)
    await journal.append(300, "monthly", NOW, b"x" * 200_000)
    log = path.with_name("journal.db-wal").read_bytes()
    await journal.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)
    path.with_name("journal.db-wal").write_bytes(log)

    reader = await SqliteJournal.read_only(path, inline=True)
    assert await reader.file_problems() == []
    await reader.close()


async def test_a_full_disk_of_a_copy_is_not_the_journals(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads of it frees space there."""
    connect = database._connect

    def small(where: Path, how: str) -> sqlite3.Connection:
        made = connect(where, how)
        if how == "mode=rwc":
            made.execute("PRAGMA max_page_count = 2")
        return made

    journal = await SqliteJournal.open(path, inline=True)
    monkeypatch.setattr(database, "_connect", small)
    with pytest.raises(JournalError, match=r"copy.db: can't grow, the disk is full"):
        await journal.back_up(path.with_name("copy.db"), NOW)
    await journal.close()

    assert not path.with_name("copy.db").exists()
