"""Where everything of a drawing goes, in points: boxes are packed on shelves, from the inside out.

Nothing overlaps: a box is as large as what it holds, and its title is measured and cut to it. Coordinates run from the
upper left corner, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil, inf, sqrt

from orchestrator.inventory.model import MachineId
from orchestrator.reports.topology_boxes import Box, BoxKind

Measure = Callable[[str, float, bool], float]
"""How wide a text is, in points, at a size of type, and whether it is bold."""

_PAGE_ASPECT = 1.6  # width by height, about that of a screen
_ZONES_ABREAST = 3  # as many as a region has; zones of several subscriptions go on below each other
_TRIED_FACTORS = tuple(0.6 + 0.1 * step for step in range(11))  # of a region's ideal width
_TRIED_WIDTHS = 24  # of the page
_LONGEST_NAME = 110.0  # of a machine, in points; longer ones are cut


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes in points that suit the number of machines."""

    cell: float  # the side of a machine's square
    gap: float  # between squares
    pad: float  # between frames
    name_size: float  # of machines' names; 0: they aren't written
    set_size: float  # of sets' titles; 0: they aren't written
    zone_size: float
    region_size: float
    set_room: float  # how wide a set becomes at most for the sake of its title
    zone_room: float  # the same of a zone


def scale_for(machines: int) -> Scale:
    """Machines' names fall away first, then titles of sets; zones and regions keep theirs at any size."""
    if machines <= 60:
        return Scale(18, 7, 9, 7, 8, 9.5, 12, 160, 150)
    if machines <= 600:
        return Scale(10, 2.5, 7, 0, 7, 9, 12, 90, 140)
    if machines <= 6000:
        return Scale(6, 1.5, 5, 0, 6, 9, 13, 54, 140)
    return Scale(3.5, 0.8, 4, 0, 0, 12, 18, 0, 140)


@dataclass(frozen=True, slots=True)
class Frame:
    """A box with its place."""

    kind: BoxKind
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Square:
    """A machine with the place of its upper left corner."""

    x: float
    y: float
    machine: MachineId


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; `x` is its left end, or its middle if `centred`, `y` the middle of the line."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A rectangle and all that is drawn in it; outer frames come before inner ones."""

    width: float
    height: float
    frames: tuple[Frame, ...] = ()
    squares: tuple[Square, ...] = ()
    labels: tuple[Label, ...] = ()


