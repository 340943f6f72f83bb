"""What a rollout installed, machine by machine, and what of it can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.policy.words import counted
from orchestrator.rollout.judge import NOTHING
from orchestrator.rollout.patch_results import PatchState, installed_kbs, read
from orchestrator.rollout.state import MachineRun, Rollout


@dataclass(frozen=True, slots=True)
class TakenBack:
    """KBs of each machine on which the rollout installed any, and whom that leaves aside, with the reason: machines by name."""

    installed: Mapping[MachineId, tuple[str, ...]]
    left: tuple[tuple[str, str], ...]


def what_can_be_taken_back(rollout: Rollout, only: Collection[str] | None = None) -> TakenBack:
    """Only machines that this rollout changed, by the results of its own installations; of these KBs `only`, if any are named.

    Raises:
        Refused: if there is nothing to take back, or some of it is still under way.
    """
    if rollout.in_flight:
        raise Refused(
            f"{counted(rollout.in_flight, 'machine')} of {rollout.id} are under way still; pause it and wait, then roll back: "
            f"wavekeeper pause {rollout.id} --reason ..."
        )
    installed: dict[MachineId, tuple[str, ...]] = {}
    left: list[tuple[str, str]] = []
    for index, run in enumerate(rollout.machines):
        machine = rollout.planned.machine(index)
        kbs = installed_kbs(rollout.patches[run.patches]) if run.patches >= 0 else ()
        if only is not None:
            kbs = tuple(kb for kb in kbs if kb in only)
        if kbs:
            installed[machine.id] = kbs
        elif only is None and (why := _why_not(rollout, run)):
            left.append((machine.name, why))
    if not installed:
        told = "; ".join(f"{name}: {why}" for name, why in left[:5])
        what = "nothing" if only is None else f"no {', '.join(f'KB{kb}' for kb in sorted(only))}"
        raise Refused(
            f"{rollout.id} has installed {what} that can be taken back" + (f": {told}" if told else "")
        )
    return TakenBack(installed, tuple(left))


def _why_not(rollout: Rollout, run: MachineRun) -> str:
    """Why a machine isn't rolled back on which something may have been installed; empty where nothing was."""
    if run.patches >= 0:
        there = [one for one in read(rollout.patches[run.patches]) if one.state is PatchState.INSTALLED]
        return "it has no KB to be uninstalled: packages aren't taken back" if there else ""
    if run.changed and run.attempt and not run.detail.startswith(NOTHING):
        return "nobody told what was installed on it, update by update"
    return ""
