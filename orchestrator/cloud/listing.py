"""Everything that a set of subscriptions holds, from the lists of Azure Resource Manager.

For each subscription: the machines' models, the same list again with `statusOnly=true` (it brings instance views, and Azure
allows no other way of listing those), availability sets, scale sets, regions, Arc machines, network interfaces. An instance view of its
own is asked for only where that left out something that rules need: a machine, a power state, a domain.

Without the machines there is no inventory, and that is an error. What else may not be read stands in `Inventory.unreadable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from orchestrator.cloud import urls
from orchestrator.cloud.answers import GONE, error_from_answer
from orchestrator.cloud.asked import Asked, Permission, listing
from orchestrator.cloud.reading import Get, Row, pages
from orchestrator.errors import AccessDenied, CloudError, CloudPermanent
from orchestrator.inventory.arm import (
    availability_set_from_arm,
    instance_view_of,
    locations_from_arm,
    machine_from_arm,
    scale_set_from_arm,
)
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.interfaces import connect
from orchestrator.inventory.model import (
    AvailabilitySet,
    BackendPool,
    Inventory,
    Location,
    Machine,
    MachineId,
    Power,
    ResourceId,
    ScaleSet,
    Unreadable,
    machine_id,
    resource_id,
)
from orchestrator.inventory.schedules import Schedules
from orchestrator.inventory.wire import text

VIEWS_AT_ONCE = 32
NO_SUCH_PROVIDER = frozenset(
    {"InvalidResourceType", "NoRegisteredProviderFound", "MissingSubscriptionRegistration"}
)


async def read_inventory(get: Get, subscriptions: Sequence[str], taken_at: datetime) -> Inventory:
    """All machines of these subscriptions and what they stand in.

    Raises:
        AccessDenied: A subscription's machines may not be listed; the message tells of every such subscription.
        CloudTransient, CloudPermanent: A list couldn't be read to its end.
    """
    wanted = [_Subscription(get, s) for s in sorted({s.strip().lower() for s in subscriptions})]
    outcomes = await asyncio.gather(*(one.read() for one in wanted), return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome is not None]
    if failures:
        raise _together(failures)
    return assemble(
        source="arm",
        taken_at=taken_at,
        machines=(machine for one in wanted for machine in one.machines.values()),
        availability_sets=(group for one in wanted for group in one.availability_sets),
        scale_sets=(group for one in wanted for group in one.scale_sets),
        backend_pools=(pool for one in wanted for pool in one.backend_pools),
        locations=(location for one in wanted for location in one.locations),
        unreadable=(thing for one in wanted for thing in one.unreadable),
    )


@dataclass(slots=True)
class _Subscription:
    """What one subscription holds, filled in by `read`."""

    get: Get
    id: str
    machines: dict[MachineId, Machine] = field(default_factory=dict)
    availability_sets: list[AvailabilitySet] = field(default_factory=list)
    scale_sets: list[ScaleSet] = field(default_factory=list)
    backend_pools: list[BackendPool] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    schedules: Schedules = field(default_factory=Schedules)

    async def read(self) -> None:
        """Read it all, one list after the other."""
        asked = listing("machines", Permission.READ_MACHINES, self.id)
        models = _by_id(await _all(self.get, urls.machines(self.id), asked))
        status = _by_id(await _all(self.get, urls.machines(self.id, status_only=True), asked))
        sets = await self._optional(
            "availability sets", Permission.READ_AVAILABILITY_SETS, urls.availability_sets(self.id)
        )
        scaled = await self._optional("scale sets", Permission.READ_SCALE_SETS, urls.scale_sets(self.id))
        regions = await self._optional("locations", Permission.READ_LOCATIONS, urls.locations(self.id))
        interfaces = await self._optional(
            "network interfaces", Permission.READ_INTERFACES, urls.interfaces(self.id)
        )
        await self._read_schedules()

        self.availability_sets = [availability_set_from_arm(item) for item in sets]
        self.locations = list(locations_from_arm(regions, self.id))
        self.machines = {
            known: machine_from_arm(model, instance_view_of(status.get(known, {})))
            for known, model in models.items()
        }
        spread = {group.id for group in map(scale_set_from_arm, scaled) if group.fault_domains == 1}
        await self._look_closer(
            [m for m in self.machines.values() if m.id not in status or _lacks(m, spread)], models
        )
        arc = await self._optional("Arc machines", Permission.READ_ARC_MACHINES, urls.arc_machines(self.id))
        self.machines |= {machine.id: machine for machine in map(machine_from_arm, _by_id(arc).values())}
        connected = connect(self.schedules.of(self.machines.values()), interfaces)
        self.machines = {machine.id: machine for machine in connected.machines}
        self.backend_pools = list(connected.pools)
        self.scale_sets = [scale_set_from_arm(item, self._members(item)) for item in scaled]

    async def _read_schedules(self) -> None:
        """Assignments, and with any of them the configurations that they name."""
        denied = len(self.unreadable)
        assigned = await self._optional(
            "maintenance assignments",
            Permission.READ_ASSIGNMENTS,
            urls.maintenance(self.id, "configurationAssignments"),
        )
        self.schedules.asked = len(self.unreadable) == denied
        if not assigned:
            return
        configurations = await self._optional(
            "maintenance configurations",
            Permission.READ_CONFIGURATIONS,
            urls.maintenance(self.id, "maintenanceConfigurations"),
        )
        for row in (*assigned, *configurations):
            self.schedules.take(row)

    async def _optional(self, things: str, permission: Permission, path: str) -> Sequence[Row]:
        """A list that an inventory can do without. A provider that this subscription never registered has nothing to list."""
        try:
            return await _all(self.get, path, listing(things, permission, self.id))
        except AccessDenied as denied:
            self.unreadable.append(Unreadable(f"{things} of subscription {self.id}", str(denied)))
        except CloudPermanent as error:
            if error.code not in NO_SUCH_PROVIDER:
                raise
        return ()

    async def _look_closer(self, machines: Sequence[Machine], models: Mapping[MachineId, Row]) -> None:
        """Read instance views one by one, a few at once. A machine that is gone meanwhile is dropped."""
        waiting = iter(machines)

        async def work() -> None:
            for machine in waiting:
                asked = Asked(
                    f"reading the instance view of {machine.name}", Permission.READ_VIEW, machine.arm_id
                )
                try:
                    view = await _view(self.get, machine, asked)
                except CloudError as error:
                    if error.code == GONE:
                        del self.machines[machine.id]
                    else:
                        self.unreadable.append(Unreadable(f"instance view of {machine.arm_id}", str(error)))
                else:
                    self.machines[machine.id] = machine_from_arm(models[machine.id], view)

        await asyncio.gather(*(work() for _ in range(min(VIEWS_AT_ONCE, len(machines)))))

    def _members(self, group: Row) -> list[Row]:
        """Members of a Flexible scale set, as the machines themselves tell."""
        known = resource_id(text(group, "id"))
        return [{"id": machine.arm_id} for machine in self.machines.values() if machine.scale_set == known]


async def _all(get: Get, path: str, asked: Asked) -> list[Row]:
    return [item async for page in pages(get, path, asked) for item in page]


async def _view(get: Get, machine: Machine, asked: Asked) -> Row:
    received = await get(urls.instance_view(machine.arm_id), asked)
    if received.status != HTTPStatus.OK:
        raise error_from_answer(received, asked)
    return received.body


def _by_id(items: Iterable[Row]) -> dict[MachineId, Row]:
    """Each once: what comes or goes while pages are turned may be told twice."""
    return {machine_id(text(item, "id")): item for item in items if text(item, "id")}


def _lacks(machine: Machine, spread: Collection[ResourceId]) -> bool:
    """Whether an instance view of its own may tell more. Domains of what is deallocated don't matter.

    `spread` are the scale sets that spread over as many fault domains as there are, which Azure doesn't tell.
    """
    if machine.power is Power.DEALLOCATED:
        return False
    if machine.power is Power.UNKNOWN:
        return True
    if machine.availability_set is not None:
        return machine.update_domain is None or machine.fault_domain is None
    return machine.scale_set is not None and machine.scale_set not in spread and machine.fault_domain is None


def _together(failures: Sequence[BaseException]) -> BaseException:
    """One error for all: what needs somebody's hand, told at once; else the first that doesn't."""
    denied = [failure for failure in failures if isinstance(failure, AccessDenied)]
    if len(denied) == len(failures):
        return AccessDenied("\n".join(dict.fromkeys(map(str, denied))), code=denied[0].code)
    return next(failure for failure in failures if not isinstance(failure, AccessDenied))
