"""What a person may ask of a rollout from any terminal: found, decided here or by letter, written down."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.errors import JournalError, Refused, UsageError
from orchestrator.executor.log import Log
from orchestrator.planner.document import digest, dump
from orchestrator.rollout import events as e
from orchestrator.rollout import letters
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import RolloutStatus, Scope
from orchestrator.service.look import look
from orchestrator.service.story import story_from
from orchestrator.service.verbs import carry_out, command, find, find_machine, find_rollout
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from tests.builders import NOON, lane, plan_of
from tests.diary import Diary
from tests.fleet import arm_id
from tests.virtual import virtual

PLAN = plan_of(lane("west", "a", "b"))
WHO, WHY = "grace", "because"


# Finding ----------------------------------------------------------------------------------------------------


def two() -> tuple[Diary, Scope]:
    """A scope with a rollout that is over and one that runs, of other machines."""
    diary = Diary(PLAN, id="monthly-1")
    diary.abort()
    other = index_plan(plan_of(lane("west", "c"), counted="a"))
    begin(diary.scope, e.RolloutStarted("weekly-1", "other", "ada", ""), other, NOON)
    apply(diary.scope, "weekly-1", e.Prepared(()), NOON)
    return diary, diary.scope


def test_without_a_name_it_is_the_one_that_goes_on() -> None:
    """Else the last."""
    _, scope = two()
    assert find_rollout(scope, None).id == "weekly-1"
    scope.rollouts["weekly-1"].status = RolloutStatus.FINISHED
    assert find_rollout(scope, None).id == "weekly-1"


def test_with_several_going_on_a_name_is_needed() -> None:
    """The message tells which there are."""
    _, scope = two()
    scope.rollouts["monthly-1"].status = RolloutStatus.PAUSED
    with pytest.raises(UsageError, match="several rollouts are going on; say which: monthly-1, weekly-1"):
        find_rollout(scope, None)


def test_a_beginning_of_the_id_is_enough() -> None:
    """As long as it fits one only."""
    _, scope = two()
    assert find_rollout(scope, "mon").id == "monthly-1"
    with pytest.raises(UsageError, match="no rollout begins with x; this journal knows: monthly-1, weekly-1"):
        find_rollout(scope, "x")


def test_an_empty_journal_says_how_to_begin() -> None:
    """Nothing was ever started in it."""
    with pytest.raises(UsageError, match="knows no rollout yet; start one with: wavekeeper rollout"):
        find_rollout(Scope(), None)


def test_a_machine_is_found_by_name_or_id_whatever_the_case() -> None:
    """In the rollout that goes on, before the one that is over."""
    _, scope = two()
    assert (find_machine(scope, "C").rollout.id, find_machine(scope, arm_id("c").upper()).machine) == (
        "weekly-1",
        1,
    )
    assert find_machine(scope, "a").rollout.id == "weekly-1"
    assert find_machine(scope, "b").rollout.id == "monthly-1"
    with pytest.raises(UsageError, match="no rollout of this journal has a machine zz"):
        find_machine(scope, "zz")


def test_whoever_holds_a_machines_grant_is_asked_first() -> None:
    """It is still out by the one that is over: that one has to close it."""
    diary = Diary(PLAN, id="monthly-1")
    diary.change("a")
    diary.unhealthy("a")
    diary.abort()
    begin(
        diary.scope,
        e.RolloutStarted("weekly-1", "o", "ada", ""),
        index_plan(plan_of(lane("west", "c"), counted="a")),
        NOON,
    )
    assert find_machine(diary.scope, "a").rollout.id == "monthly-1"


def test_a_name_is_a_rollouts_first_and_a_machines_then() -> None:
    """`status` takes either."""
    _, scope = two()
    assert (find(scope, "weekly").machine, find(scope, "b").machine) == (-1, 1)
    assert find(scope, None).rollout.id == "weekly-1"


def test_a_verb_becomes_the_command_that_it_names() -> None:
    """With rollout and machine looked up."""
    _, scope = two()
    assert command(scope, "pause", None, WHO, WHY) == m.Pause("weekly-1", WHO, WHY)
    assert command(scope, "skip", "c", WHO, WHY) == m.Skip("weekly-1", 1, WHO, WHY)
    with pytest.raises(UsageError, match="say which machine to retry: wavekeeper retry MACHINE"):
        command(scope, "retry", None, WHO, WHY)


# Carrying out -----------------------------------------------------------------------------------------------


async def begun() -> MemoryDisk:
    """A disk on which a rollout runs that nobody drives now."""
    disk = MemoryDisk()
    journal = MemoryJournal(disk)
    await journal.acquire("ada", NOON)
    log, planned, file = Log(Scope(), journal), index_plan(PLAN), dump(PLAN)
    start = m.Start("r1", planned, digest(file), "ada", "")
    _, commit = log.record(
        "r1", decide(log.scope, start, NOON), NOON, planned=planned, documents={digest(file): file}
    )
    await commit
    _, commit = log.record("r1", (e.Prepared(()), e.StageOpened(0)), NOON)
    await commit
    await journal.close()
    return disk


@virtual
async def test_without_a_writer_it_is_decided_here_under_the_same_lock() -> None:
    """And the lock is given back."""
    disk = await begun()
    facts = await carry_out(MemoryJournal(disk), m.Pause("r1", WHO, WHY), NOON, WHO)
    assert facts == (e.RolloutPaused(WHO, WHY),)
    scope = await look(MemoryJournal(disk))
    assert scope.rollouts["r1"].status is RolloutStatus.PAUSED
    assert await MemoryJournal(disk).writer() is None


@virtual
async def test_what_cannot_be_done_is_refused_and_changes_nothing() -> None:
    """The lock is given back all the same."""
    disk = await begun()
    with pytest.raises(Refused, match="is running and can't be resumed"):
        await carry_out(MemoryJournal(disk), m.Resume("r1", WHO, WHY), NOON, WHO)
    assert (len(disk.scopes["default"].rows), await MemoryJournal(disk).writer()) == (2, None)


@virtual
async def test_its_time_is_never_before_the_last_fact() -> None:
    """A terminal's clock may be late."""
    disk = await begun()
    await carry_out(MemoryJournal(disk), m.Pause("r1", WHO, WHY), NOON.replace(year=2020), WHO)
    assert disk.scopes["default"].rows[-1].at == NOON


