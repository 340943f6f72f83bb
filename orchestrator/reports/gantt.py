"""A plan as a Gantt chart: stages one after another, lanes at the earliest that they can begin, a bar for each wave."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Literal
from xml.etree import ElementTree as ET

from orchestrator.planner.forecast import Forecast, sentences
from orchestrator.planner.model import Plan
from orchestrator.planner.restart_words import restarts, what_is_saved
from orchestrator.planner.summary import summarize
from orchestrator.policy import words
from orchestrator.reports.gantt_layout import lay_out
from orchestrator.reports.gantt_page import page
from orchestrator.reports.gantt_paint import png, svg
from orchestrator.reports.gantt_rows import chart_of
from orchestrator.reports.topology_colours import Looks
from orchestrator.reports.topology_page import text_width

Form = Literal["svg", "png", "html"]


def draw(
    plan: Plan,
    form: Form,
    *,
    forecast: Forecast | None = None,
    looks: Looks | None = None,
    title: str = "",
) -> bytes:
    """The plan as SVG, PNG, or a page of its own with the lanes and their bounds beside it.

    Lanes are placed by waves, or by the hours of a `forecast`. Bars are coloured by how many machines go, or divided by the
    `looks` of these. The same plan gives the same bytes.
    """
    named = title or f"Plan {plan.name}"
    chart = chart_of(plan, forecast, looks)
    facts = tuple(_facts(plan, forecast, chart.folded))
    with warnings.catch_warnings():
        # Names in scripts that the font doesn't have are drawn as boxes; nobody has to be told.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        if form == "html":
            return page(plan, named, facts, svg(lay_out(chart, "", (), text_width)))
        drawing = lay_out(chart, named, facts, text_width)
        return png(drawing) if form == "png" else _alone(svg(drawing))


def _alone(picture: ET.Element) -> bytes:
    return (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        + ET.tostring(picture, encoding="unicode").encode()
        + b"\n"
    )


def _facts(plan: Plan, forecast: Forecast | None, folded: int) -> Iterator[str]:
    told = summarize(plan)
    left = f"; {told.left_out:,} left out" if told.left_out else ""
    yield (
        f"{words.change(plan.change)}: {words.counted(told.machines, 'machine')} in {words.counted(told.waves, 'wave')} of "
        f"{words.counted(told.lanes, 'lane')}, {words.counted(told.longest, 'wave')} one after another{left}"
    )
    yield restarts(plan, told)
    if told.hotpatch is not None:
        month = told.hotpatch.hotpatching.month.named
        yield f"hotpatching in {month}: {'; '.join(what_is_saved(plan, told.hotpatch))}"
    if forecast is not None:
        yield from sentences(forecast)
    if folded:
        yield (
            f"{folded:,} lanes are folded together, each with the others of its place: a bar is as tall as many of their machines go then"
        )
