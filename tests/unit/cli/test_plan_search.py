"""What `plan` and `explain` say of lanes that are longer than their rules force, with and without the exhaustive search."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.cli import planning
from orchestrator.inventory import native
from orchestrator.planner.document import parse
from orchestrator.wiring import plans
from tests.fleet import inventory, vm
from tests.unit.cli.conftest import Typed

TRIANGLE = """\
version: 1
name: triangle
select: {tags: {patching: monthly}}
change: {patches: {}}
rules:
  - {max_unavailable: 1, of: {tags: {x: "1"}}}
  - {max_unavailable: 1, of: {tags: {y: "1"}}}
  - {max_unavailable: 1, of: {tags: {z: "1"}}}
stages: [{name: all}]
"""
"""Three services on three machines, two each: no rule alone forces a third wave."""

PLAN = ("plan", "-i", "fleet.json", "-p", "rules.yaml", "-o", "plan.json")


@pytest.fixture
def triangle(wavekeeper: Typed, tmp_path: Path) -> Typed:
    """Types commands beside three machines that share services two by two."""
    machines = (
        vm(f"m-{two}", tags={"patching": "monthly", **dict.fromkeys(two, "1")}) for two in ("xy", "yz", "xz")
    )
    (tmp_path / "fleet.json").write_bytes(native.dump(inventory(*machines)))
    (tmp_path / "rules.yaml").write_text(TRIANGLE)
    return wavekeeper


def test_a_search_that_proved_a_lane_is_named(triangle: Typed, tmp_path: Path) -> None:
    """In the summary, in the file, and in the lane's reason."""
    said = _words(triangle(*PLAN).out)
    made = parse((tmp_path / "plan.json").read_bytes(), "plan.json")

    assert "every lane is as short as its rules allow, as ortools 9." in said
    assert made.solver.startswith("ortools 9.")
    assert "proven by exhaustive search: no plan of these 3 machines has fewer than 3 waves" in _words(
        triangle("explain", "--plan", "plan.json").out
    )
    assert triangle("check", "-i", "fleet.json", "plan.json").code == 0


def test_where_it_is_missing_it_is_said_what_to_install(
    triangle: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is made all the same."""
    for module in (plans, planning):
        monkeypatch.setattr(module, "solver", lambda: None)
    said = _words(triangle(*PLAN).out)

    assert (
        "0 of 1 lanes are as short as their rules allow; 1 may be longer than need be, by 1 wave at most"
        in said
    )
    assert 'search for shorter ones after `pip install "wavekeeper[exact]"`' in said
    assert "exhaustive" not in triangle("explain", "--plan", "plan.json").out


def test_what_is_too_large_for_it_is_not_blamed_on_what_is_missing(
    triangle: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to install what is there."""
    monkeypatch.setattr("orchestrator.planner.search.MOST_CHOICES", 3)
    said = _words(triangle(*PLAN).out)

    assert "too large to be searched to the end" in said
    assert "pip install" not in said


def _words(text: str) -> str:
    """The text in one line, however it was broken."""
    return re.sub(r"\s+", " ", text)
