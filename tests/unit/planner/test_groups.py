"""Whom a rule counts together, against what is said of it machine by machine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from orchestrator.inventory.model import MachineId, Power
from orchestrator.planner.groups import WHOLE, Groups, Scope
from orchestrator.topology.graph import Topology, build
from tests.fleet import availability_set, flex_id, inventory, pool, pool_id, scale_set, set_id, vm, vm_id

WEB = pool_id("web")
API = pool_id("api")


@pytest.fixture
def topology() -> Topology:
    """Sets that both sides name, pools that share a machine, tags of which a machine has two values."""
    return build(
        inventory(
            vm("a", zone="1", availability_set=set_id("as"), update_domain=0, tags={"tier": "web"}),
            vm("b", zone="2", availability_set=set_id("as"), update_domain=1, tags={"tier": "db"}),
            vm("c", zone="2", tags={"Tier": "web", "tier": "db"}),
            vm("d", backend_pools=(WEB,), power=Power.DEALLOCATED),
            vm("e", backend_pools=(API, WEB), zone="1", tags={"tier": "web"}),
            vm("f", scale_set=flex_id("ss"), fault_domain=0, location="uksouth"),
            vm("g", scale_set=flex_id("ss"), location="uksouth", tags={"tier": "db"}),
            availability_sets=(availability_set("as", "a", "b", "c", "x"),),
            scale_sets=(scale_set("ss", "f", "g"),),
            backend_pools=(pool("api", "e", "y"), pool("web", "d", "e")),
        )
    )


KINDS = (
    ("availability_set",),
    ("update_domain",),
    ("scale_set",),
    ("fault_domain",),
    ("load_balancer",),
    ("zone",),
    ("region",),
    ("tag:tier",),
    ("tag:nobody",),
    ("region", "zone"),
    ("region", "tag:tier"),
    ("availability_set", "zone"),
    ("load_balancer", "tag:tier"),
)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "selected"])
@pytest.mark.parametrize("per", KINDS, ids="+".join)
def test_groups_are_those_of_the_selected_machines(
    topology: Topology, per: tuple[str, ...], whole: bool
) -> None:
    """Every way to select, with and without machines that a rule doesn't hold for."""
    names = [vm_id(name) for name in "abcdefg"]
    for bits in product((False, True), repeat=len(names)):
        selected = tuple(name for name, bit in zip(names, bits, strict=True) if bit)
        for without in (frozenset[MachineId](), frozenset({vm_id("b"), vm_id("e")} - set(selected))):
            scope = Scope("p", selected, without)
            found = Groups(topology).divided(scope, per, whole=whole)

            assert {counted.groups: counted.members for counted in found} == expected(
                topology, scope, per, whole
            )
            assert [c.groups for c in found] == sorted(
                (c.groups for c in found), key=lambda some: tuple(group.key for group in some)
            )


def expected(
    topology: Topology, scope: Scope, per: Sequence[str], whole: bool
) -> dict[tuple[object, ...], tuple[MachineId, ...]]:
    """Each combination of groups that a selected machine is in, with all that count there: the slow, obvious way."""
    groups = Groups(topology)
    counted = set(scope.selected)
    for kind in per:
        if whole and kind in WHOLE:
            counted |= {
                member
                for group in groups.all(kind)
                if set(group.members) & set(scope.selected)
                for member in group.members
            }
            counted -= scope.without
    return {
        combination: tuple(sorted(members))
        for combination in product(*map(groups.all, per))
        if (members := counted.intersection(*(group.members for group in combination)))
        and members & set(scope.selected)
    }


def test_who_is_off_is_told_apart_once(topology: Topology) -> None:
    """Rules ask it of every group."""
    assert Groups(topology).off == {vm_id("d")}


def test_machines_of_the_same_groups_share_one_value(topology: Topology) -> None:
    """Which rules rely on that divide by several kinds."""
    of = Groups(topology).of("tag:tier")

    assert [group.name for group in of[vm_id("c")]] == ["tier=db", "tier=web"]
    assert of[vm_id("a")] is of[vm_id("e")]
    assert vm_id("d") not in of
