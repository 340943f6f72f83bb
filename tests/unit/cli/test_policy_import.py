"""`wavekeeper policy import`."""

from __future__ import annotations

from pathlib import Path

import orjson

from tests.unit.cli.conftest import Typed
from tests.unit.drafting.test_maintenance import rest


def test_a_configuration_becomes_a_policy_that_check_accepts(wavekeeper: Typed, tmp_path: Path) -> None:
    """Kept in a new file; a second time it is left as it is."""
    (tmp_path / "mc.json").write_bytes(orjson.dumps(rest({"recurEvery": "2Weeks Saturday"})))

    made = wavekeeper("policy", "import", "mc.json", "--select", "tag:app=shop", "-o", "mc.yaml")
    checked = wavekeeper("policy", "check", "mc.yaml")
    again = wavekeeper("policy", "import", "mc.json", "-o", "mc.yaml")

    assert (made.code, made.out, checked.code) == (0, "", 0)
    assert "- it recurs every 2 weeks" in made.err
    assert (again.code, "is there already" in again.err) == (1, True)


def test_without_a_file_it_is_printed_and_programs_get_json(wavekeeper: Typed, tmp_path: Path) -> None:
    """The text alone on one stream, what is unsaid on the other."""
    (tmp_path / "mc.json").write_bytes(orjson.dumps(rest()))

    printed, told = (
        wavekeeper("policy", "import", "mc.json"),
        wavekeeper("policy", "import", "mc.json", "--json"),
    )

    assert printed.out.startswith("# Made of the Azure maintenance configuration mc-nights")
    assert told.json()["policy"] == printed.out
    assert len(told.json()["unsaid"]) == 1


def test_what_is_no_configuration_is_told_with_its_file(wavekeeper: Typed, tmp_path: Path) -> None:
    """JSON or not."""
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text("{}")

    assert "a.json: not JSON" in wavekeeper("policy", "import", "a.json").err
    assert "b.json: not a maintenance configuration" in wavekeeper("policy", "import", "b.json").err
