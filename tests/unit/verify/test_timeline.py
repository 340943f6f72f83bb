"""What the witness saw, in order."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.verify.model import Findings
from orchestrator.verify.timeline import Timeline, What, follow, read_audit
from tests.unit.verify.documents import START, entry, vm_id


def _followed(*lines: dict[str, Any]) -> Timeline:
    found = Findings()
    timeline = follow(read_audit(lines, found))
    assert found.verdict().ok
    return timeline


def _minutes(timeline: Timeline) -> list[tuple[float | None, ...]]:
    """Begin, end and freedom of each work, in minutes."""
    return [
        tuple(
            None if moment is None else (moment - START).total_seconds() / 60
            for moment in (work.begin, work.over, work.free)
        )
        for work in timeline.works
    ]


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"at": "yesterday", "machine": "a", "event": "out"},
        {"at": 7, "machine": "a", "event": "out"},
        {"at": "2026-11-22T01:00:00Z", "machine": "", "event": "out"},
        {"at": "2026-11-22T01:00:00Z", "machine": "a"},
    ],
)
def test_lines_nobody_can_read(line: dict[str, Any]) -> None:
    """A line that can't be read is a violation: such a witness acquits nobody."""
    found = Findings()
    assert read_audit([line], found) == []
    assert [v.rule for v in found.verdict().violations] == ["audit"]


def test_lines_are_put_in_order() -> None:
    """Lines are taken in the order of time, those of one moment as written; a time without a zone is UTC."""
    lines = [entry(2, "a", "back"), entry(1, "b", "out"), entry(2, "c", "out"), entry(0, "d", "out")]
    lines.append({"at": "2026-11-22T01:01:30", "machine": vm_id("E"), "event": "out"})
    names = [line.machine.rpartition("/")[2] for line in read_audit(lines, Findings())]
    assert names == ["d", "b", "e", "a", "c"]


def test_an_end_that_is_told() -> None:
    """Work lasts until the audit tells its end, whatever the machine did meanwhile; then the machine is free."""
    timeline = _followed(
        entry(0, "a", "install", "1"),
        entry(1, "a", "out", "1"),
        entry(2, "a", "back", "1"),
        entry(3, "a", "out", "1"),
        entry(4, "a", "back", "1"),
        entry(5, "A", "install_end", "1"),
    )
    assert _minutes(timeline) == [(0, 5, 5)]
    assert [step.what for step in timeline.steps] == [
        What.BEGIN,
        What.OUT,
        What.BACK,
        What.OUT,
        What.BACK,
        What.OVER,
    ]
    assert [step.ours for step in timeline.steps] == [False, True, False, True, False, False]


def test_a_machine_is_free_when_it_is_back() -> None:
    """A machine that is still out when its operation ends is free when it comes back."""
    lines = [entry(0, "a", "install", "1"), entry(1, "a", "out"), entry(3, "a", "install_end", "1")]
    assert _minutes(_followed(*lines)) == [(0, 3, None)]
    assert _minutes(_followed(*lines, entry(9, "a", "back"))) == [(0, 3, 9)]


def test_ends_that_are_told_are_told_of_all() -> None:
    """Where the audit tells ends of installations, one without an end goes on for ever."""
    lines = [entry(0, "a", "install", "1"), entry(0, "b", "install", "2"), entry(5, "b", "install_end", "2")]
    assert _minutes(_followed(*lines)) == [(0, None, None), (0, 5, 5)]
    restart = entry(0, "a", "restart", "1")
    assert _minutes(_followed(restart, *lines[1:])) == [(0, 0, 0), (0, 5, 5)]
    assert _minutes(_followed(lines[0], entry(5, "a", "end"))) == [(0, 5, 5)]


def test_no_ends_told() -> None:
    """Without ends, work lasts until the machine is back from where it led; or for its first moment only."""
    begin = entry(0, "a", "install", "1")
    assert _minutes(_followed(begin)) == [(0, 0, 0)]
    assert _minutes(_followed(begin, entry(3, "a", "out", "1"))) == [(0, None, None)]
    assert _minutes(_followed(begin, entry(3, "a", "out", "1"), entry(4, "a", "back", "1"))) == [(0, 4, 4)]
    assert _minutes(_followed(begin, entry(3, "a", "out"), entry(4, "a", "back"))) == [(0, 4, 4)]
    assert _minutes(_followed(begin, entry(3, "a", "out", "other"), entry(4, "a", "back"))) == [(0, 0, 0)]
    foreign = entry(3, "a", "out", by="foreign")
    assert _minutes(_followed(begin, foreign, entry(4, "a", "back"))) == [(0, 0, 0)]
    out_before = _followed(entry(-1, "a", "out"), begin, entry(4, "a", "back"))
    assert _minutes(out_before) == [(0, 4, 4)]


def test_retries_are_work_of_their_own() -> None:
    """Another operation is another work; an out after it is not the first one's."""
    timeline = _followed(
        entry(0, "a", "install", "1"),
        entry(5, "a", "install", "2"),
        entry(6, "a", "out", "2"),
        entry(7, "a", "back", "2"),
    )
    assert _minutes(timeline) == [(0, 0, 0), (5, 7, 7)]


def test_a_restart_within_an_installation_is_part_of_it() -> None:
    """An event that names an operation that goes on already begins nothing."""
    timeline = _followed(
        entry(0, "a", "install", "1"), entry(1, "a", "restart", "1"), entry(5, "a", "install_end", "1")
    )
    assert _minutes(timeline) == [(0, 5, 5)]


def test_two_operations_at_once() -> None:
    """A machine is worked on until the last of its operations has ended."""
    timeline = _followed(
        entry(0, "a", "install", "1"),
        entry(1, "a", "restart", "2"),
        entry(2, "a", "install_end", "1"),
        entry(3, "a", "restart_end", "2"),
    )
    assert _minutes(timeline) == [(0, 2, 3), (1, 3, 3)]
    assert [step.what for step in timeline.steps] == [What.BEGIN, What.BEGIN, What.OVER]


def test_whose_outage_it_is() -> None:
    """An outage is ours if it names our operation, or none while we work there; never if it is foreign."""
    timeline = _followed(
        entry(0, "a", "install", "1"),
        entry(1, "a", "out", by="foreign"),
        entry(2, "a", "back"),
        entry(3, "a", "install_end", "1"),
        entry(4, "a", "out"),
        entry(5, "a", "back"),
        entry(6, "a", "out", "1"),
    )
    assert [step.ours for step in timeline.steps if step.what is What.OUT] == [False, False, True]


def test_other_people_s_work_is_no_work() -> None:
    """An installation that somebody else began is not ours, nor is its end; other events say nothing of work."""
    timeline = _followed(
        entry(0, "a", "install", "1", by="foreign"),
        entry(1, "a", "assess", "2"),
        entry(2, "a", "run_command", "3"),
        entry(3, "a", "install_end", "1", by="foreign"),
        entry(4, "a", "assess_end", "2"),
    )
    assert timeline.works == []
    assert timeline.steps == []


def test_a_machine_that_vanished_is_neither_worked_on_nor_out() -> None:
    """Whoever deletes a machine ends what went on there, and takes nothing out that others count on."""
    timeline = _followed(
        entry(0, "a", "install", "1"),
        entry(1, "a", "out"),
        entry(2, "a", "vanished"),
        entry(9, "b", "install_end", "2"),
    )
    assert _minutes(timeline) == [(0, 2, 2)]
    assert [step.what for step in timeline.steps][-2:] == [What.OVER, What.BACK]
