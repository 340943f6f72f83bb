"""A history of patch runs as Markdown, to put before whoever owns the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from orchestrator.reports.history_model import APPROXIMATE, Finding, History, sentence

_MOST: Final = 6
"""Machines named of one finding."""


def markdown(history: History) -> str:
    """The whole page, ending with a line break."""
    return "\n".join(_lines(history)) + "\n"


def _lines(history: History) -> Iterator[str]:
    yield f"# Patching from {_day(history.since)} to {_day(history.until)}, held to the rules"
    yield ""
    if history.ok:
        yield "**No rule was broken.**"
    else:
        yield f"**Rules were broken {len(history.findings):,} times.**"
    yield ""
    yield (
        f"{history.runs:,} runs on {history.machines:,} of {history.fleet:,} machines; restarted: {_told(history.restarts)}; "
        f"status: {_told(history.statuses)}."
    )
    yield ""
    yield f"> {APPROXIMATE}"
    if history.by:
        yield from _table(("began by", "runs"), ((by, f"{count:,}") for by, count in history.by.items()))
    if history.findings:
        yield ""
        yield "## What was broken"
        headings = ("when (UTC)", "rule", "what happened", "by")
        yield from _table(headings, map(_row, history.findings))
    if history.notes:
        yield ""
        yield "## Not judged, or with care"
        yield ""
        yield from (f"- {_cell(note)}" for note in history.notes)


def _row(finding: Finding) -> tuple[str, ...]:
    sure = "" if finding.sure else " (not sure)"
    return (
        f"{finding.begin:%Y-%m-%d %H:%M} to {_end(finding)}",
        f"{finding.rule} (`{finding.origin}`)",
        sentence(finding, _MOST) + sure,
        ", ".join(finding.by),
    )


def _end(finding: Finding) -> str:
    same_day = finding.begin.date() == finding.end.date()
    return f"{finding.end:%H:%M}" if same_day else f"{finding.end:%Y-%m-%d %H:%M}"


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
