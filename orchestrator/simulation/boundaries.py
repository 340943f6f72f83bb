"""Where Wavekeeper may die: before and after each row of the journal, and at each step of each request and each webhook.

Every such place has a number, counted from the beginning of the rollout over all processes that drive it, so that a run can
be told, and repeated, as a seed and a few numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from orchestrator.cloud.emulated import Passing
from orchestrator.emulator.audit import webhook_line
from orchestrator.emulator.call import Request
from orchestrator.errors import JournalError
from orchestrator.notify.port import Delivery
from orchestrator.store.around import JournalAround
from orchestrator.store.port import Journal, Moving


class Kind(StrEnum):
    """A kind of place."""

    BEFORE_ROW = "before row"
    AFTER_ROW = "after row"
    LEAVES = "before it is sent:"
    TAKEN = "taken, and not answered:"
    ANSWERED = "answered, and not recorded:"
    BEFORE_CALL = "before the webhook"
    AFTER_CALL = "after the webhook"


_PASSINGS = {
    Passing.LEAVES: Kind.LEAVES,
    Passing.TAKEN: Kind.TAKEN,
    Passing.ANSWERED: Kind.ANSWERED,
}


class Boundary(NamedTuple):
    """One place: its number from 1, what it is, and what of: words, or a `request` that is under way.

    A tuple, since many more are passed than anybody looks at.
    """

    number: int
    kind: Kind
    what: str
    request: Request | None = None

    @property
    def starts_work(self) -> bool:
        """Whether it is about a request that begins something."""
        return self.request is not None and self.request.method in ("POST", "PUT")

    def __str__(self) -> str:
        said = self.what if self.request is None else f"{self.request.method} {self.request.path}"
        return f"{self.kind} {said}"


class Died(SystemExit):
    """The process dies at this very place: the loop ends at once, and nothing that waited in it ever runs again."""


Visit = Callable[[Boundary], None]


@dataclass
class Boundaries:
    """Counts the places as they are passed, and has each visited. `visit` may raise `Died`, or `JournalError` at a row."""

    visit: Visit
    passed: int = 0

    def cross(self, kind: Kind, what: str, request: Request | None = None) -> None:
        """Come to a place."""
        self.passed += 1
        self.visit(Boundary(self.passed, kind, what, request))

    def watch(self, passing: Passing, request: Request) -> None:
        """Come to the three places of a request."""
        self.cross(_PASSINGS[passing], "", request)


@dataclass
class Acknowledged:
    """The rows that some process was told are durable. A journal that loses one of them breaks the first of all promises."""

    rows: dict[int, bytes] = field(default_factory=dict)
    conflicts: list[int] = field(default_factory=list)

    def add(self, seq: int, body: bytes) -> None:
        """A row was acknowledged."""
        if self.rows.setdefault(seq, body) != body:
            self.conflicts.append(seq)


class WatchedJournal(JournalAround):
    """Any journal, with a place before and after each row."""

    def __init__(self, journal: Journal, boundaries: Boundaries, acknowledged: Acknowledged) -> None:
        super().__init__(journal)
        self._boundaries = boundaries
        self._acknowledged = acknowledged
        self._failed = False

    async def append(
        self,
        expected_seq: int,
        rollout: str,
        at: datetime,
        body: bytes,
        *,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        drops: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> int:
        """As the journal. Once one row failed, those queued behind it fail too, as the port has it."""
        if self._failed:
            raise JournalError("an append before it failed")
        try:
            self._boundaries.cross(Kind.BEFORE_ROW, str(expected_seq + 1))
            seq = await super().append(
                expected_seq,
                rollout,
                at,
                body,
                documents=documents,
                letters=letters,
                drops=drops,
                moving=moving,
            )
            self._boundaries.cross(Kind.AFTER_ROW, str(seq))
        except JournalError:
            self._failed = True
            raise
        self._acknowledged.add(seq, body)
        return seq


@dataclass
class WatchedWebhooks:
    """Receivers of every name, with a place before and after each call, and a record of their own for the judge."""

    boundaries: Boundaries
    works: Callable[[str, str], bool]  # whether a call of this name under this key succeeds
    now: Callable[[], datetime]
    heard: list[bytes]

    def knows(self, name: str) -> bool:  # noqa: ARG002 - the port's
        """Whatever it is."""
        return True

    async def call(
        self,
        name: str,
        key: str,
        body: Mapping[str, Any],
        timeout_s: float,  # noqa: ARG002 - the port's
    ) -> Delivery:
        """Heard at once."""
        self.boundaries.cross(Kind.BEFORE_CALL, name)
        ok = self.works(name, key)
        self.heard.append(webhook_line(self.now(), name, key, body, ok=ok))
        self.boundaries.cross(Kind.AFTER_CALL, name)
        return Delivery(ok=ok, evidence="200" if ok else "503: not now")

    async def close(self) -> None:
        """Nothing is held."""
