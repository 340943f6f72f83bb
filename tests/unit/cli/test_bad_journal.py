"""A journal that is broken, or somebody else's: every command that needs one says so and leaves it as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Typed

COMMANDS = (
    ("status",),
    ("pause", "--reason", "lunch"),
    ("skip", "web-1", "--reason", "broken"),
    ("rollout", "plan.json", "--yes"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("foreign", [False, True], ids=["broken", "foreign"])
def test_a_journal_that_isn_t_ours(
    wavekeeper: Typed, plan: str, tmp_path: Path, words: Sequence[str], foreign: bool
) -> None:
    """One message that names the file; not a byte of it is changed."""
    journal = tmp_path / "other.db"
    if foreign:
        with sqlite3.connect(journal) as database:
            database.execute("create table addresses (street text)")
        database.close()
    else:
        journal.write_bytes(b"this is no database, but long enough to look like one" * 100)
    before = journal.read_bytes()
    ran = wavekeeper(*words, "--journal", journal)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: ")
    assert "other.db" in ran.err
    assert "Traceback" not in ran.err
    assert journal.read_bytes() == before


@pytest.mark.parametrize("words", COMMANDS[:3], ids=lambda words: words[0])
def test_no_journal_at_all(wavekeeper: Typed, tmp_path: Path, words: Sequence[str]) -> None:
    """Looking at what was never begun makes nothing."""
    ran = wavekeeper(*words, "--journal", "never.db")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: ")
    assert list(tmp_path.iterdir()) == []
