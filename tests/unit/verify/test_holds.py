"""The judge of holds: a planted violation is found, and what is allowed isn't one."""

from __future__ import annotations

from typing import Any

from orchestrator.verify.holds import judge_holds
from tests.fleet import arm_id, vm_id


def begun(name: str, at: str, event: str = "install", **more: Any) -> dict[str, Any]:
    """A line of an audit."""
    moment = f"2026-11-22T{at}Z"
    return {"at": moment, "machine": arm_id(name), "event": event, "operation": f"{name}-{at}", **more}


def held(*names: str, since: str = "02:00:00", until: str = "08:00:00") -> dict[str, Any]:
    """A hold of some hours."""
    day = "2026-11-22T"
    machines = [vm_id(name) for name in names]
    return {"id": "h1", "machines": machines, "from": f"{day}{since}Z", "until": f"{day}{until}Z"}


def test_work_that_begins_on_a_held_machine_is_found() -> None:
    """With the hold, and when it began."""
    verdict = judge_holds([begun("a", "03:00:00"), begun("b", "03:00:00")], [held("a")])
    (broken,) = verdict.violations
    assert str(broken) == (
        "held: install of a began at 2026-11-22 03:00:00 UTC, though hold h1 held it from 2026-11-22 02:00:00 "
        "until 2026-11-22 08:00:00 UTC"
    )
    assert verdict.judged == {"holds": 1, "beginnings": 2}


def test_before_after_and_on_its_way_are_no_violations() -> None:
    """Nor is somebody else's doing, or an outage."""
    lines = [
        begun("a", "01:59:00"),
        begun("a", "02:01:30"),
        begun("a", "08:00:00"),
        begun("a", "04:00:00", by="foreign"),
        begun("a", "05:00:00", "out"),
    ]
    assert judge_holds(lines, [held("a")]).ok


def test_a_script_counts_where_it_is_the_change() -> None:
    """Else it may be a step around a machine."""
    lines = [begun("a", "03:00:00", "run_command")]
    assert judge_holds(lines, [held("a")]).ok
    assert not judge_holds(lines, [held("a")], scripts=True).ok


def test_of_several_holds_each_counts() -> None:
    """By its own time."""
    lines = [begun("a", "07:00:00")]
    assert judge_holds(lines, [held("a", until="06:00:00")]).ok
    assert not judge_holds(lines, [held("a", until="06:00:00"), held("a", since="06:30:00")]).ok
