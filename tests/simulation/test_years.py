"""A process that runs for years holds what goes on and what it must remember, and nothing of what is over."""

from __future__ import annotations

import gc
from collections import Counter
from itertools import pairwise

from orchestrator.executor.log import replay
from orchestrator.hosts.local import LocalHost
from orchestrator.rollout.agenda import Agenda
from orchestrator.rollout.ended import known
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.snapshot import dump
from orchestrator.rollout.state import Ended, Rollout, RolloutStatus
from orchestrator.service.journal import check
from orchestrator.store.memory import MemoryJournal
from orchestrator.wiring.rollout import Running
from tests.diary import assert_same_state
from tests.virtual import virtual
from tests.years import Years

COUNT = 45
KEPT = 5
EVERY = 10

LIVE = (Rollout, Planned, LocalHost, Agenda)


def alive() -> Counter[type]:
    """How many there are in this process of what a rollout holds."""
    gc.collect()
    return Counter(type(one) for one in gc.get_objects() if isinstance(one, LIVE))


@virtual
async def test_what_is_over_is_held_by_nobody() -> None:
    """However many there were: one that goes on, and one that is about to be let go."""
    years = await Years.of()
    seen: list[Counter[type]] = []
    sizes: list[int] = []
    before = alive()

    async def look(running: Running, number: int) -> None:
        if number % EVERY == 0:
            seen.append(alive() - before)
            sizes.append(len(dump(running.scope)))

    running = await years.run(COUNT, look)
    assert [max(found.values()) for found in seen] == [max(found.values()) for found in seen[:1]] * len(seen)
    assert max(seen[-1].values()) <= 4
    assert len(known(running.scope)) == COUNT + 1
    grown = [after - earlier for earlier, after in pairwise(sizes)]
    assert max(grown) < EVERY * 700, "bytes that a rollout leaves in the state"
    scope = await replay(MemoryJournal(years.stage.disk), whole=True)
    assert {type(one) for one in known(scope)} == {Ended}
    assert {one.status for one in known(scope)[1:]} == {RolloutStatus.FINISHED}


@virtual
async def test_with_archives_the_journal_stays_as_small() -> None:
    """Rows, plans and letters are those of the rollouts that are kept, and a start reads no others."""
    years = await Years.of()
    years.keep_last, years.archive_every = KEPT, EVERY
    rows: list[int] = []

    async def look(_: Running, number: int) -> None:
        if number % EVERY == EVERY - 1:
            scope = years.stage.disk.scopes["default"]
            rows.append(len(scope.rows))
            assert len(years.stage.disk.documents) <= KEPT + EVERY + 2
            assert len(scope.letters) <= 2 * (KEPT + EVERY + 2)
            assert not any(letter.command for letter in scope.letters.values())

    await years.run(COUNT, look)
    assert max(rows[1:]) <= rows[1] + EVERY
    disk = years.stage.disk
    journal = MemoryJournal(disk)
    found = await check(journal)
    assert found.problems == ()
    assert len(years.archives) == len(disk.archives) == COUNT // EVERY
    assert found.went == sum(len(one.scopes["default"].rows) for one in disk.archives.values())
    whole = await replay(journal, whole=True)
    assert len(known(whole)) == COUNT + 1
    assert_same_state(await replay(journal), whole)
