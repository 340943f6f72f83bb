"""Short ways to divide machines under rules made by hand, and to hold the outcome to the judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from orchestrator.availability.model import Constraint
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.document import dump
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.rules import Rules, number
from orchestrator.planner.schedule import schedule
from orchestrator.planner.search import Search, Solver
from orchestrator.verify.plan import judge_plan
from tests.builders import ids, plan_of


def rules_of(names: str, *constraints: Constraint) -> Rules:
    """These machines, all changed, under these constraints."""
    return number(ids(names), constraints)


def lanes_of(names: str, *constraints: Constraint, solver: Solver | None = None) -> tuple[Lane, ...]:
    """The lanes of a stage that changes these machines."""
    machines = sorted(ids(names))
    called = {machine: name_of(machine) for machine in machines}
    return schedule(machines, constraints, "broad", called, Search(solver)).lanes


def shown(lanes: Sequence[Lane]) -> dict[str, tuple[list[str], list[str]]]:
    """Each lane's waves by names, and the lanes that it waits for."""
    return {lane.id: ([named(wave.machines) for wave in lane.waves], list(lane.after)) for lane in lanes}


def waves_of(lanes: Sequence[Lane]) -> list[list[str]]:
    """The waves of each lane by names."""
    return [[named(wave.machines) for wave in lane.waves] for lane in lanes]


def named(machines: Sequence[MachineId]) -> str:
    """Machines by name."""
    return " ".join(name_of(machine) for machine in machines)


def judged(lanes: Sequence[Lane], *constraints: Constraint) -> list[str]:
    """What the judge has against these lanes under these constraints."""
    return verdict(plan_of(*lanes, rules=constraints))


def verdict(plan: Plan) -> list[str]:
    """What the judge has against a plan's file."""
    document: dict[str, Any] = orjson.loads(dump(plan))
    return [str(violation) for violation in judge_plan(document).violations]
