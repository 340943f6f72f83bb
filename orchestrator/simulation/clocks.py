"""The clock of a simulated process: the world's time, or another one where it jumped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta


class TheatreClock:
    """A process's clock: the world's time, or off by as much as it was made to jump."""

    scale = 1.0

    def __init__(
        self, loop: asyncio.AbstractEventLoop, start: datetime, off_by: Callable[[], timedelta]
    ) -> None:
        self._loop = loop
        self._start = self._true = start
        self._passed = 0.0  # at which it is truly `_true`
        self._off_by = off_by

    def now(self) -> datetime:
        """The instant that this clock shows."""
        passed = self._loop.time()
        if passed != self._passed:
            self._passed, self._true = passed, self._start + timedelta(seconds=passed)
        off_by = self._off_by()
        return self._true + off_by if off_by else self._true

    async def sleep(self, seconds: float) -> None:
        """Sleep in the loop's time, which is nobody's to set."""
        await asyncio.sleep(max(0.0, seconds))
