"""From what is assumed to what happens in one run: drawn for each machine by itself, from the seed and its id.

So a machine has the same fate under one seed whatever the policies are, and two sets of them can be compared run by run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchestrator.assumptions.model import OFF_WITHIN, RESTARTS, Assumed, Settled, Spread
from orchestrator.emulator.chance import OUTAGE, SHUTDOWN, WARM_UP, WRAP_UP, portion, stream
from orchestrator.emulator.faults import (
    Fault,
    GoesOff,
    InstallFails,
    InstallNeverEnds,
    StaysOut,
    Unhealthy,
)
from orchestrator.emulator.tempo import Tempo
from orchestrator.inventory.model import Inventory, Machine, MachineId
from orchestrator.planner.durations import INSTALLED, Duration, Source
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Patches, Restart

LATER: Final = Spread(timedelta(hours=1), timedelta(hours=6))
"""When an application that fails late does so, where nobody says."""

_SHORTEST: Final = timedelta(seconds=30)
"""No installation and no restart is over sooner."""

_EDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Drawn:
    """One run's chance: what strikes whom, how long each machine takes, how long each stage waits for its approval."""

    faults: tuple[Fault, ...]
    tempos: Mapping[MachineId, Tempo]
    answers: Mapping[str, timedelta]


def draw(plan: Plan, fleet: Inventory, settled: Settled, approvals: Spread | None, seed: int) -> Drawn:
    """Everything that chance has to say about a run."""
    changed = {machine.id for machine in plan.machines if machine.change}
    faults: list[Fault] = []
    tempos = {}
    for machine in fleet.machines:
        assumed = settled.of(machine.id)
        faults += _outages(machine, assumed, seed)
        if machine.id in changed:
            faults += _outcome(machine, assumed, seed)
            tempos[machine.id] = _tempo(machine, assumed, plan, seed)
    waits = [gate.name for gate in plan.stages if gate.approve]
    answers = {name: _length(approvals, seed, "approval", name) for name in waits if approvals is not None}
    return Drawn(tuple(faults), tempos, answers)


# What strikes ---------------------------------------------------------------------------------------------------


def _outcome(machine: Machine, assumed: Assumed, seed: int) -> Iterator[Fault]:
    """What becomes of the change: one thing at most goes wrong with it."""
    whom = (machine.id,)
    recovers = _maybe(assumed.unhealthy_for, seed, "unhealthy for", machine.id)
    left = portion(seed, "outcome", machine.id)
    if (left := left - (assumed.install_fails or 0.0)) < 0:
        yield InstallFails(machines=whom)
    elif (left := left - (assumed.install_hangs or 0.0)) < 0:
        yield InstallNeverEnds(machines=whom)
    elif (left := left - (assumed.stays_down or 0.0)) < 0:
        yield StaysOut(machines=whom, recovers_after=recovers)
    elif (left := left - (assumed.comes_back_unhealthy or 0.0)) < 0:
        yield Unhealthy(machines=whom, recovers_after=recovers)
    elif left - (assumed.fails_late or 0.0) < 0:
        delay = _length(assumed.fails_late_after or LATER, seed, "fails late after", machine.id)
        yield Unhealthy(machines=whom, recovers_after=recovers, delay=delay)


def _outages(machine: Machine, assumed: Assumed, seed: int) -> Iterator[Fault]:
    """What somebody else does to the machine."""
    if portion(seed, "goes off", machine.id) < (assumed.goes_off or 0.0):
        within = assumed.goes_off_within or OFF_WITHIN
        at = timedelta(seconds=round(within.total_seconds() * portion(seed, "goes off at", machine.id)))
        off_for = _maybe(assumed.off_for, seed, "off for", machine.id)
        yield GoesOff.model_validate({"machines": (machine.id,), "at": at, "for": off_for})


# How long things take -------------------------------------------------------------------------------------------


def _tempo(machine: Machine, assumed: Assumed, plan: Plan, seed: int) -> Tempo:
    """As assumed; what isn't is made up so that the change as a whole takes as long as the plan expects."""
    share = RESTARTS if assumed.reboots is None else assumed.reboots
    needs_restart = portion(seed, "reboots", machine.id) < share
    chance = stream(seed, machine.id, "tempo")
    usual_outage, usual_warm_up, wrap_up, shutdown = (
        span.draw(chance) for span in (OUTAGE, WARM_UP, WRAP_UP, SHUTDOWN)
    )
    warm_up = _maybe(assumed.warm_up_takes, seed, "warm up", machine.id) or usual_warm_up
    outage = _maybe(assumed.reboot_takes, seed, "reboot", machine.id)
    whole = _spread(_expected(machine, plan, needs_restart=needs_restart), seed, "change", machine.id)
    if isinstance(plan.change, Restart):
        outage = outage or max(whole - warm_up - shutdown, _SHORTEST)
        return Tempo(restarts=outage, warms_up=warm_up, needs_restart=needs_restart)
    outage = outage or usual_outage
    around = outage + wrap_up + warm_up if needs_restart else timedelta(0)
    installs = _maybe(assumed.install_takes, seed, "install", machine.id) or max(whole - around, _SHORTEST)
    return Tempo(installs=installs, restarts=outage, warms_up=warm_up, needs_restart=needs_restart)


def _expected(machine: Machine, plan: Plan, *, needs_restart: bool) -> Duration:
    """What the plan expects of the change. What it assumes of patches is for those that restart; of others less is known to be enough."""
    assumed = plan.durations.source(plan.change, machine.kind, machine.os) is Source.ASSUMED
    if assumed and isinstance(plan.change, Patches) and not needs_restart:
        return INSTALLED
    return plan.durations.of_class(plan.change, machine.kind, machine.os)


def _maybe(spread: Spread | None, seed: int, *whose: str) -> timedelta | None:
    return None if spread is None else _length(spread, seed, *whose)


def _length(spread: Spread, seed: int, *whose: str) -> timedelta:
    return _spread(Duration(spread.median, spread.late), seed, *whose)


def _spread(duration: Duration, seed: int, *whose: str) -> timedelta:
    """One length. Log-normal, as everywhere where a median and what 19 of 20 stay below are known."""
    share = min(max(portion(seed, "length", *whose), _EDGE), 1 - _EDGE)
    return max(duration.quantile(share), timedelta(seconds=1))
