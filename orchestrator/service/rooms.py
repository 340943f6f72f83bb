"""Who holds what: every rule that counts now, how much of it is taken, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.inventory.model import MachineId
from orchestrator.rollout.state import Scope

_TOLD = 50
"""Holders that are named; more would be read by nobody."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A machine that takes a place: by whose grant (empty: nobody's), since when, and as what."""

    name: str
    rollout: str
    since: datetime | None
    status: str


@dataclass(frozen=True, slots=True)
class Headroom:
    """A rule that counts: of `size` machines `taken` are out, of `limit` that may be. `holders` are some of them, `held` is all.

    An exclusion has the limit 1, and takes it while a domain has its turn: `domains` names it.
    """

    id: str
    kind: str  # budget or exclusion
    what: str
    origin: str
    taken: int
    limit: int
    size: int
    cap: bool
    domains: tuple[str, ...]
    held: int
    holders: tuple[Holder, ...]

    @property
    def room(self) -> int:
        """How many more may go out; below 0: too many are."""
        return self.limit - self.taken


def headroom(scope: Scope) -> tuple[Headroom, ...]:
    """Every rule of every rollout that goes on: those without room first, then the fullest, those that nobody takes of last."""
    found = []
    for budget, taken in scope.ledger.budgets():
        held = scope.ledger.holders(budget.id) if taken else ()
        found.append(
            Headroom(
                budget.id,
                "budget",
                budget.what,
                str(budget.origin),
                taken,
                budget.limit,
                len(budget.machines),
                budget.cap,
                (),
                len(held),
                _holders(scope, held),
            )
        )
    for exclusion, domains in scope.ledger.exclusions():
        held = scope.ledger.holders(exclusion.id) if domains else ()
        found.append(
            Headroom(
                exclusion.id,
                "exclusion",
                exclusion.what,
                str(exclusion.origin),
                len(domains),
                1,
                sum(map(len, exclusion.domains.values())),
                False,
                domains,
                len(held),
                _holders(scope, held),
            )
        )
    return tuple(sorted(found, key=lambda x: (not x.taken, x.room, -x.taken, x.what, x.id)))


def _holders(scope: Scope, machines: Sequence[MachineId]) -> tuple[Holder, ...]:
    return tuple(_holder(scope, machine) for machine in machines[:_TOLD])


def _holder(scope: Scope, machine: MachineId) -> Holder:
    name = machine.rsplit("/", 1)[-1]
    grant = scope.ledger.grants.get(machine)
    if grant is None:
        return Holder(name, "", scope.ledger.others.get(machine), "out, not by us")
    rollout = scope.rollouts.get(grant.rollout)
    if rollout is not None:
        return Holder(
            name, grant.rollout, grant.since, str(rollout.machines[rollout.planned.index[machine]].status)
        )
    left = next((one for one in scope.ended[grant.rollout].left.values() if one.machine == machine), None)
    return Holder(name, grant.rollout, grant.since, str(left.status) if left is not None else "")
