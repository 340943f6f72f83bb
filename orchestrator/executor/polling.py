"""When to look at an operation that runs: what those before it took tells when it may have ended.

Of installations some take minutes, others most of an hour, and few lie between. Looking each minute would cost twenty requests
a machine, and looking first at their median would see half of them late. So the next look comes when a quarter of those that
were still running at this age had ended, or before a while in which none ever did: four or five looks each, most of them shortly
after an end.

A crowd, hundreds of which began before the first of them has ended, must not be looked at as if nothing were known: that its
oldest still run tells that the younger ones do. So a few scouts, the oldest, are looked at as they grow older, and nobody
is looked at before the age that the scouts have passed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from math import ceil

from orchestrator.executor.lifetimes import Lifetimes
from orchestrator.executor.settings import Settings

KEEP = 200
"""The operations that are remembered of a kind: the last ones, or twice as many as run."""

FEW = 5
"""Fewer say little."""

LATEST = 3
"""Of those that took longer than so many others, the longest ones known say little of how long it may yet take."""

AFTER_S = 1.0
"""Looked at this much after the age at which another one had ended, so that one that takes as long has ended too."""


@dataclass(slots=True)
class Followed:
    """An operation that is followed."""

    kind: str
    seen_s: float = 0.0  # the age at which it was last looked at


class Polling:
    """The pace of looks at operations, by kind, as far as this process has seen any end. All times in seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        void_s = settings.poll_void.total_seconds()
        self._lives = defaultdict[str, Lifetimes](lambda: Lifetimes(void_s, settings.poll_by_age))
        self.running = 0  # operations that are followed now

    def begin(self, kind: str) -> Followed:
        """An operation of this kind is followed from now on."""
        self.running += 1
        return Followed(kind)

    def look(self, one: Followed, age_s: float) -> None:
        """It is looked at now. It counts as running at this age, unless it turns out to have ended."""
        self._lives[one.kind].see(one.seen_s, age_s)
        one.seen_s = age_s

    def let_go(self, one: Followed) -> None:
        """It isn't followed any more."""
        self.running -= 1
        self.look(one, 0.0)

    def ended(self, kind: str, took_s: float) -> None:
        """An operation of this kind ended; it took so long."""
        self._lives[kind].end(took_s, max(KEEP, 2 * self.running))

    def first(self, kind: str) -> float:
        """The age at which to look first, unless that is too early."""
        if self._crowd:
            return self._settings.poll_least.total_seconds()
        due = self._due(kind, 0.0)
        if due is not None:
            return due
        return (self._settings.eager_poll if self._few else self._settings.first_poll).total_seconds()

    def wait(self, kind: str, age_s: float) -> float:
        """How long to wait from one look, at this age, to the next, unless that is too early."""
        settings = self._settings
        if self._crowd:
            return settings.poll_least.total_seconds()
        due = self._due(kind, age_s)
        if due is not None:
            wished, most = due - age_s, settings.poll_gap
        else:
            wished, most = settings.poll_by_age * age_s, settings.poll_most
        return min(most.total_seconds(), max(settings.poll_least.total_seconds(), wished))

    def too_early(self, one: Followed, age_s: float) -> float:
        """For how long a look at it, now at this age, would still be in vain, as far as others tell meanwhile; 0: look."""
        if not self._crowd:
            return 0.0
        lives, settings = self._lives[one.kind], self._settings
        due = lives.due(one.seen_s, settings.poll_share)
        if due is None:
            known = lives.frontier()
            farther = known + min(settings.poll_most.total_seconds(), settings.poll_by_age * known)
            due = max(settings.first_poll.total_seconds(), farther)
        alone = max(settings.crowd_gap.total_seconds(), settings.poll_by_age * one.seen_s)
        early = min(due + AFTER_S, max(one.seen_s + alone, lives.scouted())) - age_s
        return early if early >= AFTER_S else 0.0

    @property
    def _crowd(self) -> bool:
        """Whether so many are in flight that what still runs tells more than what has ended."""
        return self.running > self._settings.crowd_above

    @property
    def _few(self) -> bool:
        """Whether requests are cheap, since few operations are in flight."""
        return self.running <= self._settings.eager_below

    def _due(self, kind: str, age_s: float) -> float | None:
        """The age by which enough of those had ended that were still running at `age_s`; None where too few are known."""
        ordered = self._lives[kind].ended
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
