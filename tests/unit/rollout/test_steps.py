"""Steps around a machine: in order, each written down, and never a step before without its step after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus as M
from tests.builders import NOON, always, budget, lane, plan_of, step
from tests.diary import OLD, Diary, kinds, only


@pytest.fixture
def stepped() -> Diary:
    """One machine with two steps before and two after, the second of which runs always."""
    steps = {"before": [step("silence"), step("drain")], "after": [step("undrain"), always("unsilence")]}
    return Diary(plan_of(lane("west", "a"), **steps))  # type: ignore[arg-type]


def test_steps_run_in_order_and_each_is_written_down(stepped: Diary) -> None:
    """Before: as listed. After: the last undone first, once the probes pass; then one clean round."""
    assert kinds(stepped.well("a")) == "Granted"
    assert stepped.doing("a") == a.RunStep("r1", 0, 0, after=False, step=0, key="r1-0-1-before-0")
    stepped.step("a")
    assert stepped.doing("a") == a.RunStep("r1", 0, 0, after=False, step=1, key="r1-0-1-before-1")
    stepped.step("a")
    assert stepped.doing("a") == a.ReadBaseline("r1", 0, 0, None)
    assert kinds(stepped.well("a")) == "Intended"
    stepped.accepted("a")
    stepped.ended("a")
    assert kinds(stepped.healthy("a")) == "Verified"
    assert stepped.doing("a") == a.RunStep("r1", 0, 1, after=True, step=0, key="r1-0-1-after-0")
    stepped.step("a")
    assert stepped.doing("a") == a.RunStep("r1", 0, 1, after=True, step=1, key="r1-0-1-after-1")
    stepped.now += timedelta(minutes=3)
    stepped.step("a")
    assert stepped.doing("a") == a.Verify("r1", 0, 1, stepped.now, briefly=True, hoping=False)
    stepped.healthy("a")
    assert stepped.status("a") is M.DONE


def test_nothing_is_sent_before_the_steps_before_are_done(stepped: Diary) -> None:
    """A look that was begun earlier doesn't jump the queue."""
    stepped.well("a")
    stepped.step("a")
    assert stepped.tell(m.FoundWell("r1", 0, OLD)) == ()


def test_a_step_before_that_fails_ends_the_attempt_unsent(stepped: Diary) -> None:
    """What was drained is undrained, the machine is well, and it counts as not changed."""
    stepped.well("a")
    stepped.step("a")
    assert kinds(stepped.step("a", ok=False)) == "StepEnded"
    assert stepped.status("a") is M.VERIFYING
    facts = stepped.recover("a")
    assert only(facts, e.MachineEnded) == e.MachineEnded(0, e.Outcome.NOT_CHANGED, "500")
    assert not any(b'["I",' in row.body for row in stepped.rows)


def test_a_machine_that_is_unwell_has_the_steps_after_that_run_always(stepped: Diary) -> None:
    """It stays drained; only what must never be left behind is undone. Then it is unhealthy."""
    stepped.change("a")
    assert kinds(stepped.unhealthy("a", "503")) == "Verified"
    assert stepped.doing("a") == a.RunStep("r1", 0, 1, after=True, step=1, key="r1-0-1-after-1")
    facts = stepped.step("a")
    assert kinds(facts) == "StepEnded MachineUnhealthy"
    assert only(facts, e.MachineUnhealthy).evidence == "503"


def test_a_machine_that_recovers_has_all_its_steps_after_first(stepped: Diary) -> None:
    """Nobody serves who is still drained: well, undrained, well still, and only then is the grant returned."""
    stepped.change("a")
    stepped.unhealthy("a")
    stepped.step("a")
    assert kinds(stepped.healthy("a")) == "Verified"
    assert stepped.status("a") is M.UNHEALTHY
    stepped.step("a")
    stepped.step("a")
    assert stepped.granted() == "a"
    assert kinds(stepped.healthy("a")).split()[0] == "MachineEnded"
    assert stepped.status("a") is M.DONE


def test_a_step_after_that_fails_makes_the_machine_unhealthy(stepped: Diary) -> None:
    """With the step's answer as the reason; those that run always still do."""
    stepped.change("a")
    stepped.healthy("a")
    assert kinds(stepped.step("a", ok=False)) == "StepEnded"
    assert isinstance(stepped.doing("a"), a.RunStep)
    facts = stepped.step("a")
    assert only(facts, e.MachineUnhealthy).evidence == "500"


