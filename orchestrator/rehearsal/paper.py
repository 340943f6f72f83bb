"""What the real planner makes of a test's policies, fleet and situation, without running it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import PolicyError, Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.dry_run import play
from orchestrator.planner.durations import STEP_MEDIAN
from orchestrator.planner.forecast import forecast
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.planner.taking import takes_of
from orchestrator.policy.model import Policy
from orchestrator.rehearsal.fleet import placed
from orchestrator.rehearsal.model import Ask, Course, Planned, Situation
from orchestrator.topology.graph import build


def planned(
    inventory: Inventory, situation: Situation, policies: Sequence[Policy], floor: Policy, ask: Ask
) -> Planned:
    """Plan, and say when everything would happen if all went well. A plan that is refused is an answer too."""
    topology = build(placed(inventory, situation))
    try:
        made = plan(topology, policies, floor, ask.campaign, ask.change, ask.select)
    except (Refused, PolicyError, UsageError) as refused:
        return Planned(topology, situation, None, str(refused))
    return Planned(
        topology,
        situation,
        made,
        forecast=forecast(made, made.durations, situation.now),
        course=_course(made, situation),
    )


def _course(made: Plan, situation: Situation) -> Course:
    runs = play(made, takes_of(made, made.durations), situation.now, STEP_MEDIAN).runs
    begun = {machine: run.began for machine, run in runs.items() if run.began is not None}
    return Course(begun, {machine: runs[machine].ended for machine in begun})
