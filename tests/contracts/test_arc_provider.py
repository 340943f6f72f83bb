"""What every cloud promises of machines of Azure Arc and Azure Local, whichever way its requests go (`faces`)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.cloud.port import (
    Accepted,
    Ended,
    Rejected,
    StillRunning,
    Target,
    Unsettled,
)
from orchestrator.emulator.faults import (
    Drop,
    Fault,
    InstallFails,
    InstallNeverEnds,
    LostAnswer,
    ServerError,
    Slow,
    Throttle,
)
from orchestrator.emulator.state import Kind as Asking
from orchestrator.errors import CloudPermanent, CloudTransient
from orchestrator.inventory.assessments import assessment_from
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    Connection,
    Kind,
    Os,
    PatchState,
    Power,
    RebootBehavior,
    resource_id,
)
from orchestrator.policy.change import RunCommand, Script
from orchestrator.policy.model import Patches, Reboot, Restart
from tests.contracts.faces import FACES, PATCHES, START, Face, Play, aimed, player
from tests.fleet import SUBSCRIPTION, arc, arc_id, inventory, vm

CLUSTER = resource_id(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.AzureStackHCI/clusters/nl"
)
BEFORE = "11111111-0000-4000-8000-000000000000"
FLEET = inventory(
    arc("site1", tags={"site": "nl"}, cluster=CLUSTER),
    arc("site2", os=Os.LINUX, patches=PatchState(installation_id=BEFORE, installation_status="Succeeded")),
    arc("local1", kind=Kind.AZURE_LOCAL, cluster=CLUSTER),
    arc("away1", agent=Agent.NOT_READY, power=Power.UNKNOWN, connection=Connection.DISCONNECTED),
    vm("web01", os=Os.WINDOWS),
)
ARC = frozenset({Kind.ARC, Kind.AZURE_LOCAL})


@pytest.fixture(params=FACES)
def play(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Runs a scenario over each of the faces."""
    return player(request.param, FLEET, monkeypatch, tmp_path)


def target(name: str) -> Target:
    """How a machine of the fleet is addressed."""
    return aimed(next(machine for machine in FLEET.machines if machine.name == name))


# Looking --------------------------------------------------------------------------------------------------------------


def test_inventory(play: Play) -> None:
    """Machines of every kind are in one inventory, over all pages."""

    async def scenario(face: Face) -> None:
        told = await face.cloud.inventory([SUBSCRIPTION])
        assert told.unreadable == ()
        assert [machine.id for machine in told.machines] == [machine.id for machine in FLEET.machines]
        machines = {machine.name: machine for machine in told.machines}
        assert {name: one.kind for name, one in machines.items() if one.kind is not Kind.AZURE_VM} == {
            "site1": Kind.ARC,
            "site2": Kind.ARC,
            "local1": Kind.AZURE_LOCAL,
            "away1": Kind.ARC,
        }
        assert (machines["site1"].cluster, machines["site1"].tags["site"]) == (CLUSTER, "nl")
        assert machines["site2"].os is Os.LINUX
        away = machines["away1"]
        assert (away.connection, away.agent) == (Connection.DISCONNECTED, Agent.NOT_READY)

    play(scenario)


def test_view(play: Play) -> None:
    """A connected machine runs; the last run is Resource Graph's."""

    async def scenario(face: Face) -> None:
        view = await face.cloud.view(target("site1"))
        assert (view.power, view.agent, view.app_health) == (Power.RUNNING, Agent.READY, AppHealth.NONE)
        assert (view.installation_id, view.installing, view.connection) == (None, False, Connection.CONNECTED)
        assert (await face.cloud.view(target("site2"))).installation_id == BEFORE
        assert (await face.cloud.view(target("site2"), runs=False)).installation_id is None
        assert (await face.cloud.view(target("away1"))).connection is Connection.DISCONNECTED

    play(scenario)


def test_sweeps(play: Play) -> None:
    """A sweep covers the kinds that are asked for, over all pages, and says what a view without runs says."""

    async def scenario(face: Face) -> None:
        swept = await face.cloud.sweep(SUBSCRIPTION, ARC)
        assert sorted(swept) == sorted(machine.id for machine in FLEET.machines if machine.kind in ARC)
        for machine in FLEET.machines:
            if machine.kind in ARC:
                assert swept[machine.id] == await face.cloud.view(aimed(machine), runs=False)
        assert list(await face.cloud.sweep(SUBSCRIPTION)) == [target("web01").id]
        assert len(await face.cloud.sweep(SUBSCRIPTION, ARC | {Kind.AZURE_VM})) == len(FLEET.machines)

    play(scenario)


