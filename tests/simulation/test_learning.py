"""What a journal tells of durations while a rollout still writes to it: a real file of SQLite, read beside its writer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.planner.durations import ENOUGH, learn
from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.history import History, history
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.wiring.rollout import Running
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import Stage, script, virtual


async def read(path: Path) -> History:
    """As somebody else's `--learn-from` reads it: never as its writer."""
    journal = await SqliteJournal.read_only(path, inline=True)
    try:
        return await history(journal)
    finally:
        await journal.close()


@virtual
async def test_a_journal_is_learned_from_while_a_rollout_writes_to_it(tmp_path: Path) -> None:
    """Each look finds what has ended until then, and no more; the writer isn't held up, and what is learned at last is all of it."""
    path = tmp_path / "journal.db"
    stage = Stage.of(await script(twins(16), CAMPAIGN), path=path)
    looks: list[History] = []

    async def look_now_and_then(running: Running) -> None:
        while not running.rollout.over:
            looks.append(await read(path))
            await asyncio.sleep(601)

    rollout = await stage.run(meanwhile=look_now_and_then)

    whole = await read(path)
    found = [len(look.samples) for look in looks]
    assert rollout.status is RolloutStatus.FINISHED
    assert found[0] == 0
    assert found == sorted(found)
    assert len({*found}) > ENOUGH // 4
    assert all(look.samples == whole.samples[: len(look.samples)] for look in looks)
    assert len(whole.samples) == 32
    before_its_end = next(look for look in looks if ENOUGH <= len(look.samples) < len(whole.samples))
    assert learn(before_its_end.samples).known.keys() == learn(whole.samples).known.keys()
    stage.judge(complete=True)
