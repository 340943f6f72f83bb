"""The fleet as it was last read from the cloud, and how old that is. Read by one at a time, however many want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.regions import with_regions
from orchestrator.wiring.cloud import Cloud

FRESH: Final = timedelta(minutes=1)
"""An inventory that is no older is a fresh one: campaigns that are due at the same moment are planned on the same."""


@dataclass(frozen=True, slots=True)
class Known:
    """An inventory, as a file too, and when it was asked for."""

    inventory: Inventory
    file: bytes = field(repr=False)
    at: datetime


@dataclass(slots=True)
class Fleet:
    """Reads the inventory, and remembers the last one."""

    cloud: Cloud
    known: Known | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def younger(self, subscriptions: Sequence[str], than: timedelta) -> Known:
        """One that is no older; read now if there is none. Raises `CloudError` where that can't be done."""
        async with self._turn:
            now = self.cloud.clock.now()
            if self.known is None or now - self.known.at > than:
                read = with_regions(await self.cloud.provider.inventory(subscriptions))
                file = await asyncio.to_thread(partial(native.dump, read))  # a second for large fleets
                self.known = Known(read, file, now)
            return self.known

    @property
    def age(self) -> timedelta | None:
        """How old what is known is; None before anything is."""
        return None if self.known is None else self.cloud.clock.now() - self.known.at
