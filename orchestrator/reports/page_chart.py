"""A rollout over time: a row for each lane, a box for each wave, a line for each machine, and how many were out at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from orchestrator.reports.markup import h, number
from orchestrator.reports.page_model import Chart, LaneRow, Line, StageBand, WaveBox

WIDTH = 1120.0
_LABELS = 296.0  # for the names of lanes
_RIGHT = 14.0
_HEAD = 46.0  # stages and hours
_GAP = 3.0  # between lanes
_LEAST_LANE = 13.0
_OUT_HEIGHT = 74.0
_LINES_TALL = 760.0  # what all lines of machines may take together
_MOST_LANES = 220
_TICKS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)

_GOOD = frozenset({"done", ""})
_WARN = frozenset({"not_changed", "pending", "skipped", "left_out"})


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where times and lines go. `pitch` is from one machine's line to the next."""

    x: Callable[[datetime], float]
    pitch: float
    top: float


def chart_svg(chart: Chart) -> ET.Element:
    """The chart as SVG; colours are the page's."""
    lanes = chart.lanes[:_MOST_LANES]
    thickest = sum(max((len(wave.lines) for wave in lane.waves), default=0) for lane in lanes)
    pitch = min(3.4, max(0.7, _LINES_TALL / max(thickest, 1)))
    frame = _Frame(_scale(chart), pitch, _HEAD)
    rows = list(_rows(lanes, frame))
    bottom = rows[-1][1] + rows[-1][2] + _GAP if rows else _HEAD + _LEAST_LANE
    height = bottom + (_OUT_HEIGHT + 26 if chart.out else 6)
    return h(
        "svg",
        (_stage(band, frame, bottom, odd=n % 2 == 1) for n, band in enumerate(chart.stages)),
        _hours(chart, frame, bottom),
        (_lane(lane, y, tall, frame) for lane, y, tall in rows),
        _hidden(len(chart.lanes) - len(lanes), bottom),
        _stopped(chart, frame, bottom),
        _out(chart, frame, bottom + 18) if chart.out else None,
        viewBox=f"0 0 {number(WIDTH)} {number(height)}",
        class_="chart",
        role="img",
        aria_label="lanes and waves over time",
    )


def _scale(chart: Chart) -> Callable[[datetime], float]:
    whole = max((chart.end - chart.begin).total_seconds(), 1.0)
    wide = WIDTH - _LABELS - _RIGHT

    def x(moment: datetime) -> float:
        share = (moment - chart.begin).total_seconds() / whole
        return _LABELS + wide * min(1.0, max(0.0, share))

    return x


def _rows(lanes: tuple[LaneRow, ...], frame: _Frame) -> Iterator[tuple[LaneRow, float, float]]:
    y = frame.top
    for lane in lanes:
        most = max((len(wave.lines) for wave in lane.waves), default=0)
        tall = max(_LEAST_LANE, most * frame.pitch + 4)
        yield lane, y, tall
        y += tall + _GAP


def _stage(band: StageBand, frame: _Frame, bottom: float, *, odd: bool) -> ET.Element:
    begin, end = frame.x(band.opened), frame.x(band.ended)
    parts = [
        h("rect", x=begin, y=0.0, width=max(end - begin, 1), height=bottom, class_=f"stage{' odd' * odd}")
    ]
    if band.baking is not None:
        at = frame.x(band.baking)
        bake = h("rect", x=at, y=20.0, width=max(end - at, 1), height=bottom - 20, class_="bake")
        bake.append(h("title", f"{band.name} bakes"))
        parts.append(bake)
    if end - begin > 7 * len(band.name):
        parts.append(h("text", band.name, x=begin + 6, y=14.0, class_="stage-name"))
    return h("g", parts)


