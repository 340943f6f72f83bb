"""How long operations of a kind take, as far as it is known while most of them still run.

While ten thousand of them are in flight, those that have ended are the quick ones, and what they took says little of the others: who
goes by them alone looks far too early, at everybody. So those that still run count as well, each with the age at which it was last
seen running: of the ones that reached an age, which share was over by it (Kaplan and Meier, 1958). Beyond the age that only a few
are known to have reached, nothing is known.

Pure: ages in, ages out, all in seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Final

SCOUTS: Final = 20
"""How many must have been watched up to an age, so that something is known of it."""

NEW_SHARE: Final = 0.05
NEW_MOST: Final = 40
"""The curve is drawn anew when more than this share of its ends is new, or more than so many: it costs milliseconds for thousands."""

LATECOMERS: Final = 0.002
"""Before a void there is a look more only where at least this share has ended by then: else it finds nobody."""


class Lifetimes:
    """Of one kind of operation. A while in which none ends is a void if it is longer than `void_s`, and than such a part of the age."""

    def __init__(self, void_s: float, void_by_age: float) -> None:
        self._void = (void_s, void_by_age)
        self._took: deque[float] = deque()  # in the order in which they ended
        self._ended: list[float] = []  # sorted
        self._seen: list[float] = []  # of those that run: the age at which each was last seen so, sorted
        self._ages: list[float] = []  # of the curve: the ages at which some ended,
        self._left: list[float] = []  # and which share was left after each; negative, so that it rises
        self._voids: list[int] = []  # where none ends for a while after
        self._new = 1  # ends since the curve was drawn

    @property
    def ended(self) -> list[float]:
        """What those took that are remembered, sorted."""
        return self._ended

    def end(self, took_s: float, keep: int) -> None:
        """One ended. Of all that ended, the last `keep` are remembered."""
        self._took.append(took_s)
        insort(self._ended, took_s)
        while len(self._took) > keep:
            del self._ended[bisect_left(self._ended, self._took.popleft())]
        self._new += 1

    def see(self, before_s: float, age_s: float) -> None:
        """One that was last seen running at `before_s` (0: never) was seen so at `age_s`; 0: it is over, or nobody follows it any more."""
        if before_s:
            del self._seen[bisect_left(self._seen, before_s)]
        if age_s:
            insort(self._seen, age_s)

    def frontier(self) -> float:
        """The age up to which something is known: so many were watched for as long, whether they ended later or still run."""
        last = sorted(self._ended[-SCOUTS:] + self._seen[-SCOUTS:])
        return last[-SCOUTS] if len(last) >= SCOUTS else 0.0

    def scouted(self) -> float:
        """The age up to which so many of those that still run were watched."""
        return self._seen[-SCOUTS] if len(self._seen) >= SCOUTS else 0.0

    def due(self, age_s: float, share: float) -> float | None:
        """The age by which this share of those had ended that still ran at `age_s`, or after which a void begins.

        None: by the frontier fewer had ended.
        """
        self._draw()
        ages, frontier = self._ages, self.frontier()
        first, known = bisect_right(ages, age_s), bisect_right(ages, frontier)
        left = self._left[first - 1] if first else -1.0
        last = bisect_left(self._left, left * (1 - share), first, max(first, known))
        worth = bisect_left(self._left, left * (1 - LATECOMERS), first, last)
        at = bisect_left(self._voids, worth)
        if at < len(self._voids) and self._voids[at] < last:
            return ages[self._voids[at]]
        if last < known:
            return ages[last]
        return ages[known - 1] if worth < known and self._is_void(ages[known - 1], frontier) else None

    def _is_void(self, age_s: float, until_s: float) -> bool:
        return until_s - age_s > max(self._void[0], self._void[1] * age_s)

    def _draw(self) -> None:
        """The curve, if it has become too old."""
        if self._new <= min(NEW_MOST, NEW_SHARE * len(self._ages)):
            return
        ages, running, left = list(self._ended), len(self._seen), 1.0
        self._left.clear()
        self._voids = [at for at in range(len(ages) - 1) if self._is_void(ages[at], ages[at + 1])]
        for place, age in enumerate(ages):
            at_risk = len(ages) - place + running - bisect_left(self._seen, age)
            left *= 1 - 1 / at_risk
            self._left.append(-left)
        self._ages, self._new = ages, 0
