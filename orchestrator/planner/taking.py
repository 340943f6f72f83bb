"""What each machine of a plan is expected to take, so that waves last as long as they probably do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.planner.durations import Duration, Durations
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.policy.model import Each

GOLDEN: Final = 0.6180339887498949
"""Multiples of it, without their whole part, fall evenly between nought and one: durations are dealt out in their order, so that
neither the first nor the last by name are always the slow ones."""


def takes_of(plan: Plan, durations: Durations) -> dict[MachineId, timedelta]:
    """What is to be expected of every machine that is changed: those of a wave fall evenly over what its class takes."""
    machines = {machine.id: machine for machine in plan.machines}
    known: dict[tuple[object, ...], Duration] = {}
    found: dict[MachineId, timedelta] = {}
    for lane in plan.lanes:
        for held in lane.waves:
            for machine, share in zip(held.machines, _shares(len(held.machines)), strict=True):
                planned = machines[machine]
                like = planned.kind, planned.os, planned.health, planned.around
                if like not in known:
                    known[like] = _takes(plan, planned, durations)
                found[machine] = known[like].quantile(share)
    return found


def _takes(plan: Plan, machine: PlannedMachine, durations: Durations) -> Duration:
    entries = (plan.around[place] for place in machine.around)
    around = [entry for entry in entries if entry.each is Each.MACHINE]
    return durations.of(plan.change, machine.kind, machine.os, plan.health[machine.health], around)


def _shares(count: int) -> Iterable[float]:
    """The quantiles (j + 1/2) / n, dealt out evenly."""
    order = sorted(range(count), key=lambda j: (j * GOLDEN) % 1)
    shares = [0.0] * count
    for rank, j in enumerate(order):
        shares[j] = (rank + 0.5) / count
    return shares
