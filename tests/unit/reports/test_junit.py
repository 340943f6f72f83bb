"""JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from orchestrator.reports.junit import CaseReport, junit

TESTS = (
    CaseReport("a.test.yaml", 3, 'keeps "its" <quorum>', 0.25),
    CaseReport("a.test.yaml", 9, "second", 0.5, "a.test.yaml:9: expected x & y\nbut \x07 z"),
    CaseReport("b.test.yaml", 2, "third", 1),
)


def test_a_suite_a_file_with_its_figures() -> None:
    """Whatever characters names and failures hold, it can be read as XML."""
    root = ET.fromstring(junit(TESTS))

    assert root.attrib == {"tests": "3", "failures": "1", "errors": "0", "skipped": "0", "time": "1.750"}
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in root] == [
        ("a.test.yaml", "2", "1"),
        ("b.test.yaml", "1", "0"),
    ]


def test_a_failure_has_its_summary_and_all_its_lines() -> None:
    """And its line, so that build servers link it."""
    first, second = ET.fromstring(junit(TESTS))[0]
    (failure,) = second

    assert (first.get("name"), first.get("line"), list(first)) == ('keeps "its" <quorum>', "3", [])
    assert failure.get("message") == "a.test.yaml:9: expected x & y"
    assert failure.text == "a.test.yaml:9: expected x & y\nbut  z"
