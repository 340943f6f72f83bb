"""What happens on a daemon, as it happens: a stream of server-sent events that is taken up again where it broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from orchestrator.client.connection import CLOSED, FIRST_PAUSE_S, LONGEST_PAUSE_S, Connection, Lost, Request
from orchestrator.errors import ServerError

PATIENCE: Final = timedelta(minutes=15)
"""How long a stream that broke off is tried again: an upgrade of the daemon, or of the machine that it runs on."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its place in the stream, its name and what it carries."""

    id: str
    name: str
    data: str


@dataclass(slots=True)
class Parser:
    """Bytes to events, by the rules of the HTML standard (9.2.6). What a lost connection leaves half is none."""

    _rest: bytes = b""
    _id: str = ""
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that are whole by now."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for raw in lines:
            line = raw.decode("utf-8", errors="replace")
            if line:
                self._field(line)
                continue
            if self._data:
                yield Event(self._id, self._name, "\n".join(self._data))
            self._name, self._data = "", []

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self._id = value
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case _:
                pass  # a comment, which keeps the line open, or what a later version may say


@dataclass(slots=True)
class Stream:
    """The events of a daemon from a place on; none is left out and none comes twice, however often the line is lost.

    `after` is the place of the last event that was given out. Empty: from now on.
    """

    connection: Connection
    path: str
    query: tuple[tuple[str, str], ...] = ()
    after: str = ""
    connected: asyncio.Event = field(default_factory=asyncio.Event)  # while it is there

    async def events(self) -> AsyncGenerator[Event, None]:
        """Each, as it comes. Ends never by itself. Raises as `Connection.ask`, also where the line is lost for too long."""
        lost_at = None
        pause = FIRST_PAUSE_S
        clock = self.connection.clock
        while True:
            why = CLOSED
            try:
                async for event in self._once():
                    self.connected.set()
                    if lost_at is not None:
                        lost_at, pause = None, FIRST_PAUSE_S
                        self.connection.tell(f"{self.connection.address} is there again")
                    self.after = event.id or self.after
                    if event.data:
                        yield event
            except Lost as lost:
                why = str(lost)
            self.connected.clear()
            if lost_at is None:
                lost_at = clock.now()
                self.connection.tell(f"lost touch with {self.connection.address} ({why}); trying again")
            elif clock.now() > lost_at + PATIENCE:
                raise ServerError(
                    f"{self.connection.address} can't be reached: {why}; what it carries through goes on without you: "
                    "see wavekeeper status"
                )
            await clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _once(self) -> AsyncIterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.after} if self.after else {})}
        parser = Parser()
        async with self.connection.stream(Request("GET", self.path, self.query, headers=headers)) as pieces:
            yield Event(self.after, "", "")  # it is there, though nothing has happened yet
            async for piece in pieces:
                for event in parser.feed(piece):
                    yield event
