"""The stages of a plan, laid out: the lanes of each, stages that grow in steps, and the machines that need a person's yes, last of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from orchestrator.availability.model import Constraint, Order
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.planner.compiled import Alone
from orchestrator.planner.drafts import listed, machines
from orchestrator.planner.growing import grown
from orchestrator.planner.model import Lane, StageGate, Warned
from orchestrator.planner.rules import number
from orchestrator.planner.schedule import CutShort, schedule
from orchestrator.planner.search import Search, Solver
from orchestrator.policy.model import Origin, Stage

ALONE: Final = "singletons"
"""The stage of machines that are alone in a group, and go only with a person's yes."""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The stages of a plan with their lanes, and the domains that had to be cut."""

    gates: tuple[StageGate, ...]
    lanes: tuple[Lane, ...]
    cut_short: tuple[CutShort, ...]
    solver: str  # the one that was asked; empty if none was


def lay_out(
    constraints: Sequence[Constraint],
    stages: Sequence[Stage],
    taken: Sequence[Sequence[MachineId]],
    fleet: Mapping[MachineId, Machine],
    solver: Solver | None = None,
) -> LaidOut:
    """The lanes of each stage by itself: rules between machines of different stages are kept by the stages' barriers.

    Machines come in the order of their urgency. `solver` searches lanes that are longer than their bound.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun, or a stage takes too many steps.
    """
    names = {machine: held.name for machine, held in fleet.items()}
    gates: list[StageGate] = []
    lanes: list[Lane] = []
    cut_short: list[CutShort] = []
    asked = ""
    for stage, machines_of_it in zip(stages, taken, strict=True):
        search = Search(solver)
        found = schedule(machines_of_it, constraints, stage.name, names, search)
        asked = search.name or asked
        cut_short += found.cut_short
        if stage.growing is None or not machines_of_it:
            gates.append(StageGate(stage.name, stage.bake, stage.approve))
            lanes += found.lanes
            continue
        steps = grown(number(machines_of_it, constraints), stage.name, stage.growing, found.lanes)
        gates += (StageGate(step.name, timedelta(0), approve=False) for step in steps[:-1])
        gates.append(StageGate(steps[-1].name, stage.bake, stage.approve))
        lanes += (lane for step in steps for lane in step.lanes)
    return LaidOut(tuple(gates), tuple(lanes), tuple(cut_short), asked)


def with_alone(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages, and behind a person's approval that of the machines that are alone."""
    names = {stage.name for stage in stages}
    name = next(name for name in (ALONE, *(f"{ALONE}-{n}" for n in range(2, 99))) if name not in names)
    return (*stages[:-1], replace(stages[-1], approve=True), Stage(name))


def warn_of_alone(
    alone: Iterable[Alone], stage: str, changed: Iterable[MachineId], constraints: Iterable[Constraint]
) -> Iterator[Warned]:
    """Who waits for a person's yes, by rule; and orders in which one of them should have come first."""
    of_rule: dict[Origin, list[MachineId]] = {}
    for one in alone:
        of_rule.setdefault(one.origin, []).append(one.machine)
    last = {machine for held in of_rule.values() for machine in held}
    for origin, held in sorted(of_rule.items()):
        are = "is alone in its group, and goes" if len(held) == 1 else "are alone in their groups, and go"
        yield Warned(
            f"{machines(len(held))} {are} only with a person's yes, last of all, in stage {stage}: {listed(held)}",
            origin,
        )
    others = set(changed) - last
    for rule in constraints:
        if isinstance(rule, Order):
            late = [machine for machine in rule.first if machine in last]
            if late and not others.isdisjoint(rule.then):
                yield Warned(
                    f"{rule.what}: {listed(late)} should come first, but waits for a person's yes in stage {stage}; "
                    "the others don't wait for it",
                    rule.origin,
                )
