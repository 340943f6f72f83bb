"""The last smoother in front of ARM's read limit.

The scheduler spends what a cloud allows deliberately; this only keeps a burst of reads of many tasks at once from running
into 429. asyncio-throttle wakes every waiter each few milliseconds to look whether its turn has come, so waiters queue at
a lock, which is fair, and only the one in front ever waits at the throttle: one waiter, never a crowd.

It reads the real clock. In virtual time it would spin, so there it isn't used at all.
"""

from __future__ import annotations

import asyncio

from asyncio_throttle.throttler import Throttler

ARM_READS_AT_ONCE = 250  # ARM's bucket of reads for one subscription and principal
ARM_READS_PER_SECOND = 25  # and what flows back into it


class Smoother:
    """Lets one subscription's reads through at the rate that ARM allows; `scale` emulated seconds to a real one."""

    def __init__(self, scale: float = 1.0) -> None:
        window_s = ARM_READS_AT_ONCE / ARM_READS_PER_SECOND / scale
        # At most a bucketful in each window of the time that fills the bucket: what a full bucket always bears.
        self._throttler = Throttler(
            ARM_READS_AT_ONCE, period=window_s, retry_interval=min(0.05, window_s / 10)
        )
        self._front = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the next read may leave."""
        async with self._front:
            await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no annotations
