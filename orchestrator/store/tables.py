"""One scope's rows in the tables of `sql/schema.sql`, over a connection that somebody else opened.

Nothing here begins or ends a transaction: a write is part of one that others may share. So all that may refuse a write
comes before its first statement, and what refused has changed nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from orchestrator.errors import Defect, JournalError, StaleLease
from orchestrator.store.faults import RESTORE, fault, row_fault
from orchestrator.store.gaps import Gap, came_after, gap_at, take_out
from orchestrator.store.interfaces import Sql
from orchestrator.store.port import Letter, Moving, Row, Snapshot
from orchestrator.store.seal import NO_ROW, seal_of

_PAGE_ROWS = 1_000  # read at once: some 3 ms of CPU
_PAGE_BYTES = 4 << 20
FIRST_FORMAT = 1  # names stood in the rows
GAPS_FORMAT = 3  # rows may be in an archive
FORMAT = 3  # `user_version`, in the file's header

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one append asks for. `at_us`: see `microseconds`."""

    epoch: int
    expected_seq: int
    rollout: str
    at_us: int
    body: bytes
    documents: Mapping[str, bytes]
    letters: Sequence[str]
    drops: Sequence[str] = ()
    moving: Moving | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order, and the seal of the last; `complete` when the log ended with them."""

    rows: list[Row]
    seal: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Copied:
    """A file's word that it is a copy: of which journal, and when it was taken."""

    of: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of the log, as its scope counts it."""

    epoch: int
    seq: int
    seal: int


def format_of(sql: Sql) -> int:
    """The file's format, as its header says."""
    return int(sql.execute("PRAGMA user_version").fetchone()[0])


def microseconds(at: datetime) -> int:
    """A time as it is stored, exactly: microseconds since 1970 in UTC. A time without a zone is a TypeError."""
    return (at - _DAWN) // _MICROSECOND


