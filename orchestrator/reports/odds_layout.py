"""Where everything of a picture of many runs goes: a fan of machines done over time, and bars of where runs stopped.

Two sides lie in one fan, so that they can be compared. Colours are roles here; the painter knows light and dark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.reports.odds_model import OddsReport, Side

WIDTH: Final = 1120.0
_MARGIN: Final = 28.0
_LEFT: Final = _MARGIN + 56.0  # where the axes cross
_FAN: Final = 300.0  # pixels high
_BAR: Final = 15.0
_WIDE: Final = (
    0.25  # the share that fills the width, at least: one run of twenty must not look like all of them
)
_NAMES: Final = 150.0  # for names of stages
_TITLE, _TEXT, _SMALL = 19.0, 11.5, 10.0
_TICKS_H: Final = (1, 2, 4, 6, 12, 24, 48, 72, 168, 336, 720)
_MOST_TICKS: Final = 12
_STEPS: Final = (1, 2, 5)
_SHEER: Final = 0.65  # of a band that another one may lie under

Role = Literal[
    "card",
    "ink",
    "soft",
    "rule",
    "faint",
    "first",
    "first-band",
    "second",
    "second-band",
    "stop",
    "stop-second",
]
"""What a colour is for."""

_LINES: Final[tuple[Role, ...]] = ("first", "second")
_BANDS: Final[tuple[Role, ...]] = ("first-band", "second-band")
_BARS: Final[tuple[Role, ...]] = ("stop", "stop-second")

Measure = Callable[[str, float, bool], float]
"""How wide a text is, in pixels, at a size of type, and whether it is bold."""


@dataclass(frozen=True, slots=True)
class Area:
    """A filled shape."""

    points: tuple[tuple[float, float], ...]
    role: Role
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    role: Role
    width: float
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Words; `y` is their middle, `anchor` says which end of them `x` is."""

    x: float
    y: float
    text: str
    size: float
    role: Role = "ink"
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"


Mark = Area | Stroke | Text


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is painted, in this order."""

    height: float
    marks: tuple[Mark, ...]


def lay_out(report: OddsReport, measure: Measure, *, titled: bool) -> Drawing:
    """Put the report's picture together; in a page its title and answers stand elsewhere."""
    marks: list[Mark] = []
    y = _MARGIN
    if titled:
        marks.append(Text(_MARGIN, y + 6, report.title, _TITLE, bold=True))
        y += 30
        for answer in report.answers:
            for line in _folded(answer, measure):
                marks.append(Text(_MARGIN, y + 4, line, _TEXT, "soft"))
                y += 18
        y += 12
    marks += _legend(report.sides, y, measure)
    y += 24
    marks += _fan(report.sides, y)
    y += _FAN + 52
    bars = list(_stops(report.sides, y))
    bottom = max((mark.y for mark in bars if isinstance(mark, Text)), default=y)
    return Drawing(bottom + _MARGIN, (*marks, *bars))


def _folded(text: str, measure: Measure) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and measure(longer, _TEXT, False) > WIDTH - 2 * _MARGIN:
            yield line
            longer = word
        line = longer
    yield line


def _legend(sides: Sequence[Side], y: float, measure: Measure) -> Iterator[Mark]:
    yield Text(_MARGIN, y, "Machines done", _TEXT, bold=True)
    x = _MARGIN + measure("Machines done", _TEXT, True) + 26
    for side, line, band in zip(sides, _LINES, _BANDS, strict=False):
        yield Area(_box(x, y - 6, 26, 12), band)
        yield Stroke(((x, y), (x + 26, y)), line, 2)
        name = f"{side.name}: half of {side.runs:,} runs, and from 1 to 19 of 20"
        yield Text(x + 33, y, name, _SMALL, "soft")
        x += 33 + measure(name, _SMALL, False) + 26


# The fan --------------------------------------------------------------------------------------------------------


