"""When what was not begun is planned anew while a rollout runs, and what of the answer may become a fact.

Machines that are out of nobody's grant take room of their budgets. Admission alone keeps that safe: whoever finds no room waits.
But a wave is over only when all of it is, so that in each wave those with room wait for those without. So once a machine was
out for `STEADY`, those who would find no room are moved behind those who would, within their own lane.

It never blocks: while it is asked, everything goes on by the plan as it is. It is asked once for each place that a
budget loses; room that comes back gives nothing back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Each
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout, RolloutStatus, Scope

STEADY: Final = timedelta(minutes=15)
"""How long a machine is out before anything is planned anew for it: most are back before."""


def begun_of(rollout: Rollout, lane: int) -> int:
    """How many waves of a lane were begun: those that passed, and the one that is open."""
    run = rollout.lanes[lane]
    return len(rollout.planned.lanes[lane].waves) if run.finished else run.wave + run.open


def may_be_replanned(rollout: Rollout) -> bool:
    """Whether it runs, and no wave has steps around it: those were reviewed with who is in it."""
    around = any(steps.each is Each.WAVE for steps in rollout.planned.plan.around)
    return rollout.status is RolloutStatus.RUNNING and rollout.prepared and not around


def due_replan(scope: Scope, rollout: Rollout, now: datetime) -> a.Replan | None:
    """What is to be planned anew: budgets with less room than what was not begun counts on, by how much there is.

    Costs the machines that are out, and the members of their budgets: asked when somebody was out for long enough.
    """
    if not may_be_replanned(rollout):
        return None
    lost: Counter[str] = Counter()
    for machine in _steadily_out(scope, rollout, now):
        lost.update(rule for rule, domain in scope.ledger.rules_of(machine) if domain is None)
    if not lost:
        return None
    shrunk = []
    for place, rule in enumerate(rollout.planned.plan.constraints):
        if isinstance(rule, Budget) and not rule.cap and rule.id in lost:
            room = max(0, rule.limit - lost[rule.id])
            if room < rollout.shrunk.get(place, rule.limit) and _counts_on_more(rollout, rule, room):
                shrunk.append((place, room))
    return a.Replan(rollout.id, tuple(shrunk)) if shrunk else None


def replan_wakes_at(scope: Scope, rollout: Rollout, now: datetime) -> datetime | None:
    """When the next machine that is out will have been so for long enough."""
    if not may_be_replanned(rollout):
        return None
    index, others = rollout.planned.index, scope.ledger.others
    moments = (since + STEADY for machine, since in others.items() if machine in index)
    return min((when for when in moments if when > now), default=None)


def _steadily_out(scope: Scope, rollout: Rollout, now: datetime) -> Iterator[MachineId]:
    index = rollout.planned.index
    for machine, since in scope.ledger.others.items():
        if machine in index and since + STEADY <= now:
            yield machine


def _counts_on_more(rollout: Rollout, rule: Budget, room: int) -> bool:
    """Whether a wave that was not begun takes more of a budget than there is."""
    planned = rollout.planned
    taken: Counter[tuple[int, int]] = Counter()
    for identity in rule.machines:
        machine = planned.index[identity]
        lane = planned.lane_of[machine]
        if lane >= 0 and planned.wave_of[machine] >= begun_of(rollout, lane):
            taken[lane, planned.wave_of[machine]] += 1
    return max(taken.values(), default=0) > room


# The answer -----------------------------------------------------------------------------------------------------


def decide_replanned(rollout: Rollout, found: m.ReplanFound) -> tuple[e.Event, ...]:
    """The facts of an answer. None if it is late: not running, known already, or a wave was begun meanwhile; it is asked again if need be."""
    fresh = all(room < rollout.shrunk.get(place, room + 1) for place, room in found.shrunk)
    if not fresh or not may_be_replanned(rollout):
        return ()
    if any(lane.begun < begun_of(rollout, lane.lane) for lane in found.lanes):
        return ()
    refused = found.refused or next((why for lane in found.lanes if (why := _refusal(rollout, lane))), "")
    budgets, limits = zip(*found.shrunk, strict=True)
    shrunk = e.BudgetsShrunk(budgets, limits, refused)
    if refused:
        return (shrunk,)
    return (shrunk, *(_replanned(lane) for lane in found.lanes))


def _replanned(lane: m.LaneFound) -> e.LaneReplanned:
    machines = tuple(machine for wave in lane.waves for machine in wave)
    return e.LaneReplanned(lane.lane, lane.begun, machines, tuple(map(len, lane.waves)))


def _refusal(rollout: Rollout, found: m.LaneFound) -> str:
    """Why a lane may not become this: a replan only lets machines of waves that were not begun go later, in their own lane and stage."""
    lane = rollout.planned.lanes[found.lane]
    reviewed = sorted(machine for wave in lane.waves[found.begun :] for machine in wave)
    if sorted(machine for wave in found.waves for machine in wave) != reviewed:
        return f"lane {lane.id} would have other machines than before, and each keeps its lane and its stage"
    if not all(found.waves):
        return f"lane {lane.id} would have a wave without machines"
    return ""
