"""How few waves a stage could take, and why."""

from __future__ import annotations

from orchestrator.planner.exact import CpSat
from orchestrator.planner.stage_bounds import StageBound, stage_bounds
from orchestrator.planner.summary import summarize
from tests.builders import budget, exclusion, lane, plan_of, stage
from tests.unit.planner.company import planned
from tests.unit.planner.dividing import lanes_of


def test_a_stage_is_bound_through_all_that_its_lanes_wait_for() -> None:
    """Each lane by itself takes two waves; that they follow each other is said too."""
    rules = (exclusion({"zone 1": "a b", "zone 2": "c d"}), budget(1, "a b"), budget(1, "c d"))
    (found,) = stage_bounds(plan_of(*lanes_of("a b c d", *rules), rules=rules))

    assert (found.stage, found.waves, found.bound.waves, found.met) == ("broad", 4, 4, True)
    assert found.bound.because == (
        "one of zone 1, zone 2 at a time: zone 1 2 + zone 2 2; "
        "zone 1: 2 machines, 1 at a time (at most 1 of 2); zone 2: 2 machines, 1 at a time (at most 1 of 2)"
    )


def test_a_plan_that_is_longer_says_so() -> None:
    """Nothing keeps these apart."""
    (found,) = stage_bounds(plan_of(lane("l", "a", "b")))

    assert (found.waves, found.bound.waves, found.met) == (2, 1, False)


def test_what_a_search_proved_of_a_lane_holds_for_its_stage() -> None:
    """Each budget alone allows two waves; that all three force a third is what the lane's bound says."""
    rules = (budget(1, "a b"), budget(1, "b c"), budget(1, "a c"))
    (searched,) = stage_bounds(plan_of(*lanes_of("a b c", *rules, solver=CpSat()), rules=rules))
    (plain,) = stage_bounds(plan_of(*lanes_of("a b c", *rules), rules=rules))

    assert (plain.waves, plain.bound.waves, plain.met) == (3, 2, False)
    assert (searched.waves, searched.bound.waves, searched.met) == (3, 3, True)
    assert searched.bound.because.startswith("lane broad-1: proven by exhaustive search: no plan of these 3")


def test_stages_that_take_nobody_are_left_away() -> None:
    """There is nothing to say of them."""
    plan = plan_of(lane("b", "a"), stages=[stage("canary"), stage("broad")])

    assert [found.stage for found in stage_bounds(plan)] == ["broad"]


def test_a_company_s_stages() -> None:
    """Never bound above what they take, and mostly just that."""
    plan, _ = planned(300)
    found = stage_bounds(plan)

    assert [each.waves for each in found] == [each.longest for each in summarize(plan).stages]
    assert all(isinstance(each, StageBound) and each.bound.waves <= each.waves for each in found)
    assert sum(each.met for each in found) >= 2
