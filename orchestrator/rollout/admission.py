"""May this rollout grant this machine now? Everything that can say no, in one place."""

from __future__ import annotations

from datetime import datetime

from orchestrator.availability.ledger import Refusal, Reserved
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.holding import held_refusal
from orchestrator.rollout.hours import hours_refusal
from orchestrator.rollout.state import SETTLED, MachineStatus, Rollout, RolloutStatus, Scope, StageStatus
from orchestrator.rollout.stretches import is_beginning

MAX_IN_FLIGHT = "max_in_flight"
"""The name that a rollout's own limit on machines in flight goes by among constraints."""


def refusal(
    scope: Scope,
    rollout: Rollout,
    machine: int,
    reserved: Reserved | None = None,
    *,
    serves: bool = False,
    now: datetime | None = None,
) -> Refusal | None:
    """What stands in the way of granting `machine`, or None. `reserved` counts grants that are about to be asked for.

    `serves`: it was seen well just now, so that it can't be out already. `now` may be left out by who has asked the machine's
    calendar and its holds already: windows open and holds end by themselves, so nobody is parked behind them.
    Costs the machine's own constraints. The rollout's status and the open wave are asked first, since they need no words
    about other machines.
    """
    if rollout.status is not RolloutStatus.RUNNING:
        return Refusal("rollout", f"the rollout is {rollout.status}")
    if not eligible(rollout, machine):
        return Refusal("wave", "its wave is not open yet")
    if now is not None and (held := held_refusal(rollout, machine, now)) is not None:
        return held
    if now is not None and (closed := hours_refusal(rollout, machine, now)) is not None:
        return closed
    if is_full(rollout, reserved):
        limit = rollout.planned.plan.max_in_flight
        return Refusal(MAX_IN_FLIGHT, f"at most {limit} machines in flight in this rollout")
    for number in rollout.planned.orders_before.get(machine, ()):
        if _order_holds_back(rollout, number, rollout.planned.stage_of(machine)):
            order = rollout.planned.orders[number].order
            return Refusal(order.id, order.what)
    for stretch in rollout.planned.stretches.of.get(machine, ()):
        if is_beginning(rollout, stretch):
            what = f"the steps before {rollout.planned.title(stretch)} are not done yet"
            return Refusal(stretch_rule(stretch), what)
    if rollout.sick and not _repairs(scope, rollout, machine, serves=serves):
        for group in rollout.planned.machine(machine).groups:
            if group in rollout.sick:
                return _sick(rollout, group)
    identity = rollout.planned.machine(machine).id
    if not rollout.machines[machine].forced and scope.ledger.holds(rollout.id, identity):
        serves = True  # retried, and seen well since: what we did to it is over, and its place is for nobody else yet
    return scope.ledger.refusal(identity, reserved, serves=serves, restarts=restarts(rollout, machine))


def no_room_since(scope: Scope, rollout: Rollout, machine: int) -> Refusal | None:
    """What has no room any more for a machine that was granted and is to be sent a request now, or None.

    Between the two may lie its steps before, or hours in which no process ran: others may have gone out meanwhile. One that is
    out itself costs nothing more.
    """
    run = rollout.machines[machine]
    serves = not (run.broken or run.forced)
    return scope.ledger.refusal(
        rollout.planned.machine(machine).id, serves=serves, restarts=restarts(rollout, machine)
    )


def restarts(rollout: Rollout, machine: int) -> bool:
    """Whether the machine's change may take it down. One that a person wants changed whatever probes say may be down already."""
    stays = rollout.planned.machine(machine).stays_up and machine not in rollout.downed
    return not stays or rollout.machines[machine].forced


def _repairs(scope: Scope, rollout: Rollout, machine: int, *, serves: bool) -> bool:
    """Whether the machine is changed because it is out: it may be the very reason why its group isn't well."""
    if rollout.machines[machine].forced:
        return True
    planned = rollout.planned.machine(machine)
    return (
        not serves
        and planned.id in scope.ledger.others
        and rollout.planned.plan.health[planned.health].repair
    )


def stretch_rule(stretch: int) -> str:
    """The name that the steps before a wave, a stage or the rollout go by among constraints."""
    return f"steps_before:{stretch}"


def group_rule(group: int) -> str:
    """The name that a group's probe goes by among constraints."""
    return f"group_probe:{group}"


def _sick(rollout: Rollout, group: int) -> Refusal:
    asked, found = rollout.planned.plan.group_probes[group], rollout.sick[group]
    return Refusal(group_rule(group), f"its group {asked.name} isn't well: {found.evidence}")


def is_full(rollout: Rollout, reserved: Reserved | None = None) -> bool:
    """Whether as many machines are in flight, or about to be, as the rollout bears."""
    limit = rollout.planned.plan.max_in_flight
    about_to_be = len(reserved) if reserved is not None else 0
    return limit is not None and rollout.in_flight + about_to_be >= limit


def _order_holds_back(rollout: Rollout, number: int, stage: int) -> bool:
    """Whether machines of the same stage that an order wants before are not settled yet.

    The present stage's are counted as they settle; only a machine that is retried later than that needs a look at each.
    """
    if stage == rollout.stage:
        return bool(rollout.orders_left.get(number))
    first = rollout.planned.orders[number].first[stage]
    return any(rollout.machines[m].status not in SETTLED for m in first)


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
