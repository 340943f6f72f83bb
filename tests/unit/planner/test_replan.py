"""Replanning: what is split, what waits, what is dropped, and what stays."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Plan
from orchestrator.planner.replan import Replanned, Replanner, Standing, replanned
from tests.builders import budget, exclusion, ids, lane, order, plan_of
from tests.unit.planner.dividing import shown


def replan(plan: Plan, where: Standing) -> tuple[Plan, Replanned]:
    """The plan after it, and what differs."""
    found = Replanner(plan).replan(where)
    return replanned(plan, found), found


WIDE = budget(4, "a b c d e f")


def standing(begun: Mapping[str, int] | None = None, limit: int | None = None, gone: str = "") -> Standing:
    """So many waves begun; the wide budget at another limit; machines gone."""
    return Standing(begun or {}, {} if limit is None else {WIDE.id: limit}, frozenset[MachineId](ids(gone)))


def test_nothing_changes_where_nothing_has_to() -> None:
    """The same plan, not an equal one: nothing was shrunk, or not so far that it binds."""
    plan = plan_of(lane("one", "a b", "c d"), rules=[WIDE])

    assert replan(plan, standing({"one": 1}))[0] is plan
    assert replan(plan, standing({"one": 1}, limit=2))[0] is plan
    assert replan(plan, standing(limit=9))[0] is plan


def test_waves_that_were_not_begun_are_split() -> None:
    """The one that was begun stays as it was, though it takes more than there is by now."""
    plan = plan_of(lane("one", "a b", "c d", "e f"), rules=[WIDE])
    after, found = replan(plan, standing({"one": 1}, limit=1))

    assert shown(after.lanes) == {"one": (["a b", "c", "d", "e", "f"], [])}
    assert after.lanes[0].bound.waves == 5
    assert [lane.id for lane in found.lanes] == ["one"]


def test_a_budget_without_room_is_planned_as_one_of_1() -> None:
    """Its machines wait at admission."""
    plan = plan_of(lane("one", "a b"), rules=[WIDE])

    assert shown(replan(plan, standing(limit=0))[0].lanes) == {"one": (["a", "b"], [])}


def test_lanes_that_fit_side_by_side_no_more_wait() -> None:
    """And whoever waited for the one that waits now still comes after it."""
    plan = plan_of(lane("one", "a b"), lane("two", "c d"), lane("three", "e f", after=["two"]), rules=[WIDE])
    after, _found = replan(plan, standing(limit=2))

    assert {lane.id: lane.after for lane in after.lanes} == {
        "one": (), "two": ("one",), "three": ("two",),
    }  # fmt: skip


def test_a_lane_that_was_begun_is_cut_in_two_to_wait() -> None:
    """Both lanes run; the rest of the second waits for the rest of the first, which waits for the second's last wave."""
    plan = plan_of(lane("one", "a", "b"), lane("two", "c", "d"), lane("x", "g", after=["two"]), rules=[WIDE])
    after, _found = replan(plan, standing({"one": 1, "two": 1}, limit=1))

    assert shown(after.lanes) == {
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
    after, found = replan(plan, standing(gone="b d"))

    assert shown(after.lanes) == {"one": (["a"], []), "three": (["c"], ["one"])}
    assert found.dropped == ids("b d")
    assert [left.machine for left in after.left_out] == list(ids("b d"))


def test_who_is_gone_from_a_wave_that_was_begun_stays_in_it() -> None:
    """What ran is history."""
    plan = plan_of(lane("one", "a", "b"), rules=[WIDE])

    assert replan(plan, standing({"one": 1}, gone="a"))[0] is plan


def test_who_is_delayed_goes_in_the_next_wave_that_has_room() -> None:
    """Nobody goes earlier, and no wave takes more than the fullest did."""
    plan = plan_of(lane("one", "a b c", "d e f"), rules=[budget(3, "a b c d e f")])
    after, _ = replan(plan, Standing(limits={plan.constraints[0].id: 2}))

    assert shown(after.lanes) == {"one": (["a b", "c d", "e f"], [])}


def test_a_domain_that_was_begun_is_finished_before_the_next() -> None:
    """Who is delayed isn't mixed into the next domain, but has a wave of its own before it. The same by an order."""
    zones = exclusion({"1": "a b c", "2": "d e f"})
    plan = plan_of(lane("one", "a b c", "d e"), rules=[WIDE, zones])
    apart = plan_of(lane("one", "a b c", "d e"), rules=[WIDE, order("c", "e")])

    assert shown(replan(plan, standing(limit=2))[0].lanes) == {"one": (["a b", "c", "d e"], [])}
    assert shown(replan(apart, standing(limit=2))[0].lanes) == {"one": (["a b", "c", "d e"], [])}


def test_another_budget_stays_as_full_as_it_was() -> None:
    """A lane may run beside this one because each of its waves takes one of that budget."""
    other = budget(2, "c d e f")
    plan = plan_of(lane("one", "a b c", "d"), lane("two", "e", "f"), rules=[budget(3, "a b c"), other])
    after, _ = replan(plan, Standing(limits={plan.constraints[1].id: 2}))

    assert shown(after.lanes)["one"] == (["a b", "c", "d"], [])


def test_a_lane_waits_for_as_few_as_it_has_to() -> None:
    """A rule that bound nobody begins to: one of the three waits, for the one that is over soonest."""
    rule = budget(3, "a b c")
    plan = plan_of(lane("one", "a", "x"), lane("two", "b"), lane("three", "c"), rules=[rule])
    after, found = replan(plan, Standing(limits={rule.id: 2}))

    assert {lane.id: lane.after for lane in after.lanes} == {"one": (), "two": (), "three": ("two",)}
    assert [lane.id for lane in found.lanes] == ["three"]


def test_what_is_over_needs_no_waiting_for() -> None:
    """A lane that ended takes no room."""
    rule = budget(2, "a b")
    plan = plan_of(lane("one", "a"), lane("two", "b"), rules=[rule])
    one_begun = Standing({"one": 1}, {rule.id: 1})

    assert replan(plan, one_begun)[1].lanes[0].after == ("one",)
    assert not replan(plan, Standing({"one": 1}, {rule.id: 1}, over={"one"}))[1].changes


def test_the_index_goes_on_from_what_was_accepted() -> None:
    """A lane cut in two is known by both names, and may be cut again."""
    plan = plan_of(lane("one", "a", "b"), lane("two", "c", "d", "e"), rules=[WIDE])
    kept = Replanner(plan)
    kept.accept(kept.replan(standing({"one": 1, "two": 1}, limit=1)))
    assert not kept.replan(standing({"one": 1, "two": 1}, limit=1)).changes

    assert kept.replan(standing({"one": 1, "two": 1}, gone="d")).dropped == ids("d")
    kept.accept(kept.replan(standing({"one": 1, "two": 1, "one-rest": 1}, gone="d e")))
    assert shown(kept.plan.lanes) == {
        "one": (["a"], []),
        "one-rest": (["b"], ["one", "two"]),
        "two": (["c"], []),
    }


def test_while_it_runs_who_has_no_room_comes_last_in_the_lane() -> None:
    """Those with room don't wait for them; no lane waits for another; a rule that keeps them apart is kept."""
    held = budget(1, "a c x")
    lanes = [lane("one", "a b", "c d", "e"), lane("two", "f", "g")]
    found = Replanner(plan_of(*lanes, rules=[held])).delayed(Standing({}, {held.id: 0}))
    assert shown(found) == {"one": (["b", "d", "e", "a", "c"], [])}

    bound = Replanner(plan_of(*lanes, rules=[held, order("a", "d")])).delayed(Standing({}, {held.id: 0}))
    assert shown(bound) == {"one": (["b", "a", "d", "e", "c"], [])}
