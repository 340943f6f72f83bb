"""Whom a decision was about, for those that count the same machines: the other rollouts of a scope."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.inventory.model import MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Rollout


def machines_of(rollout: Rollout, facts: Iterable[e.Event]) -> tuple[MachineId, ...]:
    """The machines that these facts name, each once, in the order of the facts."""
    found: dict[MachineId, None] = {}
    for fact in facts:
        if isinstance(fact, e.FleetSeen):
            named: Iterable[int] = (*fact.out, *fact.back)
        elif isinstance(fact, e.Prepared):
            named = fact.out
        else:
            machine = getattr(fact, "machine", -1)
            named = (machine,) if machine >= 0 else ()
        found.update((rollout.planned.machine(index).id, None) for index in named)
    return tuple(found)
