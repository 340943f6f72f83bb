"""Which maintenance configurations reach which machines."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from orchestrator.inventory.model import Machine, Os
from orchestrator.inventory.read import read
from orchestrator.inventory.schedules import Schedules
from tests.fleet import SUBSCRIPTION, arm_id, vm

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop"
WEEKLY = f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/Weekly"


def assignment(scope: str, configuration: str = WEEKLY, **properties: Any) -> dict[str, Any]:
    """A row of an assignment."""
    return {
        "id": f"{scope}/providers/Microsoft.Maintenance/configurationAssignments/a",
        "type": "microsoft.maintenance/configurationassignments",
        "properties": {"maintenanceConfigurationId": configuration, **properties},
    }


def reached(*rows: dict[str, Any], machine: Machine | None = None) -> tuple[str, ...] | None:
    """The configurations that reach a machine, by these rows."""
    schedules = Schedules()
    for row in rows:
        schedules.take(row)
    (told,) = schedules.of([machine or vm("web-1", os=Os.WINDOWS, tags={"Env": "prod", "ring": "1"})])
    return told.schedules


def test_an_assignment_of_a_machine() -> None:
    """It reaches that machine, in whatever case its id is spelt; another machine has none, which is told too."""
    assert reached(assignment(arm_id("web-1").upper())) == (WEEKLY.lower(),)
    assert reached(assignment(arm_id("web-2"))) == ()
    assert reached() is None


@pytest.mark.parametrize(
    ("scope", "fit", "reaches"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", {}, True),
        ("/subscriptions/another", {}, False),
        (GROUP, {}, True),
        (f"{GROUP}-2", {}, False),
        (GROUP, {"osTypes": ["Windows"]}, True),
        (GROUP, {"osTypes": ["Linux"]}, False),
        (GROUP, {"locations": ["West Europe"]}, True),
        (GROUP, {"locations": ["northeurope"]}, False),
        (GROUP, {"resourceGroups": ["RG-Shop"]}, True),
        (GROUP, {"resourceTypes": ["Microsoft.HybridCompute/machines"]}, False),
        (GROUP, {"tagSettings": {"tags": {"env": ["test", "prod"], "ring": ["1"]}, "filterOperator": "All"}}, True),
        (GROUP, {"tagSettings": {"tags": {"env": ["test"], "ring": ["1"]}, "filterOperator": "All"}}, False),
        (GROUP, {"tagSettings": {"tags": {"env": ["test"], "ring": ["1"]}, "filterOperator": "Any"}}, True),
    ],
)  # fmt: skip
def test_a_dynamic_scope(scope: str, fit: dict[str, Any], *, reaches: bool) -> None:
    """Below its scope, a machine that fits every part of the filter; tags compare by name without regard to case."""
    assert bool(reached(assignment(scope, filter=fit))) is reaches


def test_configurations_of_hosts_patch_nobody() -> None:
    """With the configurations beside the assignments, those of another scope fall away."""
    host = {"id": WEEKLY, "properties": {"maintenanceScope": "Host"}}
    guest = {"id": WEEKLY, "properties": {"maintenanceScope": "InGuestPatch"}}
    assert reached(assignment(arm_id("web-1")), host) == ()
    assert reached(assignment(arm_id("web-1")), guest) == (WEEKLY.lower(),)


def test_rows_beside_machines_in_a_file() -> None:
    """`az graph query` of both tables, joined, is read as one."""
    machine = {
        "id": arm_id("web-1"),
        "name": "web-1",
        "type": "microsoft.compute/virtualmachines",
        "location": "westeurope",
        "properties": {},
    }
    held = read(orjson.dumps([machine, assignment(arm_id("web-1"))]), "rows.json")
    assert held.machines[0].schedules == (WEEKLY.lower(),)
