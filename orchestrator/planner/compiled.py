"""What compiling policies gives: constraints, and everything that a person should know of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.availability.model import Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Warned
from orchestrator.policy.model import Origin


@dataclass(frozen=True, slots=True)
class Frozen:
    """A group that admits nobody even when all its machines are healthy. `machines` are those that would have been changed.

    `constraint` is the id of the budget that would have held; it is not among the constraints, since none of its machines moves.
    """

    group: str  # for people: "availability set as-web"
    constraint: str
    machines: tuple[MachineId, ...]  # sorted
    why: str  # a clause: "1 of 3 can't be read and counts as out, and at most 1 may be out"
    origin: Origin


@dataclass(frozen=True, slots=True)
class Alone:
    """A machine that is alone in a group of which some must serve, and that a person may let go (`singletons: approve`)."""

    machine: MachineId
    origin: Origin


@dataclass(frozen=True, slots=True)
class Dropped:
    """Groups in which a rule says nothing to this plan, and why. One entry for each rule and reason.

    A rule that has no group at all, since it is about no machine, has 0 of 0.
    """

    rule: str  # for people: "one zone at a time within region"
    why: str
    groups: int
    origin: Origin
    of: int = 0  # groups that the rule has in all
    such_as: tuple[str, ...] = ()  # a few of the groups, by name


@dataclass(frozen=True, slots=True)
class Compiled:
    """The constraints of one plan, sorted by id, with what was left out of them."""

    constraints: tuple[Constraint, ...]
    frozen: tuple[Frozen, ...]
    warnings: tuple[Warned, ...]
    dropped: tuple[Dropped, ...]
    rules: Mapping[Origin, str]  # every rule in words, by where it is written
    alone: tuple[Alone, ...] = ()  # of those that move; by rule, then machine
