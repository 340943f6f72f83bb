"""Who is told of what: from facts, one notice after another, each until it is heard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.cli.main import COMMANDS
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Occasion
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.notices import body_of
from orchestrator.rollout.stakes import options_of, stake_of
from orchestrator.rollout.state import RolloutStatus
from tests.builders import lane, plan_of, stage, telling
from tests.diary import OLD, Diary
from tests.fleet import arm_id


def staged(**parts: object) -> Plan:
    """Two stages: the first bakes and wants approval."""
    return plan_of(
        lane("first", "a", stage="canary"),
        lane("rest", "b"),
        stages=[stage("canary", bake=timedelta(hours=1), approve=True), stage("broad")],
        **parts,  # type: ignore[arg-type]
    )


def told(diary: Diary, webhook: str = "ops") -> list[str]:
    """What is still to be told to a receiver, in order."""
    return [f"{x.occasion}: {x.text}" for x in diary.rollout.untold.get(webhook, {}).values()]


@pytest.fixture
def diary() -> Diary:
    """Somebody wants to know everything."""
    return Diary(telling(staged(), "ops"))


def test_whatever_is_worth_telling_is_kept_in_order(diary: Diary) -> None:
    """From the start to the end, a stage once, though several facts say that it is done."""
    diary.finish("a")
    diary.wait(hours=1)
    diary.approve()
    diary.finish("b")
    assert diary.rollout.status is RolloutStatus.FINISHED
    assert told(diary) == [
        "started: started by ada, 2 machines: ticket 4711",
        "stage: stage canary is done: all its machines are verified or settled",
        "approval: stage canary is done; the next one waits for approval: wavekeeper approve r1",
        "stage: stage broad is done: all its machines are verified or settled",
        "finished: finished: 2 of 2 machines done",
    ]


def test_an_emergency_is_told_to_those_who_would_have_been_asked(diary: Diary) -> None:
    """With what it shortens; nobody is asked afterwards."""
    diary.emergency()
    diary.finish("a")
    diary.wait(hours=1)
    assert [text.partition(";")[0] for text in told(diary)] == [
        "started: started by ada, 2 machines: ticket 4711",
        "approval: EMERGENCY declared by ada: ticket 4711",
        "stage: stage canary is done: all its machines are verified or settled",
    ]
    assert stake_of(diary.rollout, Occasion.APPROVAL, -1).startswith(
        "Windows, freezes, longer bakes and approvals keep nothing waiting any more: 1 machine to go."
    )
    assert options_of(diary.rollout, Occasion.APPROVAL, -1)[1] == "wavekeeper pause r1"


def test_a_stage_without_a_bake_is_told_by_what_follows() -> None:
    """The next stage opens, or the rollout ends."""
    plan = plan_of(lane("one", "a", stage="s1"), lane("two", "b", stage="s2"))
    diary = Diary(telling(plan, "ops", Occasion.STAGE))
    diary.finish("a", "b")
    assert [text.split()[2] for text in told(diary)] == ["s1", "s2"]


def test_trouble_is_told(diary: Diary) -> None:
    """An unhealthy machine and the stop that it makes; a person who aborts."""
    diary.change("a")
    diary.unhealthy("a", "503")
    diary.abort()
    assert [x.split(":")[0] for x in told(diary)] == ["started", "unhealthy", "stopped", "finished"]
    assert told(diary)[1] == "unhealthy: a is unhealthy: 503"
    assert told(diary)[3] == "finished: aborted by ada: ticket 4711"


def test_an_undecided_machine_is_told(diary: Diary) -> None:
    """It is a person's: somebody has to hear of it."""
    diary.send("a")
    diary.unsettled("a")
    diary.read_back("a", OLD, certain=False)
    assert any(x.startswith("unhealthy: a is undecided") for x in told(diary))


def test_a_rollout_that_is_refused_is_told() -> None:
    """It ended before it began."""
    diary = Diary(telling(staged(), "ops", Occasion.FINISHED), prepared=False)
    diary.looked(asked=1, unasked=9)
    (text,) = told(diary)
    assert text.startswith("finished: refused before anything was touched: ")


def test_each_receiver_hears_only_what_it_wants() -> None:
    """And one after another."""
    diary = Diary(telling(telling(staged(), "ops"), "boss", Occasion.FINISHED))
    diary.abort()
    assert diary.agenda.own[-2:] == (
        a.Tell("r1", "boss", 2, failing=False),
        a.Tell("r1", "ops", 1, failing=False),
    )
    assert diary.heard("ops") == (e.Told(1, "ops", ok=True, evidence="204"),)
    diary.heard("ops")
    diary.heard("boss")
    assert told(diary) == told(diary, "boss") == []


