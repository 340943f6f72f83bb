"""What is told of patching: the summaries of an instance view, and the patches that an assessment lists."""

from __future__ import annotations

from datetime import datetime

from orchestrator.emulator.catalogue import Patch
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.software import outstanding
from orchestrator.emulator.state import Json, MachineState, Operation


def assess(
    machine: MachineState, activity: str, started: datetime, now: datetime, calendar: Calendar
) -> None:
    """Let a machine be assessed: what is found, and `availablePatchSummary` as an assessment leaves it."""
    machine.found = pending = outstanding(machine.software, now, calendar)
    important = sum(patch.classification in {"Critical", "Security"} for patch in pending)
    machine.assessment = {
        "status": "Succeeded",
        "assessmentActivityId": activity,
        "rebootPending": machine.reboot_pending,
        "criticalAndSecurityPatchCount": important,
        "otherPatchCount": len(pending) - important,
        "startTime": stamp(started),
        "lastModifiedTime": stamp(now),
        "error": {"details": [], "code": "Success", "message": "0 error/s reported"},
    }


def installation_summary(operation: Operation, result: Json, now: datetime) -> Json:
    """`lastPatchInstallationSummary` of a run that goes on, or of one that ended with `result`."""
    running = operation.ended is None
    summary: Json = {
        "status": "InProgress" if running else result.get("status", "Unknown"),
        "installationActivityId": operation.id,
        "maintenanceWindowExceeded": not running and bool(result.get("maintenanceWindowExceeded")),
        "startTime": stamp(operation.started),
        "lastModifiedTime": stamp(now if running else operation.ended or now),
    }
    for count in ("notSelected", "excluded", "pending", "installed", "failed"):
        summary[f"{count}PatchCount"] = result.get(f"{count}PatchCount", 0)
    if running:
        summary["pendingPatchCount"] = summary["installedPatchCount"] + summary["failedPatchCount"]
        summary["installedPatchCount"] = summary["failedPatchCount"] = 0
    elif result.get("error"):
        summary["error"] = result["error"]
    return summary


def available(patch: Patch, activity: str) -> Json:
    """One patch of `availablePatches`."""
    identity = {"kbId": patch.kb} if patch.kb else {"version": patch.version}
    return {
        "patchId": patch.id,
        "name": patch.name,
        **identity,
        "classifications": [patch.classification],
        "rebootBehavior": patch.behavior,
        "activityId": activity,
        "publishedDate": stamp(patch.published),
        "lastModifiedDateTime": stamp(patch.published),
        "assessmentState": "Available",
    }
