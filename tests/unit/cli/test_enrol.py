"""`wavekeeper enrol` and `unenrol`, over the wire with the real SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Os, PatchSettings
from tests.fleet import SUBSCRIPTION, inventory, vm
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_emulator import ROOT, emulated


def settings_in(path: str) -> dict[str, tuple[object, object]]:
    """Patch mode and settings of each machine of an inventory file."""
    machines = orjson.loads(Path(path).read_bytes())["machines"]
    return {one["name"]: (one["patch_mode"], one.get("patch_settings")) for one in machines}


@pytest.mark.process
def test_there_and_back_again(wavekeeper: Typed, tmp_path: Path) -> None:
    """Everything is set and read back; unenrol leaves each machine as it was found, with what was absent absent."""
    fleet = inventory(
        vm("win", os=Os.WINDOWS, patch_mode="AutomaticByOS", patch_settings=PatchSettings(automatic_updates=True)),
        vm("lin", os=Os.LINUX, patch_mode="ImageDefault", patch_settings=PatchSettings(assessment_mode="ImageDefault")),
        vm("right", os=Os.LINUX, patch_mode="AutomaticByPlatform", patch_settings=PatchSettings(bypasses_safety_checks=True)),
    )  # fmt: skip
    (tmp_path / "fleet.json").write_bytes(native.dump(fleet))
    with emulated(tmp_path, "--json", "--time-scale", "3000") as line:
        endpoint = ("--endpoint", orjson.loads(line)["url"])
        live = ("-s", SUBSCRIPTION, *endpoint)
        wavekeeper("inventory", *live, "-o", "before.json")
        shown = wavekeeper("enrol", *live, "-o", "enrol.json", "--json")
        assert {one["machine"].rsplit("/", 1)[1] for one in shown.json()["settings"]} == {"win", "lin"}
        ran = wavekeeper("enrol", *live, "--journal", "j.db", "--yes")
        assert ran.code == 0, ran.err
        assert "1 machine is right already" in ran.out
        assert "✓ read back: 2 machines as wanted" in ran.err
        wavekeeper("inventory", *live, "-o", "between.json")
        assert {mode for mode, _ in settings_in("between.json").values()} == {"AutomaticByPlatform"}
        back = wavekeeper("unenrol", "enrol-", *endpoint, "--journal", "j.db", "--yes")
        assert back.code == 0, back.err
        wavekeeper("inventory", *live, "-o", "after.json")
    assert settings_in("after.json") == settings_in("before.json")


def test_a_file_is_planned_from_and_not_run(wavekeeper: Typed, fleet: str) -> None:
    """Settings are what they are in Azure, not what a file says they were."""
    ran = wavekeeper("enrol", "-i", fleet)
    assert (ran.code, "a file tells how settings were" in ran.err) == (1, True)
    assert wavekeeper("enrol", "-i", fleet, "-o", "plan.json", "--select", "tag:tier=db").code == 0
    plan = orjson.loads(Path("plan.json").read_bytes())
    assert plan["change"]["kind"] == "enrolment"
    assert len(plan["change"]["settings"]) == 3


def test_a_rollout_that_enrolled_nobody(wavekeeper: Typed) -> None:
    """Without a journal there is nothing to take back."""
    assert wavekeeper("unenrol", "patches-1", "--journal", "none.db").code == 1


@pytest.mark.process
def test_the_same_command_goes_on_after_a_kill(wavekeeper: Typed, tmp_path: Path) -> None:
    """Killed in its first wave: the journal knows the enrolment, and the same command ends it instead of planning another."""
    fleet = inventory(*(vm(f"win-{n}", os=Os.WINDOWS, patch_mode="AutomaticByOS") for n in (1, 2)))
    (tmp_path / "fleet.json").write_bytes(native.dump(fleet))
    with emulated(tmp_path, "--json", "--time-scale", "1000") as line:
        words = (
            "enrol",
            "-s",
            SUBSCRIPTION,
            "--endpoint",
            orjson.loads(line)["url"],
            "--journal",
            "j.db",
            "--yes",
        )
        command = [sys.executable, "-m", "orchestrator", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert any("wave 1 of 1 opened" in said for said in process.stdout)
            process.kill()
        ran = wavekeeper(*words)
    assert ran.code == 0, ran.err
    assert "is not over: going on with it" in ran.err
    assert "✓ read back: 2 machines as wanted" in ran.err
