"""What happens, told to many at once: each decision is put in words once, and offered to every listener.

A listener has room for so many decisions. One that doesn't keep up is cut off rather than kept waiting for, and comes back by the id of
the last event that it has seen: nothing is lost by that, since the journal has everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from pydantic import TypeAdapter

from orchestrator.rollout.state import Ended, Rollout
from orchestrator.service.happenings import Decided, Happening, Sees, happenings
from orchestrator.web.desk import Desk
from orchestrator.web.problems import Declined

ROOM: Final = 500
"""Decisions that wait for a listener at most: at the pace of a large wave, some ten seconds of them."""

HEARTBEAT_S: Final = 15.0
"""Real seconds of silence before a comment says that the line still holds, and after which it is asked whether the person may still listen."""

MOST: Final = 1_000
"""Listeners at once."""

_WRITER: Final = TypeAdapter(Happening)


@dataclass
class Piece:
    """A decision with the rollout that it is about, as that was when it was told."""

    decided: Decided
    rollout: Rollout | Ended | None

    @cached_property
    def for_all(self) -> bytes:
        """What somebody is told who may see every machine of the rollout."""
        return events_of(happenings(self.rollout, self.decided))

    def told(self, sees: Sees | None, after: tuple[int, int] = (0, -1)) -> bytes:
        """The events behind a place for somebody who sees so much."""
        if sees is None and after < (self.decided.seq, 0):
            return self.for_all
        found = happenings(self.rollout, self.decided, sees)
        return events_of(tuple(one for one in found if (one.seq, one.index) > after))


def events_of(told: tuple[Happening, ...]) -> bytes:
    """As server-sent events, each with its place in the journal for an id."""
    return b"".join(
        b"id: %d.%d\nevent: %b\ndata: %b\n\n"
        % (one.seq, one.index, one.event.encode(), _WRITER.dump_json(one))
        for one in told
    )


@dataclass(eq=False, slots=True)
class Listener:
    """One who listens. `behind`: it was offered more than it has room for. `cut` ends it from outside."""

    room: int
    waiting: deque[Piece] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    behind: bool = False
    ended: bool = False
    cut: Callable[[], None] | None = None

    def offer(self, piece: Piece) -> None:
        """Put one more there, if there is room."""
        if self.behind:
            return
        if len(self.waiting) >= self.room:
            self.behind = True
            self.waiting.clear()
            if self.cut is not None:
                self.cut()
        else:
            self.waiting.append(piece)
        self.news.set()

    def begin_anew(self) -> None:
        """Wait from now on: what came before is read from the journal."""
        self.waiting.clear()
        self.behind = False

    def end(self) -> None:
        """The server leaves."""
        self.ended = True
        self.news.set()


class Broadcast:
    """All who listen to one desk."""

    def __init__(self, desk: Desk, *, room: int = ROOM, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.desk = desk
        self.heartbeat_s = heartbeat_s
        self._room = room
        self._listeners: set[Listener] = set()
        self._heard = ExitStack()

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener, for as long as the block lasts. Raises `Declined` if there are too many."""
        if len(self._listeners) >= MOST:
            raise Declined("later", f"{MOST} listen already", headers={"Retry-After": "10"})
        listener = Listener(self._room)
        if not self._listeners:
            self._heard.enter_context(self.desk.listen(self._hear))
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._heard.close()

    def close(self) -> None:
        """End all of them: the server leaves."""
        for listener in self._listeners:
            listener.end()

    def _hear(self, decided: Decided) -> None:
        scope = self.desk.scope
        rollout = scope.rollouts.get(decided.rollout) or scope.ended.get(decided.rollout)
        piece = Piece(decided, rollout)
        for listener in self._listeners:
            listener.offer(piece)
