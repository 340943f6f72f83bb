"""Reading the inventory of a whole estate: how far it has come, and what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.inventory.model import Inventory


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long reading has come: `what` is being done, `done` of `total`, as far as is known yet."""

    what: str
    done: int
    total: int


Listen = Callable[[Progress], None]


def nobody(progress: Progress) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """An inventory of any number of subscriptions, and what reading it took.

    `empty` are the subscriptions that showed no machine: they hold none, or none that this identity may read.
    """

    inventory: Inventory
    subscriptions: int
    empty: tuple[str, ...]
    queries: int  # of Resource Graph
    reads: int  # of ARM
    took: timedelta
