"""`wavekeeper policy new`."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.inventory import native
from tests.unit.cli.conftest import Typed, company


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """An inventory file."""
    path = tmp_path / "fleet.json"
    path.write_bytes(native.dump(company()))
    return path


def test_it_writes_a_policy_that_check_and_plan_accept(wavekeeper: Typed, fleet: Path) -> None:
    """Of the machines that are selected, named for the selection; and never over a file that is there."""
    made = wavekeeper("policy", "new", "--select", "tag:app=shop", "-i", fleet, "-o", "shop.yaml")
    checked = wavekeeper("policy", "check", "shop.yaml", "-i", fleet)
    planned = wavekeeper("plan", "-p", "shop.yaml", "-i", fleet)
    again = wavekeeper("policy", "new", "-i", fleet, "-o", "shop.yaml")

    assert (made.code, made.out, checked.code, planned.code) == (0, "", 0, 0)
    assert "it plans " in made.err
    assert "name: shop\n" in Path("shop.yaml").read_text()
    assert (again.code, "is there already" in again.err) == (1, True)


def test_without_a_file_it_is_printed_and_programs_get_json(wavekeeper: Typed, fleet: Path) -> None:
    """The same text."""
    printed = wavekeeper("policy", "new", "-i", fleet, "--name", "mine")
    told = wavekeeper("policy", "new", "-i", fleet, "--name", "mine", "--json")

    assert 'name: mine\nselect: {names: "*"}\n' in printed.out
    assert told.json()["policy"] == printed.out


def test_a_selection_of_nobody_is_refused(wavekeeper: Typed, fleet: Path) -> None:
    """Exit code 3; nothing is written."""
    ran = wavekeeper("policy", "new", "--select", "tag:app=sohp", "-i", fleet, "-o", "x.yaml")
    assert (ran.code, "none of " in ran.err, Path("x.yaml").exists()) == (3, True, False)


def test_an_editor_is_told_of_the_schema_that_stands_beside(wavekeeper: Typed, fleet: Path) -> None:
    """By the first line of the file; where there is none, whoever writes the policy is told how to get it."""
    without = wavekeeper("policy", "new", "-i", fleet, "-o", "one.yaml")
    wavekeeper("policy", "schema", "-o", "schema.json")
    with_schema = wavekeeper("policy", "new", "-i", fleet, "-o", "two.yaml")

    hint = "# yaml-language-server: $schema=schema.json\n"
    assert "wavekeeper policy schema -o schema.json" in without.err
    assert hint not in Path("one.yaml").read_text()
    assert "policy schema" not in with_schema.err
    assert Path("two.yaml").read_text().startswith(hint)
    assert wavekeeper("policy", "check", "two.yaml", "-i", fleet).code == 0
