"""Plans as they are used."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from orchestrator.errors import JournalError, UsageError
from orchestrator.executor import plans
from orchestrator.executor.plans import documents_of, packed_name, plan_of, planned
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


async def test_a_large_plan_is_read_from_its_packed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says what its file says; a small one has none."""
    assert list(documents_of(FILE, index_plan(PLAN))) == [digest(FILE)]
    monkeypatch.setattr(plans, "LARGE", len(FILE))
    kept = documents_of(FILE, index_plan(PLAN))
    journal = MemoryJournal(MemoryDisk())
    await journal.acquire("ada", NOON)
    await journal.append(
        0, "r1", NOON, b"[]", documents={packed_name(digest(FILE)): kept[packed_name(digest(FILE))]}
    )
    assert await plan_of(journal, digest(FILE)) == index_plan(PLAN)


async def test_a_packed_form_of_another_version_is_passed_over() -> None:
    """The file is read then."""
    name = digest(FILE)
    journal = MemoryJournal(MemoryDisk())
    await journal.acquire("ada", NOON)
    old = b'{"form": 1, "digest": "%s"}' % name.encode()
    await journal.append(0, "r1", NOON, b"[]", documents={name: FILE, packed_name(name): old})
    assert await plan_of(journal, name) == index_plan(PLAN)
