"""When a rollout stops by itself, as arithmetic and as it happens."""

from __future__ import annotations

import pytest

from orchestrator.policy.model import Share, StopWhen
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from orchestrator.rollout.stopping import threshold
from tests.builders import lane, plan_of, stage, step
from tests.diary import Diary, kinds, only


@pytest.mark.parametrize(
    ("share", "attempted", "limit"),
    [
        (Share(count=1), 0, 1),
        (Share(count=1), 10_000, 1),
        (Share(count=7), 3, 7),
        (Share(percent=1), 0, 2),  # never fewer than two
        (Share(percent=1), 100, 2),
        (Share(percent=1), 200, 2),
        (Share(percent=1), 201, 3),  # reached, not exceeded: 1 % of 201 is 2.01
        (Share(percent=1), 300, 3),
        (Share(percent=1), 10_000, 100),
        (Share(percent=5), 1, 2),  # of at least twenty
        (Share(percent=5), 40, 2),
        (Share(percent=5), 41, 3),
        (Share(percent=25), 3, 5),  # 25 % of twenty, though three were attempted
        (Share(percent=25), 20, 5),
        (Share(percent=25), 22, 6),
        (Share(percent=100), 50, 50),
        (Share(percent=0.1), 30_000, 30),  # 0.1 is no exact number, and 30 is
        (Share(percent=1.1), 1000, 11),
    ],
)
def test_how_many_failures_stop(share: Share, attempted: int, limit: int) -> None:
    """A count as it is; a percentage of the machines attempted, from twenty on, and at least two."""
    assert threshold(share, attempted) == limit


NAMES = "a b c d"


def unhealthy(diary: Diary, *names: str) -> str:
    """Each is changed and doesn't come back; the facts of the last."""
    facts = ""
    for name in names:
        diary.change(name)
        facts = kinds(diary.unhealthy(name))
    return facts


def not_changed(diary: Diary, *names: str) -> str:
    """Each fails and stays well."""
    facts = ""
    for name in names:
        diary.follow(name)
        diary.ended(name, changed=False, detail="0x80070005")
        facts = kinds(diary.healthy(name))
    return facts


def test_the_first_unhealthy_machine_of_the_canary_stops() -> None:
    """Whatever the share: that is what a canary is for."""
    diary = Diary(
        plan_of(
            lane("first", "a b", stage="canary"),
            lane("rest", "c d", stage="broad"),
            stages=[stage("canary"), stage("broad")],
        )
    )
    diary.change("a")
    facts = diary.unhealthy("a", "503")
    assert only(facts, e.RolloutStopped).why == (
        "1 unhealthy of 1 attempted in stage canary, the limit is 1; last a: 503"
    )


def test_a_rollout_of_one_stage_has_no_canary() -> None:
    """It is all there is: one is below the least of two."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen()))
    assert unhealthy(diary, "a") == "MachineUnhealthy"
    assert unhealthy(diary, "b") == "MachineUnhealthy RolloutStopped"


def test_failures_that_left_their_machines_well_stop_by_their_own_share() -> None:
    """They cost nobody anything, and still say that something is wrong."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(not_changed=Share(count=3))))
    assert not_changed(diary, "a", "b") == "MachineEnded"
    assert not_changed(diary, "c") == "MachineEnded RolloutStopped"
    assert diary.rollout.cause == ("3 not changed of 3 attempted, the limit is 3; last c: 0x80070005")


def test_the_two_kinds_of_failure_are_counted_apart() -> None:
    """Either one stops; they don't add up."""
    diary = Diary(
        plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=2), Share(count=2))),
    )
    not_changed(diary, "a")
    assert unhealthy(diary, "b") == "MachineUnhealthy"
    assert diary.rollout.status is R.RUNNING


def test_what_a_person_has_acknowledged_does_not_count_again() -> None:
    """A resume acknowledges; the next failure counts from one."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=2), Share(count=2))))
    unhealthy(diary, "a", "b")
    assert diary.rollout.status is R.STOPPED
    diary.resume()
    assert unhealthy(diary, "c") == "MachineUnhealthy"
    assert unhealthy(diary, "d") == "MachineUnhealthy RolloutStopped"


@pytest.mark.parametrize("verb", ["retry", "skip", "write_off"])
def test_a_failure_that_a_person_took_in_hand_counts_no_more(verb: str) -> None:
    """It was seen."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=2), Share(count=2))))
    unhealthy(diary, "a")
    getattr(diary, verb)("a")
    assert unhealthy(diary, "b") == "MachineUnhealthy"


def test_a_machine_that_recovers_has_still_failed() -> None:
    """Out for half an hour is a failure, even if it came back."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=2), Share(count=2))))
    unhealthy(diary, "a")
    diary.healthy("a")
    assert unhealthy(diary, "b") == "MachineUnhealthy RolloutStopped"


def test_a_machine_counts_as_attempted_once() -> None:
    """However often it is tried, or turned away."""
    diary = Diary(plan_of(lane("west", NAMES)))
    diary.send("a")
    diary.rejected("a")
    diary.well("a")
    diary.lapsed("a")
    diary.well("a")
    diary.accepted("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.retry("a")
    diary.follow("a", "b")
    assert diary.rollout.attempted == 2


def test_a_stop_gives_back_every_grant_that_was_not_sent() -> None:
    """In the same decision: a journal can't be cut between the failure and what follows from it."""
    diary = Diary(
        plan_of(
            lane("first", NAMES, stage="canary"),
            lane("rest", "e", stage="broad"),
            stages=[stage("canary"), stage("broad")],
            before=[step("drain")],
        )
    )
    diary.change("a")
    diary.well("b")
    diary.well("c")
    diary.step("c")
    diary.follow("d")
    facts = diary.unhealthy("a")
    assert kinds(facts) == "MachineUnhealthy RolloutStopped ChangeEnded ChangeEnded"
    assert [diary.status(name) for name in "abcd"] == [M.UNHEALTHY, M.VERIFYING, M.VERIFYING, M.RUNNING]
    assert diary.run("b").detail == "not begun: the rollout was stopped"


def test_a_rollout_that_has_stopped_does_not_stop_again() -> None:
    """The first reason stays."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=1), Share(count=1))))
    for name in "ab":
        diary.change(name)
    diary.unhealthy("a", "first")
    assert kinds(diary.unhealthy("b", "second")) == "MachineUnhealthy"
    assert "first" in diary.rollout.cause


def test_a_paused_rollout_can_still_stop() -> None:
    """What was in flight failed: a resume must be told why it should not be."""
    diary = Diary(plan_of(lane("west", NAMES), stop_when=StopWhen(Share(count=1), Share(count=1))))
    diary.change("a")
    diary.pause()
    diary.unhealthy("a")
    assert diary.rollout.status is R.STOPPED
