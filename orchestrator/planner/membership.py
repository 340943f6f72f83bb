"""Where machines count that a plan doesn't have where they are now: new ones, and those whose tags or place have changed since.

Rules are read once more on the fleet as it is, and each budget of the plan is found again among them, as a difference of plans finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.availability.model import Budget, Constraint
from orchestrator.inventory.model import Inventory, Machine, MachineId
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.diff_rules import counterparts
from orchestrator.planner.facts import facts_of
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Policy
from orchestrator.topology.graph import build


@dataclass(frozen=True, slots=True)
class Moved:
    """A machine and the budgets, by their places in the plan, that it has joined, and those that it has left."""

    identity: MachineId
    joins: tuple[int, ...]
    leaves: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Movements:
    """What a fresh inventory says to a plan. `elsewhere`: machines of the plan, by place, that rules read differently now."""

    members: tuple[Moved, ...] = ()
    elsewhere: tuple[int, ...] = ()


def movements(plan: Plan, fleet: Inventory, policies: Sequence[Policy], floor: Policy | None) -> Movements:
    """Who has moved, and what follows. Nothing is compiled where nobody has. Raises as `compile_constraints`."""
    digest, planned = facts_of(plan), {machine.id: place for place, machine in enumerate(plan.machines)}
    new = {machine.id for machine in fleet.machines if machine.id not in planned}
    elsewhere = sorted(
        planned[machine.id]
        for machine in fleet.machines
        if machine.id in planned and _differs(plan, planned, machine, digest(machine))
    )
    if not new and not elsewhere:
        return Movements()
    here = {machine.id for machine in fleet.machines}
    changing = frozenset(machine.id for machine in plan.machines if machine.change and machine.id in here)
    spared = frozenset(m for rule in plan.constraints if isinstance(rule, Budget) for m in rule.spared)
    live = compile_constraints(build(fleet), policies, floor, changing, spared).constraints
    moved = {plan.machines[place].id for place in elsewhere}
    return Movements(tuple(_members(plan, live, new, moved)), tuple(elsewhere))


def _differs(plan: Plan, planned: dict[MachineId, int], machine: Machine, digest: str) -> bool:
    facts = plan.machines[planned[machine.id]].facts
    return bool(facts) and digest != facts


def _members(
    plan: Plan, live: Sequence[Constraint], new: Collection[MachineId], moved: Collection[MachineId]
) -> Iterator[Moved]:
    """Whoever moved, also where it counts as before. A budget that isn't found again takes nobody in, and whoever moved has left it."""
    found = counterparts(plan.constraints, live)
    joins: dict[MachineId, list[int]] = {}
    leaves: dict[MachineId, list[int]] = {}
    for place, rule in enumerate(plan.constraints):
        if not isinstance(rule, Budget):
            continue
        before, now = set(rule.members), found.get(rule.id)
        after = set(now.members) if isinstance(now, Budget) else set()
        for machine in after - before:
            if machine in new or machine in moved:
                joins.setdefault(machine, []).append(place)
        for machine in before - after:
            if machine in moved:
                leaves.setdefault(machine, []).append(place)
    for machine in sorted({*joins, *leaves, *moved}):
        yield Moved(machine, tuple(joins.get(machine, ())), tuple(leaves.get(machine, ())))
