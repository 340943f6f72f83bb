"""Which request of its change a machine is at. A rollback is several, one after another under one grant; every other change is one."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.policy.change import Patches, Simple, parts
from orchestrator.rollout.blocking import without_blocked
from orchestrator.rollout.state import Rollout


def request_of(rollout: Rollout, machine: int) -> Simple:
    """What the machine's next request asks for, or the one that is under way: without what people keep out.

    One that is to stay up has a `reboot` of its own; one that was found to restart after all has its place among those that do, and is
    let restart.
    """
    planned = rollout.planned.machine(machine)
    found = parts(rollout.planned.plan.change, planned.id)
    asked = found[min(rollout.machines[machine].part, len(found) - 1)]
    if not isinstance(asked, Patches):
        return asked
    left = without_blocked(asked, rollout.blocked)
    return (
        left if planned.reboot is None or machine in rollout.downed else replace(left, reboot=planned.reboot)
    )


def has_more(rollout: Rollout, machine: int) -> bool:
    """Whether another request follows the one that is under way."""
    found = parts(rollout.planned.plan.change, rollout.planned.machine(machine).id)
    return rollout.machines[machine].part + 1 < len(found)
