"""The history of patch runs, out of rows of Resource Graph."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.inventory.runs import StartedBy, runs_from_rows
from tests.fleet import SUBSCRIPTION, arm_id, vm_id

MONTHLY = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.maintenance/maintenanceconfigurations/monthly"


def row(name: str = "web-1", run: str = "7e1f", **properties: Any) -> dict[str, Any]:
    """A row of a run that succeeded with a restart."""
    return {
        "id": f"{arm_id(name)}/patchInstallationResults/{run}",
        "name": run,
        "type": "microsoft.compute/virtualmachines/patchinstallationresults",
        "properties": {
            "status": "Succeeded",
            "rebootStatus": "Completed",
            "startDateTime": "2026-11-14T22:00:00Z",
            "lastModifiedDateTime": "2026-11-14T22:20:00.1234567Z",
            "startedBy": "User",
            "installedPatchCount": 2,
            **properties,
        },
    }


def test_a_run() -> None:
    """Machine, times, outcome, and how many patches."""
    (run,) = runs_from_rows([row(failedPatchCount=1)]).runs
    assert (run.id, run.machine, run.name) == ("7e1f", vm_id("web-1"), "web-1")
    assert run.began == datetime(2026, 11, 14, 22, tzinfo=UTC)
    assert run.ended == datetime(2026, 11, 14, 22, 20, 0, 123456, tzinfo=UTC)
    assert (run.status, run.restarted, run.installed, run.failed) == ("Succeeded", True, 2, 1)


@pytest.mark.parametrize(
    ("properties", "by"),
    [
        ({}, "somebody, on demand"),
        ({"startedBy": "Platform"}, "Azure's automatic patching"),
        ({"maintenanceRunId": f"{MONTHLY}/providers/Microsoft.Maintenance/applyUpdates/20261114220000"}, "schedule monthly"),
        ({"startedBy": "Platform", "maintenanceRunId": ""}, "Azure's automatic patching"),
        ({"maintenanceRunId": "2026-11-14T22:00:00Z"}, "somebody, on demand"),
    ],
)  # fmt: skip
def test_who_began_it(properties: dict[str, Any], by: str) -> None:
    """A maintenance configuration by its id in the run's, Azure where the platform began it, else somebody."""
    (run,) = runs_from_rows([row(**properties)]).runs
    assert run.by == by
    assert (run.started_by is StartedBy.SCHEDULE) == (run.schedule == MONTHLY)


@pytest.mark.parametrize(
    ("reboot", "status", "restarted"),
    [
        ("Completed", "Succeeded", True),
        ("Started", "InProgress", True),
        ("Failed", "Failed", True),
        ("NotNeeded", "Succeeded", False),
        ("Required", "CompletedWithWarnings", False),
        ("NotNeeded", "InProgress", None),
        ("", "Succeeded", None),
        ("Unknown", "Succeeded", None),
    ],
)
def test_whether_it_restarted(reboot: str, status: str, *, restarted: bool | None) -> None:
    """What isn't told isn't known; a run that goes on may restart yet."""
    (run,) = runs_from_rows([row(rebootStatus=reboot, status=status)]).runs
    assert run.restarted is restarted


def test_rows_of_other_kinds() -> None:
    """Patches of a run and machines are passed over; a run without a time is counted; the last word on a run stands."""
    patch = {"id": f"{arm_id('web-1')}/patchInstallationResults/7e1f/softwarePatches/x"}
    late = row(status="Failed", lastModifiedDateTime="2026-11-14T23:00:00Z")
    read = runs_from_rows([late, row(), patch, {"id": arm_id("web-1")}, row("web-2", startDateTime=None)])
    assert [run.status for run in read.runs] == ["Failed"]
    assert read.unread == 1


def test_a_run_that_goes_on_has_no_end() -> None:
    """Its last change isn't its end."""
    (run,) = runs_from_rows([row(status="InProgress")]).runs
    assert run.ended is None
