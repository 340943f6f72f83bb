"""What must come to be: every rollout ends truly, once faults have ended and a person has settled what is a person's.

A failure prints its `Case(...)`. Paste it into `play(...)` to see it again.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.rollout.state import A_PERSONS, SETTLED, MachineStatus, RolloutStatus, StageStatus
from tests.properties.toy.cases import cases, plans
from tests.properties.toy.sim import Case, play
from tests.properties.toy.told import Told

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(cases())
def test_once_faults_end_every_rollout_ends(case: Case) -> None:
    """It finishes, unless a person aborted it, and every machine it changes stands somewhere a person can name."""
    rollout = play(case, check=False).rollout
    assert rollout.status in (RolloutStatus.FINISHED, RolloutStatus.ABORTED)
    changed = [
        run.status for run, lane in zip(rollout.machines, rollout.planned.lane_of, strict=True) if lane >= 0
    ]
    if rollout.status is RolloutStatus.FINISHED:
        assert set(changed) <= SETTLED | A_PERSONS


@QUICK
@given(cases(ends=False))
def test_where_it_rests_there_is_a_reason(case: Case) -> None:
    """Left alone it finishes, or rests where only a person can move it on, and says truly why."""
    played = play(case, check=False)
    rollout = played.rollout
    match rollout.status:
        case RolloutStatus.STOPPED:
            assert rollout.cause
            assert played.witness.failures
        case RolloutStatus.PAUSED | RolloutStatus.ABORTED:
            assert rollout.by == "ada"
            assert rollout.cause == "on a whim"
        case RolloutStatus.RUNNING:
            assert StageStatus.AWAITING is rollout.stage_status
        case status:
            assert RolloutStatus.FINISHED is status


@QUICK
@given(plans().filter(lambda told: not any(rule[0] == "order" for rule in told.rules)), st.integers(0, 1000))
def test_without_faults_every_machine_is_done_by_one_request(told: Told, seed: int) -> None:
    """Whatever the budgets and exclusions: nobody is left out, nobody is asked twice."""
    played = play(Case(told, seed), check=False)
    rollout = played.rollout
    changed = [i for i, lane in enumerate(rollout.planned.lane_of) if lane >= 0]
    assert {MachineStatus.DONE} == {rollout.machines[i].status for i in changed}
    assert changed == sorted(machine for machine, _ in played.world.requests)
    assert not played.host.scope.ledger.grants
