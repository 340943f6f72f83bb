"""Plans, a fleet and a file of assumptions, put together for many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os.path import normpath
from pathlib import Path
from typing import Final

from orchestrator.assumptions.model import Assumptions
from orchestrator.assumptions.read import read_assumptions, settle
from orchestrator.emulator.fault_file import read_faults
from orchestrator.emulator.faults import NO_FAULTS, Fault, Faults
from orchestrator.errors import PolicyError, Problem, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.model import Plan
from orchestrator.simulation.one_run import Ground
from orchestrator.simulation.rollout import NO_WORDS, Words
from orchestrator.wiring.files import read_bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A file of assumptions with the files of faults that it names."""

    assumptions: Assumptions
    faults: Faults


NO_ASSUMPTIONS: Final = Read(Assumptions(), NO_FAULTS)


def read_assumption_file(path: Path) -> Read:
    """A file of assumptions.

    Raises:
        UsageError: if it can't be read.
        PolicyError: with every problem of it and of the files that it names.
    """
    assumptions = read_assumptions(str(path), read_bytes(path, "file of assumptions"))
    problems: list[Problem] = []
    found: list[Fault] = []
    for name, where in assumptions.faults:
        try:
            found += read_faults(Path(normpath(path.parent / name))).faults
        except UsageError as error:
            problems.append(Problem(where.file, where.line, f"its faults: {error}", column=where.column))
    if problems:
        raise PolicyError(problems)
    return Read(assumptions, Faults(tuple(found)))


def grounds(
    plans: Sequence[tuple[Plan, bytes]],
    fleet: Inventory,
    start: datetime,
    read: Read,
    words: Words = NO_WORDS,
) -> list[Ground]:
    """The same fleet, the same assumptions and the same words of people under each plan. Raises `PolicyError` as `settle`."""
    settled = settle(read.assumptions, fleet.machines)
    return [
        Ground(plan, text, fleet, start, settled, read.assumptions.approvals_take, read.faults, words)
        for plan, text in plans
    ]
