"""Everything that a set of subscriptions holds, from the lists of Azure Resource Manager.

For each subscription: the machines' models, the same list again with `statusOnly=true` (it brings instance views, and Azure
allows no other way of listing those), availability sets, scale sets, regions. An instance view of its own is asked for
only where the list left out something that rules need: a machine it lacks, a power state, a domain.

Without the machines there is no inventory, and that is an error. What else may not be read stands in `Inventory.unreadable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from orchestrator.cloud import urls
from orchestrator.cloud.answers import GONE, error_from_answer
from orchestrator.cloud.asked import Asked, Permission, listing
from orchestrator.cloud.reading import Get, Row, pages
from orchestrator.errors import AccessDenied, CloudError
from orchestrator.inventory.arm import (
    availability_set_from_arm,
    instance_view_of,
    locations_from_arm,
    machine_from_arm,
    scale_set_from_arm,
)
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.model import (
    AvailabilitySet,
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

VIEWS_AT_ONCE = 32


@dataclass(slots=True)
class _Part:
    """What one subscription holds."""

    machines: list[Machine] = field(default_factory=list)
    availability_sets: list[AvailabilitySet] = field(default_factory=list)
    scale_sets: list[ScaleSet] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


async def read_inventory(get: Get, subscriptions: Sequence[str], taken_at: datetime) -> Inventory:
    """All machines of these subscriptions and what they stand in.

    Raises:
        AccessDenied: A subscription's machines may not be listed; the message tells of every such subscription.
        CloudTransient, CloudPermanent: A list couldn't be read to its end.
    """
    wanted = sorted({subscription.strip().lower() for subscription in subscriptions})
    parts: list[_Part] = []
    failures: list[BaseException] = []
    for told in await asyncio.gather(*(_subscription(get, s) for s in wanted), return_exceptions=True):
        if isinstance(told, BaseException):
            failures.append(told)
        else:
            parts.append(told)
    if failures:
        raise _together(failures)
    return assemble(
        source="arm",
        taken_at=taken_at,
        machines=(machine for part in parts for machine in part.machines),
        availability_sets=(group for part in parts for group in part.availability_sets),
        scale_sets=(group for part in parts for group in part.scale_sets),
        locations=(location for part in parts for location in part.locations),
        unreadable=(thing for part in parts for thing in part.unreadable),
    )


async def _subscription(get: Get, subscription: str) -> _Part:
    part = _Part()
    reading = listing("machines", Permission.READ_MACHINES, subscription)
    models = _by_id(await _all(get, urls.machines(subscription), reading))
    status = _by_id(await _all(get, urls.machines(subscription, status_only=True), reading))

    async def optional(things: str, permission: Permission, path: str) -> Sequence[Row]:
        try:
            return await _all(get, path, listing(things, permission, subscription))
        except AccessDenied as denied:
            part.unreadable.append(Unreadable(f"{things} of subscription {subscription}", str(denied)))
            return ()

    sets = await optional(
        "availability sets", Permission.READ_AVAILABILITY_SETS, urls.availability_sets(subscription)
    )
    scaled = await optional("scale sets", Permission.READ_SCALE_SETS, urls.scale_sets(subscription))
    regions = await optional("locations", Permission.READ_LOCATIONS, urls.locations(subscription))

    spread = {group.id for group in map(scale_set_from_arm, scaled) if group.fault_domains == 1}
    machines = {
        known: machine_from_arm(model, instance_view_of(status.get(known, {})))
        for known, model in models.items()
    }
    lacking = [m for m in machines.values() if m.id not in status or _lacks(m, spread)]
    for known, view in (await _views_of(get, lacking, part.unreadable)).items():
        if view is None:
            del machines[known]
        else:
            machines[known] = machine_from_arm(models[known], view)

    part.machines = list(machines.values())
    part.availability_sets = [availability_set_from_arm(item) for item in sets]
    part.scale_sets = [scale_set_from_arm(item, _members_of(item, part.machines)) for item in scaled]
    part.locations = list(locations_from_arm(regions, subscription))
    return part


async def _all(get: Get, path: str, asked: Asked) -> list[Row]:
    return [item async for page in pages(get, path, asked) for item in page]


def _by_id(items: Iterable[Row]) -> dict[MachineId, Row]:
    """Each once: what comes or goes while pages are turned may be told twice."""
    return {machine_id(str(item["id"])): item for item in items if item.get("id")}


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


async def _views_of(
    get: Get, machines: Sequence[Machine], unreadable: list[Unreadable]
) -> dict[MachineId, Row | None]:
    """The instance views of these machines, a few at once; None for one that is gone meanwhile."""
    views: dict[MachineId, Row | None] = {}
    waiting = iter(machines)

    async def work() -> None:
        for machine in waiting:
            asked = Asked(
                f"reading the instance view of {machine.name}", Permission.READ_VIEW, machine.arm_id
            )
            try:
                views[machine.id] = await _view(get, machine, asked)
            except CloudError as error:
                unreadable.append(Unreadable(f"instance view of {machine.arm_id}", str(error)))

    await asyncio.gather(*(work() for _ in range(min(VIEWS_AT_ONCE, len(machines)))))
    return views


async def _view(get: Get, machine: Machine, asked: Asked) -> Row | None:
    received = await get(urls.instance_view(machine.arm_id), asked)
    if received.status == HTTPStatus.OK:
        return received.body
    error = error_from_answer(received, asked)
    if error.code == GONE:
        return None
    raise error


def _members_of(item: Row, machines: Iterable[Machine]) -> list[Row]:
    """Members of a Flexible scale set, as the machines themselves tell."""
    group = resource_id(str(item.get("id", "")))
    return [{"id": machine.arm_id} for machine in machines if machine.scale_set == group]


def _together(failures: Sequence[BaseException]) -> BaseException:
    """One error for all: what needs somebody's hand, told at once; else the first."""
    denied = [failure for failure in failures if isinstance(failure, AccessDenied)]
    if len(denied) == len(failures):
        return AccessDenied("\n".join(dict.fromkeys(map(str, denied))), code=denied[0].code)
    return next(failure for failure in failures if not isinstance(failure, AccessDenied))
