"""Lists a page at a time. A cursor is a place in the list's own order, so that what comes or goes meanwhile moves nobody's place."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import orjson
from pydantic import Field

from orchestrator.web.models import Flaw, Page
from orchestrator.web.problems import Declined

T = TypeVar("T")

MOST: Final = 1_000
USUAL: Final = 100

Limit = Annotated[int, Field(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str, Field(max_length=500, description="`next` of the page before; without it, the first.")
]

Place = tuple[int | str, ...]
"""Where something stands in the order of its list. Places of one list are of one shape."""


@dataclass(frozen=True, slots=True)
class Paged:
    """What every list may be asked."""

    cursor: Cursor = ""
    limit: Limit = USUAL


def encode(place: Place) -> str:
    """A cursor for what comes after a place."""
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def decode(cursor: str, like: Place) -> Place:
    """The place of a cursor, of the shape of `like`. Raises `Declined` for what is no cursor of that list."""
    try:
        place = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    shape = [type(part) for part in like]
    if not isinstance(place, list) or [type(part) for part in place] != shape or not _bearable(place):
        flaw = Flaw(
            "?cursor", "is none of this list", "take it from `next` of the page before, or leave it away"
        )
        raise Declined("bad-request", "The parameters can't be understood.", flaws=[flaw])
    return tuple(place)


def _bearable(place: list[int | str]) -> bool:
    """Whether a journal can be asked for it: SQLite has no larger numbers."""
    return all(abs(part) < 1 << 63 for part in place if isinstance(part, int))


def page_of(
    items: Iterable[T], place: Callable[[T], Place], asked: Paged, *, first: Place, falling: bool = False
) -> Page[T]:
    """The page that is asked for, of items in the order of their places: rising, or falling from the last on.

    `first` is a place before all of them, and says how places look.
    """
    after = decode(asked.cursor, first) if asked.cursor else None
    found: list[T] = []
    for item in items:
        here = place(item)
        if after is not None and (here >= after if falling else here <= after):
            continue
        if len(found) == asked.limit:
            return Page(tuple(found), encode(place(found[-1])))
        found.append(item)
    return Page(tuple(found))
