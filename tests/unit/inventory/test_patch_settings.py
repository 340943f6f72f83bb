"""Who patches a machine and how, as each source spells it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.arm import machine_from_arm, scale_set_from_arm
from orchestrator.inventory.model import (
    Connection,
    Image,
    Inventory,
    Machine,
    PatchSettings,
    ScaleSet,
    resource_id,
)
from orchestrator.inventory.read import read
from tests.fleet import arm_id

DATA = Path(__file__).parents[2] / "data"
Row = dict[str, Any]

SETTINGS: Row = {
    "patchMode": "AutomaticByPlatform",
    "assessmentMode": "AutomaticByPlatform",
    "enableHotpatching": True,
    "automaticByPlatformSettings": {
        "rebootSetting": "IfRequired",
        "bypassPlatformSafetyChecksOnUserSchedule": True,
    },
}
ALL = PatchSettings(
    assessment_mode="AutomaticByPlatform",
    hotpatching=True,
    reboot_setting="IfRequired",
    bypasses_safety_checks=True,
    automatic_updates=True,
)
CLUSTER = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.AzureStackHCI/clusters/CL1"


def properties(**told: Any) -> Row:
    """A Windows machine's properties, as REST nests them."""
    windows = {"enableAutomaticUpdates": True, "patchSettings": SETTINGS, "provisionVMAgent": True}
    return {"osProfile": {"windowsConfiguration": windows}, **told}


def arc(name: str = "edge", **told: Any) -> Row:
    """An Arc machine as `az connectedmachine list` prints it."""
    arm = f"/subscriptions/S/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/{name}"
    return {"id": arm, "name": name, "location": "westeurope", "status": "Connected", **told}


def graph(*columns: str) -> Row:
    """A row that projects some columns of a machine's properties."""
    row: Row = {"id": arm_id("web-1"), "type": "microsoft.compute/virtualmachines", "location": "westeurope"}
    for column in columns:
        inner: Any = properties()
        for key in column.split("_")[1:]:
            inner = inner[key]
        row[column] = inner
    return row


def only(*rows: Row) -> Machine:
    """The one machine of a file of these rows."""
    (machine,) = read(orjson.dumps(list(rows)), "rows.json").machines
    return machine


@pytest.mark.parametrize(
    "row",
    [
        {"id": arm_id("web-1"), "location": "westeurope", "properties": properties()},
        {"id": arm_id("web-1"), "location": "westeurope", **properties()},
        graph("properties_osProfile"),
    ],
)
def test_settings_are_read_from_every_shape(row: Row) -> None:
    """REST's, `az`'s, and a projection of Resource Graph."""
    machine = only(row)

    assert (machine.patch_mode, machine.patch_settings) == ("AutomaticByPlatform", ALL)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"osProfile": None},
        {"osProfile": {"windowsConfiguration": {"patchSettings": None, "enableAutomaticUpdates": None}}},
        {
            "osProfile": {
                "windowsConfiguration": {"patchSettings": {"enableHotpatching": None, "status": "?"}}
            }
        },
        {
            "osProfile": {
                "windowsConfiguration": {"patchSettings": {"enableHotpatching": "yes", "assessmentMode": 3}}
            }
        },
    ],
)
def test_what_is_not_told_is_none(told: Row) -> None:
    """Neither null nor a value of another kind is a no."""
    assert only({"id": arm_id("web-1"), "location": "x", **told}).patch_settings == PatchSettings()


