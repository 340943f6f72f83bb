"""Rollouts that are over go into an archive: nothing is lost, nothing doubled, and whom they left out stays counted."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Refused
from orchestrator.executor import plans
from orchestrator.executor.archive import archive
from orchestrator.executor.log import Log, replay
from orchestrator.rollout import events as e
from orchestrator.rollout.ended import known
from orchestrator.rollout.letters import ArchiveOrder
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.snapshot import FORM, dump
from orchestrator.rollout.state import MachineStatus, RolloutStatus
from orchestrator.service.asking import ask_writer
from orchestrator.service.history import history
from orchestrator.service.journal import check, export, move_to_archive
from orchestrator.service.look import look, look_for
from orchestrator.service.status import archived_status, status
from orchestrator.service.story import story_from
from orchestrator.service.verbs import archived_rollout, carry_out, command, left_by_archived
from orchestrator.store.memory import Crashed, MemoryJournal
from orchestrator.store.port import Journal, Snapshot
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.wiring.rollout import Running
from tests.diary import assert_same_state
from tests.fakes.journals import MortalJournal
from tests.fleet import vm_id
from tests.simulation.test_commands import WHO, WHY, ask
from tests.simulation.test_several import LISTENING, judge, part
from tests.virtual import Stage, virtual

ALL = Retention()


async def played(folder: Path | None = None) -> Stage:
    """A journal of a rollout that was aborted with a1 unhealthy, one that ended well, and one that stopped with b3 unhealthy."""
    first, second = await part("a1", "b1", called="first"), await part("b2", called="second")
    path = None if folder is None else folder / "journal.db"
    stage = Stage.of(first, "- stays_out: {machines: [a1, b3], recovers_after: 90d}", path=path)
    await stage.run()
    await _ask(stage, "abort")
    for script in (second, await part("a3", "b3", called="third")):
        await stage.clock.sleep(timedelta(days=1).total_seconds())
        stage.script = script
        await stage.run()
    return stage


async def _ask(stage: Stage, verb: str, name: str | None = None) -> tuple[e.Event, ...]:
    journal = await stage.journal()
    try:
        wanted = command(await look_for(journal, name), verb, name, WHO, WHY)
        return await carry_out(journal, wanted, stage.clock.now(), WHO)
    finally:
        await journal.close()


def name_of(stage: Stage, number: int = 1) -> str:
    """Where an archive goes."""
    return f"archive-{number}" if stage.path is None else str(stage.path.with_name(f"archive-{number}.db"))


async def opened(stage: Stage, name: str) -> Journal:
    """An archive, to be looked at."""
    if stage.path is None:
        return MemoryJournal(stage.disk.archives[name])
    return await SqliteJournal.read_only(Path(name), inline=True)


async def exported(*journals: Journal) -> list[dict[str, Any]]:
    """Every decision of these, in order of their numbers, without those that tell of archives."""
    rows = [row for journal in journals async for row in export(journal) if row["rollout"]]
    return sorted(rows, key=lambda row: row["seq"])


@pytest.fixture(params=["memory", "sqlite"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the journal is kept; None: in memory."""
    return tmp_path if request.param == "sqlite" else None


@virtual
async def test_both_forms_of_a_plan_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large plan's packed form lies beside its file, in the journal as in the archive."""
    monkeypatch.setattr(plans, "LARGE", 1)
    stage = await played(None)
    packed = {name for name in stage.disk.documents if name.endswith(".packed")}
    await move_to_archive(await stage.journal(), ALL, name_of(stage), WHO, stage.clock.now())
    staying = {name for name in stage.disk.documents if name.endswith(".packed")}
    assert (len(packed), len(staying)) == (3, 1)
    assert {name.removesuffix(".packed") for name in staying} <= set(stage.disk.documents)
    assert_same_state(await replay(await stage.journal()), await replay(await stage.journal(), whole=True))


