"""Paints a drawing as SVG or PNG, always the same bytes.

In an SVG words stay words, which can be searched and read aloud. They were measured in DejaVu Sans; the fonts that stand in
for it are at most as wide.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Final, assert_never
from xml.etree import ElementTree as ET

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke

from orchestrator.reports.gantt_layout import (
    DARK_MARKS,
    DARK_WORDS,
    HALO,
    WIDTH,
    Box,
    Drawing,
    Line,
    Mark,
    Words,
)
from orchestrator.reports.markup import h, number

FONT: Final = "DejaVu Sans"
_FONTS: Final = f"{FONT}, Verdana, Segoe UI, Helvetica, Arial, sans-serif"
_ONE: Final = 1  # everything lies in one layer, so that what comes later lies above
_FINER: Final = 2  # pixels of a PNG for one of the drawing, in each direction
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_DARK: Final = "@media screen and (prefers-color-scheme: dark) {{ {} }}".format(
    " ".join(
        [
            *(f'.waves [fill="{light}"] {{ fill: {dark} }}' for light, dark in DARK_MARKS.items()),
            *(f'.waves [stroke="{light}"] {{ stroke: {dark} }}' for light, dark in DARK_MARKS.items()),
            *(
                f'.waves text[style*="fill: {light}"] {{ fill: {dark} !important }}'
                for light, dark in DARK_WORDS.items()
            ),
        ]
    )
)
"""On a dark screen a drawing is dark, alone and in a page: what stands in it is for people who have light ones, and for paper."""


def svg(drawing: Drawing) -> ET.Element:
    """The drawing as an element, to stand alone or in a page."""
    return h(
        "svg",
        h("style", _DARK),
        h("rect", width=WIDTH, height=drawing.height, fill="#ffffff"),
        (_element(mark) for mark in drawing.marks),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(WIDTH)} {number(drawing.height)}",
        width=WIDTH,
        height=drawing.height,
        style=f"font-family: {_FONTS}",
        class_="waves",
    )


def _element(mark: Mark) -> ET.Element:
    match mark:
        case Box():
            return h(
                "rect",
                h("title", _plain(mark.told)) if mark.told else None,
                x=mark.x,
                y=mark.y,
                width=mark.width,
                height=mark.height,
                rx=mark.round or None,
                fill=mark.fill,
            )
        case Line():
            points = " ".join(f"{number(x)},{number(y)}" for x, y in mark.points)
            return h("polyline", points=points, fill="none", stroke=mark.colour, stroke_width=mark.width)
        case Words():
            # As style, not as attributes: a page's own style sheet would overrule these.
            style = (
                f"font-size: {number(mark.size)}px; fill: {mark.colour}" + "; font-weight: bold" * mark.bold
            )
            return h(
                "text",
                _plain(mark.text),
                x=mark.x,
                y=mark.y + mark.size * 0.36,
                text_anchor=None if mark.anchor == "start" else mark.anchor,
                style=style,
            )
    assert_never(mark)


def _plain(text: str) -> str:
    """A text without what no XML may hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def png(drawing: Drawing) -> bytes:
    """The drawing as PNG, twice as fine as a plain screen."""
    figure = Figure(figsize=(WIDTH / 72, drawing.height / 72), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(drawing.height, 0)
    for mark in drawing.marks:
        _add(axes, mark)
    FigureCanvasAgg(figure)
    written = BytesIO()
    figure.savefig(written, format="png", dpi=72 * _FINER, metadata={"Software": None})
    return written.getvalue()


def _add(axes: Axes, mark: Mark) -> None:
    match mark:
        case Box():
            axes.add_patch(_patch(mark))
        case Line():
            xs, ys = zip(*mark.points, strict=True)
            axes.add_line(Line2D(xs, ys, color=mark.colour, linewidth=mark.width, zorder=_ONE))
        case Words():
            axes.text(
                mark.x,
                mark.y,
                _plain(mark.text),
                fontsize=mark.size,
                fontfamily=FONT,
                fontweight="bold" if mark.bold else "normal",
                color=mark.colour,
                ha={"start": "left", "middle": "center", "end": "right"}[mark.anchor],
                va="center_baseline",
                parse_math=False,  # a name may hold a dollar sign
                zorder=_ONE,
                path_effects=[withStroke(linewidth=2.5, foreground=HALO)] if mark.halo else None,
            )


def _patch(box: Box) -> Rectangle | FancyBboxPatch:
    if not box.round:
        return Rectangle((box.x, box.y), box.width, box.height, facecolor=box.fill, linewidth=0, zorder=_ONE)
    rounded = f"round,pad=0,rounding_size={box.round}"
    return FancyBboxPatch(
        (box.x, box.y), box.width, box.height, boxstyle=rounded, facecolor=box.fill, linewidth=0, zorder=_ONE
    )
