"""The journal in memory, for simulation and tests: what it promises is what the journals on disk promise.

A `MemoryDisk` is what survives when a process dies; a `MemoryJournal` is what one process has of it.
"""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.errors import Defect, JournalError, StaleLease
from orchestrator.store.port import Letter, Row, Snapshot, Writer

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)


class Crashed(BaseException):
    """The process died here. Not an error: nobody handles it, it ends what runs, as a `kill -9` does."""


@dataclass(slots=True)
class _Scope:
    epoch: int = 0
    holder: Writer | None = None
    rows: list[Row] = field(default_factory=list)
    letters: dict[str, Letter] = field(default_factory=dict)  # all there ever were, in the order they came
    snapshot: Snapshot | None = None
    taken: dict[str, int] = field(default_factory=dict)  # letter -> the row that took it


@dataclass(slots=True)
class MemoryDisk:
    """Scopes and documents; any number of journals may be opened on it, one after another or side by side."""

    scopes: dict[str, _Scope] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

    def let_go(self) -> None:
        """Whoever wrote is dead, and their locks with them."""
        for scope in self.scopes.values():
            scope.holder = None


class MemoryJournal:
    """`Journal` on a `MemoryDisk` (one of its own, if none is given).

    For crash tests: the `crash_at`-th append of this object (counted from 1) raises `Crashed`, before its row is
    durable or, with `crash_durable`, after. From then on the object is a dead process: its lock is
    free, whatever is still asked of it raises `Crashed` again and reaches nothing, and `close` does nothing.
    """

    def __init__(
        self,
        shared: MemoryDisk | None = None,
        scope: str = "default",
        *,
        crash_at: int | None = None,
        crash_durable: bool = False,
    ) -> None:
        self._disk = shared if shared is not None else MemoryDisk()
        self._scope = self._disk.scopes.setdefault(scope, _Scope())
        self._epoch: int | None = None  # None: this object isn't the writer
        self._lock: Writer | None = None
        self._appends = 0
        self._crash_at = crash_at
        self._crash_durable = crash_durable
        self._crashed = False
        self._closed = False

    async def acquire(self, who: str, now: datetime) -> int:
        """Take the scope's lock and begin an epoch."""
        self._check_open()
        if (holder := self._scope.holder) is not None:
            raise JournalError(
                f"{holder.who}, process {holder.pid} on {holder.host}, has been writing this journal since "
                f"{holder.since:%Y-%m-%d %H:%M:%S} UTC; release it there first"
            )
        self._lock = self._scope.holder = Writer(who, platform.node(), os.getpid(), now.astimezone(UTC))
        self._scope.epoch += 1
        self._epoch = self._scope.epoch
        return self._epoch

    async def release(self) -> None:
        """Give the lock back."""
        self._check_open()
        self._drop_lock()

    async def writer(self) -> Writer | None:
        """Who holds the lock."""
        self._check_open()
        return self._scope.holder

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
    ) -> int:
        """Append one decision; see the port."""
        self._check_open()
        self._appends += 1
        dies = self._appends == self._crash_at
        if dies and not self._crash_durable:
            self._crash()
        self._refuse(expected_seq, letters)
        assert self._epoch is not None
        seq = expected_seq + 1
        self._scope.rows.append(Row(seq, self._epoch, rollout, _in_utc(at), body))
        for digest in drops:
            self._disk.documents.pop(digest, None)
        for digest, document in (documents or {}).items():
            self._disk.documents.setdefault(digest, document)
        self._scope.taken.update(dict.fromkeys(letters, seq))
        if dies:
            self._crash()
        return seq

    async def read(self, after: int = 0) -> AsyncIterator[Row]:
        """Rows in order, with those that are appended meanwhile."""
        self._check_open()
        while after < len(self._scope.rows):
            yield self._scope.rows[after]
            after += 1

    async def document(self, digest: str) -> bytes:
        """A document."""
        self._check_open()
        if digest not in self._disk.documents:
            raise JournalError(f"the journal in memory has no document {digest}; it was never kept")
        return self._disk.documents[digest]

    async def snapshot(self) -> Snapshot | None:
        """The state that was kept last."""
        self._check_open()
        return self._scope.snapshot

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep a state in the last one's place."""
        self._check_open()
        if self._epoch != self._scope.epoch or not 0 < snapshot.seq <= len(self._scope.rows):
            raise StaleLease(f"a state after row {snapshot.seq} isn't the writer's to keep")
        self._scope.snapshot = snapshot

    async def post(self, letter: Letter) -> None:
        """Put a letter into the inbox."""
        self._check_open()
        self._scope.letters.setdefault(
            letter.id, Letter(letter.id, _in_utc(letter.at), letter.who, letter.command)
        )

    async def inbox(self) -> tuple[Letter, ...]:
        """Letters that wait, in the order in which they came."""
        self._check_open()
        return tuple(letter for id_, letter in self._scope.letters.items() if id_ not in self._scope.taken)

    async def taken(self, letter: str) -> int | None:
        """The row that took it."""
        self._check_open()
        return self._scope.taken.get(letter)

    async def close(self) -> None:
        """Release the scope if held."""
        self._drop_lock()
        self._closed = True

    def _refuse(self, expected_seq: int, letters: Sequence[str]) -> None:
        if self._epoch is None:
            raise StaleLease(
                "this isn't the journal's writer: it never acquired the scope, or has released it"
            )
        if self._epoch != self._scope.epoch:
            raise StaleLease(
                f"another process became the writer (epoch {self._scope.epoch}, this one's is {self._epoch})"
            )
        if expected_seq != len(self._scope.rows):
            raise StaleLease(
                f"row {expected_seq + 1} can't follow row {len(self._scope.rows)}, the last one: "
                "an append before it failed, or it was decided on a log that has moved on"
            )
        for letter in letters:
            if letter not in self._scope.letters or letter in self._scope.taken:
                raise Defect(f"letter {letter!r} isn't in the inbox, or a decision has taken it already")

    def _check_open(self) -> None:
        if self._crashed:
            raise Crashed("this process is dead already")
        if self._closed:
            raise Defect("the journal was closed already")

    def _drop_lock(self) -> None:
        if self._lock is not None and self._scope.holder is self._lock:
            self._scope.holder = None
        self._lock = self._epoch = None

    def _crash(self) -> None:
        self._drop_lock()
        self._crashed = True
        raise Crashed(
            f"crashed at append {self._appends}, {'after' if self._crash_durable else 'before'} its row"
        )


def _in_utc(at: datetime) -> datetime:
    """The same moment in UTC. A time without a zone is a TypeError."""
    return _DAWN + (at - _DAWN)
