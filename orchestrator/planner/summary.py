"""A plan in a few numbers, for whoever decides whether it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any

from orchestrator.hotpatch.model import Restarts
from orchestrator.planner.exposure import ahead, rank_of
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.saved import Saved, saved
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import Change, Patches, Reboot, RunCommand


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage. `longest` is how many waves must follow one another in it, however fast each is."""

    name: str
    machines: int
    lanes: int
    waves: int
    longest: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a plan comes to.

    `restarts` counts a machine of which nobody knows whether it will restart; `predicted` says what assessments tell. `left_out` includes the `frozen`: those that
    a rule keeps back, not their own state. `optimal` lanes are as short as their bound, the others may be.
    `solver` searched for shorter ones; empty if there was none, or nothing to search.
    """

    name: str
    machines: int
    restarts: int
    stages: tuple[StageSummary, ...]
    lanes: int
    optimal: int
    waves: int
    longest: int
    left_out: int
    frozen: int
    warnings: int
    predicted: Mapping[str, int]  # by how sure a restart is: certain, likely, unknown, never
    solver: str
    ahead: int  # machines in an earlier wave than one of their lane that is less exposed
    hotpatch: Saved | None = None  # what hotpatching does for the plan; None: it has nothing to do with it

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        shallow = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **shallow,
            "stages": list(map(asdict, self.stages)),
            "predicted": dict(self.predicted),
            "hotpatch": None if self.hotpatch is None else self.hotpatch.to_json(),
        }


def summarize(plan: Plan) -> Summary:
    """The numbers of a plan."""
    machines = sum(machine.change for machine in plan.machines)
    counted = Counter(machine.restart for machine in plan.machines if machine.change)
    stages = tuple(
        _stage(gate.name, [lane for lane in plan.lanes if lane.stage == gate.name]) for gate in plan.stages
    )
    return Summary(
        name=plan.name,
        machines=machines,
        restarts=machines - counted[Restarts.NEVER] if may_restart(plan.change) else 0,
        stages=stages,
        lanes=len(plan.lanes),
        optimal=sum(lane.optimal for lane in plan.lanes),
        waves=sum(stage.waves for stage in stages),
        longest=sum(stage.longest for stage in stages),
        left_out=len(plan.left_out),
        frozen=sum(bool(left.constraint) for left in plan.left_out),
        warnings=len(plan.warnings),
        predicted=MappingProxyType({one.value: counted[one] for one in Restarts if counted[one]}),
        solver=plan.solver,
        ahead=_ahead(plan),
        hotpatch=saved(plan),
    )


def _ahead(plan: Plan) -> int:
    ranks = {machine.id: rank_of(machine) for machine in plan.machines}
    return sum(ahead(lane, ranks) for lane in plan.lanes) if len(set(ranks.values())) > 1 else 0


def may_restart(change: Change) -> bool:
    """Whether a machine may restart by the change, as far as anybody knows beforehand."""
    if isinstance(
        change, Enrolment | RunCommand
    ):  # what a script does nobody knows; it counts as out, not as a restart
        return False
    return not (isinstance(change, Patches) and change.reboot is Reboot.NEVER)


def _stage(name: str, lanes: Sequence[Lane]) -> StageSummary:
    return StageSummary(
        name=name,
        machines=sum(len(wave.machines) for lane in lanes for wave in lane.waves),
        lanes=len(lanes),
        waves=sum(len(lane.waves) for lane in lanes),
        longest=longest_path(lanes),
    )


def longest_path(lanes: Sequence[Lane]) -> int:
    """The most waves that follow one another in these lanes of a stage, through all that wait for each other.

    Lanes come after those that they wait for, as in every plan.
    """
    ends: dict[str, int] = {}
    for lane in lanes:
        ends[lane.id] = len(lane.waves) + max((ends[other] for other in lane.after), default=0)
    return max(ends.values(), default=0)
