"""Machines that are alone in a group of which some must serve, and that a person may let go: last of all, behind an approval."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.inventory.model import Inventory
from orchestrator.planner.model import Plan, StageGate
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm
from tests.unit.planner.compiling import off
from tests.unit.planner.dividing import named, verdict

CAMPAIGN = "version: 1\nname: all\nselect: {names: '*'}\nchange: {restart: {}}\n"
QUORUMS = "  - {min_available: majority, per: tag:app, singletons: approve}\n"
FLEET = inventory(
    vm("alone", tags={"app": "a"}),
    vm("single", tags={"app": "b"}),
    *(vm(f"web{n}", tags={"app": "web"}) for n in range(3)),
    vm("free"),
)


def planned(fleet: Inventory, rules: str = QUORUMS, stages: str = "{name: broad, bake: 1h}") -> Plan:
    """The plan of everything under these rules, in line 4 and after."""
    files = [
        ("all.yaml", f"{CAMPAIGN}stages: [{stages}]\n"),
        ("rules.yaml", f"version: 1\nname: rules\nrules:\n{rules}"),
    ]
    return plan(build(fleet), load(files), None)


def stages(made: Plan) -> dict[str, str]:
    """Who is in each stage, by name."""
    return {
        gate.name: " ".join(
            sorted(named(w.machines) for lane in made.lanes if lane.stage == gate.name for w in lane.waves)
        )
        for gate in made.stages
    }


def test_they_come_last_behind_an_approval() -> None:
    """The plan says who they are, and for which rule."""
    made = planned(FLEET)

    assert made.stages == (
        StageGate("broad", timedelta(hours=1), approve=True),
        StageGate("singletons", timedelta(0), approve=False),
    )
    assert stages(made)["singletons"] == "alone single"
    assert [(warned.what, str(warned.origin)) for warned in made.warnings if "alone" in warned.what] == [
        (
            "2 machines are alone in their groups, and go only with a person's yes, last of all, in stage singletons: alone, single",
            "rules.yaml:4",
        )
    ]
    assert made.left_out == ()
    assert verdict(made) == []


def test_one_that_is_off_has_nobody_to_ask() -> None:
    """It isn't changed, and without the others there is no such stage."""
    made = planned(inventory(off("alone", tags={"app": "a"}), vm("free")))

    assert stages(made) == {"broad": "free"}
    assert [left.reason for left in made.left_out] == ["it is deallocated"]


def test_another_rule_may_freeze_it_all_the_same() -> None:
    """All rules hold together: a yes for one is no yes for another."""
    made = planned(FLEET, QUORUMS + "  - {min_available: 1, of: {names: single}}\n")

    assert stages(made)["singletons"] == "alone"
    assert [named([left.machine]) for left in made.left_out] == ["single"]


def test_a_campaign_of_nothing_else_waits_before_it_begins() -> None:
    """Its own stages are there, empty."""
    made = planned(
        inventory(vm("alone", tags={"app": "a"})), stages="{name: canary, count: 1}, {name: broad}"
    )

    assert [(gate.name, gate.approve) for gate in made.stages] == [
        ("canary", False),
        ("broad", True),
        ("singletons", False),
    ]
    assert stages(made) == {"canary": "", "broad": "", "singletons": "alone"}


def test_a_stage_of_that_name_keeps_it() -> None:
    """Then theirs has another."""
    assert list(stages(planned(FLEET, stages="{name: singletons}"))) == ["singletons", "singletons-2"]


def test_an_order_that_wants_one_of_them_first_is_told() -> None:
    """Nobody waits for a yes that may never come."""
    made = planned(FLEET, QUORUMS + "  - {order: [{names: alone}, {names: web*}]}\n")

    assert [warned.what for warned in made.warnings if "should come first" in warned.what] == [
        "alone before web*: alone should come first, but waits for a person's yes in stage singletons; the others don't wait for it"
    ]


def test_without_a_yes_nothing_changes_for_anybody_else() -> None:
    """The stages before are those of a plan that leaves such machines out, but for the approval."""
    asks, leaves_out = planned(FLEET), planned(FLEET, QUORUMS.replace("approve", "leave_out"))

    assert stages(asks)["broad"] == stages(leaves_out)["broad"]
    assert [named([left.machine]) for left in leaves_out.left_out] == ["alone", "single"]
    assert list(stages(leaves_out)) == ["broad"]
