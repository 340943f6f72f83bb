"""Why a machine is where it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import UsageError
from orchestrator.planner.explain import explain
from orchestrator.planner.model import LeftOut, Plan
from tests.builders import budget, exclusion, lane, order, plan_of
from tests.fleet import vm_id
from tests.unit.planner.company import planned

PLAN = plan_of(
    lane("broad-1", "a", "b", "c d", "e"),
    lane("broad-2", "f", after=["broad-1"]),
    rules=[
        budget(1, "a b"),
        budget(2, "c d e"),
        exclusion({"zone 1": "a b", "zone 2": "d e"}),
        exclusion({"north": "a b c d e", "west": "f"}),
        order("b", "d"),
        budget(9, "a b c z"),
        budget(1, "a b c z", cap=True),
    ],
)


def test_each_earlier_wave_names_what_kept_the_machine_out() -> None:
    """An open domain, a predecessor, a full budget, or nothing but the packing."""
    found = explain(PLAN, "e")

    assert (found.stage, found.lane, found.wave, found.waves) == ("broad", "broad-1", 4, 4)
    assert [
        (earlier.wave, [obstacle.what for obstacle in earlier.obstacles]) for earlier in found.earlier
    ] == [
        (1, ["zone 1 was open: one of zone 1, zone 2 at a time"]),
        (2, ["zone 1 was open: one of zone 1, zone 2 at a time"]),
        (3, ["full: at most 2 of 3"]),
    ]
    assert found.earlier[2].obstacles[0].machines == ("c", "d")


def test_a_predecessor_that_was_not_done() -> None:
    """Named with those that are waited for, besides the domain that was open."""
    second = explain(PLAN, "d").earlier[1]

    assert [(obstacle.what, obstacle.machines) for obstacle in second.obstacles] == [
        ("zone 1 was open: one of zone 1, zone 2 at a time", ("b",)),
        ("not all that goes before it was done: b before d", ("b",)),
    ]


def test_what_would_have_fitted_is_said() -> None:
    """Nothing kept c out of the first two waves; neither a cap, which binds no wave, nor a budget with room."""
    found = explain(PLAN, "c")

    assert [obstacle.what for earlier in found.earlier for obstacle in earlier.obstacles] == [
        "nothing but the packing: it would have fitted"
    ] * 2
    assert {obstacle.constraint for earlier in found.earlier for obstacle in earlier.obstacles} == {""}


def test_what_the_lane_waits_for_names_the_rule() -> None:
    """F's own rule; no wave of its lane is earlier."""
    found = explain(PLAN, "f")

    assert [(waited.what, waited.lanes) for waited in found.waited] == [
        ("one of north, west at a time", ("broad-1",))
    ]
    assert found.lines() == [
        "f is in wave 1 of 1 of lane broad-2, in stage broad (1 of 1)",
        "  the lane: broad-2",
        "  the lane waits for lane broad-1: one of north, west at a time",
        "  no wave of its lane is earlier",
    ]


def test_a_lane_may_wait_because_of_its_other_machines() -> None:
    """Which is said, with the rule."""
    plan = plan_of(lane("l1", "a"), lane("l2", "b c", after=["l1"]), rules=[budget(1, "a b")])

    assert [waited.what for waited in explain(plan, "c").waited] == [
        "at most 1 of 2, which others of its lane stand in"
    ]


def test_waves_with_the_same_reason_are_told_in_one_line() -> None:
    """For people, with all who stood in the way; programs get each wave."""
    assert explain(PLAN, "e").lines()[2:] == [
        "  not in waves 1 to 2: zone 1 was open: one of zone 1, zone 2 at a time (a, b)",
        "  not in wave 3: full: at most 2 of 3 (c, d)",
    ]
    two = plan_of(lane("l", "a b", "c d", "e"), rules=[budget(2, "a b c d e")])
    assert explain(two, "e").to_json()["earlier"][1] == {
        "wave": 2,
        "obstacles": (
            {"constraint": "budget:2:a b c d e", "what": "full: at most 2 of 5", "machines": ("c", "d")},
        ),
    }


def test_who_is_left_out_is_told_why() -> None:
    """The machine's own state, or the rule; by name, though the plan doesn't carry the machine."""
    plan = replace(PLAN, left_out=(LeftOut(vm_id("off"), "it is deallocated"),))

    assert explain(plan, "OFF").lines() == ["off is left out: it is deallocated"]


def test_who_only_counts_is_told_where() -> None:
    """Z is in no wave, and in two budgets."""
    assert explain(PLAN, "z").lines() == [
        "z is not changed; it only counts in the rules of machines that are",
        "  it counts in: at most 1 of 4",
        "  it counts in: at most 9 of 4",
    ]


def test_machines_are_named_by_id_or_by_name() -> None:
    """Case doesn't matter in either."""
    assert explain(PLAN, "E").id == vm_id("e")
    assert explain(PLAN, vm_id("e").upper()).id == vm_id("e")


def test_a_name_of_several_machines_lists_their_ids() -> None:
    """Whoever asked then names one."""
    twins = tuple(replace(machine, name="twin") for machine in PLAN.machines[:2])
    plan = replace(PLAN, machines=(*twins, *PLAN.machines[2:]))
    with pytest.raises(UsageError) as refused:
        explain(plan, "Twin")

    assert str(refused.value).splitlines() == [
        "2 machines are called Twin; name one by its id:",
        f"  {vm_id('a')}",
        f"  {vm_id('b')}",
    ]


def test_an_unknown_name_says_what_may_have_been_meant() -> None:
    """Near names of the plan."""
    plan, _ = planned(40)
    name = plan.machines[0].name
    with pytest.raises(UsageError, match=f"the plan knows no machine {name}x.*did you mean .*{name}"):
        explain(plan, f"{name}x")


def test_every_machine_of_a_company_is_explained() -> None:
    """No earlier wave without a reason, and next to none without a rule."""
    plan, _ = planned(300)
    earlier = [wave for machine in _changed(plan) for wave in explain(plan, machine).earlier]
    bare = [wave for wave in earlier if not wave.obstacles[0].constraint]

    assert all(wave.obstacles for wave in earlier)
    assert len(bare) <= len(earlier) / 20


def _changed(plan: Plan) -> list[str]:
    return [machine.id for machine in plan.machines if machine.change]
