"""A fleet written inline to an inventory, and an inventory into a situation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from orchestrator.hotpatch.model import Restarts
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.ids import region_name
from orchestrator.inventory.interfaces import pool_name
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    BackendPool,
    Image,
    Inventory,
    Kind,
    Location,
    Machine,
    MachineId,
    Orchestration,
    PatchSettings,
    PatchState,
    Power,
    RebootBehavior,
    ResourceId,
    ScaleSet,
    Update,
    machine_id,
    resource_id,
)
from orchestrator.policy.model import Selector
from orchestrator.policy.select import matcher
from orchestrator.rehearsal.model import Situation
from orchestrator.rehearsal.schema.fleet import MachinesSection
from orchestrator.rehearsal.values import UNKNOWN

UPDATE_DOMAINS: Final = 5
"""What Azure gives an availability set that doesn't ask for a number."""

FAULT_DOMAINS: Final = 2
"""Of an availability set, which has two or three by region. A scale set that spreads as widely as it can tells one."""

_PROVIDERS: Final = {
    Kind.AZURE_VM: "Microsoft.Compute/virtualMachines",
    Kind.ARC: "Microsoft.HybridCompute/machines",
    Kind.AZURE_LOCAL: "Microsoft.HybridCompute/machines",
}

_Value = TypeVar("_Value")


def made(rows: Sequence[MachinesSection], taken_at: datetime) -> Inventory:
    """The inventory of an inline fleet: everything runs and is well.

    Raises:
        InventoryError: if two machines have the same id.
    """
    machines: list[Machine] = []
    dealt: defaultdict[str, int] = defaultdict(
        int
    )  # members of a set so far: domains go on where the last entry ended
    for row in rows:
        for number, name in enumerate(_names(row)):
            machine = _machine(row, number, name, dealt)
            machines.append(_assessed(machine, _turn(row.restarts, number, Restarts.UNKNOWN), taken_at))
    zonal = sorted({machine.location for machine in machines if machine.zone})
    return assemble(
        source="a test",
        taken_at=taken_at,
        machines=machines,
        availability_sets=_availability_sets(machines),
        scale_sets=_scale_sets(machines),
        backend_pools=_backend_pools(machines),
        locations=[_location(region, machines) for region in zonal],
    )


def names(row: MachinesSection) -> Iterator[str]:
    """The names of one entry."""
    return _names(row)


def _names(row: MachinesSection) -> Iterator[str]:
    for name in row.name:
        if row.count is None:
            yield name
        else:
            yield from (f"{name}-{number}" for number in range(1, row.count + 1))


def _machine(row: MachinesSection, number: int, name: str, dealt: defaultdict[str, int]) -> Machine:
    subscription = _turn(row.subscription, number, "")
    scope = f"/subscriptions/{subscription}/resourceGroups/{row.resource_group}/providers"
    arm_id = f"{scope}/{_PROVIDERS[row.kind]}/{name}"
    held = row.availability_set or row.scale_set
    place = dealt[f"{scope}/{held}"]
    if held:
        dealt[f"{scope}/{held}"] += 1
    azure = row.kind is Kind.AZURE_VM
    facts: dict[str, Any] = {}
    if row.availability_set:
        facts["availability_set"] = resource_id(
            f"{scope}/Microsoft.Compute/availabilitySets/{row.availability_set}"
        )
        facts["update_domain"] = _turn(row.update_domain, number, place % UPDATE_DOMAINS)
        facts["fault_domain"] = _turn(row.fault_domain, number, place % FAULT_DOMAINS)
    elif row.scale_set:
        facts["scale_set"] = resource_id(f"{scope}/Microsoft.Compute/virtualMachineScaleSets/{row.scale_set}")
        facts["fault_domain"] = _turn(row.fault_domain, number, 0)
    if row.cluster:
        cluster = row.cluster[number % len(row.cluster)]
        facts["cluster"] = resource_id(f"{scope}/Microsoft.AzureStackHCI/clusters/{cluster}")
    return Machine(
        id=machine_id(arm_id),
        arm_id=arm_id,
        name=name,
        subscription=subscription.lower(),
        resource_group=row.resource_group.lower(),
        location=region_name(_turn(row.region, number, "")),
        kind=row.kind,
        zone=_turn(row.zone, number, None),
        tags={tag: _turn(values, number, "") for tag, values in row.tags.items()},
        os=_turn(row.os, number, row.os[0]),
        power=Power.RUNNING if azure else Power.UNKNOWN,
        agent=Agent.READY,
        app_health=AppHealth.HEALTHY if azure else AppHealth.NONE,
        time_zone=row.time_zone or "",
        computer_name=name,
        private_ips=("10.0.0.4",),
        provisioning="Succeeded",
        backend_pools=_pools(row, scope),
        **facts,
    )


