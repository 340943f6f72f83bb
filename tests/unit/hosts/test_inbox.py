"""Letters are handed in as they come: at the inbox's pace, and at once where this very process has posted one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from orchestrator.clock import LoopClock
from orchestrator.hosts.inbox import watch_inbox
from orchestrator.store.memory import MemoryJournal
from orchestrator.store.port import Letter
from tests.virtual import START, virtual

EVERY_S = 60.0


@contextlib.asynccontextmanager
async def watching(journal: MemoryJournal, heard: list[tuple[str, float]]) -> AsyncIterator[asyncio.Event]:
    """Somebody who looks into the inbox each minute, and is told of letters with the second of the loop's time."""
    news, began = asyncio.Event(), asyncio.get_running_loop().time()

    def deliver(letter: Letter) -> None:
        heard.append((letter.id, asyncio.get_running_loop().time() - began))

    task = asyncio.create_task(watch_inbox(journal, LoopClock(START), EVERY_S, deliver, news))
    try:
        yield news
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@virtual
async def test_a_letter_of_another_process_waits_for_the_next_look() -> None:
    """And is handed in once, though it lies there."""
    journal, heard = MemoryJournal(), list[tuple[str, float]]()
    async with watching(journal, heard):
        await asyncio.sleep(10)
        await journal.post(Letter("a", START, "ada", b"{}"))
        await asyncio.sleep(200)
    assert heard == [("a", EVERY_S)]


@virtual
async def test_a_letter_of_this_process_is_looked_for_at_once() -> None:
    """Whoever posted it says that there are news."""
    journal, heard = MemoryJournal(), list[tuple[str, float]]()
    async with watching(journal, heard) as news:
        for name in ("a", "b"):
            await asyncio.sleep(10)
            await journal.post(Letter(name, START, "ada", b"{}"))
            news.set()
        await asyncio.sleep(200)
    assert heard == [("a", 10.0), ("b", 20.0)]
