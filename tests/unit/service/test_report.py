"""A rollout retold for a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from orchestrator.reports.page_model import Act
from orchestrator.rollout.codec import decode
from orchestrator.service.report import Retold, act, check, witnessed
from orchestrator.service.status import status
from orchestrator.service.timeline import Tracing
from orchestrator.verify.model import Verdict, Violation
from tests.builders import NOON, budget, lane, plan_of, stage
from tests.diary import Diary
from tests.fleet import arm_id


def line(minutes: float, name: str, event: str, operation: str = "op") -> dict[str, str]:
    """A line of an audit, so many minutes after the start."""
    at = NOON + timedelta(minutes=minutes)
    return {"at": at.isoformat(), "machine": arm_id(name), "event": event, "operation": operation}


AUDIT = [line(1, "a", "install"), line(5, "a", "out"), line(7, "a", "back"), line(8, "a", "install_end")]


def acted(diary: Diary, audit: list[dict[str, str]], *, of_plan: bool = True) -> Act:
    """The act of a diary, as its last row left it."""
    tracing = Tracing(diary.rollout)
    for row in diary.rows:
        for fact in decode(row.body):
            tracing.add(row.at, fact)
    told = tracing.timeline()
    retold = Retold(
        diary.rollout,
        status(diary.scope, diary.rollout, diary.now),
        told,
        witnessed(audit, told.last),
        fleet=5,
        checks=(),
    )
    return act(retold, "An act", good=True, of_plan=of_plan)


def finished() -> Diary:
    """One machine, changed in ten minutes and verified in five."""
    diary = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a")]))
    diary.wait(minutes=1)
    diary.follow("a")
    diary.wait(minutes=9)
    diary.ended("a")
    diary.wait(minutes=5)
    diary.healthy("a")
    return diary


def test_figures_count_what_happened_and_what_the_witness_saw() -> None:
    """Machines, waves, restarts, out at once, and the time it took."""
    figures = {figure.label: figure.value for figure in acted(finished(), AUDIT).figures}
    assert figures == {
        "machines changed": "1",
        "waves passed": "1",
        "waves on the longest path": "1",
        "restarts": "1",
        "out at once, at most": "1",
        "from start to end": "15m",
    }


def test_a_line_carries_the_times_that_its_machine_was_really_out() -> None:
    """The journal tells the grant, the witness what came of it."""
    (row,) = acted(finished(), AUDIT).chart.lanes
    (shown,) = row.waves[0].lines

    assert (shown.name, shown.outcome) == ("a", "done")
    assert shown.outs == ((NOON + timedelta(minutes=5), NOON + timedelta(minutes=7)),)


def test_a_machine_that_never_came_back_is_out_to_the_end() -> None:
    """Nobody saw it again."""
    seen = witnessed(AUDIT[:2], NOON + timedelta(hours=1))
    assert list(seen.outs.values()) == [[(NOON + timedelta(minutes=5), NOON + timedelta(hours=1))]]


def test_restarts_are_told_beside_those_that_were_planned() -> None:
    """Nobody knows how many will need one beforehand."""
    notes = {figure.label: figure.note for figure in acted(finished(), AUDIT).figures}
    assert notes["restarts"].startswith("up to ")
    assert notes["restarts"].endswith(" planned")


def test_restarts_of_others_are_not_ours() -> None:
    """An outage that nobody's operation led to takes a machine out and is no restart."""
    assert witnessed([line(5, "a", "out", ""), line(6, "a", "back", "")], NOON).restarts == 0


def test_an_audit_in_another_offset_is_the_same() -> None:
    """Instants are instants."""
    at = datetime(2026, 11, 22, 14, tzinfo=UTC).astimezone(tz=None).isoformat()
    entry = {"at": at, "machine": arm_id("a"), "event": "out", "operation": ""}
    assert witnessed([entry], NOON).lines == 1


def test_a_stop_tells_why_and_what_it_left_alone() -> None:
    """The cause, the moment, and how many were never begun."""
    plan = plan_of(
        lane("c", "a", stage="canary"),
        lane("b", "b c", stage="broad"),
        stages=[stage("canary"), stage("broad")],
    )
    diary = Diary(plan)
    diary.change("a")
    diary.wait(minutes=30)
    diary.unhealthy("a", "503")
    told = acted(diary, [])

    assert "503" in told.cause
    assert told.chart.stopped == NOON + timedelta(minutes=30)
    assert ("2", "never begun") in {(figure.value, figure.label) for figure in told.figures}
    assert any("retry" in offer.command for offer in told.offers)


def test_machines_that_a_rollout_passed_by_are_told_with_their_reason() -> None:
    """Skipped by a person, with what they said."""
    diary = Diary(plan_of(lane("west", "a b")))
    diary.skip("a")
    assert [row.machine for row in acted(diary, []).left_out] == ["a"]


def test_lanes_that_never_opened_have_no_row() -> None:
    """A picture of what happened, not of what was planned."""
    diary = Diary(plan_of(lane("z1", "a"), lane("z2", "b", after=["z1"])))
    assert len(acted(diary, []).chart.lanes) == 1


def test_a_verdict_says_how_much_it_rests_on() -> None:
    """Counts in words, the singular where there is one; broken rules with their sentences."""
    broken = Violation("budget", "budget:1", (), "two of web at once")
    told = check("the plan", Verdict((broken,), MappingProxyType({"waves": 1, "lanes": 2, "orders": 0})))
    assert (told.ok, told.judged, told.violations) == (
        False,
        "1 wave, 2 lanes",
        ("budget: two of web at once",),
    )
