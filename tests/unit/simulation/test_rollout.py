"""Rollouts in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.planner.document import dump
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.rehearsal.fleet import made
from orchestrator.rehearsal.read import read_books
from orchestrator.rollout.state import RolloutStatus
from orchestrator.simulation.loop import run
from orchestrator.simulation.rollout import Played, Script, play
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.rehearsing import CAMPAIGN, FLEET

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def played(until: timedelta = timedelta(days=9), policy: str = CAMPAIGN) -> Played:
    """The campaign of these tests on their fleet."""
    (book,) = read_books([("a.test.yaml", f"{FLEET}tests: [{{name: a, expect: [{{changes: jump}}]}}]\n")])
    fleet = made(book.cases[0].fleet.machines, NOW)
    reviewed = dump(plan(build(fleet), [load_one("a.yaml", policy)], floor()))
    return run(play(Script(reviewed, fleet, NOW, NOW + until)))


def test_a_rollout_is_judged_by_plan_floor_and_audit() -> None:
    """All three witnesses' questions were asked, and none found anything."""
    found = played()

    assert found.rollout is not None
    assert (found.rollout.status, found.verdict.ok) == (RolloutStatus.FINISHED, True)
    assert found.verdict.judged["entries"] > 0
    assert NOW < found.ended < NOW + timedelta(days=1)


def test_one_that_nobody_watches_to_its_end_is_told_as_it_stands() -> None:
    """At the moment at which nobody watches any more."""
    found = played(timedelta(minutes=10))

    assert found.rollout is not None
    assert (found.rollout.status, found.ended) == (RolloutStatus.RUNNING, NOW + timedelta(minutes=10))


def test_between_windows_it_rests_and_goes_on_at_the_next() -> None:
    """A process a window, as somebody would run the command again."""
    nights = CAMPAIGN + 'windows: [{start: every_day, at: "22:00", for: 2h, time_zone: UTC}]\n'
    found = played(policy=nights)

    assert found.rollout is not None
    assert found.rollout.status is RolloutStatus.FINISHED
    assert found.timeline is not None
    assert {disruption.granted.hour for disruption in found.timeline.disruptions} <= {22, 23}
