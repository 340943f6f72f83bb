"""Never: a replan that breaks a rule, adds a machine, touches what was begun, or goes on changing what it did."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Budget
from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.replan import REST, Standing, replan
from tests.builders import plan_of
from tests.properties.test_plan_lanes_never import problems
from tests.unit.planner.dividing import lanes_of, verdict


@st.composite
def half_done(draw: st.DrawFn) -> tuple[Plan, Standing]:
    """A plan, some of it begun as the waits of its lanes allow, with budgets shrunk and machines gone."""
    names, constraints = draw(problems())
    try:
        lanes = lanes_of(names, *constraints)
    except Refused:
        assume(False)
    begun: dict[str, int] = {}
    done: set[str] = set()
    for lane in lanes:
        if done.issuperset(lane.after):
            begun[lane.id] = draw(st.integers(0, len(lane.waves)))
            if begun[lane.id] == len(lane.waves):
                done.add(lane.id)
    limits = {rule.id: draw(st.integers(0, rule.limit)) for rule in constraints if isinstance(rule, Budget)}
    everybody = sorted(m for lane in lanes for wave in lane.waves for m in wave.machines)
    gone = draw(st.sets(st.sampled_from(everybody), max_size=3))
    return plan_of(*lanes, rules=constraints), Standing(begun, limits, frozenset(gone))


@settings(max_examples=400, deadline=None)
@given(half_done())
def test_a_replan_from_any_half_done_state_keeps_all_rules(case: tuple[Plan, Standing]) -> None:
    """The reviewed ones with all that was begun; the tighter budgets with what is left."""
    plan, standing = case
    found = replan(plan, standing)
    event(f"{len(found.lanes)} lanes anew")

    assert verdict(found.plan) == []
    tight = [_tight(rule, standing) for rule in plan.constraints if isinstance(rule, Budget)]
    rest = [
        replace(lane, waves=lane.waves[begun:])
        for lane in found.plan.lanes
        if len(lane.waves) > (begun := standing.begun.get(lane.id, 0))
    ]
    left = {lane.id for lane in rest}
    ended = [replace(lane, after=_through(lane, left, found.plan)) for lane in rest]
    assert not ended or verdict(plan_of(*ended, rules=tight)) == []


@settings(max_examples=200, deadline=None)
@given(half_done())
def test_a_replan_only_splits_delays_and_drops(case: tuple[Plan, Standing]) -> None:
    """Nobody new, nobody in another stage or lane, nobody forgotten; what was begun stays as it was."""
    plan, standing = case
    found = replan(plan, standing)
    lane_of = _lane_of(plan)

    assert {m: lane.removesuffix(REST) for m, lane in _lane_of(found.plan).items()} == {
        m: lane for m, lane in lane_of.items() if m not in found.dropped
    }
    assert standing.gone.issuperset(found.dropped)
    now = {lane.id: lane for lane in found.plan.lanes}
    for lane in plan.lanes:
        begun = standing.begun.get(lane.id, 0)
        assert not begun or now[lane.id].waves[:begun] == lane.waves[:begun]


@settings(max_examples=200, deadline=None)
@given(half_done())
def test_replanning_again_changes_nothing(case: tuple[Plan, Standing]) -> None:
    """From the same standing."""
    plan, standing = case
    once = replan(plan, standing).plan

    assert replan(once, standing).plan == once


def _tight(rule: Budget, standing: Standing) -> Budget:
    """The budget as it is by now. Who is gone is nobody that it counts."""
    there = tuple(machine for machine in rule.machines if machine not in standing.gone)
    return replace(rule, limit=max(1, standing.limits[rule.id]), machines=there)


def _through(lane: Lane, left: set[str], plan: Plan) -> tuple[str, ...]:
    """The lanes that are left and come before this one, directly or through others that are over."""
    after = {one.id: one.after for one in plan.lanes}
    found: dict[str, None] = {}
    open_ones = list(lane.after)
    while open_ones:
        other = open_ones.pop()
        if other in left:
            found[other] = None
        else:
            open_ones += after[other]
    return tuple(sorted(found))


def _lane_of(plan: Plan) -> dict[MachineId, str]:
    return {m: lane.id for lane in plan.lanes for wave in lane.waves for m in wave.machines}
