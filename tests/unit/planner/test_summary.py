"""A plan in a few numbers."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.planner.model import Bound, LeftOut
from orchestrator.planner.summary import StageSummary, summarize
from orchestrator.policy.model import Patches, Reboot, Restart
from tests.builders import lane, plan_of, stage
from tests.fleet import vm_id

PLAN = plan_of(
    lane("canary-1", "a", stage="canary"),
    lane("broad-1", "b", "c"),
    lane("broad-2", "d e", "f", "g"),
    lane("broad-3", "h", after=["broad-1", "broad-2"]),
    stages=[stage("canary"), stage("pilot"), stage("broad")],
    counted="z",
)


def test_the_numbers_of_a_plan() -> None:
    """The longest path goes through all stages, and in each through lanes that wait for each other."""
    found = summarize(PLAN)

    assert found.stages == (
        StageSummary("canary", machines=1, lanes=1, waves=1, longest=1),
        StageSummary("pilot", machines=0, lanes=0, waves=0, longest=0),
        StageSummary("broad", machines=7, lanes=3, waves=6, longest=4),
    )
    assert (found.machines, found.lanes, found.waves, found.longest) == (8, 4, 7, 5)
    assert (found.optimal, found.left_out, found.warnings) == (4, 0, 0)


def test_a_lane_that_may_be_too_long_is_not_optimal() -> None:
    """As long as its bound, or not."""
    lanes = (replace(PLAN.lanes[0], bound=Bound(0, "")), *PLAN.lanes[1:])

    assert summarize(replace(PLAN, lanes=lanes)).optimal == 3


def test_unknown_counts_as_a_restart() -> None:
    """Only a change that never restarts has none."""
    assert summarize(replace(PLAN, change=Patches())).restarts == 8
    assert summarize(replace(PLAN, change=Restart())).restarts == 8
    assert summarize(replace(PLAN, change=Patches(reboot=Reboot.NEVER))).restarts == 0


def test_who_is_left_out_by_a_rule_is_told_apart() -> None:
    """From who can't be rolled in the state it is in."""
    left = (LeftOut(vm_id("x"), "it is stopped"), LeftOut(vm_id("y"), "frozen", "budget:1"))
    found = summarize(replace(PLAN, left_out=left))

    assert (found.left_out, found.frozen) == (2, 1)
    assert found.to_json()["stages"][0]["name"] == "canary"