def test_what_is_over_goes_and_what_it_left_open_stays_counted(folder: Path | None) -> None:
    """The state is as before: which machines are out, whose they are, and how every other rollout stands."""

    @virtual
    async def go() -> None:
        stage = await played(folder)
        journal = await stage.journal()
        before, rows = await look(journal), await exported(journal)
        fact, _ = await move_to_archive(journal, ALL, name_of(stage), WHO, stage.clock.now())
        assert [(one.name, one.status) for one in fact.rollouts] == [
            ("first", RolloutStatus.ABORTED),
            ("second", RolloutStatus.FINISHED),
        ]
        after = await replay(journal, whole=True)
        assert (after.ledger.grants, after.ledger.others) == (before.ledger.grants, before.ledger.others)
        assert after.ledger.budgets() == before.ledger.budgets()
        third = known(before)[-1].id
        assert after.rollouts == {third: before.rollouts[third]}
        assert_same_state(after, await replay(journal))  # the snapshot that was kept after it
        kept = await opened(stage, name_of(stage))
        assert await exported(journal, kept) == rows
        assert {row["rollout"] for row in await exported(journal)} == {third}
        for sound in (await check(journal), await check(kept, in_archive=True)):
            assert sound.problems == ()
        assert (await check(journal)).went == fact.rows
        await journal.close()
        await kept.close()

    go()


@virtual
async def test_an_archive_is_read_like_a_journal() -> None:
    """By whoever asks for a rollout, for its story, or for how long changes take; the journal says where it went."""
    stage = await played()
    journal = await stage.journal()
    learned = await history(journal)
    fact, _ = await move_to_archive(journal, ALL, name_of(stage), WHO, stage.clock.now())
    kept = await opened(stage, fact.archive)
    scope = await look_for(kept, "second")
    rollout = scope.rollouts[fact.rollouts[1].id]
    assert status(scope, rollout, stage.clock.now()).headline == "Finished: 1 of 1 done."
    told = [one async for one in story_from(kept, scope.rollouts[rollout.id])]
    assert told[-1].sentence.endswith("finished")
    assert sorted((*(await history(kept)).samples, *(await history(journal)).samples)) == sorted(
        learned.samples
    )
    assert (await history(kept, learned.told)).samples == ()
    here = await look(journal)
    ended = archived_rollout(here, "first")
    assert ended is not None
    told = archived_status(here, ended)
    assert told[0].startswith(f"{ended.id} is aborted since 2026-11-22")
    assert "a1 is unhealthy: not well within" in told[1]
    assert told[-1].endswith(f"wavekeeper status {ended.id} --journal archive-1")


@virtual
async def test_a_person_writes_off_whom_an_archived_rollout_left_out() -> None:
    """And can do nothing else to it. Then nobody counts the machine any more, after a replay either."""
    stage = await played()
    await move_to_archive(await stage.journal(), ALL, name_of(stage), WHO, stage.clock.now())
    with pytest.raises(
        Refused, match=r"is aborted since .*; of those it left out \(a1\) you may write off each"
    ):
        await ask(stage, "skip", "a1")
    await ask(stage, "write-off", "a1")
    scope = await replay(MemoryJournal(stage.disk), whole=True)
    assert not scope.ledger.is_out(vm_id("a1"))
    assert left_by_archived(scope, "a1") is None
    assert (await check(MemoryJournal(stage.disk))).problems == ()


@virtual
async def test_a_rollout_after_it_counts_who_is_out_and_gives_back_who_is_well() -> None:
    """A machine that an archived rollout left out takes its place in budgets until anybody sees it well."""
    stage = await played()
    await _ask(stage, "abort", "third")
    await _ask(stage, "write-off", "b3")
    await move_to_archive(await stage.journal(), ALL, name_of(stage), WHO, stage.clock.now())
    stage.script = await part("a2", called="fourth")
    stage.pace = replace(stage.pace, patience=timedelta(hours=1))
    rollout = await stage.run()
    assert rollout.counts[MachineStatus.PENDING] == 1, "its set has room for one, and a1 is out"
    await _ask(stage, "abort")
    await stage.clock.sleep(timedelta(days=91).total_seconds())
    stage.script = await part("a2", called="fifth")
    rollout = await stage.run()
    assert rollout.counts[MachineStatus.DONE] == 1
    scope = await replay(MemoryJournal(stage.disk), whole=True)
    assert (scope.ledger.grants, scope.ledger.others) == ({}, {})
    fact, _ = await move_to_archive(await stage.journal(), ALL, name_of(stage, 2), WHO, stage.clock.now())
    assert [one.name for one in fact.rollouts] == ["fourth", "fifth"]
    assert (await check(MemoryJournal(stage.disk))).problems == ()


