"""Copies of a world and a disk as they stand at a moment, cheap enough to take one at every boundary.

What never changes is shared between the original and its copies; only what does change is written down. So a copy is bytes,
and good in the process that took it and in forks of it, nowhere else.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

from orchestrator.emulator.call import Request
from orchestrator.emulator.catalogue import Patch
from orchestrator.emulator.dealing import Dealt
from orchestrator.emulator.faults import Faults
from orchestrator.emulator.installing import Course
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.rights import Rights
from orchestrator.emulator.signed_urls import Signer
from orchestrator.emulator.software import Software
from orchestrator.emulator.state import Happening
from orchestrator.emulator.throttle import Limit
from orchestrator.inventory.model import Machine
from orchestrator.simulation.mishaps import Mishap
from orchestrator.simulation.people import Word
from orchestrator.simulation.trial import Trial
from orchestrator.store.port import Letter, Row, Writer

SHARED: Final = (
    Calendar,
    Course,
    Dealt,
    Faults,
    Happening,
    Letter,
    Limit,
    Machine,
    MappingProxyType,
    Mishap,
    Patch,
    Request,
    Rights,
    Row,
    Signer,
    Software,
    Trial,
    Word,
    Writer,
)
"""Types whose values are never changed, nor anything in them."""


class Copies:
    """Takes copies, and keeps what they share."""

    def __init__(self) -> None:
        self._shared: list[object] = []
        self._places: dict[
            int, int
        ] = {}  # id of what is shared -> its place; it is kept, so its id stays its own
        self._table: dict[type, Callable[[Any], Any]] = dict.fromkeys(SHARED, self._share)

    def take(self, what: object) -> bytes:
        """What it is at this moment."""
        out = BytesIO()
        pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = self._table
        pickler.dump(what)
        return out.getvalue()

    def restore(self, taken: bytes) -> Any:
        """A copy of its own, which may be changed."""
        global _lender  # noqa: PLW0603 - what a pickle names must be found by name
        _lender = self._shared
        return pickle.loads(taken)  # noqa: S301 - taken by this very process, or the one that it was forked from

    def _share(self, what: object) -> tuple[Callable[[int], object], tuple[int]]:
        place = self._places.get(id(what))
        if place is None:
            place = self._places[id(what)] = len(self._shared)
            self._shared.append(what)
        return _lent, (place,)


_lender: list[object] = []


def _lent(place: int) -> object:
    return _lender[place]
