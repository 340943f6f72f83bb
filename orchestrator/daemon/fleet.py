"""The fleet as it was last read from the cloud, and how old that is. Read by one at a time, however many want to know.

It is read in the process beside the daemon: the answers about 20,000 machines take seconds to put together, in which nothing that is
in flight would be followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from orchestrator.errors import CloudError
from orchestrator.executor.services import Aside
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.read import read
from orchestrator.inventory.regions import with_regions
from orchestrator.wiring.cloud import Hear, open_cloud, unheard

FRESH: Final = timedelta(minutes=1)
"""An inventory that is no older is a fresh one: campaigns that are due at the same moment are planned on the same."""

Ask = Callable[[Sequence[str]], Awaitable[bytes]]
"""Reads the inventory of subscriptions from the cloud, as a file. Raises `CloudError`."""


@dataclass(frozen=True, slots=True)
class Known:
    """An inventory, as a file too, and when it was asked for."""

    inventory: Inventory
    file: bytes = field(repr=False)
    at: datetime


@dataclass(slots=True)
class Fleet:
    """Reads the inventory, and remembers the last one. `keep` is told each, and must not raise."""

    ask: Ask
    now: Callable[[], datetime]
    aside: Aside
    keep: Callable[[Known], None] = lambda _: None
    known: Known | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def younger(self, subscriptions: Sequence[str], than: timedelta) -> Known:
        """One that is no older; read now if there is none. Raises `CloudError` where that can't be done."""
        async with self._turn:
            asked = self.now()
            if self.known is None or asked - self.known.at > than:
                file = await self.ask(subscriptions)
                self.known = Known(await self.aside(partial(read, file, "the fleet")), file, asked)
                await self.aside(partial(self.keep, self.known))
            return self.known

    @property
    def age(self) -> timedelta | None:
        """How old what is known is; None before anything is."""
        return None if self.known is None else self.now() - self.known.at


@dataclass(frozen=True, slots=True)
class FleetRead:
    """What came of reading the fleet in another process: a file, or why there is none; and the requests that it took, for those who count them."""

    file: bytes = field(repr=False)
    requests: tuple[tuple[str, int, float | None], ...]
    error: CloudError | None = None


def read_fleet(endpoint: str | None, subscriptions: Sequence[str]) -> FleetRead:
    """The inventory as it is now: for a process of its own. Never raises for what the cloud says."""
    requests: list[tuple[str, int, float | None]] = []

    def hear(method: str, status: int, retry_after_s: float | None) -> None:
        requests.append((method, status, retry_after_s))

    try:
        file = asyncio.run(read_apart(endpoint, subscriptions, hear))
    except CloudError as error:
        return FleetRead(b"", tuple(requests), error)
    return FleetRead(file, tuple(requests))


async def read_apart(endpoint: str | None, subscriptions: Sequence[str], hear: Hear = unheard) -> bytes:
    """The inventory as a file, for a loop that has nothing else to do. Raises `CloudError`."""
    cloud = await open_cloud(endpoint, hear=hear)
    try:
        return native.dump(with_regions(await cloud.provider.inventory(subscriptions)))
    finally:
        await cloud.provider.close()
