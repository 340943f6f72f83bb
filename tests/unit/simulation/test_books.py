"""Files of tests, with what they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import PolicyError, UsageError
from orchestrator.inventory import native
from orchestrator.simulation.books import open_books
from tests.fleet import inventory, vm
from tests.rehearsing import CAMPAIGN, FLEET

TEST = "tests: [{name: a, expect: [{waves_at_most: 9}]}]\n"


def test_policies_and_inventories_are_named_from_the_tests_folder_on(tmp_path: Path) -> None:
    """All policies of its folder by default, without the tests themselves."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "fleet.json").write_bytes(native.dump(inventory(vm("a", tags={"app": "shop"}))))
    (tmp_path / "rules" / "a.test.yaml").write_text(
        f"version: 1\nfleet: {{inventory: ../fleet.json}}\n{TEST}"
    )

    (one,) = open_books([tmp_path])

    assert [policy.name for policy in one.policies] == ["monthly"]
    assert [machine.name for machine in one.fleet.machines] == ["a"]
    assert one.perform().passed


def test_everything_that_is_wrong_in_any_file_is_told(tmp_path: Path) -> None:
    """Tests, the policies that they name, and inventories."""
    (tmp_path / "a.yaml").write_text("version: 1\nname: a\nslect: {}\n")
    (tmp_path / "a.test.yaml").write_text(FLEET + TEST)
    (tmp_path / "b.test.yaml").write_text(
        f"version: 1\npolicies: nowhere\nfleet: {{inventory: x.json}}\n{TEST}"
    )

    with pytest.raises(PolicyError) as raised:
        open_books([tmp_path])

    said = str(raised.value)
    assert "unknown key `slect`" in said
    assert "there is no policy file or folder" in said


def test_an_inventory_that_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    """And so are two machines of one name."""
    (tmp_path / "a.yaml").write_text(CAMPAIGN)
    (tmp_path / "b.test.yaml").write_text(f"version: 1\nfleet: {{inventory: x.json}}\n{TEST}")
    (tmp_path / "c.test.yaml").write_text(
        f"version: 1\nfleet: {{machines: [{{name: a}}, {{name: a}}]}}\n{TEST}"
    )

    with pytest.raises(PolicyError) as raised:
        open_books([tmp_path])

    first, second = raised.value.problems
    assert (Path(first.file).name, first.line, "there is no inventory" in first.what) == (
        "b.test.yaml",
        2,
        True,
    )
    assert (Path(second.file).name, second.line) == ("c.test.yaml", 2)


def test_a_folder_without_tests_is_an_error(tmp_path: Path) -> None:
    """Nothing tested would look like everything passed."""
    with pytest.raises(UsageError, match="holds no test"):
        open_books([tmp_path])
