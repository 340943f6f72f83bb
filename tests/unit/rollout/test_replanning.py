"""When what was not begun is planned anew, and which answers become facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.planner.replan import Replanner
from orchestrator.policy.model import Each
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.codec import encode
from orchestrator.service.status import status
from tests.builders import budget, lane, plan_of, stage, step, surrounded
from tests.diary import Diary

PLAN = plan_of(
    lane("one", "a", "b c", "d"),
    lane("two", "f", stage="late"),
    stages=[stage("broad"), stage("late")],
    rules=[budget(1, "b x"), budget(2, "c d x"), budget(9, "a b c d x")],
)


def running() -> Diary:
    """The first machine is under way, and x is out."""
    diary = Diary(PLAN)
    diary.well("a")
    diary.accepted("a")
    diary.fleet(out="x")
    return diary


def waves(diary: Diary) -> list[str]:
    """The first lane's."""
    return [diary.names(wave) for wave in diary.rollout.planned.lanes[0].waves]


def asked(diary: Diary) -> bool:
    """Whether a replan is to be going on."""
    return any(isinstance(x, a.Replan) for x in diary.agenda.own)


def test_it_is_asked_once_a_machine_was_out_for_long_enough() -> None:
    """Of the budgets with less room than a wave that was not begun takes, and of no others."""
    diary = running()
    diary.wait(minutes=14)
    assert not asked(diary)
    diary.wait(minutes=1)
    assert diary.agenda.own[-1] == a.Replan("r1", ((0, 0),))


def test_who_finds_no_room_goes_last_and_it_is_asked_no_more() -> None:
    """The lane goes on with the others; a room that comes back and is lost again changes nothing more."""
    diary = running()
    diary.wait(minutes=15)
    diary.replanned()
    assert waves(diary) == ["a", "c", "d", "b"]
    assert not asked(diary)
    diary.fleet(back="x")
    diary.fleet(out="x")
    diary.wait(minutes=20)
    assert not asked(diary)
    diary.crash()
    assert waves(diary) == ["a", "c", "d", "b"]


def test_one_that_is_back_by_then_is_no_reason() -> None:
    """Nothing is planned anew for a flap."""
    diary = running()
    diary.wait(minutes=14)
    diary.fleet(back="x")
    diary.wait(minutes=30)
    assert not asked(diary)


def test_an_answer_that_is_late_is_no_fact() -> None:
    """A wave that was begun meanwhile stays as it was; what is left of the question is asked again."""
    diary = running()
    diary.wait(minutes=15)
    late = diary.replan_found()
    diary.ended("a")
    diary.healthy("a")
    assert diary.lane("one").wave == 1
    assert diary.tell(late) == ()
    assert waves(diary) == ["a", "b c", "d"]


def test_a_machine_keeps_its_stage_and_its_lane() -> None:
    """Whatever a planner says, who is of another stage is not pulled forward, and nobody is lost: written down, with why."""
    diary = running()
    diary.wait(minutes=15)
    found = diary.replan_found()
    names = [tuple(diary.index(name) for name in wave) for wave in ("c", "df", "b")]
    for wrong in (names, names[:2], [*found.lanes[0].waves, ()]):
        lanes = (m.LaneFound(0, 1, tuple(map(tuple, wrong))),)
        facts = Diary.tell(_twin(diary), replace(found, lanes=lanes))
        assert [type(fact) for fact in facts] == [e.BudgetsShrunk]
        assert "lane one would have" in facts[0].refused  # type: ignore[union-attr]


def _twin(diary: Diary) -> Diary:
    """Another diary that has come as far."""
    twin = running()
    twin.wait(minutes=15)
    assert waves(twin) == waves(diary)
    return twin


def test_what_the_judge_refuses_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner that is wrong changes nothing: the plan stays as reviewed, and status says why."""
    diary = running()
    diary.wait(minutes=15)
    wrong = lane("one", "a", "b c d")
    tight = replace(PLAN, constraints=tuple(replace(r, limit=1) for r in PLAN.constraints))  # type: ignore[type-var]
    diary.rollout.planned = replace(diary.rollout.planned, plan=tight)
    monkeypatch.setattr(Replanner, "delayed", lambda *_: (replace(wrong, stage="broad"),))
    facts = diary.tell(diary.replan_found())
    assert waves(diary) == ["a", "b c", "d"]
    (shrunk,) = facts
    assert isinstance(shrunk, e.BudgetsShrunk)
    assert shrunk.refused.startswith("the judge refuses it: ")


def test_waves_with_steps_around_them_stay() -> None:
    """The steps were reviewed together with who is in the wave."""
    diary = Diary(surrounded(PLAN, Each.WAVE, [], [step("told")]))
    diary.fleet(out="x")
    diary.wait(hours=1)
    assert not asked(diary)


def test_status_says_how_often_and_why() -> None:
    """As reviewed, until it isn't."""
    diary = running()
    assert status(diary.scope, diary.rollout, diary.now).plan == ("as reviewed",)
    diary.wait(minutes=15)
    diary.replanned()
    assert status(diary.scope, diary.rollout, diary.now).plan == (
        "replanned 1 time",
        (
            "2026-11-22 12:15 UTC: machines stay out, not by us, so what was not begun is planned anew "
            "(at most 1 of 2: room for 0 now); lanes that differ: one"
        ),
    )


def test_its_rows_are_what_they_were_said_to_be() -> None:
    """A journal outlives programs."""
    facts = (e.BudgetsShrunk((0,), (0,)), e.LaneReplanned(0, 1, (2, 3, 1), (1, 1, 1)))
    assert encode(facts) == b'[["BudgetsShrunk",1,[0],[0],""],["LaneReplanned",1,0,1,[2,3,1],[1,1,1]]]'
