"""How often one may ask: a bucket for each person that fills at a steady pace. Pure: the moment is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

AT_ONCE: Final = 100
"""Requests that a bucket holds: a page that opens, a command that reads a long list."""

KNOWN: Final = 10_000
"""Buckets that are kept; one that is forgotten is full again."""


@dataclass(slots=True)
class Rates:
    """Buckets by whose they are. `per_s` is how many requests a second each gains."""

    per_s: float
    at_once: float = AT_ONCE
    _filled: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)  # level, at

    def wait_s(self, whose: str, now: float) -> float:
        """Seconds until the next request may come; 0: now."""
        return max(0.0, (1.0 - self._level(whose, now)) / self.per_s)

    def take(self, whose: str, now: float) -> float:
        """Count a request, unless it has to wait: so many seconds, 0 for one that is counted."""
        wait = self.wait_s(whose, now)
        if wait == 0:
            self._filled[whose] = (self._level(whose, now) - 1.0, now)
            self._filled.move_to_end(whose)
            while len(self._filled) > KNOWN:
                self._filled.popitem(last=False)
        return wait

    def _level(self, whose: str, now: float) -> float:
        level, at = self._filled.get(whose, (self.at_once, now))
        return min(self.at_once, level + (now - at) * self.per_s)
