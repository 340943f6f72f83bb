"""The constraints of a plan by numbers: what everything that divides, bounds and packs works on.

A machine is its place in a sorted tuple, a constraint its place in another. Each machine holds its `places`: pairs of a
constraint and the *part* of it that the machine stands in. A budget has one part, an exclusion one for each domain, an
order two: FIRST and THEN. So one walk over places answers most questions, whatever the kind of the constraint.

Caps aren't here: admission keeps them while a rollout runs, and waves are planned without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId

FIRST: Final = 0
"""The part of an order whose machines come first."""

THEN: Final = 1
"""The part of an order whose machines come after."""

Parts = dict[int, list[int]]
"""Of one constraint: part -> the machines in it, sorted. Parts without any aren't there."""

View = dict[int, Parts]
"""Of some machines: constraint -> parts. Constraints that none of them stands in aren't there."""


class RuleKind(Enum):
    """The three kinds of constraint; comparing an enumeration is what the inner loops can afford."""

    EXCLUSION = 0
    ORDER = 1
    BUDGET = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """Constraints and the machines they are about, numbered.

    Constraints come outermost exclusion first, then orders, then budgets, so that a lower number means further out.
    """

    machines: tuple[MachineId, ...]  # sorted
    index: Mapping[MachineId, int]
    constraints: tuple[Constraint, ...]
    kinds: tuple[RuleKind, ...]
    limits: tuple[int, ...]  # of a budget; 1 for the others
    part_names: tuple[tuple[str, ...], ...]
    places: tuple[tuple[tuple[int, int], ...], ...]  # machine -> (constraint, part), sorted

    def level(self, constraint: int) -> int:
        """How far out an exclusion stands: the lower is the outer one."""
        rule = self.constraints[constraint]
        assert isinstance(rule, Exclusion)
        return rule.level

    def view(self, machines: Iterable[int]) -> View:
        """The constraints that these machines stand in, and which stand in which part."""
        found: View = {}
        for machine in machines:
            for constraint, part in self.places[machine]:
                parts = found.get(constraint)
                if parts is None:
                    parts = found[constraint] = {}
                members = parts.get(part)
                if members is None:
                    parts[part] = [machine]
                else:
                    members.append(machine)
        return dict(sorted(found.items()))

    def binds(self, constraint: int, parts: Parts) -> bool:
        """Whether the constraint keeps any of these machines from going all at once."""
        if self.kinds[constraint] is RuleKind.BUDGET:
            return len(parts[0]) > self.limits[constraint]
        return len(parts) > 1


def number(machines: Iterable[MachineId], constraints: Iterable[Constraint]) -> Rules:
    """Number the machines that a plan changes and the constraints among them. Other machines are of no concern here.

    A machine that isn't changed stands in no way: for a budget, its outage is the admission's to count; for an exclusion
    and an order, nothing is done to it.
    """
    ordered = tuple(sorted(machines))
    index = {machine: place for place, machine in enumerate(ordered)}
    kept = sorted((rule for rule in constraints if not _is_cap(rule)), key=_nesting)
    places: list[list[tuple[int, int]]] = [[] for _ in ordered]
    names: list[tuple[str, ...]] = []
    for constraint, rule in enumerate(kept):
        parts = _parts(rule)
        names.append(tuple(name for name, _ in parts))
        for part, (_, members) in enumerate(parts):
            for machine in members:
                place = index.get(machine)
                if place is not None:
                    places[place].append((constraint, part))
    return Rules(
        machines=ordered,
        index=index,
        constraints=tuple(kept),
        kinds=tuple(_kind(rule) for rule in kept),
        limits=tuple(rule.limit if isinstance(rule, Budget) else 1 for rule in kept),
        part_names=tuple(names),
        places=tuple(tuple(sorted(held)) for held in places),
    )


def members(rule: Constraint) -> Iterable[MachineId]:
    """Every machine that a constraint names."""
    return (machine for _, held in _parts(rule) for machine in held)


def _is_cap(rule: Constraint) -> bool:
    return isinstance(rule, Budget) and rule.cap


def _kind(rule: Constraint) -> RuleKind:
    match rule:
        case Exclusion():
            return RuleKind.EXCLUSION
        case Order():
            return RuleKind.ORDER
        case Budget():
            return RuleKind.BUDGET
    assert_never(rule)


def _nesting(rule: Constraint) -> tuple[int, int, str]:
    return (_kind(rule).value, rule.level if isinstance(rule, Exclusion) else 0, rule.id)


def _parts(rule: Constraint) -> Sequence[tuple[str, Sequence[MachineId]]]:
    match rule:
        case Exclusion():
            return sorted(rule.domains.items())
        case Order():
            return (("first", rule.first), ("then", rule.then))
        case Budget():
            return (("", rule.machines),)
    assert_never(rule)


def components(rules: Rules, machines: Sequence[int], view: View) -> list[list[int]]:
    """The machines that constraints join, directly or through others. Sorted, each by itself and by first machines.

    Only what binds joins: a budget of 5 over 4 of these machines keeps none of them from another.
    """
    above = {machine: machine for machine in machines}

    def top(machine: int) -> int:
        while above[machine] != machine:
            above[machine] = machine = above[above[machine]]
        return machine

    for constraint, parts in view.items():
        if not rules.binds(constraint, parts):
            continue
        root = -1
        for members in parts.values():
            for machine in members:
                found = top(machine)
                if root < 0:
                    root = found
                elif found != root:
                    above[found] = root
    joined: dict[int, list[int]] = {}
    for machine in sorted(machines):
        joined.setdefault(top(machine), []).append(machine)
    return list(joined.values())
