"""What people call a machine."""

from __future__ import annotations

from orchestrator.inventory.model import MachineId
from orchestrator.rollout.state import Rollout, Scope


def called(scope: Scope, rollout: Rollout, machine: MachineId) -> str:
    """A machine's name; with its rollout where that is another than the one that is spoken of."""
    name = machine.rsplit("/", 1)[-1]
    grant = scope.ledger.grants.get(machine)
    return name if grant is None or grant.rollout == rollout.id else f"{name} of {grant.rollout}"


def called_for(typed: str) -> str:
    """What a person typed, as machines' ids and names are compared with it."""
    return typed.strip().rstrip("/").lower()
