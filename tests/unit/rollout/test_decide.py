"""The preparation, the look before a grant, the watch, and the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.policy.model import Share, StopWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import clock_message
from orchestrator.rollout.evolve_machine import FOREIGN_PAUSE
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R
from tests.builders import NOON, budget, lane, plan_of, stage, step
from tests.diary import NEW, OLD, Diary, kinds, only


@pytest.fixture
def diary() -> Diary:
    """Two machines, one at a time, and one that only counts."""
    return Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b x")]))


# The preparation ------------------------------------------------------------------------------------------------


def test_nothing_is_granted_before_everything_was_looked_at() -> None:
    """Every probe is asked once, first."""
    diary = Diary(plan_of(lane("west", "a")), prepared=False)
    assert diary.agenda.own == (a.Prepare("r1"),)
    assert diary.checked() == ""
    assert kinds(diary.looked()) == "Prepared StageOpened WaveOpened"
    assert diary.agenda.own == (a.Watch("r1"),)
    assert diary.checked() == "a"


def test_what_is_out_before_we_begin_takes_its_place_in_every_budget() -> None:
    """Of others' doing, and never our failure."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b x")]), prepared=False)
    diary.looked(out="x")
    assert diary.checked() == ""
    assert diary.agenda.waiting[diary.index("a")].what == "at most 1 of 3"
    diary.fleet(back="x")
    assert diary.checked() == "a"


@pytest.mark.parametrize(
    ("asked", "unasked", "refused"), [(10, 0, False), (9, 1, False), (89, 11, True), (0, 0, False)]
)
def test_probes_that_can_not_be_asked_are_a_mistake_from_a_tenth_on(
    asked: int, unasked: int, refused: bool
) -> None:
    """More than a tenth: refused, with an example, before anything is done."""
    diary = Diary(plan_of(lane("west", "a")), prepared=False)
    facts = diary.looked(asked=asked, unasked=unasked)
    assert (kinds(facts) == "RolloutRefused") is refused
    if refused:
        assert only(facts, e.RolloutRefused).why == (
            "11 of 100 probes can't be asked (vm-a: no address): more than a tenth, so the probes are taken as "
            "misconfigured; mend them and plan again"
        )


def test_a_refused_rollout_holds_no_rules() -> None:
    """It never began: its budgets must not stand in the way of the next one."""
    diary = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a")]), prepared=False)
    diary.looked(asked=0, unasked=5)
    assert diary.scope.ledger.budgets() == []
    assert diary.scope.active() == []
    assert diary.rollout.ended_at == NOON


def test_a_look_that_comes_twice_is_dropped(diary: Diary) -> None:
    """It was prepared already."""
    assert diary.looked() == ()


def test_a_rollout_paused_before_it_was_prepared_prepares_when_it_is_resumed() -> None:
    """Nothing of the first look is known: it is made again."""
    diary = Diary(plan_of(lane("west", "a")), prepared=False)
    diary.pause()
    assert diary.agenda.own == ()
    diary.resume()
    assert diary.rollout.status is R.STARTING
    assert diary.agenda.own == (a.Prepare("r1"),)


