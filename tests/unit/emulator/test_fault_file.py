"""Fault files are read, or refused with every mistake and its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.emulator.fault_file import parse_faults, read_faults
from orchestrator.emulator.faults import KINDS, Drop, Fault, GoesOff, Throttle, Unhealthy
from orchestrator.emulator.state import Kind
from orchestrator.errors import UsageError

DOCUMENT = Path(__file__).parents[3] / "docs" / "emulator.md"


def refused(text: str) -> list[str]:
    """What is said of a file that is wrong, line by line."""
    with pytest.raises(UsageError) as caught:
        parse_faults(text, "faults.yaml")
    return str(caught.value).splitlines()


def test_a_file_is_read_in_order() -> None:
    """Kinds, selectors, durations and moments come through."""
    text = """
version: 1
faults:
  - unhealthy: {share: 0.02, recovers_after: 1h30m}
  - throttle: {from: "2026-11-22T01:10:00+01:00", for: 90s, on: [install, assess], retry_after: 5}
  - drop:
"""
    expected: list[Fault] = [
        Unhealthy(share=0.02, recovers_after=timedelta(minutes=90)),
        Throttle(
            from_=datetime(2026, 11, 22, 0, 10, tzinfo=UTC),
            for_=timedelta(seconds=90),
            on=(Kind.INSTALL, Kind.ASSESS),
            retry_after=5,
        ),
        Drop(),
    ]

    assert expected == list(parse_faults(text, "faults.yaml").faults)


def test_all_mistakes_are_told_at_once() -> None:
    """Each with file, line and column, and what to write instead, in the order of the file."""
    text = """version: 2
when: now
faults:
  - unhealthy: {machine: [web]}
  - explodes: {}
  - goes_off: {machines: [web], at: soon}
  - throttle: {on: [instal]}
  - slow: {machines: [web]}
  - install_fails: 3
  - {drop: {}, slow: {seconds: 1}}
"""
    found = refused(text)

    assert [f"faults.yaml:{n}" for n in (1, 2, 4, 5, 6, 7, 8, 9, 10)] == [
        ":".join(line.split(":")[:2]) for line in found
    ]
    assert "the version must be 1" in found[0]
    assert "unknown key 'when'; there are version, faults" in found[1]
    assert "faults.yaml:4:17: unhealthy has no 'machine'; it has after, delay, machines" in found[2]
    assert "unknown fault 'explodes'; the faults are install_fails, install_never_ends" in found[3]
    assert 'goes_off, at: a moment is a duration from the start, like "10m"' in found[4]
    assert "throttle, on.0: input should be 'install'" in found[5]
    assert "slow needs 'seconds'" in found[6]
    assert "install_fails takes a mapping" in found[7]
    assert "a fault has one kind and what it needs" in found[8]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a fault file is a mapping"),
        ("- a", "a fault file is a mapping"),
        ("version: 1", "faults must be a list"),
        ("version: 1\nfaults: {}", "faults must be a list"),
        ("version: 1\nfaults: [\n", "this is no YAML"),
        ("version: 1\nfaults:\n  - drop: {share: 2}", "less than or equal to 1"),
        ("version: 1\nfaults:\n  - stays_out: {recovers_after: 10}", 'a duration is written like "90s"'),
        ("version: 1\nversion: 1\nfaults: []", "this is no YAML"),
    ],
)
def test_a_mistake_is_a_sentence(text: str, expected: str) -> None:
    """Nothing wrong ends in a traceback."""
    assert expected in refused(text)[0]


def test_no_faults_at_all() -> None:
    """An empty list is a file without faults."""
    assert parse_faults("version: 1\nfaults: []", "faults.yaml").faults == ()


def test_a_moment_may_be_a_duration() -> None:
    """Counted from the emulator's start."""
    (fault,) = parse_faults("version: 1\nfaults:\n  - goes_off: {at: 2d}", "f").faults

    assert GoesOff(at=timedelta(days=2)) == fault


def test_a_file_that_can_t_be_read(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(UsageError, match=r"nowhere.yaml: the fault file can't be read"):
        read_faults(tmp_path / "nowhere.yaml")


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    """As from text."""
    path = tmp_path / "faults.yaml"
    path.write_text("version: 1\nfaults: [{drop: {}}]\n", encoding="utf-8")

    assert (Drop(),) == read_faults(path).faults


def test_the_documentation_s_examples_hold() -> None:
    """Each kind of fault has an example in the documentation, and each example is read."""
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]
    examples = [block.split("```")[0] for block in blocks if block.startswith("version: 1\nfaults:")]

    shown = {type(fault) for example in examples for fault in parse_faults(example, "docs").faults}

    assert set(KINDS.values()) == shown
