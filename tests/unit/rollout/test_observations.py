"""One attempt at one machine, as a diary: what the world reports, what becomes of the machine, what is done next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.observations import REJECTED_LIMIT, UNTAKEN_LIMIT
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from tests.builders import NOON, budget, lane, plan_of
from tests.diary import NEW, OLD, URL, Diary, kinds, only


@pytest.fixture
def diary() -> Diary:
    """Two machines in one wave, one at a time; failures are not counted."""
    return Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))


# The way it should go -------------------------------------------------------------------------------------------


def test_a_machine_is_changed_verified_and_its_place_given_to_the_next(diary: Diary) -> None:
    """Granted and intended together, sent, accepted, followed, verified, done; then the other one is looked at."""
    assert diary.checked() == "a"
    assert kinds(diary.well("a")) == "Granted Intended"
    assert isinstance(diary.doing("a"), a.Send)
    assert kinds(diary.accepted("a")) == "Started"
    assert diary.doing("a") == a.Follow("r1", 0, 1, URL, URL + "&monitor=true")
    assert kinds(diary.ended("a")) == "ChangeEnded"
    assert diary.doing("a") == a.Verify("r1", 0, 1, NOON, briefly=False, hoping=False)
    assert diary.granted() == "a"
    assert kinds(diary.healthy("a")) == "MachineEnded"
    assert diary.status("a") is M.DONE
    assert diary.granted() == ""
    assert diary.checked() == "b"


def test_an_intent_says_until_when_it_may_be_sent(diary: Diary) -> None:
    """And under which key, and what the last patch run was before it."""
    intent = only(diary.well("a"), e.Intended)
    assert intent == e.Intended(0, 1, "r1-0-1", OLD, NOON + timedelta(seconds=60))
    assert diary.doing("a") == a.Send("r1", 0, 1, "r1-0-1", NOON + timedelta(seconds=60))


def test_a_result_url_that_can_be_made_is_not_written_down(diary: Diary) -> None:
    """Operation URLs are the longest thing in the journal; the other one is nearly always the same with a word behind it."""
    diary.well("a")
    started = only(diary.accepted("a"), e.Started)
    assert started.result_url == ""
    assert diary.run("a").result_url == URL + "&monitor=true"


def test_a_result_url_of_its_own_is_kept_to_the_byte(diary: Diary) -> None:
    """ARM signs URLs: they can't be guessed."""
    diary.well("a")
    diary.tell(m.SendAccepted("r1", 0, 1, URL, "https://elsewhere/2"))
    assert diary.run("a").result_url == "https://elsewhere/2"


# What may come of a request ---------------------------------------------------------------------------------------


def test_a_throttled_request_is_sent_again_under_the_same_grant(diary: Diary) -> None:
    """429 with Retry-After: surely not begun; the baseline is read again before the next intent, not sooner than asked."""
    diary.well("a")
    rejected = only(diary.rejected("a", after=90), e.AttemptRejected)
    assert rejected.retry_at == NOON + timedelta(seconds=90)
    assert diary.doing("a") == a.ReadBaseline("r1", 0, 1, NOON + timedelta(seconds=90))
    assert diary.granted() == "a"
    assert only(diary.well("a"), e.Intended).key == "r1-0-2"


@pytest.mark.parametrize(("after", "seconds"), [(None, 30), (0.0, 1), (2.5, 2.5)])
def test_a_throttle_that_names_no_time_has_one_of_ours(
    diary: Diary, after: float | None, seconds: float
) -> None:
    """Half a minute, and never at once: a Retry-After of nought must not become a loop."""
    diary.well("a")
    rejected = only(diary.rejected("a", after=after), e.AttemptRejected)
    assert rejected.retry_at == NOON + timedelta(seconds=seconds)


