"""Never: a floor that, compiled from its file, says less than the floor read straight off the inventory."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.availability.model import Budget, Exclusion
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.planner.compile import compile_constraints
from orchestrator.topology.graph import build
from orchestrator.verify.fleet import read_fleet
from orchestrator.verify.floor_rules import floor_of
from tests.properties.test_policy_constraints import fleets
from tests.unit.planner.compiling import floor


@given(fleets(), st.sets(st.integers(0, 11)))
def test_the_planner_s_floor_is_the_judge_s(fleet: Inventory, places: set[int]) -> None:
    """Two readings that share no code: every rule of the judge's that could touch a machine that moves is among the planner's."""
    topology = build(fleet)
    changed = frozenset(machine for place, machine in enumerate(topology.machines) if place in places)
    ours = compile_constraints(topology, [], floor(), changed)
    frozen = {machine for group in ours.frozen for machine in group.machines}
    moving = changed - frozen
    theirs = floor_of(read_fleet(orjson.loads(native.dump(fleet))), moving)
    partitions = [
        {frozenset(held) for held in rule.domains.values()}
        for rule in ours.constraints
        if isinstance(rule, Exclusion)
    ]
    budgets = {
        (frozenset(rule.machines), rule.limit, rule.cap)
        for rule in ours.constraints
        if isinstance(rule, Budget)
    }

    for exclusion in theirs.exclusions:
        domains = {frozenset(held) for held in exclusion.domains.values()}
        if len(domains) > 1 and any(held & moving for held in domains):
            assert domains in partitions, exclusion
    for budget in theirs.budgets:
        if budget.machines & moving and budget.limit < len(budget.machines):
            assert budget.limit > 0, "the planner freezes such a group"
            tighter = [
                limit for machines, limit, cap in budgets if machines == budget.machines and cap == budget.cap
            ]
            assert tighter, budget
            assert min(tighter) <= budget.limit