def _fan(sides: Sequence[Side], top: float) -> Iterator[Mark]:
    hours = max(side.fan.hours[-1] for side in sides)
    most = max(1, *(side.machines for side in sides))
    right, bottom = WIDTH - _MARGIN, top + _FAN

    def place(hour: float, machines: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * hour / hours, bottom - _FAN * machines / most

    for machines in _machine_ticks(most):
        _, y = place(0, machines)
        yield Stroke(((_LEFT, y), (right, y)), "rule", 1)
        yield Text(_LEFT - 8, y, f"{machines:,}", _SMALL, "soft", anchor="end")
    for hour, name in _hour_ticks(hours):
        x, _ = place(hour, 0)
        yield Stroke(((x, bottom), (x, bottom + 5)), "rule", 1)
        yield Text(x, bottom + 16, name, _SMALL, "soft", anchor="middle")
    for side, band in zip(sides, _BANDS, strict=False):
        upper = [place(h, m) for h, m in zip(side.fan.hours, side.fan.high, strict=True)]
        lower = [place(h, m) for h, m in zip(side.fan.hours, side.fan.low, strict=True)]
        yield Area((*upper, *reversed(lower)), band, _SHEER if len(sides) > 1 else 1.0)
    for side, line in zip(sides, _LINES, strict=False):
        yield Stroke(
            tuple(place(h, m) for h, m in zip(side.fan.hours, side.fan.middle, strict=True)), line, 2.2
        )
    for side in sides[:1]:
        if side.deadline_hours <= hours:
            x, _ = place(side.deadline_hours, 0)
            yield Stroke(((x, top), (x, bottom)), "stop", 1.2, dashed=True)
            yield Text(x - 5, top + 8, "deadline", _SMALL, "stop", anchor="end")
    yield Text(right, bottom + 34, "time from the start", _SMALL, "soft", anchor="end")


def _machine_ticks(most: int) -> list[int]:
    step = next(step * 10**power for power in range(9) for step in _STEPS if most / (step * 10**power) <= 6)
    return list(range(0, most + 1, step))


def _hour_ticks(hours: float) -> Iterator[tuple[float, str]]:
    step = next((step for step in _TICKS_H if hours / step <= _MOST_TICKS), _TICKS_H[-1])
    in_days = step >= 24
    for hour in range(0, int(hours) + 1, step):
        yield hour, (f"{hour // 24} d" if in_days else f"{hour} h")


# Stops ----------------------------------------------------------------------------------------------------------


def _stops(sides: Sequence[Side], top: float) -> Iterator[Mark]:
    stages = list(dict.fromkeys(stop.stage for side in sides for stop in side.stops))
    total = [sum(stop.runs for stop in side.stops) for side in sides]
    yield Text(_MARGIN, top, "Runs that stopped, by stage", _TEXT, bold=True)
    if not any(total):
        yield Text(_MARGIN, top + 24, "None did.", _TEXT, "soft")
        return
    shares = {(n, stop.stage): stop.runs / side.runs for n, side in enumerate(sides) for stop in side.stops}
    widest = max(_WIDE, *shares.values())
    left = _MARGIN + _NAMES
    room = WIDTH - _MARGIN - 130 - left
    y = top + 16
    for stage in stages:
        yield Text(left - 12, y + _BAR / 2 * len(sides), stage, _TEXT, anchor="end")
        for n, side in enumerate(sides):
            share = shares.get((n, stage), 0.0)
            runs = next((stop.runs for stop in side.stops if stop.stage == stage), 0)
            if runs:
                yield Area(_box(left, y + 1, max(room * share / widest, 1.0), _BAR - 2), _BARS[n])
            told = f"{share:.1%} ({runs:,} of {side.runs:,})".replace(".0%", "%") + (
                f", {side.name}" if len(sides) > 1 else ""
            )
            yield Text(left + room * share / widest + 8, y + _BAR / 2, told, _SMALL, "soft")
            y += _BAR
        y += 9


def _box(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)