def test_a_machine_that_is_turned_away_for_ever_counts_as_not_changed(diary: Diary) -> None:
    """At some time the bucket isn't the reason any more."""
    for _ in range(REJECTED_LIMIT - 1):
        diary.well("a")
        assert diary.rejected("a", after=1)
        assert diary.status("a") is M.GRANTED
    diary.well("a")
    diary.rejected("a", after=1)
    assert diary.status("a") is M.VERIFYING
    diary.healthy("a")
    assert diary.status("a") is M.NOT_CHANGED


def test_a_request_that_the_cloud_finds_wrong_stops_the_rollout(diary: Diary) -> None:
    """It would be wrong for the next machine too. The machine was never touched, and is well."""
    diary.well("a")
    assert kinds(diary.rejected("a", "InvalidParameter", transient=False)) == "AttemptRejected RolloutStopped"
    assert diary.rollout.status is R.STOPPED
    diary.healthy("a")
    assert diary.status("a") is M.NOT_CHANGED
    assert diary.granted() == ""


def test_a_machine_that_was_deleted_meanwhile_is_gone(diary: Diary) -> None:
    """Its grant is closed, and it goes on counting as out: what isn't there serves nobody."""
    diary.well("a")
    assert kinds(diary.rejected("a", "ResourceNotFound", transient=False)) == "AttemptRejected MachineGone"
    assert diary.status("a") is M.GONE
    assert diary.granted() == ""
    assert diary.checked() == ""
    diary.write_off("a")
    assert diary.checked() == "b"


def test_a_request_whose_time_passed_was_never_sent(diary: Diary) -> None:
    """Lapsed: the next attempt needs no settling."""
    diary.well("a")
    assert kinds(diary.lapsed("a")) == "IntentLapsed"
    assert isinstance(diary.doing("a"), a.ReadBaseline)
    assert only(diary.well("a"), e.Intended).attempt == 2


def test_a_request_without_an_answer_is_read_back_and_never_sent_again(diary: Diary) -> None:
    """Unsettled: all that goes on is reading."""
    intent = only(diary.well("a"), e.Intended)
    assert kinds(diary.unsettled("a")) == "AttemptUnsettled"
    assert diary.doing("a") == a.Settle("r1", 0, 1, OLD, intent.not_after)


# Settling ---------------------------------------------------------------------------------------------------------


def test_a_run_that_shows_and_can_only_be_ours_is_adopted(diary: Diary) -> None:
    """Its end is our attempt's end; no second look at what is installed is needed."""
    diary.well("a")
    diary.unsettled("a")
    assert kinds(diary.read_back("a", NEW, sure=True)) == "Adopted"
    diary.ended("a")
    assert isinstance(diary.doing("a"), a.Verify)
    diary.healthy("a")
    assert diary.status("a") is M.DONE


@pytest.mark.parametrize(("pending", "status"), [(0, M.DONE), (3, M.NOT_CHANGED), (-1, M.NOT_CHANGED)])
def test_a_run_that_may_be_somebody_elses_is_assessed(diary: Diary, pending: int, status: M) -> None:
    """Success needs a fresh assessment with nothing of the set missing; one that can't be made is no success."""
    diary.well("a")
    diary.unsettled("a")
    diary.read_back("a", NEW, sure=False)
    diary.ended("a")
    assert diary.doing("a") == a.Assess("r1", 0, 1)
    assert diary.tell(m.HealthReported("r1", 0, 1, well=True, evidence="")) == ()
    assert kinds(diary.assessed("a", pending)) == "Assessed"
    diary.healthy("a")
    assert diary.status("a") is status


def test_an_assessment_that_could_not_be_made_is_told_in_words(diary: Diary) -> None:
    """Nobody reads of minus one patches."""
    diary.well("a")
    diary.unsettled("a")
    diary.read_back("a", NEW, sure=False)
    diary.ended("a")
    diary.assessed("a", -1)
    assert diary.run("a").detail == (
        "whether patches of the set are still missing after the run could not be assessed"
    )


