"""Always: what is read from a snapshot and the rows after it is what is read from all rows, wherever the snapshot was taken."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.executor.log import Log, read_on, replay
from orchestrator.planner.document import digest, parse
from orchestrator.planner.document import dump as dump_plan
from orchestrator.rollout import events as e
from orchestrator.rollout.decide import decide
from orchestrator.rollout.messages import Start
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.snapshot import FORM, dump, load
from orchestrator.rollout.state import Scope
from orchestrator.store.memory import MemoryJournal
from orchestrator.store.sqlite import SqliteJournal
from tests.builders import NOON, lane, plan_of
from tests.diary import assert_same_state
from tests.simulation.reference import reference
from tests.simulation.test_replanning import OFF, PATIENT, joined
from tests.virtual import Stage, virtual

PLAN = plan_of(lane("west", "a", "b"))
FILE = dump_plan(PLAN)
FAULTS = "  - unhealthy: {machines: [b2]}"


async def _played(**parts: Any) -> MemoryJournal:
    """A journal of the reference rollout, with what `parts` puts in its way."""
    stage = Stage.of(await reference(), **parts)
    await stage.run()
    return MemoryJournal(stage.disk)


async def _state_after(journal: MemoryJournal, seq: int) -> Scope:
    scope = Scope()
    async for decided in read_on(scope, journal):
        if decided.seq == seq:
            break
    return scope


@pytest.mark.parametrize("faults", ["", FAULTS])
@virtual
async def test_any_cut_makes_the_same_state(faults: str) -> None:
    """At the cut, and at the end, after the rows that follow it."""
    assert await _cut_everywhere(await _played(faults=faults)) > 20


@virtual
async def test_any_cut_of_a_rollout_that_was_planned_anew_makes_the_same_state() -> None:
    """Its waves are those that it goes by, and its plan is the one that was reviewed."""
    stage = Stage.of(await joined(), OFF, pace=PATIENT)
    rollout = await stage.run()
    assert rollout.planned is not rollout.reviewed
    assert await _cut_everywhere(MemoryJournal(stage.disk)) > 20


async def _cut_everywhere(journal: MemoryJournal) -> int:
    """Hold what is read from a snapshot after each row to what is read from all rows."""
    whole = await replay(journal, whole=True)
    (text,) = {digest(text): text for text in journal._disk.documents.values() if b'"lanes"' in text}.values()
    planned = index_plan(parse(text, "plan"))
    for seq in range(1, whole.seq + 1):
        cut = await _state_after(journal, seq)
        again = load(orjson.loads(dump(cut)), dict.fromkeys(cut.rollouts, planned))
        assert_same_state(again, cut)
        async for _ in read_on(again, journal):
            pass
        assert_same_state(again, whole)
    return whole.seq


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE snapshots SET body = x'00'",
        "UPDATE snapshots SET form = 1",
        "UPDATE snapshots SET seal = seal + 1",
    ],
)
async def test_a_snapshot_that_does_not_fit_is_told_and_passed_over(
    spoil: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Damaged, of another version, or of another log: every row is read, and the state is right."""
    path = tmp_path / "journal.db"
    journal = await SqliteJournal.open(path, inline=True)
    await journal.acquire("ada", NOON)
    log = Log(Scope(), journal, snapshot_every=2)
    start = Start("r1", index_plan(PLAN), digest(FILE), "ada", "")
    log.record(
        "r1", decide(log.scope, start, NOON), NOON, planned=start.planned, documents={digest(FILE): FILE}
    )
    for facts in ((e.Prepared(()), e.StageOpened(0)), (e.WaveOpened(0, 0),), (e.Granted(0),)):
        log.record("r1", facts, NOON)
    await log.settled()
    kept = await journal.snapshot()
    assert kept is not None
    assert (kept.seq, kept.form, kept.fault) == (4, FORM, "")
    assert_same_state(await replay(journal), log.scope)
    assert caplog.records == []
    await journal.close()
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute(spoil)
    journal = await SqliteJournal.open(path, inline=True)
    with caplog.at_level(logging.WARNING):
        assert_same_state(await replay(journal), log.scope)
    assert ["isn't used" in record.getMessage() for record in caplog.records] == [True]
    await journal.close()
