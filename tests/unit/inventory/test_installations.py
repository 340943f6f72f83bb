"""Rows of Resource Graph's installation tables beside those of machines: what each machine got."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory import native
from orchestrator.inventory.model import Installed, Machine
from orchestrator.inventory.read import read
from tests.fleet import arm_id

COMPUTE = "microsoft.compute/virtualmachines/patchinstallationresults"
NIGHT = datetime(2026, 11, 12, 1, tzinfo=UTC)
Row = dict[str, Any]


def machine(name: str = "web-1", **told: Any) -> Row:
    """A machine as Resource Graph tells it."""
    kind = "microsoft.compute/virtualmachines"
    return {"id": arm_id(name), "type": kind, "location": "westeurope", "properties": told}


def run(number: int = 1, day: int = 12, name: str = "web-1", **told: Any) -> Row:
    """A run on it."""
    properties = {"status": "Succeeded", "lastModifiedDateTime": f"2026-11-{day}T01:00:00Z", **told}
    place = f"{arm_id(name).upper()}/patchInstallationResults/run-{number}"
    return {"id": place, "type": COMPUTE, "properties": properties}


def update(kb: str, number: int = 1, day: int = 12, name: str = "web-1", **told: Any) -> Row:
    """What became of an update in a run."""
    properties = {
        "patchName": f"Update (KB{kb})",
        "kbId": kb,
        "installationState": "Installed",
        "lastModifiedDateTime": f"2026-11-{day}T01:00:00Z",
        **told,
    }
    place = f"{arm_id(name)}/patchInstallationResults/run-{number}/softwarePatches/{kb}-{day}"
    return {"id": place, "type": f"{COMPUTE}/softwarepatches", "properties": properties}


def told_of(*rows: Row) -> Machine:
    """The one machine of a file of these rows."""
    (one,) = read(orjson.dumps(list(rows)), "graph.json").machines
    return one


def test_installed_updates_are_joined_to_their_machine_whatever_the_order_and_the_case() -> None:
    """Each KB once, with when it came last, sorted."""
    rows = [update("5087423", day=13), run(), machine(), update("KB5066835"), update("5087423", 2, day=10)]

    assert told_of(*rows).patches.installed == (
        Installed("5066835", "Update (KBKB5066835)", NIGHT),
        Installed("5087423", "Update (KB5087423)", NIGHT.replace(day=13)),
    )


@pytest.mark.parametrize("state", ["Failed", "Pending", "NotSelected", "Excluded", "", None])
def test_an_update_that_is_not_installed_is_not_told_as_such(state: str | None) -> None:
    """Though its run is known, so that none is another thing than silence."""
    assert told_of(machine(), run(), update("5066835", installationState=state)).patches.installed == ()


def test_nothing_is_told_of_a_machine_without_a_row() -> None:
    """Resource Graph forgets after thirty days."""
    other = [run(1, 12, "web-2"), update("5066835", name="web-2")]

    assert told_of(machine(), *other).patches.installed is None


def test_the_last_run_is_the_one_that_counts() -> None:
    """An instance view that knows a later one is believed."""
    earlier = {
        "lastPatchInstallationSummary": {"status": "Failed", "lastModifiedTime": "2026-11-01T00:00:00Z"}
    }
    later = {"lastPatchInstallationSummary": {"status": "Failed", "lastModifiedTime": "2026-11-20T00:00:00Z"}}

    def patches(view: Row, *rows: Row) -> tuple[str | None, str | None, datetime | None]:
        told = told_of(machine(instanceView={"patchStatus": view}), *rows).patches
        return told.installation_id, told.installation_status, told.installed_at

    runs = [run(2, 12, status="CompletedWithWarnings"), run(1, 10)]
    assert patches({}, *runs) == ("run-2", "CompletedWithWarnings", NIGHT)
    assert patches(earlier, *runs) == ("run-2", "CompletedWithWarnings", NIGHT)
    assert patches(later, *runs) == (None, "Failed", datetime(2026, 11, 20, tzinfo=UTC))


def test_arc_machines_have_the_same_rows() -> None:
    """Under their own type."""
    arm = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/edge"
    kind = "microsoft.hybridcompute/machines/patchinstallationresults/softwarepatches"
    row = {
        "id": f"{arm}/patchInstallationResults/r/softwarePatches/1",
        "type": kind,
        "properties": {"kbId": "5068966", "installationState": "Installed"},
    }

    found = told_of({"id": arm, "location": "westeurope", "status": "Connected"}, row)
    assert found.patches.installed == (Installed("5068966"),)


def test_rows_of_installations_alone_are_no_inventory() -> None:
    """They name machines, and hold none."""
    with pytest.raises(InventoryError, match="none of its 2 rows is a machine"):
        told_of(run(), update("5066835"))


def test_the_own_format_keeps_them() -> None:
    """With or without a time, and a KB as people write it."""
    found = read(orjson.dumps([machine(), run(), update("5066835")]), "graph.json")
    by_hand = {"id": arm_id("web-1"), "patches": {"installed": [{"kb": "KB5066835"}, {"kb": "5000001"}]}}
    (read_back,) = native.parse({"schema": native.SCHEMA, "machines": [by_hand]}).machines

    assert native.parse(orjson.loads(native.dump(found))) == found
    assert read_back.patches.installed == (Installed("5000001"), Installed("5066835"))
