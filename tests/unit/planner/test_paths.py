"""When lanes begin, and which chain of them is the longest."""

from __future__ import annotations

from itertools import pairwise

from orchestrator.planner.paths import begins, longest
from orchestrator.planner.summary import longest_path
from tests.builders import lane
from tests.unit.planner.company import planned

LANES = (
    lane("one", "a", "b", "c"),
    lane("two", "d"),
    lane("three", "e", "f", after=["two"]),
    lane("four", "g", after=["one", "three"]),
    lane("five", "h", after=["two"]),
)


def test_a_lane_begins_after_all_that_it_waits_for() -> None:
    """Counted in waves, each lane at the earliest."""
    assert begins(LANES) == {"one": 0, "two": 0, "three": 1, "four": 3, "five": 1}


def test_the_longest_chain_waits_link_by_link() -> None:
    """Of two that are as long as each other the one through the lane that comes first."""
    assert [lane.id for lane in longest(LANES)] == ["one", "four"]
    assert [lane.id for lane in longest(LANES[1:3])] == ["two", "three"]
    assert longest(()) == ()


def test_the_longest_chain_is_as_long_as_the_stage() -> None:
    """In a plan of a company's fleet."""
    plan, _ = planned(300)
    for stage in plan.stages:
        lanes = [lane for lane in plan.lanes if lane.stage == stage.name]
        chain = longest(lanes)

        assert sum(len(lane.waves) for lane in chain) == longest_path(lanes)
        assert all(one.id in other.after for one, other in pairwise(chain))
