"""Requests queue here, one queue for each subscription, region and kind: a 429 holds that queue and no other.

Each queue has one waiter that sleeps and everybody else behind it in order, so that ten thousand waiting machines cost
one timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.cloud.port import Budgeted, Rate
from orchestrator.executor.bucket import Bucket

Queue = tuple[str, str, Budgeted]


class Dispatcher:
    """Lets requests go at the pace that the cloud takes them."""

    def __init__(self, rates: Mapping[Budgeted, Rate], clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: dict[Queue, Bucket] = {}
        self._turns: dict[Queue, asyncio.Lock] = {}

    def _bucket(self, queue: Queue) -> Bucket:
        if queue not in self._buckets:
            self._buckets[queue] = Bucket(self._rates[queue[2]])
            self._turns[queue] = asyncio.Lock()
        return self._buckets[queue]

    async def turn(self, subscription: str, location: str, kind: Budgeted) -> None:
        """Wait for a turn, and take it: one request may go. It need not go at once."""
        queue = (subscription, location, kind)
        bucket = self._bucket(queue)
        now = self._clock.now()
        if self._turns[queue].locked() or bucket.not_before(now) > now:
            async with self._turns[queue]:
                while (free := bucket.not_before(now := self._clock.now())) > now:
                    await self._clock.sleep((free - now).total_seconds())
        bucket.take(self._clock.now())

    async def unheld(self, subscription: str, location: str, kind: Budgeted, not_after: datetime) -> bool:
        """Wait until the queue isn't held: for a request whose turn was taken before. False, at once, if it is held for longer."""
        bucket = self._bucket((subscription, location, kind))
        while (until := bucket.held_until(now := self._clock.now())) is not None:
            if until > not_after:
                return False
            await self._clock.sleep((until - now).total_seconds())
        return now <= not_after

    def hold(self, subscription: str, location: str, kind: Budgeted, seconds: float) -> None:
        """The cloud said 429: nothing goes in this queue for so long."""
        self._bucket((subscription, location, kind)).hold(self._clock.now() + timedelta(seconds=seconds))

    def held(self) -> dict[Queue, datetime]:
        """Queues that are held now, and until when: for people."""
        now = self._clock.now()
        return {
            q: until for q, b in sorted(self._buckets.items()) if (until := b.held_until(now)) is not None
        }
