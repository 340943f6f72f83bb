"""May this rollout grant this machine now? Everything that can say no, in one place."""

from __future__ import annotations

from orchestrator.availability.ledger import Refusal, Reserved
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.state import SETTLED, MachineStatus, Rollout, RolloutStatus, Scope, StageStatus


def refusal(scope: Scope, rollout: Rollout, machine: int, reserved: Reserved | None = None) -> Refusal | None:
    """What stands in the way of granting `machine`, or None. `reserved` counts grants that are about to be asked for.

    Costs the machine's own constraints. The rollout's status and the open wave are asked first, since they need no words
    about other machines.
    """
    if rollout.status is not RolloutStatus.RUNNING:
        return Refusal("rollout", f"the rollout is {rollout.status}")
    if not eligible(rollout, machine):
        return Refusal("wave", "its wave is not open yet")
    limit = rollout.planned.plan.max_in_flight
    pending_grants = len(reserved) if reserved is not None else 0
    if limit is not None and rollout.in_flight + pending_grants >= limit:
        return Refusal("max_in_flight", f"at most {limit} machines in flight in this rollout")
    for number in rollout.planned.orders_before.get(machine, ()):
        if rollout.orders_left.get(number):
            order = rollout.planned.orders[number].order
            return Refusal(order.id, order.what)
    return scope.ledger.refusal(rollout.planned.machine(machine).id, reserved)


def holders(scope: Scope, rollout: Rollout, refused: Refusal) -> tuple[MachineId, ...]:
    """Who is in the way of a refusal, sorted: machines that are out, or that an order wants done before. For people."""
    for order in rollout.planned.orders:
        if order.order.id == refused.constraint:
            unsettled = [m for m in order.first[rollout.stage] if rollout.machines[m].status not in SETTLED]
            return tuple(rollout.planned.machine(m).id for m in unsettled)
    return scope.ledger.holders(refused.constraint)


def eligible(rollout: Rollout, machine: int) -> bool:
    """Whether the machine is pending in a wave that is open, or was retried after its wave had passed."""
    if rollout.machines[machine].status is not MachineStatus.PENDING:
        return False
    number = rollout.planned.lane_of[machine]
    if number < 0 or rollout.planned.lanes[number].stage > rollout.stage:
        return False
    if machine in rollout.stragglers:
        return True
    lane = rollout.lanes[number]
    in_time = (
        rollout.stage_status is StageStatus.OPEN and rollout.planned.lanes[number].stage == rollout.stage
    )
    return in_time and lane.open and rollout.planned.wave_of[machine] == lane.wave
