"""The lanes of a plan: how long each is, how short it could be, and why."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from orchestrator.cli.output import columns, count, heading, out, print_table, some
from orchestrator.planner.model import Lane, Plan

_SUBSCRIPTION: Final = re.compile(r"subscription ([0-9a-f]{8})-[0-9a-f-]{27}")
"""A subscription's first digits tell it apart; the whole of it would be the longest part of a lane's name."""


def print_lanes(plan: Plan, console: Console = out) -> None:
    """Every lane with its bound, stage by stage."""
    for stage, lanes in groupby(plan.lanes, key=lambda lane: lane.stage):
        heading(f"  {stage}", console)
        table = columns(
            "lane", "machines", "waves", "what, and why it can't be shorter", right=("machines", "waves")
        )
        for lane in lanes:
            table.add_row(lane.id, f"{_machines(lane):,}", _waves(lane), _what(lane))
        print_table(table, console)


def _waves(lane: Lane) -> str:
    return f"{len(lane.waves):,}" + ("" if lane.optimal else f" (bound {lane.bound.waves:,})")


def _what(lane: Lane) -> Text:
    told = Text(_short(lane.what))
    if len(lane.waves) > 1:  # a single wave needs no excuse
        told.append(f"\n{_short(lane.bound.because)}", style="bright_black")
    if lane.after:
        told.append(f"\nafter {some(lane.after, 4)}", style="bright_black")
    return told


def _short(text: str) -> str:
    return _SUBSCRIPTION.sub(r"subscription \1…", text)


def _machines(lane: Lane) -> int:
    return sum(len(wave.machines) for wave in lane.waves)


def lanes_to_json(plan: Plan) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "id": lane.id,
            "stage": lane.stage,
            "what": lane.what,
            "machines": _machines(lane),
            "waves": len(lane.waves),
            "bound": {"waves": lane.bound.waves, "because": lane.bound.because},
            "optimal": lane.optimal,
            "after": list(lane.after),
        }
        for lane in plan.lanes
    ]


def in_all(plan: Plan) -> str:
    """`108 lanes in 3 stages`."""
    return f"{count(len(plan.lanes), 'lane')} in {count(len(plan.stages), 'stage')}"
