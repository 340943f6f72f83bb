"""Constraints: what the planner, the admission and the judge understand. Every rule compiles to one of three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Origin


@dataclass(frozen=True, slots=True)
class Budget:
    """Of these machines at most `limit` are out at once.

    `machines` are all members that count, whether this plan changes them or not, without machines that were off when planned.
    `limit` is settled for these members: min(max_unavailable, size - min_available), less the members that can't be read.
    A `cap` is kept by admission while a rollout runs and joins no lanes.

    With `restarts` it counts machines that restart or are out of anyone's doing: those that a change keeps up, as far as this plan
    knows, are `spared`. They take none of the limit until one of them turns out to go down, and `machines` are the others.
    """

    id: str  # "budget:<digest of content>": equal content, equal id, whatever the plan
    machines: tuple[MachineId, ...]  # sorted
    limit: int
    what: str  # for people: "at most 1 of 5 in availability set as-web"
    origin: Origin
    cap: bool = False
    restarts: bool = False
    spared: tuple[MachineId, ...] = ()  # sorted, disjoint of `machines`; empty unless `restarts`

    @property
    def members(self) -> tuple[MachineId, ...]:
        """Everybody who counts once out: the same in every plan, whoever is spared in it."""
        return tuple(sorted((*self.machines, *self.spared))) if self.spared else self.machines


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Of these domains one at a time; a domain begun is finished, within its stage, before the next begins."""

    id: str  # "exclusion:..."
    domains: Mapping[str, tuple[MachineId, ...]]  # sorted by name; machines sorted; disjoint
    what: str  # "one zone at a time in westeurope"
    origin: Origin
    level: int = 0  # nesting where exclusions cross: the lower is the outer one and is finished first


@dataclass(frozen=True, slots=True)
class Order:
    """These before those, within each stage. Both sorted, disjoint."""

    id: str  # "order:..."
    first: tuple[MachineId, ...]
    then: tuple[MachineId, ...]
    what: str  # "tier=db before tier=web,api in westeurope"
    origin: Origin


Constraint = Budget | Exclusion | Order