class Tables:
    """The rows of `scope`; `path` is for messages."""

    def __init__(self, sql: Sql, path: Path, scope: str) -> None:
        self._sql = sql
        self._path = path
        self.scope = scope
        self._names: dict[int | str, str] = {}  # of rollouts, as they were read

    def next_epoch(self) -> int:
        """Begin an epoch and return it. The log must end where its scope says: nobody writes on after a lost row."""
        head = self._head()
        last = self._sql.execute(
            "SELECT seq, seal FROM events WHERE scope = ? ORDER BY seq DESC LIMIT 1", (self.key(),)
        ).fetchone()
        self._check_end(head, *(last or (0, NO_ROW)))
        self._number(self.scope)
        self._sql.execute(
            "INSERT INTO scopes (scope, epoch, seq, seal) VALUES (?, 1, 0, ?)"
            " ON CONFLICT (scope) DO UPDATE SET epoch = epoch + 1",
            (self.scope, NO_ROW),
        )
        return head.epoch + 1

    def append(self, entry: Entry) -> int:
        """Append a row with its documents, take its letters, return its number; see the port."""
        head = self._head()
        self._refuse(entry, head)
        if entry.moving is not None:
            take_out(self._sql, self.key(), self.scope, entry.moving, self.seal_at)
        seq = head.seq + 1
        seal = seal_of(head.seal, self.scope, seq, entry.epoch, entry.rollout, entry.at_us, entry.body)
        self._sql.execute(
            "INSERT INTO events (scope, seq, epoch, rollout, at, body, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._number(self.scope),
                seq,
                entry.epoch,
                self._number(entry.rollout),
                entry.at_us,
                entry.body,
                seal,
            ),
        )
        self._sql.execute("UPDATE scopes SET seq = ?, seal = ? WHERE scope = ?", (seq, seal, self.scope))
        for digest in entry.drops:
            self._sql.execute("DELETE FROM documents WHERE digest = ?", (digest,))
        for digest, body in entry.documents.items():
            self._sql.execute(
                "INSERT INTO documents (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (digest, zlib.compress(body, 1)),  # level 1: plans shrink to a tenth at 100 MB a second
            )
        for letter in entry.letters:
            self._sql.execute(
                "UPDATE inbox SET taken_by = ?, command = x'' WHERE scope = ? AND id = ?",
                (seq, self.scope, letter),
            )
        return seq

    def _refuse(self, entry: Entry, head: _Head) -> None:
        if entry.epoch != head.epoch:
            raise StaleLease(
                f"{self._path}: another process became the writer (epoch {head.epoch}, this one's is {entry.epoch})"
            )
        if entry.expected_seq != head.seq:
            raise StaleLease(
                f"{self._path}: row {entry.expected_seq + 1} can't follow row {head.seq}, the last one: "
                "an append before it failed, or it was decided on a log that has moved on"
            )
        for letter in entry.letters:
            waits = self._sql.execute(
                "SELECT 1 FROM inbox WHERE scope = ? AND id = ? AND taken_by IS NULL", (self.scope, letter)
            ).fetchone()
            if waits is None:
                raise Defect(f"letter {letter!r} isn't in the inbox, or a decision has taken it already")
        if entry.moving is not None and came_after(self._sql, self.key(), entry.moving):
            raise Defect("rows came after what was archived: they would be in no file")

    def post(self, letter: Letter) -> None:
        """Put a letter into the inbox; one whose id was there before changes nothing."""
        self._sql.execute(
            "INSERT INTO inbox (scope, id, at, who, command) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (self.scope, letter.id, microseconds(letter.at), letter.who, letter.command),
        )

    def inbox(self) -> tuple[Letter, ...]:
        """Letters that no decision has taken, in the order in which they came."""
        rows = self._sql.execute(
            "SELECT id, at, who, command FROM inbox WHERE scope = ? AND taken_by IS NULL ORDER BY arrival",
            (self.scope,),
        )
        return tuple(Letter(id_, _DAWN + at * _MICROSECOND, who, command) for id_, at, who, command in rows)

    def letters(self, beginning: str) -> tuple[str, ...]:
        """Ids that begin so, found by the key's own order."""
        rows = self._sql.execute(
            "SELECT id FROM inbox WHERE scope = ? AND id >= ? AND id < ? ORDER BY id",
            (self.scope, beginning, beginning + chr(0x10FFFF)),
        )
        return tuple(id_ for (id_,) in rows)

    def taken(self, letter: str) -> int | None:
        """The row that took a letter; None while it waits, or if there is none of that id."""
        found = self._sql.execute(
            "SELECT taken_by FROM inbox WHERE scope = ? AND id = ?", (self.scope, letter)
        ).fetchone()
        return None if found is None or found[0] is None else int(found[0])

    def document(self, digest: str) -> bytes:
        """A document, unpacked."""
        found = self._sql.execute("SELECT body FROM documents WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            raise fault(self._path, f"has no document {digest}", RESTORE)
        try:
            return zlib.decompress(found[0])
        except (zlib.error, TypeError) as error:
            raise fault(self._path, f"has a damaged document {digest} ({error})", RESTORE) from error

    def keep(self, snapshot: Snapshot, epoch: int | None) -> None:
        """Keep a state in the last one's place. `StaleLease` for who isn't the writer, or speaks of another log."""
        head = self._head()
        if epoch != head.epoch or not 0 < snapshot.seq <= head.seq:
            raise StaleLease(f"{self._path}: a state after row {snapshot.seq} isn't the writer's to keep")
        body = zlib.compress(snapshot.body, 1)
        self._sql.execute(
            "INSERT OR REPLACE INTO snapshots (scope, seq, seal, form, digest, body) VALUES (?, ?, ?, ?, ?, ?)",
            (self.scope, snapshot.seq, self.seal_at(snapshot.seq), snapshot.form, _digest(body), body),
        )

    def snapshot(self) -> Snapshot | None:
        """The state that was kept last; `fault` says why it mustn't be used."""
        if format_of(self._sql) == FIRST_FORMAT:
            return None
        found = self._sql.execute(
            "SELECT seq, seal, form, digest, body FROM snapshots WHERE scope = ?", (self.scope,)
        ).fetchone()
        if found is None:
            return None
        seq, seal, form, digest, body = found
        try:
            if not isinstance(body, bytes) or _digest(body) != digest:
                return Snapshot(seq, form, b"", "it is damaged")
            if self.seal_at(seq) != seal:
                return Snapshot(seq, form, b"", f"row {seq} isn't the one that it was taken at")
            return Snapshot(seq, form, zlib.decompress(body))
        except (JournalError, zlib.error):
            return Snapshot(seq, form, b"", f"row {seq} isn't there")

    def is_older(self) -> bool:
        """Whether the file is of an older format than this version writes."""
        return format_of(self._sql) < FORMAT

    def copied(self) -> Copied | None:
        """Of which journal and when the file is a copy, if it is one."""
        if format_of(self._sql) == FIRST_FORMAT:
            return None
        found = self._sql.execute("SELECT of, at FROM copied ORDER BY at DESC LIMIT 1").fetchone()
        return Copied(str(found[0]), _DAWN + found[1] * _MICROSECOND) if found else None

    def archive_of(self) -> Copied | None:
        """Of which journal and since when the file is an archive, if it is one."""
        if format_of(self._sql) < GAPS_FORMAT:
            return None
        found = self._sql.execute("SELECT of, at FROM archive_of").fetchone()
        return Copied(str(found[0]), _DAWN + found[1] * _MICROSECOND) if found else None

    def mark_copied(self, mark: Copied) -> None:
        """Have the file say that it is a copy. A file of the first format can't; it isn't written before it is upgraded."""
        if format_of(self._sql) != FIRST_FORMAT:
            self._sql.execute("INSERT INTO copied (of, at) VALUES (?, ?)", (mark.of, microseconds(mark.at)))

    def forget_copied(self) -> None:
        """What wasn't known of a copy is settled."""
        self._sql.execute("DELETE FROM copied")

    def page(self, after: int, seal: int | None) -> Page:
        """Some rows from `after` on, each checked; `seal` is that of row `after`, None if it isn't known yet.

        Good rows before a bad one are a page of their own; the next one raises.

        To be called within one snapshot, so that rows and scope are of the same moment.
        """
        head = self._head()
        if seal is None:
            if after > head.seq:
                return Page([], NO_ROW, complete=True)
            if (gap := self._gap(after)) is not None:
                after = gap.last
            seal = self.seal_at(after)
        rows: list[Row] = []
        size = 0
        for seq, epoch, number, at_us, body, said in self._sql.execute(
            "SELECT seq, epoch, rollout, at, body, seal FROM events WHERE scope = ? AND seq > ? ORDER BY seq",
            (self.key(), after),
        ):
            rollout = self._names.get(number) or self._name(number)
            before, chain = after, seal
            if seq != after + 1 and (gap := self._gap(after + 1)) is not None:
                before, chain = gap.last, gap.seal
            if seq != before + 1:
                if rows:
                    break
                raise row_fault(self._path, self.scope, before + 1, "is missing")
            # A hand that edits may leave a text for bytes or for a number: the check comes before any conversion.
            if not isinstance(body, bytes) or said != seal_of(
                chain, self.scope, seq, epoch, rollout, at_us, body
            ):
                if rows:
                    break
                raise row_fault(self._path, self.scope, seq, "is damaged or was changed")
            rows.append(Row(seq, epoch, rollout, _DAWN + at_us * _MICROSECOND, body))
            after, seal, size = seq, said, size + len(body)
            if len(rows) >= _PAGE_ROWS or size >= _PAGE_BYTES:
                return Page(rows, seal, complete=False)
        else:
            if not rows or (after, seal) == (head.seq, head.seal):
                self._check_end(head, after, seal)
                return Page(rows, seal, complete=True)
        return Page(rows, seal, complete=False)

    def _number(self, name: str) -> int:
        """The number of a name, which it gets now if it has none."""
        found = self._sql.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()
        if found is None:
            self._sql.execute("INSERT INTO names (name) VALUES (?)", (name,))
            return self._number(name)
        return int(found[0])

    def key(self) -> int | str:
        """What stands for the scope in its rows: its number, or its name in a file of format 1."""
        if format_of(self._sql) == FIRST_FORMAT:
            return self.scope
        found = self._sql.execute("SELECT id FROM names WHERE name = ?", (self.scope,)).fetchone()
        return int(found[0]) if found else -1

    def _name(self, number: int | str) -> str:
        """The name that a row has by its number; format 1 has it in the row. A number without a name breaks the row's seal."""
        found = (
            self._sql.execute("SELECT name FROM names WHERE id = ?", (number,)).fetchone()
            if isinstance(number, int)
            else (number,)
        )
        name = str(found[0]) if found else ""
        self._names[number] = name
        return name

    def _head(self) -> _Head:
        found = self._sql.execute(
            "SELECT epoch, seq, seal FROM scopes WHERE scope = ?", (self.scope,)
        ).fetchone()
        return _Head(*found) if found else _Head(0, 0, NO_ROW)

    def end(self) -> tuple[int, int]:
        """The number and the seal of the last row, as the scope counts it."""
        head = self._head()
        return head.seq, head.seal

    def has(self, seq: int, seal: int) -> bool:
        """Whether a row is here, with this seal."""
        found = self._sql.execute(
            "SELECT 1 FROM events WHERE scope = ? AND seq = ? AND seal = ?", (self.key(), seq, seal)
        )
        return found.fetchone() is not None

    def seal_at(self, seq: int) -> int:
        """The seal of a row, be it here or the last of those that went. `JournalError` if it is missing."""
        if not seq:
            return NO_ROW
        found = self._sql.execute(
            "SELECT seal FROM events WHERE scope = ? AND seq = ?", (self.key(), seq)
        ).fetchone()
        if found is not None:
            return int(found[0])
        gap = self._gap(seq)
        if gap is None or gap.last != seq:
            raise row_fault(self._path, self.scope, seq, "is missing")
        return gap.seal

    def _gap(self, seq: int) -> Gap | None:
        """The gap that a row is in, held to its check; None if it went nowhere."""
        if format_of(self._sql) < GAPS_FORMAT:
            return None
        found = gap_at(self._sql, self.key(), seq)
        if found is None:
            return None
        gap, check = found
        if check != gap.check(self.scope, self.seal_at(gap.first - 1)):
            raise row_fault(
                self._path, self.scope, gap.first, "went into an archive, and the note of it is damaged"
            )
        return gap

    def _check_end(self, head: _Head, seq: int, seal: int) -> None:
        """The log must end where its scope says."""
        if seq < head.seq:
            raise row_fault(self._path, self.scope, seq + 1, "is missing")
        if seq > head.seq:
            raise row_fault(self._path, self.scope, head.seq + 1, "is there, but was never counted")
        if seal != head.seal:
            raise row_fault(self._path, self.scope, seq, "is damaged or was changed")


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()
