"""Plans as they are used."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from orchestrator.errors import JournalError, UsageError
from orchestrator.executor.plans import plan_of, planned
from orchestrator.planner.document import digest, dump
from orchestrator.rollout.planned import index_plan
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from tests.builders import NOON, lane
from tests.builders import plan_of as plan

PLAN = plan(lane("east", "a b"))
FILE = dump(PLAN)


def test_a_plan_is_read_once_while_somebody_uses_it() -> None:
    """And says what reading it says."""
    first = planned(FILE, "the plan")
    assert planned(bytes(bytearray(FILE)), "a copy") is first
    assert first == index_plan(PLAN)


def test_nothing_is_kept_that_nobody_uses() -> None:
    """A process that runs a thousand rollouts holds the plans of those that go on."""
    gone = ref(planned(FILE, "the plan"))
    gc.collect()
    assert gone() is None


async def test_a_journal_s_plan_is_what_it_keeps_under_that_name() -> None:
    """Whatever the name; a journal that has nothing under it says so."""
    journal = MemoryJournal(MemoryDisk())
    await journal.acquire("ada", NOON)
    await journal.append(0, "r1", NOON, b"[]", documents={digest(FILE): FILE, "broken": b"{}"})
    assert (await plan_of(journal, digest(FILE))).plan == PLAN
    with pytest.raises(UsageError, match="plan broken"):
        await plan_of(journal, "broken")
    with pytest.raises(JournalError, match="no document"):
        await plan_of(journal, "another")
