"""Lanes, waves and stages: what opens when, who is waited for, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.rollout import events as e
from orchestrator.rollout.due import lane_wakes_at, stage_wakes_at
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from orchestrator.rollout.state import StageStatus
from tests.builders import NOON, budget, exclusion, lane, order, plan_of, stage, step
from tests.diary import Diary, kinds, only


def test_a_wave_opens_when_every_machine_of_the_one_before_is_settled() -> None:
    """Done, not changed, left out, skipped, gone: settled. On its way or unhealthy: not."""
    diary = Diary(plan_of(lane("west", "a b c", "d")))
    diary.finish("a")
    diary.out("b")
    assert diary.lane("west").wave == 0
    assert kinds(diary.skip("c")) == "MachineSkipped WavePassed WaveOpened"
    assert diary.checked() == "d"


def test_lanes_without_an_order_run_side_by_side() -> None:
    """Each at its own pace."""
    diary = Diary(plan_of(lane("west", "a", "b"), lane("east", "c", "d")))
    assert diary.checked() == "a c"
    diary.finish("a")
    assert diary.checked() == "b c"


def test_a_lane_begins_when_all_it_comes_after_are_finished() -> None:
    """Zone 2 after zone 1."""
    diary = Diary(plan_of(lane("z1", "a"), lane("z1-too", "b"), lane("z2", "c", after=["z1", "z1-too"])))
    assert diary.checked() == "a b"
    diary.finish("a")
    assert diary.checked() == "b"
    diary.finish("b")
    assert diary.checked() == "c"


def test_an_unhealthy_machine_keeps_its_waves_gate_shut() -> None:
    """Until it is well, or a person says otherwise."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    assert diary.checked() == ""
    diary.healthy("a")
    assert diary.checked() == "b"


def test_orders_hold_within_a_wave() -> None:
    """B waits for a though both waves are open; unhealthy blocks, well again lets through."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[order("a", "b")]))
    assert diary.checked() == "a"
    assert diary.agenda.waiting[1].what == "a before b"
    diary.change("a")
    diary.unhealthy("a")
    assert diary.checked() == ""
    diary.healthy("a")
    assert diary.checked() == "b"


def test_orders_hold_within_each_stage_alone() -> None:
    """A first of a later stage holds nobody back."""
    diary = Diary(
        plan_of(lane("now", "b", stage="pilot"), lane("later", "a", stage="broad"), rules=[order("a", "b")])
    )
    assert diary.checked() == "b"


# Stages -------------------------------------------------------------------------------------------------------------


def baking() -> Diary:
    """A pilot of one machine that bakes an hour, and the rest."""
    return Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            stages=[stage("pilot", bake=timedelta(hours=1)), stage("broad")],
        )
    )


def test_a_stage_bakes_once_after_its_last_machine_is_verified() -> None:
    """Then the next opens, by itself, at that moment."""
    diary = baking()
    assert only(diary.finish("a"), e.StageBaking) == e.StageBaking(0, NOON + timedelta(hours=1))
    diary.wait(minutes=59)
    assert diary.checked() == ""
    assert kinds(diary.wait(minutes=1)) == "StageOpened WaveOpened"
    assert diary.checked() == "b"


def test_a_bake_goes_on_over_a_pause_and_ends_no_sooner_than_the_resume() -> None:
    """What is watched meanwhile is watched whether or not anybody may start."""
    diary = baking()
    diary.finish("a")
    diary.pause()
    assert diary.wait(hours=2) == ()
    assert kinds(diary.resume()) == "RolloutResumed StageOpened WaveOpened"


def test_a_bake_survives_a_crash() -> None:
    """Its end is written down; the moment still comes."""
    diary = baking()
    diary.finish("a")
    diary.wait(minutes=30)
    assert diary.crash() == ()
    assert diary.agenda.wake_at() == NOON + timedelta(hours=1)
    assert kinds(diary.wait(minutes=30)) == "StageOpened WaveOpened"


def test_a_late_failure_in_a_bake_is_waited_for_only_by_the_stop() -> None:
    """In the first of several stages one is enough."""
    diary = baking()
    diary.finish("a")
    assert kinds(diary.fleet(out="a")) == "MachineUnhealthy RolloutStopped"
    assert diary.wait(hours=2) == ()


def test_a_stage_without_a_machine_left_bakes_for_nobody() -> None:
    """A stage that no lane belongs to opens the next at once."""
    diary = Diary(
        plan_of(
            lane("rest", "b", stage="broad"),
            stages=[stage("pilot", bake=timedelta(hours=1), approve=False), stage("broad")],
        )
    )
    assert diary.rollout.stage == 1
    assert diary.checked() == "b"


def test_the_last_stage_bakes_too_and_then_the_rollout_is_finished() -> None:
    """Late failures of the last machines are failures of the rollout."""
    diary = Diary(plan_of(lane("only", "a"), stages=[stage("broad", bake=timedelta(hours=1))]))
    diary.finish("a")
    assert diary.rollout.stage_status is StageStatus.BAKING
    assert kinds(diary.wait(hours=1)) == "RolloutFinished"
    assert diary.rollout.status is R.FINISHED
    assert diary.scope.active() == []


# Waiting, and its end -------------------------------------------------------------------------------------------------


def test_a_lane_that_waits_for_too_long_leaves_out_by_name_and_lets_others_go_on() -> None:
    """Behind an unhealthy machine: it is named, what hadn't begun is left out, the lane is over."""
    diary = Diary(plan_of(lane("west", "a b", "c"), lane("east", "d", after=["west"])))
    diary.change("a")
    diary.unhealthy("a")
    diary.finish("b")
    assert lane_wakes_at(diary.rollout, 0) == NOON + timedelta(hours=24)
    facts = diary.wait(hours=24)
    assert kinds(facts) == "MachineLeftOut LaneGaveUp WaveOpened"
    assert only(facts, e.MachineLeftOut) == e.MachineLeftOut(2, "waited 24 h for a to be well again")
    assert only(facts, e.LaneGaveUp).why == "waited 24 h for a to be well again"
    assert diary.status("a") is M.UNHEALTHY
    assert diary.checked() == "d"


