"""Never: a saving that isn't one. Whatever is said to save waves saves exactly as many when the plan is made anew."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import event, given, settings

from orchestrator.availability.model import Budget, Constraint
from orchestrator.planner.loosening import Loosening, loosenings
from orchestrator.planner.model import Plan
from orchestrator.planner.stage_bounds import stage_bounds
from orchestrator.planner.summary import summarize
from tests.builders import plan_of
from tests.properties.test_plan_diff import plans
from tests.unit.planner.dividing import lanes_of


@settings(max_examples=200, deadline=None)
@given(plans())
def test_what_is_claimed_is_what_it_saves(plan: Plan) -> None:
    """And nothing is told that saves nothing."""
    names = " ".join(machine.name for machine in plan.machines if machine.change)
    found = loosenings(plan)
    event(f"{len(found.found)} found")

    assert found.waves == summarize(plan).longest
    assert found.tried <= found.candidates
    for one in found.found:
        anew = plan_of(*lanes_of(names, *_loosened(plan.constraints, one)))
        assert one.before == summarize(plan).longest
        assert one.after == summarize(anew).longest
        assert one.after < one.before


def _loosened(constraints: tuple[Constraint, ...], one: Loosening) -> list[Constraint]:
    to = {each.constraint: each.to for each in one.loosened}
    kept = [rule for rule in constraints if to.get(rule.id, 0) is not None]
    return [
        replace(rule, limit=limit) if isinstance(rule, Budget) and (limit := to.get(rule.id)) else rule
        for rule in kept
    ]


@settings(deadline=None)
@given(plans())
def test_a_plan_of_one_budget_is_always_told_how_to_be_shorter(plan: Plan) -> None:
    """Where nothing else holds it up, there is a budget of it to loosen."""
    names = " ".join(machine.name for machine in plan.machines if machine.change)
    for rule in plan.constraints:
        if isinstance(rule, Budget):
            alone = plan_of(*lanes_of(names, rule), rules=[rule])
            waves = summarize(alone).longest
            assert [one.after < waves for one in loosenings(alone).found] == ([True] if waves > 1 else [])


@settings(deadline=None)
@given(plans())
def test_the_bound_of_a_stage_is_never_above_what_it_takes(plan: Plan) -> None:
    """Nor below that of any of its lanes."""
    (found,) = stage_bounds(plan)

    assert max(lane.bound.waves for lane in plan.lanes) <= found.bound.waves <= found.waves
