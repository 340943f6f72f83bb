"""What Azure deals out and an inventory file may not say: update and fault domains, zone mappings, region pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestrator.emulator.chance import portion
from orchestrator.inventory.model import (
    AvailabilitySet,
    BackendPool,
    Inventory,
    Location,
    Machine,
    MachineId,
    Orchestration,
    ResourceId,
    ScaleSet,
)

UPDATE_DOMAINS = 5  # what Azure gives an availability set that doesn't ask for a number
ZONES = ("1", "2", "3")

# learn.microsoft.com/azure/reliability/regions-list: who names whom as its pair. Four of them aren't returned.
_MUTUAL = (
    "australiaeast-australiasoutheast australiacentral-australiacentral2 canadacentral-canadaeast "
    "centralindia-southindia centralus-eastus2 eastasia-southeastasia eastus-westus francecentral-francesouth "
    "germanynorth-germanywestcentral japaneast-japanwest koreacentral-koreasouth northcentralus-southcentralus "
    "northeurope-westeurope norwayeast-norwaywest southafricanorth-southafricawest swedencentral-swedensouth "
    "switzerlandnorth-switzerlandwest uaenorth-uaecentral uksouth-ukwest westcentralus-westus2"
)
PAIR: Mapping[str, str] = {
    "brazilsouth": "southcentralus",
    "brazilsoutheast": "brazilsouth",
    "westindia": "southindia",
    "westus3": "eastus",
    **dict(pair.split("-") for pair in _MUTUAL.split()),
    **{b: a for a, b in (pair.split("-") for pair in _MUTUAL.split())},
}


@dataclass(frozen=True, slots=True)
class Dealt:
    """The whole truth about where machines stand, sorted by id; every domain that Azure would deal is dealt."""

    machines: tuple[Machine, ...]
    availability_sets: tuple[AvailabilitySet, ...]
    scale_sets: tuple[ScaleSet, ...]
    locations: tuple[Location, ...]
    backend_pools: tuple[BackendPool, ...]
    subscriptions: tuple[str, ...]


def deal(inventory: Inventory, *, seed: int) -> Dealt:
    """Fill in what the inventory leaves open, and keep what it says."""
    machines = {m.id: m for m in sorted(inventory.machines, key=lambda m: m.id)}
    sets = _sets(inventory, machines, seed)
    scale_sets = _scale_sets(inventory, machines, seed)
    for one in sets:
        _deal_domains(machines, one.members, one.update_domains or UPDATE_DOMAINS, one.fault_domains or 1)
    for scale_set in scale_sets:
        if scale_set.orchestration is Orchestration.FLEXIBLE:
            _deal_domains(machines, scale_set.members, None, scale_set.fault_domains or 1)
    subscriptions = tuple(sorted({m.subscription.lower() for m in inventory.machines}))
    return Dealt(
        machines=tuple(machines.values()),
        availability_sets=sets,
        scale_sets=scale_sets,
        locations=_locations(inventory, subscriptions, seed),
        backend_pools=inventory.backend_pools,
        subscriptions=subscriptions,
    )


def _sets(
    inventory: Inventory, machines: Mapping[MachineId, Machine], seed: int
) -> tuple[AvailabilitySet, ...]:
    known = {one.id: one for one in inventory.availability_sets}
    members = _members((m.availability_set, m) for m in machines.values())
    sets = []
    for set_id in sorted(known.keys() | members.keys()):
        here = members.get(set_id, [])
        one = known.get(set_id) or AvailabilitySet(set_id, set_id.rsplit("/", 1)[-1], here[0].location)
        sets.append(
            replace(
                one,
                update_domains=one.update_domains or UPDATE_DOMAINS,
                fault_domains=one.fault_domains or 2 + (portion(seed, set_id, "fault domains") < 0.5),
                members=tuple(sorted({*one.members, *(m.id for m in here)})),
            )
        )
    return tuple(sets)


def _scale_sets(
    inventory: Inventory, machines: Mapping[MachineId, Machine], seed: int
) -> tuple[ScaleSet, ...]:
    known = {one.id: one for one in inventory.scale_sets}
    members = _members((m.scale_set, m) for m in machines.values())
    sets = []
    for set_id in sorted(known.keys() | members.keys()):
        here = members.get(set_id, [])
        one = known.get(set_id) or ScaleSet(set_id, set_id.rsplit("/", 1)[-1], here[0].location)
        orchestration = one.orchestration
        if (
            orchestration is Orchestration.UNKNOWN
        ):  # only a Flexible set's members are virtual machines of ARM
            orchestration = Orchestration.FLEXIBLE if here else Orchestration.UNIFORM
        zonal = any(m.zone for m in here)
        dealt = 1 if zonal else 1 + int(portion(seed, set_id, "fault domains") * 3)
        sets.append(
            replace(
                one,
                orchestration=orchestration,
                fault_domains=one.fault_domains or dealt,
                members=tuple(sorted({*one.members, *(m.id for m in here)})),
            )
        )
    return tuple(sets)


def _members(pairs: Iterable[tuple[ResourceId | None, Machine]]) -> dict[ResourceId, list[Machine]]:
    members: dict[ResourceId, list[Machine]] = defaultdict(list)
    for set_id, machine in pairs:
        if set_id is not None:
            members[set_id].append(machine)
    return members


def _deal_domains(
    machines: dict[MachineId, Machine],
    members: Iterable[MachineId],
    update_domains: int | None,
    fault_domains: int,
) -> None:
    """Round robin in the order of ids, past the machines whose domains are known."""
    for n, member in enumerate(members):
        machine = machines.get(member)
        if machine is None:
            continue
        update_domain = machine.update_domain
        if update_domain is None and update_domains is not None:
            update_domain = n % update_domains
        fault_domain = n % fault_domains if machine.fault_domain is None else machine.fault_domain
        machines[member] = replace(machine, update_domain=update_domain, fault_domain=fault_domain)


def _locations(inventory: Inventory, subscriptions: tuple[str, ...], seed: int) -> tuple[Location, ...]:
    known = {location.name: location for location in inventory.locations}
    zonal = {m.location for m in inventory.machines if m.zone}
    names = {m.location for m in inventory.machines} | known.keys()
    names |= {PAIR[name] for name in names if name not in known and name in PAIR}
    locations = []
    for name in sorted(names):
        location = known.get(name) or Location(name, (PAIR[name],) if name in PAIR else ())
        told = {subscription.lower(): zones for subscription, zones in location.zones.items()}
        has_zones = name in zonal or bool(told)
        zones = {
            subscription: dict(told.get(subscription) or _zones(name, n, seed))
            for n, subscription in enumerate(subscriptions)
            if has_zones
        }
        locations.append(replace(location, zones=zones))
    return tuple(locations)


def _zones(region: str, n: int, seed: int) -> dict[str, str]:
    """Logical to physical zones of the n-th subscription: each its own rotation, as real ones differ."""
    turn = n + int(portion(seed, region, "zones") * len(ZONES))
    return {zone: f"{region}-az{(i + turn) % len(ZONES) + 1}" for i, zone in enumerate(ZONES)}
