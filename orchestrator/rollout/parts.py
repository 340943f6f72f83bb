"""Which request of its change a machine is at. A rollback is several, one after another under one grant; every other change is one."""

from __future__ import annotations

from orchestrator.policy.change import Simple, parts
from orchestrator.rollout.state import Rollout


def request_of(rollout: Rollout, machine: int) -> Simple:
    """What the machine's next request asks for, or the one that is under way."""
    found = parts(rollout.planned.plan.change, rollout.planned.machine(machine).id)
    return found[min(rollout.machines[machine].part, len(found) - 1)]


def has_more(rollout: Rollout, machine: int) -> bool:
    """Whether another request follows the one that is under way."""
    found = parts(rollout.planned.plan.change, rollout.planned.machine(machine).id)
    return rollout.machines[machine].part + 1 < len(found)
