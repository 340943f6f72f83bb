"""The history of patch runs that Azure keeps: rows of Resource Graph's `patchinstallationresources`, kept for thirty days.

A row a run and machine, whoever began it: a maintenance configuration (`maintenanceRunId` names it), Azure by itself
(`startedBy: Platform` without one), a person or a program (`User`). When a machine was really out isn't told: a run's beginning and
its last change stand for it. Properties: Azure Update Manager's "query logs" page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from orchestrator.inventory.ids import name_of
from orchestrator.inventory.installations import INSTALLATION_TYPES
from orchestrator.inventory.model import MachineId, machine_id
from orchestrator.inventory.wire import Row, flattened, moment, number, text

_RESULTS: Final = "/patchinstallationresults/"
_APPLIED: Final = "/providers/microsoft.maintenance/applyupdates"


class StartedBy(StrEnum):
    """Who began a run, as far as Azure tells."""

    SCHEDULE = "schedule"
    AZURE = "azure"
    SOMEBODY = "somebody"  # a person, this program, another one


@dataclass(frozen=True, slots=True)
class PatchRun:
    """One run on one machine. `restarted` None: nobody knows. `ended` None: it goes on, or was never heard of again."""

    id: str
    machine: MachineId
    name: str  # the machine's
    began: datetime
    ended: datetime | None
    status: str  # Succeeded, Failed, CompletedWithWarnings, InProgress, ...
    restarted: bool | None
    started_by: StartedBy
    schedule: str = ""  # the maintenance configuration's id
    installed: int = 0  # patches
    failed: int = 0

    @property
    def by(self) -> str:
        """Who began it, for people."""
        match self.started_by:
            case StartedBy.SCHEDULE:
                return f"schedule {name_of(self.schedule)}"
            case StartedBy.AZURE:
                return "Azure's automatic patching"
            case StartedBy.SOMEBODY:
                return "somebody, on demand"


@dataclass(frozen=True, slots=True)
class RunsRead:
    """The runs that rows tell of, in the order of time; `unread` rows tell of one without saying when or of which machine."""

    runs: tuple[PatchRun, ...]
    unread: int = 0


def runs_from_rows(rows: Iterable[Row]) -> RunsRead:
    """The runs of these rows. Rows of other types are passed over; a run that is told twice is one run, as it was last."""
    found: dict[str, tuple[datetime, PatchRun]] = {}
    unread = 0
    for row in rows:
        arm_id = text(row, "id").lower()
        machine, is_run, rest = arm_id.partition(_RESULTS)
        if not is_run or "/softwarepatches/" in rest or not _is_run(row):
            continue
        flat = flattened(row)
        began = moment(flat, "startDateTime") or moment(flat, "startTime")
        if began is None or not machine:
            unread += 1
            continue
        changed = moment(flat, "lastModifiedDateTime") or moment(flat, "lastModifiedTime") or began
        if arm_id not in found or found[arm_id][0] <= changed:
            found[arm_id] = changed, _run(flat, rest, machine, began, changed)
    return RunsRead(
        tuple(sorted((run for _, run in found.values()), key=lambda run: (run.began, run.machine, run.id))),
        unread,
    )


def _is_run(row: Row) -> bool:
    told = text(row, "type").lower()
    return not told or told in INSTALLATION_TYPES


def _run(flat: Row, rest: str, machine: str, began: datetime, changed: datetime) -> PatchRun:
    status = text(flat, "status") or "Unknown"
    configuration, applied, _ = text(flat, "maintenanceRunId").lower().partition(_APPLIED)
    scheduled = bool(applied)
    platform = text(flat, "startedBy").lower() == "platform"
    return PatchRun(
        id=text(flat, "installationActivityId") or rest.strip("/"),
        machine=machine_id(machine),
        name=name_of(machine),
        began=began,
        ended=None if status.lower() in {"inprogress", "notstarted"} else max(began, changed),
        status=status,
        restarted=_restarted(text(flat, "rebootStatus").lower(), status.lower()),
        started_by=(StartedBy.SCHEDULE if scheduled else StartedBy.AZURE if platform else StartedBy.SOMEBODY),
        schedule=configuration if scheduled else "",
        installed=number(flat, "installedPatchCount") or 0,
        failed=number(flat, "failedPatchCount") or 0,
    )


def _restarted(reboot: str, status: str) -> bool | None:
    """`Required` is a restart that didn't happen; a run that goes on may restart yet."""
    if reboot in {"started", "completed", "failed"}:
        return True
    if reboot in {"notneeded", "required"} and status not in {"inprogress", "notstarted"}:
        return False
    return None
