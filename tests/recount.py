"""Everything that the fold keeps count of, counted again from the machines alone."""

from __future__ import annotations

from collections import Counter

from orchestrator.inventory.model import MachineId
from orchestrator.rollout.state import A_PERSONS, IN_FLIGHT, SETTLED, MachineStatus, Rollout, Scope
from orchestrator.rollout.stopping import sends_nothing

CLOSED = frozenset(
    {MachineStatus.DONE, MachineStatus.NOT_CHANGED, MachineStatus.GONE, MachineStatus.WRITTEN_OFF},
)
"""Where no disruption of ours is open."""


def assert_counts(scope: Scope, rollout: Rollout) -> None:
    """Fail unless counts, grants and statuses agree."""
    planned, machines = rollout.planned, rollout.machines
    changed = [i for i, lane in enumerate(planned.lane_of) if lane >= 0]
    assert Counter(machines[i].status for i in changed) == +rollout.counts
    assert sum(machines[i].status in IN_FLIGHT for i in changed) == rollout.in_flight
    for number, lane in enumerate(rollout.lanes):
        if lane.open:
            wave = [machines[i].status for i in planned.lanes[number].waves[lane.wave]]
            assert sum(status not in SETTLED for status in wave) == lane.left
            assert sum(status in IN_FLIGHT for status in wave) == lane.in_flight
    for number, left in rollout.orders_left.items():
        first = planned.orders[number].first[rollout.stage]
        assert sum(machines[i].status not in SETTLED for i in first) == left
    for machine in changed:
        status = machines[machine].status
        holds = scope.ledger.holds(rollout.id, planned.machine(machine).id)
        assert holds or status not in IN_FLIGHT | A_PERSONS, f"machine {machine} is {status} without a grant"
        assert not holds or status not in CLOSED, f"machine {machine} is {status} and keeps its grant"
        if status is MachineStatus.GRANTED:
            assert not sends_nothing(rollout, machine), "granted in a rollout that sends nothing more"
    for number, run in enumerate(rollout.stretches):
        inside = [machines[i].status for i in changed if number in planned.stretches.of.get(i, ())]
        assert sum(status not in SETTLED for status in inside) == run.left
        assert sum(status in IN_FLIGHT for status in inside) == run.in_flight
        assert sum(status in A_PERSONS for status in inside) == run.troubled
        assert not run.in_flight or run.begun, "machines are under way in a stretch that was never begun"
    assert rollout.stragglers.keys() <= set(changed)
    for machine in rollout.stragglers:
        assert machines[machine].status not in SETTLED
    for rule, taken in scope.ledger.budgets():
        counts = _restarting(scope) if rule.restarts else {*scope.ledger.grants, *scope.ledger.others}
        assert sum(member in counts for member in rule.members) == taken
    for exclusion, held in scope.ledger.exclusions():
        by_hand = {
            d for d, members in exclusion.domains.items() if any(m in scope.ledger.grants for m in members)
        }
        assert by_hand == set(held)


def _restarting(scope: Scope) -> set[MachineId]:
    """Who restarts or is out, by the machines of all rollouts: a grant that nothing has gone wrong under since is of who stays up."""
    found = set(scope.ledger.others)
    for machine, grant in scope.ledger.grants.items():
        rollout = scope.rollouts[grant.rollout]
        index = rollout.planned.index[machine]
        run = rollout.machines[index]
        well = run.status in IN_FLIGHT and run.status not in A_PERSONS
        stays = rollout.planned.machine(index).stays_up and well and index not in rollout.downed
        if not stays or run.forced or run.broken:
            found.add(machine)
    return found
