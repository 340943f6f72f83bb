"""The journal in memory: what a crash leaves. What it shares with the others stands in the contract."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.errors import StaleLease
from orchestrator.store.memory import Crashed, MemoryDisk, MemoryJournal
from orchestrator.store.port import Letter

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


async def crash(disk: MemoryDisk, at: int, *, durable: bool) -> MemoryJournal:
    """A journal after `at` appends, of which the last crashed and would have taken a letter."""
    journal = MemoryJournal(disk, crash_at=at, crash_durable=durable)
    await journal.post(Letter("l", NOW, "ben", b"{}"))
    await journal.acquire("ann", NOW)
    for seq in range(at):
        append = journal.append(
            seq,
            "r",
            NOW,
            b"%d" % seq,
            documents={str(seq): b"doc"},
            letters=["l"] if seq == at - 1 else [],
        )
        if seq < at - 1:
            await append
            continue
        with pytest.raises(Crashed):
            await append
    return journal


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("durable", [False, True])
async def test_a_crash_leaves_whole_decisions(at: int, *, durable: bool) -> None:
    """Before its row is durable nothing of it is there, afterwards all: row, documents, letters taken."""
    disk = MemoryDisk()
    await crash(disk, at, durable=durable)
    left = MemoryJournal(disk)
    kept = at if durable else at - 1
    assert [row.body async for row in left.read()] == [b"%d" % seq for seq in range(kept)]
    assert sorted(disk.documents) == [str(seq) for seq in range(kept)]
    assert len(await left.inbox()) == (0 if durable else 1)


async def test_a_crash_frees_the_lock_and_the_next_goes_on() -> None:
    """As when a process dies: nobody has to clean up."""
    disk = MemoryDisk()
    await crash(disk, 2, durable=True)
    following = MemoryJournal(disk)
    assert await following.writer() is None
    assert await following.acquire("ben", NOW) == 2
    assert await following.append(2, "r", NOW, b"next") == 3


async def test_a_dead_process_reaches_nothing() -> None:
    """What the `finally` of a crashed program still tries ends the same way; closing is silent, as for any."""
    disk = MemoryDisk()
    journal = await crash(disk, 1, durable=False)
    following = MemoryJournal(disk)
    await following.acquire("ben", NOW)
    with pytest.raises(Crashed):
        await journal.append(0, "r", NOW, b"ghost")
    with pytest.raises(Crashed):
        await journal.post(Letter("ghost", NOW, "ann", b""))
    with pytest.raises(Crashed):
        await journal.release()
    await journal.close()
    assert [row async for row in following.read()] == []
    writer = await following.writer()
    assert writer is not None
    assert writer.who == "ben"


async def test_a_crash_is_no_error_that_anyone_handles() -> None:
    """Code that catches `Exception` must not survive it."""
    assert not issubclass(Crashed, Exception)


async def test_a_refused_append_counts_as_one_tried() -> None:
    """The n-th append is the n-th call; a refusal before it doesn't move the crash."""
    journal = MemoryJournal(crash_at=2, crash_durable=True)
    await journal.acquire("ann", NOW)
    with pytest.raises(StaleLease):
        await journal.append(7, "r", NOW, b"")
    with pytest.raises(Crashed):
        await journal.append(0, "r", NOW, b"")
