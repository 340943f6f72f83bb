"""Who is out now, by us or by anyone else, and what every constraint has left.

One ledger a scope: a disruption counts in the constraints of every rollout that is registered, each machine once.
Constraints are keyed by their content, so two rollouts under one policy share a counter. A look-up costs the
machine's own constraints, whatever the size of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.availability.model import Budget, Constraint, Exclusion
from orchestrator.inventory.model import MachineId


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for one disruption. Closed when the machine was seen well, or by a named person."""

    rollout: str
    since: datetime


@dataclass(slots=True)
class _Budget:
    rule: Budget
    taken: int = 0
    rollouts: set[str] = field(default_factory=set)

    @property
    def room(self) -> int:
        return self.rule.limit - self.taken


@dataclass(slots=True)
class _Exclusion:
    rule: Exclusion
    domain_of: dict[MachineId, str]
    held: dict[str, int] = field(default_factory=dict)  # domain -> grants open in it
    rollouts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a machine may not go down now: the constraint, by id and in words. `Ledger.holders` says who is in the way.

    `domain` is the machine's own in an exclusion: machines of other domains may stand behind the same exclusion and still
    be let through before it.
    """

    constraint: str
    what: str
    domain: str = ""


class Ledger:
    """The one count of what is down. Changed by `rollout.evolve` alone."""

    def __init__(self) -> None:
        self.grants: dict[MachineId, Grant] = {}
        self.others: dict[MachineId, datetime] = {}  # out, but not by us
        self.revision = 0  # of the set of rules: counts each rollout that brought or took some
        self._budgets: dict[str, _Budget] = {}
        self._exclusions: dict[str, _Exclusion] = {}
        self._budgets_of: dict[MachineId, list[_Budget]] = {}
        self._exclusions_of: dict[MachineId, list[_Exclusion]] = {}

    # What rules there are -----------------------------------------------------------------------------------

    def register(self, rollout: str, constraints: Iterable[Constraint]) -> None:
        """Hold these constraints while `rollout` is active; what is out already counts at once."""
        self.revision += 1
        for rule in constraints:
            if isinstance(rule, Budget):
                self._register_budget(rollout, rule)
            elif isinstance(rule, Exclusion):
                self._register_exclusion(rollout, rule)

    def _register_budget(self, rollout: str, rule: Budget) -> None:
        known = self._budgets.get(rule.id)
        if known is None:
            known = self._budgets[rule.id] = _Budget(rule)
            for machine in rule.machines:
                self._budgets_of.setdefault(machine, []).append(known)
            known.taken = sum(1 for m in rule.machines if self.is_out(m))
        known.rollouts.add(rollout)

    def _register_exclusion(self, rollout: str, rule: Exclusion) -> None:
        known = self._exclusions.get(rule.id)
        if known is None:
            domain_of = {m: name for name, members in rule.domains.items() for m in members}
            known = self._exclusions[rule.id] = _Exclusion(rule, domain_of)
            for machine, name in domain_of.items():
                self._exclusions_of.setdefault(machine, []).append(known)
                if machine in self.grants:
                    known.held[name] = known.held.get(name, 0) + 1
        known.rollouts.add(rollout)

    def unregister(self, rollout: str) -> None:
        """Forget the constraints that only this rollout held. Its open grants stay and go on counting."""
        self.revision += 1
        for budget in [b for b in self._budgets.values() if rollout in b.rollouts]:
            budget.rollouts.discard(rollout)
            if not budget.rollouts:
                del self._budgets[budget.rule.id]
                for machine in budget.rule.machines:
                    self._budgets_of[machine].remove(budget)
        for exclusion in [e for e in self._exclusions.values() if rollout in e.rollouts]:
            exclusion.rollouts.discard(rollout)
            if not exclusion.rollouts:
                del self._exclusions[exclusion.rule.id]
                for machine in exclusion.domain_of:
                    self._exclusions_of[machine].remove(exclusion)

    # What happens -------------------------------------------------------------------------------------------

    def is_out(self, machine: MachineId) -> bool:
        """Granted to somebody, or out of anyone's doing."""
        return machine in self.grants or machine in self.others

    def holds(self, rollout: str, machine: MachineId) -> bool:
        """Whether the machine's open disruption is this rollout's."""
        grant = self.grants.get(machine)
        return grant is not None and grant.rollout == rollout

    def grant(self, machine: MachineId, rollout: str, at: datetime) -> None:
        """Open a disruption. One that is open already is replaced: it counts once, and is the new holder's to close."""
        was_out = self.is_out(machine)
        again = machine in self.grants
        self.grants[machine] = Grant(rollout, at)
        if again:
            return
        for exclusion in self._exclusions_of.get(machine, ()):
            name = exclusion.domain_of[machine]
            exclusion.held[name] = exclusion.held.get(name, 0) + 1
        self._count(machine, was_out)

    def release(self, machine: MachineId, rollout: str) -> None:
        """Close this rollout's disruption; one that another rollout opened since stays as it is."""
        if not self.holds(rollout, machine):
            return
        del self.grants[machine]
        for exclusion in self._exclusions_of.get(machine, ()):
            name = exclusion.domain_of[machine]
            exclusion.held[name] -= 1
            if not exclusion.held[name]:
                del exclusion.held[name]
        self._count(machine, was_out=True)

    def mark_out(self, machine: MachineId, at: datetime) -> None:
        """Somebody or something else took the machine down."""
        was_out = self.is_out(machine)
        self.others.setdefault(machine, at)
        self._count(machine, was_out)

    def mark_back(self, machine: MachineId) -> None:
        """It serves again."""
        if self.others.pop(machine, None) is not None:
            self._count(machine, was_out=True)

    def _count(self, machine: MachineId, was_out: bool) -> None:
        change = self.is_out(machine) - was_out
        if change:
            for budget in self._budgets_of.get(machine, ()):
                budget.taken += change

    # What may happen ----------------------------------------------------------------------------------------

    def refusal(
        self, machine: MachineId, reserved: Reserved | None = None, *, serves: bool = False
    ) -> Refusal | None:
        """Why this machine may not be granted now, or None. `reserved` counts what is about to ask as well.

        One that is out costs nothing more, unless it `serves`: it was seen well just now, whatever stands written of it, so that
        taking it down takes a place like anybody's.
        """
        on_record = self.is_out(machine)
        for exclusion in self._exclusions_of.get(machine, ()):
            mine = exclusion.domain_of[machine]
            for name in exclusion.held:
                if name != mine:
                    return Refusal(exclusion.rule.id, exclusion.rule.what, mine)
            if reserved is not None and reserved.foreign_domain(exclusion.rule.id, mine):
                return Refusal(exclusion.rule.id, exclusion.rule.what, mine)
        for budget in self._budgets_of.get(machine, ()):
            if on_record and not serves:
                continue
            room = budget.room + on_record - (reserved.count(budget.rule.id) if reserved is not None else 0)
            if room <= 0:
                return Refusal(budget.rule.id, budget.rule.what)
        return None

    def holders(self, constraint: str) -> tuple[MachineId, ...]:
        """The machines of a constraint that are out now, sorted. Costs the constraint's size: for people, not for the loop."""
        if (budget := self._budgets.get(constraint)) is not None:
            return tuple(m for m in budget.rule.machines if self.is_out(m))
        if (exclusion := self._exclusions.get(constraint)) is not None:
            return tuple(sorted(m for m in exclusion.domain_of if m in self.grants))
        return ()

    def room(self, budget: str) -> int | None:
        """How many more machines of a budget may go out now; negative if too many are out. None: it is no budget."""
        known = self._budgets.get(budget)
        return known.room if known is not None else None

    def rules_of(self, machine: MachineId) -> Iterator[tuple[str, str | None]]:
        """The ids of the machine's constraints, each with its domain there (None for a budget)."""
        for exclusion in self._exclusions_of.get(machine, ()):
            yield exclusion.rule.id, exclusion.domain_of[machine]
        for budget in self._budgets_of.get(machine, ()):
            yield budget.rule.id, None

    def budgets(self) -> list[tuple[Budget, int]]:
        """Every budget with how much of it is taken, fullest first: for people."""
        rows = [(b.rule, b.taken) for b in self._budgets.values()]
        return sorted(rows, key=lambda row: (row[0].limit - row[1], row[0].id))

    def exclusions(self) -> list[tuple[Exclusion, tuple[str, ...]]]:
        """Every exclusion with the domains held in it now: for people."""
        rows = [(e.rule, tuple(sorted(e.held))) for e in self._exclusions.values()]
        return sorted(rows, key=lambda row: row[0].id)


