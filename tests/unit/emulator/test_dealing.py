"""Azure's dealing of domains, zones and pairs, where the inventory doesn't say."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.emulator.dealing import Dealt, deal
from orchestrator.inventory.model import Inventory, Location, Orchestration
from tests.fleet import arc, availability_set, flex_id, inventory, scale_set, set_id, vm, vm_id

OTHER = "22222222-aaaa-4aaa-8aaa-000000000002"


def domains(dealt: Dealt) -> list[tuple[int | None, int | None]]:
    """Update and fault domains in the order of ids."""
    return [(machine.update_domain, machine.fault_domain) for machine in dealt.machines]


def members(count: int, **facts: object) -> Inventory:
    """An inventory with one availability set that nobody describes."""
    return inventory(*(vm(f"m{n}", availability_set=set_id("as"), **facts) for n in range(count)))


def test_update_domains_go_round_robin() -> None:
    """Five domains for a set that doesn't say: the sixth machine stands with the first."""
    dealt = deal(members(7), seed=1)

    assert [update for update, _ in domains(dealt)] == [0, 1, 2, 3, 4, 0, 1]
    assert dealt.availability_sets[0].update_domains == 5
    assert dealt.availability_sets[0].fault_domains in {2, 3}


def test_a_set_s_own_numbers_hold() -> None:
    """A set that says 3 and 2 is dealt so."""
    described = availability_set("as", update_domains=3, fault_domains=2)
    dealt = deal(replace(members(6), availability_sets=(described,)), seed=1)

    assert domains(dealt) == [(0, 0), (1, 1), (2, 0), (0, 1), (1, 0), (2, 1)]
    assert tuple(vm_id(f"m{n}") for n in range(6)) == dealt.availability_sets[0].members


def test_known_domains_are_kept() -> None:
    """What the inventory says of a machine isn't dealt again."""
    machines = (
        vm("a", availability_set=set_id("as"), update_domain=4, fault_domain=1),
        vm("b", availability_set=set_id("as")),
    )
    dealt = deal(inventory(*machines), seed=1)

    assert domains(dealt)[0] == (4, 1)
    assert domains(dealt)[1][0] == 1


def test_flexible_sets_have_fault_domains_only() -> None:
    """A regional Flexible set has up to three fault domains and no update domain."""
    described = scale_set("flex", orchestration=Orchestration.FLEXIBLE, fault_domains=3)
    machines = [vm(f"m{n}", scale_set=flex_id("flex")) for n in range(4)]
    dealt = deal(inventory(*machines, scale_sets=(described,)), seed=1)

    assert domains(dealt) == [(None, 0), (None, 1), (None, 2), (None, 0)]


def test_a_zonal_flexible_set_has_one_fault_domain() -> None:
    """Its machines are spread by zones instead; a set nobody describes whose members are machines is Flexible."""
    machines = [vm(f"m{n}", scale_set=flex_id("flex"), zone=str(n + 1)) for n in range(3)]
    dealt = deal(inventory(*machines), seed=1)

    assert domains(dealt) == [(None, 0)] * 3
    assert dealt.scale_sets[0].orchestration is Orchestration.FLEXIBLE
    assert dealt.scale_sets[0].fault_domains == 1


def test_machines_in_no_set_have_no_domains() -> None:
    """Azure shows none for them."""
    assert domains(deal(inventory(vm("a")), seed=1)) == [(None, None)]


def test_subscriptions_map_zones_differently() -> None:
    """Zone 1 of one subscription is another's zone 2, and each mapping is a permutation."""
    machines = (vm("a", zone="1"), vm("b", zone="1", subscription=OTHER))
    west = next(x for x in deal(inventory(*machines), seed=1).locations if x.name == "westeurope")

    mappings = list(west.zones.values())

    assert len(mappings) == 2
    assert mappings[0] != mappings[1]
    expected = {"westeurope-az1", "westeurope-az2", "westeurope-az3"}
    assert all(expected == set(mapping.values()) for mapping in mappings)


def test_known_zones_and_pairs_are_kept() -> None:
    """An inventory's own locations are the truth, also where they name no pair."""
    zones = {OTHER.upper(): {"1": "westeurope-az9"}}
    told = Location("westeurope", (), zones)
    dealt = deal(inventory(vm("a", zone="1", subscription=OTHER), locations=(told,)), seed=1)

    assert [(x.name, x.paired) for x in dealt.locations] == [("westeurope", ())]
    assert dict(dealt.locations[0].zones) == {OTHER: {"1": "westeurope-az9"}}


def test_pairs_that_nobody_told_are_azures() -> None:
    """A file without locations gets Azure's own pairs, which aren't all returned."""
    dealt = deal(inventory(vm("a", location="westus3")), seed=1)

    assert {x.name: x.paired for x in dealt.locations} == {"westus3": ("eastus",), "eastus": ("westus",)}


def test_regions_without_zones_have_no_mapping() -> None:
    """Only a region that a zonal machine stands in, or that the inventory maps, has zones."""
    assert [dict(x.zones) for x in deal(inventory(vm("a")), seed=1).locations] == [{}, {}]


def test_arc_machines_are_dealt_nothing() -> None:
    """Machines of Arc are in the world like any other, and stand in no domain."""
    dealt = deal(inventory(arc("a"), vm("b"), availability_sets=(availability_set("as", "b"),)), seed=1)

    assert {machine.name: machine.update_domain for machine in dealt.machines} == {"a": None, "b": 0}


def test_the_same_seed_deals_the_same() -> None:
    """Dealing is a function of inventory and seed."""
    assert deal(members(9), seed=3) == deal(members(9), seed=3)
