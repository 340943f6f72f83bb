"""Time, for the shell. The core is handed `now`; whoever runs the core asks one of these.

Three clocks, one port. Every instant is aware UTC, every sleep is given in the clock's own seconds: against an emulator
that runs at 600 times real time, sleeping ten minutes takes one second of anybody's life. This module is the one place
of the program that reads the real clock.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the shell asks for the time, and what it sleeps by."""

    @property
    def scale(self) -> float:
        """How many of this clock's seconds pass in one real second. Divide by it to make a real timeout."""
        ...

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock have passed; at once (but after others had their turn) if not positive."""
        ...


class SystemClock:
    """Real time, as the operating system tells it. It may step when somebody sets it; callers must bear that."""

    scale = 1.0

    def now(self) -> datetime:
        """The wall clock's instant."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that everything else asks

    async def sleep(self, seconds: float) -> None:
        """Sleep in real time."""
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """Emulated time: `epoch` at the real moment `started`, running `scale` times as fast as real time.

    `started` is a reading of `time.monotonic()`; None means this moment. It is monotonic on purpose: at 600 times real
    time, a second by which somebody sets the wall clock would be ten minutes.
    """

    def __init__(self, epoch: datetime, scale: float, started: float | None = None) -> None:
        if scale <= 0:
            raise ValueError(f"a time scale must be greater than 0, not {scale}")
        if epoch.tzinfo is None:
            raise ValueError("an epoch without a time zone is no instant")
        self._epoch = epoch.astimezone(UTC)
        self._scale = float(scale)
        self._started = time.monotonic() if started is None else started

    @property
    def scale(self) -> float:
        """Emulated seconds in one real second."""
        return self._scale

    def now(self) -> datetime:
        """The emulated instant."""
        return self._epoch + timedelta(seconds=(time.monotonic() - self._started) * self._scale)

    async def sleep(self, seconds: float) -> None:
        """Sleep until `seconds` of emulated time have passed."""
        await asyncio.sleep(max(0.0, seconds) / self._scale)


class LoopClock:
    """The running event loop's own time, `start` being the moment this clock was made.

    Under a loop that jumps over waiting (looptime) a rollout of days passes in milliseconds, exactly. Made inside the
    loop that it will be asked in.
    """

    scale = 1.0

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a start without a time zone is no instant")
        self._loop = asyncio.get_running_loop()
        self._start = start.astimezone(UTC)
        self._began = self._loop.time()

    def now(self) -> datetime:
        """The loop's instant."""
        return self._start + timedelta(seconds=self._loop.time() - self._began)

    async def sleep(self, seconds: float) -> None:
        """Sleep in the loop's time."""
        await asyncio.sleep(max(0.0, seconds))
