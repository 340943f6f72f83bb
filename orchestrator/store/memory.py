"""The journal in memory, for simulation and tests: what it promises is what the journals on disk promise.

A `MemoryDisk` is what survives when a process dies; a `MemoryJournal` is what one process has of it.
"""

from __future__ import annotations

import os
import platform
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from orchestrator.errors import Defect, JournalError, StaleLease
from orchestrator.store.port import Letter, Moving, Row, Snapshot, Writer

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
    seq: int = 0


@dataclass(slots=True)
class MemoryDisk:
    """Scopes and documents; any number of journals may be opened on it, one after another or side by side."""

    scopes: dict[str, _Scope] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    archives: dict[str, MemoryDisk] = field(default_factory=dict)

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
        self._name = scope
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
        moving: Moving | None = None,
    ) -> int:
        """Append one decision; see the port."""
        self._check_open()
        self._appends += 1
        dies = self._appends == self._crash_at
        if dies and not self._crash_durable:
            self._crash()
        self._refuse(expected_seq, letters, moving)
        assert self._epoch is not None
        self._scope.seq = seq = expected_seq + 1
        if moving is not None:
            self._move_out(moving)
        self._scope.rows.append(Row(seq, self._epoch, rollout, _in_utc(at), body))
        for digest in drops:
            self._disk.documents.pop(digest, None)
        for digest, document in (documents or {}).items():
            self._disk.documents.setdefault(digest, document)
        for letter in letters:
            self._scope.taken[letter] = seq
            self._scope.letters[letter] = replace(self._scope.letters[letter], command=b"")
        if dies:
            self._crash()
        return seq

    async def read(self, after: int = 0) -> AsyncIterator[Row]:
        """Rows in order, with those that are appended meanwhile."""
        self._check_open()
        place = bisect_right(self._scope.rows, after, key=_number)
        while place < len(self._scope.rows):
            row = self._scope.rows[place]
            yield row
            place += 1
            if place > len(self._scope.rows) or self._scope.rows[place - 1] is not row:  # some went meanwhile
                place = bisect_right(self._scope.rows, row.seq, key=_number)

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
        if self._epoch != self._scope.epoch or not 0 < snapshot.seq <= self._scope.seq:
            raise StaleLease(f"a state after row {snapshot.seq} isn't the writer's to keep")
        self._scope.snapshot = snapshot

    async def tidy(self) -> None:
        """Nothing holds space that nobody uses."""
        self._check_open()

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

    async def letters(self, beginning: str) -> tuple[str, ...]:
        """Ids of letters, waiting or taken."""
        return tuple(sorted(id_ for id_ in self._scope.letters if id_.startswith(beginning)))

    async def taken(self, letter: str) -> int | None:
        """The row that took it."""
        self._check_open()
        return self._scope.taken.get(letter)

    async def close(self) -> None:
        """Release the scope if held."""
        self._drop_lock()
        self._closed = True

    async def archive(self, moving: Moving, to: str, at: datetime) -> int:  # noqa: ARG002 - the port's
        """Write an archive onto the same disk; see the port."""
        self._check_open()
        left = self._disk.archives.get(to)
        here = set(map(_number, self._scope.rows))
        if left is not None and not all(row.seq in here for row in left.scopes[self._name].rows):
            raise JournalError(f"{to}: is there already; name another archive")
        rows = [row for row in self._scope.rows if row.rollout in moving.rollouts and row.seq <= moving.upto]
        scope = _Scope(rows=rows, seq=rows[-1].seq if rows else 0)
        kept = {
            digest: self._disk.documents[digest]
            for digest in moving.documents
            if digest in self._disk.documents
        }
        self._disk.archives[to] = MemoryDisk({self._name: scope}, kept)
        return len(rows)

    def _move_out(self, moving: Moving) -> None:
        """Delete what an archive has."""
        self._scope.rows = [row for row in self._scope.rows if row.rollout not in moving.rollouts]
        here = set(map(_number, self._scope.rows))
        for digest in moving.documents:
            self._disk.documents.pop(digest, None)
        for letter in [letter for letter, seq in self._scope.taken.items() if seq not in here]:
            del self._scope.taken[letter], self._scope.letters[letter]
        self._scope.snapshot = None

    def _refuse(self, expected_seq: int, letters: Sequence[str], moving: Moving | None) -> None:
        if self._epoch is None:
            raise StaleLease(
                "this isn't the journal's writer: it never acquired the scope, or has released it"
            )
        if self._epoch != self._scope.epoch:
            raise StaleLease(
                f"another process became the writer (epoch {self._scope.epoch}, this one's is {self._epoch})"
            )
        if expected_seq != self._scope.seq:
            raise StaleLease(
                f"row {expected_seq + 1} can't follow row {self._scope.seq}, the last one: "
                "an append before it failed, or it was decided on a log that has moved on"
            )
        for letter in letters:
            if letter not in self._scope.letters or letter in self._scope.taken:
                raise Defect(f"letter {letter!r} isn't in the inbox, or a decision has taken it already")
        if moving is not None and any(
            row.seq > moving.upto and row.rollout in moving.rollouts for row in self._scope.rows
        ):
            raise Defect("rows came after what was archived: they would be in no file")

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


def _number(row: Row) -> int:
    return row.seq


def _in_utc(at: datetime) -> datetime:
    """The same moment in UTC. A time without a zone is a TypeError."""
    return _DAWN + (at - _DAWN)
