"""Journals that released versions wrote are read by this one, and what they left half done is gone on with.

`tests/data/journals` has one file a version, never written anew: each was left by a process that died with two
machines' operations under way.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.executor.log import Log, replay
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus
from orchestrator.store.sqlite import SqliteJournal

FOLDER = Path(__file__).parents[1] / "data" / "journals"
VERSIONS = sorted(path.name.removesuffix(".db.gz") for path in FOLDER.glob("*.db.gz"))
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FIRST_FORM = {"0.1.0"}  # the versions whose file's form is older than the present one


def unpacked(version: str, folder: Path) -> Path:
    """The file as that version left it."""
    path = folder / "journal.db"
    path.write_bytes(gzip.decompress((FOLDER / f"{version}.db.gz").read_bytes()))
    return path


def test_there_are_golden_journals() -> None:
    """A folder that moved would make the others pass by having nothing to do."""
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_journal_of_a_released_version_is_gone_on_with(version: str, tmp_path: Path) -> None:
    """Who is done, who is under way and where they are followed; then, once it is upgraded, the next facts, and a replay of both."""
    journal = await SqliteJournal.open(unpacked(version, tmp_path))
    scope = await replay(journal)
    rows = [row async for row in journal.read()]
    assert await journal.upgrade("grace", NOW) is (version in FIRST_FORM)
    assert [row async for row in journal.read()] == rows
    (rollout,) = scope.rollouts.values()
    assert rollout.counts[MachineStatus.DONE] == 2
    running = [i for i, run in enumerate(rollout.machines) if run.status is MachineStatus.RUNNING]
    assert len(running) == 2
    urls = [rollout.machines[machine].status_url for machine in running]
    assert [("/operations/" in url, len(url) > 3_000, url.endswith("&monitor=true")) for url in urls] == [
        (True, True, False)
    ] * 2
    await journal.acquire("grace", rollout.started_at)
    log = Log(scope, journal)
    for machine in running:
        facts = (e.ChangeEnded(machine, changed=True, passing=False, detail="ok"),)
        _, commit = log.record(rollout.id, facts, scope.last or rollout.started_at)
        await commit
    again = await replay(journal)
    assert again.rollouts == scope.rollouts
    await journal.close()


@pytest.mark.parametrize("version", sorted(FIRST_FORM))
async def test_a_journal_of_an_older_form_is_not_written_before_somebody_said_so(
    version: str, tmp_path: Path
) -> None:
    """It is looked at as it is; the message names the command; and nobody holds the lock after that."""
    journal = await SqliteJournal.open(unpacked(version, tmp_path))
    with pytest.raises(
        JournalError, match=r"made by an older Wavekeeper \(format 1, .* wavekeeper journal upgrade"
    ):
        await journal.acquire("grace", NOW)
    assert await journal.writer() is None
    await journal.close()
