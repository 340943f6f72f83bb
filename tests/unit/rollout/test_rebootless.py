"""Machines that stay up through their change: they have room of their own, until one of them goes down after all."""

from __future__ import annotations

import pytest

from orchestrator.planner.model import Plan
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus
from tests.builders import budget, lane, plan_of, restarts, step
from tests.diary import Diary, kinds, only

FOUR = "a b c d"


def hotpatched(**parts: object) -> Plan:
    """Four machines in a wave: a and b stay up; one of all may restart, three may be changed."""
    return plan_of(
        lane("west", FOUR),
        rules=[budget(3, FOUR), restarts(1, "c d", "a b")],
        stay_up="a b",
        **parts,  # type: ignore[arg-type]
    )


@pytest.fixture
def diary() -> Diary:
    """The rollout of it."""
    return Diary(hotpatched())


def room(diary: Diary) -> list[int]:
    """How many places of the two budgets are taken: of all, and of those that restart."""
    return [taken for _, taken in sorted(diary.scope.ledger.budgets(), key=lambda row: row[0].restarts)]


def test_who_stays_up_takes_no_place_of_restarts(diary: Diary) -> None:
    """Two that stay up and one that restarts go together; the fourth waits."""
    assert diary.checked() == "a b c"
    facts = diary.well("a")
    assert only(facts, e.Granted) == e.Granted(0, restarts=False)
    assert only(diary.well("c"), e.Granted) == e.Granted(2, restarts=True)
    assert room(diary) == [2, 1]


def test_all_together_are_bound_by_the_wider_limit(diary: Diary) -> None:
    """Staying up isn't for free: a bad update can still break a machine."""
    for name in "abc":
        diary.well(name)
    assert room(diary) == [3, 1]
    assert diary.checked() == ""


def test_a_pending_restart_found_just_before_takes_a_place_of_restarts(diary: Diary) -> None:
    """It is known before anything begins: put down, and asked for again as a machine that restarts, which has to wait."""
    diary.well("c")
    facts = diary.well("a", pending=True)
    assert kinds(facts) == "RestartForeseen"
    assert room(diary) == [1, 1]
    assert diary.checked() == "b"
    diary.accepted("c")
    diary.ended("c")
    diary.healthy("c")
    assert diary.checked() == "b d"  # who has waited for longer
    diary.finish("d")
    assert only(diary.well("a", pending=True), e.Granted) == e.Granted(0, restarts=True)


def test_a_restart_that_nobody_predicted_counts_at_once_and_stops(diary: Diary) -> None:
    """Before the next machine is let go by the same prediction."""
    diary.well("a")
    diary.accepted("a")
    facts = diary.ended("a", stops=True, detail="1 installed; it restarted", restart=True)
    assert kinds(facts) == "RestartForeseen ChangeEnded RolloutStopped"
    assert room(diary) == [1, 1]
    assert diary.rollout.status is RolloutStatus.STOPPED
    assert "its updates were said to never restart it" in diary.rollout.cause


def test_a_restart_that_is_only_wanted_stops_too(diary: Diary) -> None:
    """The installation went well, and yet the prediction was wrong."""
    diary.well("a")
    diary.accepted("a")
    assert kinds(diary.ended("a", restart=True)) == "RestartForeseen ChangeEnded RolloutStopped"


def test_the_same_of_a_machine_that_counted_as_a_restart_is_nothing_new(diary: Diary) -> None:
    """It had its place."""
    diary.well("c")
    diary.accepted("c")
    assert kinds(diary.ended("c", restart=True)) == "ChangeEnded"


def test_who_is_unwell_after_its_change_counts_among_restarts(diary: Diary) -> None:
    """It doesn't serve, whatever its updates were said to do: whoever restarts must wait for it."""
    diary.well("a")
    diary.accepted("a")
    diary.ended("a")
    assert room(diary) == [1, 0]
    diary.unhealthy("a")
    assert diary.status("a") is M.UNHEALTHY
    assert room(diary) == [1, 1]
    assert "c" not in diary.checked()


def test_nobody_knows_of_an_undecided_one(diary: Diary) -> None:
    """So it counts."""
    diary.well("a")
    diary.accepted("a")
    diary.lost("a")
    assert room(diary) == [1, 1]


def test_an_outage_of_others_counts_in_both(diary: Diary) -> None:
    """Also of a machine that would stay up."""
    diary.fleet(out="b")
    assert room(diary) == [1, 1]
    assert diary.checked() == "a b"  # what is out takes no place that it doesn't take anyway


def test_steps_around_a_machine_take_it_out() -> None:
    """Drained machines don't serve, so that they count as all others do."""
    diary = Diary(hotpatched(before=[step("drain")]))
    assert only(diary.well("a"), e.Granted) == e.Granted(0, restarts=True)


def test_a_crash_changes_none_of_it(diary: Diary) -> None:
    """What was found stays found."""
    diary.well("a", pending=True)
    diary.well("b")
    diary.crash()
    assert diary.rollout.downed == {0}
    assert room(diary) == [1, 0]
