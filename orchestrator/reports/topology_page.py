"""A packed topology put on a page: title, legend, frames, squares; as SVG or PNG, always the same bytes.

A point of the layout is a point on paper, and all type is drawn as outlines of one font that comes with matplotlib: what was
measured is what is seen, on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.textpath import text_to_path

from orchestrator.inventory.model import MachineId
from orchestrator.reports.topology_boxes import BoxKind
from orchestrator.reports.topology_colours import Looks, legend_of
from orchestrator.reports.topology_packing import Frame, Label, Layout, Square

_FONT = "DejaVu Sans"
_INK = "#1f2328"
_MARGIN = 20.0  # around the page
_LEAST_WIDTH = 420.0  # so that title and legend have room over a small fleet
_TITLE_SIZE, _FACTS_SIZE, _LEGEND_SIZE = 16.0, 9.0, 8.5
_LEGEND_MOST = 18
_MOST_NAMED = 5_000  # squares that tell their machines' names under the pointer; more would be slow to show
_PNG_DPI = 144

_FRAMES: Mapping[BoxKind, tuple[str, str, float, str]] = {  # fill, edge, the edge's width, its style
    BoxKind.PAIRS: ("none", "#8c959f", 1.0, "dashed"),
    BoxKind.REGION: ("#f3f5f8", "#57606a", 1.2, "solid"),
    BoxKind.ZONE: ("#ffffff", "#afb8c1", 0.9, "solid"),
    BoxKind.NO_ZONE: ("#fbfcfd", "#afb8c1", 0.9, "dashed"),
    BoxKind.AVAILABILITY_SET: ("#e3f1ff", "#7ab8f5", 0.8, "solid"),
    BoxKind.SCALE_SET: ("#f5ecff", "#c3a1f0", 0.8, "solid"),
    BoxKind.POOL: ("#e8f7ec", "#8ecf9f", 0.8, "solid"),
}
_FRAME_MEANS: Mapping[BoxKind, str] = {
    BoxKind.AVAILABILITY_SET: "availability set, its columns are update domains",
    BoxKind.SCALE_SET: "scale set, its columns are fault domains",
    BoxKind.POOL: "back-end pool of a load balancer",
}


@dataclass(frozen=True, slots=True)
class Page:
    """All that a page shows."""

    title: str
    facts: tuple[str, ...]  # lines under the title
    body: Layout
    looks: Looks
    names: Mapping[MachineId, str]
    cell: float  # the side of a machine's square


@lru_cache(maxsize=50_000)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is, in points."""
    width, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(family=_FONT, size=size, weight="bold" if bold else "normal"), ismath=False
    )
    return float(width)


def as_svg(page: Page) -> bytes:
    """The page as SVG."""
    named = len(page.body.squares) <= _MOST_NAMED
    written = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "wavekeeper", "svg.fonttype": "path"}):
        figure = _figure(page, named=named)
        FigureCanvasSVG(figure)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _with_names(written.getvalue(), page) if named else written.getvalue()


