"""What time and whoever else does to machines, as every face of the world tells it: months, the hotpatch track, scripts, others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.cloud.port import Accepted, Unsettled
from orchestrator.emulator.faults import ForeignRun
from orchestrator.emulator.months import Calendar, month_of
from orchestrator.inventory.assessments import assessment_from
from orchestrator.inventory.model import AppHealth, Image, Os, RebootBehavior, Update
from orchestrator.policy.change import RunCommand, Script
from orchestrator.policy.model import Patches, Reboot, Restart
from tests.contracts.faces import FACES, Face, Play, aimed, player
from tests.fleet import inventory, vm

AZURE = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest")
PLAIN = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")
HOT = vm("hot", os=Os.WINDOWS, image=AZURE, patch_mode="AutomaticByPlatform", app_health=AppHealth.HEALTHY)
COLD = vm("cold", os=Os.WINDOWS, image=PLAIN, app_health=AppHealth.HEALTHY)
FLEET = inventory(HOT, COLD)
RELEASE = datetime(2026, 12, 8, 17, tzinfo=UTC)
BEFORE = RELEASE - timedelta(
    hours=2
)  # on the wire some seconds, which a busy machine may take for an assessment
HOTPATCHES = Patches(hotpatch_only=True, reboot=Reboot.NEVER)


@pytest.fixture(params=FACES)
def play(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Runs a scenario over each of the faces."""
    return player(request.param, FLEET, monkeypatch, tmp_path)


async def found(face: Face, machine: str) -> list[Update]:
    """The system's updates that an assessment finds, those of tools left aside."""
    one = HOT if machine == "hot" else COLD
    answer = await face.cloud.assess(aimed(one), "key-a", 5)
    assert isinstance(answer, Accepted)
    ended = await face.followed(answer.operation)
    updates = assessment_from(ended.result).updates or ()
    return [update for update in updates if "Hotpatch" in update.name or "Cumulative" in update.name]


async def outages(face: Face) -> int:
    """How often a machine was out so far."""
    return sum(json.loads(line)["event"] == "out" for line in face.audit())


def test_a_new_month_supersedes_the_last(play: Play) -> None:
    """After a release the newest is found in place of the one before, which a date and its number still find."""

    async def scenario(face: Face) -> None:
        (november, *_) = [update for update in await found(face, "cold") if ".NET" not in update.name]
        await face.clock.sleep(max(0.0, (RELEASE - face.clock.now()).total_seconds()) + 1)
        (december, *_) = [update for update in await found(face, "cold") if ".NET" not in update.name]
        assert (november.name[:7], december.name[:7]) == ("2026-11", "2026-12")
        frozen = Patches(published_until=BEFORE, reboot=Reboot.NEVER)
        ended = await face.followed(await face.begun(aimed(COLD), frozen))
        states = {patch["kbId"]: patch["installationState"] for patch in ended.result["patches"]}
        assert (states[november.kb], states[december.kb]) == ("Installed", "NotSelected")
        assert december in await found(face, "cold")

    play(scenario, start=BEFORE)


def test_a_hotpatch_month_needs_no_restart(play: Play) -> None:
    """Installed without an outage and without one due; nothing is found after it."""

    async def scenario(face: Face) -> None:
        (hotpatch,) = await found(face, "hot")
        assert hotpatch.reboot is RebootBehavior.NEVER
        ended = await face.followed(await face.begun(aimed(HOT), HOTPATCHES))
        assert (ended.result["rebootStatus"], ended.result["installedPatchCount"]) == ("NotNeeded", 1)
        assert await found(face, "hot") == []
        assert await outages(face) == 0
        assert not (await face.cloud.view(aimed(HOT))).restart_pending

    play(scenario)


def test_a_baseline_month_needs_one(play: Play) -> None:
    """An unplanned one too: it is named as always restarting, nothing of it is a hotpatch, and Never leaves the restart due."""

    async def scenario(face: Face) -> None:
        (baseline,) = await found(face, "hot")
        assert baseline.reboot is RebootBehavior.ALWAYS
        only = await face.followed(await face.begun(aimed(HOT), HOTPATCHES))
        assert (only.result["installedPatchCount"], only.result["excludedPatchCount"]) == (0, 1)
        ended = await face.followed(await face.begun(aimed(HOT), Patches(reboot=Reboot.NEVER)))
        assert ended.result["rebootStatus"] == "Required"
        assert (await face.cloud.view(aimed(HOT))).restart_pending
        await face.followed(await face.begun(aimed(HOT), Restart()))
        assert await found(face, "hot") == []
        assert not (await face.cloud.view(aimed(HOT))).restart_pending

    play(scenario, calendar=Calendar(unplanned=frozenset({month_of(2026, 11)})))


def test_a_colleague_s_update_leaves_the_track(play: Play) -> None:
    """Their run is seen and not raced; afterwards the month's hotpatch is no longer offered, and the next month restarts."""

    async def scenario(face: Face) -> None:
        await face.clock.sleep(90)
        assert (await face.cloud.view(aimed(HOT))).installing
        assert isinstance(await face.cloud.start(aimed(HOT), HOTPATCHES, "key-1", 5), Unsettled)
        while (await face.cloud.view(aimed(HOT))).installing:
            await face.clock.sleep(60)
        assert await found(face, "hot") == []
        events = [json.loads(line) for line in face.audit()]
        (begun,) = [line for line in events if line["event"] == "install"]
        assert (begun["by"], begun["who"]) == ("foreign", "colleague")
        assert [line["event"] for line in events if "track" in line["event"]] == ["left_hotpatch_track"]

    colleague = ForeignRun(machines=("hot",), at=timedelta(seconds=30), takes="cumulative")
    play(scenario, colleague)


def test_a_script_takes_an_update_away(play: Play) -> None:
    """What it took is found again, and a restart is due."""

    async def scenario(face: Face) -> None:
        (hotpatch,) = await found(face, "hot")
        await face.followed(await face.begun(aimed(HOT), HOTPATCHES))
        text = f"wusa /uninstall /kb:{hotpatch.kb} /quiet /norestart"
        command = RunCommand(Script("undo.ps1", text, "0" * 64), Os.WINDOWS)
        answer = await face.cloud.start(aimed(HOT), command, "key-2", 5)
        assert isinstance(answer, Accepted)
        assert (await face.followed(await face.cloud.command_of(aimed(HOT), "key-2"))).succeeded
        assert await found(face, "hot") == [hotpatch]
        assert (await face.cloud.view(aimed(HOT))).restart_pending

    play(scenario)
