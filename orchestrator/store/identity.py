"""What a journal file says it is, in its header, and its names in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.store.faults import RESTORE, fault
from orchestrator.store.interfaces import Sql
from orchestrator.store.tables import FIRST_FORMAT, FORMAT, Tables, format_of

APPLICATION_ID = 0x57_76_6B_70  # "Wvkp", in the file's header


def check_identity(sql: Sql, path: Path) -> None:
    """Refuse what isn't a journal of a format that this version reads."""
    (application,) = sql.execute("PRAGMA application_id").fetchone()
    version = format_of(sql)
    if application != APPLICATION_ID:
        raise fault(path, "is another program's file", "name another file; this one wasn't touched")
    if version > FORMAT:
        raise fault(
            path, f"is of a newer Wavekeeper (format {version}, this one knows {FORMAT})", "update Wavekeeper"
        )
    if version < FIRST_FORMAT:
        raise fault(path, f"says that it has format {version}, which never was", RESTORE)


def refuse_writing(sql: Sql, path: Path) -> None:
    """Refuse to write on where that needs a person's word first: a file of an older format, or a copy."""
    version = format_of(sql)
    if version < FORMAT:
        raise fault(
            path,
            f"was made by an older Wavekeeper (format {version}, this one writes {FORMAT}); it can be looked at as it is",
            "to go on with it: wavekeeper journal upgrade, which keeps the old file beside it",
        )
    if (whose := Tables(sql, path, "").archive_of()) is not None:
        raise fault(
            path,
            f"is an archive of {whose.of}, made on {whose.at:%Y-%m-%d %H:%M} UTC: its rollouts are over",
            "look at it as you like; what goes on, goes on in that journal",
        )
    mark = Tables(sql, path, "").copied()
    if mark is not None:
        raise fault(
            path,
            f"is a copy of {mark.of} as it was on {mark.at:%Y-%m-%d %H:%M} UTC, and doesn't know what was begun since",
            "look at it as you like; to go on from it: wavekeeper journal restore COPY, which begins nothing that may have been begun",
        )


def link(fresh: Path, path: Path) -> None:
    """Give a complete file its name, durably. `FileExistsError` if somebody was faster."""
    os.link(fresh, path)
    parent = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(parent)  # the name too must outlive a power cut
    finally:
        os.close(parent)


def beside(path: Path, suffix: str) -> Path:
    """The name of a file that belongs to `path`."""
    return path.with_name(path.name + suffix)
