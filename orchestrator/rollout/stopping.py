"""When does a rollout stop by itself? `stop_when`, and what nobody has seen before."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from orchestrator.policy.model import Share
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus

AT_LEAST = 2
"""After the canary, one failure alone never reaches a percentage."""

FROM_ATTEMPTED = 20
"""A percentage is taken of at least so many attempts: one of three is no 33 %."""


def in_canary(rollout: Rollout) -> bool:
    """The first of several stages, whatever its name: the first unhealthy machine stops it."""
    return rollout.stage == 0 and len(rollout.planned.plan.stages) > 1


def threshold(share: Share, attempted: int) -> int:
    """How many failures stop: a count as it is; a percentage of the machines attempted, never fewer than two."""
    if share.count is not None:
        return share.count
    assert share.percent is not None
    return max(AT_LEAST, ceil(share.percent * max(FROM_ATTEMPTED, attempted) / 100 - 1e-9))


def after_unhealthy(rollout: Rollout, machines: Sequence[int], evidence: str) -> tuple[e.Event, ...]:
    """The stop, if these machines, unhealthy just now, are one too many. `evidence` is of the last of them."""
    failures = len(rollout.unacknowledged.union(machines))
    limit = (
        1 if in_canary(rollout) else threshold(rollout.planned.plan.stop_when.unhealthy, rollout.attempted)
    )
    if failures < limit:
        return ()
    machine = machines[-1]
    name = rollout.planned.machine(machine).name
    where = f" in stage {rollout.planned.plan.stages[rollout.stage].name}"
    why = f"{failures} unhealthy of {rollout.attempted} attempted{where}, the limit is {limit}; last {name}: {evidence}"
    return stop(rollout, why, machine)


def after_not_changed(rollout: Rollout, machine: int, detail: str) -> tuple[e.Event, ...]:
    """The stop, if this failed change is one too many."""
    failures = len(rollout.not_changed | {machine})
    limit = threshold(rollout.planned.plan.stop_when.not_changed, rollout.attempted)
    if failures < limit:
        return ()
    name = rollout.planned.machine(machine).name
    why = f"{failures} not changed of {rollout.attempted} attempted, the limit is {limit}; last {name}: {detail}"
    return stop(rollout, why, machine)


def stop(rollout: Rollout, why: str, machine: int = -1) -> tuple[e.Event, ...]:
    """Stop now: no new grant anywhere, and what was granted but not sent is given back."""
    if rollout.status not in (RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.STARTING):
        return ()
    return (e.RolloutStopped(why, machine), *give_back(rollout, "the rollout was stopped", but=machine))


def give_back(rollout: Rollout, why: str, but: int = -1) -> tuple[e.Event, ...]:
    """Every machine that is granted with no request under way goes to its steps after and its probes, unchanged.

    One that is half-way through several requests is carried through.
    """
    return tuple(
        not_begun(machine, why)
        for machine, run in enumerate(rollout.machines)
        if run.status is MachineStatus.GRANTED and not run.part and machine != but
    )


def not_begun(machine: int, why: str) -> e.ChangeEnded:
    """Granted and never sent."""
    return e.ChangeEnded(machine, changed=False, passing=True, detail=f"not begun: {why}", begun=False)


def has_halted(rollout: Rollout) -> bool:
    """Stopped or ended: nothing new is sent."""
    return rollout.status is RolloutStatus.STOPPED or rollout.over


def sends_nothing(rollout: Rollout, machine: int) -> bool:
    """Whether a machine that comes back to GRANTED gives its grant back instead of sending: one that is half-way never does."""
    return has_halted(rollout) and not rollout.machines[machine].part