def test_a_linux_machine_has_settings_too() -> None:
    """Under its own configuration."""
    linux = {"patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}}
    machine = only({"id": arm_id("db"), "location": "x", "osProfile": {"linuxConfiguration": linux}})

    assert machine.patch_mode == "ImageDefault"
    assert machine.patch_settings == PatchSettings(assessment_mode="ImageDefault")


@pytest.mark.parametrize("level", [True, False])
def test_an_arc_machine_tells_of_its_hotpatching(level: bool) -> None:
    """The agent's word and the license's, the latter with or without the level of the product."""
    product = {"productFeatures": [{"name": "Hotpatch", "subscriptionStatus": "Enabled"}]}
    machine = only(
        arc(
            licenseProfile={"productProfile": product} if level else product,
            osProfile={
                "windowsConfiguration": {
                    "patchSettings": {
                        "enableHotpatching": True,
                        "status": {"hotpatchEnablementStatus": "ActionRequired"},
                    }
                }
            },
        )
    )

    assert machine.patch_settings == PatchSettings(
        hotpatching=True, hotpatch_status="ActionRequired", hotpatch_license="Enabled"
    )


@pytest.mark.parametrize(
    ("status", "connection"),
    [
        ("Connected", Connection.CONNECTED),
        ("disconnected", Connection.DISCONNECTED),
        ("Error", Connection.ERROR),
        ("AwaitingConnection", Connection.AWAITING),
        ("Hibernating", Connection.UNKNOWN),
        (None, Connection.UNKNOWN),
    ],
)
def test_a_status_that_is_not_known_is_unknown(status: str | None, connection: Connection) -> None:
    """Azure may add words."""
    assert only(arc(status=status)).connection is connection


def test_an_arc_machine_tells_what_it_runs_and_where() -> None:
    """Its system, agent, cluster, and since when it is connected."""
    machine = only(
        arc(
            osName="windows",
            osSku="Windows Server 2025 Datacenter",
            osVersion="10.0.26100.32690",
            osEdition="serverdatacenter",
            agentVersion="1.52",
            parentClusterResourceId=CLUSTER,
            lastStatusChange="2026-11-21T22:10:00Z",
        )
    )

    assert (machine.os_name, machine.os_version) == ("Windows Server 2025 Datacenter", "10.0.26100.32690")
    assert (machine.os_edition, machine.agent_version) == ("serverdatacenter", "1.52")
    assert machine.cluster == resource_id(CLUSTER)
    assert machine.connection_since == datetime(2026, 11, 21, 22, 10, tzinfo=UTC)


def test_a_virtual_machine_tells_what_it_runs_by_its_instance_view() -> None:
    """And its agent's version, which is "Unknown" while it doesn't answer."""
    view = {
        "osName": "Windows Server 2025",
        "osVersion": "10.0.26100.1",
        "vmAgent": {"vmAgentVersion": "2.7"},
    }
    row = {"id": arm_id("web-1"), "location": "x"}
    told = machine_from_arm(row, view)
    silent = machine_from_arm(row, {"vmAgent": {"vmAgentVersion": "Unknown"}})

    assert (told.os_name, told.os_version, told.agent_version) == (
        "Windows Server 2025",
        "10.0.26100.1",
        "2.7",
    )
    assert (silent.os_name, silent.os_version, silent.agent_version) == (None, None, None)
    assert told.connection is Connection.UNKNOWN


@pytest.mark.parametrize("key", ["id", "sharedGalleryImageId", "communityGalleryImageId"])
def test_a_custom_image_is_known_by_its_id(key: str) -> None:
    """So that it can be told from an image that nobody named."""
    row = {"id": arm_id("web-1"), "location": "x", "storageProfile": {"imageReference": {key: "/img/1"}}}

    assert only(row).image == Image(id="/img/1")
    assert only({"id": arm_id("web-1"), "location": "x"}).image == Image()


@pytest.mark.parametrize(
    ("policy", "told"),
    [({"enabled": True}, True), ({"enabled": False}, False), ({}, None), (None, None)],
)
def test_a_scale_set_tells_whether_azure_repairs_it(policy: Row | None, told: bool | None) -> None:
    """A repair replaces a machine."""
    row = {"id": arm_id("flex", "virtualMachineScaleSets"), "properties": {"automaticRepairsPolicy": policy}}

    assert scale_set_from_arm(row).automatic_repairs is told


def test_the_recorded_answers_tell_their_settings() -> None:
    """As Azure answers them, in its own bodies."""
    vms = read((DATA / "arm-vm-list.json").read_bytes(), "arm").machines
    web = next(machine for machine in vms if machine.name == "web-1")
    (branch, *_) = read((DATA / "az-connectedmachine-list.json").read_bytes(), "az").machines

    assert web.patch_settings.bypasses_safety_checks is True
    assert web.patch_settings.hotpatching is False
    assert (branch.connection, branch.os_version) == (Connection.CONNECTED, "10.0.26100.32690")


def test_the_own_format_keeps_all_of_it_and_writes_nothing_that_was_not_told() -> None:
    """The fingerprint of a fleet that tells none of it is what it was."""
    told = only(
        arc(
            osVersion="10.0.26100.1",
            osEdition="serverstandard",
            parentClusterResourceId=CLUSTER,
            lastStatusChange="2026-11-21T22:10:00Z",
            licenseProfile={"productFeatures": [{"name": "Hotpatch", "subscriptionStatus": "Disabled"}]},
            **properties(),
        )
    )
    flex = ScaleSet(resource_id("/s/f"), "f", "westeurope", automatic_repairs=False)
    inventory = Inventory(None, "", (told,), scale_sets=(flex,))
    written = native.dump(inventory)

    assert native.parse(orjson.loads(written)) == inventory
    assert b"null" not in written.split(b'"patch_settings"')[1].split(b"}")[0]
    bare = native.dump(Inventory(None, "", (only({"id": arm_id("web-1"), "location": "x"}),)))
    for key in (
        b"patch_settings",
        b"os_version",
        b"connection",
        b"cluster",
        b"vbs",
        b'"installed"',
        b'"id": null',
    ):
        assert key not in bare
