"""What the API alone has. Everything else that it answers is a dataclass of `service/`, as the command line prints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import StringConstraints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. `next` goes into `?cursor=` for the part that follows; null: this is the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """One of several things that are wrong: where, what, and what to write instead."""

    place: str
    what: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """Why a request came to nothing, as RFC 9457 has it. `type` is a page of docs/api.md; `detail` is for the person who asked."""

    type: str
    title: str
    status: int
    detail: str
    problems: tuple[Flaw, ...] = ()


VISIBLE: Final = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
"""A line of text that begins with something to see, and can't forge other lines where it is printed."""

Line = Annotated[str, StringConstraints(max_length=1_000, pattern=VISIBLE)]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody wants it: it stands in the journal beside their name."""

    reason: Line


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the facts that were written down, in words. `seq` is the journal's row that has them."""

    seq: int
    rollout: str
    at: datetime
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Me:
    """Whom the request comes from, as its token or session says; and the cloud's time, which all moments are told in."""

    name: str
    verbs: tuple[str, ...]  # what this person may do somewhere
    at: datetime


@dataclass(frozen=True, slots=True)
class Coming:
    """A campaign in the calendar. `due`: its moment has come, and nothing was opened for it yet; `waits` says why."""

    campaign: str
    act: bool  # False: it is only observed
    next: datetime | None
    due: datetime | None = None
    missed: datetime | None = None
    waits: str = ""


@dataclass(frozen=True, slots=True)
class CommitTold:
    """A commit of the policies. `problems`: why it doesn't count."""

    id: str
    author: str
    at: datetime
    subject: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoliciesTold:
    """How the branch of the policies stands: the commit that counts, and the newest where that one doesn't."""

    source: str
    branch: str
    counts: CommitTold | None
    accepted_at: datetime | None
    bad: CommitTold | None
    unreachable: str = ""
    unreachable_since: datetime | None = None
    rewritten: str = ""


@dataclass(frozen=True, slots=True)
class GrantTold:
    """A machine that would have been granted, and when."""

    machine: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ObservationTold:
    """A moment of a campaign that may not act: what its rollout would have come to."""

    campaign: str
    due: datetime
    status: str
    cause: str
    done: int
    ended: datetime | None
    grants: tuple[GrantTold, ...] = ()