def lay_out(
    boxes: Sequence[Box], scale: Scale, names: Callable[[MachineId], str], measure: Measure
) -> Layout:
    """All boxes on one page."""
    packer = _Packer(scale, names, measure)
    return _shelves([packer.outermost(box) for box in boxes], scale.pad * 2, _PAGE_ASPECT)


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone, or what stands in none, whose sets have been laid out; how wide the rest becomes is open."""

    box: Box
    sets: tuple[Layout, ...]
    loose: tuple[Box, ...]
    area: float


@dataclass(frozen=True, slots=True)
class _Packer:
    scale: Scale
    names: Callable[[MachineId], str]
    measure: Measure

    def outermost(self, box: Box) -> Layout:
        """A region, or regions that are paired side by side: as high as each other, as wide as they have machines."""
        regions = box.boxes if box.kind is BoxKind.PAIRS else (box,)
        prepared = [[self._prepared(zone) for zone in region.boxes] for region in regions]
        areas = [sum(zone.area for zone in zones) for zones in prepared]
        laid = [
            self._region(region, zones, _PAGE_ASPECT * area / sum(areas))
            for region, zones, area in zip(regions, prepared, areas, strict=True)
        ]
        if box.kind is not BoxKind.PAIRS:
            return laid[0]
        return self._framed(box, _row(laid, self.scale.pad * 1.5), self.scale.zone_size)

    def _prepared(self, zone: Box) -> _Zone:
        sets = tuple(
            self._framed(box, self._grid(box), self.scale.set_size, room=self.scale.set_room)
            for box in zone.boxes
            if box.kind is not BoxKind.LOOSE
        )
        loose = tuple(box for box in zone.boxes if box.kind is BoxKind.LOOSE)
        parts = (*sets, *(self._grid(box) for box in loose))
        pad = self.scale.pad
        return _Zone(zone, sets, loose, sum((part.width + pad) * (part.height + pad) for part in parts))

    def _region(self, box: Box, zones: Sequence[_Zone], aspect: float) -> Layout:
        """The region at that of several widths which brings it nearest to `aspect`, width by height."""
        ideal = sqrt(sum(zone.area for zone in zones) * aspect)
        tried = [self._region_within(box, zones, ideal * factor) for factor in _TRIED_FACTORS]
        return min(tried, key=lambda layout: max(layout.width, layout.height * aspect))

    def _region_within(self, box: Box, zones: Sequence[_Zone], width: float) -> Layout:
        """Zones side by side; what stands in no zone below them, as wide as they are."""
        pad = self.scale.pad
        width = max(width, self.measure(_title(box), self.scale.region_size, True))
        numbered = [zone for zone in zones if zone.box.kind is BoxKind.ZONE]
        outside = [zone for zone in zones if zone.box.kind is BoxKind.NO_ZONE]
        rows = []
        for start in range(0, len(numbered), _ZONES_ABREAST):
            abreast = numbered[start : start + _ZONES_ABREAST]
            each = (width - pad * (len(abreast) - 1)) / len(abreast)
            rows.append(_row([self._zone(zone, each) for zone in abreast], pad))
        if outside:
            widest = max([width, *(row.width for row in rows)])
            rows.append(self._zone(outside[0], widest) if numbered else self._inside(outside[0], width))
        return self._framed(box, _column(rows, pad), self.scale.region_size, bold=True)

    def _zone(self, zone: _Zone, width: float) -> Layout:
        scale = self.scale
        wanted = min(self.measure(_title(zone.box), scale.zone_size, True), scale.zone_room)
        wide = max(width, wanted + 2 * scale.pad)
        inside = self._inside(zone, wide - 2 * scale.pad)
        return self._framed(zone.box, inside, scale.zone_size, bold=True, room=scale.zone_room, least=wide)

    def _inside(self, zone: _Zone, width: float) -> Layout:
        """Sets on shelves, then the machines beside them as a block of their own."""
        parts = [*zone.sets, *(self._grid(box, width) for box in zone.loose)]
        return _on_shelves(parts, self.scale.pad, max([width, *(part.width for part in parts)]))

    def _grid(self, box: Box, width: float = inf) -> Layout:
        """Squares in the box's columns; machines of a single column in a block, row by row, no wider than `width`."""
        scale, columns = self.scale, box.columns
        down = across = scale.cell + scale.gap
        if scale.name_size:
            widest = max(
                self.measure(self.names(m), scale.name_size, False) for column in columns for m in column
            )
            across = max(across, min(widest, _LONGEST_NAME) + scale.gap)
            down += scale.name_size * 1.5
        if not box.column_names:
            columns = _in_rows(columns[0], box.kind, width + scale.gap, across)
        top = scale.set_size * 1.2 if box.column_names and scale.set_size and scale.cell >= 10 else 0.0
        squares, labels = [], []
        for place, column in enumerate(columns):
            middle = place * across + (across - scale.gap) / 2
            if top:
                name = box.column_names[place]
                labels.append(Label(middle, top * 0.4, name, scale.set_size * 0.85, centred=True))
            for row, machine in enumerate(column):
                y = top + row * down
                squares.append(Square(middle - scale.cell / 2, y, machine))
                if scale.name_size:
                    name = self._cut(self.names(machine), scale.name_size, False, across - scale.gap)
                    below = y + scale.cell + scale.name_size * 0.75
                    labels.append(Label(middle, below, name, scale.name_size, centred=True))
        return Layout(
            width=len(columns) * across - scale.gap,
            height=top + max(map(len, columns)) * down - scale.gap,
            squares=tuple(squares),
            labels=tuple(labels),
        )

    def _framed(
        self,
        box: Box,
        inside: Layout,
        size: float,
        *,
        bold: bool = False,
        room: float = inf,
        least: float = 0.0,
    ) -> Layout:
        """A frame with a title around `inside`, `least` wide. The title is cut where it asks for more than `room`."""
        pad = self.scale.pad * (0.6 if size == self.scale.set_size else 1.0)
        title = _title(box)
        wanted = min(self.measure(title, size, bold), room) if size else 0.0
        width = max(inside.width, least - 2 * pad, wanted)
        head = size * 1.9 or pad
        moved = _moved(inside, pad, head)
        labels = moved.labels
        if size:
            labels = (Label(pad, head * 0.52, self._cut(title, size, bold, width), size, bold=bold), *labels)
        height = moved.height + pad
        frame = Frame(box.kind, 0.0, 0.0, width + 2 * pad, height)
        return Layout(frame.width, height, (frame, *moved.frames), moved.squares, labels)

    def _cut(self, text: str, size: float, bold: bool, width: float) -> str:
        """The text, shortened with an ellipsis until it fits. The count behind the dot is kept."""
        if self.measure(text, size, bold) <= width + 0.01:
            return text
        head, dot, count = text.rpartition(" · ")
        for end in range(len(head or text) - 1, 0, -1):
            shorter = (head or text)[:end].rstrip("-_ ") + "…" + (dot + count if dot else "")
            if self.measure(shorter, size, bold) <= width + 0.01:
                return shorter
        return count if dot else "…"


