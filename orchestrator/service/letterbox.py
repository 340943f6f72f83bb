"""Letters under a key of their sender's: whoever sends the same once more, from wherever and whenever, has it carried out once.

The journal's inbox is the memory. A letter's id is made of who sends it, their key and what is asked, and a decision takes a letter once. So
a request that is sent again, by two clients at once or after this process was killed, is answered by the one decision that took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from weakref import WeakValueDictionary

from orchestrator.errors import Refused
from orchestrator.executor.log import Decided
from orchestrator.service.asking import decision_of
from orchestrator.store.port import Journal, Letter

__all__ = ["KeyReused", "Letter", "Letterbox", "NotYet", "Slip", "slip"]

LOOK_EVERY_S: Final = 0.03
"""Real seconds between two looks for an answer."""

ANSWER_WITHIN_S: Final = 15.0
"""Real seconds that a sender is kept waiting. The letter stays in the inbox, and the same key asks for its answer."""


class KeyReused(Refused):
    """The key stands for another request of the same person."""


class NotYet(Refused):
    """Nobody has taken the letter yet; it stays, and will be."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A letter's name: who asks under which key for what. Of two that differ in `what` alone, one is a mistake."""

    sender: str
    what: str

    @property
    def id(self) -> str:
        """The letter's id."""
        return f"{self.sender}.{self.what}"


def slip(person: str, key: str, request: bytes) -> Slip:
    """`person` is their unchanging id, `request` all that the key stands for."""
    sender = sha256(b"\0".join((person.encode(), key.encode()))).hexdigest()[:32]
    return Slip(sender, sha256(request).hexdigest()[:32])


@dataclass(slots=True)
class Letterbox:
    """Where letters are posted and waited for. `wake` has the inbox looked into now. One a journal and process."""

    journal: Journal
    wake: Callable[[], None]
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def known(self, named: Slip) -> bool:
        """Whether the letter was posted before. Raises `KeyReused` if the key stands for something else."""
        posted = await self.journal.letters(f"{named.sender}.")
        if posted and named.id not in posted:
            raise KeyReused(
                "this key stands for another request of yours; take a new one for each thing you want"
            )
        return bool(posted)

    async def post(self, named: Slip, letter: Letter) -> None:
        """Post it, unless it was before. Raises `KeyReused`."""
        turn = self._turns.setdefault(named.sender, asyncio.Lock())
        async with turn:
            if not await self.known(named):
                await self.journal.post(letter)
        self.wake()

    async def answer(self, named: Slip, within_s: float = ANSWER_WITHIN_S) -> Decided:
        """The decision that took the letter. Raises `Refused` with the writer's own words, and `NotYet`."""
        waited = 0.0
        while (row := await self.journal.taken(named.id)) is None:
            if waited >= within_s:
                raise NotYet(
                    "this isn't decided yet; ask again with the same key, and you are told what came of it"
                )
            await asyncio.sleep(LOOK_EVERY_S)
            waited += LOOK_EVERY_S
        return await decision_of(self.journal, row, named.id)
