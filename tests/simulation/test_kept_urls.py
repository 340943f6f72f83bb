"""Signed URLs are in the journal as long as their operation is followed: to the byte, and no longer."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.executor.log import replay
from orchestrator.rollout.state import MachineStatus
from orchestrator.store.memory import Crashed
from tests.simulation.reference import reference
from tests.virtual import Stage, statuses, virtual


async def _stopped_in_flight(path: Path | None = None) -> Stage:
    """The reference rollout over the SDK's codec, dead with both canaries' operations begun."""
    stage = Stage.of(await reference(), sdk=True, path=path)
    with contextlib.suppress(Crashed):
        await stage.run(crash_at=7, durable=True)
    return stage


@virtual
async def test_what_is_followed_after_a_crash_is_the_same_url_to_the_byte() -> None:
    """The state of a replay has the URLs that the cloud gave, though no row has them."""
    stage = await _stopped_in_flight()
    scope = await replay(await stage.journal())
    (rollout,) = scope.rollouts.values()
    followed = {run.status_url for run in rollout.machines if run.status is MachineStatus.RUNNING}
    assert len(followed) == 2
    for url in followed:
        place, _, query = url.partition("?")
        operation = stage.world.find_operation(place.rsplit("/", 1)[-1])
        assert operation is not None
        assert query == stage.world.signer.query(operation, monitor=False)
    assert all(b"&s=" not in row.body for row in stage.disk.scopes["default"].rows)


@virtual
async def test_nothing_of_an_operation_is_kept_once_it_ended() -> None:
    """Of a rollout that is finished the plan is left, and no URL."""
    stage = await _stopped_in_flight()
    assert len(stage.disk.documents) == 3
    rollout = await stage.run()
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}
    assert set(stage.disk.documents) == {rollout.digest}


@virtual
async def test_a_lost_url_is_named_and_not_guessed() -> None:
    """The journal refuses to start."""
    stage = await _stopped_in_flight()
    lost = next(d for d in stage.disk.documents if len(d) == 24)
    del stage.disk.documents[lost]
    with pytest.raises(JournalError, match=lost):
        await replay(await stage.journal())


@virtual
async def test_a_changed_url_is_named() -> None:
    """The digest in the row is the one of what was kept."""
    stage = await _stopped_in_flight()
    changed = next(d for d in stage.disk.documents if len(d) == 24)
    stage.disk.documents[changed] = stage.disk.documents[changed].replace(b"&s=", b"&s=x")
    with pytest.raises(JournalError, match=f"{changed} is not what was kept"):
        await replay(await stage.journal())


def test_the_file_of_a_finished_rollout_has_no_url(tmp_path: Path) -> None:
    """In SQLite the rows are gone too."""
    path = tmp_path / "journal.db"

    @virtual
    async def play() -> None:
        stage = await _stopped_in_flight(path)
        await stage.run()

    play()
    with contextlib.closing(sqlite3.connect(path)) as sql:
        assert sql.execute("SELECT count(*) FROM documents").fetchone() == (1,)
