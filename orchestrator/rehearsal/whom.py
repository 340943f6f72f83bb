"""Whom an expectation is about: the machines that it selects, in the groups in which it holds by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.groups import Groups, Scope
from orchestrator.policy import words
from orchestrator.policy.build import selector
from orchestrator.policy.model import Selector
from orchestrator.policy.schema.section import Select
from orchestrator.policy.select import matcher
from orchestrator.rehearsal.model import Failure, Planned
from orchestrator.topology.graph import Topology

SHOWN: Final = 6
"""Names that are told of many."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Machines that an expectation counts together; `name` is for people."""

    name: str
    machines: tuple[MachineId, ...]


def selected(topology: Topology, select: Select | Selector) -> tuple[MachineId, ...]:
    """The machines of the fleet, sorted."""
    test = matcher(_selector(select))
    return tuple(machine for machine in topology.machines if test(topology.machine(machine)))


def _selector(select: Select | Selector) -> Selector:
    return select if isinstance(select, Selector) else selector(select)


def told(select: Select | Selector) -> str:
    """A selection in a sentence."""
    found = _selector(select)
    if found.names and len(found.names) > SHOWN:
        return f"{', '.join(found.names[:SHOWN])} and {len(found.names) - SHOWN} more"
    said = words.selector(found)
    return "all machines" if said == "all" else said


def nobody(select: Select, expected: str) -> Failure:
    """An expectation that is about no machine of the fleet never holds: it would say nothing."""
    return Failure(expected, f"no machine of the fleet is {told(select)}")


def grouped(planned: Planned, select: Select | Selector, per: Sequence[str]) -> tuple[Whom, ...]:
    """The selected machines in groups of these kinds; without any, all of them together."""
    topology = planned.topology
    found = selected(topology, select)
    scope = Scope(told(select), found)
    groups = Groups(topology).divided(scope, per, whole=False)
    return tuple(
        Whom(f"{scope.name} in {group.name}" if group.groups else group.name, group.members)
        for group in groups
    )


def names(topology: Topology, machines: Iterable[MachineId], most: int = SHOWN) -> str:
    """`web-01, web-02 and 4 more`; `nobody` for none."""
    found = [
        topology.machine(machine).name if machine in topology else name_of(machine)
        for machine in sorted(machines)
    ]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more if found else "nobody"
