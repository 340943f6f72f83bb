"""Machines of Arc over ARM: less is told of them, and differently."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.emulator.faults import Fault, GoesOff, InstallFails, InstallNeverEnds
from orchestrator.inventory.arm import machine_from_arm
from orchestrator.inventory.model import Agent, Connection, Kind, Machine, Os, PatchSettings, resource_id
from tests.fleet import SUBSCRIPTION, arc, arc_id, vm
from tests.unit.emulator.callers import Caller, body, code
from tests.unit.emulator.worlds import ALL, START, at, world

VERSION = "api-version=2026-07-15"
CLUSTER = resource_id(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.AzureStackHCI/clusters/c1"
)
LIST = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.HybridCompute/machines"


def caller(*faults: Fault, machines: tuple[Machine, ...] = (arc("site1"), vm("web"))) -> Caller:
    """Somebody who asks a world with an Arc machine in it."""
    return Caller(world(*faults, machines=machines))


def begun(who: Caller, action: str = "installPatches", told: Any = ALL) -> str:
    """The Location of an operation that must be accepted."""
    response = who.post(f"{arc_id('site1')}/{action}", told if action == "installPatches" else None, VERSION)
    assert (response.status, response.body) == (202, b"")
    assert "Azure-AsyncOperation" not in response.headers
    return response.headers["Location"]


def test_a_machine_as_it_is_read_back() -> None:
    """What the inventory tells of an Arc machine is what its model tells."""
    told = arc(
        "site1",
        kind=Kind.AZURE_LOCAL,
        cluster=CLUSTER,
        os_version="10.0.26100.32690",
        os_edition="serverdatacenter",
        tags={"site": "nl"},
        private_ips=("10.0.0.4",),
        patch_settings=PatchSettings(hotpatching=True, hotpatch_status="Enabled", hotpatch_license="Enabled"),
    )
    read = machine_from_arm(body(caller(machines=(told,)).get(arc_id("site1"), VERSION)))
    for name in (
        "id",
        "kind",
        "cluster",
        "os",
        "os_version",
        "os_edition",
        "tags",
        "private_ips",
        "agent",
        "connection",
    ):
        assert getattr(told, name) == getattr(read, name), name
    assert read.patch_settings.hotpatch_status == "Enabled"
    assert read.patch_settings.hotpatch_license == "Enabled"


def test_lists_keep_the_providers_apart() -> None:
    """Neither provider lists the other's machines."""
    who = caller()
    compute = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"
    assert [item["name"] for item in body(who.get(LIST, VERSION))["value"]] == ["site1"]
    assert [item["name"] for item in body(who.get(compute))["value"]] == ["web"]


def test_lists_come_in_pages() -> None:
    """Each page leads to the next, to the last one."""
    who = caller(machines=tuple(arc(f"site{n}") for n in range(5)))
    who.page_size = 2
    first = body(who.get(LIST, VERSION))
    second = body(who.follow(first["nextLink"]))
    third = body(who.follow(second["nextLink"]))
    names = [item["name"] for page in (first, second, third) for item in page["value"]]
    assert names == [f"site{n}" for n in range(5)]
    assert "nextLink" not in third


@pytest.mark.parametrize(
    ("connection", "status"),
    [
        (Connection.DISCONNECTED, "Disconnected"),
        (Connection.ERROR, "Error"),
        (Connection.AWAITING, "AwaitingConnection"),
    ],
)
def test_machines_that_are_away_take_nothing(connection: Connection, status: str) -> None:
    """The model says so, and a request is refused."""
    who = caller(machines=(arc("site1", agent=Agent.NOT_READY, connection=connection),))
    assert body(who.get(arc_id("site1"), VERSION))["properties"]["status"] == status
    response = who.post(f"{arc_id('site1')}/installPatches", ALL, VERSION)
    assert (response.status, code(response)) == (409, "MachineNotConnected")


def test_a_machine_that_went_silent_stays_connected_for_a_while() -> None:
    """Azure misses a heartbeat late."""
    who = caller(GoesOff(machines=("site1",), at=timedelta(minutes=1)))
    told = []
    for minutes in (2, 15, 17):
        who.now = START + timedelta(minutes=minutes)
        told.append(body(who.get(arc_id("site1"), VERSION))["properties"]["status"])
    assert told == ["Connected", "Connected", "Disconnected"]


def test_an_installation() -> None:
    """202 without a body until the result is there, which counts patches and names none."""
    who = caller()
    url = begun(who)
    who.now = at(10)
    assert (who.follow(url).status, who.follow(url).body) == (202, b"")
    who.now = START + timedelta(hours=2)
    response = who.follow(url)
    told = body(response)
    assert response.status == 200
    assert told["status"] == "Succeeded"
    assert told["rebootStatus"] == "Completed"
    assert told["installedPatchCount"] > 0
    assert told["errorDetails"] is None
    assert (told["startedBy"], told["osType"]) == ("User", "Windows")
    assert not {"patches", "error"} & set(told)
    assert told["installationActivityId"] not in url


def test_an_assessment() -> None:
    """Counts by classification, and no patch by name."""
    who = caller()
    url = begun(who, "assessPatches")
    who.now = START + timedelta(hours=1)
    told = body(who.follow(url))
    assert told["availablePatchCountByClassification"]["security"] > 0
    assert not {"availablePatches", "criticalAndSecurityPatchCount", "error"} & set(told)


def test_a_failure_is_in_error_details() -> None:
    """A result that failed says so in `errorDetails`."""
    who = caller(InstallFails(code="0x80070643"))
    url = begun(who)
    who.now = START + timedelta(hours=2)
    told = body(who.follow(url))
    assert (told["status"], told["errorDetails"]["details"][0]["code"]) == ("Failed", "0x80070643")


def test_what_arc_asks_for_more() -> None:
    """A run must be told how long it may take, and nothing restarts a machine."""
    who = caller()
    short = {key: value for key, value in ALL.items() if key != "maximumDuration"}
    response = who.post(f"{arc_id('site1')}/installPatches", short, VERSION)
    assert (response.status, body(response)["error"]["target"]) == (400, "maximumDuration")
    assert who.post(f"{arc_id('site1')}/restart", None, VERSION).status == 404


def test_one_operation_at_a_time() -> None:
    """A second one is refused while one runs."""
    who = caller(InstallNeverEnds())
    begun(who)
    who.now = at(30)
    response = who.post(f"{arc_id('site1')}/assessPatches", None, VERSION)
    assert (response.status, code(response)) == (409, "Conflict")


def test_subscriptions_are_listed() -> None:
    """All that the world has, and each by itself."""
    who = caller()
    (told,) = body(who.get("/subscriptions", VERSION))["value"]
    assert (told["subscriptionId"], told["state"]) == (SUBSCRIPTION, "Enabled")
    assert body(who.get(f"/subscriptions/{SUBSCRIPTION}", VERSION)) == told


def test_linux() -> None:
    """The family decides which parameters are read, and what the result says."""
    who = caller(machines=(arc("site1", os=Os.LINUX),))
    told = {**ALL, "linuxParameters": {"classificationsToInclude": ["Security"]}}
    url = begun(who, told=told)
    who.now = START + timedelta(hours=2)
    assert (body(who.follow(url))["osType"], body(who.follow(url))["patchServiceUsed"]) == ("Linux", "APT")
