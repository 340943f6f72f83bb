"""Where everything of a plan's drawing goes, in pixels: boxes, lines and words, for whoever paints them.

Nothing overlaps: each row has its own height; a lane's name stands left of its first wave, where its row is empty, and is cut to the
room there; what doesn't fit into a bar or onto the axis isn't written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from orchestrator.reports.gantt_rows import Band, Bar, Chart, Group, Row
from orchestrator.reports.topology_colours import Look

WIDTH: Final = 1280.0
_MARGIN: Final = 24.0
_NAMES: Final = 330.0  # for names of lanes that begin at once
_ROW: Final = 15.0
_BAR: Final = 11.0
_FOLDED: Final = 26.0  # a row of many lanes
_STAGE: Final = 27.0  # the line over a stage's rows
_WIDEST_UNIT: Final = 64.0  # a wave of a short plan isn't wider
_TITLE, _FACTS, _TEXT, _SMALL = 18.0, 11.0, 9.5, 8.0

INK: Final = "#1f2328"
_SOFT: Final = "#57606a"
_FAINT: Final = "#d5dae1"
_ACCENT: Final = "#d4600a"
_BANDS: Final = ("#f5f7fa", "#ebeff4")
_BAKE: Final = "#f7e9cf"
HALO: Final = "#f5f7fa"

SHADES: Final = (
    (1, "#cfe2f5"), (2, "#a9cdec"), (5, "#7ab2de"), (10, "#4d93c9"), (30, "#2b72ae"), (100, "#174f86"), (300, "#0a2f5c"),
)  # fmt: skip
"""The fewest machines of a shade, and its colour."""

DARK_MARKS: Final = MappingProxyType({
    "#ffffff": "#151d2a", _FAINT: "#33435a", _ACCENT: "#f58a3c", _BANDS[0]: "#1a2433", _BANDS[1]: "#202c3d", _BAKE: "#4a3c1f",
    **dict(zip(
        (shade for _, shade in SHADES), ("#1d3b58", "#234b70", "#2a5d8a", "#6ea6d4", "#92c1e6", "#b5d7f0", "#deeefa"), strict=True,
    )),
})  # fmt: skip
"""What takes the place of the colours of ground, lines and bars on a dark screen: there the lightest bars are those of most machines."""

DARK_WORDS: Final = MappingProxyType(
    {INK: "#e7ecf4", _SOFT: "#94a2b7", _ACCENT: "#f58a3c", "#ffffff": "#0d131d"}
)
"""The same for words; those that are white stand on the bars of many machines, which are light then."""

Measure = Callable[[str, float, bool], float]
"""How wide a text is, in pixels, at a size of type, and whether it is bold."""


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle. `told` is what it says under the pointer."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    round: float = 0.0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Words:
    """A text; `y` is its middle. `anchor` says which end of it `x` is: start, middle, end. `halo`: lines don't run through it."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    anchor: str = "start"
    colour: str = INK
    halo: bool = False


