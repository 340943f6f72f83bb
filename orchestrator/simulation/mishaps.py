"""What may happen to Wavekeeper itself, as values that are written and read as short words: `crash@133/240s`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import UsageError


class What(StrEnum):
    """A kind of mishap."""

    CRASH = "crash"  # the process dies, and is started again after that time
    LATE = "late"  # it dies with a request on its way, which arrives that much later
    FULL_DISK = "full_disk"  # a row can't be written; the process ends, and is started again after that time
    LOCKED = "locked"  # the row was kept, but the writer is told that the database was locked
    TWIN = "twin"  # the same command is started a second time beside it
    LOST_LOCK = "lost_lock"  # ... and gets the lock, since the first one's was lost without its knowing
    CLOCK = "clock"  # its clock jumps ahead, or back where the time is negative
    QUORUM = "quorum"  # whatever is asked about groups of machines says for that long that they aren't well


_WORDS = re.compile(r"(?P<what>[a-z_]+)@(?P<at>\d+)(?:/(?P<seconds>-?\d+)s)?")


@dataclass(frozen=True, slots=True, order=True)
class Mishap:
    """Happens at the boundary of that number, or at the first one after it where it can."""

    at: int
    what: What
    seconds: int = 0

    def __str__(self) -> str:
        return f"{self.what}@{self.at}" + (f"/{self.seconds}s" if self.seconds else "")


def read_mishaps(text: str) -> tuple[Mishap, ...]:
    """Mishaps as written, with commas between; `none` is none. Raises `UsageError` with what is wrong and what to write instead."""
    return (
        ()
        if text == "none"
        else tuple(sorted(_mishap(word.strip()) for word in text.split(",") if word.strip()))
    )


def _mishap(word: str) -> Mishap:
    found = _WORDS.fullmatch(word)
    if found is None or found["what"] not in list(What):
        kinds = ", ".join(What)
        raise UsageError(
            f"{word!r} is no mishap: write KIND@BOUNDARY or KIND@BOUNDARY/SECONDSs, such as crash@133/240s; kinds are {kinds}"
        )
    return Mishap(int(found["at"]), What(found["what"]), int(found["seconds"] or 0))


def write_mishaps(mishaps: tuple[Mishap, ...]) -> str:
    """As `read_mishaps` reads them."""
    return ",".join(map(str, mishaps))
