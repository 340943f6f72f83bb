"""`wavekeeper assess`, and plans of fleets that were assessed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from orchestrator.inventory import native
from tests.fleet import SUBSCRIPTION
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_emulator import emulated

HOT = "version: 1\nname: hot\nselect: {os: windows}\nchange: {patches: {hotpatch_only: true}}\nstages: [{name: all}]\n"
LINUX = "version: 1\nname: packages\nselect: {os: linux}\nchange: {patches: {classifications: [security]}}\nstages: [{name: all}]\n"


@pytest.mark.process
def test_a_fleet_is_assessed_once(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """What each machine would get is told and kept; the next command, and a plan, know it without asking."""
    (tmp_path / "hot.yaml").write_text(HOT)
    (tmp_path / "linux.yaml").write_text(LINUX)
    with emulated(tmp_path, "--json", "--time-scale", "1200") as line:
        live = ("-s", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"])
        first = wavekeeper("assess", *live, "-o", "found.json")
        again = wavekeeper("assess", *live, "--all", "--json")
        planned = wavekeeper("plan", *live, "-p", "linux.yaml", "--json")
        hot = wavekeeper("assess", *live, "-p", "hot.yaml")

    assert first.code == 0, first.err
    assert "11 machines assessed; 0 had been in the last 24h; 0 failed, 1 not asked" in first.out
    assert "it is deallocated" in first.out
    assert "11 of 11 have answered" in first.err
    held = native.parse(orjson.loads((tmp_path / "found.json").read_bytes()))
    assert sum(machine.patches.updates is not None for machine in held.machines) == 11

    told = again.json()
    assert (again.code, told["asked"], told["recent"]) == (0, 0, 11)
    web = next(machine for machine in told["machines"] if machine["name"] == "web-1")
    assert "openssl" in {update["name"] for update in web["gets"]}
    assert "in the versions that assessments found" in planned.json()["pinned"]
    assert "of 3 machines would get" in hot.out
    assert ", by hot" in hot.out


@pytest.mark.process
def test_a_plan_asks_first_where_it_is_told_to(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """And nobody otherwise: then Linux' set isn't pinned, which the plan says."""
    (tmp_path / "linux.yaml").write_text(LINUX)
    with emulated(tmp_path, "--json", "--time-scale", "1200") as line:
        live = ("-s", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"], "-p", "linux.yaml")
        without = wavekeeper("plan", *live)
        asked = wavekeeper("plan", *live, "--assess")

    assert "the set isn't pinned for 8 Linux machines" in without.out
    assert "8 machines assessed; 0 had been lately" in asked.err
    assert "one set for all waves" in asked.out
    assert "in the versions that assessments found" in asked.out


@pytest.mark.process
def test_who_may_not_ask_is_told_the_right_that_is_missing(
    wavekeeper: Typed, fleet: str, tmp_path: Path
) -> None:
    """Exit code 7: machines are left of which nobody knows."""
    with emulated(tmp_path, "--json", "--rights", "reader") as line:
        ran = wavekeeper("assess", "-s", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"])

    assert ran.code == 7
    assert "Failed: 11 machines" in ran.out
    assert (
        "have a role granted that includes Microsoft.Compute/virtualMachines/assessPatches/action" in ran.out
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--campaign", "x"), "give them with --policies"),
        (("-p", "hot.yaml", "--select", "os=linux"), "leave --select away"),
        (("-p", "boot.yaml"), "no campaign among these policies that installs patches"),
        (("-p", "hot.yaml", "--campaign", "cold"), "no campaign cold"),
        (("--older-than", "1 day"), "--older-than: `1 day` isn't a duration; write 1d"),
        (("-o", "found.txt"), "ends in .json"),
    ],
)
def test_wrong_use(wavekeeper: Typed, fleet: str, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    """Told before anybody is asked anything."""
    (tmp_path / "hot.yaml").write_text(HOT)
    (tmp_path / "boot.yaml").write_text(
        "version: 1\nname: boot\nselect: {os: linux}\nchange: {restart: {}}\n"
    )
    ran = wavekeeper("assess", "-i", fleet, *words)

    assert ran.code == 1
    assert says in ran.err


def test_an_age_without_an_assessment_says_nothing(wavekeeper: Typed, fleet: str) -> None:
    """Whoever gives it expects that somebody is asked."""
    for command in ("plan", "rollout"):
        ran = wavekeeper(command, "-i", fleet, "-p", "rules", "--older-than", "12h")

        assert ran.code == 1
        assert "nobody is assessed without --assess" in ran.err


def test_nothing_to_assess_before_a_restart(wavekeeper: Typed, fleet: str) -> None:
    """It installs nothing."""
    ran = wavekeeper("plan", "-i", fleet, "--change", "restart", "--select", "os=linux", "--assess")

    assert ran.code == 1
    assert "nothing is installed, so there is nothing to assess" in ran.err
