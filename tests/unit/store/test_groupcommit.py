"""The writer's thread: order, what shares a transaction, who is told what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from orchestrator.errors import Defect
from orchestrator.store.groupcommit import CallerThread, WriterThread


class Log:
    """A store that records what was done in which transaction; a work that raises ValueError is refused alone."""

    def __init__(self) -> None:
        self.done: list[list[Any]] = []
        self.threads = {threading.get_ident()}
        self.gate = threading.Event()
        self.open = True

    def together(self, works: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Do the works and record what they returned as one transaction."""
        self.threads.add(threading.get_ident())
        outcomes: list[Any] = []
        for work in works:
            try:
                outcomes.append(work(self))
            except ValueError as refusal:
                outcomes.append(refusal)
        self.done.append(outcomes)
        return outcomes

    def close(self) -> None:
        """Be closed."""
        self.open = False


def give(_store: Log, value: int) -> int:
    """A work that comes to `value`."""
    return value


async def blocked() -> tuple[WriterThread[Log], Log, asyncio.Task[bool]]:
    """A thread that is busy until its log's gate is set; all that is asked meanwhile queues up."""
    line = await WriterThread.start(Log)
    log = await line.alone(lambda store: store)
    return line, log, asyncio.create_task(line.alone(lambda store: store.gate.wait(10)))


async def test_what_is_queued_is_done_in_one_transaction() -> None:
    """Fifty writes that wait cost one commit, in the order in which they were asked for."""
    line, log, busy = await blocked()
    writes = [asyncio.create_task(line.write(partial(give, value=n))) for n in range(50)]
    await asyncio.sleep(0)
    log.gate.set()
    assert await asyncio.gather(*writes) == list(range(50))
    assert log.done == [list(range(50))]
    assert await busy
    await line.close()


async def test_what_stands_alone_divides_transactions() -> None:
    """A question asked between two writes is answered between them, never from within a transaction."""
    line, log, _busy = await blocked()
    first = asyncio.create_task(line.write(partial(give, value=1)))
    asked = asyncio.create_task(line.alone(lambda store: list(store.done)))
    second = asyncio.create_task(line.write(partial(give, value=2)))
    await asyncio.sleep(0)
    log.gate.set()
    assert await asked == [[1]]
    assert [await first, await second] == [1, 2]
    await line.close()


async def test_one_refused_write_leaves_its_neighbours_be() -> None:
    """Who was refused gets the refusal; the others their results."""
    line, log, _busy = await blocked()

    def refuse(_store: Log) -> int:
        raise ValueError("not this one")

    writes = [asyncio.create_task(line.write(work)) for work in (lambda _s: 1, refuse, lambda _s: 3)]
    await asyncio.sleep(0)
    log.gate.set()
    first, refused, third = await asyncio.gather(*writes, return_exceptions=True)
    assert (first, third) == (1, 3)
    assert str(refused) == "not this one"
    await line.close()


async def test_a_transaction_that_fails_fails_all_and_the_thread_goes_on() -> None:
    """Nobody of the group waits for ever, and the next one may succeed."""
    line, log, _busy = await blocked()

    def fail(_store: Log) -> int:
        raise KeyError("the disk")

    writes = [asyncio.create_task(line.write(work)) for work in (lambda _s: 1, fail)]
    await asyncio.sleep(0)
    log.gate.set()
    assert [type(o) for o in await asyncio.gather(*writes, return_exceptions=True)] == [KeyError, KeyError]
    with pytest.raises(KeyError):
        await line.alone(fail)
    assert await line.write(lambda _store: "next") == "next"
    await line.close()


async def test_a_caller_that_is_cancelled_disturbs_nobody() -> None:
    """Its work is done all the same, since it may be under way; the others hear of theirs."""
    line, log, _busy = await blocked()
    writes = [asyncio.create_task(line.write(partial(give, value=n))) for n in range(3)]
    await asyncio.sleep(0)
    writes[1].cancel()
    log.gate.set()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(o) for o in outcomes] == [int, asyncio.CancelledError, int]
    assert log.done == [[0, 1, 2]]
    await line.close()


async def test_a_store_that_cannot_be_made_raises_where_it_is_awaited() -> None:
    """And leaves no thread behind."""

    def fail() -> Log:
        raise OSError("no disk")

    before = threading.active_count()
    with pytest.raises(OSError, match="no disk"):
        await WriterThread.start(fail)
    for thread in threading.enumerate():
        if thread.name == "journal":
            thread.join(10)
    assert threading.active_count() == before


async def test_closing_does_what_is_queued_and_ends_the_thread() -> None:
    """The store is closed last; afterwards nothing is taken any more."""
    line, log, _busy = await blocked()
    writes = [asyncio.create_task(line.write(partial(give, value=n))) for n in range(3)]
    await asyncio.sleep(0)
    log.gate.set()
    await line.close()
    assert await asyncio.gather(*writes) == [0, 1, 2]
    assert not log.open
    assert "journal" not in {thread.name for thread in threading.enumerate()}
    await line.close()
    with pytest.raises(Defect, match="closed"):
        await line.write(lambda _store: 1)


async def test_a_loop_that_is_gone_stops_nothing() -> None:
    """The thread outlives a loop that was closed while it worked: it has nobody to tell, and ends when told to."""
    gate = threading.Event()
    left: list[threading.Thread] = []

    async def leave() -> None:
        line = await WriterThread.start(Log)
        waiting = asyncio.create_task(line.alone(lambda _store: gate.wait(10)))
        await asyncio.sleep(0)
        closing = asyncio.create_task(line.close())
        await asyncio.sleep(0)
        left.append(line._thread)
        waiting.cancel()
        closing.cancel()

    await asyncio.to_thread(asyncio.run, leave())
    gate.set()
    left[0].join(10)
    assert not left[0].is_alive()


async def test_inline_does_all_in_the_callers_thread() -> None:
    """For virtual time: no thread, and each write a transaction of its own."""
    line = CallerThread(Log())
    log = await line.alone(lambda store: store)
    assert [await line.write(partial(give, value=n)) for n in range(3)] == [0, 1, 2]
    assert log.done == [[0], [1], [2]]
    assert log.threads == {threading.get_ident()}
    with pytest.raises(ValueError, match="refused"):
        await line.write(_refuse)
    await line.close()
    await line.close()
    assert not log.open
    with pytest.raises(Defect, match="closed"):
        await line.alone(lambda store: store)


def _refuse(_store: Log) -> int:
    raise ValueError("refused")
