"""`order` to orders, and orders that loop."""

from __future__ import annotations

from itertools import permutations

import pytest

from orchestrator.errors import PolicyError
from orchestrator.planner.compile import compile_constraints
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm, vm_id
from tests.unit.planner.compiling import compiled, orders


def test_orders_hold_within_each_group() -> None:
    """Each two entries of the list, also those that aren't neighbours; machines of no entry are free."""
    fleet = inventory(
        *(vm(f"{tier}-{n}", tags={"tier": tier}) for tier in ("db", "api", "web", "log") for n in range(2)),
        vm("web-9", tags={"tier": "web"}, location="northeurope"),
        vm("db-9", tags={"tier": "db"}, location="northeurope"),
    )
    rules = "  - {order: [{tags: {tier: db}}, {tags: {tier: api}}, {tags: {tier: web}}], per: region}"

    assert orders(compiled(fleet, rules)) == {
        "tier=db before tier=api in westeurope": ("db-0 db-1", "api-0 api-1"),
        "tier=db before tier=web in westeurope": ("db-0 db-1", "web-0 web-1"),
        "tier=api before tier=web in westeurope": ("api-0 api-1", "web-0 web-1"),
        "tier=db before tier=web in northeurope": ("db-9", "web-9"),
    }


def test_a_machine_stands_where_the_first_selector_that_matches_it_does() -> None:
    """So that `{}` at the end is everybody else."""
    fleet = inventory(vm("dc-1", tags={"role": "dc"}), vm("app-1"), vm("app-2"))

    assert orders(compiled(fleet, "  - {order: [{tags: {role: dc}}, {}]}")) == {
        "role=dc before all": ("dc-1", "app-1 app-2")
    }


def test_an_order_of_which_one_side_changes_nothing_is_dropped() -> None:
    """A predecessor that isn't changed satisfies it."""
    fleet = inventory(vm("db", tags={"tier": "db"}), vm("web", tags={"tier": "web"}))
    rules = "  - {order: [{tags: {tier: db}}, {tags: {tier: web}}]}\n  - {order: [{names: x}, {names: y}]}"
    result = compiled(fleet, rules, "web")

    assert result.constraints == ()
    assert [(dropped.rule, dropped.why) for dropped in result.dropped] == [
        ("tier=db, then tier=web", "one of the two sides changes nothing"),
        ("x, then y", "fewer than two of its entries have machines"),
    ]


LOOP = (
    ("a.yaml", "version: 1\nname: a\nrules: [{order: [{names: db-*}, {names: web-*}]}]\n"),
    ("b.yaml", "version: 1\nname: b\nrules:\n  - {order: [{names: web-1}, {names: cache}]}\n  - {order: [{names: cache}, {names: db-1}]}\n"),
)  # fmt: skip


def test_orders_of_several_rules_that_loop() -> None:
    """Nobody can keep them: each rule is named with its file and line, and machines of the loop."""
    topology = build(inventory(vm("db-1"), vm("db-2"), vm("web-1"), vm("web-2"), vm("cache")))

    with pytest.raises(PolicyError) as caught:
        compile_constraints(topology, load(LOOP), None, frozenset(topology.machines))

    assert [str(problem) for problem in caught.value.problems] == [
        (
            "a.yaml:3:9: this order and others loop, so no sequence keeps them: db-* before web-*, and "
            "web-1 before cache (b.yaml:4); cache before db-1 (b.yaml:5) (machines: cache, db-1, web-1); "
            "take one of them back, or narrow it"
        ),
        (
            "b.yaml:4:5: this order and others loop, so no sequence keeps them: web-1 before cache, and "
            "db-* before web-* (a.yaml:3); cache before db-1 (b.yaml:5) (machines: cache, db-1, web-1); "
            "take one of them back, or narrow it"
        ),
        (
            "b.yaml:5:5: this order and others loop, so no sequence keeps them: cache before db-1, and "
            "db-* before web-* (a.yaml:3); web-1 before cache (b.yaml:4) (machines: cache, db-1, web-1); "
            "take one of them back, or narrow it"
        ),
    ]


def test_a_loop_is_told_by_rules_of_which_none_can_be_spared() -> None:
    """One that closes a longer loop through the same machines isn't to blame if the others loop without it."""
    topology = build(inventory(vm("a"), vm("b"), vm("c")))
    spared = "version: 1\nname: m\nrules:\n  - {order: [{names: b}, {names: c}]}\n"
    chain = "version: 1\nname: n\nrules:\n  - {order: [{names: a}, {names: b}, {names: c}]}\n"
    back = "version: 1\nname: o\nrules:\n  - {order: [{names: c}, {names: a}]}\n"

    for first, second, third in permutations("xyz"):
        files = [(f"{first}.yaml", spared), (f"{second}.yaml", chain), (f"{third}.yaml", back)]
        with pytest.raises(PolicyError) as caught:
            compile_constraints(topology, load(files), None, frozenset(topology.machines))
        assert {problem.file for problem in caught.value.problems} == {f"{second}.yaml", f"{third}.yaml"}


def test_a_loop_through_a_machine_that_isn_t_changed_is_none() -> None:
    """Every order is satisfied by it."""
    topology = build(inventory(vm("db-1"), vm("web-1"), vm("cache")))
    result = compile_constraints(topology, load(LOOP), None, frozenset({vm_id("db-1"), vm_id("web-1")}))

    assert list(orders(result)) == ["db-* before web-*"]