_HOTPATCHED: Final = Image(
    "MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest"
)
_ENROLLED: Final = PatchSettings(bypasses_safety_checks=True)
_UPDATES: Final = {
    Restarts.NEVER: Update("Security Hotpatch Update", "5000001", ("Security",), RebootBehavior.NEVER),
    Restarts.LIKELY: Update("Cumulative Update for .NET", "5000002", ("Security",), RebootBehavior.CAN),
    Restarts.CERTAIN: Update("Cumulative Update", "5000003", ("Security",), RebootBehavior.ALWAYS),
}


def _assessed(machine: Machine, restarts: Restarts, at: datetime) -> Machine:
    """The machine as an assessment found it that one would say this of."""
    if restarts is Restarts.UNKNOWN:
        return machine
    patches = PatchState(at, reboot_pending=False, updates=(_UPDATES[restarts],))
    if restarts is Restarts.NEVER:  # so that a rollout finds what the plan is told
        machine = replace(
            machine, image=_HOTPATCHED, patch_mode="AutomaticByPlatform", patch_settings=_ENROLLED
        )
    return replace(machine, patches=patches)


def _pools(row: MachinesSection, scope: str) -> tuple[ResourceId, ...] | None:
    """Names such as `lb-shop/web`, or `web`, which is of a balancer of that name."""
    if UNKNOWN in row.load_balancer:
        return None
    held = f"{scope}/Microsoft.Network/loadBalancers"
    parts = (name.partition("/") for name in row.load_balancer)
    return tuple(
        sorted({resource_id(f"{held}/{lb}/backendAddressPools/{pool or lb}") for lb, _, pool in parts})
    )


def _backend_pools(machines: Iterable[Machine]) -> Iterator[BackendPool]:
    found: defaultdict[ResourceId, list[Machine]] = defaultdict(list)
    for machine in machines:
        for pool in machine.backend_pools or ():
            found[pool].append(machine)
    for pool, members in found.items():
        yield BackendPool(pool, pool_name(pool), _ids(members))


def _turn(values: Sequence[_Value], number: int, otherwise: _Value) -> _Value:
    """The entry whose turn it is."""
    return values[number % len(values)] if values else otherwise


def _location(region: str, machines: Iterable[Machine]) -> Location:
    """A region in which all subscriptions number the zones alike."""
    here = [machine for machine in machines if machine.location == region and machine.zone]
    zones: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for machine in here:
        zones[machine.subscription].update(
            {zone: f"{region}-az{zone}" for one in here if (zone := one.zone) is not None}
        )
    return Location(region, zones=dict(zones))


def _members(
    machines: Iterable[Machine], of: Callable[[Machine], ResourceId | None]
) -> Mapping[ResourceId, list[Machine]]:
    found: defaultdict[ResourceId, list[Machine]] = defaultdict(list)
    for machine in machines:
        held = of(machine)
        if held is not None:
            found[held].append(machine)
    return found


def _ids(machines: Iterable[Machine]) -> tuple[MachineId, ...]:
    return tuple(sorted(machine.id for machine in machines))


def _availability_sets(machines: Sequence[Machine]) -> Iterator[AvailabilitySet]:
    for held, members in _members(machines, lambda machine: machine.availability_set).items():
        name = held.rpartition("/")[2]
        domains = max(
            [UPDATE_DOMAINS, *(m.update_domain + 1 for m in members if m.update_domain is not None)]
        )
        yield AvailabilitySet(held, name, members[0].location, domains, FAULT_DOMAINS, _ids(members))


def _scale_sets(machines: Sequence[Machine]) -> Iterator[ScaleSet]:
    for held, members in _members(machines, lambda machine: machine.scale_set).items():
        domains = max([1, *(m.fault_domain + 1 for m in members if m.fault_domain is not None)])
        name = held.rpartition("/")[2]
        yield ScaleSet(held, name, members[0].location, Orchestration.FLEXIBLE, domains, _ids(members))


# The situation --------------------------------------------------------------------------------------------------


def placed(inventory: Inventory, situation: Situation) -> Inventory:
    """The fleet in the situation: taken now, with those off and unwell that are said to be."""
    off, unwell = _test(situation.off), _test(situation.unhealthy)
    machines = []
    for machine in inventory.machines:
        if off(machine):
            machine = _off(machine)  # noqa: PLW2901 - the same machine, in the situation
        elif unwell(machine):
            machine = replace(machine, app_health=AppHealth.UNHEALTHY)  # noqa: PLW2901 - likewise
        if machine.patches.updates is not None and machine.patches.assessed_at == inventory.taken_at:
            patches = replace(machine.patches, assessed_at=situation.now)
            machine = replace(machine, patches=patches)  # noqa: PLW2901 - likewise
        machines.append(machine)
    return replace(inventory, taken_at=situation.now, machines=tuple(machines))


def _test(select: Selector | None) -> Callable[[Machine], bool]:
    return matcher(select) if select is not None else lambda _: False


def _off(machine: Machine) -> Machine:
    if machine.kind is Kind.AZURE_VM:
        return replace(machine, power=Power.DEALLOCATED, agent=Agent.UNKNOWN, app_health=AppHealth.NONE)
    return replace(machine, agent=Agent.NOT_READY)
