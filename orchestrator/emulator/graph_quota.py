"""How many queries Resource Graph takes of one user: a number in each stretch of time, told with every answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

QUERIES = 15
WINDOW = timedelta(seconds=5)
"""The example of "Guidance for throttled requests in Azure Resource Graph", and what recorded headers begin with."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left after a query; below 0 it is refused."""

    remaining: int
    resets_after_s: int


@dataclass(slots=True)
class Quota:
    """The quota of the one user there is."""

    since: datetime
    used: int = 0

    def spend(self, now: datetime) -> Left:
        """Count a query that comes at `now`."""
        if now - self.since >= WINDOW:
            self.since, self.used = now, 0
        self.used = min(self.used + 1, QUERIES + 1)
        wait = (self.since + WINDOW - now).total_seconds()
        return Left(QUERIES - self.used, max(1, int(-(-wait // 1))))
