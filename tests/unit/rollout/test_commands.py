"""What a person may ask, from every status: carried out, or refused in a sentence that says what to do instead."""

from __future__ import annotations

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
from tests.builders import NOON, budget, lane, plan_of, stage
from tests.diary import NEW, OLD, WHO, WHY, Diary, kinds
from tests.unit.rollout.standing import (
    AT,
    granted,
    plain,
    running,
    undecided,
    unhealthy,
)

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
    diary = unhealthy()
    diary.retry("a")
    assert diary.granted() == "a"
    assert diary.checked() == "a"
    assert diary.run("a").forced
    assert kinds(diary.well("a")) == "FleetSeen Granted Intended"
    assert diary.run("a").attempt == 2
    assert diary.granted() == "a"
    diary.accepted("a")
    diary.ended("a")
    diary.healthy("a")
    assert diary.granted() == ""


def retried() -> Diary:
    """Of a and c one may be out: a is unhealthy and retried, and c went out by itself."""
    diary = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a c")], counted="c"))
    diary.change("a")
    diary.unhealthy("a")
    diary.fleet(out="c")
    diary.retry("a")
    return diary


def test_a_machine_retried_while_it_is_out_takes_nothing_more() -> None:
    """It counts as out anyway, so that its next attempt makes nothing worse, whoever else is out."""
    diary = retried()
    facts = diary.tell(m.FoundWell("r1", 0, OLD, serves=False))
    assert kinds(facts) == "Granted Intended"


def test_a_machine_retried_that_got_well_by_itself_is_not_taken_down_beside_another() -> None:
    """Its next attempt takes it down anew, like anybody's. Meanwhile its place is for nobody else."""
    diary = retried()
    assert kinds(diary.well("a")) == "FleetSeen"
    assert diary.checked() == ""
    assert diary.granted() == "a"
    diary.fleet(back="c")
    assert diary.checked() == "a"
    assert kinds(diary.well("a")) == "Granted Intended"


def test_a_machine_retried_that_was_well_for_a_while_only_is_retried_all_the_same() -> None:
    """It isn't left out as one that somebody else took down."""
    diary = retried()
    diary.well("a")
    diary.fleet(back="c")
    assert kinds(diary.out("a")) == "FleetSeen"
    assert diary.run("a").forced
    assert diary.status("a") is M.PENDING
    assert kinds(diary.tell(m.FoundWell("r1", 0, OLD, serves=False))) == "Granted Intended"


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
    diary = undecided()
    diary.resume()
    assert diary.doing("a") is None
    facts = diary.retry("a")
    assert facts == (e.MachineRetried(0, WHO, WHY),)
    diary.well("a", baseline=NEW)
    assert diary.run("a").key == "r1-0-2"


def test_a_machine_skipped_in_trouble_counts_as_out_until_it_is_well() -> None:
    """Our work ends, the disruption doesn't."""
    diary = unhealthy()
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
    diary = granted()
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
    diary = unhealthy()
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
    diary = unhealthy()
    diary.write_off("a")
    assert diary.granted() == ""
    assert diary.fleet(out="a") == ()
    assert diary.checked() == "b"


def test_a_machine_that_only_counts_is_none_of_a_rollouts_business() -> None:
    """It can be neither retried nor skipped, nor written off while it serves."""
    diary = Diary(plan_of(lane("west", "a"), counted="x"))
    for ask in (diary.skip, diary.retry, diary.write_off):
        with pytest.raises(Refused, match="x only counts in this rollout's budgets"):
            ask("x")


def test_one_that_only_counts_and_will_not_be_back_is_written_off() -> None:
    """It takes its place until a named person says so, after a crash too; and is nobody's news from then on."""
    diary = Diary(plan_of(lane("west", "a"), counted="x", rules=[budget(1, "a x")]))
    diary.fleet(out="x")
    assert diary.checked() == ""
    assert diary.write_off("x") == (e.MachineWrittenOff(diary.index("x"), WHO, WHY),)
    assert diary.checked() == "a"
    assert diary.fleet(out="x") == ()
    diary.crash()
    assert diary.checked() == "a"


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
    with pytest.raises(Refused, match="1 machine of stage pilot retried and not verified yet"):
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
    expected = (
        "1 machine of this plan, such as b, is in rollout r1, which is running; wait until it has ended "
    )
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
    diary = running()
    diary.now += timedelta(hours=1)
    with pytest.raises(
        Refused, match="a is running since 12:00; wait until it is verified, then say it again"
    ):
        diary.skip("a")
