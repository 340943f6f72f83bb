"""What an archive is made of: rows of a journal, as they stand there, with the gaps between them.

It is a journal file of the same format, so whatever reads a journal reads it: rows keep their numbers and their seals, and the gaps say
how the chain of seals goes on from one to the next.
"""

from __future__ import annotations

from orchestrator.store import gaps
from orchestrator.store.interfaces import Sql
from orchestrator.store.port import Moving
from orchestrator.store.tables import Copied, Tables, microseconds


def copy_out(source: Tables, sql: Sql, archive: Sql, moving: Moving, mark: Copied) -> int:
    """Write what is moving into an empty journal, over its connection; `sql` is that of the source. The number of rows."""
    key, scope = source.key(), source.scope
    (mine,) = archive.execute("INSERT INTO names (name) VALUES (?) RETURNING id", (scope,))
    count, last, seal, epoch = 0, 0, 0, 0
    numbers: dict[str, int] = {scope: mine[0]}
    rows = sql.execute(
        "SELECT e.seq, e.epoch, n.name, e.at, e.body, e.seal FROM events e JOIN names n ON n.id = e.rollout"
        " WHERE e.scope = ? AND e.seq <= ? AND n.name IN (SELECT value FROM json_each(?)) ORDER BY e.seq",
        (key, moving.upto, gaps.listed(moving.rollouts)),
    )
    for seq, written_by, rollout, at, body, said in rows:
        if seq != last + 1:
            gaps.write(archive, mine[0], scope, gaps.Gap(last + 1, seq - 1, source.seal_at(seq - 1)), seal)
        if rollout not in numbers:
            ((numbers[rollout],),) = archive.execute(
                "INSERT INTO names (name) VALUES (?) RETURNING id", (rollout,)
            )
        archive.execute(
            "INSERT INTO events (scope, seq, epoch, rollout, at, body, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (mine[0], seq, written_by, numbers[rollout], at, body, said),
        )
        count, last, seal, epoch = count + 1, seq, said, written_by
    archive.execute(
        "INSERT INTO scopes (scope, epoch, seq, seal) VALUES (?, ?, ?, ?)", (scope, epoch, last, seal)
    )
    for digest, body in sql.execute(
        "SELECT digest, body FROM documents WHERE digest IN (SELECT value FROM json_each(?))",
        (gaps.listed(moving.documents),),
    ):
        archive.execute("INSERT INTO documents (digest, body) VALUES (?, ?)", (digest, body))
    archive.execute("INSERT INTO archive_of (of, at) VALUES (?, ?)", (mark.of, microseconds(mark.at)))
    return count


def read_through(archive: Tables) -> None:
    """Hold each row of an archive to its seal. Raises `JournalError` for one that isn't as it was decided."""
    after, seal = 0, None
    while True:
        page = archive.page(after, seal)
        if page.complete:
            return
        after, seal = page.rows[-1].seq, page.seal


def is_left_over(source: Tables, archive: Tables) -> bool:
    """Whether an archive's rows are all in the journal still: the process that made it died before they went."""
    whose = archive.archive_of()
    if whose is None:
        return False
    (last, seal) = archive.end()
    return last == 0 or source.has(last, seal)
