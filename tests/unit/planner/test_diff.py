"""What a new plan does otherwise."""

from __future__ import annotations

from dataclasses import replace

import orjson

from orchestrator.planner.diff import diff
from orchestrator.planner.diff_model import MachineChange, PlanDiff, Turn
from orchestrator.planner.model import Bound, LeftOut, Plan, Warned
from orchestrator.planner.plan import plan
from orchestrator.topology.graph import build
from tests.builders import budget, lane, plan_of, stage
from tests.fleet import vm_id
from tests.unit.planner.company import RULES, company, planned, policies
from tests.unit.planner.compiling import floor

STAGES = [stage("canary"), stage("broad")]
OLD = plan_of(
    lane("canary-1", "a", stage="canary"),
    lane("broad-1", "b", "c"),
    lane("broad-2", "d e", after=["broad-1"]),
    lane("broad-3", "f g"),
    stages=STAGES,
)


def moves(found: PlanDiff) -> dict[str, tuple[Turn | None, Turn | None]]:
    """Who moved, from where to where."""
    return {change.name: (change.was, change.now) for change in found.moved}


def test_a_plan_doesn_t_differ_from_itself() -> None:
    """Nor from one made of another inventory that does the same."""
    assert not diff(OLD, OLD).differ
    again = diff(OLD, replace(OLD, inventory_fingerprint="other", taken_at=None))

    assert (again.differ, again.same_inventory, again.same_policies) == (False, False, True)


def test_lanes_that_are_only_numbered_anew_are_the_same() -> None:
    """A lane is known by its machines."""
    new = plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("broad-01", "f g"),
        lane("broad-02", "b", "c"),
        lane("broad-03", "d e", after=["broad-02"]),
        stages=STAGES,
    )

    assert not diff(OLD, new).differ


def test_a_machine_moves_with_the_path_that_leads_to_it() -> None:
    """Its place counts all waves that must be over: d and e come later since their lane waits for a longer one."""
    new = plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("broad-1", "c", "x", "b"),
        lane("broad-2", "d e", after=["broad-1"]),
        lane("broad-3", "f g"),
        stages=STAGES,
    )
    found = diff(OLD, new)

    assert moves(found) == {
        "b": (Turn("broad", "broad-1", 1), Turn("broad", "broad-1", 3)),
        "c": (Turn("broad", "broad-1", 2), Turn("broad", "broad-1", 1)),
        "d": (Turn("broad", "broad-2", 3), Turn("broad", "broad-2", 4)),
        "e": (Turn("broad", "broad-2", 3), Turn("broad", "broad-2", 4)),
    }
    assert (found.was.longest, found.now.longest) == (4, 5)
    assert [(change.was.waves, change.now.waves) for change in found.lanes if change.was and change.now] == [
        (2, 3)
    ]


def test_a_machine_moves_to_another_stage_and_to_another_lane() -> None:
    """Those it leaves keep their lane."""
    new = plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("canary-2", "b", stage="canary"),
        lane("broad-1", "c"),
        lane("broad-2", "d", after=["broad-1"]),
        lane("broad-3", "f g"),
        lane("broad-4", "e", after=["broad-1"]),
        stages=STAGES,
    )
    found = diff(OLD, new)

    assert moves(found)["b"] == (Turn("broad", "broad-1", 1), Turn("canary", "canary-2", 1))
    assert moves(found)["e"] == (Turn("broad", "broad-2", 3), Turn("broad", "broad-4", 2))
    assert sorted(moves(found)) == ["b", "c", "d", "e"]
    assert [change.now.id for change in found.lanes if change.was is None and change.now] == [
        "canary-2",
        "broad-4",
    ]