def test_machine_that_is_gone(play: Play) -> None:
    """As of any machine."""
    gone = replace(target("site1"), name="gone", arm_id=arc_id("gone"))

    async def scenario(face: Face) -> None:
        with pytest.raises(CloudPermanent) as raised:
            await face.cloud.view(gone)
        assert raised.value.code == "ResourceNotFound"
        answer = await face.cloud.start(gone, PATCHES, "key-1", 5)
        assert isinstance(answer, Rejected)
        assert answer.code == "ResourceNotFound"

    play(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        ServerError(on=(Asking.GRAPH,), status=503),
        Throttle(on=(Asking.GRAPH,), retry_after=7),
        Drop(on=(Asking.GRAPH,)),
    ],
    ids=["5xx", "429", "cut"],
)
def test_resource_graph_that_fails_for_now(play: Play, fault: Fault) -> None:
    """Whoever asks for runs isn't told that there are none; whoever doesn't is served."""

    async def scenario(face: Face) -> None:
        with pytest.raises(CloudTransient):
            await face.cloud.view(target("site1"))
        assert (await face.cloud.view(target("site1"), runs=False)).power is Power.RUNNING

    play(scenario, fault)


# Changing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["site1", "site2", "local1"])
def test_installation(play: Play, name: str) -> None:
    """Accepted with a Location alone, followed there to the fields that decide; its patches are Resource Graph's."""

    async def scenario(face: Face) -> None:
        operation = await face.begun(target(name), Patches(published_until=START, reboot=Reboot.ALWAYS))
        assert operation.status_url == operation.result_url
        assert isinstance(await face.cloud.poll(operation), StillRunning)
        ended = await face.followed(operation)
        assert (ended.succeeded, ended.error_code) == (True, "")
        assert (ended.result["status"], ended.result["rebootStatus"]) == ("Succeeded", "Completed")
        assert "patches" not in ended.result
        await face.clock.sleep(90)
        run = str(ended.result["installationActivityId"])
        view = await face.cloud.view(target(name))
        assert (view.installation_id, view.installation_status) == (run, "Succeeded")
        assert view.installation_began is not None
        assert abs(view.installation_began - START) < timedelta(hours=2)
        patches = await face.cloud.patches_of(target(name), run)
        states = [patch["installationState"] for patch in patches]
        assert states.count("Installed") == ended.result["installedPatchCount"] > 0
        assert all(patch["kbId"] or patch["version"] for patch in patches)
        started = [line for line in map(json.loads, face.audit()) if line["event"] == "install"]
        assert [(line["machine"], line["request_id"]) for line in started] == [(target(name).arm_id, "key-1")]

    play(scenario)


def test_running_installation_shows(play: Play) -> None:
    """While it runs, and once Resource Graph knows, the view says so, and it can be followed by its id."""

    async def scenario(face: Face) -> None:
        await face.begun(target("site1"))
        await face.clock.sleep(120)
        view = await face.cloud.view(target("site1"))
        assert view.installing
        assert view.installation_id is not None
        by_id = await face.cloud.operation_of(target("site1"), view.installation_id)
        assert isinstance(await face.cloud.poll(by_id), StillRunning)

    play(scenario, InstallNeverEnds())


def test_assessment(play: Play) -> None:
    """It ends with Compute's counters, and Resource Graph knows soon which patches those are, and what they do."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.assess(target("site1"), "key-1", 5)
        assert isinstance(answer, Accepted)
        ended = await face.followed(answer.operation)
        assert ended.succeeded
        assert ended.result["criticalAndSecurityPatchCount"] > 0
        assert assessment_from(ended.result).updates is None
        await face.clock.sleep(90)
        assessment = str(ended.result["assessmentActivityId"])
        listed = await face.cloud.patches_found(target("site1"), assessment)
        found = assessment_from({**ended.result, "availablePatches": listed})
        assert found.updates
        assert all(update.kb and update.published for update in found.updates)
        assert RebootBehavior.CAN in {update.reboot for update in found.updates}
        other = "4e1a3ba3-6a4a-4a04-9a3c-0c3d3a3b0f10"
        assert await face.cloud.patches_found(target("site1"), other) is None

    play(scenario)


def test_result_that_failed(play: Play) -> None:
    """What Arc calls `errorDetails` is the result's error."""

    async def scenario(face: Face) -> None:
        ended = await face.followed(await face.begun(target("site1")))
        assert (ended.succeeded, ended.result["status"]) == (True, "Failed")
        assert ended.result["error"]["details"][0]["code"] == "0x80070643"

    play(scenario, InstallFails())


