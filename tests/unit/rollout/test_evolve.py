"""The fold: what can't follow is a defect that changes nothing, and what an ended rollout leaves behind."""

from __future__ import annotations

from copy import deepcopy

import pytest

from orchestrator.errors import Defect
from orchestrator.rollout import events as e
from orchestrator.rollout.evolve import apply
from orchestrator.rollout.state import MachineStatus as M
from tests.builders import NOON, budget, lane, plan_of
from tests.diary import OLD, Diary, assert_same_state
from tests.recount import assert_counts


@pytest.mark.parametrize(
    "event",
    [
        e.Started(0, "https://x"),
        e.MachineEnded(0, e.Outcome.DONE),
        e.MachineUnhealthy(0, "503"),
        e.Intended(0, 1, "key", OLD, NOON),
        e.RolloutResumed("ada", "go"),
        e.Prepared(()),
    ],
)
def test_a_fact_that_can_not_follow_is_a_defect_and_changes_nothing(event: e.Event) -> None:
    """Half a fold would be worse than none."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    before = deepcopy(diary.scope, {id(diary.planned): diary.planned})  # a plan never changes
    with pytest.raises(Defect, match="can't follow"):
        apply(diary.scope, "r1", event, NOON)
    assert_same_state(before, diary.scope)


def test_a_rollout_begins_with_its_plan() -> None:
    """The one fact that needs more than itself."""
    diary = Diary(plan_of(lane("west", "a")))
    with pytest.raises(Defect, match="begins through `begin`"):
        apply(diary.scope, "r2", e.RolloutStarted("r2", "digest", "ada", "why"), NOON)


def test_attempts_are_counted_over_everything_that_may_become_of_a_machine() -> None:
    """Tried, left out, retried: the third request must not carry the first one's key."""
    diary = Diary(plan_of(lane("west", "a b", "c"), rules=[budget(1, "a x")]))
    diary.follow("a", "b")
    diary.ended("a", changed=False, passing=True)
    diary.fleet(out="x")
    diary.healthy("a")
    assert diary.status("a") is M.PENDING
    diary.ended("b")
    diary.healthy("b")
    diary.wait(hours=24)
    assert diary.status("a") is M.LEFT_OUT
    assert diary.run("a").attempt == 1


def test_what_is_in_flight_is_counted_wherever_it_stands() -> None:
    """Recounted naively at each step of a small rollout."""
    diary = Diary(plan_of(lane("west", "a b", "c"), rules=[budget(2, "a b c")]))
    for act in (
        lambda: diary.well("a"),
        lambda: diary.accepted("a"),
        lambda: diary.well("b"),
        lambda: diary.unsettled("b"),
        lambda: diary.ended("a"),
        lambda: diary.unhealthy("a"),
        lambda: diary.read_back("b", OLD, certain=False),
        diary.resume,
        lambda: diary.skip("b"),
        lambda: diary.retry("a"),
        lambda: diary.write_off("a"),
        lambda: diary.healthy("b"),
        lambda: diary.finish("c"),
    ):
        act()
        assert_counts(diary.scope, diary.rollout)
    assert diary.rollout.ended_at == NOON


def test_grants_of_an_ended_rollout_stay_while_its_rules_go() -> None:
    """The disruption is the fleet's, the rule was the rollout's."""
    diary = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a")]))
    diary.change("a")
    diary.unhealthy("a")
    diary.abort()
    assert diary.scope.ledger.budgets() == []
    assert diary.granted() == "a"
    diary.write_off("a")
    assert diary.granted() == ""
