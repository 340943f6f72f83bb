"""Letters of other processes, handed in as they come, each once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from orchestrator.clock import Clock
from orchestrator.store.port import Journal, Letter


async def watch_inbox(
    journal: Journal,
    clock: Clock,
    every_s: float,
    deliver: Callable[[Letter], None],
    news: asyncio.Event | None = None,
) -> None:
    """Look into the inbox for ever, each `every_s` real seconds, and at once when there are `news` of this process's own.

    A letter stays in it until a decision has taken it.
    """
    known: set[str] = set()
    while True:
        if news is not None:
            news.clear()  # before the look: what is posted during it is news
        letters = await journal.inbox()
        for letter in letters:
            if letter.id not in known:
                deliver(letter)
        known = {letter.id for letter in letters}
        await _pause(clock, every_s, news)


async def _pause(clock: Clock, every_s: float, news: asyncio.Event | None) -> None:
    if news is None:
        await clock.sleep(every_s * clock.scale)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(every_s):
            await news.wait()
