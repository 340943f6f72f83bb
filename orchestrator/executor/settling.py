"""How long nobody has seen a request that may have been taken: after which it surely wasn't."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.executor.services import Services

LEAP: Final = timedelta(seconds=15)
"""How much longer than it slept a look may take by the clock. What goes beyond may as well be a clock that somebody set ahead, and
doesn't count: a minute too many of waiting costs nothing, a minute too few sends a request twice."""


class Settling:
    """Counts the time in which a run that was taken would have shown.

    From when no request can be on its way any more, `settle_for` of nothing but good looks. `not_after`: until when a former writer
    may still send it.
    """

    def __init__(self, services: Services, not_after: datetime) -> None:
        self._clock, self._settings = services.clock, services.settings
        self._last = self._clock.now()
        self._slept = self._passed = timedelta(0)
        former = timedelta(0) if self._settings.writer_is_alone else not_after - self._last
        in_transit = timedelta(seconds=self._settings.in_transit_s * self._clock.scale)
        begun = max(former, timedelta(0)) + in_transit
        self._needed, self._at_most = begun + self._settings.settle_for, begun + self._settings.settle_at_most

    def looked(self, *, good: bool) -> bool | None:
        """One more look showed nothing. True: it wasn't taken; False: nobody could tell for too long; None: look again."""
        now = self._clock.now()
        self._passed += min(max(now - self._last, self._slept), self._slept + LEAP)
        self._last, self._slept = now, timedelta(0)
        if not good:
            self._needed = max(self._needed, self._passed + self._settings.settle_for)
        if self._passed >= self._needed:
            return True
        return False if self._passed >= self._at_most else None

    async def pause(self) -> None:
        """Until the next look."""
        self._slept = min(self._settings.settle_every, self._needed - self._passed)
        await self._clock.sleep(self._slept.total_seconds())
