"""Every rule that says nothing is told, with its reason and where."""

from __future__ import annotations

from orchestrator.planner.plan import planning
from orchestrator.policy.load import load
from orchestrator.policy.model import Origin
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm
from tests.unit.planner.compiling import compiled


def test_a_rule_about_no_machine_is_told() -> None:
    """It has no group that could be counted: a slip of the pen, more often than not."""
    (dropped,) = compiled(
        inventory(vm("a"), vm("b")), "  - {max_unavailable: 1, of: {tags: {tier: dbb}}}"
    ).dropped

    assert (dropped.why, dropped.groups, dropped.of, dropped.such_as) == ("it selects no machine", 0, 0, ())
    assert dropped.origin == Origin("p.yaml", 5)


def test_a_rule_whose_kind_of_group_nobody_is_in_is_told() -> None:
    """Budgets, exclusions and orders alike."""
    rules = (
        "  - {max_unavailable: 1, per: scale_set}\n"
        "  - {one_at_a_time: fault_domain, within: scale_set}\n"
        "  - {order: [{names: a}, {names: b}], per: [zone, availability_set]}"
    )
    dropped = compiled(inventory(vm("a"), vm("b")), rules).dropped

    assert [(one.why, one.groups) for one in dropped] == [
        ("none of its machines is in any scale set", 0),
        ("none of its machines is in any scale set", 0),
        ("none of its machines is in any zone and availability set", 0),
    ]


def test_the_second_of_two_rules_that_say_the_same_is_told() -> None:
    """With the place of the first; the constraint carries that one."""
    found = compiled(inventory(vm("a"), vm("b")), "  - {max_unavailable: 1}\n  - {min_available: 1}")

    (kept,) = found.constraints
    assert kept.origin == Origin("p.yaml", 5)
    assert [(one.rule, one.why, one.groups, one.of) for one in found.dropped] == [
        ("at least 1 available", "p.yaml:5 says the same", 1, 1)
    ]


def test_a_rule_that_says_something_elsewhere_tells_of_how_many() -> None:
    """And names a few of the groups, in an order of their own."""
    fleet = inventory(
        *(vm(f"{region}-{n}", location=region) for region in "edcba" for n in range(1 + (region == "a")))
    )
    (dropped,) = compiled(fleet, "  - {max_unavailable: 1, per: region}").dropped

    assert (dropped.groups, dropped.of, dropped.such_as) == (4, 5, ("b", "c", "d"))


def test_what_lost_its_machines_late_is_told() -> None:
    """A group whose machines no stage takes is dropped from the plan, after rules were compiled."""
    policy = (
        "version: 1\nname: p\nselect: {names: '*'}\nchange: {restart: {}}\nrules: [{max_unavailable: 1, per: region}]\n"
        "stages: [{name: west, select: {regions: westeurope}}]\n"
    )
    fleet = inventory(vm("a"), vm("b"), vm("c", location="northeurope"), vm("d", location="northeurope"))
    found = planning(build(fleet), load([("p.yaml", policy)]), None)

    assert [rule.what for rule in found.plan.constraints] == ["at most 1 of 2 in westeurope"]
    assert [(one.rule, one.why, one.such_as) for one in found.dropped] == [
        (
            "at most 1 unavailable per region",
            "the machines it would have kept apart are left out for other reasons",
            ("at most 1 of 2 in northeurope",),
        )
    ]
