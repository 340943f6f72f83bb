"""Never: a replan that breaks a rule, adds a machine or lets one go earlier, touches what was begun, goes on changing what it did,
or depends on what its index went through before.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Budget
from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.replan import REST, Replanned, Replanner, Standing, replanned
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
    after, found = replan(plan, standing)
    event(f"{len(found.lanes)} lanes anew")

    assert verdict(after) == []
    assert _against(after, plan, standing) == []


@settings(max_examples=300, deadline=None)
@given(half_done())
def test_a_replan_only_splits_delays_and_drops(case: tuple[Plan, Standing]) -> None:
    """Nobody new, nobody in another stage or lane, nobody earlier, nobody forgotten; what was begun stays as it was."""
    plan, standing = case
    after, found = replan(plan, standing)
    lane_of = _lane_of(plan)

    assert {m: lane.removesuffix(REST) for m, lane in _lane_of(after).items()} == {
        m: lane for m, lane in lane_of.items() if m not in found.dropped
    }
    assert standing.gone.issuperset(found.dropped)
    now = {lane.id: lane for lane in after.lanes}
    for lane in plan.lanes:
        begun = standing.begun.get(lane.id, 0)
        assert not begun or now[lane.id].waves[:begun] == lane.waves[:begun]
    was, comes = _turns(plan, found.dropped), _turns(after, ())
    assert all(comes[machine] >= was[machine] for machine in comes)


@settings(max_examples=300, deadline=None)
@given(half_done())
def test_replanning_again_changes_nothing(case: tuple[Plan, Standing]) -> None:
    """From the same standing."""
    plan, standing = case
    once, _ = replan(plan, standing)

    assert replan(once, standing)[0] is once


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_index_that_went_through_replans_finds_what_a_new_one_does(data: st.DataObject) -> None:
    """Replan after replan, while the rollout goes on, budgets shrink further, and more machines vanish. And every time all rules hold."""
    plan, standing = data.draw(half_done())
    kept = Replanner(plan)
    for _ in range(3):
        found = kept.replan(standing)
        assert found.lanes == (anew := Replanner(kept.plan).replan(standing)).lanes
        assert (found.ended, found.dropped) == (anew.ended, anew.dropped)
        kept.accept(found)
        assert verdict(kept.plan) == []
        assert _against(kept.plan, kept.plan, standing) == []
        standing = _later(data, kept.plan, standing)


def replan(plan: Plan, standing: Standing) -> tuple[Plan, Replanned]:
    """The plan after it, and what differs."""
    found = Replanner(plan).replan(standing)
    return replanned(plan, found), found


def _later(data: st.DataObject, plan: Plan, standing: Standing) -> Standing:
    """Where the same rollout stands some time later."""
    begun: dict[str, int] = {}
    over: set[str] = set()
    for lane in sorted(plan.lanes, key=lambda lane: _depth(plan)[lane.id]):
        if over.issuperset(lane.after):
            at = standing.begun.get(lane.id, 0)
            begun[lane.id] = data.draw(st.integers(min(at, len(lane.waves)), len(lane.waves)))
            if begun[lane.id] == len(lane.waves):
                over.add(lane.id)
    limits = {rule: data.draw(st.integers(0, limit)) for rule, limit in standing.limits.items()}
    more = data.draw(st.sets(st.sampled_from([machine.id for machine in plan.machines]), max_size=2))
    return Standing(begun, limits, standing.gone | more)


def _depth(plan: Plan) -> dict[str, int]:
    """How many lanes go before each, one after another."""
    after = {lane.id: lane.after for lane in plan.lanes}
    found: dict[str, int] = {}

    def depth(lane: str) -> int:
        if lane not in found:
            found[lane] = 1 + max(map(depth, after[lane]), default=0)
        return found[lane]

    for lane in after:
        depth(lane)
    return found


def _turns(plan: Plan, dropped: tuple[MachineId, ...]) -> dict[MachineId, int]:
    """Which wave each machine goes in at the earliest, if all waves took equally long. Waves without anybody are none."""
    after = {lane.id: lane.after for lane in plan.lanes}
    waves = {
        lane.id: [w for wave in lane.waves if (w := [m for m in wave.machines if m not in dropped])]
        for lane in plan.lanes
    }
    ends: dict[str, int] = {}

    def end(lane: str) -> int:
        if lane not in ends:
            ends[lane] = max(map(end, after[lane]), default=0) + len(waves[lane])
        return ends[lane]

    return {
        m: end(lane) - len(held) + place
        for lane, held in waves.items()
        for place, wave in enumerate(held)
        for m in wave
    }


def _against(after: Plan, plan: Plan, standing: Standing) -> list[str]:
    """What the judge has against the waves that were not begun, under the budgets as they are by now."""
    tight = [_tight(rule, standing) for rule in plan.constraints if isinstance(rule, Budget)]
    rest = [
        replace(lane, waves=lane.waves[begun:])
        for lane in after.lanes
        if len(lane.waves) > (begun := standing.begun.get(lane.id, 0))
    ]
    left = {lane.id for lane in rest}
    ended = [replace(lane, after=_through(lane, left, after)) for lane in rest]
    return verdict(plan_of(*ended, rules=tight)) if ended else []


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
