"""What a person may ask, from every status: carried out, or refused in a sentence that says what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrator.errors import Refused
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from tests.builders import NOON, budget, lane, plan_of, stage, step
from tests.diary import NEW, OLD, WHO, WHY, Diary, kinds


def plain() -> Diary:
    """Two machines, one after the other; failures are not counted."""
    return Diary(plan_of(lane("west", "a", "b"), rules=[budget(1, "a b")]))


def _granted() -> Diary:
    diary = Diary(plan_of(lane("west", "a", "b"), before=[step("drain")], after=[step("undrain")]))
    diary.well("a")
    return diary


def _intended() -> Diary:
    diary = plain()
    diary.well("a")
    return diary


def _unsettled() -> Diary:
    diary = _intended()
    diary.unsettled("a")
    return diary


def _running() -> Diary:
    diary = _intended()
    diary.accepted("a")
    return diary


def _verifying() -> Diary:
    diary = _running()
    diary.ended("a")
    return diary


def _done() -> Diary:
    diary = _verifying()
    diary.healthy("a")
    return diary


def _not_changed() -> Diary:
    diary = _running()
    diary.ended("a", changed=False)
    diary.healthy("a")
    return diary


def _unhealthy() -> Diary:
    diary = _verifying()
    diary.unhealthy("a")
    return diary


def _undecided() -> Diary:
    diary = _unsettled()
    diary.read_back("a", OLD, certain=False)
    return diary


def _gone() -> Diary:
    diary = plain()
    diary.gone("a")
    return diary


def _left_out() -> Diary:
    diary = plain()
    diary.out("a")
    return diary


def _skipped() -> Diary:
    diary = plain()
    diary.skip("a")
    return diary


def _written_off() -> Diary:
    diary = plain()
    diary.write_off("a")
    return diary


AT: dict[M, Callable[[], Diary]] = {
    M.PENDING: plain,
    M.GRANTED: _granted,
    M.INTENDED: _intended,
    M.UNSETTLED: _unsettled,
    M.RUNNING: _running,
    M.VERIFYING: _verifying,
    M.DONE: _done,
    M.NOT_CHANGED: _not_changed,
    M.UNHEALTHY: _unhealthy,
    M.UNDECIDED: _undecided,
    M.GONE: _gone,
    M.LEFT_OUT: _left_out,
    M.SKIPPED: _skipped,
    M.WRITTEN_OFF: _written_off,
}
"""A rollout whose machine a stands there."""

WAIT = "wait until it is verified"
NOTHING = "there is nothing to"

VERBS: dict[M, tuple[M | str, M | str, M | str]] = {
    #              retry        skip       write off
    M.PENDING: (NOTHING, M.SKIPPED, M.WRITTEN_OFF),
    M.GRANTED: (WAIT, WAIT, WAIT),
    M.INTENDED: (WAIT, WAIT, WAIT),
    M.UNSETTLED: (WAIT, WAIT, WAIT),
    M.RUNNING: (WAIT, WAIT, WAIT),
    M.VERIFYING: (WAIT, WAIT, WAIT),
    M.DONE: (NOTHING, NOTHING, NOTHING),
    M.NOT_CHANGED: (M.PENDING, M.SKIPPED, NOTHING),
    M.UNHEALTHY: (M.PENDING, M.SKIPPED, M.WRITTEN_OFF),
    M.UNDECIDED: (M.PENDING, M.SKIPPED, M.WRITTEN_OFF),
    M.GONE: (NOTHING, NOTHING, M.WRITTEN_OFF),
    M.LEFT_OUT: (M.PENDING, NOTHING, M.WRITTEN_OFF),
    M.SKIPPED: (M.PENDING, NOTHING, M.WRITTEN_OFF),
    M.WRITTEN_OFF: (NOTHING, NOTHING, NOTHING),
}


@pytest.mark.parametrize("status", M)
@pytest.mark.parametrize("verb", range(3), ids=["retry", "skip", "write_off"])
def test_each_verb_in_each_status_is_carried_out_or_refused_in_words(status: M, verb: int) -> None:
    """The table above is what a person can count on."""
    diary = AT[status]()
    assert diary.status("a") is status
    say = (diary.retry, diary.skip, diary.write_off)[verb]
    expected = VERBS[status][verb]
    if isinstance(expected, M):
        say("a")
        assert diary.status("a") is expected
    else:
        rows = len(diary.rows)
        with pytest.raises(Refused, match=f"^a is {status}.*{expected}"):
            say("a")
        assert len(diary.rows) == rows


# Retry, skip, write-off: what becomes of the disruption --------------------------------------------------------------


def test_a_machine_retried_keeps_its_place_until_it_is_granted_anew() -> None:
    """Its domain and its place in every budget stay taken: nobody slips in between."""
    diary = _unhealthy()
    diary.retry("a")
    assert diary.granted() == "a"
    assert diary.checked() == "a"
    assert diary.run("a").forced
    assert kinds(diary.well("a")) == "Granted Intended"
    assert diary.run("a").attempt == 2
    assert diary.granted() == "a"
    diary.accepted("a")
    diary.ended("a")
    diary.healthy("a")
    assert diary.granted() == ""


def test_a_machine_retried_that_was_well_is_looked_at_like_any_other() -> None:
    """Nothing of ours is open: if it is out now, it is left alone."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.retry("a")
    assert not diary.run("a").forced
    diary.out("a")
    assert diary.status("a") is M.LEFT_OUT