def test_who_comes_who_goes_and_who_is_left_out() -> None:
    """Each with why it wasn't, or isn't, changed."""
    off = LeftOut(vm_id("x"), "it is off")
    old = replace(OLD, left_out=(off, LeftOut(vm_id("y"), "no agent")))
    new = replace(
        plan_of(
            lane("canary-1", "a", stage="canary"),
            lane("broad-1", "b", "x"),
            lane("broad-2", "d e", after=["broad-1"]),
            stages=STAGES,
            counted="g",
        ),
        left_out=(LeftOut(vm_id("c"), "it is off"), LeftOut(vm_id("y"), "frozen")),
    )
    found = diff(old, new)

    assert found.added == (
        MachineChange(vm_id("x"), "x", None, Turn("broad", "broad-1", 2), why_before="it is off"),
    )
    assert [(change.name, change.why) for change in found.dropped] == [
        ("f", "the plan doesn't name it"),
        ("g", "it only counts in rules"),
    ]
    assert [(change.name, change.was, change.why_before, change.why) for change in found.left_out] == [
        ("c", Turn("broad", "broad-1", 2), "", "it is off"),
        ("y", None, "no agent", "frozen"),
    ]
    assert found.moved == ()


def test_a_lane_that_waits_for_others_is_told_even_if_nobody_moves() -> None:
    """A shorter lane to wait for, besides the one that decides."""
    new = replace(
        OLD, lanes=(*OLD.lanes[:2], OLD.lanes[3], replace(OLD.lanes[2], after=("broad-1", "broad-3")))
    )
    found = diff(OLD, new)

    assert (found.moved, [change.waits for change in found.lanes]) == ((), [True])


def test_a_bound_that_changes_is_told() -> None:
    """With the reason for the new one."""
    lanes = (OLD.lanes[0], replace(OLD.lanes[1], bound=Bound(1, "less is known")), *OLD.lanes[2:])
    (change,) = diff(OLD, replace(OLD, lanes=lanes)).lanes

    assert change.was is not None
    assert change.now is not None
    assert (change.was.bound, change.now.bound, change.now.because) == (2, 1, "less is known")


def test_warnings_that_come_and_go() -> None:
    """By what they say."""
    old, new = replace(OLD, warnings=(Warned("one"),)), replace(OLD, warnings=(Warned("two"),))
    found = diff(old, new)

    assert (found.warned, found.unwarned, found.differ) == (("two",), ("one",), True)


def test_programs_are_told_whether_they_differ() -> None:
    """And everything else, in plain values."""
    new = replace(OLD, constraints=(budget(1, "b c"),))
    told = orjson.loads(orjson.dumps(diff(OLD, new).to_json()))

    assert (told["differ"], diff(OLD, OLD).to_json()["differ"]) == (True, False)
    assert told["rules"][0]["now"]["limit"] == 1
    assert told["summary"]["old"]["machines"] == 7


def test_a_rule_of_a_company_that_is_loosened() -> None:
    """All its budgets are found again; nobody comes or goes."""
    old, fleet = planned(300)
    rules = RULES.replace("max_unavailable: 25%", "max_unavailable: 50%")
    found = diff(old, plan(build(fleet), policies(rules), floor()))

    loosened = [change for change in found.rules if change.course == "loosened"]
    assert {str(change.told.origin) for change in loosened} == {"apps.yaml:4"}
    assert all(change.was and change.now and not change.joined and not change.left for change in loosened)
    assert len(loosened) > 10
    assert (found.added, found.dropped, found.left_out) == ((), (), ())
    assert found.now.longest < found.was.longest


def test_a_machine_that_leaves_a_company() -> None:
    """The budgets that it counted in go on without it."""
    old, fleet = planned(300)
    gone = next(machine for machine in fleet.machines if machine.id == old.lanes[-1].waves[0].machines[0])
    smaller = replace(fleet, machines=tuple(machine for machine in fleet.machines if machine != gone))
    found = diff(old, plan(build(smaller), policies(), floor()))

    assert [change.name for change in found.dropped] == [gone.name]
    assert all(change.joined == 0 for change in found.rules)


def same_company(size: int) -> Plan:
    """A plan of the fleet of `planned`, made anew."""
    return plan(build(company(size)), policies(), floor())


def test_a_plan_made_twice_is_the_same() -> None:
    """Of the same fleet under the same policies."""
    assert not diff(planned(60)[0], same_company(60)).differ
