"""Short ways to compile rules over a fleet and to read what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.availability.model import Budget, Exclusion, Order
from orchestrator.inventory.model import Inventory, Machine, MachineId, Power
from orchestrator.planner.compile import Compiled, compile_constraints
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Policy
from orchestrator.topology.graph import build
from tests.fleet import vm, vm_id

POLICIES = Path(__file__).parents[3] / "policies"


def floor() -> Policy:
    """The built-in rules."""
    return load_one("floor.yaml", (POLICIES / "availability-first.yaml").read_text(encoding="utf-8"))


def compiled(
    fleet: Inventory, rules: str = "", *changed: str, under: Policy | None = None, select: str = "{}"
) -> Compiled:
    """These rules, in line 5 and after, over a fleet of which `changed` (all if none is named) are changed."""
    topology = build(fleet)
    policies = (
        [load_one("p.yaml", f"version: 1\nname: p\nselect: {select}\nrules:\n{rules}\n")] if rules else []
    )
    moving = frozenset(vm_id(name) for name in changed) if changed else frozenset(topology.machines)
    return compile_constraints(topology, policies, under, moving)


def off(name: str, **facts: Any) -> Machine:
    """A machine that was deallocated when the inventory was taken."""
    return vm(name, power=Power.DEALLOCATED, **facts)


def names(machines: tuple[MachineId, ...]) -> str:
    """Machines by name."""
    return " ".join(machine.rpartition("/")[2] for machine in machines)


def budgets(result: Compiled) -> dict[str, str]:
    """Machines of each budget by its words."""
    return {rule.what: names(rule.machines) for rule in result.constraints if isinstance(rule, Budget)}


def exclusions(result: Compiled) -> dict[str, dict[str, str]]:
    """Domains of each exclusion by its words."""
    return {
        rule.what: {name: names(held) for name, held in rule.domains.items()}
        for rule in result.constraints
        if isinstance(rule, Exclusion)
    }


def orders(result: Compiled) -> dict[str, tuple[str, str]]:
    """Both sides of each order by its words."""
    return {
        rule.what: (names(rule.first), names(rule.then))
        for rule in result.constraints
        if isinstance(rule, Order)
    }


def told(result: Compiled) -> list[str]:
    """The warnings."""
    return [warned.what for warned in result.warnings]
