"""Processes that were away for longer than anything was to wait: they look before time alone decides."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.policy.model import Each
from orchestrator.policy.windows import calendar
from orchestrator.rollout import actions as a
from orchestrator.rollout.hours import looked_long
from orchestrator.rollout.looking import fair_look
from orchestrator.rollout.progress import is_looking
from tests.builders import budget, lane, night, plan_of, stage, step, surrounded, under
from tests.diary import Diary, kinds


def baking() -> Diary:
    """A pilot of one machine that bakes an hour, and is over but for that."""
    diary = Diary(
        plan_of(
            lane("first", "a", stage="pilot"),
            lane("rest", "b", stage="broad"),
            stages=[stage("pilot", bake=timedelta(hours=1)), stage("broad")],
        )
    )
    diary.finish("a")
    return diary


def behind_an_unhealthy_one() -> Diary:
    """`b` waits for `a`, which is out by us."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    return diary


def test_who_was_away_for_longer_than_a_wave_waits_gives_nobody_up_before_a_fair_look() -> None:
    """Nobody saw whether the machine got well. Then it is asked for as long as it takes to prove that, and some more."""
    diary = behind_an_unhealthy_one()
    assert diary.away(hours=30) == ()
    assert diary.wait(hours=3) == ()  # the cloud doesn't answer yet
    assert diary.caught_up() == ()
    look = fair_look(diary.plan)
    assert look == timedelta(minutes=10, seconds=45) + diary.plan.health[0].min_healthy_time
    assert diary.wait(seconds=look.total_seconds() - 1) == ()
    assert kinds(diary.wait(seconds=1)) == "MachineLeftOut LaneGaveUp RolloutFinished"


def test_a_machine_that_got_well_while_nobody_looked_lets_its_wave_pass() -> None:
    """The time that it waited for is over by then, and doesn't count against who comes after it."""
    diary = behind_an_unhealthy_one()
    diary.away(hours=30)
    diary.caught_up()
    diary.wait(minutes=5)
    assert kinds(diary.healthy("a")) == "MachineEnded WavePassed WaveOpened"
    assert diary.wait(hours=23) == ()
    assert diary.checked() == "b"


def test_a_look_takes_nothing_off_the_time_that_a_wave_waits() -> None:
    """Who comes back early waits for as long as anybody."""
    diary = behind_an_unhealthy_one()
    diary.away(hours=2)
    diary.caught_up()
    assert diary.wait(hours=21, minutes=59) == ()
    assert kinds(diary.wait(minutes=1)) == "MachineLeftOut LaneGaveUp RolloutFinished"


def test_a_straggler_is_looked_at_before_it_is_left_out() -> None:
    """The same for who was retried after its wave."""
    stages = [stage("pilot", bake=timedelta(hours=1)), stage("broad")]
    diary = Diary(plan_of(lane("west", "a", stage="pilot"), rules=[budget(1, "a x")], stages=stages))
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    diary.fleet(out="x")
    diary.retry("a")
    assert diary.rollout.stragglers
    assert diary.away(hours=30) == ()
    diary.caught_up()
    assert is_looking(diary.rollout, diary.now, diary.agenda.looked)
    assert diary.wait(minutes=10) == ()
    assert kinds(diary.wait(minutes=10)) == "MachineLeftOut StageOpened RolloutFinished"


def test_a_bake_that_nobody_saw_is_over_once_somebody_has_looked() -> None:
    """What fell ill meanwhile is a failure of this stage, and stops the next."""
    diary = baking()
    assert diary.away(hours=9) == ()
    assert kinds(diary.fleet(out="a")) == "MachineUnhealthy RolloutStopped"
    assert diary.caught_up() == ()
    well = baking()
    well.away(hours=9)
    assert kinds(well.caught_up()) == "StageOpened WaveOpened"


def test_a_hold_that_ended_while_nobody_looked_leaves_nobody_out() -> None:
    """It would have been held for longer than its wave waits, and isn't any more."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.hold("name=a", hours=26)
    assert diary.away(hours=30) == ()
    assert diary.caught_up() == ()
    assert diary.checked() == "a"
    assert kinds(diary.well("a")) == "Granted Intended"


def test_nobody_is_given_up_on_while_windows_are_shut() -> None:
    """They went by while nobody drove. The look is one into the next window, in which there may be room."""
    nights = calendar([[night(range(7), "22:00", 8)]], [], None)
    diary = Diary(under(plan_of(lane("west", "a", "b")), nights))
    diary.wait(hours=10)  # from noon to ten
    diary.change("a")
    diary.unhealthy("a")
    diary.away(days=6)
    diary.wait(hours=12)
    assert diary.caught_up() == ()
    assert not is_looking(diary.rollout, diary.now, diary.agenda.looked)
    assert diary.wait(hours=12) == ()
    assert is_looking(diary.rollout, diary.now, diary.agenda.looked)
    assert kinds(diary.wait(minutes=20)) == "MachineLeftOut LaneGaveUp RolloutFinished"


def test_nothing_is_planned_anew_before_the_fleet_was_looked_at() -> None:
    """Who was out when the process died may be back."""
    diary = Diary(plan_of(lane("west", "a", "b c"), rules=[budget(2, "a b c x")]))
    diary.fleet(out="x")
    diary.away(hours=1)
    assert not any(isinstance(one, a.Replan) for one in diary.agenda.own)
    diary.caught_up()
    assert any(isinstance(one, a.Replan) for one in diary.agenda.own)


def test_a_window_that_is_too_short_for_another_machine_keeps_nobody_waiting() -> None:
    """What a machine takes is asked of its own calendar alone, and what can never begin is nothing to wait for."""
    long_nights = calendar([[night(range(7), "22:00", 8)]], [], None)
    short_nights = calendar([[night(range(7), "22:00", 2)]], [], None)
    plan = under(plan_of(lane("west", "a b")), long_nights, timedelta(hours=3), only="a")
    diary = Diary(under(plan, short_nights, timedelta(hours=1), only="b"))
    looked = diary.now
    assert looked_long(diary.rollout, (0, 1), (0, 1), looked) < looked + timedelta(days=1)
    never = Diary(under(plan_of(lane("west", "a")), short_nights, timedelta(hours=3)))
    assert looked_long(never.rollout, (0,), (0,), looked) == looked + fair_look(never.plan)


def test_a_settled_wave_whose_step_after_takes_for_ever_rings_no_alarm() -> None:
    """There is nobody to give up, and an alarm of the past would ring without end."""
    diary = Diary(surrounded(plan_of(lane("west", "a")), Each.WAVE, after=[step("undrain")]))
    diary.finish("a")
    diary.wait(hours=30)
    assert (diary.agenda.wake_at() or diary.now) >= diary.now
    assert kinds(diary.step_around(0, 0)) == "StretchStepEnded WavePassed RolloutFinished"
