"""Does the event loop keep up? Looked at twice a second; whoever supervises the process hears of it from here.

A loop that hangs says nothing, and that is the message: the watchdog ends the process, and the next one goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from orchestrator.telemetry.supervisor import Supervisor

BEAT_S: Final = 0.5
"""Real seconds between two looks."""


async def keep_pulse(
    supervisor: Supervisor, lagged: Callable[[float], None], line: Callable[[], str]
) -> None:
    """Until cancelled: measure by how much each look is late, say that the loop is alive as often as is wanted, and `line` with it."""
    loop = asyncio.get_running_loop()
    every = supervisor.watchdog_every_s
    said_at, said = loop.time(), ""
    while True:
        began = loop.time()
        await asyncio.sleep(BEAT_S)
        now = loop.time()
        lagged(max(0.0, now - began - BEAT_S))
        if every is not None and now - said_at + BEAT_S > every:
            supervisor.alive()
            said_at = now
        if (told := line()) != said:
            supervisor.status(told)
            said = told
