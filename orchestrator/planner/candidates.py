"""Whom a campaign changes: those that it selects, without those that can't be changed, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orchestrator.inventory.model import MachineId
from orchestrator.inventory.standing import cannot_roll
from orchestrator.planner.compiled import Frozen
from orchestrator.planner.model import LeftOut
from orchestrator.policy.holds import why_held
from orchestrator.policy.model import Selector
from orchestrator.policy.select import matcher
from orchestrator.topology.graph import Topology


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every machine that a campaign selects, in one of the two. Both sorted by id."""

    changed: tuple[MachineId, ...]
    left_out: tuple[LeftOut, ...]

    def __len__(self) -> int:
        return len(self.changed) + len(self.left_out)


def choose(topology: Topology, select: Selector, among: Collection[MachineId] | None = None) -> Candidates:
    """Who is selected, and who of them can't be rolled or is on hold when the inventory was taken. `among`: of these alone."""
    test = matcher(select)
    asked = (
        topology.machines if among is None else [machine for machine in topology.machines if machine in among]
    )
    selected = [machine for machine in asked if test(topology.machine(machine))]
    reasons = {**_held_back(topology, selected), **cannot_roll(topology.inventory)}
    return Candidates(
        changed=tuple(machine for machine in selected if machine not in reasons),
        left_out=tuple(LeftOut(machine, reasons[machine]) for machine in selected if machine in reasons),
    )


def _held_back(topology: Topology, selected: Iterable[MachineId]) -> dict[MachineId, str]:
    now = topology.inventory.taken_at
    held = ((machine, why_held(topology.machine(machine), now)) for machine in selected)
    return {machine: why for machine, why in held if why is not None}


def without_frozen(candidates: Candidates, frozen: Iterable[Frozen]) -> Candidates:
    """The candidates without the members of groups that admit nobody. A machine of several such groups is told of each."""
    why: dict[MachineId, list[Frozen]] = {}
    for group in frozen:
        for machine in group.machines:
            why.setdefault(machine, []).append(group)
    return leave_out(
        candidates,
        {
            machine: LeftOut(machine, "; ".join(map(_frozen, groups)), groups[0].constraint)
            for machine, groups in why.items()
        },
    )


def leave_out(candidates: Candidates, more: dict[MachineId, LeftOut]) -> Candidates:
    """The candidates without some more of them."""
    if not more:
        return candidates
    return Candidates(
        changed=tuple(machine for machine in candidates.changed if machine not in more),
        left_out=tuple(
            sorted(
                (*candidates.left_out, *(more[m] for m in candidates.changed if m in more)),
                key=lambda left: left.machine,
            )
        ),
    )


def _frozen(group: Frozen) -> str:
    return f"{group.group} admits nobody: {group.why} ({group.origin})"
