"""A plan's drawing in a page that stands alone, with what a drawing can't say: why each lane takes as many waves as it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from orchestrator.planner.model import Lane, Plan, StageGate
from orchestrator.planner.paths import longest
from orchestrator.reports.markup import h, written
from orchestrator.reports.page_style import STYLE

_STYLE = "the style"
_OWN = "main { max-width: 1376px; } .gantt svg { max-width: none; } figure .paper.gantt { background: var(--card); }"


def page(plan: Plan, title: str, facts: Sequence[str], picture: ET.Element) -> bytes:
    """The page as HTML. Nothing is loaded from anywhere; all text is escaped."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("title", title),
        ET.Comment(_STYLE),
    )
    body = h(
        "main",
        h("div", "Wavekeeper, a plan", class_="eyebrow"),
        h("h1", title),
        (h("p", fact) for fact in facts),
        h("figure", h("div", picture, class_="paper gantt"), h("figcaption", _CAPTION)),
        (_stage(gate, [lane for lane in plan.lanes if lane.stage == gate.name]) for gate in plan.stages),
        h("footer", h("p", f"Made of the inventory {_taken(plan)}.")),
    )
    html = written(h("html", head, h("body", body), lang="en"))
    # Text can't look like this comment: in text, `<` is escaped.
    html = html.replace(f"<!--{_STYLE}-->", f"<style>{STYLE}{_OWN}</style>", 1)
    return f"<!DOCTYPE html>\n{html}\n".encode()


_CAPTION = (
    "A bar is a wave, its colour how many machines go at once; under the pointer it names them. A lane begins when every lane that it "
    "waits for is done, lanes below each other run side by side. Orange: the longest chain of each stage."
)


def _taken(plan: Plan) -> str:
    return "whose time isn't known" if plan.taken_at is None else f"taken {plan.taken_at:%Y-%m-%d %H:%M} UTC"


def _stage(gate: StageGate, lanes: Sequence[Lane]) -> ET.Element | None:
    """The longest chain in full, everything else to unfold."""
    if not lanes:
        return None
    chain = longest(lanes)
    whole = sum(len(lane.waves) for lane in chain)
    others = [lane for lane in lanes if lane not in chain]
    rest = h("details", h("summary", f"{len(others):,} other lanes"), _table(others)) if others else None
    return h(
        "section",
        h("h2", gate.name),
        h("h3", f"What makes it {whole:,} wave{'' if whole == 1 else 's'} long"),
        h("div", _table(chain), rest, class_="scroll"),
        class_="card",
    )


def _table(lanes: Iterable[Lane]) -> ET.Element:
    heads = ("lane", "machines", "waves", "what, and why it can't be shorter", "after")
    return h("table", h("tr", (h("th", text, class_="tight") for text in heads)), map(_row, lanes))


def _row(lane: Lane) -> ET.Element:
    bound = "" if lane.optimal else f" (bound {lane.bound.waves:,})"
    because = h("div", lane.bound.because, class_="soft") if len(lane.waves) > 1 else None
    more = f" and {len(lane.after) - 3:,} more" if len(lane.after) > 3 else ""
    return h(
        "tr",
        h("td", lane.id, class_="tight"),
        h("td", f"{sum(len(wave.machines) for wave in lane.waves):,}", class_="tight"),
        h("td", f"{len(lane.waves):,}{bound}", class_="tight"),
        h("td", lane.what, because),
        h("td", ", ".join(lane.after[:3]) + more, class_="soft"),
    )
