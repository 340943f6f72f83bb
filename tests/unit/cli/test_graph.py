"""`wavekeeper graph`."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.graph import waves_of
from tests.builders import lane, plan_of, stage
from tests.fleet import vm_id
from tests.unit.cli.conftest import Typed

BEGINNINGS = {"svg": b"<?xml", "png": b"\x89PNG", "graphml": b"<graphml"}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_the_ending_says_what_is_drawn(wavekeeper: Typed, fleet: str, tmp_path: Path, form: str) -> None:
    """Pictures for people, GraphML for programs."""
    ran = wavekeeper("graph", "-i", fleet, "-o", f"fleet.{form}")
    assert (0, f"12 machines drawn in fleet.{form}\n") == (ran.code, ran.out)
    assert (tmp_path / f"fleet.{form}").read_bytes().startswith(BEGINNINGS[form])


@pytest.mark.parametrize("name", ["fleet.pdf", "fleet"])
def test_another_ending_is_wrong_use(wavekeeper: Typed, fleet: str, tmp_path: Path, name: str) -> None:
    """It says which endings there are, and draws nothing."""
    ran = wavekeeper("graph", "-i", fleet, "-o", name)
    assert ran.code == 1
    assert "name a file that ends in .svg, .png or .graphml" in ran.err
    assert not (tmp_path / name).exists()


def test_with_a_plan_machines_have_the_colour_of_their_wave(
    wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path
) -> None:
    """The legend names stages and waves, and the title the plan."""
    assert wavekeeper("graph", "-i", fleet, "-o", "state.svg").code == 0
    assert wavekeeper("graph", "-i", fleet, "-o", "waves.svg", "--plan", plan).code == 0
    drawn = (tmp_path / "waves.svg").read_text()
    assert drawn != (tmp_path / "state.svg").read_text()


def test_graphml_has_no_colours(wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path) -> None:
    """A plan would be passed over silently, so it is refused."""
    ran = wavekeeper("graph", "-i", fleet, "-o", "fleet.graphml", "--plan", plan)
    assert ran.code == 1
    assert "leave --plan away" in ran.err
    assert not (tmp_path / "fleet.graphml").exists()


def test_programs_are_told_what_was_drawn(wavekeeper: Typed, fleet: str) -> None:
    """The file, its form, and how much is in it."""
    told = wavekeeper("graph", "-i", fleet, "-o", "fleet.graphml", "--json").json()
    assert told == {"file": "fleet.graphml", "form": "graphml", "machines": 12}


def test_waves_are_counted_along_the_lanes() -> None:
    """A lane's first wave comes after the last of every lane that it waits for."""
    made = plan_of(
        lane("one", "a", "b", stage="pilot"),
        lane("side", "e", stage="pilot"),
        lane("two", "c d", stage="pilot", after=["one"]),
        lane("last", "f"),
        stages=[stage("canary"), stage("pilot"), stage("broad")],
    )
    expected = [
        ("a", "pilot 1"),
        ("e", "pilot 1"),
        ("b", "pilot 2"),
        ("c", "pilot 3"),
        ("d", "pilot 3"),
        ("f", "broad 1"),
    ]
    assert [(vm_id(name), wave) for name, wave in expected] == list(waves_of(made).items())
