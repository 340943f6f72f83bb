"""Machines whose windows are never open for as long as their change may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from orchestrator.inventory.model import MachineId
from orchestrator.planner.durations import Durations
from orchestrator.planner.model import AroundSteps, LeftOut
from orchestrator.policy import words
from orchestrator.policy.effective import settle
from orchestrator.policy.hours import machine_zone
from orchestrator.policy.model import Change, Each, Policy
from orchestrator.policy.windows import Calendar, ever_open
from orchestrator.topology.graph import Topology


def never_in_time(
    topology: Topology,
    policies: Sequence[Policy],
    machines: Iterable[MachineId],
    change: Change,
    durations: Durations,
) -> dict[MachineId, LeftOut]:
    """Those of the machines that could never be begun, with the windows that are to blame.

    Raises:
        PolicyError: if policies contradict each other on these machines.
    """
    if not any(policy.windows for policy in policies):
        return {}
    held = settle(map(topology.machine, machines), policies)
    reasons: dict[tuple[int, str | None, timedelta], str] = {}
    found = {}
    for identity, effective in held.items():
        machine, hours = topology.machine(identity), effective.hours
        around = [
            AroundSteps(entry.before, entry.after) for entry in effective.around if entry.each is Each.MACHINE
        ]
        takes = durations.of(change, machine.kind, machine.os, effective.health, around).late
        key = id(effective), machine_zone(machine), takes
        if key not in reasons:
            reasons[key] = _reason(Calendar(hours.of(machine).windows), takes) if hours.windows else ""
        if reasons[key]:
            found[identity] = LeftOut(identity, reasons[key])
    return found


def _reason(calendar: Calendar, takes: timedelta) -> str:
    """Why a change that takes so long never fits; empty if it does."""
    if ever_open(calendar, takes):
        return ""
    where = " and ".join(str(windows[0].origin) for windows in calendar.windows)
    return (
        f"its change may take {words.duration(takes)}, and its windows are never open for so long ({where})"
    )