@pytest.mark.parametrize("durable", [False, True])
def test_a_death_in_the_middle_loses_nothing_and_doubles_nothing(durable: bool, folder: Path | None) -> None:
    """The archive is made and the rows are here still, or they went. The next one makes it good."""

    @virtual
    async def go() -> None:
        stage = await played(folder)
        journal = await stage.journal()
        rows = await exported(journal)
        await journal.acquire(WHO, stage.clock.now())
        mortal = MortalJournal(journal, crash_at=1, durable=durable)
        log = Log(await replay(mortal), mortal)
        with contextlib.suppress(Crashed):
            await archive(log, ALL, lambda _: name_of(stage), stage.clock.now)
        await journal.close()
        journal = await stage.journal()
        kept = await opened(stage, name_of(stage))
        if durable:
            assert await exported(journal, kept) == rows
            with pytest.raises(
                Refused, match="no rollout may be archived: none has been over for long enough"
            ):
                await move_to_archive(journal, ALL, name_of(stage), WHO, stage.clock.now())
        else:
            assert await exported(journal) == rows
            await kept.close()
            await move_to_archive(journal, ALL, name_of(stage), WHO, stage.clock.now())
            kept = await opened(stage, name_of(stage))
            assert await exported(journal, kept) == rows
        assert (await check(journal)).problems == ()
        await journal.close()
        await kept.close()

    go()


@virtual
async def test_the_process_that_writes_does_it_while_its_rollouts_go_on() -> None:
    """Asked by letter; what it has in hand stays, and goes on as if nothing were."""
    stage = await played()
    await _ask(stage, "abort", "third")
    await _ask(stage, "write-off", "b3")
    await stage.clock.sleep(timedelta(days=91).total_seconds())  # a1 and b3 are well by then
    await _ask(stage, "write-off", "a1")
    stage.script, stage.pace = await part("a4", "b4", called="fourth"), LISTENING
    went: list[str] = []

    async def other(_: Running) -> None:
        await stage.clock.sleep(300)
        order = ArchiveOrder(WHO, ALL, name_of(stage))
        facts = await ask_writer(MemoryJournal(stage.disk), order, stage.clock.now())
        assert facts is not None
        went.extend(one.name for fact in facts if isinstance(fact, e.Archived) for one in fact.rollouts)
        with pytest.raises(Refused, match="none has been over for long enough"):
            await ask_writer(MemoryJournal(stage.disk), order, stage.clock.now())

    rollout = await stage.run(meanwhile=other)
    assert went == ["first", "second", "third"]
    assert rollout.counts[MachineStatus.DONE] == 2
    judge(stage, stage.script)
    assert (await check(MemoryJournal(stage.disk))).problems == ()


@virtual
async def test_a_snapshot_of_before_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """It may be kept by a hair after the rows went, and name a plan that went with them."""
    stage = await played()
    journal = await stage.journal()
    await journal.acquire(WHO, stage.clock.now())
    scope = await replay(journal)
    old = Snapshot(scope.seq, FORM, dump(scope))
    await journal.release()
    await move_to_archive(journal, ALL, name_of(stage), WHO, stage.clock.now())
    await journal.acquire(WHO, stage.clock.now())
    await journal.keep(old)
    with caplog.at_level(logging.WARNING):
        assert_same_state(await replay(journal), await replay(journal, whole=True))
    assert ["isn't used" in record.getMessage() for record in caplog.records] == [True]
