"""Which machines a change can't be made on, or isn't for, whatever rules say: each with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.inventory.model import Kind, Machine, MachineId, Os
from orchestrator.planner.enrolment import why_not
from orchestrator.policy.change import Change, Enrolment, Patches, Restart, Rollback, RunCommand
from orchestrator.topology.graph import Topology


def unfit(topology: Topology, machines: Iterable[MachineId], change: Change) -> dict[MachineId, str]:
    """Those of the machines that are left out, and why."""
    asked = map(topology.machine, machines)
    return {machine.id: why for machine in asked if (why := _why_not(machine, change))}


def _why_not(machine: Machine, change: Change) -> str:
    match change:
        case Patches() if machine.os is Os.UNKNOWN:
            return (
                "whether it runs Windows or Linux isn't known, and whoever asks Azure for patches has to say which; "
                "take the inventory again once Azure tells it"
            )
        case Restart() if machine.kind is not Kind.AZURE_VM:
            return "Azure restarts virtual machines of its own only; this one is restarted by its updates or by a script"
        case Restart(only_pending=True):
            return _not_pending(machine)
        case RunCommand(script=script) if machine.kind is not Kind.AZURE_VM:
            return f"the script {script.file} is run on Azure's own virtual machines alone, for now"
        case RunCommand(script=script, os=wanted) if machine.os is not wanted:
            runs = (
                "nobody knows what this machine runs" if machine.os is Os.UNKNOWN else f"it runs {machine.os}"
            )
            return f"the script {script.file} is for {wanted}, and {runs}"
        case Rollback() if machine.kind is not Kind.AZURE_VM:
            return "a rollback restarts the machine, and Azure restarts virtual machines of its own only"
        case Enrolment() if change.of(machine.id) is None:
            return (
                "nothing is to be set on it"
                if change.undoes
                else why_not(machine) or "it is enrolled already"
            )
        case _:
            return ""


def _not_pending(machine: Machine) -> str:
    match machine.patches.reboot_pending:
        case True:
            return ""
        case False:
            return "no restart is pending on it"
        case _:
            return "nobody knows whether a restart is pending on it, since it was never assessed"
