"""A copy that dies at a boundary goes the way that its command replays: what outlives a process is copied whole."""

from __future__ import annotations

from datetime import datetime

import pytest

from orchestrator.simulation.apart import apart
from orchestrator.simulation.boundaries import Boundary
from orchestrator.simulation.copying import Copies
from orchestrator.simulation.explore import finish, theatre_of
from orchestrator.simulation.mishaps import Mishap, What
from orchestrator.simulation.theatre import Theatre
from orchestrator.simulation.trial import Trial, and_then, trial_of

Course = tuple[datetime, int, int]
"""When it ended, after how many processes, with how many rows."""


def course(theatre: Theatre) -> Course:
    """Play it to its end."""
    assert finish(theatre).well
    return theatre.now, theatre.processes, len(theatre.rows())


def branched(trial: Trial, death: Mishap) -> Course:
    """A copy that dies there."""
    copies, taken = Copies(), list[tuple[Boundary, bytes]]()
    with theatre_of(trial) as theatre:

        def visit(boundary: Boundary) -> None:
            if boundary.number == death.at:
                taken.append((boundary, theatre.taken(copies, "copy")))

        theatre.visit = visit
        finish(theatre)
    ((boundary, left),) = taken
    copy = Theatre.restored(*copies.restore(left))
    copy.killed_at(boundary, death)
    return course(copy)


def replayed(trial: Trial, death: Mishap) -> Course:
    """The same from the beginning."""
    with theatre_of(and_then(trial, death)) as theatre:
        return course(theatre)


@pytest.mark.parametrize(("seed", "at"), [(42, 270), (45, 560), (50, 57)])
def test_a_branch_goes_the_way_of_its_replay(seed: int, at: int) -> None:
    """Also where people have a word on it by chance, for days, between many processes."""
    trial, death = trial_of(seed), Mishap(at, What.CRASH, 240)
    assert apart(lambda: branched(trial, death)) == apart(lambda: replayed(trial, death))
