"""What Resource Graph lacks of an estate, from ARM: the domains of sets, in instance views, and the regions.

A subscription's list of instance views is asked for where more of its machines need one than the list has pages; else each is read by
itself. Regions are asked for of the subscriptions with machines in zones, whose zones have to be told apart, and of one where there is none.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, TypeVar

from orchestrator.cloud import urls
from orchestrator.cloud.answers import GONE, error_from_answer
from orchestrator.cloud.asked import Asked, Permission, listing
from orchestrator.cloud.graph import Row
from orchestrator.cloud.pacing import Paced
from orchestrator.cloud.reading import pages
from orchestrator.errors import AccessDenied
from orchestrator.inventory.arm import (
    instance_view_of,
    locations_from_arm,
    machine_from_arm,
    scale_set_from_arm,
)
from orchestrator.inventory.discovery import Listen, Progress
from orchestrator.inventory.model import (
    Kind,
    Location,
    Machine,
    MachineId,
    Power,
    ResourceId,
    ScaleSet,
    Unreadable,
    machine_id,
)
from orchestrator.inventory.wire import text

T = TypeVar("T")

AT_ONCE: Final = 32  # requests; ARM's own pace is the client's affair
PAGE: Final = 100  # machines on one page of a list of instance views
DOMAINS: Final = "reading update and fault domains"
REGIONS: Final = "reading regions"


@dataclass(slots=True)
class Seen:
    """The estate with what ARM told of it."""

    machines: dict[MachineId, Machine]
    scale_sets: list[ScaleSet] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


async def look(
    paced: Paced, machines: Mapping[MachineId, Machine], scale_sets: Sequence[Row], listen: Listen
) -> Seen:
    """Complete an estate. What may not be read stands in `unreadable`. Raises CloudTransient, CloudPermanent."""
    seen = Seen(dict(machines))
    await _regions(paced, seen, listen)
    spread = {group.id for group in map(scale_set_from_arm, scale_sets) if group.fault_domains == 1}
    await _domains(paced, seen, spread, listen)
    members: defaultdict[ResourceId, list[Row]] = defaultdict(list)
    for machine in seen.machines.values():
        if machine.scale_set is not None:
            members[machine.scale_set].append({"id": machine.arm_id})
    for row in scale_sets:
        group = scale_set_from_arm(row)
        seen.scale_sets.append(scale_set_from_arm(row, members.get(group.id, ())))
    return seen


async def _regions(paced: Paced, seen: Seen, listen: Listen) -> None:
    zonal = {machine.subscription.lower() for machine in seen.machines.values() if machine.zone is not None}
    every = {machine.subscription.lower() for machine in seen.machines.values()}
    asked = sorted(zonal) or sorted(every)[:1]

    async def one(subscription: str) -> None:
        about = listing("locations", Permission.READ_LOCATIONS, subscription)
        try:
            rows = [
                row async for page in pages(paced.get, urls.locations(subscription), about) for row in page
            ]
        except AccessDenied as denied:
            seen.unreadable.append(Unreadable(f"locations of subscription {subscription}", str(denied)))
        else:
            seen.locations += locations_from_arm(rows, subscription)

    await _each(asked, one, REGIONS, listen)


async def _domains(paced: Paced, seen: Seen, spread: set[ResourceId], listen: Listen) -> None:
    """The cheaper way to each subscription's missing domains."""
    lacking: defaultdict[str, list[Machine]] = defaultdict(list)
    size = Counter(m.subscription.lower() for m in seen.machines.values() if m.kind is Kind.AZURE_VM)
    for machine in seen.machines.values():
        if _lacks(machine, spread):
            lacking[machine.subscription.lower()].append(machine)
    whole = sorted(one for one, held in lacking.items() if len(held) > -(-size[one] // PAGE))
    single = [machine for one, held in sorted(lacking.items()) if one not in set(whole) for machine in held]

    async def list_(subscription: str) -> None:
        about = listing("machines", Permission.READ_MACHINES, subscription)
        try:
            async for page in pages(paced.get, urls.machines(subscription, status_only=True), about):
                for item in page:
                    known = seen.machines.get(machine_id(text(item, "id")))
                    if known is not None:
                        seen.machines[known.id] = _with_view(known, instance_view_of(item))
        except AccessDenied as denied:
            seen.unreadable.append(Unreadable(f"instance views of subscription {subscription}", str(denied)))

    async def read(machine: Machine) -> None:
        about = Asked(f"reading the instance view of {machine.name}", Permission.READ_VIEW, machine.arm_id)
        received = await paced.get(urls.instance_view(machine.arm_id), about)
        if received.status == HTTPStatus.OK:
            seen.machines[machine.id] = _with_view(machine, received.body)
            return
        error = error_from_answer(received, about)
        if error.code == GONE:
            del seen.machines[machine.id]
        else:
            seen.unreadable.append(Unreadable(f"instance view of {machine.arm_id}", str(error)))

    await _each(whole, list_, DOMAINS, listen)
    await _each(single, read, DOMAINS, listen)


def _lacks(machine: Machine, spread: set[ResourceId]) -> bool:
    """Whether an instance view tells a domain that a rule of the floor asks for. Domains of what is deallocated don't matter.

    `spread` are the scale sets that spread over as many fault domains as there are, which Azure doesn't tell.
    """
    if machine.power is Power.DEALLOCATED:
        return False
    if machine.availability_set is not None:
        return machine.update_domain is None
    return machine.scale_set is not None and machine.scale_set not in spread and machine.fault_domain is None


def _with_view(machine: Machine, view: Row) -> Machine:
    """A machine with what its instance view tells, which is younger than Resource Graph's rows."""
    told = machine_from_arm({"id": machine.arm_id}, view)
    patches = told.patches
    if machine.patches.updates is not None or machine.patches.installed is not None:
        patches = replace(patches, updates=machine.patches.updates, installed=machine.patches.installed)
    return replace(
        machine,
        update_domain=told.update_domain,
        fault_domain=machine.fault_domain if told.fault_domain is None else told.fault_domain,
        power=machine.power if told.power is Power.UNKNOWN else told.power,
        agent=told.agent,
        app_health=told.app_health,
        patches=patches,
        os_name=told.os_name or machine.os_name,
        os_version=told.os_version or machine.os_version,
        agent_version=told.agent_version or machine.agent_version,
    )


async def _each(things: Sequence[T], one: Callable[[T], Awaitable[None]], what: str, listen: Listen) -> None:
    """One after the other by as many tasks as may ask at once."""
    waiting: Iterator[T] = iter(things)
    done = 0

    async def work() -> None:
        nonlocal done
        for thing in waiting:
            await one(thing)
            done += 1
            listen(Progress(what, done, len(things)))

    await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(things)))))
