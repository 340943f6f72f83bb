"""`wavekeeper journal archive`, and what the other commands say of what went."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.simulation.test_archiving import played
from tests.unit.cli.conftest import Typed
from tests.virtual import virtual


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A journal of a rollout that was aborted with a1 unhealthy, one that ended well, and one that stopped."""

    @virtual
    async def go() -> Path:
        return (await played(tmp_path)).path or tmp_path

    return go()


def test_what_may_go_has_to_be_said(wavekeeper: Typed, kept: Path) -> None:
    """Nobody archives everything by forgetting an option."""
    ran = wavekeeper("journal", "archive", "--journal", kept)
    assert (ran.code, "--older-than 90d, or --keep-last 100, or both" in ran.err) == (1, True)
    ran = wavekeeper("journal", "archive", "--journal", kept, "--older-than", "soon")
    assert (ran.code, "--older-than soon: " in ran.err) == (1, True)


def test_what_is_over_goes_beside_the_journal_and_is_told(wavekeeper: Typed, kept: Path) -> None:
    """Which rollouts, how many rows, and who is still counted here; both files are sound, and nothing is lost."""
    before = _rows(wavekeeper, kept)
    ran = wavekeeper("journal", "archive", "--journal", kept, "--older-than", "1h")
    archive = kept.with_name("journal.archive-0001.db")
    assert ran.code == 0
    assert f"{archive}: 2 rollouts, 22 rows" in ran.out.replace("\n", "")
    assert "a1 of first-20261122-0100, unhealthy" in ran.out
    for path in (kept, archive):
        assert wavekeeper("journal", "verify", "--journal", path).code == 0
    told = orjson.loads(wavekeeper("journal", "verify", "--journal", kept, "--json").out)
    assert (told["archived_rows"], told["archives"]) == (22, [str(archive)])
    left = [row for row in _rows(wavekeeper, kept) if row["rollout"]]
    assert sorted([*left, *_rows(wavekeeper, archive)], key=lambda row: row["seq"]) == before
    assert wavekeeper("journal", "archive", "--journal", kept, "--older-than", "1h").code == 3


def test_status_says_where_it_went_and_who_is_still_out(wavekeeper: Typed, kept: Path) -> None:
    """By the rollout's name and by the machine's; a person writes the machine off, and the archive tells the rest."""
    wavekeeper("journal", "archive", "--journal", kept, "--keep-last", 0, "--to", kept.with_name("old.db"))
    for name in ("first", "a1"):
        told = wavekeeper("status", name, "--journal", kept).out.replace("\n", " ")
        assert "first-20261122-0100 is aborted since 2026-11-22 03:20 UTC: because; 1 of 2 done." in told
        assert "wavekeeper write-off a1 --reason" in told
        assert f"--journal {kept.with_name('old.db')}" in told
    ran = wavekeeper("write-off", "a1", "--reason", "dead", "--journal", kept)
    assert "a1: written off by" in ran.out
    assert "write-off a1" not in wavekeeper("status", "first", "--journal", kept).out
    whole = wavekeeper("status", "second", "--journal", kept.with_name("old.db")).out
    assert "Finished: 1 of 1 done." in whole
    ran = wavekeeper("pause", "--reason", "x", "--journal", kept.with_name("old.db"))
    assert (ran.code, "is an archive of" in ran.err) == (1, True)


def _rows(wavekeeper: Typed, path: Path) -> list[dict[str, object]]:
    return [orjson.loads(row) for row in wavekeeper("journal", "export", "--journal", path).out.splitlines()]
