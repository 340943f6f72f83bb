"""Pause, stop and abort: what is in flight is carried through, what was only granted is given back, nothing new begins."""

from __future__ import annotations

import pytest

from orchestrator.errors import Refused
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from tests.builders import NOON, lane, plan_of
from tests.diary import NEW, OLD, WHO, WHY, Diary, kinds
from tests.unit.rollout.standing import AT, granted, intended, running, unhealthy, unsettled

HALTS = ("pause", "stop", "abort")


def halt(diary: Diary, how: str) -> str:
    """Bring a rollout to a halt."""
    match how:
        case "pause":
            return kinds(diary.pause())
        case "abort":
            return kinds(diary.abort())
        case _:
            return kinds(diary.tell(m.ClockStepped("r1", NOON)))


@pytest.mark.parametrize("how", HALTS)
@pytest.mark.parametrize("status", [M.INTENDED, M.UNSETTLED, M.RUNNING, M.VERIFYING])
def test_what_is_in_flight_is_carried_through(status: M, how: str) -> None:
    """The request may be out: it is followed to its end, whatever the rollout's own."""
    diary = AT[status]()
    doing = diary.doing("a")
    halt(diary, how)
    assert diary.status("a") is status
    assert diary.doing("a") == doing
    _carry_through(diary)
    assert diary.status("a") is M.DONE
    assert diary.granted() == ""
    assert diary.checked() == ""


def _carry_through(diary: Diary) -> None:
    if diary.status("a") is M.INTENDED:
        diary.accepted("a")
    if diary.status("a") is M.UNSETTLED:
        diary.read_back("a", NEW, sure=True)
    if diary.status("a") is M.RUNNING:
        diary.ended("a")
    diary.healthy("a")


@pytest.mark.parametrize("how", ["stop", "abort"])
def test_what_is_granted_and_not_sent_is_given_back_through_its_steps_after(how: str) -> None:
    """Drained, then undrained: nothing is sent any more, nobody is left drained, and nothing counts as tried."""
    diary = granted()
    diary.step("a")
    assert "ChangeEnded" in halt(diary, how)
    assert diary.status("a") is M.VERIFYING
    diary.recover("a")
    assert diary.status("a") is M.PENDING
    assert diary.run("a").tries == 0
    assert diary.granted() == ""


def test_what_is_granted_in_a_paused_rollout_goes_on() -> None:
    """A pause grants nothing new; this grant was before it."""
    diary = granted()
    diary.pause()
    diary.step("a")
    diary.well("a")
    assert diary.status("a") is M.INTENDED


@pytest.mark.parametrize("how", ["stop", "abort"])
@pytest.mark.parametrize("answer", ["lapsed", "throttled", "not started"])
def test_what_comes_back_unsent_after_a_halt_is_not_sent_again(how: str, answer: str) -> None:
    """It was on its way when the rollout stopped, and surely never began: its grant is given back."""
    diary = unsettled() if answer == "not started" else intended()
    halt(diary, how)
    match answer:
        case "lapsed":
            facts = diary.lapsed("a")
        case "throttled":
            facts = diary.rejected("a")
        case _:
            facts = diary.read_back("a", OLD)
    assert kinds(facts).endswith("ChangeEnded")
    assert isinstance(diary.doing("a"), a.Verify)
    diary.healthy("a")
    assert diary.status("a") is M.PENDING


@pytest.mark.parametrize("how", HALTS)
@pytest.mark.parametrize("status", [M.DONE, M.NOT_CHANGED, M.GONE, M.LEFT_OUT, M.SKIPPED, M.WRITTEN_OFF])
def test_after_a_halt_nothing_new_is_granted(status: M, how: str) -> None:
    """Not even to a machine that was being looked at: what it is found to be is not asked for any more."""
    diary = AT[status]()
    halt(diary, how)
    assert diary.checked() == ""
    assert diary.tell(m.FoundWell("r1", 1, OLD)) == ()
    assert diary.status("b") is M.PENDING


@pytest.mark.parametrize("how", HALTS)
def test_an_unhealthy_machine_is_asked_on_whatever_the_rollout_does(how: str) -> None:
    """Its grant is open: somebody has to see it well."""
    diary = unhealthy()
    halt(diary, how)
    diary.healthy("a")
    assert (diary.status("a"), diary.granted()) == (M.DONE, "")


def test_a_rollout_goes_on_where_it_was() -> None:
    """Same plan, gates first: b waits until a is verified."""
    diary = running()
    diary.pause()
    diary.resume()
    assert diary.rollout.status is R.RUNNING
    assert diary.checked() == ""
    diary.ended("a")
    diary.healthy("a")
    diary.finish("b")
    assert diary.rollout.status is R.FINISHED


def test_an_aborted_rollout_holds_nothing_once_all_is_through() -> None:
    """What was in flight ends first; then its rules are nobody's any more."""
    diary = running()
    diary.abort()
    assert diary.rollout.ended_at is None
    assert diary.scope.ledger.budgets()
    _carry_through(diary)
    assert diary.rollout.ended_at == NOON
    assert diary.scope.ledger.budgets() == []
    assert diary.scope.active() == []


SAID: dict[R, dict[str, R | str]] = {
    R.STARTING: {
        "pause": R.PAUSED,
        "resume": "can't be resumed",
        "abort": R.ABORTED,
        "approve": "waits for no approval",
    },
    R.RUNNING: {
        "pause": R.PAUSED,
        "resume": "can't be resumed",
        "abort": R.ABORTED,
        "approve": "waits for no approval",
    },
    R.PAUSED: {
        "pause": "can't be paused",
        "resume": R.RUNNING,
        "abort": R.ABORTED,
        "approve": "waits for no approval",
    },
    R.STOPPED: {
        "pause": "can't be paused",
        "resume": R.RUNNING,
        "abort": R.ABORTED,
        "approve": "waits for no approval",
    },
    R.ABORTED: dict.fromkeys(["pause", "resume", "abort"], "can't be") | {"approve": "waits for no"},
    R.REFUSED: dict.fromkeys(["pause", "resume", "abort"], "can't be") | {"approve": "waits for no"},
    R.FINISHED: dict.fromkeys(["pause", "resume", "abort"], "can't be") | {"approve": "waits for no"},
}


def rollout_at(status: R) -> Diary:
    """A rollout that stands there."""
    diary = Diary(plan_of(lane("west", "a")), prepared=status not in (R.STARTING, R.REFUSED))
    match status:
        case R.PAUSED:
            diary.pause()
        case R.STOPPED:
            diary.tell(m.ClockStepped("r1", NOON))
        case R.ABORTED:
            diary.abort()
        case R.REFUSED:
            diary.looked(asked=5, unasked=5)
        case R.FINISHED:
            diary.finish("a")
    return diary


@pytest.mark.parametrize("status", R)
@pytest.mark.parametrize("verb", ["pause", "resume", "abort", "approve"])
def test_each_verb_of_a_rollout_is_carried_out_or_refused_in_words(status: R, verb: str) -> None:
    """A refusal names the rollout and says where it stands."""
    diary = rollout_at(status)
    assert diary.rollout.status is status
    expected = SAID[status][verb]
    if isinstance(expected, R):
        getattr(diary, verb)()
        assert diary.rollout.status is expected
        assert (diary.rollout.by, diary.rollout.cause) == (WHO, WHY)
    else:
        with pytest.raises(Refused, match=f"^rollout r1 is {status}.*{expected}"):
            getattr(diary, verb)()