def test_a_lane_that_finds_no_room_gives_up_too() -> None:
    """Others' outages may last for ever; a rollout doesn't."""
    diary = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a x")]), prepared=False)
    diary.looked(out="x")
    facts = diary.wait(hours=24)
    assert kinds(facts) == "MachineLeftOut LaneGaveUp RolloutFinished"
    assert diary.run("a").detail == "waited 24 h for room that never came"


def test_while_something_goes_on_in_a_wave_nobody_gives_up() -> None:
    """An installation may take hours; the wait counts from its end."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    diary.follow("a")
    assert diary.wait(hours=48) == ()
    diary.ended("a")
    diary.unhealthy("a")
    assert diary.wait(hours=23) == ()
    assert kinds(diary.wait(hours=1)) == "MachineLeftOut LaneGaveUp RolloutFinished"


def test_a_pause_is_no_wait() -> None:
    """The deadline counts from the resume."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=20)
    diary.pause()
    diary.wait(hours=20)
    diary.resume()
    assert diary.wait(hours=23) == ()
    assert kinds(diary.wait(hours=1)) == "MachineLeftOut LaneGaveUp RolloutFinished"


def test_a_machine_retried_after_its_wave_goes_beside_the_present_one() -> None:
    """It waits for nobody's wave, but for room like all; and the rollout doesn't end without it."""
    diary = Diary(plan_of(lane("west", "a", "b"), rules=[budget(1, "a b")]))
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    assert diary.checked() == "b"
    diary.retry("a")
    assert diary.checked() == "b"
    diary.follow("b")
    diary.ended("b")
    diary.healthy("b")
    assert diary.checked() == "a"
    diary.finish("a")
    assert diary.rollout.status is R.FINISHED


def test_a_machine_retried_before_its_wave_waits_for_it() -> None:
    """A verb opens no wave."""
    diary = Diary(plan_of(lane("west", "a", "b")), dropped=(("b", "off"),))
    diary.retry("b")
    assert diary.checked() == "a"
    diary.finish("a")
    assert diary.checked() == "b"


def test_a_stage_waits_for_those_who_were_retried() -> None:
    """The barrier is for all of its machines."""
    diary = baking()
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.retry("a")
    assert diary.wait(hours=2) == ()
    diary.finish("a")
    assert diary.checked() == "b"


