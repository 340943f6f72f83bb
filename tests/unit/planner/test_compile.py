"""The floor, what replaces it, rules that say the same, and ids by content."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.availability.model import Budget, Exclusion
from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Inventory, Location, Machine
from orchestrator.planner.compile import compile_constraints
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Origin
from orchestrator.topology.graph import build
from tests.fleet import flex_id, inventory, set_id, vm
from tests.unit.planner.compiling import POLICIES, budgets, compiled, exclusions, floor, told

TWO = "22222222-aaaa-4aaa-8aaa-000000000002"


def test_rules_that_say_the_same_are_one_constraint() -> None:
    """The first as written stays, at the outermost level of both; here the pair is the whole selection."""
    fleet = inventory(
        vm("a"), vm("b", location="northeurope"), locations=(Location("westeurope", ("northeurope",)),)
    )
    rules = "  - {one_at_a_time: region}\n  - {one_at_a_time: region, within: region_pair}"
    (only,) = compiled(fleet, rules).constraints

    assert isinstance(only, Exclusion)
    assert (only.level, only.origin, only.what) == (0, Origin("p.yaml", 5), "one region at a time in p")


def test_the_floor_over_a_small_fleet() -> None:
    """Pairs, zones, update domains, fault domains, a fifth of each set, and of what stands in none as a cap."""
    web, flex = set_id("as-web"), flex_id("ss")
    fleet = inventory(
        *(vm(f"web-{n}", availability_set=web, update_domain=n % 2) for n in range(10)),
        *(vm(f"flex-{n}", scale_set=flex, fault_domain=n % 2) for n in range(3)),
        *(vm(f"solo-{n}", zone=str(n % 2 + 1)) for n in range(5)),
        vm("solo-9", location="northeurope", subscription=TWO),
        locations=(Location("northeurope", ("westeurope",)), Location("westeurope", ("northeurope",))),
    )
    result = compiled(fleet, under=floor())

    assert sorted(exclusions(result)) == [
        "one fault domain at a time in scale set ss",
        "one region at a time in the region pair northeurope + westeurope",
        "one update domain at a time in availability set as-web",
        "one zone at a time in westeurope",
    ]
    subscription = "11111111-aaaa-4aaa-8aaa-000000000001"
    assert sorted(budgets(result)) == [
        "at most 1 of 3 in scale set ss",
        f"at most 1 of 5 in subscription {subscription}, westeurope",
        "at most 2 of 10 in availability set as-web",
    ]
    assert [rule.what for rule in result.constraints if isinstance(rule, Budget) and rule.cap] == [
        f"at most 1 of 5 in subscription {subscription}, westeurope"
    ]
    assert told(result) == []


def test_a_policy_that_replaces_the_floor_frees_its_machines_alone() -> None:
    """They are no members of the floor's groups any more; what it loosens is told."""
    fleet = inventory(*(vm(f"web-{n}", availability_set=set_id("as"), update_domain=0) for n in range(5)))
    topology = build(fleet)
    lab = load_one(
        "lab.yaml", "version: 1\nname: lab\nreplaces: availability-first\nselect: {names: [web-0, web-1]}\n"
    )
    result = compile_constraints(topology, [lab], floor(), frozenset(topology.machines))

    assert budgets(result) == {"at most 1 of 3 in availability set as": "web-2 web-3 web-4"}
    assert [(warned.what, warned.origin) for warned in result.warnings] == [
        (
            "lab replaces availability-first: the built-in rules don't hold for 2 machines",
            Origin("lab.yaml", 3),
        )
    ]


def test_a_copy_of_the_floor_among_the_policies_is_the_floor() -> None:
    """A directory may hold it for reading; something else under its name is a mistake."""
    topology = build(inventory(vm("a", zone="1"), vm("b", zone="2")))
    everything = frozenset(topology.machines)
    copy = load_one(
        "policies/availability-first.yaml", (POLICIES / "availability-first.yaml").read_text("utf-8")
    )
    other = load_one("mine.yaml", "version: 1\nname: availability-first\nrules: [{max_unavailable: 1}]\n")

    assert compile_constraints(topology, [copy], floor(), everything) == compile_constraints(
        topology, [], floor(), everything
    )
    with pytest.raises(PolicyError) as caught:
        compile_constraints(topology, [other], floor(), everything)
    assert [str(problem) for problem in caught.value.problems] == [
        (
            "mine.yaml:2:1: `availability-first` is the name of the built-in rules, and this file says something else; "
            "give it another name, and replaces: availability-first if it is to loosen them"
        )
    ]


def test_nothing_changed_is_no_constraint() -> None:
    """Of a fleet under rules of which nothing moves."""
    topology = build(inventory(vm("a", zone="1"), vm("b", zone="2")))
    result = compile_constraints(topology, [], floor(), frozenset())

    assert (result.constraints, result.frozen) == ((), ())


def fleet_of_everything() -> Inventory:
    """Enough of each kind for every rule of the floor."""
    machines: list[Machine] = []
    for n in range(24):
        facts = [
            {"availability_set": set_id(f"as-{n % 2}"), "update_domain": n % 3},
            {"scale_set": flex_id("ss"), "fault_domain": n % 3},
            {"zone": str(n % 3 + 1), "tags": {"tier": ("db", "web")[n % 2]}},
        ][n % 3]
        machines.append(vm(f"m-{n:02}", location=("westeurope", "northeurope")[n % 2], **facts))
    return inventory(*machines, locations=(Location("westeurope", ("northeurope",)),))


def test_ids_are_those_of_the_content_in_any_order_and_under_any_hash_seed() -> None:
    """Two processes come to the same constraints, in the same order."""
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "import importlib.util as u\n"
        "spec = u.spec_from_file_location('t', sys.argv[1]); t = u.module_from_spec(spec); spec.loader.exec_module(t)\n"
        "result = t.compiled(t.fleet_of_everything(), t.MIXED, under=t.floor())\n"
        "print([rule.id for rule in result.constraints], result.dropped, result.warnings)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, __file__],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=POLICIES.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(outputs) == 1
    assert "exclusion:" in outputs.pop()


MIXED = """\
  - {max_unavailable: 25%, per: "tag:tier"}
  - {min_available: majority, of: {tags: {tier: db}}}
  - {one_at_a_time: "tag:tier"}
  - {order: [{tags: {tier: db}}, {tags: {tier: web}}], per: region}
"""
