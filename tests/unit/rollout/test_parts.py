"""A change that is several requests under one grant: a rollback uninstalls, restarts and checks."""

from __future__ import annotations

import pytest

from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.parts import request_of
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from tests.builders import budget, lane, plan_of, taking_back
from tests.diary import Diary, kinds, only


@pytest.fixture
def diary() -> Diary:
    """Two machines, one at a time."""
    rules = [budget(1, "a b")]
    return Diary(plan_of(lane("west", "a b"), rules=rules, change=taking_back("a b")))


def half_way(diary: Diary) -> None:
    """A is uninstalled, and not restarted yet."""
    diary.follow("a")
    diary.ended("a", detail="uninstalled")


def asked(diary: Diary, name: str) -> str:
    """What the machine's next request asks for."""
    return type(request_of(diary.rollout, diary.index(name))).__name__


def test_the_requests_follow_one_another_under_one_grant(diary: Diary) -> None:
    """Each with an intent and a key of its own; the machine is verified after the last."""
    assert asked(diary, "a") == "RunCommand"
    diary.follow("a")
    assert kinds(diary.ended("a", detail="uninstalled")) == "PartEnded"
    assert isinstance(diary.doing("a"), a.ReadBaseline)
    assert asked(diary, "a") == "Restart"
    diary.well("a")
    assert diary.run("a").key == "r1-0-2"
    diary.accepted("a")
    assert kinds(diary.ended("a", detail="restarted")) == "PartEnded"
    assert asked(diary, "a") == "RunCommand"
    diary.well("a")
    diary.accepted("a")
    ended = only(diary.ended("a", detail="checked"), e.ChangeEnded)
    assert (ended.changed, ended.detail) == (True, "uninstalled; restarted; checked")
    diary.healthy("a")
    assert diary.status("a") is M.DONE


def test_a_part_that_fails_ends_the_change(diary: Diary) -> None:
    """Nothing of what would follow is sent."""
    half_way(diary)
    diary.well("a")
    diary.accepted("a")
    ended = only(diary.ended("a", changed=False, detail="the restart failed"), e.ChangeEnded)
    assert ended.detail == "uninstalled; the restart failed"
    assert isinstance(diary.doing("a"), a.Verify)


@pytest.mark.parametrize("how", ["pause", "abort"])
def test_a_machine_that_is_half_way_is_carried_through(diary: Diary, how: str) -> None:
    """Uninstalled and not restarted is what nobody wants: it goes on to its end, and no other is begun."""
    half_way(diary)
    getattr(diary, how)()
    assert isinstance(diary.doing("a"), a.ReadBaseline)
    diary.well("a")
    diary.accepted("a")
    diary.ended("a", detail="restarted")
    diary.well("a")
    diary.accepted("a")
    diary.ended("a", detail="checked")
    diary.healthy("a")
    assert diary.status("a") is M.DONE
    assert diary.status("b") is M.PENDING


def test_a_stop_carries_it_through_too(diary: Diary) -> None:
    """Whatever stopped it."""
    diary = Diary(plan_of(lane("west", "a b"), change=taking_back("a b")))
    half_way(diary)
    diary.follow("b")
    diary.ended("b", changed=False, stops=True, detail="Grmbl")
    assert diary.rollout.status is R.STOPPED
    assert isinstance(diary.doing("a"), a.ReadBaseline)


def test_a_retry_begins_anew(diary: Diary) -> None:
    """What is uninstalled already is passed over by the script."""
    half_way(diary)
    diary.well("a")
    diary.accepted("a")
    diary.ended("a", changed=False, detail="the restart failed")
    diary.healthy("a")
    diary.retry("a")
    assert asked(diary, "a") == "RunCommand"


def test_a_crash_half_way_goes_on_half_way(diary: Diary) -> None:
    """The fold knows which request is next."""
    half_way(diary)
    diary.crash()
    assert asked(diary, "a") == "Restart"
    assert isinstance(diary.doing("a"), a.ReadBaseline)