def test_machines_that_were_dropped_are_left_out_and_count_as_out() -> None:
    """Gone or off since the plan was made: listed with the reason, never touched."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]), dropped=(("a", "it is off"),))
    assert (diary.status("a"), diary.run("a").detail) == (M.LEFT_OUT, "it is off")
    assert diary.checked() == ""
    diary.fleet(back="a")
    assert diary.checked() == "b"


# The look before a grant ------------------------------------------------------------------------------------------


def test_a_machine_that_is_out_already_is_left_alone(diary: Diary) -> None:
    """With the evidence; it takes its place in the budget, and is no failure of ours."""
    facts = diary.out("a", "connection refused")
    assert facts == (
        e.MachineLeftOut(0, "out already, before we touched it: connection refused"),
        e.FleetSeen(out=(0,)),
    )
    assert diary.rollout.unacknowledged == set()
    assert diary.checked() == ""


def test_a_machine_that_somebody_else_patches_is_left_for_a_while(diary: Diary) -> None:
    """Two runs on one machine kill each other: it counts as out, and is looked at again in ten minutes."""
    assert diary.busy("a") == (e.ForeignRunSeen(0),)
    assert diary.doing("a") is None
    assert diary.scope.ledger.is_out(diary.planned.machine(0).id)
    diary.wait(minutes=9)
    assert diary.doing("a") is None
    diary.wait(minutes=1)
    assert timedelta(minutes=10) == FOREIGN_PAUSE
    assert diary.checked() == "a"
    assert kinds(diary.well("a", NEW)) == "Granted Intended"
    assert diary.run("a").baseline == NEW


def test_a_place_is_free_for_others_while_somebody_else_patches() -> None:
    """Nothing is looked at in vain meanwhile."""
    diary = Diary(plan_of(lane("west", "a b"), max_in_flight=1))
    assert diary.checked() == "a"
    diary.busy("a")
    assert diary.checked() == "b"


def test_a_machine_that_is_gone_is_said_to_be(diary: Diary) -> None:
    """Whatever was going on with it."""
    assert kinds(diary.gone("a")) == "MachineGone"
    assert diary.status("a") is M.GONE
    assert diary.gone("a") == ()


def test_room_that_was_taken_meanwhile_is_not_taken_twice(diary: Diary) -> None:
    """The look takes seconds; somebody else's machine went out in them."""
    assert diary.checked() == "a"
    diary.fleet(out="x")
    assert diary.checked() == ""
    assert diary.tell(m.FoundWell("r1", 0, OLD)) == ()
    assert diary.status("a") is M.PENDING


def test_a_machine_found_well_needs_a_place_though_it_is_out_on_record() -> None:
    """It is back, before the watch saw it: taking it down would take down one more."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    diary.send("a")
    diary.fleet(out="b")
    assert diary.checked() == "b"
    assert diary.well("b") == (e.FleetSeen(back=(1,)),)
    assert diary.status("b") is M.PENDING
    assert diary.checked() == ""


def test_a_machine_found_well_that_is_out_on_record_may_use_its_own_place() -> None:
    """Nobody else is out: it costs what it seemed to cost already."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    diary.fleet(out="b")
    assert kinds(diary.well("b")) == "Granted Intended"
    assert diary.scope.ledger.others == {}


@pytest.mark.parametrize("found", ["out", "busy"])
def test_a_granted_machine_that_can_not_be_changed_gives_its_grant_back(found: str) -> None:
    """Between its steps before and its intent: through its steps after, unchanged, and tried again later."""
    diary = Diary(plan_of(lane("west", "a"), before=[step("drain")], after=[step("undrain")]))
    diary.well("a")
    diary.step("a")
    assert kinds(getattr(diary, found)("a")) == "ChangeEnded"
    diary.recover("a")
    assert diary.status("a") is M.PENDING


# The watch --------------------------------------------------------------------------------------------------------


def failing(**parts: object) -> Diary:
    """Three machines of which two are done; the second stage is broad."""
    diary = Diary(plan_of(lane("west", "a b", "c"), **parts))  # type: ignore[arg-type]
    diary.finish("a", "b")
    return diary


def test_a_machine_that_fails_after_it_was_done_is_a_late_failure() -> None:
    """It takes a grant again, is marked late, counts, and is asked until it is well."""
    diary = failing()
    assert diary.fleet(out="a") == (e.MachineUnhealthy(0, "503", late=True),)
    assert diary.run("a").late
    assert diary.granted() == "a"
    assert diary.rollout.unacknowledged == {0}
    diary.healthy("a")
    assert diary.status("a") is M.DONE


def test_two_late_failures_in_one_look_are_two() -> None:
    """Each is one below the limit alone."""
    diary = failing(stop_when=StopWhen(unhealthy=Share(count=2)))
    facts = diary.fleet(out="a b")
    assert kinds(facts) == "MachineUnhealthy MachineUnhealthy RolloutStopped"
    assert only(facts, e.RolloutStopped).why == (
        "2 unhealthy of 2 attempted in stage broad, the limit is 2; last b: late: 503"
    )


def test_a_late_failure_holds_its_budget_and_its_order() -> None:
    """Who would have gone down next waits."""
    diary = Diary(plan_of(lane("west", "a", "b"), rules=[budget(1, "a b")]))
    diary.finish("a")
    assert diary.checked() == "b"
    diary.fleet(out="a")
    assert diary.checked() == ""
    diary.healthy("a")
    assert diary.checked() == "b"


def test_a_machine_left_out_that_goes_out_is_not_ours() -> None:
    """It was never attempted."""
    diary = Diary(plan_of(lane("west", "a b")), dropped=(("a", "off"),))
    diary.fleet(back="a")
    assert diary.fleet(out="a") == (e.FleetSeen(out=(0,)),)


