"""The constraints of a plan by numbers: what everything that divides, bounds and packs works on.

Machines that stand in the same places are of one *class*, and are numbered as one; `sizes` says how many they are. A constraint
is its place in a tuple. Each class holds its `places`: pairs of a constraint and the *part* of it that its machines stand in. A
budget has one part, an exclusion one for each domain, an order two: FIRST and THEN. So one walk over places answers most
questions, whatever the kind of the constraint.

Caps aren't here: admission keeps them while a rollout runs, and waves are planned without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Final, Protocol, assert_never

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId

FIRST: Final = 0
"""The part of an order whose machines come first."""

THEN: Final = 1
"""The part of an order whose machines come after."""

Parts = dict[int, list[int]]
"""Of one constraint: part -> the classes in it, sorted. Parts without any aren't there."""

View = dict[int, Parts]
"""Of some classes: constraint -> parts. Constraints that none of them stands in aren't there."""


class RuleKind(Enum):
    """The three kinds of constraint; comparing an enumeration is what the inner loops can afford."""

    EXCLUSION = 0
    ORDER = 1
    BUDGET = 2


class PartNames(Protocol):
    """Of each constraint the names of its parts."""

    def __getitem__(self, constraint: int, /) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Constraints and the classes of machines they are about, numbered.

    Constraints come outermost exclusion first, then orders, then budgets, so that a lower number means further out.
    `constraints`, `part_names` and `machines` (one of each class) are for people; what is computed depends on the rest.
    """

    machines: tuple[MachineId, ...]
    sizes: tuple[int, ...]
    places: tuple[tuple[tuple[int, int], ...], ...]  # class -> (constraint, part), sorted
    kinds: tuple[RuleKind, ...]
    limits: tuple[int, ...]  # of a budget; 1 for the others
    levels: tuple[
        int, ...
    ]  # of an exclusion, how far out it stands: the lower is the outer one; 0 for the others
    constraints: tuple[Constraint, ...]
    part_names: PartNames

    def view(self, classes: Iterable[int]) -> View:
        """The constraints that these classes stand in, and which stand in which part."""
        found: View = {}
        places = self.places
        for one in classes:
            for constraint, part in places[one]:
                parts = found.get(constraint)
                if parts is None:
                    parts = found[constraint] = {}
                members = parts.get(part)
                if members is None:
                    parts[part] = [one]
                else:
                    members.append(one)
        return dict(sorted(found.items()))

    def count(self, classes: Iterable[int]) -> int:
        """How many machines these are."""
        return sum(map(self.sizes.__getitem__, classes))

    def binds(self, constraint: int, parts: Parts) -> bool:
        """Whether the constraint keeps any of these machines from going all at once."""
        if self.kinds[constraint] is RuleKind.BUDGET:
            members, limit = parts[0], self.limits[constraint]
            return len(members) > limit or self.count(members) > limit
        return len(parts) > 1


def number(machines: Iterable[MachineId], constraints: Iterable[Constraint]) -> Rules:
    """Number the machines that a plan changes, each by itself, and the constraints among them; the lower number is the more urgent machine.

    Other machines are of no concern: for a budget, their outage is the admission's to count; for an exclusion and an order,
    nothing is done to them. For a whole fleet see `shapes`.
    """
    ordered = tuple(machines)
    index = {machine: place for place, machine in enumerate(ordered)}
    kept = numbered(constraints)
    places: list[list[tuple[int, int]]] = [[] for _ in ordered]
    for constraint, rule in enumerate(kept):
        for part, (_, held) in enumerate(parts_of(rule)):
            for machine in held:
                place = index.get(machine)
                if place is not None:
                    places[place].append((constraint, part))
    return Rules(
        machines=ordered,
        sizes=(1,) * len(ordered),
        places=tuple(tuple(sorted(held)) for held in places),
        kinds=tuple(map(kind_of, kept)),
        limits=tuple(map(limit_of, kept)),
        levels=tuple(map(level_of, kept)),
        constraints=tuple(kept),
        part_names=tuple(tuple(name for name, _ in parts_of(rule)) for rule in kept),
    )


def numbered(constraints: Iterable[Constraint]) -> list[Constraint]:
    """The constraints that waves are planned around, in the order of their numbers: no caps."""
    kept = list(constraints)
    by_id = attrgetter("id")
    return [
        *sorted((rule for rule in kept if isinstance(rule, Exclusion)), key=attrgetter("level", "id")),
        *sorted((rule for rule in kept if isinstance(rule, Order)), key=by_id),
        *sorted((rule for rule in kept if isinstance(rule, Budget) and not rule.cap), key=by_id),
    ]


def members(rule: Constraint) -> Iterable[MachineId]:
    """Every machine that a constraint keeps from going along with others."""
    return (machine for _, held in parts_of(rule) for machine in held)


def named(rule: Constraint) -> Iterable[MachineId]:
    """Every machine that a constraint names: those that a budget of restarts spares, too."""
    return rule.members if isinstance(rule, Budget) else members(rule)


def kind_of(rule: Constraint) -> RuleKind:
    """Which of the three it is."""
    match rule:
        case Exclusion():
            return RuleKind.EXCLUSION
        case Order():
            return RuleKind.ORDER
        case Budget():
            return RuleKind.BUDGET
    assert_never(rule)


def limit_of(rule: Constraint) -> int:
    """How many of its machines may go at once, of a budget."""
    return rule.limit if isinstance(rule, Budget) else 1


def level_of(rule: Constraint) -> int:
    """How far out an exclusion stands."""
    return rule.level if isinstance(rule, Exclusion) else 0


def parts_of(rule: Constraint) -> Sequence[tuple[str, Sequence[MachineId]]]:
    """Its parts in the order of their numbers, with their names."""
    match rule:
        case Exclusion():
            return sorted(rule.domains.items())
        case Order():
            return (("first", rule.first), ("then", rule.then))
        case Budget():
            return (("", rule.machines),)
    assert_never(rule)


def components(rules: Rules, machines: Sequence[int], view: View) -> list[list[int]]:
    """The classes that constraints join, directly or through others. Sorted, each by itself and by first classes.

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