def test_whoever_cannot_be_told_is_known_and_tried_on(diary: Diary) -> None:
    """A fact once, however long it lasts; nothing else of the rollout minds."""
    assert diary.heard("ops", ok=False) == (e.Told(1, "ops", ok=False, evidence="503"),)
    assert diary.rollout.mute == {"ops": "503"}
    assert diary.agenda.own[-1] == a.Tell("r1", "ops", 1, failing=True)
    assert diary.heard("ops", ok=False) == ()
    diary.finish("a")
    assert diary.rollout.status is RolloutStatus.RUNNING
    diary.heard("ops")
    assert diary.rollout.mute == {}
    assert diary.agenda.own[-1] == a.Tell("r1", "ops", 2, failing=False)


def test_a_crash_loses_no_notice_and_repeats_none_that_was_heard(diary: Diary) -> None:
    """They are made of facts, by number."""
    diary.heard("ops")
    diary.change("a")
    diary.unhealthy("a")
    before = told(diary)
    diary.crash()
    assert told(diary) == before
    assert diary.agenda.own[-1] == a.Tell("r1", "ops", 2, failing=False)


def test_a_report_of_something_told_before_is_dropped(diary: Diary) -> None:
    """Twice, or of nobody who wants to know."""
    diary.heard("ops")
    assert diary.tell(m.NoticeTold("r1", "ops", 1, ok=True, evidence="")) == ()
    assert diary.tell(m.NoticeTold("r1", "nobody", 1, ok=True, evidence="")) == ()


def test_a_receiver_is_told_what_it_is_about(diary: Diary) -> None:
    """With an id that stays the same however often it is told."""
    diary.change("a")
    diary.unhealthy("a", "503")
    notice = list(diary.rollout.untold["ops"].values())[1]
    assert body_of(diary.rollout, notice) == {
        "id": "r1-notice-2",
        "rollout": "r1",
        "name": "test",
        "occasion": "unhealthy",
        "at": "2026-11-22T12:00:00Z",
        "stage": "canary",
        "text": "a is unhealthy: 503",
        "at_stake": "a counts as out: its groups have that much less room, and its wave goes no further until it is well or a person decides.",
        "you_may": [
            "wavekeeper status a",
            "wavekeeper retry a",
            "wavekeeper skip a",
            "wavekeeper write-off a",
            "wavekeeper pause r1",
        ],
        "machine": arm_id("a"),
        "machine_name": "a",
    }


def test_a_plan_that_tells_nobody_keeps_nothing() -> None:
    """No notice is made that nobody asked for."""
    diary = Diary(staged())
    diary.abort()
    assert (diary.rollout.notices, diary.rollout.untold) == (0, {})


def test_a_pause_and_its_end_are_told_to_whoever_wants_to_know(diary: Diary) -> None:
    """With what that means, and what may be done."""
    diary.pause()
    diary.resume()
    paused, resumed = list(diary.rollout.untold["ops"].values())[1:3]
    assert (paused.text, resumed.text) == ("paused by ada: ticket 4711", "resumed by ada: ticket 4711")
    assert paused.stake.startswith(
        "Nothing is in flight and nothing new begins: waiting makes nothing worse."
    )
    assert paused.options == ("wavekeeper status r1", "wavekeeper resume r1", "wavekeeper abort r1")
    assert "wavekeeper pause r1" in resumed.options


def test_a_pause_that_nobody_wants_to_hear_of_has_no_number() -> None:
    """Journals that were written before anybody could want to count without it."""
    diary = Diary(telling(staged(), "ops", Occasion.STARTED, Occasion.STOPPED))
    diary.pause()
    assert diary.rollout.notices == 1


def test_a_link_leads_to_the_rollout(diary: Diary) -> None:
    """Where somebody says where its page is."""
    (notice, *_) = diary.rollout.untold["ops"].values()
    assert body_of(diary.rollout, notice, "https://w.example")["link"] == "https://w.example/#/rollouts/r1"
    assert "link" not in body_of(diary.rollout, notice)


@pytest.mark.parametrize("occasion", Occasion)
def test_every_occasion_says_what_is_at_stake_and_what_may_be_done(diary: Diary, occasion: Occasion) -> None:
    """A look first, and no command that doesn't exist."""
    assert stake_of(diary.rollout, occasion, 0)
    options = options_of(diary.rollout, occasion, 0)
    assert options[0].startswith("wavekeeper status ")
    assert {option.split()[1] for option in options} <= COMMANDS.keys()
