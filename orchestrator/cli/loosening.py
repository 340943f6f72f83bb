"""What makes a plan as long as it is, and what it would save to loosen it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.text import Text

from orchestrator.cli.output import columns, count, heading, line, out, print_table
from orchestrator.planner.loosening import Loosenings, loosenings
from orchestrator.planner.model import Plan
from orchestrator.planner.stage_bounds import StageBound, stage_bounds
from orchestrator.wiring.solver import solver


def print_loosenings(plan: Plan) -> None:
    """Why no plan is shorter, and what would save waves, the most first."""
    told = loosenings(plan, solver=solver())
    out.print(
        Text.assemble(
            ("Plan ", "bold"), (plan.name, "bold"), f": {count(told.waves, 'wave')} one after another"
        )
    )
    _print_bounds(stage_bounds(plan))
    heading("What loosening saves")
    if not told.found:
        line(f"nothing that was tried saves a wave: {_tried(told)}", indent=2)
        return
    table = columns("saves", "leaves", "loosened", "written in", right=("saves", "leaves"))
    for one in told.found:
        table.add_row(f"{one.before - one.after:,}", f"{one.after:,}", str(one), str(one.origin))
    print_table(table)
    out.print()
    line(f"{_tried(told)}, each by planning anew with it; rows don't add up.", indent=2)
    line("What can be spared is for the owner of a rule to say: this is only what it costs.", indent=2)


def loosenings_to_json(plan: Plan) -> dict[str, Any]:
    """The same for programs."""
    return {
        **loosenings(plan, solver=solver()).to_json(),
        "stages": [asdict(stage) for stage in stage_bounds(plan)],
    }


def _print_bounds(stages: Iterable[StageBound]) -> None:
    heading("Why it takes as many waves")
    table = columns("stage", "waves", "at least", "because", right=("waves", "at least"))
    for stage in stages:
        table.add_row(
            stage.stage, f"{stage.waves:,}", f"{stage.bound.waves:,}", stage.bound.because.replace("; ", "\n")
        )
    print_table(table)


def _tried(told: Loosenings) -> str:
    if told.tried == told.candidates:
        return f"tried {count(told.tried, 'change')}, all that the longest chains of lanes suggest"
    return f"tried the {told.tried:,} likeliest of {count(told.candidates, 'change')}"