def test_a_request_that_surely_never_arrived_is_made_anew(diary: Diary) -> None:
    """Every read good, for the whole time, the same last run: not started, and the next attempt under a new key."""
    diary.well("a")
    diary.unsettled("a")
    assert kinds(diary.read_back("a", OLD)) == "NotStarted"
    assert isinstance(diary.doing("a"), a.ReadBaseline)
    assert only(diary.well("a"), e.Intended).key == "r1-0-2"


def test_a_first_run_ever_is_adopted_too(diary: Diary) -> None:
    """A machine that never was patched has no last run; one that appears is a change."""
    diary.well("a", baseline="")
    diary.unsettled("a")
    assert kinds(diary.read_back("a", NEW)) == "Adopted"


def test_no_run_at_all_is_no_change(diary: Diary) -> None:
    """Nothing before, nothing after: not started."""
    diary.well("a", baseline="")
    diary.unsettled("a")
    assert kinds(diary.read_back("a", "")) == "NotStarted"


def test_what_can_not_be_settled_is_a_persons_and_stops_the_rollout(diary: Diary) -> None:
    """It keeps its grant, counts as out, nothing is done to it, and nobody else starts."""
    diary.well("a")
    diary.unsettled("a")
    facts = diary.read_back("a", OLD, certain=False)
    assert kinds(facts) == "Undecided RolloutStopped"
    assert "a is undecided: the connection was reset" in only(facts, e.RolloutStopped).why
    assert diary.granted() == "a"
    assert diary.doing("a") is None
    assert diary.checked() == ""


def test_an_operation_that_never_ends_is_undecided(diary: Diary) -> None:
    """Nobody knows what it still does to its machine."""
    diary.follow("a")
    assert kinds(diary.lost("a")) == "Undecided RolloutStopped"
    assert diary.status("a") is M.UNDECIDED


# After the change -------------------------------------------------------------------------------------------------


def test_a_failure_that_is_known_to_pass_is_tried_once_more(diary: Diary) -> None:
    """Under a fresh grant, and once: the second time it counts."""
    diary.follow("a")
    diary.ended("a", changed=False, passing=True, detail="retry later")
    assert only(diary.healthy("a"), e.MachineEnded).outcome is e.Outcome.PENDING
    assert diary.status("a") is M.PENDING
    diary.follow("a")
    assert diary.run("a").attempt == 2
    diary.ended("a", changed=False, passing=True, detail="retry later")
    assert only(diary.healthy("a"), e.MachineEnded).outcome is e.Outcome.NOT_CHANGED


def test_a_failure_that_stays_is_not_tried_again(diary: Diary) -> None:
    """Not changed, well: the grant is returned, the machine is settled."""
    diary.follow("a")
    diary.ended("a", changed=False, detail="0x80070005")
    facts = diary.healthy("a")
    assert only(facts, e.MachineEnded) == e.MachineEnded(0, e.Outcome.NOT_CHANGED, "0x80070005")
    assert diary.granted() == ""


def test_an_error_that_nobody_has_seen_stops_the_rollout(diary: Diary) -> None:
    """The machine is still verified; a person reads the error."""
    diary.follow("a")
    facts = diary.ended("a", changed=False, stops=True, detail="Grmbl: what")
    assert kinds(facts) == "ChangeEnded RolloutStopped"
    assert only(facts, e.RolloutStopped).why == "a failed with an error that is not known: Grmbl: what"
    assert isinstance(diary.doing("a"), a.Verify)


def test_a_machine_that_does_not_come_back_keeps_its_place(diary: Diary) -> None:
    """Unhealthy: out, its grant open, asked on and on; nobody else may start."""
    diary.change("a")
    assert kinds(diary.unhealthy("a")) == "MachineUnhealthy"
    assert diary.granted() == "a"
    assert diary.doing("a") == a.Verify("r1", 0, 1, NOON, briefly=False, hoping=True)
    assert diary.checked() == ""


