"""A large estate, read by Resource Graph in virtual time: within the published quotas, whatever its shape."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.clock import LoopClock
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.world import World
from orchestrator.inventory.discovery import Discovery, Progress
from orchestrator.inventory.model import Machine
from tests.fleet import SUBSCRIPTION, arc, inventory, set_id, vm
from tests.virtual import START, virtual


def subscription(number: int) -> str:
    """One of many."""
    return f"{number:08d}-aaaa-4aaa-8aaa-000000000001"


async def discovered(*machines: Machine) -> tuple[Discovery, list[Progress]]:
    """The estate, and how far it was along the way."""
    clock, told = LoopClock(START), list[Progress]()
    world = World(inventory(*machines), seed=1, start=START)
    return await SimulatedProvider(world, clock).discover(None, told.append), told


@virtual
async def test_many_subscriptions_with_little_in_each() -> None:
    """A hundred answer at once: what takes requests is how many there are, not that they are small."""
    count = 1000
    found, told = await discovered(*(arc(f"site{n}", subscription=subscription(n)) for n in range(count)))
    assert len(found.inventory.machines) == count
    assert (found.subscriptions, found.queries) == (count, 3 * count / 100)
    assert (
        found.reads == 1 + 1
    )  # the list of them, of which 1,000 fit on a page; and regions, once, for the pairs
    assert found.took.total_seconds() <= 2 * found.queries / 3
    assert told[-1].done == told[-1].total


@virtual
async def test_zones_are_asked_for_where_there_are_any() -> None:
    """Of each subscription with a machine in a zone, since each numbers them its own way."""
    zonal = [vm(f"z{n}", subscription=subscription(n), zone="1") for n in range(5)]
    found, _ = await discovered(*zonal, *(vm(f"r{n}", subscription=subscription(n + 5)) for n in range(5)))
    assert found.reads == 1 + 5
    (location,) = [one for one in found.inventory.locations if one.name == "westeurope"]
    assert set(location.zones) == {subscription(n) for n in range(5)}
    physical = {zones["1"] for zones in location.zones.values()}
    assert len(physical) > 1


@virtual
async def test_the_cheaper_way_to_domains() -> None:
    """Few machines in sets are read one by one, many by their subscription's list."""
    few = [vm(f"s{n}", availability_set=set_id("as")) for n in range(2)]
    loose = [vm(f"m{n:04d}") for n in range(998)]
    found, _ = await discovered(*few, *loose)
    assert found.reads == 1 + 1 + 2  # subscriptions, regions, two instance views of 1,000 machines
    many = [replace(machine, availability_set=set_id("as")) for machine in loose]
    found, _ = await discovered(*few, *many)
    assert found.reads == 1 + 1 + 1  # the list, of which 1,000 fit on a page here
    assert all(machine.update_domain is not None for machine in found.inventory.machines)


@virtual
async def test_pages_of_one_large_subscription() -> None:
    """A thousand rows each, and interfaces beside them."""
    found, _ = await discovered(*(vm(f"m{n:04d}", subscription=SUBSCRIPTION) for n in range(2500)))
    assert len(found.inventory.machines) == 2500
    assert found.queries == 3 + 3 + 1  # machines, interfaces, assignments
