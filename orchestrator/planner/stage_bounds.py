"""How few waves each stage of a plan could take, one after another, and why: the certificate for the plan as a whole.

A lane's bound speaks of its own machines. This one speaks of all machines of a stage at once, through every exclusion and order that
makes lanes wait for each other. It is valid for every plan of these machines under these constraints; there need not be one
that meets it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.planner.model import Bound, Plan
from orchestrator.planner.schedule import stage_bound
from orchestrator.planner.search import is_searched
from orchestrator.planner.summary import longest_path


@dataclass(frozen=True, slots=True)
class StageBound:
    """A stage that takes `waves` waves one after another, and the fewest that any plan of it could take."""

    stage: str
    waves: int
    bound: Bound

    @property
    def met(self) -> bool:
        """Whether no plan is shorter."""
        return self.waves == self.bound.waves


def stage_bounds(plan: Plan) -> tuple[StageBound, ...]:
    """The bound of each stage that changes anybody: from its rules, or that of a lane of it where a search proved more."""
    found = []
    for gate in plan.stages:
        lanes = [lane for lane in plan.lanes if lane.stage == gate.name]
        if lanes:
            machines = (machine for lane in lanes for wave in lane.waves for machine in wave.machines)
            bound = stage_bound(sorted(machines), plan.constraints)
            for lane in lanes:
                # Others follow from the same rules; of a lane that is under way, they count waves that no rule asked for.
                if is_searched(lane.bound) and lane.bound.waves > bound.waves:
                    bound = Bound(lane.bound.waves, f"lane {lane.id}: {lane.bound.because}")
            found.append(StageBound(gate.name, longest_path(lanes), bound))
    return tuple(found)
