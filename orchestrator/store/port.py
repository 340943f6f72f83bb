"""The journal: one log a scope, one row a decision, one writer at a time.

A decision's events stand in ONE row, appended in ONE transaction. If a journal could be cut between the events of a
decision, a failed machine could stand in a rollout that never stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One decision. `body` is its events as the codec wrote them; `seq` counts from 1 without a hole in a scope.

    `at` is aware (a time without a zone is a TypeError at `append`), and read back in UTC to the microsecond.
    A tuple, and no dataclass: it costs a third to make, and a replay makes hundreds of thousands.
    """

    seq: int
    epoch: int
    rollout: str
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A command that another process put into the inbox for the writer to decide on. `command` is JSON."""

    id: str
    at: datetime
    who: str
    command: bytes


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes a scope now, as the lock tells it: for the message that names them. `command` is what they typed, if known."""

    who: str
    host: str
    pid: int
    since: datetime
    command: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after row `seq`, as `body`; `form` is of the program that wrote it. `fault`: why it mustn't be used."""

    seq: int
    form: int
    body: bytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Moving:
    """What goes into an archive: the rows of these rollouts, none of which has one after row `upto`, and documents that only they need."""

    rollouts: tuple[str, ...]
    documents: tuple[str, ...]
    upto: int


class Journal(Protocol):
    """A durable log with its inbox and its documents. All methods are for one scope, given when it was opened."""

    async def acquire(self, who: str, now: datetime) -> int:
        """Become the writer and return the new epoch. `JournalError` names the writer that holds it already, even if it is this."""
        ...

    async def release(self) -> None:
        """Stop being the writer."""
        ...

    async def writer(self) -> Writer | None:
        """Who is the live writer, if anyone."""
        ...

    async def append(
        self,
        expected_seq: int,
        rollout: str,
        at: datetime,
        body: bytes,
        *,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        drops: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> int:
        """Append one decision as row `expected_seq + 1` and return that number, once it is durable.

        In the same transaction: what an archive has by now (`archive`) goes from here, as `moving` says (a `Defect` if its rollouts have
        later rows), with the letters that those rows took and the snapshot; the documents of `drops` are forgotten (one that isn't there changes nothing), `documents`
        are kept under their digests, the inbox's `letters` are taken.
        Raises `StaleLease` if somebody else acquired the scope since, or the log has moved on, and `Defect` if a letter
        isn't waiting (no letter is decided on twice). After a `JournalError`, such as a full disk, only a
        fresh `read` tells whether the row was kept.

        Appends may be queued without awaiting each: they are done in the order of the calls, each `expected_seq` counts
        on the ones before it, and once one fails those that count on it fail too.
        """
        ...

    def read(self, after: int = 0) -> AsyncIterator[Row]:
        """Rows in order, those with `seq > after`, with those appended while it reads. Never all in memory at once.

        A row that is missing or can't be trusted raises `JournalError` naming it.
        """
        ...

    async def archive(self, moving: Moving, to: str, at: datetime) -> int:
        """Write what is moving into an archive of its own, named `to`, and return its number of rows once it is whole and durable.

        Nothing goes from here by that. An archive is a journal to be looked at: rows keep their numbers and their seals. One of that name
        that a process left which died before the rows went is replaced; any other is a `JournalError`.
        """
        ...

    async def document(self, digest: str) -> bytes:
        """A document kept with an append, such as the reviewed plan. `JournalError` if there is none."""
        ...

    async def snapshot(self) -> Snapshot | None:
        """The state that was kept last, if any. One that doesn't fit the log, or isn't what was kept, says so in `fault`."""
        ...

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep a state in the last one's place, after the appends that were asked for before. For the writer alone (`StaleLease`)."""
        ...

    async def tidy(self) -> None:
        """Give the space of what went back to the disk: for the writer alone, and as long as a copy of everything takes."""
        ...

    async def post(self, letter: Letter) -> None:
        """Put a command into the inbox; the only write that needs no lock. A second one of the same id changes nothing."""
        ...

    async def inbox(self) -> tuple[Letter, ...]:
        """Letters that no decision has taken yet, oldest first."""
        ...

    async def letters(self, beginning: str) -> tuple[str, ...]:
        """The ids of all letters that begin so, waiting or taken, in order."""
        ...

    async def taken(self, letter: str) -> int | None:
        """The row of the decision that took a letter; None while it waits, or if there is none of that id."""
        ...

    async def close(self) -> None:
        """Release the scope if held, and the file or connection."""
        ...
