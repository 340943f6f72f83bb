"""Replanning: what is split, what waits, what is dropped, and what stays."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.inventory.model import MachineId
from orchestrator.planner.replan import Standing, replan
from tests.builders import budget, ids, lane, plan_of
from tests.unit.planner.dividing import shown

WIDE = budget(4, "a b c d e f")


def standing(begun: Mapping[str, int] | None = None, limit: int | None = None, gone: str = "") -> Standing:
    """So many waves begun; the wide budget at another limit; machines gone."""
    return Standing(begun or {}, {} if limit is None else {WIDE.id: limit}, frozenset[MachineId](ids(gone)))


def test_nothing_changes_where_nothing_has_to() -> None:
    """The same plan, not an equal one: nothing was shrunk, or not so far that it binds."""
    plan = plan_of(lane("one", "a b", "c d"), rules=[WIDE])

    assert replan(plan, standing({"one": 1})).plan is plan
    assert replan(plan, standing({"one": 1}, limit=2)).plan is plan
    assert replan(plan, standing(limit=9)).plan is plan


def test_waves_that_were_not_begun_are_split() -> None:
    """The one that was begun stays as it was, though it takes more than there is by now."""
    plan = plan_of(lane("one", "a b", "c d", "e f"), rules=[WIDE])
    found = replan(plan, standing({"one": 1}, limit=1))

    assert shown(found.plan.lanes) == {"one": (["a b", "c", "d", "e", "f"], [])}
    assert found.plan.lanes[0].bound.waves == 5
    assert found.lanes == ("one",)


def test_a_budget_without_room_is_planned_as_one_of_1() -> None:
    """Its machines wait at admission."""
    plan = plan_of(lane("one", "a b"), rules=[WIDE])

    assert shown(replan(plan, standing(limit=0)).plan.lanes) == {"one": (["a", "b"], [])}


def test_lanes_that_fit_side_by_side_no_more_wait() -> None:
    """And whoever waited for the one that waits now still comes after it."""
    plan = plan_of(lane("one", "a b"), lane("two", "c d"), lane("three", "e f", after=["two"]), rules=[WIDE])
    found = replan(plan, standing(limit=2))

    assert {lane.id: lane.after for lane in found.plan.lanes} == {
        "one": (), "two": ("one",), "three": ("two",),
    }  # fmt: skip


def test_a_lane_that_was_begun_is_cut_in_two_to_wait() -> None:
    """Both lanes run; the rest of the second waits for the rest of the first, which waits for the second's last wave."""
    plan = plan_of(lane("one", "a", "b"), lane("two", "c", "d"), lane("x", "g", after=["two"]), rules=[WIDE])
    found = replan(plan, standing({"one": 1, "two": 1}, limit=1))

    assert shown(found.plan.lanes) == {
        "one": (["a"], []),
        "two": (["c"], []),
        "one-rest": (["b"], ["one", "two"]),
        "two-rest": (["d"], ["two", "one", "one-rest"]),
        "x": (["g"], ["two-rest"]),
    }


def test_who_is_gone_is_dropped() -> None:
    """A wave without anybody is none, nor is a lane; who waited for it waits for what it waited for."""
    plan = plan_of(
        lane("one", "a"), lane("two", "b", after=["one"]), lane("three", "c d", after=["two"]), rules=[WIDE]
    )
    found = replan(plan, standing(gone="b d"))

    assert shown(found.plan.lanes) == {"one": (["a"], []), "three": (["c"], ["one"])}
    assert found.dropped == ids("b d")
    assert [left.machine for left in found.plan.left_out] == list(ids("b d"))


def test_who_is_gone_from_a_wave_that_was_begun_stays_in_it() -> None:
    """What ran is history."""
    plan = plan_of(lane("one", "a", "b"), rules=[WIDE])

    assert replan(plan, standing({"one": 1}, gone="a")).plan is plan
