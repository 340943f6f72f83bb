"""A plan by numbers."""

from __future__ import annotations

from tests.builders import always, lane, order, planned_of, stage, step


def test_machines_lanes_and_waves_are_found_by_number() -> None:
    """A machine's place in the plan is its name in the journal; one that only counts is in no lane."""
    planned = planned_of(
        lane("first", "c", stage="pilot"),
        lane("west", "a", "b", stage="broad"),
        lane("east", "d", stage="broad", after=["west"]),
        counted="x",
        stages=[stage("pilot"), stage("broad")],
    )
    assert [planned.machine(i).name for i in range(5)] == ["a", "b", "c", "d", "x"]
    assert planned.lane_of == (1, 1, 0, 2, -1)
    assert planned.wave_of == (0, 1, 0, 0, -1)
    assert planned.lanes_of_stage == ((0,), (1, 2))
    assert planned.lanes[1].followers == (2,)
    assert planned.lanes[2].after == (1,)
    assert [planned.stage_of(i) for i in range(4)] == [1, 1, 0, 1]
    assert planned.changing == 4


def test_orders_are_found_from_both_sides_and_by_stage() -> None:
    """Machines that the plan doesn't change hold nobody back."""
    planned = planned_of(
        lane("first", "a", stage="pilot"),
        lane("rest", "b c", stage="broad"),
        rules=[order("a b x", "c")],
        stages=[stage("pilot"), stage("broad")],
    )
    (held,) = planned.orders
    assert held.first == ((0,), (1,))
    assert planned.orders_first == {0: (0,), 1: (0,)}
    assert planned.orders_before == {2: (0,)}


def test_steps_after_undo_the_last_first() -> None:
    """Of several rules' steps around one machine; within one rule they stand as written."""
    planned = planned_of(
        lane("west", "a"), before=[step("one"), step("two")], after=[step("three"), always("four")]
    )
    assert [x.webhook for x in planned.steps_before(0)] == ["one", "two"]
    assert [x.webhook for x in planned.steps_after(0)] == ["three", "four"]
