"""Never: a plan of a real fleet under real policies that the judge doesn't let pass, or that forgets a machine."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.errors import PolicyError, Refused
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import dump, parse
from orchestrator.planner.explain import explain
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.plan import judge_plan
from tests.properties.test_policy_constraints import fleets, policy_files
from tests.unit.planner.compiling import floor

Files = list[tuple[str, str]]

STAGES = (
    "",
    "stages: [{name: all}]\n",
    "stages: [{name: canary, count: 1}, {name: half, up_to: 50%}, {name: rest}]\n",
    "stages: [{name: db, select: {tags: {tier: db}}}, {name: some, up_to: 3}]\n",
    "stages: [{name: all, growing: true}]\n",
    "stages: [{name: one, count: 1}, {name: rest, growing: {first: 2, factor: 3, most: 40%}}]\n",
)


def planned(fleet: Inventory, files: Files, stages: str) -> Plan | None:
    """The plan of a campaign over everything; None if it is refused, which the other tests look at."""
    campaign = ("c.yaml", f"version: 1\nname: c\nselect: {{names: '*'}}\nchange: {{restart: {{}}}}\n{stages}")
    try:
        return plan(build(fleet), load([*files, campaign]), floor())
    except (PolicyError, Refused) as refused:
        event(type(refused).__name__)
        return None


@settings(max_examples=200, deadline=None)
@given(fleets(), policy_files(3), st.sampled_from(STAGES))
def test_the_judge_lets_every_plan_pass(fleet: Inventory, files: Files, stages: str) -> None:
    """By its own constraints, and by the floor read straight off the inventory."""
    made = planned(fleet, files, stages)
    if made is None:
        return
    document = orjson.loads(dump(made))
    event(f"{len(made.lanes)} lanes")

    assert [str(violation) for violation in judge_plan(document).violations] == []
    if not made.replaces:
        floored = judge_floor(document, orjson.loads(native.dump(fleet)))
        assert [str(violation) for violation in floored.violations] == []


@settings(deadline=None)
@given(fleets(), policy_files(2), st.sampled_from(STAGES))
def test_every_machine_is_in_one_wave_or_left_out_with_a_reason(
    fleet: Inventory, files: Files, stages: str
) -> None:
    """And is explained."""
    made = planned(fleet, files, stages)
    if made is None:
        return
    waves = [machine for lane in made.lanes for wave in lane.waves for machine in wave.machines]
    left = [left.machine for left in made.left_out]

    assert sorted([*waves, *left]) == sorted(machine.id for machine in fleet.machines)
    assert all(held.reason for held in made.left_out)
    assert {machine.id for machine in made.machines if machine.change} == set(waves)
    for machine in fleet.machines:
        told = explain(made, machine.id)
        assert bool(told.lane) != bool(told.left_out)
        assert all(earlier.obstacles for earlier in told.earlier)


@settings(deadline=None)
@given(fleets(), policy_files(2), st.sampled_from(STAGES), st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_bytes(
    fleet: Inventory, files: Files, stages: str, random: Random
) -> None:
    """In whatever order machines and policies come; and what is read back is what was written."""
    made = planned(fleet, files, stages)
    if made is None:
        return
    machines, turned = list(fleet.machines), list(files)
    random.shuffle(machines)
    random.shuffle(turned)
    again = planned(replace(fleet, machines=tuple(machines)), turned, stages)

    assert again is not None
    assert dump(again) == dump(made)
    assert parse(dump(made), "plan.json") == made