Mark = Box | Line | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is painted, in this order."""

    height: float
    marks: tuple[Mark, ...]


def lay_out(chart: Chart, title: str, facts: Sequence[str], measure: Measure) -> Drawing:
    """Put a chart on a page."""
    page = _Page(chart, measure)
    page.head(title, facts)
    page.body()
    return Drawing(page.y + _MARGIN, page.marks_in_turn())


class _Page:
    """Goes down the page; `y` is how far it has come."""

    def __init__(self, chart: Chart, measure: Measure) -> None:
        self.y = _MARGIN
        self.marks: list[Mark] = []
        self._ground: list[Mark] = []
        self._behind: list[Mark] = []
        self._grid: list[float] = []  # where waves or hours are marked
        self._chart = chart
        self._measure = measure
        self._left = _MARGIN + _NAMES
        room = WIDTH - _MARGIN - self._left
        self._unit = room / chart.end if chart.start is not None else min(room / chart.end, _WIDEST_UNIT)

    def marks_in_turn(self) -> tuple[Mark, ...]:
        """Everything, what lies behind first."""
        return (*self._ground, *self._behind, *self.marks)

    def _x(self, moment: float) -> float:
        return self._left + moment * self._unit

    # Above the rows ---------------------------------------------------------------------------------------------

    def head(self, title: str, facts: Sequence[str]) -> None:
        """Title, facts, legend; in a page that says the first two, only the legend."""
        if title:
            self._write(_MARGIN, self._cut(title, WIDTH - 2 * _MARGIN, _TITLE, bold=True), _TITLE, bold=True)
            self.y += _TITLE * 1.5
        for fact in facts:
            self._write(_MARGIN, self._cut(fact, WIDTH - 2 * _MARGIN, _FACTS), _FACTS, colour=_SOFT)
            self.y += _FACTS * 1.5
        self.y += 4
        self._legend()
        self.y += 8

    def _legend(self) -> None:
        x = _MARGIN
        for fill, text in self._entries():
            wide = 18 + self._measure(text, _TEXT, False)
            if x + wide > WIDTH - _MARGIN:
                x, self.y = _MARGIN, self.y + 17
            if fill == _ACCENT:
                self.marks.append(Line(((x, self.y), (x + 12, self.y)), _ACCENT, 2.4))
            else:
                self.marks.append(Box(x, self.y - 5, 12, 10, fill, 2))
            self._write(x + 18, text, _TEXT, colour=_SOFT)
            x += wide + 18
        self.y += 12

    def _entries(self) -> Iterator[tuple[str, str]]:
        """What occurs, and what it means."""
        rows = [row for band in self._chart.bands for group in band.groups for row in group.rows]
        looks = sorted(
            {look for row in rows for bar in row.bars for look, _ in bar.looks}, key=lambda k: k.order
        )
        if looks:
            yield from ((look.fill, look.means) for look in looks)
        else:
            used = {shade_of(bar.machines) for row in rows for bar in row.bars}
            for place, (least, fill) in enumerate(SHADES):
                if fill in used:
                    yield fill, _numbers(place, least)
        yield _ACCENT, "the chain of lanes that makes a stage as long as it is"
        if any(band.baked > band.end for band in self._chart.bands):
            yield _BAKE, "a stage bakes"

    # Rows -------------------------------------------------------------------------------------------------------

    def body(self) -> None:
        """The axis, then stage by stage."""
        top = self.y
        self._axis()
        self.y += 22
        for band in self._chart.bands:
            self._stage(band)
        for number, band in enumerate(self._chart.bands):
            left, right, end = self._x(band.begin), self._x(band.end), self._x(band.baked)
            self._ground.append(Box(left, top, right - left, self.y - top + 6, _BANDS[number % 2]))
            if end > right:
                self._ground.append(Box(right, top, end - right, self.y - top + 6, _BAKE))
        for x in self._grid:
            self._ground.append(Line(((x, top + 18), (x, self.y + 6)), _FAINT, 0.6))

    def _axis(self) -> None:
        """Marks as dense as their words can be read; a word that would touch the one before is left away."""
        counted = "waves of each stage" if self._chart.start is None else "UTC"
        self._write(self._left - 6, counted, _SMALL, anchor="end", colour=_SOFT, y=self.y + 8)
        free = self._left - 1e9
        for at, line, text in self._ticks():
            x = self._x(at)
            wide = self._measure(text, _SMALL, False)
            if line is not None:
                self._grid.append(self._x(line))
            if x - wide / 2 >= free and x + wide / 2 <= WIDTH:
                self._write(x, text, _SMALL, anchor="middle", colour=_SOFT, y=self.y + 8)
                free = x + wide / 2 + 8

    def _ticks(self) -> Iterator[tuple[float, float | None, str]]:
        """Where a word stands, where its line is, and the word."""
        if self._chart.start is not None:
            yield from self._moments(self._chart.start)
            return
        for band in self._chart.bands:
            step = next((n for n in (1, 2, 5, 10, 20, 50, 100) if n * self._unit >= 22), 200)
            yield band.begin + 0.5, band.begin, "1"
            for wave in range(step, int(band.end - band.begin) + 1, step):
                if wave > 1:
                    yield band.begin + wave - 0.5, band.begin + wave - 1, str(wave)

    def _moments(self, start: datetime) -> Iterator[tuple[float, float | None, str]]:
        steps = (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24)
        step = next((n for n in steps if n * self._unit >= 84), 56 * 24)
        first = start.replace(minute=0, second=0, microsecond=0, hour=0)
        number = int((start - first).total_seconds() / 3600 / step)
        while True:
            moment = first + timedelta(hours=step * number)
            at = (moment - start).total_seconds() / 3600
            if at > self._chart.end:
                return
            if at >= 0:
                yield at, at, f"{moment:%a %d %b}" if step >= 24 else f"{moment:%d %b %H:%M}"
            number += 1

    def _stage(self, band: Band) -> None:
        self.marks.append(Line(((_MARGIN, self.y + 2), (WIDTH - _MARGIN, self.y + 2)), _FAINT, 1.0))
        self.y += _STAGE / 2
        self._write(_MARGIN, band.name, 12.0, bold=True)
        left = _MARGIN + self._measure(band.name, 12.0, True) + 12
        self._write(left, self._cut(band.told, WIDTH - _MARGIN - left, _TEXT), _TEXT, colour=_SOFT)
        self.y += _STAGE / 2
        links: list[tuple[Row, float]] = []
        for group in band.groups:
            if group.where:
                self._heading(group)
            for row in group.rows:
                if row.links:
                    links.append((row, self.y + _ROW / 2))
                self._row(row)
        self._chain(links)
        self.y += 6

    def _heading(self, group: Group) -> None:
        right = self._x(min(row.begin for row in group.rows)) - 6
        text = self._cut(group.where, right - _MARGIN, _SMALL, bold=True)
        self._write(right, text, _SMALL, bold=True, anchor="end", colour=_SOFT, y=self.y + _ROW / 2 + 2)
        self.y += _ROW

    def _row(self, row: Row) -> None:
        tall = _ROW if row.name else _FOLDED
        middle = self.y + tall / 2
        right = self._x(row.begin) - 6
        room = right - _MARGIN
        name = self._cut(row.name, room / 2, _TEXT, bold=row.links)
        wide = self._measure(f"{name}  ", _TEXT, row.links) if name else 0.0
        what = self._cut(row.what, room - wide, _TEXT)
        self._write(right, what, _TEXT, anchor="end", colour=INK if name else _SOFT, y=middle)
        if name:
            right -= self._measure(f"{what}  ", _TEXT, False)
            colour = _ACCENT if row.links else _SOFT
            self._write(right, name, _TEXT, bold=row.links, anchor="end", colour=colour, y=middle)
        for bar in row.bars:
            self._bar(bar, middle, tall - (_ROW - _BAR))
        self.y += tall

    def _bar(self, bar: Bar, middle: float, room: float) -> None:
        """A wave in the middle of its row; of a folded row, on its ground."""
        left, right = self._x(bar.begin), self._x(bar.end)
        wide = max(right - left - (1.0 if right - left > 5 else 0.0), 0.8)
        tall = max(room * bar.tall, 1.0)
        top = middle + room / 2 - tall
        if bar.looks:
            self._divided(bar.looks, left, top, wide, tall, bar.told)
            return
        rounded = 2.0 if wide > 6 and tall > 6 else 0.0
        self.marks.append(Box(left, top, wide, tall, shade_of(bar.machines), rounded, bar.told))
        text = f"{bar.machines:,}"
        if tall > _SMALL and self._measure(text, _SMALL, False) + 4 <= wide:
            colour = "#ffffff" if bar.machines >= SHADES[3][0] else INK
            self._write(left + wide / 2, text, _SMALL, anchor="middle", colour=colour, y=top + tall / 2)

    def _divided(
        self, looks: Sequence[tuple[Look, int]], left: float, top: float, wide: float, tall: float, told: str
    ) -> None:
        whole = sum(count for _, count in looks)
        said = "\n".join([told, *(f"{count:,} {look.means}" for look, count in looks)])
        for look, count in looks:
            share = wide * count / whole
            self.marks.append(Box(left, top, share, tall, look.fill, told=said))
            left += share

    def _chain(self, links: Sequence[tuple[Row, float]]) -> None:
        """A line under each lane of the chain, and down from one to the next, behind everything that it passes."""
        before: tuple[float, float] | None = None
        for row, middle in sorted(links, key=lambda link: link[0].begin):
            foot = middle + _BAR / 2 + 1.2
            begin, end = self._x(row.begin), self._x(row.end)
            if before is not None:
                self._behind.append(Line((before, (before[0], foot), (begin, foot)), _ACCENT, 1.2))
            self.marks.append(Line(((begin, foot), (end, foot)), _ACCENT, 1.8))
            before = (end, foot)

    # Words ------------------------------------------------------------------------------------------------------

    def _write(
        self,
        x: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        anchor: str = "start",
        colour: str = INK,
        y: float | None = None,
    ) -> None:
        halo = anchor == "end"  # names of rows, which stand where lines may pass
        self.marks.append(Words(x, self.y if y is None else y, text, size, bold, anchor, colour, halo))

    def _cut(self, text: str, room: float, size: float, *, bold: bool = False) -> str:
        """As much of a text as there is room for."""
        if self._measure(text, size, bold) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self._measure(text[:middle].rstrip() + "…", size, bold) <= room:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…" if low else ""


def shade_of(machines: int) -> str:
    """The colour of a wave of so many machines."""
    return next(fill for least, fill in reversed(SHADES) if machines >= least or least == 1)


def _numbers(place: int, least: int) -> str:
    if place + 1 == len(SHADES):
        return f"{least:,} machines or more"
    most = SHADES[place + 1][0] - 1
    return f"{least} to {most}" if most > least else "1 machine"
