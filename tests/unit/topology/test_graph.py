"""The topology and its queries."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import networkx as nx
import pytest

from orchestrator.errors import Defect
from orchestrator.inventory.model import Inventory, Location, MachineId, Power
from orchestrator.topology.graph import Topology, build
from orchestrator.topology.model import Group, GroupKind
from tests.fleet import (
    SUBSCRIPTION,
    arm_id,
    availability_set,
    flex_id,
    inventory,
    scale_set,
    set_id,
    vm,
    vm_id,
)

PAIR = (Location("northeurope", ("westeurope",)), Location("westeurope", ("northeurope",)))


def ids(*names: str) -> tuple[MachineId, ...]:
    """The ids of machines that `vm` made."""
    return tuple(vm_id(name) for name in names)


def members(topology: Topology, kind: GroupKind) -> dict[str, tuple[MachineId, ...]]:
    """The groups of a kind, by key."""
    return {group.key: group.members for group in topology.groups(kind)}


@pytest.fixture
def shop() -> Topology:
    """Two paired regions; zones, an availability set with a stranger, a Flexible set, a machine that names nothing."""
    web = set_id("as-web")
    return build(
        inventory(
            vm("api-1", zone="1"),
            vm("api-2", zone="2"),
            vm("db-1", location="northeurope", zone="1"),
            vm("lone", group="rg-other"),
            vm("web-1", availability_set=web, update_domain=0),
            vm("web-2", availability_set=web, update_domain=1),
            vm("web-3"),
            vm("flex-1", scale_set=flex_id("ss"), fault_domain=0),
            vm("flex-2", scale_set=flex_id("ss")),
            availability_sets=(availability_set("as-web", "web-1", "web-3", "web-9"),),
            scale_sets=(scale_set("ss", "flex-1", "flex-2"),),
            locations=PAIR,
        )
    )


def test_machines_are_sorted_and_found_by_id(shop: Topology) -> None:
    """An id that isn't there is a defect of the caller, who can ask first."""
    assert shop.machines == tuple(sorted(shop.machines))
    assert len(shop) == 9
    assert shop.machine(vm_id("web-2")).name == "web-2"
    assert (vm_id("web-2") in shop, vm_id("web-9") in shop) == (True, False)
    with pytest.raises(Defect, match="web-9 is not in this topology"):
        shop.machine(vm_id("web-9"))


def test_an_availability_set_is_the_union_of_what_both_sides_say(shop: Topology) -> None:
    """web-1 is named by both, web-2 names the set alone, the set alone names web-3, and web-9 isn't in the inventory."""
    assert shop.groups(GroupKind.AVAILABILITY_SET) == (
        Group(
            GroupKind.AVAILABILITY_SET,
            set_id("as-web"),
            "as-web",
            members=ids("web-1", "web-2", "web-3"),
            unknown=ids("web-9"),
        ),
    )


def test_update_domains_are_of_their_set(shop: Topology) -> None:
    """Update domain 0 of one set has nothing to do with another's; a member without one is named apart."""
    web = set_id("as-web")

    assert members(shop, GroupKind.UPDATE_DOMAIN) == {f"{web}/ud0": ids("web-1"), f"{web}/ud1": ids("web-2")}
    assert shop.unknown_update_domain(web) == ids("web-3")
    assert shop.unknown_update_domain(set_id("as-none")) == ()
    group = shop.group_of(vm_id("web-2"), GroupKind.UPDATE_DOMAIN)
    assert group is not None
    assert group.name == "update domain 1 of as-web"


def test_fault_domains_are_of_their_scale_set(shop: Topology) -> None:
    """A member whose fault domain nobody told is in the set all the same."""
    assert members(shop, GroupKind.SCALE_SET) == {flex_id("ss"): ids("flex-1", "flex-2")}
    assert members(shop, GroupKind.FAULT_DOMAIN) == {f"{flex_id('ss')}/fd0": ids("flex-1")}
    assert shop.unknown_fault_domain(flex_id("ss")) == ids("flex-2")


