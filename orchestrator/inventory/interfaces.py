"""What network interfaces tell of machines: their private addresses, and the back-end pools that they serve in.

A load balancer's back-end pool, or an application gateway's, names no machines: the machines' interfaces name the pool, in their IP
configurations. So whoever reads interfaces knows the pools, with two exceptions that no interface shows: pools that
hold bare IP addresses, and instances of Uniform scale sets. Every virtual machine has an interface; one without any here is
a machine whose interfaces weren't read, and its pools aren't known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from orchestrator.inventory import ids
from orchestrator.inventory.model import BackendPool, Machine, MachineId, ResourceId, machine_id, resource_id
from orchestrator.inventory.wire import Row, flattened, objects, reference, text, truth

INTERFACE_TYPE = "microsoft.network/networkinterfaces"

_POOLS = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")


@dataclass(frozen=True, slots=True)
class Connected:
    """Machines with what their interfaces tell, and every back-end pool that an interface names; both sorted by id."""

    machines: tuple[Machine, ...]
    pools: tuple[BackendPool, ...]


@dataclass(slots=True)
class Interfaces:
    """Rows of interfaces, taken apart as they are come upon, so that no more is kept of each than counts here."""

    addresses: defaultdict[MachineId, list[tuple[bool, bool, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    pools: defaultdict[MachineId, set[ResourceId]] = field(default_factory=lambda: defaultdict(set))
    members: defaultdict[ResourceId, set[MachineId]] = field(default_factory=lambda: defaultdict(set))

    def take(self, row: Row) -> None:
        """A row in any of ARM's spellings: `az network nic list`, REST bodies, Resource Graph."""
        interface = flattened(row)
        owner = reference(interface, "virtualMachine")
        if not owner:  # of a private endpoint, or of nothing
            return
        machine = machine_id(owner)
        held = self.pools[machine]
        for configuration in map(flattened, objects(interface, "ipConfigurations")):
            if address := text(configuration, "privateIPAddress"):
                first = (not truth(interface, "primary"), not truth(configuration, "primary"))
                self.addresses[machine].append((*first, address))
            for pool in _pools(configuration):
                held.add(pool)
                self.members[pool].add(machine)

    def connect(self, machines: Iterable[Machine]) -> Connected:
        """The machines as their interfaces complete them. Interfaces of machines that aren't among them still count as members."""
        completed = (
            replace(
                machine,
                private_ips=tuple(address for *_, address in sorted(self.addresses.get(machine.id, ())))
                or machine.private_ips,
                backend_pools=tuple(sorted(self.pools[machine.id]))
                if machine.id in self.pools
                else machine.backend_pools,
            )
            for machine in machines
        )
        return Connected(
            tuple(sorted(completed, key=lambda machine: machine.id)),
            tuple(
                BackendPool(pool, pool_name(pool), tuple(sorted(self.members[pool])))
                for pool in sorted(self.members)
            ),
        )


def connect(machines: Iterable[Machine], interfaces: Iterable[Row]) -> Connected:
    """The machines as these interfaces complete them; see `Interfaces`."""
    seen = Interfaces()
    for interface in interfaces:
        seen.take(interface)
    return seen.connect(machines)


def pool_name(pool: ResourceId) -> str:
    """A pool by its balancer's name and its own, since many a pool is called `default`: `lb-shop/web`."""
    balancer = ids.name_of(ids.parent_of(pool))
    return f"{balancer}/{ids.name_of(pool)}" if balancer else ids.name_of(pool)


def _pools(configuration: Row) -> Iterator[ResourceId]:
    for key in _POOLS:
        for pool in objects(configuration, key):
            if arm_id := text(pool, "id"):
                yield resource_id(arm_id)
