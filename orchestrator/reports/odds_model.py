"""What a picture of many runs shows, in numbers and words that are ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fan:
    """How many machines were done over time: one of 20 runs, half of them and 19 of 20 had at most so many."""

    hours: tuple[float, ...]
    low: tuple[int, ...]
    middle: tuple[int, ...]
    high: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageStops:
    """How many of the runs stopped in a stage."""

    stage: str
    runs: int


@dataclass(frozen=True, slots=True)
class Side:
    """One plan's runs. `stops` has all of the plan's stages in order."""

    name: str
    machines: int
    runs: int
    fan: Fan
    stops: tuple[StageStops, ...]
    deadline_hours: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table under the picture; figures stand in columns of their own."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class OddsReport:
    """Everything; the answer first. Of two sides the first is the new one."""

    title: str
    answers: Sequence[str]
    sides: tuple[Side, ...]
    tables: tuple[Table, ...]
    footer: Sequence[str]
