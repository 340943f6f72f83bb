"""Which maintenance configurations patch which machines: Azure's own schedules, as assignments tell them.

An assignment hangs on one machine, or is a dynamic scope: on a subscription or a resource group, with a filter that machines fit or
don't. Rows of `Microsoft.Maintenance/configurationAssignments`, from ARM and from Resource Graph alike (its table
`maintenanceresources`); with the configurations themselves beside them, those that don't patch guests are told apart.
Fields: Azure Update Manager's "manage VMs programmatically" page, api-version 2023-04-01.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.inventory import ids
from orchestrator.inventory.model import Machine, MachineId, Os, ResourceId, machine_id, resource_id
from orchestrator.inventory.wire import Row, flattened, part, text

ASSIGNMENT_TYPE: Final = "microsoft.maintenance/configurationassignments"
CONFIGURATION_TYPE: Final = "microsoft.maintenance/maintenanceconfigurations"
GUEST: Final = "inguestpatch"
"""The scope of configurations that patch machines; others see to hosts, images or databases."""

_ASSIGNED: Final = "/providers/microsoft.maintenance/configurationassignments/"


@dataclass(slots=True)
class Schedules:
    """Rows of assignments and configurations, as they are come upon."""

    direct: defaultdict[MachineId, set[ResourceId]] = field(default_factory=lambda: defaultdict(set))
    dynamic: list[tuple[str, ResourceId, Row]] = field(default_factory=list)  # scope, configuration, filter
    others: set[ResourceId] = field(default_factory=set)  # configurations that patch no guest
    asked: bool = False  # whether anybody looked at all

    def __len__(self) -> int:
        """How many assignments there are."""
        return len(self.direct) + len(self.dynamic)

    def take(self, row: Row) -> None:
        """A row of either type."""
        flat = flattened(row)
        arm_id = text(flat, "id").lower()
        self.asked = True
        if _ASSIGNED not in arm_id:
            scope = text(flat, "maintenanceScope").lower()
            if scope and scope != GUEST:
                self.others.add(resource_id(arm_id))
            return
        configuration = resource_id(text(flat, "maintenanceConfigurationId"))
        scope, _, _ = arm_id.partition(_ASSIGNED)
        if not configuration:
            return
        if "/providers/" in scope:
            self.direct[machine_id(scope)].add(configuration)
        else:
            self.dynamic.append((scope, configuration, part(flat, "filter")))

    def of(self, machines: Iterable[Machine]) -> Iterator[Machine]:
        """The machines with the configurations that reach them; as they were if nobody looked."""
        for machine in machines:
            if not self.asked:
                yield machine
                continue
            found = self.direct.get(machine.id, set()) | {
                configuration
                for scope, configuration, fit in self.dynamic
                if machine.id.startswith(scope + "/") and _fits(machine, fit)
            }
            yield replace(machine, schedules=tuple(sorted(found - self.others)))


def _fits(machine: Machine, fit: Row) -> bool:
    """Whether a machine is in a dynamic scope. What a filter leaves out bounds nothing."""
    kinds = {word.lower() for word in _words(fit, "resourceTypes")}
    groups = {word.lower() for word in _words(fit, "resourceGroups")}
    systems = {word.lower() for word in _words(fit, "osTypes")}
    regions = {ids.region_name(word) for word in _words(fit, "locations")}
    return (
        (not kinds or ids.type_of(machine.id) in kinds)
        and (not groups or machine.resource_group.lower() in groups)
        and (not systems or machine.os is Os.UNKNOWN or machine.os.value in systems)
        and (not regions or machine.location in regions)
        and _tagged(machine, part(fit, "tagSettings"))
    )


def _tagged(machine: Machine, settings: Row) -> bool:
    wanted = part(settings, "tags")
    if not wanted:
        return True
    own = {name.lower(): value for name, value in machine.tags.items()}
    held = [own.get(name.lower()) in _words(wanted, name) for name in wanted]
    return any(held) if text(settings, "filterOperator").lower() == "any" else all(held)


def _words(row: Row, key: str) -> list[str]:
    value = row.get(key)
    return [str(word) for word in value] if isinstance(value, list | tuple) else []
