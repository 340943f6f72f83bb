"""Steps around waves, stages and the rollout: once before the first grant, once after the gate, and never one without the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.errors import Refused
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Each, StepWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus, StageStatus
from tests.builders import always, budget, lane, plan_of, stage, step, surrounded
from tests.diary import OLD, Diary, kinds


def waved(*more: object, **parts: object) -> Plan:
    """A lane of two waves, each drained before and undrained after."""
    plan = plan_of(lane("west", "a b", "c"), rules=[budget(2, "a b c")], **parts)  # type: ignore[arg-type]
    return surrounded(plan, Each.WAVE, [step("drain")], [step("undrain"), *more])  # type: ignore[list-item]


@pytest.fixture
def diary() -> Diary:
    """The rollout of it."""
    return Diary(waved())


def test_a_wave_is_begun_when_a_machine_of_it_is_about_to_be_granted(diary: Diary) -> None:
    """Not when it opens: its windows may be closed, its machines sick. Then all of it waits for its step before."""
    assert diary.stepping() == ""
    assert diary.well("a") == (e.StretchBegun((0, 0), 0),)
    assert diary.around(0, 0) == a.RunStretchStep(
        "r1", (0, 0), 1, after=False, step=0, key="r1-around-0-0-1-before-0"
    )
    assert diary.checked() == ""
    refused = refusal(diary.scope, diary.rollout, diary.index("b"))
    assert refused is not None
    assert refused.what == "the steps before wave 1 of lane west are not done yet"
    assert diary.tell(m.FoundWell("r1", diary.index("b"), OLD)) == ()


def test_its_machines_are_looked_at_anew_once_the_steps_before_are_done(diary: Diary) -> None:
    """What was seen before them is old; the steps are done once for all of the wave."""
    diary.well("a")
    assert kinds(diary.step_around(0, 0)) == "StretchStepEnded"
    assert diary.checked() == "a b"
    assert kinds(diary.well("a")) == "Granted Intended"
    assert kinds(diary.well("b")) == "Granted Intended"


def test_the_steps_after_come_before_the_gate_opens(diary: Diary) -> None:
    """The next wave opens when they are done, and is begun by itself."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("a")
    assert diary.stepping() == ""
    facts = diary.finish("b")
    assert "WavePassed" not in kinds(facts)
    assert diary.stepping() == "0-0-1-after-0"
    assert kinds(diary.step_around(0, 0)) == "StretchStepEnded WavePassed WaveOpened"
    diary.well("c")
    assert diary.stepping() == "0-1-1-before-0"


def test_the_rollout_ends_after_its_last_step(diary: Diary) -> None:
    """Not a step is left."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("a", "b")
    diary.step_around(0, 0)
    diary.well("c")
    diary.step_around(0, 1)
    diary.finish("c")
    assert diary.rollout.status is RolloutStatus.RUNNING
    assert kinds(diary.step_around(0, 1)) == "StretchStepEnded WavePassed RolloutFinished"


def test_a_crash_repeats_nothing_that_was_written_down(diary: Diary) -> None:
    """And calls again what wasn't, under the same key."""
    diary.well("a")
    diary.crash()
    assert diary.stepping() == "0-0-1-before-0"
    diary.step_around(0, 0)
    diary.crash()
    assert diary.stepping() == ""
    diary.finish("a", "b")
    diary.crash()
    assert diary.stepping() == "0-0-1-after-0"
    diary.step_around(0, 0)
    diary.crash()
    assert diary.stepping() == ""


def test_a_step_that_is_reported_late_is_dropped(diary: Diary) -> None:
    """Twice, out of turn, or of another time."""
    diary.well("a")
    report = m.StretchStepReported("r1", (0, 0), 1, after=False, step=0, ok=True, evidence="200")
    diary.tell(report)
    assert diary.tell(report) == ()
    other = m.StretchStepReported("r1", (0, 1), 1, after=False, step=0, ok=True, evidence="200")
    assert diary.tell(other) == ()
    past = m.StretchStepReported("r1", (0, 0), 0, after=True, step=0, ok=True, evidence="200")
    assert diary.tell(past) == ()


# What fails -------------------------------------------------------------------------------------------------


def test_a_step_before_that_fails_stops_and_is_undone(diary: Diary) -> None:
    """It may have taken effect all the same. Whoever resumes begins anew, under new keys."""
    diary.well("a")
    facts = diary.step_around(0, 0, ok=False)
    assert kinds(facts) == "StretchStepEnded RolloutStopped"
    assert diary.rollout.cause == "a step before wave 1 of lane west failed: 500"
    assert diary.stepping() == "0-0-1-after-0"
    diary.step_around(0, 0)
    assert diary.stepping() == ""
    diary.resume()
    assert diary.checked() == "a b"
    diary.well("b")
    assert diary.stepping() == "0-0-2-before-0"