def test_zones_stand_in_regions_and_regions_in_pairs(shop: Topology) -> None:
    """A machine in no zone is in its region; a zone's machines are the region's too."""
    north, west = ids("db-1"), tuple(m for m in shop.machines if m != vm_id("db-1"))

    assert members(shop, GroupKind.ZONE) == {
        "northeurope/1": north,
        "westeurope/1": ids("api-1"),
        "westeurope/2": ids("api-2"),
    }
    assert members(shop, GroupKind.REGION) == {"northeurope": north, "westeurope": west}
    assert members(shop, GroupKind.REGION_PAIR) == {"northeurope|westeurope": shop.machines}


def test_resource_groups_are_of_their_subscription(shop: Topology) -> None:
    """Two subscriptions may have resource groups of one name."""
    other = build(inventory(vm("a", subscription="s1"), vm("a", subscription="s2")))

    assert set(members(other, GroupKind.RESOURCE_GROUP)) == {"s1/rg-shop", "s2/rg-shop"}
    assert members(shop, GroupKind.SUBSCRIPTION) == {SUBSCRIPTION: shop.machines}
    lone = shop.machines[0]
    assert members(shop, GroupKind.RESOURCE_GROUP)[f"{SUBSCRIPTION}/rg-other"] == (lone,)


def test_a_machine_knows_its_groups(shop: Topology) -> None:
    """All of them, sorted by kind and key, or the one of a kind."""
    web = vm_id("web-1")

    assert [group.kind for group in shop.groups_of(web)] == [
        GroupKind.AVAILABILITY_SET,
        GroupKind.UPDATE_DOMAIN,
        GroupKind.REGION,
        GroupKind.REGION_PAIR,
        GroupKind.SUBSCRIPTION,
        GroupKind.RESOURCE_GROUP,
    ]
    assert shop.group_of(web, GroupKind.ZONE) is None
    assert shop.group_of(web, GroupKind.REGION) is shop.group(GroupKind.REGION, "westeurope")
    assert shop.group(GroupKind.REGION, "atlantis") is None


def test_a_pair_that_only_one_side_names_holds() -> None:
    """Brazil South names South Central US, which names another; and a region may be in several pairs."""
    fleet = build(
        inventory(
            vm("br", location="brazilsouth"),
            vm("nc", location="northcentralus"),
            vm("sc", location="southcentralus"),
            locations=(
                Location("brazilsouth", ("southcentralus",)),
                Location("northcentralus", ("southcentralus",)),
                Location("southcentralus", ("northcentralus",)),
            ),
        )
    )

    assert members(fleet, GroupKind.REGION_PAIR) == {
        "brazilsouth|southcentralus": ids("br", "sc"),
        "northcentralus|southcentralus": ids("nc", "sc"),
    }
    assert [group.key for group in fleet.region_pairs_of(vm_id("sc"))] == [
        "brazilsouth|southcentralus",
        "northcentralus|southcentralus",
    ]


def test_a_pair_needs_machines_on_both_sides() -> None:
    """With nothing in the other region there is nothing to keep apart."""
    assert build(inventory(vm("a"), locations=PAIR)).groups(GroupKind.REGION_PAIR) == ()


@pytest.mark.parametrize("kind", [GroupKind.REGION_PAIR, GroupKind.TAG])
def test_kinds_that_allow_for_several_have_no_single_answer(shop: Topology, kind: GroupKind) -> None:
    """To ask for the one group is a defect, not a silent choice."""
    with pytest.raises(Defect):
        shop.group_of(vm_id("web-1"), kind)


def test_a_machine_that_two_sets_claim_is_in_both() -> None:
    """The careful case: both count it, and its own word is the answer where one is asked for."""
    fleet = build(
        inventory(
            vm("a", availability_set=set_id("z"), update_domain=3),
            availability_sets=(availability_set("b", "a"), availability_set("z")),
        )
    )
    own = fleet.group_of(vm_id("a"), GroupKind.AVAILABILITY_SET)

    assert members(fleet, GroupKind.AVAILABILITY_SET) == {set_id("b"): ids("a"), set_id("z"): ids("a")}
    assert own is not None
    assert own.key == set_id("z")
    assert fleet.unknown_update_domain(set_id("b")) == ids("a")
    assert fleet.unknown_update_domain(set_id("z")) == ()


