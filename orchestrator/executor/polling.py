"""When to look at an operation that runs: what those before it took tells when it may have ended.

Of installations some take minutes, others most of an hour, and few lie between. Looking each minute would cost twenty requests
a machine, and looking first at their median would see half of them late. So the next look comes when a quarter of those that
were still running at this age had ended, or before a while in which none ever did: four or five looks each, most of them shortly
after an end.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from math import ceil

from orchestrator.executor.settings import Settings

KEEP = 200
"""The operations that are remembered of a kind: the last ones."""

FEW = 5
"""Fewer say little."""

LATEST = 3
"""Of those that took longer than so many others, the longest ones known say little of how long it may yet take."""

AFTER_S = 1.0
"""Looked at this much after the age at which another one had ended, so that one that takes as long has ended too."""


class Polling:
    """The pace of looks at operations, by kind, as far as this process has seen any end. All times in seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._took: dict[str, deque[float]] = {}
        self._sorted: dict[str, list[float]] = {}
        self.running = 0  # operations that are followed now

    def ended(self, kind: str, took_s: float) -> None:
        """An operation of this kind ended; it took so long."""
        took = self._took.setdefault(kind, deque())
        ordered = self._sorted.setdefault(kind, [])
        took.append(took_s)
        insort(ordered, took_s)
        if len(took) > KEEP:
            del ordered[bisect_right(ordered, took.popleft()) - 1]

    def first(self, kind: str) -> float:
        """The age at which to look first."""
        due = self._due(kind, 0.0)
        if due is not None:
            return due
        return (self._settings.eager_poll if self._few else self._settings.first_poll).total_seconds()

    def wait(self, kind: str, age_s: float) -> float:
        """How long to wait from one look, at this age, to the next."""
        settings = self._settings
        due = self._due(kind, age_s)
        if due is not None:
            wished, most = due - age_s, settings.poll_gap
        elif self.running > settings.crowd_above:
            wished, most = settings.crowd_by_age * age_s, settings.poll_gap
        else:
            wished, most = settings.poll_by_age * age_s, settings.poll_most
        return min(most.total_seconds(), max(settings.poll_least.total_seconds(), wished))

    @property
    def _few(self) -> bool:
        """Whether requests are cheap, since few operations are in flight."""
        return self.running <= self._settings.eager_below

    def _due(self, kind: str, age_s: float) -> float | None:
        """The age by which enough of those had ended that were still running at `age_s`; None where too few are known."""
        ordered = self._sorted.get(kind, ())
        shorter = bisect_right(ordered, age_s)
        longer = len(ordered) - shorter
        if len(ordered) < FEW or longer < LATEST:
            return None
        share = self._settings.eager_share if self._few else self._settings.poll_share
        last = shorter + ceil(share * longer) - 1
        void_s = self._settings.poll_void.total_seconds()
        for place in range(shorter, last):
            if ordered[place + 1] - ordered[place] > void_s:
                return ordered[place] + AFTER_S
        return ordered[last] + AFTER_S
