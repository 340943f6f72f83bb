"""The stream of events: from now on or from an id on, with a sign of life now and then, until whoever listens leaves or falls behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from pydantic import Field

from orchestrator.access.model import FLEET
from orchestrator.errors import JournalError
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.service.happenings import Sees
from orchestrator.service.past import decisions_from
from orchestrator.web.asked import Asked, about
from orchestrator.web.broadcast import Listener, Piece
from orchestrator.web.models import Flaw
from orchestrator.web.problems import Declined

log = structlog.get_logger("wavekeeper.web")

Place = tuple[int, int]
"""A fact's: its row in the journal, and its place in that."""

PLACE: Final = r"^[0-9]{1,15}(\.[0-9]{1,6})?$"

_GREETING: Final = b"retry: 2000\n: here\n\n"
_ALIVE: Final = b":\n\n"
_AT_ONCE: Final = 100  # decisions of the past that are told before others have a turn


@dataclass(frozen=True, slots=True)
class SinceEvent:
    """From which event on, and of which rollout. Without `after`: from now on; 0: from the beginning."""

    after: Annotated[
        str,
        Field(
            max_length=22,
            description="The id of the last event that was seen; the header Last-Event-ID goes before it.",
        ),
    ] = ""
    rollout: Annotated[str, Field(max_length=300, description="Only what is about this rollout.")] = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that goes on. `cut_by` is told how to cut the line."""

    pieces: AsyncGenerator[bytes, None]
    cut_by: Callable[[Callable[[], None]], None]


async def events(asked: Asked) -> Stream:
    """Everything that happens and that the person may see."""
    wanted: SinceEvent = asked.query
    after = _place(asked.last_event or wanted.after, asked.desk.scope.seq)
    holding = AsyncExitStack()
    listener = holding.enter_context(asked.broadcast.listening())
    cut: list[Callable[[], None]] = []
    telling = _Telling(asked, wanted.rollout, listener, cut)
    return Stream(_told(telling, holding, after), cut.append)


async def _told(
    telling: _Telling, holding: AsyncExitStack, after: Place | None
) -> AsyncGenerator[bytes, None]:
    async with holding:
        yield _GREETING
        if after is not None:
            async for piece in telling.past(after):
                yield piece
        async for piece in telling.present():
            yield piece


def _place(said: str, last: int) -> Place | None:
    if not said:
        return None
    if not re.match(PLACE, said):
        flaw = Flaw(
            "Last-Event-ID, or ?after",
            "is no event's id",
            "send the id of the last event as it was, or leave it away",
        )
        raise Declined("bad-request", "The place in the stream can't be understood.", flaws=[flaw])
    row, _, index = said.partition(".")
    if int(row) > last:
        flaw = Flaw(
            "Last-Event-ID, or ?after", "is of another journal", "leave it away, and read what there is anew"
        )
        raise Declined("bad-request", "Nothing has happened there yet.", flaws=[flaw])
    return int(row), int(index or 1_000_000)


class _Telling:
    """What one listener is told. `told` is the place of the last fact that was."""

    def __init__(self, asked: Asked, only: str, listener: Listener, cut: list[Callable[[], None]]) -> None:
        self._asked = asked
        self._only = only
        self._listener = listener
        self._cut = cut
        self._told: Place = (0, -1)
        self._entitled = True
        self._asked_at = asyncio.get_running_loop().time()
        self._fleet = asked.desk.fleet  # by whose tags there are sights
        self._sights: dict[tuple[str, bool], tuple[bool, Sees | None]] = {}

    async def past(self, after: Place) -> AsyncIterator[bytes]:
        """From a place to now. Whoever reads slowly is read for from the journal once more, and not from memory."""
        self._told = after
        while not self._listener.ended:
            self._listener.begin_anew()
            async for piece in self._journaled():
                yield piece
            if not self._listener.behind or not self._entitled:
                return

    async def present(self) -> AsyncIterator[bytes]:
        """What is told from now on, without end. One that falls behind is cut off."""
        listener, asked = self._listener, self._asked
        listener.cut = self._end
        while self._entitled and not listener.ended and not listener.behind:
            listener.news.clear()
            while listener.waiting:
                if told := self._of(listener.waiting.popleft()):
                    yield told
            alive = await _comes(listener.news, asked.broadcast.heartbeat_s)
            if await self._may_listen() and not alive:
                yield _ALIVE

    async def _may_listen(self) -> bool:
        """Asked again now and then. Who may see something else by now is let go, comes back, and is told that."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at >= self._asked.broadcast.heartbeat_s:
            self._asked_at = now
            self._entitled = (await self._asked.again()).grants == self._asked.person.grants
        return self._entitled

    def _end(self) -> None:
        for cut in self._cut:
            cut()

    async def _journaled(self) -> AsyncIterator[bytes]:
        desk, number = self._asked.desk, 0
        async with AsyncExitStack() as files:
            journals = [desk.journal]
            for ended in {one.archive: one for one in self._archived()}.values():
                try:
                    journals.append(await files.enter_async_context(desk.journal_of(ended)))
                except JournalError as error:
                    log.warning("an archive can't be told from", archive=ended.archive, why=str(error))
            async for decided in decisions_from(journals, max(0, self._told[0] - 1)):
                number += 1
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                if not await self._may_listen():
                    return
                wanted = self._only in ("", decided.rollout)
                if wanted and (told := self._of(Piece(decided, await self._whose(decided.rollout)))):
                    yield told
                self._told = max(self._told, (decided.seq, 1_000_000))

    async def _whose(self, rollout: str) -> Rollout | Ended | None:
        try:
            return await self._asked.told_of(rollout)
        except JournalError:
            return self._asked.desk.scope.ended.get(rollout)  # its facts are told in fewer words

    def _archived(self) -> list[Ended]:
        return [
            one
            for one in known(self._asked.desk.scope)
            if isinstance(one, Ended) and one.archive and one.last >= self._told[0]
        ]

    def _of(self, piece: Piece) -> bytes:
        """What this person is told of a decision, and wasn't told before."""
        rollout = piece.rollout
        if self._only not in ("", piece.decided.rollout):
            return b""
        seen, sees = self._sight(rollout)
        return piece.told(sees, self._told) if seen else b""

    def _sight(self, rollout: Rollout | Ended | None) -> tuple[bool, Sees | None]:
        """Whether the person may know of a rollout, and of which machines of it: by the tags that they have now."""
        asked = self._asked
        if (fleet := asked.desk.fleet) is not self._fleet:
            self._fleet = fleet
            self._sights.clear()
        if rollout is None:
            return asked.sees(FLEET), None
        key = (rollout.id, isinstance(rollout, Ended))
        if key not in self._sights:
            self._sights[key] = asked.sees(about(rollout, asked.desk.tags)), asked.sees_in(rollout)
        return self._sights[key]


async def _comes(news: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await news.wait()
    except TimeoutError:
        return False
    return True
