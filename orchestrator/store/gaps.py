"""Where rows of a log went: runs of rows that are in an archive, and how the chain of seals goes on over them.

A run stands as one gap: its first and its last row, the seal of that last one, and a check of its own over these, which begins with the seal
of the row before. So a gap can't be put in, moved or changed unnoticed, as a row can't. Two gaps never touch: what is taken out
beside one makes it longer. An archive has the same gaps the other way round: where the rows are that it doesn't have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from orchestrator.store.interfaces import Sql
from orchestrator.store.port import Moving


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows `first` to `last` went; `seal` is that of `last`."""

    first: int
    last: int
    seal: int

    def check(self, scope: str, before: int) -> int:
        """What makes a gap that was changed show itself; `before` is the seal of the row before it."""
        return crc32(f"{scope}\x1f{self.first}\x1f{self.last}\x1f{self.seal}".encode(), before)


def gap_at(sql: Sql, key: int | str, seq: int) -> tuple[Gap, int] | None:
    """The gap that row `seq` is in, and the check that was written down with it."""
    found = sql.execute(
        'SELECT first, last, seal, "check" FROM gaps WHERE scope = ? AND first <= ? ORDER BY first DESC LIMIT 1',
        (key, seq),
    ).fetchone()
    if found is None or seq > found[1]:
        return None
    return Gap(*found[:3]), int(found[3])


def runs(rows: Iterable[tuple[int, int]]) -> Iterator[Gap]:
    """Rows (number, seal) in order, as runs without a hole."""
    first = last = seal = 0
    for seq, said in rows:
        if seq != last + 1 or not first:
            if first:
                yield Gap(first, last, seal)
            first = seq
        last, seal = seq, said
    if first:
        yield Gap(first, last, seal)


def write(sql: Sql, key: int | str, scope: str, gap: Gap, before: int) -> None:
    """Write a gap down."""
    sql.execute(
        'INSERT INTO gaps (scope, first, last, seal, "check") VALUES (?, ?, ?, ?, ?)',
        (key, gap.first, gap.last, gap.seal, gap.check(scope, before)),
    )


_OF = "scope = ? AND rollout IN (SELECT id FROM names WHERE name IN (SELECT value FROM json_each(?)))"


def came_after(sql: Sql, key: int | str, moving: Moving) -> bool:
    """Whether rollouts that are to go have rows that no archive has."""
    found = sql.execute(
        f"SELECT 1 FROM events WHERE {_OF} AND seq > ? LIMIT 1",  # noqa: S608 - of constants
        (key, listed(moving.rollouts), moving.upto),
    )
    return found.fetchone() is not None


def take_out(sql: Sql, key: int | str, scope: str, moving: Moving, seal_at: Callable[[int], int]) -> None:
    """Delete what an archive has: rows, documents, the letters that these rows took. The chain of seals goes on over the gaps."""
    of = (key, listed(moving.rollouts))
    gone = list(runs(sql.execute(f"SELECT seq, seal FROM events WHERE {_OF} ORDER BY seq", of)))  # noqa: S608 - of constants
    sql.execute(f"DELETE FROM events WHERE {_OF}", of)  # noqa: S608 - of constants
    _open_gaps(sql, key, scope, gone, seal_at)
    sql.execute(
        "DELETE FROM documents WHERE digest IN (SELECT value FROM json_each(?))", (listed(moving.documents),)
    )
    sql.execute(
        "DELETE FROM inbox WHERE scope = ? AND taken_by IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM events WHERE events.scope = ? AND events.seq = inbox.taken_by)",
        (scope, key),
    )
    sql.execute("DELETE FROM snapshots WHERE scope = ?", (scope,))  # it may need what went


def _open_gaps(
    sql: Sql, key: int | str, scope: str, gone: Sequence[Gap], seal_at: Callable[[int], int]
) -> None:
    """Write down that these runs went, each as one gap with those that it touches. Their rows are gone by now."""
    waiting: Gap | None = None
    for gap in gone:
        grown = _grown(sql, key, gap)
        if waiting is not None and waiting.last >= grown.first - 1:
            grown = Gap(waiting.first, grown.last, grown.seal)
        elif waiting is not None:
            write(sql, key, scope, waiting, seal_at(waiting.first - 1))
        waiting = grown
    if waiting is not None:
        write(sql, key, scope, waiting, seal_at(waiting.first - 1))


def _grown(sql: Sql, key: int | str, gap: Gap) -> Gap:
    """The gap with its neighbours of before, which it takes the place of."""
    before, after = gap_at(sql, key, gap.first - 1), gap_at(sql, key, gap.last + 1)
    for old in (before, after):
        if old is not None:
            sql.execute("DELETE FROM gaps WHERE scope = ? AND first = ?", (key, old[0].first))
    first = before[0].first if before else gap.first
    return Gap(first, after[0].last, after[0].seal) if after else Gap(first, gap.last, gap.seal)


def listed(names: Iterable[object]) -> str:
    """Values as one parameter of a statement, to be read with `json_each`."""
    return json.dumps(list(names))