def test_a_machine_retried_that_never_finds_room_is_left_out_in_the_end() -> None:
    """No state without a way out: then its stage goes on."""
    diary = Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            rules=[budget(1, "a x")],
            stages=[stage("pilot"), stage("broad")],
        )
    )
    diary.follow("a")
    diary.fleet(out="x")
    diary.ended("a", changed=False)
    diary.pause()
    diary.healthy("a")
    diary.retry("a")
    diary.resume()
    assert diary.checked() == ""
    assert stage_wakes_at(diary.rollout, diary.now) in (None, NOON + timedelta(hours=24))
    facts = diary.wait(hours=24)
    assert "MachineLeftOut" in kinds(facts)
    assert diary.checked() == "b"


def test_a_machine_retried_while_approval_is_wanted_does_not_wait_for_ever_either() -> None:
    """Left out in the end, so that a person can approve."""
    diary = Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            rules=[budget(1, "a x")],
            stages=[stage("pilot", approve=True), stage("broad")],
        )
    )
    diary.follow("a")
    diary.fleet(out="x")
    diary.ended("a", changed=False)
    diary.healthy("a")
    assert diary.rollout.stage_status is StageStatus.AWAITING
    diary.retry("a")
    assert kinds(diary.wait(hours=24)) == "MachineLeftOut"
    diary.approve()
    assert diary.checked() == "b"


def test_a_machine_retried_that_is_unhealthy_holds_the_stage_for_as_long_as_a_wave_would() -> None:
    """Then the others go on, and it stays a person's."""
    diary = baking()
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.retry("a")
    diary.change("a")
    diary.unhealthy("a")
    diary.resume()
    diary.wait(hours=23)
    assert diary.checked() == ""
    diary.wait(hours=1)
    assert diary.checked() == "b"
    assert diary.status("a") is M.UNHEALTHY


def test_a_machine_of_an_earlier_stage_keeps_to_its_own_stages_order() -> None:
    """Retried when the next stage is open: whoever comes before it in its stage must be well."""
    diary = Diary(
        plan_of(
            lane("first", "a b", stage="pilot"),
            lane("rest", "c", stage="broad"),
            rules=[order("a", "b")],
            stages=[stage("pilot"), stage("broad")],
        )
    )
    diary.finish("a")
    diary.follow("b")
    diary.ended("b", changed=False)
    diary.healthy("b")
    assert diary.checked() == "c"
    diary.fleet(out="a")
    diary.retry("b")
    assert diary.checked() == "c"
    assert diary.agenda.waiting[1].what == "a before b"
    diary.healthy("a")
    assert diary.checked() == "b c"


def test_a_domain_of_an_exclusion_is_left_before_the_next_is_entered() -> None:
    """Three domains in one wave: all of one, then all of the next, whoever asked first."""
    zones = exclusion({"z1": "a b", "z2": "c", "z3": "d e"})
    diary = Diary(plan_of(lane("west", "a b c d e"), rules=[zones]))
    assert diary.checked() == "a b"
    diary.finish("a")
    assert diary.checked() == "b"
    diary.finish("b")
    assert diary.checked() == "c"
    diary.finish("c")
    assert diary.checked() == "d e"


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_are_looked_at_than_there_is_room_for(limit: int) -> None:
    """A look costs requests, and a machine that is found well and refused was asked in vain."""
    names = "a b c d"
    diary = Diary(plan_of(lane("west", names), rules=[budget(limit, names)]))
    assert diary.checked() == names[: 2 * limit - 1]


def test_a_rollout_does_not_end_while_a_machine_that_got_well_again_is_about_to_be_done() -> None:
    """Its wave was given up on, and its steps after are under way: a moment later what the end said of it would be wrong."""
    diary = Diary(plan_of(lane("west", "a"), after=[step("undrain")]))
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=23, minutes=59)
    diary.healthy("a")
    diary.wait(minutes=2)
    assert diary.rollout.lanes[0].gave_up
    assert diary.rollout.status is R.RUNNING
    diary.step("a")
    diary.healthy("a")
    assert diary.status("a") is M.DONE
    assert diary.rollout.status is R.FINISHED