def _title(box: Box) -> str:
    return box.title if box.kind is BoxKind.PAIRS else f"{box.title} · {box.count:,}{box.note}"


def _in_rows(
    members: tuple[MachineId, ...], kind: BoxKind, width: float, across: float
) -> tuple[tuple[MachineId, ...], ...]:
    """Columns such that reading row by row gives the members in their order.

    Machines in no set fill the width they are given; a set is somewhat wider than high.
    """
    ideal = ceil(sqrt(len(members) * 1.6))
    wide = ideal if kind is not BoxKind.LOOSE or width == inf else max(1, int(width // across))
    wide = min(wide, len(members))
    return tuple(members[start::wide] for start in range(wide))


def _shelves(parts: Sequence[Layout], pad: float, aspect: float) -> Layout:
    """The parts in their order on shelves, as wide as makes the whole nearest to `aspect`, width by height."""
    if not parts:
        return Layout(0.0, 0.0)
    least = max(part.width for part in parts)
    most = sum(part.width + pad for part in parts)
    tried = (least + (most - least) * step / _TRIED_WIDTHS for step in range(_TRIED_WIDTHS + 1))

    def badness(width: float) -> tuple[float, float]:
        rows = _rows(parts, pad, width)
        wide = max(sum(part.width + pad for part in row) - pad for row in rows)
        high = sum(max(part.height for part in row) + pad for row in rows) - pad
        return max(wide, high * aspect), high

    return _on_shelves(parts, pad, min(tried, key=badness))


def _on_shelves(parts: Sequence[Layout], pad: float, width: float) -> Layout:
    return _column([_row(row, pad) for row in _rows(parts, pad, width)], pad)


def _rows(parts: Sequence[Layout], pad: float, width: float) -> list[list[Layout]]:
    rows: list[list[Layout]] = [[]]
    used = 0.0
    for part in parts:
        if rows[-1] and used + part.width > width + 0.01:
            rows.append([])
            used = 0.0
        rows[-1].append(part)
        used += part.width + pad
    return rows


def _row(parts: Sequence[Layout], pad: float) -> Layout:
    """Side by side; frames are drawn as high as the highest."""
    height = max(part.height for part in parts)
    lefts = [0.0, *accumulate(part.width + pad for part in parts)]
    moved = [_moved(_stretched(part, height=height), x, 0.0) for part, x in zip(parts, lefts, strict=False)]
    return _joined(moved, lefts[-1] - pad, height)


def _column(parts: Sequence[Layout], pad: float) -> Layout:
    tops = [0.0, *accumulate(part.height + pad for part in parts)]
    moved = [_moved(part, 0.0, y) for part, y in zip(parts, tops, strict=False)]
    return _joined(moved, max(part.width for part in parts), tops[-1] - pad)


def _stretched(part: Layout, height: float) -> Layout:
    if not part.frames:
        return part
    outer, *inner = part.frames
    return replace(part, height=height, frames=(replace(outer, height=height), *inner))


def _moved(part: Layout, x: float, y: float) -> Layout:
    return Layout(
        part.width + x,
        part.height + y,
        tuple(replace(frame, x=frame.x + x, y=frame.y + y) for frame in part.frames),
        tuple(Square(square.x + x, square.y + y, square.machine) for square in part.squares),
        tuple(replace(label, x=label.x + x, y=label.y + y) for label in part.labels),
    )


def _joined(parts: Sequence[Layout], width: float, height: float) -> Layout:
    return Layout(
        width,
        height,
        tuple(frame for part in parts for frame in part.frames),
        tuple(square for part in parts for square in part.squares),
        tuple(label for part in parts for label in part.labels),
    )
