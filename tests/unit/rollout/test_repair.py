"""`when_already_out: repair`: a machine that is out already is changed, for nothing, and its being out is never our failure."""

from __future__ import annotations

import pytest

from orchestrator.planner.model import Plan
from orchestrator.policy.model import Health, Share, StopWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus
from tests.builders import always, budget, grouped, lane, plan_of, step
from tests.diary import Diary, kinds, only


def repairing(*names: str, **parts: object) -> Plan:
    """Machines in one wave, of which one may be out; any failure stops."""
    told = " ".join(names or ("a", "b"))
    return plan_of(
        lane("west", told),
        rules=[budget(1, told)],
        health=Health(repair=True),
        stop_when=StopWhen(Share(count=1), Share(count=1)),
        **parts,  # type: ignore[arg-type]
    )


@pytest.fixture
def diary() -> Diary:
    """The rollout of it; a is out already, and takes the only place."""
    here = Diary(repairing(), prepared=False)
    here.looked("a")
    return here


def test_it_takes_no_place_that_it_does_not_take_anyway(diary: Diary) -> None:
    """There is no room left but its own, and nobody else gets it."""
    assert diary.checked() == "a"
    facts = diary.broken("a")
    assert kinds(facts) == "Granted Intended"
    assert only(facts, e.Granted) == e.Granted(0, broken=True)
    assert diary.granted() == "a"
    assert diary.scope.ledger.others == {}
    assert diary.checked() == ""


def test_one_that_is_found_out_just_now_is_put_down_first() -> None:
    """Only who is out on record costs nothing: the place that was kept for its check is free for another."""
    diary = Diary(repairing())
    assert diary.broken("a") == (e.FleetSeen(out=(0,)),)
    assert diary.checked() == "a"
    assert kinds(diary.broken("a")) == "Granted Intended"


def test_one_that_is_well_after_is_done_like_any_other(diary: Diary) -> None:
    """That is what it was for."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a")
    assert only(diary.healthy("a"), e.MachineEnded).outcome is e.Outcome.DONE
    assert not diary.run("a").broken
    assert diary.checked() == "b"
    late = diary.fleet(out="a")
    assert kinds(late).startswith("MachineUnhealthy"), "it was well: what comes now is a late failure"


def test_one_that_is_still_out_is_no_failure_of_ours(diary: Diary) -> None:
    """Its grant is returned, it goes on counting as out by itself, and nothing stops."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a")
    facts = diary.unhealthy("a", "503")
    assert kinds(facts) == "Verified MachineEnded FleetSeen"
    ended = only(facts, e.MachineEnded)
    assert (ended.outcome, ended.detail) == (e.Outcome.DONE, "1 installed; out, as it was before: 503")
    assert diary.granted() == ""
    assert diary.scope.ledger.is_out(diary.planned.machine(0).id)
    assert diary.rollout.status is RolloutStatus.RUNNING
    assert diary.rollout.unacknowledged == set()
    assert diary.checked() == ""
    assert diary.fleet(out="a") == ()


def test_once_it_is_back_its_next_failure_is_a_late_one(diary: Diary) -> None:
    """Well after our change, and not now."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a")
    diary.unhealthy("a")
    diary.fleet(back="a")
    assert diary.checked() == "b"
    assert kinds(diary.fleet(out="a")).startswith("MachineUnhealthy")


def test_a_change_that_fails_on_it_counts_for_nothing_while_it_is_out(diary: Diary) -> None:
    """Nobody can tell why it failed."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a", changed=False)
    assert only(diary.unhealthy("a"), e.MachineEnded).outcome is e.Outcome.NOT_CHANGED
    assert diary.rollout.not_changed == set()
    assert diary.rollout.status is RolloutStatus.RUNNING


def test_a_failure_that_passes_is_tried_once_more(diary: Diary) -> None:
    """Still as a repair."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a", changed=False, passing=True)
    assert only(diary.unhealthy("a"), e.MachineEnded).outcome is e.Outcome.PENDING
    assert diary.checked() == "a"
    assert kinds(diary.broken("a")) == "Granted Intended"


def test_whatever_was_done_before_is_undone_though_it_is_out() -> None:
    """All steps after: they restore how it was. Then it ends at once; nobody waits for it to get well."""
    diary = Diary(repairing("a", before=[step("drain")], after=[step("undrain"), always("unsilence")]))
    diary.broken("a")
    diary.broken("a")
    diary.step("a")
    diary.well("a")
    diary.accepted("a")
    diary.ended("a")
    assert kinds(diary.unhealthy("a", "503")) == "Verified"
    diary.step("a")
    facts = diary.step("a")
    assert kinds(facts).startswith("StepEnded MachineEnded FleetSeen")
    assert only(facts, e.MachineEnded).detail == "out, as it was before: 503"


def test_a_step_after_that_fails_is_ours() -> None:
    """Drained by us, and not undrained: it keeps its grant, and counts."""
    diary = Diary(repairing("a", before=[step("drain")], after=[step("undrain"), always("unsilence")]))
    diary.broken("a")
    diary.broken("a")
    diary.step("a")
    diary.well("a")
    diary.accepted("a")
    diary.ended("a")
    diary.unhealthy("a", "503")
    diary.step("a", ok=False)
    facts = diary.step("a")
    assert only(facts, e.MachineUnhealthy).evidence == "500"
    assert diary.status("a") is M.UNHEALTHY
    assert diary.granted() == "a"


def test_the_last_step_after_that_fails_names_itself() -> None:
    """And not what the probes said, which was so before."""
    diary = Diary(repairing("a", after=[step("undrain")]))
    diary.broken("a")
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a")
    diary.unhealthy("a", "503")
    assert only(diary.step("a", ok=False), e.MachineUnhealthy).evidence == "its step after failed: 500"


def test_its_group_does_not_hold_it_back() -> None:
    """It may be the reason why the group isn't well. Found well, it waits like any other."""
    diary = Diary(grouped(plan_of(lane("west", "a b"), health=Health(repair=True)), "db", "a b"))
    diary.group_sick("b")
    assert diary.checked() == ""
    diary.fleet(out="a")
    assert diary.checked() == "a"
    assert kinds(diary.group_sick("a")) == "FleetSeen"
    assert diary.checked() == ""
    diary.fleet(out="a")
    assert kinds(diary.broken("a")) == "Granted Intended"


def test_a_crash_keeps_that_it_was_broken(diary: Diary) -> None:
    """Whose failure it is doesn't depend on who asks."""
    diary.broken("a")
    diary.accepted("a")
    diary.ended("a")
    diary.crash()
    assert diary.run("a").broken
    assert isinstance(diary.doing("a"), a.Verify)
    assert "MachineUnhealthy" not in kinds(diary.unhealthy("a"))
