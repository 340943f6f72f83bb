"""What is to come in the emulated world, in order; and what has come to pass, for the audit."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime

from orchestrator.emulator.state import Happening

Turn = Callable[[datetime], None]
"""Something that happens; it is told the moment it was due at, which is the moment it happens at. A method, never a closure."""


class Timeline:
    """A queue of turns. Nothing happens until somebody asks for a later time; then everything due does, in order."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._order = 0  # of the last turn that was asked for
        self._due: list[tuple[datetime, int, Turn]] = []
        self._happened: list[Happening] = []

    @property
    def now(self) -> datetime:
        """How far the world has come."""
        return self._now

    def at(self, when: datetime, turn: Turn) -> None:
        """Let `turn` happen at `when`; turns of one moment happen in the order they were asked for."""
        self._order += 1
        heapq.heappush(self._due, (when, self._order, turn))

    def run_to(self, now: datetime) -> datetime:
        """Let everything happen that is due by `now`. Time never goes back: an earlier `now` means the present."""
        while self._due and self._due[0][0] <= now:
            when, _, turn = heapq.heappop(self._due)
            self._now = max(self._now, when)
            turn(self._now)
        self._now = max(self._now, now)
        return self._now

    def next(self) -> datetime | None:
        """When something happens next, if nobody asks for anything before."""
        return self._due[0][0] if self._due else None

    def record(self, happening: Happening) -> None:
        """Put a line into the audit."""
        self._happened.append(happening)

    def take_happened(self) -> list[Happening]:
        """The lines since the last time this was asked, in the order of time."""
        happened, self._happened = self._happened, []
        return happened
