"""The company: always the same one, and with all that makes a fleet hard to patch."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from orchestrator.demo.applications import EDR_OLD, MACHINES, NORTH, SUBSCRIPTIONS, WEST
from orchestrator.demo.fleet import FEWEST, company
from orchestrator.errors import UsageError
from orchestrator.inventory import native
from orchestrator.inventory.model import Agent, Inventory, Power
from orchestrator.inventory.standing import cannot_roll
from orchestrator.topology.graph import build
from orchestrator.topology.model import GroupKind


def named(fleet: Inventory) -> set[str]:
    """The names of all machines."""
    return {machine.name for machine in fleet.machines}


def test_a_seed_is_a_company() -> None:
    """The same seed, the same bytes; another seed, another company of the same shape."""
    assert native.dump(company(7)) == native.dump(company(7))
    assert native.dump(company(7)) != native.dump(company(8))
    assert named(company(7)) == named(company(8))


def test_it_survives_its_own_file() -> None:
    """What is written is what is read again."""
    text = native.dump(company())
    assert native.dump(native.parse(orjson.loads(text))) == text


@pytest.mark.parametrize("machines", [FEWEST, 41, 77, 150, MACHINES, 1234])
def test_it_has_as_many_machines_as_asked_for(machines: int) -> None:
    """Exactly, with names of their own, and with its quorums whole."""
    fleet = company(machines=machines)
    clusters = Counter((m.tags["cluster"], m.location) for m in fleet.machines if "cluster" in m.tags)
    assert len(fleet.machines) == len(named(fleet)) == machines
    assert clusters == {("broker", WEST): 5, ("shop-db", WEST): 3, ("shop-db", NORTH): 3}
    assert sum(m.tags.get("role") == "dc" for m in fleet.machines) == 6


def test_a_company_that_is_too_small_is_none() -> None:
    """It would have no room for its quorums."""
    with pytest.raises(UsageError, match=f"--machines {FEWEST} or more"):
        company(machines=FEWEST - 1)


def test_its_regions_are_each_others_pair_with_three_zones_each() -> None:
    """And the two subscriptions number these zones differently."""
    fleet = company()
    assert {location.name: location.paired for location in fleet.locations} == {
        NORTH: (WEST,),
        WEST: (NORTH,),
    }
    for location in fleet.locations:
        mappings = [dict(location.zones[subscription]) for subscription in sorted(SUBSCRIPTIONS.values())]
        assert mappings[0] != mappings[1]
        assert set(mappings[0].values()) == set(mappings[1].values())
    topology = build(fleet)
    assert len(topology.groups(GroupKind.ZONE)) == 6
    assert topology.zone_mapping_unknown == ()


def test_it_has_sets_of_every_kind() -> None:
    """Availability sets over five update domains, a Flexible scale set over three fault domains, and machines in neither."""
    fleet = company()
    sizes = sorted(len(held.members) for held in fleet.availability_sets)
    domains = {m.update_domain for m in fleet.machines if m.availability_set}
    assert sizes == [8, 9, 10, 12, 15]
    assert domains == {0, 1, 2, 3, 4}
    assert [len(held.members) for held in fleet.scale_sets] == [24]
    assert {m.fault_domain for m in fleet.machines if m.scale_set} == {0, 1, 2}
    assert any(not (m.availability_set or m.scale_set or m.zone) for m in fleet.machines)


def test_a_few_cannot_be_rolled() -> None:
    """Switched off, or with an agent that is silent or isn't there."""
    fleet = company()
    powers = Counter(m.power for m in fleet.machines)
    agents = Counter(m.agent for m in fleet.machines)
    assert (powers[Power.DEALLOCATED], powers[Power.STOPPED]) == (3, 1)
    assert (agents[Agent.NOT_READY], agents[Agent.MISSING]) == (2, 2)
    assert len(cannot_roll(fleet)) == 8


@pytest.mark.parametrize("machines", [FEWEST, MACHINES])
@pytest.mark.parametrize("region", [WEST, NORTH])
def test_a_canary_of_each_region_shares_the_weakness(machines: int, region: str) -> None:
    """Or the bad update would be found by somebody who matters."""
    weak = [m for m in company(machines=machines).machines if m.tags.get("edr") == EDR_OLD]
    canaries = [m for m in weak if m.tags["ring"] == "canary" and m.location == region]
    assert len(canaries) == 1
    assert len(weak) > 2


def test_names_are_ones_that_windows_takes() -> None:
    """Fifteen characters, and addresses of their own."""
    fleet = company()
    assert max(map(len, named(fleet))) <= 15
    addresses = [address for machine in fleet.machines for address in machine.private_ips]
    assert len(set(addresses)) == len(fleet.machines)