def test_a_person_may_retry_what_is_undecided_and_that_alone_sends_again() -> None:
    """A second attempt after one that couldn't be settled is a person's word, and is written down as that."""
    diary = _undecided()
    diary.resume()
    assert diary.doing("a") is None
    facts = diary.retry("a")
    assert facts == (e.MachineRetried(0, WHO, WHY),)
    diary.well("a", baseline=NEW)
    assert diary.run("a").key == "r1-0-2"


def test_a_machine_skipped_in_trouble_counts_as_out_until_it_is_well() -> None:
    """Our work ends, the disruption doesn't."""
    diary = _unhealthy()
    diary.skip("a")
    assert diary.lane("west").wave == 1
    assert diary.checked() == ""
    assert isinstance(diary.doing("a"), a.Verify)
    diary.healthy("a")
    assert diary.status("a") is M.SKIPPED
    assert diary.granted() == ""
    assert diary.checked() == "b"


def test_a_machine_skipped_that_was_drained_is_undrained_when_it_is_well() -> None:
    """And only then gives its grant back."""
    diary = _granted()
    diary.step("a")
    diary.well("a")
    diary.unsettled("a")
    diary.read_back("a", OLD, certain=False)
    diary.skip("a")
    assert kinds(diary.healthy("a")) == "Verified"
    assert isinstance(diary.doing("a"), a.RunStep)
    diary.step("a")
    diary.healthy("a")
    assert (diary.status("a"), diary.granted()) == (M.SKIPPED, "")


def test_a_machine_retried_and_never_admitted_is_left_out_and_asked_on() -> None:
    """Its disruption stays open until it is seen well, though nobody wants to change it any more."""
    diary = _unhealthy()
    diary.retry("a")
    diary.pause()
    diary.resume()
    facts = diary.wait(hours=24)
    assert "MachineLeftOut" in kinds(facts)
    assert diary.status("a") is M.LEFT_OUT
    assert diary.granted() == "a"
    diary.healthy("a")
    assert (diary.status("a"), diary.granted()) == (M.LEFT_OUT, "")


def test_a_machine_written_off_gives_its_place_to_others_though_it_is_down() -> None:
    """A named person said that it won't be back: it counts no more, whatever the watch sees."""
    diary = _unhealthy()
    diary.write_off("a")
    assert diary.granted() == ""
    assert diary.fleet(out="a") == ()
    assert diary.checked() == "b"


def test_a_machine_that_only_counts_is_none_of_a_rollouts_business() -> None:
    """It can be neither retried nor skipped nor written off."""
    diary = Diary(plan_of(lane("west", "a"), counted="x"))
    with pytest.raises(Refused, match="x only counts in this rollout's budgets"):
        diary.skip("x")


# Pause, resume, abort ---------------------------------------------------------------------------------------------------

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
    diary = _granted()
    diary.step("a")
    assert "ChangeEnded" in halt(diary, how)
    assert diary.status("a") is M.VERIFYING
    diary.recover("a")
    assert diary.status("a") is M.PENDING
    assert diary.run("a").tries == 0
    assert diary.granted() == ""


def test_what_is_granted_in_a_paused_rollout_goes_on() -> None:
    """A pause grants nothing new; this grant was before it."""
    diary = _granted()
    diary.pause()
    diary.step("a")
    diary.well("a")
    assert diary.status("a") is M.INTENDED