def test_a_step_after_that_fails_stops_and_is_tried_again_by_whoever_resumes(diary: Diary) -> None:
    """The gate stays shut meanwhile."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("a", "b")
    assert kinds(diary.step_around(0, 0, ok=False)) == "StretchStepEnded RolloutStopped"
    assert diary.stepping() == ""
    assert diary.rollout.stretches[0].failed == "500"
    diary.resume()
    assert diary.stepping() == "0-0-1-after-0"
    assert kinds(diary.step_around(0, 0)) == "StretchStepEnded WavePassed WaveOpened"


def test_a_step_before_without_a_step_after_is_tried_again_as_it_was() -> None:
    """There is nothing to undo, so the same time goes on."""
    plan = surrounded(plan_of(lane("west", "a")), Each.WAVE, [step("announce"), step("drain")])
    diary = Diary(plan)
    diary.well("a")
    diary.step_around(0, 0)
    diary.step_around(0, 0, ok=False)
    diary.resume()
    assert diary.stepping() == "0-0-1-before-1"


# Stops and persons --------------------------------------------------------------------------------------------


def test_a_stop_ends_a_wave_once_nothing_of_it_is_in_flight() -> None:
    """A machine of it is unhealthy: only what must never be left behind is undone; the rest when it is well again."""
    diary = Diary(waved(always("unsilence")))
    diary.well("a")
    diary.step_around(0, 0)
    diary.change("a")
    diary.follow("b")
    diary.unhealthy("a")
    diary.tell(m.ClockStepped("r1", diary.now))
    assert diary.stepping() == ""
    diary.ended("b")
    diary.healthy("b")
    assert diary.stepping() == "0-0-1-after-1"
    diary.step_around(0, 0)
    assert diary.stepping() == ""
    diary.recover("a")
    assert diary.stepping() == "0-0-1-after-0"
    diary.step_around(0, 0)
    assert diary.stepping() == ""


def test_a_stop_leaves_a_wave_open_around_an_undecided_machine() -> None:
    """Its request may still arrive: what was silenced stays so until a person has said what becomes of it."""
    diary = undecided_in_the_wave()
    assert diary.rollout.status is RolloutStatus.STOPPED
    assert diary.stepping() == ""
    diary.skip("a")
    assert diary.stepping() == "0-0-1-after-0"


def test_an_abort_ends_a_wave_around_an_undecided_machine() -> None:
    """Whoever aborts was told of it, and nobody may come any more to decide on it."""
    diary = undecided_in_the_wave()
    diary.abort()
    assert diary.stepping() == "0-0-1-after-1"


def undecided_in_the_wave() -> Diary:
    """`a` is granted, and nobody learns whether its request was taken."""
    diary = Diary(waved(always("unsilence")))
    diary.well("a")
    diary.step_around(0, 0)
    diary.well("a")
    diary.unsettled("a")
    diary.read_back("a", OLD, certain=False)
    return diary


def test_whoever_resumes_in_the_midst_of_the_steps_after_begins_anew(diary: Diary) -> None:
    """A call that was under way may have taken effect: nobody is granted before the steps before were done again."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.tell(m.ClockStepped("r1", diary.now))
    assert diary.stepping() == "0-0-1-after-0"
    diary.resume()
    assert diary.stepping() == ""
    assert kinds(diary.well("a")) == "StretchBegun"
    assert diary.stepping() == "0-0-2-before-0"


def test_an_abort_undoes_what_was_begun(diary: Diary) -> None:
    """Also if nobody was granted yet, and the call of the step before may or may not have been made."""
    diary.well("a")
    diary.abort()
    assert diary.stepping() == "0-0-1-after-0"
    diary.step_around(0, 0)
    assert diary.stepping() == ""
    assert diary.rollout.status is RolloutStatus.ABORTED


def test_a_pause_leaves_a_wave_as_it_is(diary: Diary) -> None:
    """It goes on where it was; a step before isn't begun while nothing may be granted."""
    diary.well("a")
    diary.pause()
    assert diary.stepping() == ""
    diary.resume()
    assert diary.stepping() == "0-0-1-before-0"
    diary.step_around(0, 0)
    diary.pause()
    diary.resume()
    assert kinds(diary.well("a")) == "Granted Intended"


