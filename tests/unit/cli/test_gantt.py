"""`wavekeeper gantt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Typed

BEGINNINGS = {"svg": b"<?xml", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_the_ending_says_what_is_drawn(wavekeeper: Typed, plan: str, tmp_path: Path, form: str) -> None:
    """A picture, or a page."""
    ran = wavekeeper("gantt", plan, "-o", f"plan.{form}")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(f"lanes drawn in plan.{form}\n")
    assert (tmp_path / f"plan.{form}").read_bytes().startswith(BEGINNINGS[form])


@pytest.mark.parametrize("name", ["plan.pdf", "plan"])
def test_another_ending_is_wrong_use(wavekeeper: Typed, plan: str, tmp_path: Path, name: str) -> None:
    """It says which endings there are, and draws nothing."""
    ran = wavekeeper("gantt", plan, "-o", name)

    assert ran.code == 1
    assert "name a file that ends in .svg, .png or .html" in ran.err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("start", "axis"),
    [("2026-12-11T20:00+01:00", "11 Dec"), ("2026-12-11T20:00", "11 Dec"), ("2026-12-12", "12 Dec")],
)
def test_with_a_start_hours_are_drawn(
    wavekeeper: Typed, plan: str, tmp_path: Path, start: str, axis: str
) -> None:
    """Of a forecast that begins then; without a time zone it is UTC."""
    assert wavekeeper("gantt", plan, "-o", "plan.svg", "--start", start).code == 0
    drawn = (tmp_path / "plan.svg").read_text()
    assert axis in drawn
    assert "earliest end: 2026-12-1" in drawn


def test_a_start_that_is_none_is_wrong_use(wavekeeper: Typed, plan: str) -> None:
    """With one that is."""
    ran = wavekeeper("gantt", plan, "-o", "plan.svg", "--start", "tonight")

    assert (ran.code, ran.out) == (1, "")
    assert "--start tonight is no moment; write it like 2026-12-11T20:00+01:00" in ran.err


def test_an_inventory_colours_by_state(wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path) -> None:
    """The legend says what colours mean."""
    assert wavekeeper("gantt", plan, "-o", "plan.svg", "-i", fleet).code == 0
    drawn = (tmp_path / "plan.svg").read_text()
    assert ">runs<" in drawn
    assert ">1 machine<" not in drawn


def test_programs_are_told_what_was_drawn(wavekeeper: Typed, plan: str) -> None:
    """The file, its form, and how much is in it."""
    told = wavekeeper("gantt", plan, "-o", "plan.svg", "--json").json()
    lanes = wavekeeper("explain", "--plan", plan, "--json").json()["lanes"]

    assert told == {"file": "plan.svg", "form": "svg", "lanes": lanes}


def test_the_plan_of_another_fleet_is_told(wavekeeper: Typed, plan: str, tmp_path: Path) -> None:
    """It's drawn, and whoever asked is told that none of its machines was found."""
    other = (tmp_path / "fleet.json").read_text().replace("rg-shop", "rg-else")
    (tmp_path / "other.json").write_text(other)
    ran = wavekeeper("gantt", plan, "-o", "plan.svg", "-i", "other.json")

    assert ran.code == 0
    assert "is it the plan of this fleet?" in ran.err