@pytest.mark.parametrize("how", ["stop", "abort"])
@pytest.mark.parametrize("answer", ["lapsed", "throttled", "not started"])
def test_what_comes_back_unsent_after_a_halt_is_not_sent_again(how: str, answer: str) -> None:
    """It was on its way when the rollout stopped, and surely never began: its grant is given back."""
    diary = _unsettled() if answer == "not started" else _intended()
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
    diary = _unhealthy()
    halt(diary, how)
    diary.healthy("a")
    assert (diary.status("a"), diary.granted()) == (M.DONE, "")


def test_a_rollout_goes_on_where_it_was() -> None:
    """Same plan, gates first: b waits until a is verified."""
    diary = _running()
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
    diary = _running()
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


# Approval ---------------------------------------------------------------------------------------------------------------


def approving() -> Diary:
    """Two stages with a person between them; the first one's machine is done."""
    diary = Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            stages=[stage("pilot", approve=True), stage("broad")],
        )
    )
    diary.finish("a")
    return diary


def test_a_stage_that_wants_approval_waits_for_it() -> None:
    """Nothing of the next stage starts; the yes is written down with who said it."""
    diary = approving()
    assert diary.checked() == ""
    assert diary.approve() == (e.StageApproved(0, WHO, WHY), e.StageOpened(1), e.WaveOpened(1, 0))
    assert diary.checked() == "b"


def test_the_last_stage_needs_no_approval() -> None:
    """There is nothing behind it to open."""
    diary = Diary(plan_of(lane("only", "a"), stages=[stage("broad", approve=True)]))
    diary.finish("a")
    assert diary.rollout.status is R.FINISHED


def test_an_approval_while_paused_says_to_resume_first() -> None:
    """It waits for both."""
    diary = approving()
    diary.pause()
    with pytest.raises(Refused, match="rollout r1 is paused; resume it, then approve stage pilot"):
        diary.approve()


def test_an_approval_while_a_retried_machine_is_on_its_way_is_refused() -> None:
    """The barrier holds for those who come late, too."""
    diary = Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            stages=[stage("pilot", approve=True), stage("broad")],
        )
    )
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.retry("a")
    with pytest.raises(Refused, match="1 machines of stage pilot were retried and are not verified yet"):
        diary.approve()
    diary.finish("a")
    diary.approve()
    assert diary.checked() == "b"


# Start ------------------------------------------------------------------------------------------------------------------


def start(diary: Diary, rollout: str, lanes: str) -> tuple[e.Event, ...]:
    """Decide on another rollout in the same scope."""
    planned = index_plan(plan_of(lane("east", lanes)))
    return decide(diary.scope, m.Start(rollout, planned, "digest2", WHO, WHY, ((0, "off"),)), NOON)


def test_a_start_is_written_down_with_its_plan_and_who_was_dropped() -> None:
    """By digest: the reviewed plan is what runs."""
    diary = plain()
    assert start(diary, "r2", "x y") == (e.RolloutStarted("r2", "digest2", WHO, WHY, (0,), ("off",)),)


def test_a_rollout_of_the_same_name_is_refused() -> None:
    """A name is a name for good."""
    with pytest.raises(Refused, match="rollout r1 is in this journal already"):
        start(plain(), "r1", "x")


def test_a_machine_in_two_rollouts_is_refused_by_name() -> None:
    """With what to do about it."""
    expected = "1 machines of this plan, such as b, are in rollout r1, which is running; finish it first, or abort it"
    with pytest.raises(Refused, match=expected):
        start(plain(), "r2", "b x")


def test_a_rollout_that_ended_stands_in_nobodys_way() -> None:
    """Even one whose machines are the same."""
    diary = plain()
    diary.abort()
    assert kinds(start(diary, "r2", "a b")) == "RolloutStarted"


def test_a_command_for_a_rollout_that_is_not_known_names_those_that_are() -> None:
    """A typing mistake is seen at once."""
    with pytest.raises(Refused, match="no rollout r7 in this journal; it knows: r1"):
        plain().tell(m.Pause("r7", WHO, WHY))


def test_a_refusal_says_since_when_a_machine_is_on_its_way() -> None:
    """So that a person knows how long to wait."""
    diary = _running()
    diary.now += timedelta(hours=1)
    with pytest.raises(
        Refused, match="a is running since 12:00; wait until it is verified, then say it again"
    ):
        diary.skip("a")