def test_what_is_known_already_is_not_written_again(diary: Diary) -> None:
    """A look that sees nothing new is no fact."""
    x = diary.index("x")
    assert diary.fleet(out="x") == (e.FleetSeen((x,)),)
    assert diary.fleet(out="x") == ()
    assert diary.fleet(back="x a b") == (e.FleetSeen((), (x,)),)
    assert diary.fleet(back="x") == ()


def test_who_went_out_after_the_look_is_not_back_by_it(diary: Diary) -> None:
    """Another rollout may have found it out meanwhile: only a look of later than that tells that it serves again."""
    x, before = diary.index("x"), diary.now - timedelta(seconds=1)
    diary.fleet(out="x")
    assert diary.tell(m.FleetChanged(diary.id, (), (x,), seen_at=before)) == ()
    later = diary.now + timedelta(seconds=1)
    assert diary.tell(m.FleetChanged(diary.id, (), (x,), seen_at=later)) == (e.FleetSeen((), (x,)),)


def test_a_machine_that_holds_a_grant_is_expected_to_be_down(diary: Diary) -> None:
    """The watch sees it, and that is no news."""
    diary.follow("a")
    assert diary.fleet(out="a") == ()


# Other rollouts ------------------------------------------------------------------------------------------------------


def after_an_abort() -> Diary:
    """A second rollout in the scope of one that was aborted and left a unhealthy."""
    first = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a b")]))
    first.change("a")
    first.unhealthy("a")
    first.abort()
    plan = plan_of(lane("west", "a b"), rules=[budget(1, "a b")])
    second = Diary(plan, id="r2", scope=first.scope, rows=first.rows)
    assert second.scope.ledger.holds("r1", second.planned.machine(0).id)
    return second


def test_a_disruption_that_a_rollout_left_open_counts_in_the_next() -> None:
    """B may not go down beside it."""
    diary = after_an_abort()
    assert diary.checked() == "a"
    assert diary.granted() == "a"


def test_a_disruption_that_was_left_open_is_taken_over_by_who_finds_it_well() -> None:
    """And is then the new holder's to close, not the old one's."""
    diary = after_an_abort()
    assert kinds(diary.well("a")) == "Granted Intended"
    assert diary.scope.ledger.holds("r2", diary.planned.machine(0).id)
    diary.tell(m.HealthReported("r1", 0, 1, well=True, evidence=""))
    assert diary.scope.ledger.holds("r2", diary.planned.machine(0).id)


def test_a_disruption_that_was_left_open_is_closed_when_the_machine_is_seen_back() -> None:
    """Nobody else looks at it any more."""
    diary = after_an_abort()
    diary.fleet(back="a")
    assert diary.granted() == ""


# The clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back_s", "stops"), [(0, False), (5, False), (5.001, True), (3600, True)])
def test_a_clock_that_goes_back_stops_the_rollout_beyond_five_seconds(back_s: float, stops: bool) -> None:
    """A correction is harmless; a jump makes every deadline a lie."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.now -= timedelta(seconds=back_s)
    facts = diary.tell(m.Advance("r1"))
    assert (kinds(facts) == "RolloutStopped") is stops
    if stops:
        assert only(facts, e.RolloutStopped).why.startswith("the clock went back: it says ")


def test_before_the_first_fact_no_clock_is_wrong() -> None:
    """There is nothing to compare it with."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.scope.last = None
    assert clock_message(diary.scope, diary.rollout, NOON) is None


def test_the_time_of_facts_never_goes_back() -> None:
    """Whatever a host hands in."""
    diary = Diary(plan_of(lane("west", "a b")))
    diary.now -= timedelta(seconds=3)
    diary.well("a")
    assert diary.scope.last == NOON
    assert diary.run("a").since == NOON


def test_a_stage_after_the_first_has_its_own_rules_for_stopping() -> None:
    """In the canary the first unhealthy one, whatever the share."""
    plan = plan_of(
        lane("first", "a b", stage="canary"),
        lane("rest", "c", stage="broad"),
        stages=[stage("canary"), stage("broad")],
    )
    diary = Diary(plan)
    diary.change("a")
    assert kinds(diary.unhealthy("a")) == "MachineUnhealthy RolloutStopped"