def as_png(page: Page) -> bytes:
    """The page as PNG, twice as fine as a plain screen."""
    figure = _figure(page, named=False)
    FigureCanvasAgg(figure)
    written = BytesIO()
    figure.savefig(written, format="png", dpi=_PNG_DPI, metadata={"Software": None})
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the legend, with its place."""

    x: float
    y: float
    text: str
    fill: str
    edge: str


def _figure(page: Page, *, named: bool) -> Figure:
    width = max(page.body.width, _LEAST_WIDTH, text_width(page.title, _TITLE_SIZE, bold=True))
    legend, legend_height = _legend(page, width)
    head = [Label(_MARGIN, _MARGIN + _TITLE_SIZE * 0.6, page.title, _TITLE_SIZE, bold=True)]
    top = _MARGIN + _TITLE_SIZE * 1.6
    for line in page.facts:
        head.append(Label(_MARGIN, top + _FACTS_SIZE * 0.6, line, _FACTS_SIZE))
        top += _FACTS_SIZE * 1.6
    top += _FACTS_SIZE
    down = top + legend_height + _FACTS_SIZE
    height = down + page.body.height + _MARGIN

    figure = Figure(figsize=((width + 2 * _MARGIN) / 72, height / 72), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width + 2 * _MARGIN)
    axes.set_ylim(height, 0)
    for entry in legend:
        _write_entry(axes, entry, _MARGIN, top)
    for frame in page.body.frames:
        axes.add_patch(_frame(frame, _MARGIN, down))
    _add_squares(axes, page, _MARGIN, down, named=named)
    for label in head:
        _write(axes, label, 0.0, 0.0)
    for label in page.body.labels:
        _write(axes, label, _MARGIN, down)
    return figure


def _legend(page: Page, width: float) -> tuple[list[_Entry], float]:
    """Entries from left to right, line by line: what colours mean, then what frames mean."""
    kinds = {frame.kind for frame in page.body.frames}
    meant = [(text, look.fill, look.edge) for look, text in legend_of(page.looks, _LEGEND_MOST)]
    meant += [(_FRAME_MEANS[kind], *_FRAMES[kind][:2]) for kind in _FRAME_MEANS if kind in kinds]
    entries = []
    x, y, line = 0.0, 0.0, _LEGEND_SIZE * 1.9
    for text, fill, edge in meant:
        wide = _LEGEND_SIZE * 1.6 + text_width(text, _LEGEND_SIZE)
        if x and x + wide > width:
            x, y = 0.0, y + line
        entries.append(_Entry(x, y, text, fill, edge))
        x += wide + _LEGEND_SIZE * 1.8
    return entries, (y + line if entries else 0.0)


def _write_entry(axes: Axes, entry: _Entry, x: float, y: float) -> None:
    side = _LEGEND_SIZE * 1.1
    left, top = x + entry.x, y + entry.y
    axes.add_patch(
        Rectangle((left, top), side, side, facecolor=entry.fill, edgecolor=entry.edge, linewidth=0.8)
    )
    _write(axes, Label(left + _LEGEND_SIZE * 1.6, top + side / 2, entry.text, _LEGEND_SIZE), 0.0, 0.0)


def _write(axes: Axes, label: Label, x: float, y: float) -> None:
    axes.text(
        x + label.x,
        y + label.y,
        label.text,
        fontsize=label.size,
        fontfamily=_FONT,
        fontweight="bold" if label.bold else "normal",
        color=_INK,
        ha="center" if label.centred else "left",
        va="center_baseline",
        parse_math=False,  # a name may hold a dollar sign
    )


def _frame(frame: Frame, x: float, y: float) -> FancyBboxPatch:
    fill, edge, line, style = _FRAMES[frame.kind]
    return FancyBboxPatch(
        (x + frame.x, y + frame.y),
        frame.width,
        frame.height,
        boxstyle="round,pad=0,rounding_size=3",
        facecolor=fill,
        edgecolor=edge,
        linewidth=line,
        linestyle=style,
    )


def _add_squares(axes: Axes, page: Page, x: float, y: float, *, named: bool) -> None:
    """One patch a machine where each must have a name of its own, else all of a colour at once."""
    line = min(0.8, page.cell / 10)
    by_look: dict[tuple[str, str], list[Rectangle]] = {}
    for place, square in enumerate(page.body.squares):
        look = page.looks[square.machine]
        patch = _square(square, x, y, page.cell)
        if named:
            patch.set(gid=f"machine-{place}", facecolor=look.fill, edgecolor=look.edge, linewidth=line)
            axes.add_patch(patch)
        else:
            by_look.setdefault((look.fill, look.edge), []).append(patch)
    for (fill, edge), patches in by_look.items():
        axes.add_collection(
            PatchCollection(patches, facecolor=fill, edgecolor=edge, linewidth=line), autolim=False
        )


def _square(square: Square, x: float, y: float, cell: float) -> Rectangle:
    return Rectangle((x + square.x, y + square.y), cell, cell)


def _with_names(svg: bytes, page: Page) -> bytes:
    """Browsers show a `<title>` under the pointer."""

    def titled(found: re.Match[str]) -> str:
        machine = page.body.squares[int(found[1])].machine
        return (
            f"{found[0]}\n    <title>{escape(f'{page.names[machine]}: {page.looks[machine].means}')}</title>"
        )

    return re.sub(r'<g id="machine-(\d+)">', titled, svg.decode()).encode()
