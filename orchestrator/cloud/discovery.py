"""Everything that any number of subscriptions hold, from Resource Graph, and from ARM what that lacks.

Resource Graph answers for a hundred subscriptions at once, a thousand rows a page, three pages a second: 100,000 machines
take a hundred pages. It lacks the domains of sets, which stand in instance views alone, and the regions: their pairs, and which
physical zone each of a subscription's zones is. For those ARM is asked (`closer`), as little as will do.

What this identity may not read, Resource Graph leaves out without a word. A subscription that can't be seen at all is an error; one
that shows nothing is told by name, since it may be empty or closed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.clock import Clock
from orchestrator.cloud import closer, urls
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.graph import Query, Row
from orchestrator.cloud.pacing import AT_ONCE, GROUP, Paced
from orchestrator.cloud.reading import Get, pages
from orchestrator.errors import AccessDenied
from orchestrator.inventory import arm, ids
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.assessments import ASSESSMENT_TYPES, UPDATE_TYPES, Assessments
from orchestrator.inventory.discovery import Discovery, Listen, Progress
from orchestrator.inventory.installations import INSTALLATION_TYPES, INSTALLED_TYPES, Installations
from orchestrator.inventory.interfaces import INTERFACE_TYPE, Interfaces
from orchestrator.inventory.model import AvailabilitySet, Machine, MachineId
from orchestrator.inventory.schedules import ASSIGNMENT_TYPE, CONFIGURATION_TYPE, Schedules
from orchestrator.inventory.wire import text

READING: Final = "reading Resource Graph"

_OF_INTERFACES: Final = ", ".join(
    f"{name} = properties.{name}" for name in ("primary", "virtualMachine", "ipConfigurations")
)
_GONE: Final = frozenset({"Disabled", "Deleted", "Expired"})


@dataclass(slots=True)
class _Estate:
    """What the rows came to. Each is taken apart as it comes, so that a hundred thousand of them aren't held."""

    machines: dict[MachineId, Machine] = field(default_factory=dict)
    availability_sets: list[AvailabilitySet] = field(default_factory=list)
    scale_sets: list[Row] = field(default_factory=list)
    interfaces: Interfaces = field(default_factory=Interfaces)
    schedules: Schedules = field(default_factory=Schedules)
    assessments: Assessments = field(default_factory=Assessments)
    installations: Installations = field(default_factory=Installations)

    def take(self, row: Row) -> None:
        """A row of any table. A machine that comes or goes while pages are turned may be told twice."""
        match ids.type_of(text(row, "id")):
            case arm.VM_TYPE | arm.ARC_TYPE:
                machine = arm.machine_from_arm(row)
                self.machines[machine.id] = machine
            case arm.AVAILABILITY_SET_TYPE:
                self.availability_sets.append(arm.availability_set_from_arm(row))
            case arm.SCALE_SET_TYPE:
                self.scale_sets.append(row)
            case kind if kind == INTERFACE_TYPE:
                self.interfaces.take(row)
            case kind if kind in ASSESSMENT_TYPES or kind in UPDATE_TYPES:
                self.assessments.take(row)
            case kind if kind in INSTALLATION_TYPES or kind in INSTALLED_TYPES:
                self.installations.take(row)
            case kind if kind in {ASSIGNMENT_TYPE, CONFIGURATION_TYPE} or ASSIGNMENT_TYPE in kind:
                self.schedules.take(row)
            case _:
                pass