def test_the_last_step_after_that_fails_names_itself(stepped: Diary) -> None:
    """It is the reason."""
    stepped.change("a")
    stepped.healthy("a")
    stepped.step("a")
    facts = stepped.step("a", ok=False)
    assert only(facts, e.MachineUnhealthy).evidence == "its step after failed: 500"


def test_a_step_after_that_fails_again_is_tried_each_time_the_machine_is_well(stepped: Diary) -> None:
    """Under the same key, without a second failure being counted, and without ever returning the grant."""
    stepped.change("a")
    stepped.unhealthy("a")
    stepped.step("a")
    for _ in range(3):
        assert kinds(stepped.healthy("a")) == "Verified"
        assert kinds(stepped.step("a", ok=False)) == "StepEnded"
        assert stepped.status("a") is M.UNHEALTHY
        assert stepped.granted() == "a"
    stepped.recover("a")
    assert stepped.status("a") is M.DONE
    assert stepped.rollout.unacknowledged == {0}


def test_a_machine_that_fails_after_its_steps_after_is_unhealthy(stepped: Diary) -> None:
    """Undrained, and then it broke: the last clean round is there for this."""
    stepped.change("a")
    stepped.healthy("a")
    stepped.step("a")
    stepped.step("a")
    assert kinds(stepped.unhealthy("a")) == "MachineUnhealthy"


def test_a_machine_that_recovered_and_breaks_once_undrained_goes_on_hoping(stepped: Diary) -> None:
    """No second failure is counted, and all its steps after are due again."""
    stepped.change("a")
    stepped.unhealthy("a")
    stepped.step("a")
    stepped.healthy("a")
    stepped.step("a")
    stepped.step("a")
    assert kinds(stepped.unhealthy("a")) == "Verified"
    assert stepped.doing("a") == a.Verify("r1", 0, 1, NOON, briefly=False, hoping=True)
    stepped.recover("a")
    assert stepped.status("a") is M.DONE


def test_steps_of_the_next_grant_have_keys_of_their_own(stepped: Diary) -> None:
    """A receiver that knows a key may rest: it would leave the machine undrained the second time."""
    stepped.well("a")
    stepped.step("a")
    stepped.tell(m.ClockStepped("r1", NOON))
    stepped.recover("a")
    assert stepped.status("a") is M.PENDING
    stepped.resume()
    stepped.well("a")
    assert stepped.doing("a") == a.RunStep("r1", 0, 0, after=False, step=0, key="r1-0-2-before-0")


def test_a_step_that_is_not_the_next_is_dropped(stepped: Diary) -> None:
    """Reported twice, or out of turn."""
    stepped.well("a")
    stepped.step("a")
    assert stepped.tell(m.StepReported("r1", 0, 0, after=False, step=0, ok=False, evidence="")) == ()
    assert stepped.tell(m.StepReported("r1", 0, 0, after=True, step=0, ok=True, evidence="")) == ()
    stepped.step("a")
    stepped.well("a")
    stepped.accepted("a")
    stepped.ended("a")
    assert stepped.tell(m.StepReported("r1", 0, 1, after=True, step=0, ok=True, evidence="")) == ()
    stepped.healthy("a")
    assert stepped.tell(m.StepReported("r1", 0, 1, after=True, step=1, ok=True, evidence="")) == ()


def test_a_machine_is_not_sent_its_request_when_others_went_out_during_its_steps() -> None:
    """There was room when it was granted. It is given back, undrained, and goes when there is room again."""
    plan = plan_of(
        lane("west", "a"),
        before=[step("drain")],
        after=[step("undrain")],
        rules=[budget(1, "a c")],
        counted="c",
    )
    diary = Diary(plan)
    diary.well("a")
    diary.fleet(out="c")
    diary.step("a")
    diary.well("a")
    assert not any(b'["I",' in row.body for row in diary.rows)
    diary.healthy("a")
    diary.step("a")
    diary.healthy("a")
    assert diary.status("a") is M.PENDING
    assert diary.run("a").detail == "not begun: others went out since it was granted: at most 1 of 2"
    assert (diary.granted(), diary.checked()) == ("", "")
    diary.fleet(back="c")
    assert diary.checked() == "a"