def test_tags_group_by_value_and_their_names_ignore_case() -> None:
    """Azure compares names of tags without regard to case, and values with it; a machine without the tag is in no group."""
    fleet = build(
        inventory(
            vm("a", tags={"Tier": "web"}),
            vm("b", tags={"tier": "Web"}),
            vm("c", tags={"TIER": "web"}),
            vm("d"),
        )
    )

    assert fleet.tag_groups("tier") == (
        Group(GroupKind.TAG, "tier=Web", "tier=Web", ids("b")),
        Group(GroupKind.TAG, "tier=web", "tier=web", ids("a", "c")),
    )
    assert [group.members for group in fleet.tag_groups("TIER")] == [ids("b"), ids("a", "c")]
    assert fleet.tag_groups("owner") == ()


def test_a_tag_that_is_spelt_twice_makes_nobody_a_member_twice() -> None:
    """A file may hold both spellings of a name."""
    fleet = build(inventory(vm("a", tags={"Tier": "web", "tier": "web"}), vm("b", tags={"tier": "web"})))

    assert [group.members for group in fleet.tag_groups("tier")] == [ids("a", "b")]


def test_a_machine_outside_of_regions_has_no_region() -> None:
    """A file may leave a location out; that machine is in no region, zone or pair."""
    fleet = build(inventory(vm("a", location="", zone="1"), vm("b")))

    assert members(fleet, GroupKind.REGION) == {"westeurope": ids("b")}
    assert fleet.groups(GroupKind.ZONE) == ()


def test_an_empty_fleet_is_a_topology() -> None:
    """With no machines and no groups."""
    empty = build(inventory())

    assert (empty.machines, [empty.groups(kind) for kind in GroupKind]) == ((), [()] * len(GroupKind))


def test_the_graph_is_frozen_and_acyclic(shop: Topology) -> None:
    """Nobody can change what a plan was made from, and what stands in what has an end."""
    with pytest.raises(nx.NetworkXError):
        shop.graph.add_node("x")
    assert nx.is_directed_acyclic_graph(shop.graph)


def test_groups_are_what_the_graph_reaches(shop: Topology) -> None:
    """The dumb twin of the index: a group's members are the ancestors of its node."""
    machines = set(shop.machines)
    for kind in GroupKind:
        for group in shop.groups(kind):
            reached = nx.ancestors(shop.graph, f"{kind}:{group.key}")
            assert set(group.members) == reached & machines
            assert set(group.unknown) == reached & set(ids("web-9"))


def shuffled(fleet: Inventory) -> Inventory:
    """The same facts in another order, taken at another time."""
    return replace(
        fleet,
        machines=tuple(reversed(fleet.machines)),
        locations=tuple(reversed(fleet.locations)),
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        source="elsewhere",
    )


def test_the_fingerprint_names_the_facts(shop: Topology) -> None:
    """Not their order, nor when and from where they were taken."""
    machines = shop.inventory.machines
    changed = replace(shop.inventory, machines=(replace(machines[0], power=Power.STOPPED), *machines[1:]))

    assert build(shuffled(shop.inventory)).fingerprint == shop.fingerprint
    assert build(changed).fingerprint != shop.fingerprint


def test_order_makes_no_difference(shop: Topology) -> None:
    """The same facts give the same groups."""
    other = build(shuffled(shop.inventory))

    assert [other.groups(kind) for kind in GroupKind] == [shop.groups(kind) for kind in GroupKind]


SCRIPT = f"""
from tests.fleet import *
from orchestrator.topology.graph import build
from orchestrator.topology.model import GroupKind
fleet = build(inventory(*(vm(f"m{{i}}", zone=str(i % 3), tags={{"a": str(i % 7)}}) for i in range(50)),
    availability_sets=(availability_set("as", *(f"x{{i}}" for i in range(20))),)))
print(fleet.fingerprint, [fleet.groups(kind) for kind in GroupKind], fleet.tag_groups("a"), {arm_id("x")!r})
"""


def test_answers_do_not_depend_on_the_hash_seed() -> None:
    """Sets of strings have another order in each process; nothing of that gets out."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(answers) == 1
