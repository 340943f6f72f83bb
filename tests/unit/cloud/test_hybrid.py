"""Machines of Arc in Compute's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.cloud import hybrid
from orchestrator.cloud.answers import Received
from orchestrator.cloud.asked import Asked
from orchestrator.cloud.port import Ended, StillRunning, Target
from orchestrator.inventory.model import Agent, Connection, Kind, Os, Power, machine_id
from tests.fleet import SUBSCRIPTION, arc_id

SITE = Target(
    machine_id(arc_id("site1")),
    arc_id("site1"),
    "site1",
    SUBSCRIPTION,
    "rg-site",
    "westeurope",
    Kind.ARC,
    Os.WINDOWS,
)


def run(
    activity: str, status: str = "Succeeded", *, began: str = "2026-11-22T01:00:00Z", **more: Any
) -> dict[str, Any]:
    """The row of a run."""
    told = {"installationActivityId": activity, "status": status, "startDateTime": began, **more}
    return {
        "id": f"{arc_id('site1')}/patchInstallationResults/{activity}",
        "name": activity,
        "properties": told,
    }


def answering(*rows: Mapping[str, Any]) -> Any:
    """A Resource Graph that finds these rows, whatever it is asked."""

    async def query(_body: Mapping[str, Any], _asked: Asked) -> Received:
        return Received(200, {}, {"totalRecords": len(rows), "data": list(rows)})

    return query


@pytest.mark.parametrize(
    ("status", "connection", "power", "agent"),
    [
        ("Connected", Connection.CONNECTED, Power.RUNNING, Agent.READY),
        ("Disconnected", Connection.DISCONNECTED, Power.UNKNOWN, Agent.NOT_READY),
        ("Error", Connection.ERROR, Power.UNKNOWN, Agent.NOT_READY),
    ],
)
def test_a_view(status: str, connection: Connection, power: Power, agent: Agent) -> None:
    """Only a connected machine is known to run."""
    view = hybrid.view_of_machine({"id": arc_id("site1"), "location": "x", "properties": {"status": status}})
    assert (view.connection, view.power, view.agent) == (connection, power, agent)


async def test_the_last_run_is_the_one_that_began_last() -> None:
    """Whatever the order of rows, and whatever was written last."""
    rows = [
        run("A", began="2026-11-22T03:00:00Z"),
        run("B", began="2026-11-22T05:00:00Z"),
        run("C", began="2026-11-21T05:00:00Z", lastModifiedDateTime="2026-11-23T05:00:00Z"),
    ]
    assert (await hybrid.last_run(answering(*rows), SITE))["name"] == "B"
    assert await hybrid.last_run(answering(), SITE) == {}


def test_a_view_with_its_run() -> None:
    """A run is told as the instance view would tell it."""
    seen = hybrid.view_of_machine({"id": arc_id("site1"), "properties": {"status": "Connected"}})
    flat = {**run("AB", "InProgress")["properties"], "id": "x/ab"}
    view = hybrid.with_run(seen, flat)
    assert (view.installation_id, view.installing, view.connection) == ("ab", True, Connection.CONNECTED)
    assert view.installation_began == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert hybrid.with_run(seen, {}).installation_id is None


async def test_following_a_run_by_its_row() -> None:
    """In progress, not there, not there yet: it goes on. Else it ended as the row says."""
    operation = hybrid.run_of(SITE, "a1")
    assert hybrid.is_run(operation)
    for rows in ([], [run("a1", "InProgress")], [run("a1", "NotStarted")]):
        assert await hybrid.poll_run(answering(*rows), operation) == StillRunning()
    failed = run("a1", "Failed", failedPatchCount=1, errorDetails={"code": "0x8024", "message": "no"})
    ended = await hybrid.poll_run(answering(failed), operation)
    assert isinstance(ended, Ended)
    assert (ended.result["status"], ended.result["error"]) == ("Failed", {"code": "0x8024", "message": "no"})


def test_results_in_computes_words() -> None:
    """Errors and counters under the names that Compute gives them; without counts no counter."""
    told = hybrid.as_compute(
        {
            "status": "Succeeded",
            "errorDetails": None,
            "availablePatchCountByClassification": {"security": 2, "critical": 1, "updates": 4, "other": 0},
        }
    )
    assert (told["criticalAndSecurityPatchCount"], told["otherPatchCount"]) == (3, 4)
    assert "error" not in told
    assert "criticalAndSecurityPatchCount" not in hybrid.as_compute({"status": "Failed"})
    assert hybrid.as_compute({"errorDetails": "boom"})["error"] == {"message": "boom"}


async def test_patches_of_a_run() -> None:
    """Rows of the table, in the form of a result's `patches`."""
    row = {
        "id": f"{arc_id('site1')}/patchInstallationResults/a1/softwarePatches/x",
        "name": "x",
        "properties": {
            "patchName": "2026-11 Update (KB5068966)",
            "kbId": "KB5068966",
            "classifications": ["Security"],
            "installationState": "Installed",
        },
    }
    (patch,) = await hybrid.patches_of_run(answering(row), SITE, "a1")
    assert (patch["kbId"], patch["installationState"], patch["classifications"]) == (
        "5068966",
        "Installed",
        ["Security"],
    )
    assert patch["name"] == "2026-11 Update (KB5068966)"