def test_a_machine_that_is_retried_after_its_wave_begins_the_wave_anew(diary: Diary) -> None:
    """Its wave was undone: it is done again around it alone."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("a")
    diary.follow("b")
    diary.ended("b", changed=False)
    diary.healthy("b")
    diary.step_around(0, 0)
    diary.retry("b")
    diary.well("b")
    assert diary.stepping() == "0-0-2-before-0"
    diary.step_around(0, 0)
    diary.finish("b")
    assert diary.stepping() == "0-0-2-after-0"


def test_a_late_failure_in_the_midst_of_the_steps_after_does_not_lose_them(diary: Diary) -> None:
    """The gate is shut again; once the machine is well, what is left of them is done. A retry before that begins anew."""
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("a", "b")
    diary.fleet(out="a")
    assert diary.stepping() == ""
    assert diary.rollout.stretches[0].stale
    diary.healthy("a")
    assert diary.stepping() == "0-0-1-after-0"


# Stages and the rollout -----------------------------------------------------------------------------------------


@pytest.fixture
def nested() -> Diary:
    """Two stages, with steps around everything."""
    plan = plan_of(
        lane("first", "a", stage="canary"),
        lane("rest", "b"),
        stages=[stage("canary", bake=timedelta(hours=1), approve=True), stage("broad")],
    )
    for each in (Each.WAVE, Each.STAGE, Each.ROLLOUT):
        plan = surrounded(plan, each, [step(f"before-{each}")], [step(f"after-{each}")])
    return Diary(plan)


def test_steps_are_nested(nested: Diary) -> None:
    """From the outside in before, from the inside out after; a stage's before it bakes, the rollout's before the last stage does."""
    assert kinds(nested.well("a")) == "StretchBegun StretchBegun StretchBegun"
    assert nested.stepping() == "1-before-0"
    nested.step_around()
    assert nested.stepping() == "0-1-before-0"
    nested.step_around(0)
    assert nested.stepping() == "0-0-1-before-0"
    nested.step_around(0, 0)
    nested.finish("a")
    assert nested.stepping() == "0-0-1-after-0"
    assert kinds(nested.step_around(0, 0)) == "StretchStepEnded WavePassed"
    assert nested.stepping() == "0-1-after-0"
    assert kinds(nested.step_around(0)) == "StretchStepEnded StageBaking"
    nested.wait(hours=1)
    nested.approve()
    assert kinds(nested.well("b")) == "StretchBegun StretchBegun"
    assert nested.stepping() == "1-1-before-0"
    nested.step_around(1)
    nested.step_around(1, 0)
    nested.finish("b")
    nested.step_around(1, 0)
    nested.step_around(1)
    assert nested.stepping() == "1-after-0"
    assert kinds(nested.step_around()) == "StretchStepEnded RolloutFinished"


def test_an_abort_undoes_from_the_inside_out(nested: Diary) -> None:
    """One after another, though nothing is in flight."""
    nested.well("a")
    nested.step_around()
    nested.step_around(0)
    nested.abort()
    for expected, where in (("0-0-1-after-0", (0, 0)), ("0-1-after-0", (0,)), ("1-after-0", ())):
        assert nested.stepping() == expected
        nested.step_around(*where)
    assert nested.stepping() == ""


def test_a_stage_is_not_approved_while_its_steps_are_under_way(nested: Diary) -> None:
    """The next one would begin beside them."""
    nested.well("a")
    for where in ((), (0,), (0, 0)):
        nested.step_around(*where)
    nested.change("a")
    nested.healthy("a")
    nested.step_around(0, 0)
    nested.step_around(0)
    nested.wait(hours=1)
    assert nested.rollout.stage_status is StageStatus.AWAITING
    nested.fleet(out="a")
    nested.retry("a")
    nested.resume()
    nested.well("a")
    for where in ((), (0,), (0, 0)):
        nested.step_around(*where)
    nested.change("a")
    nested.healthy("a")
    with pytest.raises(Refused, match="steps after stage canary are under way"):
        nested.approve()
    nested.step_around(0, 0)
    nested.step_around(0)
    assert kinds(nested.approve()).startswith("StageApproved")


def test_a_lane_that_gave_up_has_the_steps_that_run_always() -> None:
    """Its wave's gate never opened. The others when its machine is well again."""
    diary = Diary(waved(always("unsilence"), max_wait=timedelta(hours=1)))
    diary.well("a")
    diary.step_around(0, 0)
    diary.finish("b")
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=2)
    assert diary.lane("west").gave_up
    assert diary.stepping() == "0-0-1-after-1"
    assert "RolloutFinished" in kinds(diary.step_around(0, 0))
    assert diary.status("a") is M.UNHEALTHY
    diary.recover("a")
    assert diary.stepping() == "0-0-1-after-0"


def test_only_steps_after_need_no_waiting() -> None:
    """The stretch is begun in the same decision as the grant."""
    diary = Diary(surrounded(plan_of(lane("west", "a")), Each.STAGE, after=[step("report")]))
    assert kinds(diary.well("a")) == "StretchBegun Granted Intended"
    diary.accepted("a")
    diary.ended("a")
    diary.healthy("a")
    assert diary.stepping() == "0-1-after-0"
    assert kinds(diary.step_around(0)) == "StretchStepEnded RolloutFinished"


def test_a_wave_has_the_steps_that_any_of_its_machines_names() -> None:
    """Others of it wait all the same; waves without such a machine have none."""
    plan = plan_of(lane("west", "a b", "c"), lane("east", "x"))
    plan = surrounded(plan, Each.WAVE, [step("one")], [step("two")], only="a")
    plan = surrounded(plan, Each.WAVE, [step("three")], [step("four", when=StepWhen.ALWAYS)], only="b")
    stretches = index_plan(plan).stretches
    assert [stretch.where for stretch in stretches.all] == [(0, 0)]
    assert [x.webhook for x in stretches.all[0].before] == ["one", "three"]
    assert [x.webhook for x in stretches.all[0].after] == ["four", "two"]
    assert dict(stretches.of) == {0: (0,), 1: (0,)}
