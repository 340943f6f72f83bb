"""The lock that makes one process the writer: a file, locked by the kernel.

The kernel gives an `flock` back when the process that holds it ends, however it ends, so a lock is never stale. What
stands *in* the file is only for people and may be: it is believed only while somebody holds the lock. The file
is never removed: a second process could then lock a new file of the same name while a first one holds the old.

An `flock` belongs to the open file, not to the process, so two journals within one process exclude each other too.
Python opens files so that child programs don't inherit them; a child that did would keep the lock of a dead parent.
"""

from __future__ import annotations

import fcntl
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from orchestrator.errors import JournalError
from orchestrator.store.port import Writer

_LOOKS_TO_OUTWAIT = 200  # times 1 ms; a look at the lock lasts microseconds


class FileLock:
    """One lock file, held by this object or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, writer: Writer) -> None:
        """Hold the lock and say who does. `JournalError` names the process that holds it already."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(
                f"{self._path}: the lock can't be opened ({error.strerror}); "
                "make the journal's folder writable for this user"
            ) from error
        try:
            self._lock(file)
            text = orjson.dumps(
                {
                    "who": writer.who,
                    "host": writer.host,
                    "pid": writer.pid,
                    "since": writer.since.isoformat(),
                    "command": writer.command,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            os.pwrite(file, text, 0)
            os.ftruncate(file, len(text))
        except OSError as error:
            os.close(file)
            raise JournalError(
                f"{self._path}: can't be locked ({error.strerror}); keep the journal on a local disk with room to spare"
            ) from error
        except JournalError:
            os.close(file)
            raise
        self.drop()  # what was held before, if somebody removed that file: it locks nothing any more
        self._file = file

    def drop(self) -> None:
        """Let go, if held."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def holder(self) -> Writer | None:
        """Who holds the lock now, this process or another; None if nobody does. Makes no file."""
        try:
            file = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(
                f"{self._path}: the lock can't be read ({error.strerror}); ask as a user who may read it"
            ) from error
        try:
            return None if _try(file, fcntl.LOCK_SH) else _said_in(file)
        finally:
            os.close(file)

    def _lock(self, file: int) -> None:
        """Lock exclusively. Somebody who only looks holds a shared lock for a moment: that one is waited out."""
        for _ in range(_LOOKS_TO_OUTWAIT):
            if _try(file, fcntl.LOCK_EX):
                return
            if not _try(file, fcntl.LOCK_SH):
                break
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(0.001)
        holder = _said_in(file)
        typed = f" (`{holder.command}`)" if holder.command else ""
        raise JournalError(
            f"{self._path}: {holder.who}, process {holder.pid} on {holder.host}{typed}, has been writing this journal since "
            f"{holder.since:%Y-%m-%d %H:%M:%S} UTC; `wavekeeper status` shows what it does, the verbs (pause, abort, "
            "...) reach it, and the lock goes when that process ends"
        )


def _try(file: int, kind: int) -> bool:
    """Lock without waiting; whether that worked."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _said_in(file: int) -> Writer:
    """What the holder wrote. It may be about to: for that moment the holder is unknown."""
    try:
        said = orjson.loads(os.pread(file, 4096, 0))
        since = datetime.fromisoformat(said["since"])
        return Writer(said["who"], said["host"], said["pid"], since, said.get("command", ""))
    except (ValueError, KeyError, TypeError):
        return Writer("somebody", "an unknown host", 0, datetime.fromtimestamp(os.fstat(file).st_mtime, UTC))
