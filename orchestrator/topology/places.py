"""What a machine stands in, read off an inventory: the nodes and edges of the graph, before there is a graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.inventory import ids
from orchestrator.inventory.interfaces import pool_name
from orchestrator.inventory.model import Inventory, Machine, MachineId, ResourceId
from orchestrator.topology.model import GroupKind
from orchestrator.topology.zones import Zone, Zones


@dataclass(frozen=True, slots=True)
class Place:
    """Something that machines stand in, and what it stands in itself: a zone in its region, a region in its pairs."""

    kind: GroupKind
    key: str
    name: str
    within: tuple[Place, ...] = ()
    node: str = field(
        init=False
    )  # its node in the graph; machines' nodes are their ids, which begin with a slash

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", f"{self.kind}:{self.key}")


class Places:
    """Every place of an inventory, each made once; sets are the union of what machines and sets say."""

    def __init__(self, inventory: Inventory, zones: Zones) -> None:
        self._zones = zones
        self._pairs = _pairs(inventory)
        self._made: dict[tuple[GroupKind, str], Place] = {}
        self._told: dict[
            tuple[str | int | None, ...], Place
        ] = {}  # by what machines say, many of them the same
        self._names = {held.id: held.name for held in inventory.availability_sets}
        self._names |= {held.id: held.name for held in inventory.scale_sets}
        self._names |= {held.id: held.name for held in inventory.backend_pools}
        self._sets = _memberships({thing.id: thing.members for thing in inventory.availability_sets})
        self._scale_sets = _memberships({thing.id: thing.members for thing in inventory.scale_sets})
        self._pools = _memberships({thing.id: thing.members for thing in inventory.backend_pools})
        self._named = self._sets.keys() | self._scale_sets.keys()
        known = {machine.id for machine in inventory.machines}
        self._strangers = tuple(sorted({*self._sets, *self._scale_sets, *self._pools} - known))

    @property
    def made(self) -> Iterable[Place]:
        """Every place that somebody asked for so far, and whatever it is within."""
        return self._made.values()

    def of(self, machine: Machine) -> list[Place]:
        """The places that a machine stands in directly, each once; the rest is within them."""
        found = [self._resource_group(machine.subscription, machine.resource_group)]
        zone = None if machine.zone is None else self._zones.of(machine)
        if zone is not None:
            found.append(self._zone(zone, machine.location))
        elif machine.location:
            found.append(self._region(machine.location))
        if machine.availability_set is not None or machine.scale_set is not None or machine.id in self._named:
            found += self.sets_of(machine)
        if machine.cluster is not None:
            found.append(self._once(GroupKind.CLUSTER, machine.cluster, ids.name_of(machine.cluster)))
        pools = self._pools.get(machine.id, ())
        if machine.backend_pools or pools:
            found += map(self._pool, sorted({*(machine.backend_pools or ()), *pools}))
        return found

    def strangers(self) -> Iterator[tuple[MachineId, Place]]:
        """Members that Azure names and the inventory doesn't hold, with the set that names them."""
        for machine in self._strangers:
            for arm_id in self._sets.get(machine, ()):
                yield machine, self._set(GroupKind.AVAILABILITY_SET, arm_id)
            for arm_id in self._scale_sets.get(machine, ()):
                yield machine, self._set(GroupKind.SCALE_SET, arm_id)
            for arm_id in self._pools.get(machine, ()):
                yield machine, self._pool(arm_id)

    def sets_of(self, machine: Machine) -> Iterator[Place]:
        """The availability sets and scale sets that a machine is in, each by its domain there where that is known."""
        own, scale_set = machine.availability_set, machine.scale_set
        for arm_id in _joined(own, self._sets.get(machine.id, ())):
            domain = machine.update_domain if arm_id == own or own is None else None
            yield self._within_set(GroupKind.AVAILABILITY_SET, GroupKind.UPDATE_DOMAIN, arm_id, domain)
        for arm_id in _joined(scale_set, self._scale_sets.get(machine.id, ())):
            domain = machine.fault_domain if arm_id == scale_set or scale_set is None else None
            yield self._within_set(GroupKind.SCALE_SET, GroupKind.FAULT_DOMAIN, arm_id, domain)

    def _set(self, kind: GroupKind, arm_id: ResourceId) -> Place:
        return self._once(kind, arm_id, self._names.get(arm_id) or ids.name_of(arm_id))

    def _pool(self, arm_id: ResourceId) -> Place:
        return self._once(GroupKind.LOAD_BALANCER, arm_id, self._names.get(arm_id) or pool_name(arm_id))

    def _within_set(self, kind: GroupKind, inner: GroupKind, arm_id: ResourceId, number: int | None) -> Place:
        """The set, or its domain of this number."""
        told = kind, arm_id, number
        made = self._told.get(told)
        if made is None:
            made = self._set(kind, arm_id)
            if number is not None:
                short = "ud" if inner is GroupKind.UPDATE_DOMAIN else "fd"
                name = f"{inner.replace('_', ' ')} {number} of {made.name}"
                made = self._once(inner, f"{arm_id}/{short}{number}", name, (made,))
            self._told[told] = made
        return made

    def _resource_group(self, subscription: str, group: str) -> Place:
        told = GroupKind.RESOURCE_GROUP, subscription, group
        made = self._told.get(told)
        if made is None:
            subscription, group = subscription.lower(), group.lower()
            made = self._once(GroupKind.SUBSCRIPTION, subscription, subscription)
            if group:  # without one it is a machine of a file that doesn't follow ARM's ids
                made = self._once(GroupKind.RESOURCE_GROUP, f"{subscription}/{group}", group, (made,))
            self._told[told] = made
        return made

    def _zone(self, zone: Zone, region: str) -> Place:
        made = self._made.get((GroupKind.ZONE, zone.key))
        return made or self._once(GroupKind.ZONE, zone.key, zone.name, (self._region(region),))

    def _region(self, name: str) -> Place:
        made = self._made.get((GroupKind.REGION, name))
        if made is not None:
            return made
        pairs = tuple(
            self._once(GroupKind.REGION_PAIR, "|".join(pair), " + ".join(pair))
            for pair in self._pairs.get(name, ())
        )
        return self._once(GroupKind.REGION, name, name, pairs)

    def _once(self, kind: GroupKind, key: str, name: str, within: tuple[Place, ...] = ()) -> Place:
        made = self._made.get((kind, key))
        if made is None:
            made = self._made[kind, key] = Place(kind, key, name, within)
        return made


def _pairs(inventory: Inventory) -> dict[str, tuple[tuple[str, str], ...]]:
    """Region -> the pairs it is in: each edge that either region names, where both hold machines."""
    inhabited = {machine.location for machine in inventory.machines}
    pairs = {
        (min(location.name, other), max(location.name, other))
        for location in inventory.locations
        for other in location.paired
        if location.name in inhabited and other in inhabited and other != location.name
    }
    by_region: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for pair in sorted(pairs):
        for region in pair:
            by_region[region].append(pair)
    return {region: tuple(found) for region, found in by_region.items()}


def _memberships(
    named: Mapping[ResourceId, tuple[MachineId, ...]],
) -> dict[MachineId, tuple[ResourceId, ...]]:
    by_machine: dict[MachineId, list[ResourceId]] = defaultdict(list)
    for arm_id in sorted(named):
        for member in named[arm_id]:
            by_machine[member].append(arm_id)
    return {machine: tuple(found) for machine, found in by_machine.items()}


def _joined(own: ResourceId | None, named_by: tuple[ResourceId, ...]) -> tuple[ResourceId, ...]:
    if own is None:
        return named_by
    return (own, *(arm_id for arm_id in named_by if arm_id != own))
