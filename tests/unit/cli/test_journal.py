"""`wavekeeper journal`: what is checked, copied and handed on, and what is said when something is wrong."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from tests.unit.cli.conftest import Typed

GOLDEN = Path(__file__).parents[2] / "data" / "journals" / "0.1.0.db.gz"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A journal of twenty rows, with two machines in flight."""
    path = tmp_path / "kept.db"
    path.write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    return path


def edit(path: Path, statement: str) -> None:
    """A careful hand with a database browser."""
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute(statement)


def test_a_sound_journal(wavekeeper: Typed, kept: Path) -> None:
    """Counted, and said to be sound; nothing in the file changes."""
    before = kept.read_bytes()
    ran = wavekeeper("journal", "verify", "--journal", kept)
    assert ran.code == 0
    assert "20 good rows, 1 rollout, from 2026-11-22 01:00 UTC to 2026-11-22 01:29 UTC" in ran.out
    assert "not over yet: monthly-20261122-0100" in ran.out
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "rows", "says"),
    [
        ("UPDATE events SET body = '[]' WHERE seq = 9", 8, "row 9 of scope 'default' is damaged"),
        ("DELETE FROM events WHERE seq = 12", 11, "row 12 of scope 'default' is missing"),
        ("DELETE FROM events WHERE seq = 20", 19, "row 20 of scope 'default' is missing"),
        ("DELETE FROM documents", 20, "has no document"),
        ("UPDATE scopes SET epoch = epoch", 20, ""),
    ],
)
def test_what_is_wrong_is_named(wavekeeper: Typed, kept: Path, statement: str, rows: int, says: str) -> None:
    """The good rows before it are counted; exit code 1; the advice is there."""
    edit(kept, statement)
    ran = wavekeeper("journal", "verify", "--journal", kept, "--json")
    told = ran.json()
    assert (ran.code, told["rows"], told["sound"]) == (int(bool(says)), rows, not says)
    assert [says in problem for problem in told["problems"]] == [True] * bool(says)
    if says:
        assert "look at the machines in the cloud" in wavekeeper("journal", "verify", "--journal", kept).out


def test_another_plan_under_the_digest(wavekeeper: Typed, kept: Path) -> None:
    """A plan that unpacks but isn't the one that was started."""
    other = zlib.compress(b"{}").hex()
    edit(kept, f"UPDATE documents SET body = x'{other}'")
    told = wavekeeper("journal", "verify", "--journal", kept, "--json").json()
    assert ["isn't the one that was started" in problem for problem in told["problems"]] == [True]


def test_a_backup_is_the_journal(wavekeeper: Typed, kept: Path, tmp_path: Path) -> None:
    """One file, with the same rows; it can be verified and exported as the first."""
    copy = tmp_path / "copies.db"
    ran = wavekeeper("journal", "backup", copy, "--journal", kept)
    assert (ran.code, "20 rows" in ran.out) == (0, True)
    assert {path.name for path in tmp_path.glob("copies*")} == {"copies.db"}
    exports = [wavekeeper("journal", "export", "--journal", path).out for path in (kept, copy)]
    assert exports[0] == exports[1]


def test_a_backup_replaces_nothing(wavekeeper: Typed, kept: Path, tmp_path: Path) -> None:
    """A file of that name stays as it was."""
    there = tmp_path / "there.db"
    there.write_bytes(b"precious")
    ran = wavekeeper("journal", "backup", there, "--journal", kept)
    assert (ran.code, "is there already" in ran.err, there.read_bytes()) == (1, True, b"precious")


def test_a_backup_without_a_folder(wavekeeper: Typed, kept: Path, tmp_path: Path) -> None:
    """Said in a sentence."""
    ran = wavekeeper("journal", "backup", tmp_path / "no" / "where.db", "--journal", kept)
    assert (ran.code, "can't be made" in ran.err, "Traceback" in ran.err) == (1, True, False)


def test_an_export_is_json_lines(wavekeeper: Typed, kept: Path) -> None:
    """Each decision a line, machines by name too, times as ISO 8601, and no signed URL."""
    ran = wavekeeper("journal", "export", "--journal", kept)
    lines = [orjson.loads(row) for row in ran.out.splitlines()]
    assert [row["seq"] for row in lines] == list(range(1, 21))
    granted, intended = lines[3]["events"]
    assert granted == {"event": "Granted", "machine": 0, "name": "a1", "broken": False, "restarts": True}
    assert (intended["event"], intended["not_after"]) == ("Intended", "2026-11-22T01:01:00+00:00")
    assert lines[5]["events"][0]["status_url"].endswith("2873d711-1b4b-4a9f-b721-99a9328adb1d")
    assert "&s=" not in ran.out


def test_an_export_of_one_rollout(wavekeeper: Typed, kept: Path) -> None:
    """Its decisions only."""
    ran = wavekeeper("journal", "export", "--journal", kept, "--rollout", lines_of := "monthly-20261122-0100")
    assert len(ran.out.splitlines()) == 20
    assert lines_of in ran.out
    assert wavekeeper("journal", "export", "--journal", kept, "--rollout", "other").out == ""


# Upgrade and restore


def test_an_upgrade_keeps_what_was(wavekeeper: Typed, kept: Path) -> None:
    """The old file stays beside it, byte for byte as far as its rows go; a second time there is nothing to do."""
    before = wavekeeper("journal", "export", "--journal", kept).out
    ran = wavekeeper("journal", "upgrade", "--journal", kept)
    assert (ran.code, "kept.db.before-upgrade" in ran.out.replace("\n", "")) == (0, True)
    old = kept.with_name("kept.db.before-upgrade")
    assert [wavekeeper("journal", "export", "--journal", path).out for path in (kept, old)] == [before] * 2
    assert wavekeeper("journal", "verify", "--journal", kept).code == 0
    assert "already" in wavekeeper("journal", "upgrade", "--journal", kept).out


def test_a_backup_is_not_written_before_it_is_restored(wavekeeper: Typed, kept: Path, tmp_path: Path) -> None:
    """A verb on it is refused with the command that restores it; restored, its rollouts begin nothing any more."""
    wavekeeper("journal", "upgrade", "--journal", kept)
    copy, new = tmp_path / "copy.db", tmp_path / "new.db"
    wavekeeper("journal", "backup", copy, "--journal", kept)
    refused = wavekeeper("pause", "--journal", copy, "--reason", "look")
    assert (refused.code != 0, "wavekeeper journal restore" in refused.err.replace("\n", " ")) == (True, True)
    ran = wavekeeper("journal", "restore", copy, "--journal", new)
    assert (ran.code, "monthly-20261122-0100 was ended" in ran.out) == (0, True)
    told = wavekeeper("status", "--journal", new, "--json").json()
    assert told["headline"].startswith("Aborted by ")
    assert [machine["state"] for machine in told["half_done"]] == ["running", "running"]
    again = wavekeeper("journal", "restore", copy, "--journal", new)
    assert (again.code, "is there already" in again.err.replace("\n", " ")) == (1, True)
