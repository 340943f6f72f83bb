"""The journal that a command uses, and who it says it is."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.errors import JournalError, UsageError
from orchestrator.store.identity import link
from orchestrator.store.port import Journal
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.wiring.files import state_folder

__all__ = [
    "Journal",
    "archive_of",
    "back_up",
    "become_writer",
    "file_problems",
    "is_archive",
    "journal_path",
    "look_into",
    "open_existing",
    "open_journal",
    "restored",
    "upgrade",
    "whoami",
]


def journal_path(given: Path | None) -> Path:
    """`--journal`, else `$WAVEKEEPER_JOURNAL`, else this user's own: one journal is one scope, one count of what is out."""
    if given is not None:
        return given
    named = os.environ.get("WAVEKEEPER_JOURNAL")
    return Path(named) if named else state_folder(dict(os.environ)) / "journal.db"


async def open_journal(path: Path) -> Journal:
    """The journal, made if there is none. Raises `JournalError` for anything that isn't ours or isn't sound."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the journal's folder {path.parent} can't be made: {error.strerror}") from None
    return await SqliteJournal.open(path)


async def become_writer(journal: Journal, who: str, now: datetime) -> bool:
    """Take the journal's lock, unless another process has it. Raises `JournalError` for a journal that can't be written."""
    if await journal.writer() is not None:
        return False
    try:
        await journal.acquire(who, now)
    except JournalError:
        if await journal.writer() is None:
            raise
        return False  # another process was quicker
    return True


async def open_existing(path: Path) -> Journal:
    """A journal that must be there already: for verbs, which may write."""
    return await SqliteJournal.open(path, create=False)


async def look_into(path: Path) -> Journal:
    """The journal to read only. Raises `JournalError` if there is none."""
    return await SqliteJournal.read_only(path)


def archive_of(path: Path, number: int) -> Path:
    """Where the archive of that number lies, if nobody says: beside its journal."""
    return path.with_name(f"{path.stem}.archive-{number:04}{path.suffix}")


async def is_archive(path: Path) -> bool:
    """Whether the file is an archive of a journal. Raises `JournalError` for what is neither."""
    journal = await SqliteJournal.read_only(path)
    try:
        return await journal.archive_of() is not None
    finally:
        await journal.close()


async def file_problems(path: Path) -> list[str]:
    """What SQLite itself finds wrong with the file. Empty: nothing."""
    journal = await SqliteJournal.read_only(path)
    try:
        return await journal.file_problems()
    finally:
        await journal.close()


async def back_up(path: Path, to: Path, now: datetime) -> None:
    """Copy the journal at one moment. Raises `JournalError` if `to` is there already, or the disk fails."""
    journal = await SqliteJournal.read_only(path)
    try:
        await journal.back_up(to, now)
    finally:
        await journal.close()


async def upgrade(path: Path, kept: Path, who: str, now: datetime) -> bool:
    """Bring a journal of an older format to the present one, with the old file `kept`. False: it is of the present one."""
    journal = await SqliteJournal.open(path, create=False)
    try:
        if not await journal.is_older():
            return False
        await journal.back_up(kept, now)
        return await journal.upgrade(who, now)
    finally:
        await journal.close()


@asynccontextmanager
async def restored(copy: Path, to: Path, who: str, now: datetime) -> AsyncIterator[SqliteJournal]:
    """What a copy says, to be written by the block. It gets the name `to` once the block has settled what the copy doesn't know."""
    _refuse_to_replace(to)
    source = await SqliteJournal.read_only(copy)
    try:
        with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as folder:
            fresh = Path(folder) / to.name
            await source.back_up(fresh, now)
            journal = await SqliteJournal.open(fresh, create=False)
            try:
                await journal.upgrade(who, now)
                await journal.no_copy_any_more()
                await journal.acquire(who, now)
                yield journal
            finally:
                await journal.close()
            link(fresh, to)
    finally:
        await source.close()


def _refuse_to_replace(path: Path) -> None:
    if os.path.lexists(path):
        raise JournalError(f"{path}: is there already; move it away first: it may know what the copy doesn't")


def whoami() -> str:
    """Who acts, for the journal: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
