"""Who is out now, by us or by anyone else, and what every constraint has left.

One ledger a scope: a disruption counts in the constraints of every rollout that is registered, each machine once.
Constraints are keyed by their content, so two rollouts under one policy share a counter. A look-up costs the
machine's own constraints, whatever the size of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.availability.model import Budget, Constraint, Exclusion
from orchestrator.inventory.model import MachineId


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for one disruption. Closed when the machine was seen well, or by a named person."""

    rollout: str
    since: datetime
    restarts: bool = True  # False: the change keeps the machine up, so that it takes no place among restarts


@dataclass(slots=True)
class _Budget:
    rule: Budget
    taken: int = 0
    rollouts: set[str] = field(default_factory=set)
    joined: dict[MachineId, set[str]] = field(default_factory=dict)  # who counts besides, by whose word
    away: dict[MachineId, set[str]] = field(default_factory=dict)  # members that left, and count as out

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
        out = self.grants.keys() | self.others.keys()
        for rule in constraints:
            if isinstance(rule, Budget):
                self._register_budget(rollout, rule, out)
            elif isinstance(rule, Exclusion):
                self._register_exclusion(rollout, rule)

    def _register_budget(self, rollout: str, rule: Budget, out: set[MachineId]) -> None:
        known = self._budgets.get(rule.id)
        if known is None:
            known = self._budgets[rule.id] = _Budget(rule)
            for machine in rule.members:
                self._budgets_of.setdefault(machine, []).append(known)
            if out:
                known.taken = sum(self._counts(machine, rule) for machine in out.intersection(rule.members))
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
                for machine in (*budget.rule.members, *budget.joined):
                    self._budgets_of[machine].remove(budget)
            else:
                self._forget_moves(budget, rollout)
        for exclusion in [e for e in self._exclusions.values() if rollout in e.rollouts]:
            exclusion.rollouts.discard(rollout)
            if not exclusion.rollouts:
                del self._exclusions[exclusion.rule.id]
                for machine in exclusion.domain_of:
                    self._exclusions_of[machine].remove(exclusion)

    def move(
        self, rollout: str, machine: MachineId, joins: Iterable[str] = (), leaves: Iterable[str] = ()
    ) -> None:
        """A machine counts in these budgets from now on, and in those that it left as out: while `rollout` holds them.

        Only ever less room: limits stay as they were reviewed, however many members there are now.
        """
        for one in joins:
            budget = self._budgets[one]
            if machine not in budget.rule.members:
                if machine not in budget.joined:
                    self._budgets_of.setdefault(machine, []).append(budget)
                    budget.taken += self._counts(machine, budget.rule)
                budget.joined.setdefault(machine, set()).add(rollout)
        for one in leaves:
            budget = self._budgets[one]
            budget.taken += machine not in budget.away and not self._counts(machine, budget.rule)
            budget.away.setdefault(machine, set()).add(rollout)

    def _forget_moves(self, budget: _Budget, rollout: str) -> None:
        for machine in [m for m, by in budget.away.items() if by == {rollout}]:
            del budget.away[machine]
            budget.taken -= not self._counts(machine, budget.rule)
        for machine in [m for m, by in budget.joined.items() if by == {rollout}]:
            del budget.joined[machine]
            self._budgets_of[machine].remove(budget)
            budget.taken -= self._counts(machine, budget.rule)
        for by in (*budget.away.values(), *budget.joined.values()):
            by.discard(rollout)

    # What happens -------------------------------------------------------------------------------------------

    def is_out(self, machine: MachineId) -> bool:
        """Granted to somebody, or out of anyone's doing."""
        return machine in self.grants or machine in self.others

    def holds(self, rollout: str, machine: MachineId) -> bool:
        """Whether the machine's open disruption is this rollout's."""
        grant = self.grants.get(machine)
        return grant is not None and grant.rollout == rollout

    def grant(self, machine: MachineId, rollout: str, at: datetime, *, restarts: bool = True) -> None:
        """Open a disruption. One that is open already is replaced: it counts once, and is the new holder's to close."""
        was = self._standing(machine)
        again = machine in self.grants
        self.grants[machine] = Grant(rollout, at, restarts)
        if not again:
            for exclusion in self._exclusions_of.get(machine, ()):
                name = exclusion.domain_of[machine]
                exclusion.held[name] = exclusion.held.get(name, 0) + 1
        self._count(machine, was)

    def raise_to_restart(self, machine: MachineId, rollout: str) -> None:
        """The rollout's disruption, thought to keep the machine up, takes it down after all: it counts among restarts too."""
        grant = self.grants.get(machine)
        if grant is None or grant.rollout != rollout or grant.restarts:
            return
        was = self._standing(machine)
        self.grants[machine] = replace(grant, restarts=True)
        self._count(machine, was)

    def release(self, machine: MachineId, rollout: str) -> None:
        """Close this rollout's disruption; one that another rollout opened since stays as it is."""
        if not self.holds(rollout, machine):
            return
        was = self._standing(machine)
        del self.grants[machine]
        for exclusion in self._exclusions_of.get(machine, ()):
            name = exclusion.domain_of[machine]
            exclusion.held[name] -= 1
            if not exclusion.held[name]:
                del exclusion.held[name]
        self._count(machine, was)

    def mark_out(self, machine: MachineId, at: datetime) -> None:
        """Somebody or something else took the machine down."""
        was = self._standing(machine)
        self.others.setdefault(machine, at)
        self._count(machine, was)

    def mark_back(self, machine: MachineId) -> None:
        """It serves again."""
        was = self._standing(machine)
        if self.others.pop(machine, None) is not None:
            self._count(machine, was)

    def _standing(self, machine: MachineId) -> tuple[bool, bool]:
        """Whether the machine counts as out, and whether it counts among restarts. Whoever is out of others' doing does both."""
        grant = self.grants.get(machine)
        foreign = machine in self.others
        return grant is not None or foreign, foreign or (grant is not None and grant.restarts)

    def _counts(self, machine: MachineId, rule: Budget) -> bool:
        return self._standing(machine)[rule.restarts]

    def _count(self, machine: MachineId, was: tuple[bool, bool]) -> None:
        now = self._standing(machine)
        if now != was:
            for budget in self._budgets_of.get(machine, ()):
                if machine not in budget.away:
                    budget.taken += now[budget.rule.restarts] - was[budget.rule.restarts]

    # What may happen ----------------------------------------------------------------------------------------

    def refusal(
        self,
        machine: MachineId,
        reserved: Reserved | None = None,
        *,
        serves: bool = False,
        restarts: bool = True,
    ) -> Refusal | None:
        """Why this machine may not be granted now, or None. `reserved` counts what is about to ask as well.

        One that is out costs nothing more, unless it `serves`: it was seen well just now, whatever stands written of it, so that
        taking it down takes a place like anybody's. One that stays up (`restarts` False) takes no place among restarts.
        """
        for exclusion in self._exclusions_of.get(machine, ()):
            mine = exclusion.domain_of[machine]
            for name in exclusion.held:
                if name != mine:
                    return Refusal(exclusion.rule.id, exclusion.rule.what, mine)
            if reserved is not None and reserved.foreign_domain(exclusion.rule.id, mine):
                return Refusal(exclusion.rule.id, exclusion.rule.what, mine)
        for budget in self._budgets_of.get(machine, ()):
            on_record = self._counts(machine, budget.rule)
            if (on_record and not serves) or (budget.rule.restarts and not restarts):
                continue
            room = budget.room + on_record - (reserved.count(budget.rule.id) if reserved is not None else 0)
            if room <= 0:
                return Refusal(budget.rule.id, budget.rule.what)
        return None

    def holders(self, constraint: str) -> tuple[MachineId, ...]:
        """The machines of a constraint that are out now, sorted. Costs the constraint's size: for people, not for the loop."""
        if (budget := self._budgets.get(constraint)) is not None:
            members = sorted((*budget.rule.members, *budget.joined)) if budget.joined else budget.rule.members
            return tuple(m for m in members if m in budget.away or self._counts(m, budget.rule))
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

    def takes(self, machine: MachineId, *, restarts: bool) -> Iterator[str]:
        """The ids of the budgets of which a grant would take a place that the machine doesn't take yet."""
        for budget in self._budgets_of.get(machine, ()):
            spared = budget.rule.restarts and not restarts
            if not spared and not self._counts(machine, budget.rule):
                yield budget.rule.id

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
        self._taken: dict[MachineId, tuple[str, ...]] = {}
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

    def add(self, machine: MachineId, *, restarts: bool = True) -> None:
        """Reserve."""
        self._rules[machine] = tuple(self._ledger.rules_of(machine))
        self._taken[machine] = tuple(self._ledger.takes(machine, restarts=restarts))
        for rule, domain in self._rules[machine]:
            if domain is not None:
                held = self._domains.setdefault(rule, {})
                held[domain] = held.get(domain, 0) + 1
        for rule in self._taken[machine]:
            self._budgets[rule] = self._budgets.get(rule, 0) + 1

    def discard(self, machine: MachineId) -> tuple[str, ...]:
        """Give the reservation back; the constraints that have more room now."""
        rules = self._rules.pop(machine, ())
        for rule, domain in rules:
            if domain is not None:
                held = self._domains[rule]
                held[domain] -= 1
                if not held[domain]:
                    del held[domain]
        for rule in self._taken.pop(machine, ()):
            self._budgets[rule] -= 1
        return tuple(rule for rule, _ in rules)
