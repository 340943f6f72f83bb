"""`wavekeeper policy test`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.rehearsing import CAMPAIGN, FLEET
from tests.unit.cli.conftest import Typed

TESTS = f"""{FLEET}tests:
  - name: databases keep their quorum
    expect: [{{at_least_serving: majority, of: {{tags: {{tier: db}}}}}}]
  - name: web is never thin
    expect: [{{at_most_out: 1, of: {{tags: {{tier: web}}}}}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one policy and two tests, of which one fails."""
    held = tmp_path / "policies"
    held.mkdir()
    (held / "monthly.yaml").write_text(CAMPAIGN)
    (held / "shop.test.yaml").write_text(TESTS)
    return held


def test_each_test_has_a_line_and_a_failure_its_reasons(wavekeeper: Typed, folder: Path) -> None:
    """Exit code 2: the policies don't do what their tests say."""
    ran = wavekeeper("policy", "test")

    lines = ran.out.splitlines()
    assert ran.code == 2
    assert lines[:3] == [
        "policies/shop.test.yaml",
        "  ✓ databases keep their quorum  (9 machines, 7 waves)",
        "  ✗ web is never thin  (9 machines, 7 waves)",
    ]
    assert lines[3].strip() == "policies/shop.test.yaml:12: expected at most 1 of tier=web out at once"
    assert lines[-1] == "1 of 2 tests failed"


def test_only_the_tests_that_are_asked_for_run(wavekeeper: Typed, folder: Path) -> None:
    """By a text of their name; none at all is a mistake."""
    ran = wavekeeper("policy", "test", folder, "-k", "QUORUM")
    none = wavekeeper("policy", "test", folder, "-k", "xyz")

    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 test passed")
    assert (none.code, none.err) == (1, "wavekeeper: no test has `xyz` in its file or name\n")


def test_programs_get_json_and_build_servers_junit(wavekeeper: Typed, folder: Path) -> None:
    """With the same failures."""
    ran = wavekeeper("policy", "test", "policies/shop.test.yaml", "--junit", "out.xml", "--json")

    first, second = ran.json()["tests"]
    suites = ET.parse(folder.parent / "out.xml").getroot()
    assert (ran.code, ran.json()["passed"]) == (2, False)
    assert (first["passed"], first["line"], second["passed"]) == (True, 9, False)
    assert second["failures"][0]["expected"] == "at most 1 of tier=web out at once"
    assert suites.attrib["failures"] == "1"


def test_a_mistake_in_a_test_is_told_like_one_in_a_policy(wavekeeper: Typed, folder: Path) -> None:
    """file:line:column, and nothing is run."""
    (folder / "shop.test.yaml").write_text(TESTS.replace("at_most_out", "at_most_uot"))
    ran = wavekeeper("policy", "test")

    assert ran.code == 2
    assert ran.err.startswith(
        "policies/shop.test.yaml:12:15: unknown key `at_most_uot`; did you mean `at_most_out`?"
    )
    assert ran.out == ""


def test_tests_are_no_policies(wavekeeper: Typed, folder: Path) -> None:
    """`policy check` passes them over in a folder, and says what they are if named."""
    whole, named = (
        wavekeeper("policy", "check", folder),
        wavekeeper("policy", "check", folder / "shop.test.yaml"),
    )

    assert (whole.code, "monthly" in whole.out) == (0, True)
    assert (named.code, "run it with: wavekeeper policy test" in named.err) == (1, True)