def test_operation_that_failed(play: Play) -> None:
    """An operation that fails as a whole says so at its Location."""

    async def scenario(face: Face) -> None:
        ended = await face.followed(await face.begun(target("site1")))
        assert (ended.succeeded, ended.error_code) == (False, "VMGuestPatchInternalError")

    play(
        scenario,
        InstallFails(code="VMGuestPatchInternalError", message="Please retry later.", operation=True),
    )


def test_nothing_restarts_it(play: Play) -> None:
    """Arc has no such action, and nothing is sent."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("site1"), Restart(), "key-1", 5)
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.transient) == ("KindNotSupported", False)
        assert face.audit() == []

    play(scenario)


def test_run_commands(play: Play) -> None:
    """A script is a resource of the machine under a name that its key gives: followed there, and taken away."""
    script = RunCommand(Script("say.ps1", "Write-Output hello", "0"), Os.WINDOWS)

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("site1"), script, "key-1", 5)
        assert isinstance(answer, Accepted)
        ended = await face.followed(await face.cloud.command_of(target("site1"), "key-1"))
        assert (ended.succeeded, ended.result["exitCode"]) == (True, 0)
        unsent = await face.cloud.command_of(target("site1"), "key-2")
        with pytest.raises(CloudPermanent) as raised:
            await face.cloud.poll(unsent)
        assert raised.value.code == "ResourceNotFound"
        await face.cloud.forget_command(target("site1"), "key-1")

    play(scenario)


# What isn't sure ------------------------------------------------------------------------------------------------------


def test_lost_answer(play: Play) -> None:
    """When the answer is lost, the run shows in Resource Graph, and its row is followed to the result."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("site1"), PATCHES, "key-1", 5), Unsettled)
        await face.clock.sleep(120)
        view = await face.cloud.view(target("site1"))
        assert view.installation_id is not None
        ended = await face.followed(await face.cloud.operation_of(target("site1"), view.installation_id))
        assert ended.result["status"] == "Succeeded"
        assert ended.result["installationActivityId"] == view.installation_id

    play(scenario, LostAnswer(times=1))


@pytest.mark.parametrize(
    "fault",
    [
        Drop(on=(Asking.INSTALL,)),
        ServerError(on=(Asking.INSTALL,), retry_after=1),
        Slow(on=(Asking.INSTALL,), seconds=90_000),
    ],
    ids=["cut", "5xx", "silence"],
)
def test_starts_that_nobody_can_tell_of(play: Play, fault: Fault) -> None:
    """As of any machine: unsettled."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("site1"), PATCHES, "key-1", 2), Unsettled)

    play(scenario, fault)


def test_conflicts(play: Play) -> None:
    """A 409 leaves it open whether a run of ours is the other one; so does that of a machine that is away."""

    async def scenario(face: Face) -> None:
        await face.begun(target("site1"))
        assert isinstance(await face.cloud.start(target("site1"), PATCHES, "key-2", 5), Unsettled)
        assert isinstance(await face.cloud.start(target("away1"), PATCHES, "key-3", 5), Unsettled)

    play(scenario)


def test_throttled_start(play: Play) -> None:
    """A 429 is surely not begun, and says when to come back."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("site1"), PATCHES, "key-1", 5)
        assert isinstance(answer, Rejected)
        assert (answer.transient, answer.retry_after_s) == (True, 17.0)

    play(scenario, Throttle(on=(Asking.INSTALL,), retry_after=17, policy="arm"))


def test_unknown_operations(play: Play) -> None:
    """A run that Resource Graph doesn't know may yet come to be known."""

    async def scenario(face: Face) -> None:
        unknown = await face.cloud.operation_of(target("site1"), "4e1a3ba3-6a4a-4a04-9a3c-0c3d3a3b0f10")
        assert isinstance(await face.cloud.poll(unknown), StillRunning)
        assert not isinstance(await face.cloud.poll(unknown), Ended)
        assert await face.cloud.patches_of(target("site1"), "4e1a3ba3-6a4a-4a04-9a3c-0c3d3a3b0f10") == []

    play(scenario)
