"""The file in which assessments are kept, beside the journal."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.service import kept
from orchestrator.service.kept import Kept, Lines
from orchestrator.wiring.files import make_folder, state_folder, write_bytes

NAME: Final = "assessments.jsonl"


def assessments_path() -> Path:
    """`$WAVEKEEPER_ASSESSMENTS`, else this user's own."""
    named = os.environ.get("WAVEKEEPER_ASSESSMENTS")
    return Path(named) if named else state_folder(dict(os.environ)) / NAME


def read_assessments(path: Path) -> tuple[Kept, ...]:
    """What is kept; nothing if there is no such file. Raises `UsageError`."""
    try:
        return kept.read(path.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"the assessments in {path} can't be read: {error.strerror or error}") from None


def with_kept(inventory: Inventory, endpoint: str) -> Inventory:
    """The inventory with what earlier assessments told of its machines, as far as that still holds."""
    return kept.with_kept(inventory, read_assessments(assessments_path()), endpoint)


class Keeper:
    """Appends to the file; what was appended outlives the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines = Lines()

    def keep(self, one: Kept) -> None:
        """Add an assessment. Raises `UsageError` when the disk is full, say."""
        try:
            self._file.write(self._lines.of(one))
            self._file.flush()
        except OSError as error:
            raise UsageError(f"{self._file.name} can't be written: {error.strerror or error}") from None


@contextlib.contextmanager
def keeping(path: Path, now: datetime) -> Iterator[Keeper]:
    """The file, open for more; without what is too old or was said anew since, unless another process adds to it. Raises `UsageError`."""
    make_folder(path.parent)
    with contextlib.ExitStack() as open_files:
        try:
            lock = open_files.enter_context(path.with_name(f".{path.name}.lock").open("ab"))
            if _alone(lock):
                _tidy(path, now)
            fcntl.flock(lock, fcntl.LOCK_SH)  # nobody tidies from here on
            file = open_files.enter_context(path.open("ab"))
        except OSError as error:
            raise UsageError(f"{path} can't be written: {error.strerror or error}") from None
        yield Keeper(file)


def _alone(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tidy(path: Path, now: datetime) -> None:
    lines = Lines()
    if held := read_assessments(path):
        write_bytes(path, b"".join(lines.of(one) for one in kept.worth_keeping(held, now)))
