"""A report of rollouts as one HTML page that stands alone: nothing is loaded from anywhere, nothing has to run in it.

It is read in a browser, mailed, attached to a change record, printed. All text is escaped; light or dark as the reader's
screen is.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from orchestrator.reports.markup import h, written
from orchestrator.reports.page_model import Report
from orchestrator.reports.page_parts import act
from orchestrator.reports.page_style import STYLE

_PICTURE = "the picture"
_STYLE = "the style"


def page(report: Report) -> str:
    """The page's HTML."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("title", report.title),
        ET.Comment(_STYLE),
    )
    body = h(
        "main",
        _stripes(),
        h("div", "Wavekeeper, a report", class_="eyebrow"),
        h("h1", report.title),
        h("p", report.summary, class_="summary"),
        h("span", report.verdict, class_=f"pill {'good' if report.good else 'bad'}"),
        _picture(report),
        (act(one) for one in report.acts),
        h("footer", (h("p", line) for line in report.footer)),
    )
    html = written(h("html", head, h("body", body), lang="en"))
    # Text can't look like these comments: in text, `<` is escaped.
    html = html.replace(f"<!--{_STYLE}-->", f"<style>{STYLE}</style>", 1)
    html = html.replace(f"<!--{_PICTURE}-->", _drawing(report.picture), 1)
    return f"<!DOCTYPE html>\n{html}\n"


def _stripes() -> ET.Element:
    """What a stage that bakes is filled with, for all charts of the page."""
    pattern = h(
        "pattern",
        h("path", d="M0 6 L6 0", class_="stripe"),
        id="bakes",
        width="6",
        height="6",
        patternUnits="userSpaceOnUse",
    )
    return h("svg", h("defs", pattern), width="0", height="0", style="position: absolute", aria_hidden="true")


def _picture(report: Report) -> Iterable[ET.Element]:
    if not report.picture:
        return
    paper = h("div", ET.Comment(_PICTURE), class_="paper")
    caption = h("figcaption", report.picture_caption) if report.picture_caption else None
    yield h("section", h("h2", "Where everything stands"), h("figure", paper, caption), class_="card")


def _drawing(svg: str) -> str:
    """An SVG document as a part of a page: without what stands before its root."""
    return svg[max(svg.find("<svg"), 0) :].strip()
