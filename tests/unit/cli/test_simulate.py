"""`wavekeeper simulate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import AppHealth, Os
from tests.fleet import inventory, vm
from tests.unit.cli.conftest import Typed

BEGINNINGS = {"svg": b"<?xml", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
ALWAYS = "version: 1\nmachines: [{comes_back_unhealthy: 100%}]\n"


POLICY = "version: 1\nname: monthly\nselect: {tags: {app: shop}}\nchange: {patches: {}}\n"


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    """Six machines of which everything is known."""
    well = {"os": Os.LINUX, "app_health": AppHealth.HEALTHY, "tags": {"app": "shop"}}
    machines = inventory(
        *(vm(f"web-{n}", **well) for n in range(6)), taken_at=datetime(2026, 1, 5, 8, tzinfo=UTC)
    )
    (tmp_path / "fleet.json").write_bytes(native.dump(machines))
    return "fleet.json"


@pytest.fixture
def plan(wavekeeper: Typed, fleet: str, tmp_path: Path) -> str:
    """A campaign of all of them."""
    (tmp_path / "monthly.yaml").write_text(POLICY)
    assert wavekeeper("plan", "-i", fleet, "-p", "monthly.yaml", "-o", "plan.json").code == 0
    return "plan.json"


@pytest.fixture
def always(tmp_path: Path) -> Path:
    """A file that assumes that everything comes back unhealthy."""
    path = tmp_path / "always.yaml"
    path.write_text(ALWAYS)
    return path


def test_a_reviewed_plan_that_always_fails_stops_in_the_canary(
    wavekeeper: Typed, fleet: str, plan: str, always: Path
) -> None:
    """In all runs; the answer comes first, the judge last."""
    ran = wavekeeper("simulate", plan, "-i", fleet, "-a", always, "--runs", 3, "-j", 1)

    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("Plan monthly: install ")
    assert lines[1] == "  It finishes in none of 3 runs."
    assert (
        lines[2]
        == "  It stops in 3 of 3 runs (100%): 3 in canary. More runs would say between 43.9% and 100%."
    )
    assert "such as --seed 1 --runs 1 after" in ran.out
    assert (
        lines[-1] == "✓ every run was judged independently by what really happened in it: no rule was broken"
    )


@pytest.mark.parametrize("form", BEGINNINGS)
def test_it_is_drawn_too(wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path, form: str) -> None:
    """By the ending of the file's name; the same runs give the same bytes."""
    drawn = []
    for _ in range(2):
        ran = wavekeeper("simulate", plan, "-i", fleet, "--runs", 1, "-j", 1, "-o", f"odds.{form}")
        assert (ran.code, ran.err) == (0, "")
        drawn.append((tmp_path / f"odds.{form}").read_bytes())
    assert drawn[0].startswith(BEGINNINGS[form])
    assert drawn[0] == drawn[1]


def test_programs_get_everything(wavekeeper: Typed, fleet: str, plan: str, always: Path) -> None:
    """Also of what it is compared with: here the same, so that nothing may differ."""
    ran = wavekeeper(
        "simulate", plan, "-i", fleet, "-a", always, "--against", plan, "--runs", 2, "-j", 1, "--json"
    )
    told = ran.json()

    assert (told["seed"], told["new"]["runs"], told["new"]["stop_rate"]) == (1, 2, 1.0)
    assert told["new"] == told["against"]
    (stop,) = told["new"]["stops"]
    assert (stop["stage"], stop["why"], stop["runs"]) == ("canary", "unhealthy", 2)


def test_two_plans_are_told_side_by_side(wavekeeper: Typed, fleet: str, plan: str) -> None:
    """With the difference first."""
    ran = wavekeeper("simulate", plan, "-i", fleet, "--against", plan, "--runs", 1, "-j", 1)

    assert ran.code == 0
    assert "plan.json against plan.json: it ends mostly after" in ran.out.splitlines()[1]
    assert "stops in 0% of the runs as before" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan.pdf",), "name a file that ends in .svg, .png or .html"),
    ],
)
def test_another_ending_is_wrong_use(
    wavekeeper: Typed, fleet: str, plan: str, words: tuple[str], said: str
) -> None:
    """Before anything is run."""
    ran = wavekeeper("simulate", plan, "-i", fleet, "-o", *words)
    assert ran.code == 1
    assert said in ran.err


def test_a_plan_and_policies_are_one_too_many(wavekeeper: Typed, fleet: str, plan: str) -> None:
    """What is compared with goes elsewhere."""
    ran = wavekeeper("simulate", plan, "-i", fleet, "-p", ".")
    assert ran.code == 1
    assert "give either a plan or --policies, not both" in ran.err


def test_wrong_assumptions_are_told_like_wrong_policies(
    wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path
) -> None:
    """Each with its place, and nothing is done."""
    (tmp_path / "a.yaml").write_text("version: 1\nmachines: [{instal_fails: 1%}]\nfaults: nowhere.yaml\n")
    ran = wavekeeper("simulate", plan, "-i", fleet, "-a", "a.yaml")
    assert ran.code == 2
    assert "a.yaml:2:13: unknown key `instal_fails`; did you mean `install_fails`?" in ran.err

    (tmp_path / "a.yaml").write_text("version: 1\nfaults: nowhere.yaml\n")
    ran = wavekeeper("simulate", plan, "-i", fleet, "-a", "a.yaml")
    assert ran.code == 2
    assert "a.yaml:2:1: its faults: nowhere.yaml: the fault file can't be read" in ran.err


def test_holds_are_kept_and_an_emergency_shortens(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """As in what runs: who is held for long is left out, a bake is cut; both are noted, and each run is judged by the holds too."""
    (tmp_path / "monthly.yaml").write_text(POLICY)
    asked = ("simulate", "-p", "monthly.yaml", "-i", fleet, "--runs", 2, "-j", 1, "--journal", "j.db")
    wavekeeper("hold", "name=web-5", "--until", "80d", "--reason", "a disk", "--journal", "j.db")
    usual = wavekeeper(*asked, "--json").json()["new"]
    held = wavekeeper(*asked, "--holds")
    assert "under 1 hold: h1" in held.out
    hurried = wavekeeper(*asked, "--emergency", "CVE-1")
    assert "in an EMERGENCY: CVE-1" in hurried.out
    told = wavekeeper(*asked, "--holds", "--emergency", "CVE-1", "--json").json()["new"]
    assert told != usual
