"""Who else patches these machines: Azure by itself, Windows by itself, or a schedule; and who may replace one that restarts.

A rollout that patches in waves is worth nothing where another hand patches the same machines at will. By settings
(Azure Update Manager, "prerequisites for schedule patching"; facts of automatic VM guest patching):

- `AutomaticByPlatform` without `bypassPlatformSafetyChecksOnUserSchedule`: Azure patches within 30 days, at off-peak hours;
- `AutomaticByPlatform` with it: nobody but whoever is asked to; a maintenance configuration that reaches it, if there is one;
- `AutomaticByOS`: Windows Update, at its own hours;
- `Manual`, `ImageDefault`: not Azure, though a Linux image may bring its own, which nobody can see from outside;
- Arc machines have no patch mode that matters here: a maintenance configuration patches them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from orchestrator.inventory import ids
from orchestrator.inventory.model import Inventory, Kind, Machine, MachineId, Orchestration

PLATFORM: Final = "automaticbyplatform"
BY_OS: Final = "automaticbyos"
_TOLD: Final = 3


class Hand(StrEnum):
    """Who patches a machine besides us, or may delete it."""

    AZURE = "azure"
    WINDOWS = "windows"
    SCHEDULE = "schedule"
    REPAIR = "repair"  # patches nobody: it deletes and makes anew


@dataclass(frozen=True, slots=True)
class Underneath:
    """Machines under one hand. `by` is the maintenance configuration, or the scale set that repairs; else empty."""

    hand: Hand
    machines: tuple[Machine, ...]
    by: str = ""

    @property
    def what(self) -> str:
        """What happens to them, and what to set, in one sentence."""
        who = _who(self.machines)
        match self.hand:
            case Hand.AZURE:
                return (
                    f"Azure patches {who} by itself as well (patchMode AutomaticByPlatform): set "
                    "bypassPlatformSafetyChecksOnUserSchedule to true, as `wavekeeper enrol` does"
                )
            case Hand.WINDOWS:
                return (
                    f"Windows patches {who} by itself as well (patchMode AutomaticByOS): set patchMode to AutomaticByPlatform and "
                    "bypassPlatformSafetyChecksOnUserSchedule to true, as `wavekeeper enrol` does"
                )
            case Hand.SCHEDULE:
                return (
                    f"maintenance configuration {ids.name_of(self.by)} patches {who} at its own hours as well: take them out of it "
                    "(`az maintenance assignment delete`, or its dynamic scope)"
                )
            case Hand.REPAIR:
                return (
                    f"automatic repairs of scale set {ids.name_of(self.by)} may delete {who} while restarting: suspend them for the "
                    "rollout (`az vmss set-orchestration-service-state --service-name AutomaticRepairs --action Suspend`)"
                )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "hand": self.hand.value,
            "by": self.by or None,
            "machines": [machine.id for machine in self.machines],
            "what": self.what,
        }


def underneath(inventory: Inventory, among: Collection[MachineId] | None = None) -> tuple[Underneath, ...]:
    """Every hand on these machines (all, unless `among` says which), in a fixed order. A machine may be under several."""
    held = [m for m in inventory.machines if among is None or m.id in among]
    found: dict[tuple[Hand, str], list[Machine]] = {}
    repairing = {
        one.id
        for one in inventory.scale_sets
        if one.automatic_repairs and one.orchestration is not Orchestration.UNIFORM
    }
    for machine in held:
        for hands in hands_on(machine):
            found.setdefault(hands, []).append(machine)
        if machine.scale_set in repairing and machine.scale_set is not None:
            found.setdefault((Hand.REPAIR, machine.scale_set), []).append(machine)
    order = list(Hand)
    keys = sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    return tuple(Underneath(key[0], tuple(found[key]), key[1]) for key in keys)


def hands_on(machine: Machine) -> Iterable[tuple[Hand, str]]:
    """Who patches one machine besides us, each with the configuration that makes it so."""
    mode = machine.patch_mode.lower()
    if machine.kind is Kind.AZURE_VM:
        if mode == BY_OS:
            yield Hand.WINDOWS, ""
            return
        if mode != PLATFORM:
            return
        if not machine.patch_settings.bypasses_safety_checks:
            if not machine.schedules:  # with one, Azure does neither: "prerequisites aren't met"
                yield Hand.AZURE, ""
            return
    for configuration in machine.schedules or ():
        yield Hand.SCHEDULE, configuration


def _who(machines: tuple[Machine, ...]) -> str:
    """`web-01`, or `12 machines (web-01, web-02, web-03 and 9 more)`."""
    names = sorted(machine.name for machine in machines)
    if len(names) == 1:
        return names[0]
    more = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
    return f"{len(names):,} machines ({', '.join(names[:_TOLD])}{more})"
