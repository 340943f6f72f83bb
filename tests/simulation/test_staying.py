"""A scope whose process stays: it waits while there is nothing to drive, answers letters all the same, and keeps nothing of what is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from orchestrator.errors import Refused
from orchestrator.hosts.resting import Pace
from orchestrator.rollout.letters import dump, make
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.follow import Follower
from orchestrator.service.verbs import carry_out
from orchestrator.store.memory import Crashed, MemoryJournal
from orchestrator.store.port import Letter
from orchestrator.wiring.rollout import ScopeHost, open_scope, prepare, read_plan
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import Stage, script, virtual


@contextlib.asynccontextmanager
async def staying(stage: Stage) -> AsyncIterator[ScopeHost]:
    """A process that stays, while it is entered."""
    journal, made = await stage.journal(), stage.services()
    await journal.acquire("ada", stage.clock.now())
    house = await open_scope(journal, made, pace=Pace(inbox_every_s=10), stay=True)
    running = asyncio.create_task(house.run())
    try:
        yield house
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await made.views.close()
        await made.cloud.close()
        await journal.close()


async def hand_over(stage: Stage, plan: bytes, follower: Follower) -> None:
    """Ask for a plan as another terminal does."""
    given = await prepare(read_plan(plan), stage.services(), who="grace", live=stage.script.fleet)
    assert await follower.hand_over(given, stage.clock.now()) is not None


@virtual
async def test_plans_come_and_go_and_it_stays() -> None:
    """One after the other; of those that are over no host is kept, and their end is remembered."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    other = await script(twins(), CAMPAIGN.replace("name: monthly", "name: weekly"))
    async with staying(stage) as house:
        follower = Follower(MemoryJournal(stage.disk))
        for plan in (stage.script.plan, other.plan):
            await hand_over(stage, plan, follower)
            assert len(house.hosts) == 1
            await stage.clock.sleep(24 * 3600)
            assert house.hosts == {}
        assert {one.status for one in house.log.scope.ended.values()} == {RolloutStatus.FINISHED}
        assert len(house.log.scope.ended) == 2


@virtual
async def test_letters_are_answered_while_nothing_is_driven() -> None:
    """What can't be carried out is refused with a reason; nobody waits for an answer for ever."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    async with staying(stage):
        follower = Follower(MemoryJournal(stage.disk))
        bad = await prepare(
            read_plan(stage.script.plan), stage.services(), who="grace", endpoint="http://elsewhere"
        )
        with pytest.raises(Refused, match="works on another cloud"):
            await follower.hand_over(bad, stage.clock.now())
        await hand_over(stage, stage.script.plan, follower)


@virtual
async def test_one_that_is_paused_is_kept_and_can_be_resumed() -> None:
    """It rests, and the process that stays goes on to listen for it."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    async with staying(stage) as house:
        follower = Follower(MemoryJournal(stage.disk))
        await hand_over(stage, stage.script.plan, follower)
        (name,) = house.hosts
        for verb in ("pause", "resume"):
            journal = MemoryJournal(stage.disk)
            word = make(verb, rollout=name, who="grace", reason="looking")
            await carry_out(journal, word, stage.clock.now(), "grace")
            await stage.clock.sleep(24 * 3600)
            assert bool(house.hosts) == (verb == "pause")
        assert house.log.scope.ended[name].status is RolloutStatus.FINISHED


@virtual
async def test_an_update_is_blocked_while_nothing_is_driven() -> None:
    """What is about no rollout needs none."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    async with staying(stage) as house:
        word = make("block", kb="5087423", who="grace", reason="boot loops")
        await carry_out(MemoryJournal(stage.disk), word, stage.clock.now(), "grace")
        assert set(house.log.scope.blocked) == {"5087423"}


@virtual
async def test_what_has_been_over_for_long_goes_into_an_archive_while_it_stays() -> None:
    """Its end, and the moment of a schedule that it was opened for, are known all the same."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    async with staying(stage) as house:
        await hand_over(stage, stage.script.plan, Follower(MemoryJournal(stage.disk)))
        with pytest.raises(Refused, match="none has been over for long enough"):
            await house.archive(Retention(timedelta(days=7)), lambda number: f"archive-{number}")
        await stage.clock.sleep(9 * 24 * 3600)
        went = await house.archive(Retention(timedelta(days=7)), lambda number: f"archive-{number}")
        assert went.archive == "archive-1"
        (ended,) = house.log.scope.ended.values()
        assert ended.archive == "archive-1"


@virtual
async def test_a_journal_that_fails_ends_it_while_nothing_is_driven() -> None:
    """Whoever sent the letter would wait for an answer that nobody has written down."""
    stage = Stage.of(await script(twins(), CAMPAIGN))
    await MemoryJournal(stage.disk).post(
        Letter(
            "l1", stage.clock.now(), "grace", dump(make("block", kb="5087423", who="grace", reason="loops"))
        )
    )
    journal, made = await stage.journal(crash_at=1), stage.services()
    await journal.acquire("ada", stage.clock.now())
    house = await open_scope(journal, made, pace=Pace(inbox_every_s=10), stay=True)
    with pytest.raises(Crashed):
        await asyncio.wait_for(house.run(), 3600)