def test_a_machine_that_recovers_is_done_after_all(diary: Diary) -> None:
    """Late, but well: its grant is returned, and the next one is looked at."""
    diary.change("a")
    diary.unhealthy("a")
    assert diary.tell(m.HealthReported("r1", 0, 1, well=False, evidence="503")) == ()
    assert kinds(diary.healthy("a")) == "MachineEnded"
    assert diary.status("a") is M.DONE
    assert diary.checked() == "b"


def test_a_machine_that_recovers_unchanged_is_not_changed(diary: Diary) -> None:
    """It was hurt and not even patched."""
    diary.follow("a")
    diary.ended("a", changed=False, detail="0x80070005")
    diary.unhealthy("a")
    diary.healthy("a")
    assert diary.status("a") is M.NOT_CHANGED


# What comes late ----------------------------------------------------------------------------------------------------


def test_a_report_on_an_attempt_that_is_over_is_dropped(diary: Diary) -> None:
    """Whatever it says: the attempt it speaks of is not the one that goes on."""
    diary.well("a")
    diary.rejected("a")
    diary.well("a")
    assert diary.run("a").attempt == 2
    late: list[m.Message] = [
        m.SendAccepted("r1", 0, 1, URL, URL),
        m.SendUnsettled("r1", 0, 1, "late"),
        m.SendRejected("r1", 0, 1, "late", "", False, None),
        m.SendLapsed("r1", 0, 1),
    ]
    assert [diary.tell(message) for message in late] == [()] * 4


def test_a_report_that_does_not_fit_is_dropped(diary: Diary) -> None:
    """An answer after it was decided that there is none; an end of what isn't followed; a verdict before the end."""
    diary.well("a")
    diary.unsettled("a")
    late: list[m.Message] = [
        m.SendAccepted("r1", 0, 1, URL, URL),
        m.ChangeReported("r1", 0, 1, changed=True, passing=False, stops=False, detail=""),
        m.FollowLost("r1", 0, 1, ""),
        m.AssessmentReported("r1", 0, 1, 0),
        m.HealthReported("r1", 0, 1, well=True, evidence=""),
        m.StepReported("r1", 0, 1, after=True, step=0, ok=True, evidence=""),
        m.FoundWell("r1", 0, OLD),
    ]
    assert [diary.tell(message) for message in late] == [()] * len(late)


def test_of_a_rollout_that_is_not_known_nothing_is_decided(diary: Diary) -> None:
    """A report may outlive the journal that it was meant for."""
    assert diary.tell(m.FoundWell("other", 0, OLD)) == ()


# Crashes --------------------------------------------------------------------------------------------------------------


def test_after_a_crash_an_intent_is_unsettled_and_nothing_else_is_lost(diary: Diary) -> None:
    """The state is that of the rows; only a request on its way is nobody's to know."""
    diary.well("a")
    assert kinds(diary.crash()) == "AttemptUnsettled"
    diary.read_back("a", NEW, sure=True)
    assert diary.crash() == ()
    assert diary.doing("a") == a.Follow("r1", 0, 1, URL, URL + "&monitor=true")
    diary.ended("a")
    assert diary.crash() == ()
    diary.healthy("a")
    assert diary.crash() == ()
    diary.finish("b")
    assert diary.rollout.status is R.FINISHED


def test_a_request_that_is_never_taken_is_given_up(diary: Diary) -> None:
    """A machine that allows no extensions answers 409 for ever: after four requests, each read back, it isn't changed."""
    why = "HTTP 409 OperationNotAllowed: ... when extension operations are disallowed"
    for _ in range(UNTAKEN_LIMIT - 1):
        diary.well("a")
        diary.unsettled("a", why)
        assert kinds(diary.read_back("a", OLD)) == "NotStarted"
    diary.well("a")
    diary.unsettled("a", why)
    facts = diary.read_back("a", OLD)
    assert kinds(facts) == "NotStarted ChangeEnded"
    ended = only(facts, e.ChangeEnded)
    assert (ended.changed, ended.passing, ended.meaning) == (False, False, "extensions-off")
    assert isinstance(diary.doing("a"), a.Verify)
