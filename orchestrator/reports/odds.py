"""Many runs as a picture (svg, png) or a page (html), for light screens and dark ones."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import Final, Literal, assert_never
from xml.etree import ElementTree as ET

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from orchestrator.reports.markup import h, number, written
from orchestrator.reports.odds_layout import WIDTH, Area, Drawing, Mark, Role, Stroke, Text, lay_out
from orchestrator.reports.odds_model import OddsReport, Table
from orchestrator.reports.page_style import STYLE
from orchestrator.reports.topology_page import text_width

Form = Literal["svg", "png", "html"]

FONT: Final = "DejaVu Sans"
_FONTS: Final = f"{FONT}, Verdana, Segoe UI, Helvetica, Arial, sans-serif"
_FINER: Final = 2  # pixels of a PNG for one of the drawing, in each direction

LIGHT: Final[Mapping[Role, str]] = {
    "card": "#ffffff", "ink": "#18212e", "soft": "#5a6778", "rule": "#e3e8ef", "faint": "#eef1f6",
    "first": "#2f6fde", "first-band": "#c9dbfa", "second": "#7a6a4f", "second-band": "#e6ded0",
    "stop": "#d23b2c", "stop-second": "#a8977b",
}  # fmt: skip
DARK: Final[Mapping[Role, str]] = {
    "card": "#151d2a", "ink": "#e7ecf4", "soft": "#94a2b7", "rule": "#263347", "faint": "#1b2535",
    "first": "#79a8ff", "first-band": "#27406f", "second": "#d8c39a", "second-band": "#4a4230",
    "stop": "#ff8073", "stop-second": "#9a8a68",
}  # fmt: skip

_STYLE = "the style"
_COLOURS = "the colours"


def draw(report: OddsReport, form: Form, *, dark: bool = False) -> bytes:
    """The report. SVG and HTML follow the reader's screen; a PNG can't, and is light unless it is to be `dark`. Same report, same bytes."""
    with warnings.catch_warnings():
        # Names in scripts that the font doesn't have are drawn as boxes; nobody has to be told.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        if form == "html":
            return _page(report, _svg(lay_out(report, text_width, titled=False)))
        drawing = lay_out(report, text_width, titled=True)
        if form == "png":
            return _png(drawing, DARK if dark else LIGHT)
        picture = ET.tostring(_svg(drawing), encoding="unicode")
        head = '<?xml version="1.0" encoding="utf-8"?>\n'
        return (
            head + picture.replace(f"<!--{_COLOURS}-->", f"<style>{_colours()}</style>", 1) + "\n"
        ).encode()


def _colours() -> str:
    def named(colours: Mapping[Role, str]) -> str:
        return " ".join(f"--odds-{role}: {colour};" for role, colour in colours.items())

    return f":root {{ {named(LIGHT)} }} @media (prefers-color-scheme: dark) {{ :root {{ {named(DARK)} }} }}"


# SVG ------------------------------------------------------------------------------------------------------------


def _svg(drawing: Drawing) -> ET.Element:
    return h(
        "svg",
        ET.Comment(_COLOURS),
        h("rect", width=WIDTH, height=drawing.height, style=_filled("card")),
        (_element(mark) for mark in drawing.marks),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(WIDTH)} {number(drawing.height)}",
        width=WIDTH,
        height=drawing.height,
        style=f"font-family: {_FONTS}",
        role="img",
        aria_label="machines done over time, and where runs stopped",
    )


def _filled(role: Role) -> str:
    return f"fill: var(--odds-{role})"


def _points(mark: Area | Stroke) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in mark.points)


def _element(mark: Mark) -> ET.Element:
    match mark:
        case Area():
            sheer = None if mark.opacity == 1 else mark.opacity
            return h("polygon", points=_points(mark), fill_opacity=sheer, style=_filled(mark.role))
        case Stroke():
            style = f"fill: none; stroke: var(--odds-{mark.role}); stroke-width: {number(mark.width)}"
            return h("polyline", points=_points(mark), style=style + "; stroke-dasharray: 5 4" * mark.dashed)
        case Text():
            bold = "; font-weight: bold" * mark.bold
            return h(
                "text",
                mark.text,
                x=mark.x,
                y=mark.y + mark.size * 0.36,
                text_anchor=None if mark.anchor == "start" else mark.anchor,
                style=f"font-size: {number(mark.size)}px; {_filled(mark.role)}{bold}",
            )
    assert_never(mark)


# PNG ------------------------------------------------------------------------------------------------------------


def _png(drawing: Drawing, colours: Mapping[Role, str]) -> bytes:
    figure = Figure(figsize=(WIDTH / 72, drawing.height / 72), facecolor=colours["card"])
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(drawing.height, 0)
    for layer, mark in enumerate(drawing.marks):
        _add(axes, mark, colours[mark.role], layer)
    FigureCanvasAgg(figure)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=72 * _FINER, metadata={"Software": None})
    return out.getvalue()


def _add(axes: Axes, mark: Mark, colour: str, layer: int) -> None:
    match mark:
        case Area():
            axes.add_patch(
                Polygon(mark.points, facecolor=colour, alpha=mark.opacity, linewidth=0, zorder=layer)
            )
        case Stroke():
            xs, ys = zip(*mark.points, strict=True)
            line = Line2D(xs, ys, color=colour, linewidth=mark.width, zorder=layer)
            if mark.dashed:
                line.set_dashes((5, 4))
            axes.add_line(line)
        case Text():
            axes.text(
                mark.x,
                mark.y,
                mark.text,
                fontsize=mark.size,
                fontfamily=FONT,
                fontweight="bold" if mark.bold else "normal",
                color=colour,
                ha={"start": "left", "middle": "center", "end": "right"}[mark.anchor],
                va="center_baseline",
                parse_math=False,  # a name may hold a dollar sign
                zorder=layer,
            )


# HTML -----------------------------------------------------------------------------------------------------------

_OWN: Final = ".odds svg { width: 100%; height: auto; display: block; }"


def _page(report: OddsReport, picture: ET.Element) -> bytes:
    """A page that stands alone. Nothing is loaded from anywhere; all text is escaped."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("title", report.title),
        ET.Comment(_STYLE),
    )
    body = h(
        "main",
        h("div", "Wavekeeper, a simulation", class_="eyebrow"),
        h("h1", report.title),
        (h("p", answer, class_="summary") for answer in report.answers),
        h("section", h("div", picture, class_="odds"), class_="card"),
        (_table(table) for table in report.tables if table.rows),
        h("footer", (h("p", line) for line in report.footer)),
    )
    html = written(h("html", head, h("body", body), lang="en"))
    # Text can't look like these comments: in text, `<` is escaped.
    html = html.replace(f"<!--{_STYLE}-->", f"<style>{STYLE}{_OWN}{_colours()}</style>", 1)
    return f"<!DOCTYPE html>\n{html.replace(f'<!--{_COLOURS}-->', '', 1)}\n".encode()


def _table(table: Table) -> ET.Element:
    return h(
        "section",
        h("h2", table.title),
        h(
            "div",
            h(
                "table",
                h("tr", (h("th", head) for head in table.heads)),
                (h("tr", (h("td", cell) for cell in row)) for row in table.rows),
            ),
            class_="scroll",
        ),
        class_="card",
    )
