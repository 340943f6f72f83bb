"""An emergency shortens windows, freezes, bakes and approvals, says which, and touches nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import orjson
import pytest

from orchestrator.errors import Refused
from orchestrator.policy.model import Freeze, Health, Origin, Zone
from orchestrator.policy.windows import calendar
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.emergency import overridden
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.snapshot import dump, load
from orchestrator.rollout.state import MachineStatus, RolloutStatus, Scope, StageStatus
from tests.builders import NOON, budget, lane, order, plan_of, stage, under
from tests.diary import WHO, WHY, Diary, kinds, only
from tests.unit.rollout.test_hours import TODAY

HOUR = timedelta(hours=1)
FROZEN = calendar(
    [],
    [Freeze(date(2026, 11, 20), date(2026, 11, 24), "year end", Zone("UTC"), Origin("sale.yaml", 3))],
    None,
)


def staged(**parts: object) -> Diary:
    """A canary that bakes four hours and waits for a yes, and the rest."""
    stages = [stage("canary", bake=4 * HOUR, approve=True), stage("broad", bake=HOUR)]
    lanes = lane("c", "a", stage="canary"), lane("l", "b c")
    return Diary(plan_of(*lanes, stages=stages, **parts))  # type: ignore[arg-type]  # handed on as they are


def test_a_closed_window_and_a_freeze_hold_nobody() -> None:
    """From the word on; the agenda asks everybody anew."""
    for held in (TODAY, FROZEN):
        diary = Diary(under(plan_of(lane("l", "a b")), held))
        assert diary.checked() == ""
        diary.emergency()
        assert diary.checked() == "a b"
        assert diary.agenda.opens_at() is None
        diary.finish("a", "b")
        assert diary.rollout.status is RolloutStatus.FINISHED


def test_a_bake_is_as_long_as_a_machine_must_be_well() -> None:
    """And no approval is waited for: it is written down in the name of whoever declared the emergency."""
    diary = staged()
    diary.emergency()
    facts = diary.finish("a")
    assert only(facts, e.StageBaking).until == NOON + Health().min_healthy_time
    facts = diary.wait(hours=1)
    assert only(facts, e.StageApproved) == e.StageApproved(0, WHO, f"emergency: {WHY}")
    assert kinds(facts) == "StageApproved StageOpened WaveOpened"
    assert diary.checked() == "b c"


def test_a_bake_that_is_under_way_is_cut_short() -> None:
    """Counted from the word, so that there is one look more."""
    diary = staged()
    diary.finish("a")
    diary.wait(hours=1)
    diary.emergency()
    assert diary.rollout.bake_until == NOON + HOUR + Health().min_healthy_time
    diary.wait(minutes=5)
    assert diary.checked() == "b c"


def test_a_stage_that_waits_for_a_yes_waits_no_longer() -> None:
    """The word is one."""
    diary = staged()
    diary.finish("a")
    diary.wait(hours=4)
    assert diary.rollout.stage_status is StageStatus.AWAITING
    assert kinds(diary.emergency()) == "EmergencyDeclared StageApproved StageOpened WaveOpened"


def test_the_canary_still_goes_first_and_still_stops() -> None:
    """Nobody of the next stage is looked at before it is verified, and one unhealthy machine stops everything."""
    diary = staged()
    diary.emergency()
    assert diary.checked() == "a"
    diary.change("a")
    diary.unhealthy("a")
    assert diary.rollout.status is RolloutStatus.STOPPED
    diary.wait(hours=48)
    assert diary.checked() == ""


def test_budgets_orders_and_holds_stay() -> None:
    """What an emergency may never touch."""
    diary = Diary(under(plan_of(lane("l", "a b c d"), rules=[budget(1, "b c"), order("a", "b")]), TODAY))
    diary.hold("name=d", hours=6)
    diary.emergency()
    assert diary.checked() == "a c"
    diary.finish("a")
    assert diary.checked() == "c"


def test_it_does_not_set_going_what_a_person_paused() -> None:
    """Nor what stopped: that takes a resume."""
    diary = staged()
    diary.pause()
    diary.emergency()
    assert (diary.rollout.status, diary.checked()) == (RolloutStatus.PAUSED, "")
    diary.resume()
    assert diary.checked() == "a"


def test_what_it_shortens_is_named() -> None:
    """Each by what it is, how long it was, and the place in a policy."""
    plan = staged().plan
    plan = under(under(plan, TODAY, only="a b"), FROZEN, only="c")
    assert overridden(plan, NOON) == (
        "windows (monthly.yaml:5): 2 machines may be begun outside of them",
        "freeze `year end` until 2026-11-25 00:00 UTC (sale.yaml:3): 1 machine may be begun in it",
        "bake of stage canary: 5m instead of 4h",
        "approval after stage canary: nobody is asked",
        "bake of stage broad: 5m instead of 1h",
    )
    assert overridden(plan, NOON + timedelta(days=9), stage=1) == (
        "windows (monthly.yaml:5): 1 machine may be begun outside of them",
        "bake of stage broad: 5m instead of 1h",
    )


def test_it_is_a_fact_with_who_and_why() -> None:
    """With the rollout, or while it runs; once, and for one that isn't over."""
    planned = index_plan(staged().plan)
    started, declared = decide(
        Scope(), m.Start("r1", planned, "digest", WHO, "patch day", emergency="CVE"), NOON
    )
    assert isinstance(started, e.RolloutStarted)
    assert declared == e.EmergencyDeclared(WHO, "CVE", overridden(planned.plan, NOON))
    diary = staged()
    diary.emergency()
    assert str(diary.rollout.emergency) == f"EMERGENCY by ada since 2026-11-22 12:00 UTC: {WHY}"
    with pytest.raises(Refused, match="rollout r1: EMERGENCY by ada since"):
        diary.emergency()
    diary.abort()
    with pytest.raises(Refused, match="r1 is aborted: there is nothing left to hurry"):
        diary.emergency()


def test_where_nothing_would_be_shortened_it_is_refused() -> None:
    """With what it never shortens."""
    with pytest.raises(Refused, match="would shorten nothing; budgets, exclusions, orders, probes and gates"):
        Diary(plan_of(lane("l", "a"))).emergency()
    with pytest.raises(Refused, match="say why"):
        decide(staged().scope, m.Emergency("r1", WHO, " "), NOON)


def test_a_crash_and_a_snapshot_keep_it() -> None:
    """It stands to the end of its rollout."""
    diary = Diary(under(plan_of(lane("l", "a", "b")), TODAY))
    diary.emergency()
    again = load(orjson.loads(dump(diary.scope)), {diary.id: diary.planned})
    assert again.rollouts == diary.scope.rollouts
    diary.crash()
    diary.finish("a")
    assert isinstance(diary.doing("b"), a.Check)


def test_waiting_counts_at_every_hour() -> None:
    """`max_wait` is of open time, and in an emergency all time is."""
    diary = Diary(under(plan_of(lane("l", "a b"), rules=[budget(1, "a b")], max_wait=HOUR), TODAY))
    diary.emergency()
    diary.fleet(out="a")
    diary.wait(hours=1)
    assert diary.status("b") is MachineStatus.LEFT_OUT
