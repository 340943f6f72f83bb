"""From an older file format to the present one, in one transaction: on the disk there is the one or the other, whenever a process dies.

Rows keep their numbers, bodies and seals: the chain of checksums goes on unbroken, and whoever reads it afterwards checks it. Facts
in the bodies stay as they were written; the codec reads them.
"""

from __future__ import annotations

from orchestrator.store.interfaces import Sql
from orchestrator.store.tables import FIRST_FORMAT, FORMAT, format_of

_SINCE_3 = ("CREATE TABLE gaps", "CREATE TABLE archive_of")
_OLD = ("scopes", "events", "inbox", "documents")


def upgrade(sql: Sql, schema: str) -> bool:
    """Rewrite the tables by `schema`, the present one. To be called within a transaction, with foreign keys off.

    False: there was nothing to do.
    """
    if format_of(sql) == FORMAT:
        return False
    if format_of(sql) == FIRST_FORMAT:
        _rewrite(sql, schema)
    else:
        for statement in _statements(schema):
            if statement.startswith(_SINCE_3):
                sql.execute(statement)
    sql.execute(f"PRAGMA user_version = {FORMAT}")
    return True


def _rewrite(sql: Sql, schema: str) -> None:
    """From the first form, which had names in its rows."""
    sql.execute("DROP INDEX inbox_waiting")
    for table in _OLD:
        sql.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in _statements(schema):
        sql.execute(statement)
    sql.execute("INSERT INTO scopes SELECT scope, epoch, seq, seal FROM old_scopes")
    sql.execute("INSERT INTO names (name) SELECT scope FROM old_scopes UNION SELECT rollout FROM old_events")
    sql.execute(
        "INSERT INTO events SELECT s.id, e.seq, e.epoch, r.id, e.at, e.body, e.seal FROM old_events e"
        " JOIN names s ON s.name = e.scope JOIN names r ON r.name = e.rollout ORDER BY e.scope, e.seq"
    )
    sql.execute(
        "INSERT INTO inbox (arrival, scope, id, at, who, command, taken_by)"
        " SELECT arrival, scope, id, at, who, command, taken_by FROM old_inbox"
    )
    sql.execute("INSERT INTO documents SELECT digest, body FROM old_documents")
    for table in ("inbox", "events", "documents", "scopes"):
        sql.execute(f"DROP TABLE old_{table}")


def _statements(schema: str) -> list[str]:
    lines = [line for line in schema.splitlines() if not line.startswith("--")]
    return [one for one in (part.strip() for part in "\n".join(lines).split(";")) if one]
