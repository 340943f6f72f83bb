"""Constraints as the rules give them, before it is known which of them this plan needs.

A draft's content depends on the fleet and the policies alone, never on what is changed: two rollouts under one policy must come
to the same constraint with the same id, since they share its counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from orchestrator.availability.model import Budget, Exclusion, Order
from orchestrator.inventory.model import MachineId
from orchestrator.planner.groups import Groups, Scope
from orchestrator.planner.model import Warned
from orchestrator.policy import words
from orchestrator.policy.model import Origin


@dataclass(frozen=True, slots=True)
class DraftBudget:
    """A budget, with the group's name and, should it admit nobody, why."""

    budget: Budget
    group: str
    why: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """A group in which a rule comes to no constraint, and why. Without a name: the rule has no group at all.

    `asks`: a machine that a person must let go.
    """

    why: str
    group: str
    asks: MachineId | None = None


@dataclass(slots=True)
class Drafted:
    """What one rule came to."""

    rule: str  # for people
    origin: Origin
    budgets: list[DraftBudget] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    nothing: list[Nothing] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def warn(self, what: str) -> None:
        """Something that the plan's reader should know of this rule."""
        self.warnings.append(Warned(what, self.origin))

    def warn_of_outsiders(self, scope: Scope, groups: Groups, kinds: Iterable[str]) -> None:
        """Selected machines for which the rule doesn't hold, since they lack a tag that it divides by."""
        for kind, missing in groups.outside(scope, kinds).items():
            tag = words.group_kind(kind)
            self.warn(f"the rule doesn't hold for {machines(missing)} of {scope.name} without the {tag}")


def content_id(kind: str, *parts: Iterable[str]) -> str:
    """The id of a constraint: its kind and a digest of what it says, the same in every plan that holds it."""
    digest = sha256()
    for part in parts:
        digest.update("".join([f"{text}\n" for text in part]).encode())
        digest.update(b"\f")
    return f"{kind}:{digest.hexdigest()[:16]}"


def machines(count: int) -> str:
    """`1 machine`, `5 machines`."""
    return f"{count:,} machine" + ("" if count == 1 else "s")


def listed(ids: Iterable[MachineId], most: int = 3) -> str:
    """The names of a few machines: `web-1, web-2 and 5 more`."""
    names = [machine.rpartition("/")[2] for machine in ids]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