class Reserved:
    """Machines that are being asked how they are, to be granted next: they count as if granted, until they are.

    Not a fact and not journaled: without it ten machines would be probed for one free place.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rules: dict[MachineId, tuple[tuple[str, str | None], ...]] = {}
        self._counted: set[MachineId] = set()
        self._budgets: dict[str, int] = {}
        self._domains: dict[str, dict[str, int]] = {}

    def __len__(self) -> int:
        """How many machines are reserved for."""
        return len(self._rules)

    def __contains__(self, machine: MachineId) -> bool:
        """Whether the machine is reserved for."""
        return machine in self._rules

    def machines(self) -> tuple[MachineId, ...]:
        """Who is reserved for, first come first."""
        return tuple(self._rules)

    def count(self, budget: str) -> int:
        """Places of a budget that are reserved."""
        return self._budgets.get(budget, 0)

    def foreign_domain(self, exclusion: str, mine: str) -> bool:
        """Whether another domain of an exclusion is reserved."""
        return any(name != mine for name in self._domains.get(exclusion, ()))

    def add(self, machine: MachineId) -> None:
        """Reserve."""
        rules = tuple(self._ledger.rules_of(machine))
        self._rules[machine] = rules
        counted = not self._ledger.is_out(machine)
        if counted:
            self._counted.add(machine)
        for rule, domain in rules:
            if domain is not None:
                held = self._domains.setdefault(rule, {})
                held[domain] = held.get(domain, 0) + 1
            elif counted:
                self._budgets[rule] = self._budgets.get(rule, 0) + 1

    def discard(self, machine: MachineId) -> tuple[str, ...]:
        """Give the reservation back; the constraints that have more room now."""
        rules = self._rules.pop(machine, ())
        counted = machine in self._counted
        self._counted.discard(machine)
        for rule, domain in rules:
            if domain is not None:
                held = self._domains[rule]
                held[domain] -= 1
                if not held[domain]:
                    del held[domain]
            elif counted:
                self._budgets[rule] -= 1
        return tuple(rule for rule, _ in rules)
