"""Letters of other processes, handed in as they come, each once."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.clock import Clock
from orchestrator.store.port import Journal, Letter


async def watch_inbox(
    journal: Journal, clock: Clock, every_s: float, deliver: Callable[[Letter], None]
) -> None:
    """Look into the inbox for ever, each `every_s` real seconds. A letter stays in it until a decision has taken it."""
    known: set[str] = set()
    while True:
        letters = await journal.inbox()
        for letter in letters:
            if letter.id not in known:
                deliver(letter)
        known = {letter.id for letter in letters}
        await clock.sleep(every_s * clock.scale)
