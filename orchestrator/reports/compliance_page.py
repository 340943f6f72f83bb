"""Compliance as one HTML page that stands alone, and as CSV. All text is escaped; nothing is loaded, nothing runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from orchestrator.reports.compliance_model import Compliance, MonthOf, Standing, State
from orchestrator.reports.markup import h, written
from orchestrator.reports.page_style import STYLE

_STYLE: Final = "the style"
_COLUMNS: Final = (
    "machine", "name", "subscription", "resource_group", "region", "kind", "os", "level", "state", "outstanding",
    "exposed_since", "exposed_since_is_estimated", "deadline", "patched_at", "why", "reason",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(told: Compliance) -> str:
    """A row a machine, with a heading. No cell begins as a spreadsheet's formula does: names and reasons are other people's words."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in told.machines:
        row = one.to_json()
        writer.writerow(_cell(row[column]) for column in _COLUMNS)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    isoformat = getattr(value, "isoformat", None)
    said = str(isoformat() if isoformat else value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def page(told: Compliance) -> str:
    """The page's HTML."""
    title = f"Patch compliance, {told.at:%Y-%m-%d}"
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("title", title),
        ET.Comment(_STYLE),
    )
    counts = told.counts
    late = counts[State.OVERDUE]
    verdict = "nobody has missed the deadline" if told.ok else f"{late:,} past the deadline"
    summary = (
        f"{len(told.machines):,} machines at {told.at:%Y-%m-%d %H:%M} UTC. The newest updates are those of {told.month}, out since "
        f"{told.released:%Y-%m-%d}; each is to be installed within {told.deadline.days} days."
    )
    body = h(
        "main",
        h("div", "Wavekeeper, a report", class_="eyebrow"),
        h("h1", title),
        h("p", summary, class_="summary"),
        h("span", verdict, class_=f"pill {'good' if told.ok else 'bad'}"),
        h(
            "section",
            h("h2", "How the fleet stands"),
            h("div", (_figure(state, count) for state, count in counts.items()), class_="figures"),
            _reasons(told),
            class_="card",
        ),
        _months(told.months),
        _machines(told),
        h("footer", (h("p", note) for note in told.notes)),
    )
    html = written(h("html", head, h("body", body), lang="en"))
    # Text can't look like this comment: in text, `<` is escaped.
    return f"<!DOCTYPE html>\n{html.replace(f'<!--{_STYLE}-->', f'<style>{STYLE}</style>', 1)}\n"


_MEANS: Final = {
    State.CURRENT: "nothing outstanding",
    State.EXPOSED: "something outstanding, in time",
    State.OVERDUE: "past the deadline",
    State.UNKNOWN: "not assessed since this month's updates",
}


def _figure(state: State, count: int) -> ET.Element:
    return h("div", h("b", f"{count:,}"), h("span", state.value), h("small", _MEANS[state]), class_="figure")


def _reasons(told: Compliance) -> Iterable[ET.Element]:
    if not told.reasons:
        return
    yield h("h3", "What keeps the others")
    yield _table(("why", "machines"), ((why.value, f"{count:,}") for why, count in told.reasons.items()))


def _months(months: Iterable[MonthOf]) -> ET.Element | None:
    rows = list(months)
    if not rows:
        return None
    headings = ("month", "machines", "done", "in time", "half done after", "last after", "failed", "left out")
    table = h("table", _heading(headings), (_month(one) for one in rows))
    return h("section", h("h2", "Month over month"), h("div", table, class_="scroll"), class_="card")


def _month(one: MonthOf) -> ET.Element:
    share = one.in_time / one.machines if one.machines else 0.0
    meter = h("div", h("i", style=f"width: {share * 100:.0f}%"), class_="meter")
    cells = (
        one.month, f"{one.machines:,}", f"{one.done:,}", h("span", f"{share:.0%}", meter),
        _days(one.half_days), _days(one.last_days), f"{one.failed:,}", f"{one.left_out:,}",
    )  # fmt: skip
    return h("tr", (h("td", cell) for cell in cells))


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:g} d"


def _machines(told: Compliance) -> ET.Element | None:
    rows = [one for one in told.machines if one.state is not State.CURRENT]
    if not rows:
        return None
    headings = ("machine", "state", "exposed since", "deadline", "lacks", "level", "why")
    return h(
        "section",
        h("h2", "Machines that aren't current"),
        h("div", _table(headings, map(_row, rows)), class_="scroll"),
        class_="card",
    )


def _row(one: Standing) -> tuple[str, ...]:
    since = f"{one.since:%Y-%m-%d}{' (deduced)' if one.estimated else ''}" if one.since else "-"
    why = ": ".join(filter(None, (one.why.value if one.why else "", one.reason)))
    return (
        f"{one.name} ({one.resource_group}, {one.region})",
        one.state.value,
        since,
        f"{one.deadline:%Y-%m-%d}" if one.deadline else "-",
        "-" if one.outstanding is None else f"{one.outstanding:,}",
        one.level or "-",
        why,
    )


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> ET.Element:
    return h("table", _heading(headings), (h("tr", map(_data, row)) for row in rows))


def _data(text: str) -> ET.Element:
    """Dates and figures stay on one line."""
    return h("td", text, class_="tight" if len(text) <= len("2026-12-10") else None)


def _heading(headings: tuple[str, ...]) -> ET.Element:
    return h("tr", (h("th", heading) for heading in headings))
