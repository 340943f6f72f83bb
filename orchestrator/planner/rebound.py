"""The bound of a lane that was planned anew, from its own machines alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, assert_never

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId
from orchestrator.planner.bound import because, prove
from orchestrator.planner.model import Bound
from orchestrator.planner.replan_index import Index
from orchestrator.planner.rules import number

MOST: Final = 300
"""Machines up to which a bound is proven from all rules; of more, the budget that forces most waves is told."""


def bound_anew(
    index: Index, waves: Sequence[Sequence[int]], limit: Callable[[int], int], begun: int
) -> Bound:
    """The fewest waves that the rest of a lane can have, after those that were begun."""
    machines = sorted(machine for wave in waves for machine in wave)
    if not machines:
        return Bound(begun, "begun before the rest was planned anew")
    if len(machines) > MOST:
        machines, rules = _heaviest(index, machines, limit)
    else:
        rules = _rules(index, machines, limit)
    numbered = number((index.names[machine] for machine in machines), rules)
    proof = prove(numbered, range(len(numbered.machines)))
    reason = because(numbered, proof)
    return Bound(begun + proof.waves, f"{begun} begun; then {reason}" if begun else reason)


def _rules(index: Index, machines: Sequence[int], limit: Callable[[int], int]) -> list[Constraint]:
    """The rules that these machines stand in, as if there were no others."""
    parts: dict[int, dict[int, list[MachineId]]] = {}
    for machine in machines:
        for rule, part in index.places(machine):
            parts.setdefault(rule, {}).setdefault(part, []).append(index.names[machine])
    return [_within(index.rules[rule], held, limit(rule)) for rule, held in parts.items()]


def _within(rule: Constraint, parts: dict[int, list[MachineId]], limit: int) -> Constraint:
    match rule:
        case Budget():
            return replace(rule, machines=tuple(parts[0]), limit=limit)
        case Exclusion():
            names = sorted(rule.domains)
            return replace(rule, domains={names[part]: tuple(held) for part, held in parts.items()})
        case Order():
            return replace(rule, first=tuple(parts.get(0, ())), then=tuple(parts.get(1, ())))
    assert_never(rule)


def _heaviest(
    index: Index, machines: list[int], limit: Callable[[int], int]
) -> tuple[list[int], list[Constraint]]:
    """The budget that forces most waves, and those of the machines that stand in it; all of them if there is none."""
    budgets = [(rule, count) for rule, count in index.counts(machines).items() if index.is_budget[rule]]
    if not budgets:
        return machines, []
    heaviest, _ = max(budgets, key=lambda one: (one[1] / limit(one[0]), index.rules[one[0]].id))
    here = frozenset(machines)
    held = [machine for _, machine in index.parted(heaviest) if machine in here]
    return held, [_within(index.rules[heaviest], {0: [index.names[m] for m in held]}, limit(heaviest))]