async def writer(disk: MemoryDisk, *, decides: bool) -> None:
    """Another process that has the lock, and takes letters or doesn't."""
    journal = MemoryJournal(disk)
    await journal.acquire("ada", NOON)
    scope = await look(journal)
    log = Log(scope, journal)
    while True:
        await asyncio.sleep(1)
        for letter in await journal.inbox() if decides else ():
            wanted = letters.load(letter.command)
            try:
                facts = decide(scope, wanted, NOON)
            except Refused as refused:
                facts = (e.CommandRefused(letter.id, letter.who, str(refused)),)
            _, commit = log.record("r1", facts, NOON, letters=(letter.id,))
            await commit


@virtual
async def test_with_a_writer_it_goes_by_letter_and_the_answer_is_waited_for() -> None:
    """What was decided there is told here; a refusal too."""
    disk = await begun()
    other = asyncio.create_task(writer(disk, decides=True))
    await asyncio.sleep(0)
    journal = MemoryJournal(disk)
    assert await carry_out(journal, m.Pause("r1", WHO, WHY), NOON, WHO) == (e.RolloutPaused(WHO, WHY),)
    with pytest.raises(Refused, match="is paused and can't be paused"):
        await carry_out(journal, m.Pause("r1", WHO, WHY), NOON, WHO)
    other.cancel()


@virtual
async def test_a_writer_that_takes_its_time_is_not_waited_for_for_ever() -> None:
    """The letter stays, and will be taken."""
    disk = await begun()
    other = asyncio.create_task(writer(disk, decides=False))
    await asyncio.sleep(0)
    journal = MemoryJournal(disk)
    with pytest.raises(Refused, match="has not taken the command yet; it will, as soon as it can"):
        await carry_out(journal, m.Pause("r1", WHO, WHY), NOON, WHO)
    assert len(await journal.inbox()) == 1
    other.cancel()


@virtual
async def test_two_who_decide_at_once_are_one_after_the_other() -> None:
    """The second is told who writes."""
    disk = await begun()
    holder = MemoryJournal(disk)
    await holder.acquire("ada", NOON)
    journal = MemoryJournal(disk)
    with pytest.raises(JournalError, match="ada, process"):
        await journal.acquire(WHO, NOON)


# The story --------------------------------------------------------------------------------------------------


@virtual
async def test_a_rollouts_story_is_told_from_its_journal() -> None:
    """A line each, with its time; what goes without saying only if everything is wanted."""
    disk = await begun()
    await carry_out(MemoryJournal(disk), m.Pause("r1", WHO, WHY), NOON, WHO)
    journal = MemoryJournal(disk)
    rollout = (await look(journal)).rollouts["r1"]
    assert [str(one) async for one in story_from(journal, rollout) if not one.quiet] == [
        "2026-11-22 12:00:00  started by ada",
        "2026-11-22 12:00:00  every machine was looked at: all serve",
        "2026-11-22 12:00:00  stage broad opened (1 of 1)",
        "2026-11-22 12:00:00  paused by grace: because",
    ]
