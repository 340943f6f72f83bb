"""A small plan as a table of its waves in the order in which they are foreseen, and who is left out: what a test is about."""

from __future__ import annotations

from orchestrator.cli.output import bullets, columns, line, print_table
from orchestrator.inventory.ids import name_of
from orchestrator.planner.model import Plan
from orchestrator.rehearsal.model import Planned
from orchestrator.rehearsal.whom import names


def print_plan(planned: Planned) -> None:
    """Every wave with the moment at which it may begin, and every machine that is left out with its reason."""
    plan = planned.plan
    if plan is None or planned.forecast is None:
        line(f"no plan: {planned.refusal}", indent=6)
        return
    lanes = {lane.id: lane for lane in plan.lanes}
    table = columns("stage", "may begin (UTC)", "wave")
    before = ""
    for wave in sorted(planned.forecast.waves, key=lambda wave: (wave.starts, wave.lane, wave.wave)):
        lane = lanes[wave.lane]
        machines = lane.waves[wave.wave - 1].machines
        stage = "" if lane.stage == before else lane.stage
        table.add_row(stage, f"{wave.starts:%a %d %b %H:%M}", names(planned.topology, machines, 12))
        before = lane.stage
    print_table(table, indent=6)
    if plan.left_out:
        bullets(_left_out(plan), indent=6)
    line("")


def _left_out(plan: Plan) -> list[str]:
    """Each reason once, with those that it holds for."""
    whom: dict[str, list[str]] = {}
    for left in plan.left_out:
        whom.setdefault(left.reason, []).append(name_of(left.machine))
    return [f"left out: {', '.join(held)}: {reason}" for reason, held in whom.items()]
