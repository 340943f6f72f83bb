"""What machines stand in, one kind of group at a time, told once for all machines that say the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from orchestrator.inventory.model import AvailabilitySet, Inventory, Machine, MachineId, ResourceId, ScaleSet
from orchestrator.topology.model import GroupKind
from orchestrator.topology.places import Place, Places
from orchestrator.topology.zones import zones_of

_Key = Callable[[Machine], Hashable]
_Reading = Callable[[Machine], Sequence[Place]]

_TOLD_BY: Final[dict[GroupKind, _Key]] = {
    GroupKind.SUBSCRIPTION: lambda machine: machine.subscription,
    GroupKind.RESOURCE_GROUP: lambda machine: (machine.subscription, machine.resource_group),
    GroupKind.REGION: lambda machine: machine.location,
    GroupKind.REGION_PAIR: lambda machine: machine.location,
    GroupKind.ZONE: lambda machine: (machine.location, machine.subscription, machine.zone),
}
"""Machines of which these are the same stand in the same groups of the kind."""

_OF_SETS: Final = frozenset(
    {GroupKind.AVAILABILITY_SET, GroupKind.UPDATE_DOMAIN, GroupKind.SCALE_SET, GroupKind.FAULT_DOMAIN}
)
"""Sets and what is within them: of these most machines differ, so nothing else is read for them."""


class Standing:
    """The places of an inventory's machines, read off it as the topology reads them."""

    def __init__(self, inventory: Inventory) -> None:
        self._places = Places(inventory, zones_of(inventory))
        self._named_by: dict[MachineId, list[ResourceId]] = {}
        held: list[AvailabilitySet | ScaleSet] = [*inventory.availability_sets, *inventory.scale_sets]
        self._pools: dict[MachineId, list[ResourceId]] = {}
        for pool in inventory.backend_pools:
            for member in pool.members:
                self._pools.setdefault(member, []).append(pool.id)
        for one in held:
            for member in one.members:
                self._named_by.setdefault(member, []).append(one.id)

    def of(self, kind: GroupKind) -> tuple[_Key, _Reading]:
        """What machines of the same groups of a kind have in common, and which groups a machine is in."""
        told_by = self._in_pools if kind is GroupKind.LOAD_BALANCER else self._sets
        return _TOLD_BY.get(kind, told_by), lambda machine: self._all(machine, kind)

    def _in_pools(self, machine: Machine) -> Hashable:
        return machine.backend_pools, *self._pools.get(machine.id, ())

    def _sets(self, machine: Machine) -> Hashable:
        """What tells in which sets and domains of them a machine is: what it says, and which sets name it."""
        return (
            machine.availability_set,
            machine.scale_set,
            machine.update_domain,
            machine.fault_domain,
            *self._named_by.get(machine.id, ()),
        )

    def _all(self, machine: Machine, kind: GroupKind) -> Sequence[Place]:
        found: dict[str, Place] = {}
        reached = list(self._places.sets_of(machine) if kind in _OF_SETS else self._places.of(machine))
        for place in reached:  # it grows while it is gone through
            reached += place.within
            if place.kind is kind:
                found[place.key] = place
        return tuple(found.values())
