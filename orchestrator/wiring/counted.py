"""Doors that count what goes through them: for the metrics of a service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestrator.notify.port import Delivery, Webhooks
from orchestrator.notify.webhook import HttpWebhooks, Target
from orchestrator.store.around import JournalAround
from orchestrator.store.port import Journal, Moving


class TimedJournal(JournalAround):
    """Tells how long each append took until it was durable, in seconds; of one that failed nothing."""

    def __init__(self, journal: Journal, appended: Callable[[float], None]) -> None:
        super().__init__(journal)
        self._appended = appended

    async def append(
        self,
        expected_seq: int,
        rollout: str,
        at: datetime,
        body: bytes,
        *,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        drops: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> int:
        """See the port."""
        began = time.perf_counter()
        row = await super().append(
            expected_seq, rollout, at, body, documents=documents, letters=letters, drops=drops, moving=moving
        )
        self._appended(time.perf_counter() - began)
        return row


class CountedWebhooks:
    """Tells of each call whether it was answered well."""

    def __init__(self, webhooks: Webhooks, called: Callable[[str, bool], None]) -> None:
        self._webhooks = webhooks
        self._called = called

    def knows(self, name: str) -> bool:
        """See the port, as for the others."""
        return self._webhooks.knows(name)

    def aim(self, targets: Mapping[str, Target]) -> None:
        """Have them go elsewhere from now on."""
        assert isinstance(self._webhooks, HttpWebhooks)
        self._webhooks.aim(targets)

    async def call(self, name: str, key: str, body: Mapping[str, Any], timeout_s: float) -> Delivery:
        """See the port."""
        delivery = await self._webhooks.call(name, key, body, timeout_s)
        self._called(name, delivery.ok)
        return delivery

    async def close(self) -> None:
        """See the port."""
        await self._webhooks.close()