def _hours(chart: Chart, frame: _Frame, bottom: float) -> ET.Element:
    """A mark each so many minutes from the start."""
    whole = (chart.end - chart.begin).total_seconds() / 60
    step = next((s for s in _TICKS_MIN if whole / s <= 12), _TICKS_MIN[-1])
    marks = []
    for n in range(int(whole // step) + 1):
        at = frame.x(chart.begin + timedelta(minutes=n * step))
        marks.append(h("line", x1=at, x2=at, y1=24.0, y2=bottom, class_="tick"))
        marks.append(h("text", _elapsed(n * step), x=at, y=36.0, class_="hour", text_anchor="middle"))
    return h("g", marks)


def _elapsed(minutes: int) -> str:
    if minutes % 1440 == 0 and minutes:
        return f"{minutes // 1440} d"
    if minutes % 60 == 0 and minutes:
        return f"{minutes // 60} h"
    return f"{minutes // 60} h {minutes % 60}" if minutes > 60 else f"{minutes} min"


def _lane(lane: LaneRow, y: float, tall: float, frame: _Frame) -> ET.Element:
    middle = y + tall / 2
    label = h(
        "text",
        _shortened(lane.name, 56),
        x=_LABELS - 8,
        y=middle + 3.5,
        class_="lane-name",
        text_anchor="end",
    )
    label.append(h("title", lane.name))
    return h(
        "g",
        h("line", x1=_LABELS, x2=WIDTH - _RIGHT, y1=middle, y2=middle, class_="lane"),
        label,
        (_wave(wave, y, tall, frame) for wave in lane.waves),
    )  # fmt: skip


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wave(wave: WaveBox, y: float, tall: float, frame: _Frame) -> ET.Element:
    begin, end = frame.x(wave.opened), frame.x(wave.passed)
    box = h(
        "rect",
        h("title", wave.name),
        x=begin, y=y, width=max(end - begin, 2), height=tall, rx=2.5,
        class_="wave" if wave.gate_passed else "wave shut",
    )  # fmt: skip
    first = y + (tall - len(wave.lines) * frame.pitch) / 2
    lines = (
        _line(line, first + n * frame.pitch, max(frame.pitch - 0.8, 0.6), frame)
        for n, line in enumerate(wave.lines)
    )
    return h("g", box, lines)


def _line(line: Line, y: float, thick: float, frame: _Frame) -> ET.Element:
    """Granted, being changed, proving itself; and over it when the machine was really out."""
    begun, changed = line.begun or line.until, line.changed or line.until
    spans = [
        (line.granted, begun, "asked"),
        (begun, changed, "changing"),
        (changed, line.until, "proving" if line.outcome in _GOOD else _tone(line.outcome)),
        *((out, back, "gone") for out, back in line.outs),
    ]
    rects = [
        h("rect", x=frame.x(a), y=y, width=max(frame.x(b) - frame.x(a), 0.6), height=thick, class_=kind)
        for a, b, kind in spans
        if b > a
    ]
    told = f"{line.name}: {line.outcome.replace('_', ' ') or 'under way'}"
    return h("g", h("title", f"{told}; {line.detail}" if line.detail else told), rects)


def _tone(outcome: str) -> str:
    return "doubtful" if outcome in _WARN else "broken"


def _hidden(count: int, bottom: float) -> ET.Element | None:
    if count <= 0:
        return None
    return h(
        "text", f"and {count} more lanes", x=_LABELS - 8, y=bottom - 4, class_="lane-name", text_anchor="end"
    )


def _stopped(chart: Chart, frame: _Frame, bottom: float) -> ET.Element | None:
    if chart.stopped is None:
        return None
    at = frame.x(chart.stopped)
    return h(
        "g",
        h("line", x1=at, x2=at, y1=4.0, y2=bottom, class_="stopped"),
        h("text", "stopped", x=at - 6, y=14.0, class_="stopped-name", text_anchor="end"),
    )


def _out(chart: Chart, frame: _Frame, top: float) -> ET.Element:
    """How many machines were out at once, as steps."""
    most = max(n for _, n in chart.out)
    bottom = top + _OUT_HEIGHT - 14

    def y(count: int) -> float:
        return bottom - (_OUT_HEIGHT - 22) * count / max(most, 1)

    path = f"M{number(frame.x(chart.begin))} {number(bottom)}"
    level = 0
    for at, count in chart.out:
        path += f" H{number(frame.x(at))} V{number(y(count))}"
        level = count
    path += f" H{number(frame.x(chart.end))}" + (f" V{number(bottom)}" if level else "") + " Z"
    peak = next(at for at, count in chart.out if count == most)
    right = frame.x(peak) > WIDTH - 120
    return h(
        "g",
        h("text", "really out at once", x=_LABELS - 8, y=bottom - 2, class_="lane-name", text_anchor="end"),
        h("line", x1=_LABELS, x2=WIDTH - _RIGHT, y1=bottom, y2=bottom, class_="lane"),
        h("path", d=path, class_="out-area"),
        h("circle", cx=frame.x(peak), cy=y(most), r=2.6, class_="peak"),
        h(
            "text", f"{most} at most", x=frame.x(peak) + (-7 if right else 7), y=y(most) + 4,
            class_="peak-name", text_anchor="end" if right else "start",
        ),
    )  # fmt: skip
