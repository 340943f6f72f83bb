"""The state of a scope and its journal, in step."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.errors import Defect, JournalError, StaleLease
from orchestrator.executor.log import Log, replay
from orchestrator.planner.document import digest, dump
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import RolloutStatus, Scope
from orchestrator.store.memory import MemoryJournal
from tests.builders import NOON, lane, plan_of
from tests.diary import assert_same_state

PLAN = plan_of(lane("west", "a", "b"))
FILE = dump(PLAN)


async def opened() -> tuple[Log, MemoryJournal]:
    """A scope in which one rollout has begun."""
    journal = MemoryJournal()
    await journal.acquire("ada", NOON)
    log = Log(Scope(), journal)
    planned = index_plan(PLAN)
    facts = decide(log.scope, m.Start("r1", planned, digest(FILE), "ada", "because"), NOON)
    _, commit = log.record("r1", facts, NOON, planned=planned, documents={digest(FILE): FILE})
    await commit
    return log, journal


async def test_what_is_replayed_is_what_was() -> None:
    """From the rows and the plan that lies beside them."""
    log, journal = await opened()
    for facts in ((e.Prepared((1,)), e.StageOpened(0)), (e.WaveOpened(0, 0),), (e.Granted(0),)):
        _, commit = log.record("r1", facts, NOON)
        await commit
    assert_same_state(await replay(journal), log.scope)


async def test_decisions_queue_in_their_order() -> None:
    """None waits for the one before it, and all become durable as they came."""
    log, journal = await opened()
    decided = [
        log.record("r1", facts, NOON) for facts in ((e.Prepared(()), e.StageOpened(0)), (e.WaveOpened(0, 0),))
    ]
    assert [one.seq for one, _ in decided] == [2, 3]
    assert [await commit for _, commit in decided] == [2, 3]
    assert (await replay(journal)).seq == 3


async def test_a_fact_that_cannot_follow_never_reaches_the_journal() -> None:
    """It is a defect now, not at every start from here on."""
    log, journal = await opened()
    with pytest.raises(Defect):
        log.record("r1", (e.Started(0, "https://x"),), NOON)
    assert (await replay(journal)).rollouts["r1"].status is RolloutStatus.STARTING


async def test_a_row_that_nobody_can_read_refuses_to_start() -> None:
    """By its number."""
    _, journal = await opened()
    await journal.append(1, "r1", NOON, b'[["Teleported",1,3]]')
    with pytest.raises(JournalError, match="row 2 holds an event Teleported"):
        await replay(journal)


async def test_listeners_are_told_of_durable_rows_in_order_and_of_no_others() -> None:
    """What failed never happened, and what counted on it neither. Who has left hears nothing any more."""
    log, journal = await opened()
    told: list[tuple[int, int]] = []
    with log.listening(lambda decided: told.append((decided.seq, journal._scope.rows[-1].seq))):
        commits = [
            log.record("r1", facts, NOON)[1]
            for facts in ((e.Prepared(()), e.StageOpened(0)), (e.WaveOpened(0, 0),))
        ]
        assert told == []
        await asyncio.gather(*commits)
        await asyncio.sleep(0)
        assert [seq for seq, _ in told] == [2, 3]
        assert all(durable >= seq for seq, durable in told)
        await journal.release()
        _, failing = log.record("r1", (e.Granted(0),), NOON)
        with pytest.raises(StaleLease):
            await failing
        await asyncio.sleep(0)
    await journal.acquire("ada", NOON)
    assert [seq for seq, _ in told] == [2, 3]


async def test_what_is_not_durable_yet_is_told_to_whoever_begins_to_listen() -> None:
    """The journal that they read at once hasn't got it: else it would be told to them never."""
    log, journal = await opened()
    heard: list[int] = []
    _, commit = log.record("r1", (e.Prepared(()), e.StageOpened(0)), NOON)
    with log.listening(lambda decided: heard.append(decided.seq)):
        assert [row.seq async for row in journal.read(1)] == []
        await commit
        await asyncio.sleep(0)
    assert heard == [2]


async def test_a_listener_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in what counts facts costs nobody an event."""
    log, _ = await opened()
    heard: list[int] = []
    with log.listening(lambda _: 1 / 0), log.listening(lambda decided: heard.append(decided.seq)):
        _, commit = log.record("r1", (e.Prepared(()), e.StageOpened(0)), NOON)
        await commit
        await asyncio.sleep(0)
    assert heard == [2]
    assert "a listener failed on row 2" in caplog.text