async def discover(
    get: Get,
    query: Query,
    clock: Clock,
    subscriptions: Sequence[str] | None,
    listen: Listen,
    *,
    updates: bool = False,
) -> Discovery:
    """All machines of these subscriptions, or of all that this identity can see, and what they stand in.

    `updates` also asks what each machine lacks and what was installed on it, which are several rows a machine.

    Raises:
        AccessDenied: A subscription can't be seen; the message names every such one.
        CloudTransient, CloudPermanent: A question wasn't answered, however often.
    """
    paced = Paced(get, query, clock)
    begun = clock.now()
    scope = await _scope(paced, subscriptions)
    estate = _Estate()
    estate.schedules.asked = True
    await _Reading(paced, scope, estate, listen).read(_queries(updates=updates))

    machines = estate.installations.of(estate.assessments.of(estate.schedules.of(estate.machines.values())))
    known = {machine.id: machine for machine in machines}
    seen = await closer.look(paced, known, estate.scale_sets, listen)
    connected = estate.interfaces.connect(seen.machines.values())
    inventory = assemble(
        source="graph",
        taken_at=begun,
        machines=connected.machines,
        availability_sets=estate.availability_sets,
        scale_sets=seen.scale_sets,
        backend_pools=connected.pools,
        locations=seen.locations,
        unreadable=seen.unreadable,
    )
    held = Counter(machine.subscription.lower() for machine in inventory.machines)
    return Discovery(
        inventory=inventory,
        subscriptions=len(scope),
        empty=tuple(one for one in scope if not held[one]),
        queries=paced.queries,
        reads=paced.reads,
        took=clock.now() - begun,
    )


async def _scope(paced: Paced, subscriptions: Sequence[str] | None) -> tuple[str, ...]:
    """The subscriptions to read, sorted; those that were named must be among those that can be seen."""
    asked = Asked("listing subscriptions", Permission.READ_SUBSCRIPTIONS, "this identity's tenant")
    states = {
        text(item, "subscriptionId").lower(): text(item, "state")
        async for page in pages(paced.get, urls.subscriptions(), asked)
        for item in page
    }
    if subscriptions is None:
        return tuple(sorted(one for one, state in states.items() if one and state not in _GONE))
    wanted = sorted({one.strip().lower() for one in subscriptions})
    missing = [one for one in wanted if one not in states]
    if missing:
        raise AccessDenied(
            "\n".join(
                f"there is no subscription {one} for this identity. Compare its id with `az account list --all`, or have a "
                "role granted on it (Reader to plan)"
                for one in missing
            ),
            code="SubscriptionNotFound",
        )
    return tuple(wanted)


def _queries(*, updates: bool) -> tuple[tuple[str, Asked], ...]:
    """What is asked of each group of subscriptions. Every query projects ids, since pages are turned by them."""
    everything = (
        arm.VM_TYPE,
        arm.ARC_TYPE,
        arm.AVAILABILITY_SET_TYPE,
        arm.SCALE_SET_TYPE,
        CONFIGURATION_TYPE,
    )
    types = ", ".join(f"'{one}'" for one in everything)
    columns = "id, name, type, kind, location, tags, zones, sku, managedBy, properties"
    found = [
        ("machines", f"resources | where type in~ ({types}) | project {columns}"),
        (
            "network interfaces",
            f"resources | where type =~ '{INTERFACE_TYPE}' | project id, {_OF_INTERFACES}",
        ),
        (
            "maintenance assignments",
            f"maintenanceresources | where type =~ '{ASSIGNMENT_TYPE}' | project id, properties",
        ),
    ]
    if updates:
        found += [
            ("assessments", "patchassessmentresources | project id, name, properties"),
            ("installations", "patchinstallationresources | project id, name, properties"),
        ]
    return tuple(
        (told, Asked(f"reading {what}", Permission.READ_GRAPH, "the subscriptions")) for what, told in found
    )


class _Reading:
    """Several queries of several groups of subscriptions, a few at a time."""

    def __init__(self, paced: Paced, scope: Sequence[str], estate: _Estate, listen: Listen) -> None:
        self._paced = paced
        self._scope = scope
        self._estate = estate
        self._listen = listen
        self._done = 0
        self._total = 0

    async def read(self, queries: Sequence[tuple[str, Asked]]) -> None:
        """Every query of every group, to its last page."""
        groups = [self._scope[at : at + GROUP] for at in range(0, len(self._scope), GROUP)]
        left = iter([(query, group) for query in queries for group in groups])
        await asyncio.gather(*(self._work(left) for _ in range(AT_ONCE)))

    async def _work(self, left: Iterator[tuple[tuple[str, Asked], Sequence[str]]]) -> None:
        for (text_, asked), group in left:
            token, first = "", True
            while first or token:
                page = await self._paced.page(text_, asked, subscriptions=group, token=token)
                for row in page.rows:
                    self._estate.take(row)
                self._total += page.total if first else 0
                self._done += len(page.rows)
                self._listen(Progress(READING, self._done, self._total))
                token, first = page.token, False
