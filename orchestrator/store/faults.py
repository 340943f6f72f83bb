"""What can be wrong with a journal file, in words: what it is, and what to do.

SQLite's own names for errors stand here as text, so that the words are in one place and the database driver in another.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import JournalError

RESTORE = (
    "nothing was repaired: restore it from a backup, or move it away and look at "
    "the machines that were in flight before you start anew"
)
FOLDER = "keep it on a local disk, in a folder that exists and that this user may write to"

# By the beginning of SQLite's name for the error (https://sqlite.org/rescode.html).
_MEANINGS = {
    "SQLITE_NOTADB": ("isn't a SQLite file, so no journal", "name another file; this one wasn't touched"),
    "SQLITE_CORRUPT": ("is damaged", RESTORE),
    "SQLITE_FULL": ("can't grow, the disk is full", "free some space and run the same command again"),
    "SQLITE_BUSY": ("is locked by another program", "close what has it open, such as a database browser"),
    "SQLITE_READONLY": ("can't be written", FOLDER),
    "SQLITE_CANTOPEN": ("can't be opened", FOLDER),
    "SQLITE_PERM": ("can't be opened", FOLDER),
    "SQLITE_IOERR": (
        "can't be read or written, the disk failed",
        "see the system's log, then run the same command",
    ),
}

# The same of a file that is only to be read: SQLite keeps an index of the write-ahead log beside it, for readers as well.
_READONLY = "SQLITE_READONLY"
_TO_READERS = (
    "can't be read where nothing may be written beside it",
    "run as the user who owns it, or copy it, and what is beside it, to a folder of yours and look there",
)


def fault(path: Path, what: str, instead: str) -> JournalError:
    """One message: `path`, what is wrong with it, what to do."""
    return JournalError(f"{path}: {what}; {instead}")


def row_fault(path: Path, scope: str, seq: int, what: str) -> JournalError:
    """The same for a row that can't be trusted."""
    return fault(path, f"row {seq} of scope {scope!r} {what}", RESTORE)


def driver_fault(path: Path, name: str, words: str, *, reading: bool = False) -> JournalError:
    """The same for an error of SQLite, by its `name`; its own `words` go along. `reading`: nothing was to be written."""
    if reading and name.startswith(_READONLY):
        what, instead = _TO_READERS
    else:
        what, instead = next(
            (meaning for start, meaning in _MEANINGS.items() if name.startswith(start)),
            ("isn't whole", RESTORE),
        )
    return fault(path, f"{what} ({words})", instead)
