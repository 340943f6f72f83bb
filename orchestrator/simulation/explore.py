"""Prefix once, then branch: a trial is played, and at every boundary a copy of it dies there and is played to its end.

A copy is what outlives a process: the world, the disk, the time, what the judge was told. Taken at the boundary, it costs less than
a millisecond. Copies are played in forks of this process, some tens in each, so that what dead processes of theirs leave behind
(tasks in the middle of something, open files) is buried with the fork; what they found comes back through a pipe.
"""

from __future__ import annotations

import gc
import random
import shutil
import tempfile
import traceback
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from orchestrator.emulator.world import World
from orchestrator.simulation.apart import apart
from orchestrator.simulation.boundaries import Boundary, Kind
from orchestrator.simulation.copying import Copies
from orchestrator.simulation.fleets import START, read_plans
from orchestrator.simulation.judgement import Judgement, documents, judge
from orchestrator.simulation.mishaps import Mishap, What
from orchestrator.simulation.playing import NeverEnds, play
from orchestrator.simulation.report import Failure, Report
from orchestrator.simulation.theatre import Theatre
from orchestrator.simulation.trial import Trial, and_then, away
from orchestrator.wiring.virtual import FileStore, MemoryStore

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder in memory, where there is one: a simulated disk needs no real one
AGAIN: Final = 0.25
"""The share of branches that die a second time, on their way back."""

TOGETHER: Final = 60
"""How many branches share a fork: enough that forking costs little, few enough that what dies in it needs little memory, and that a
soak ends when it is to."""

BURIED: Final = list[Theatre]()
"""In a copy: theatres that were played, whose dead processes must not be tidied up while others are played."""


@contextmanager
def theatre_of(trial: Trial) -> Iterator[Theatre]:
    """A theatre in which nothing has happened yet."""
    made = trial.premises
    world = World(made.live, seed=trial.seed, start=START, faults=trial.faults, restart_share=0.5)
    if not trial.on_file:
        yield Theatre(trial, world, MemoryStore())
        return
    folder = Path(tempfile.mkdtemp(prefix="wavekeeper-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield Theatre(trial, world, FileStore(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def perform(trial: Trial) -> Judgement:
    """Play one trial to its end, and judge it."""

    def play_it() -> Judgement:
        with theatre_of(trial) as theatre:
            return finish(theatre)

    return apart(play_it)


def finish(theatre: Theatre) -> Judgement:
    """Play what has been begun to its end, and judge it."""
    try:
        rollouts = play(theatre)
    except NeverEnds as never:
        return judge(theatre, [], str(never))
    except Exception as error:  # noqa: BLE001 - whatever ends a process that nobody killed is a finding
        where = "".join(traceback.format_exception(error)[-3:])
        return Judgement((f"a process ended by {type(error).__name__}: {error}\n{where}",), ())
    return judge(theatre, rollouts)


def explore(
    trial: Trial,
    report: Report,
    *,
    chosen: Callable[[Boundary], bool] = lambda _: True,
    enough: Callable[[int], bool] = lambda _: False,
) -> None:
    """Die at every boundary of a trial that is chosen, until so many points are `enough`, and add what came of it to the report."""
    documents(trial.premises), read_plans(trial.premises)  # once, and every copy has them
    report.add(apart(lambda: _explored(trial, chosen, enough)))


def explore_drawn(
    trial: Trial,
    report: Report,
    draw: Callable[[Sequence[Boundary], int], Container[int]],
    enough: Callable[[int], bool] = lambda _: False,
) -> None:
    """The same at those boundaries that are drawn from all that the trial passes, and the number of processes that it takes.

    It is played once to know them: for this process, which should be a copy, or end soon.
    """
    documents(trial.premises), read_plans(trial.premises)
    passed = list[Boundary]()
    with theatre_of(trial) as theatre:
        theatre.visit = passed.append
        finish(theatre)
    BURIED.append(theatre)
    where = draw(passed, theatre.processes)
    report.add(_explored(trial, lambda boundary: boundary.number in where, enough))


def _explored(trial: Trial, chosen: Callable[[Boundary], bool], enough: Callable[[int], bool]) -> Report:
    report, copies, taken = Report(trials=1), Copies(), list[_Branch]()
    gc.freeze()
    gc.disable()  # forks are short, and a collection would touch all memory
    with theatre_of(trial) as theatre:

        def play_taken() -> None:
            if taken:
                report.add(apart(lambda: _played(copies, taken)))
            taken.clear()

        def visit(boundary: Boundary) -> None:
            if enough(report.points) or not chosen(boundary):
                return
            for mishap in _deaths(trial, boundary):
                report.points += 1
                report.kinds[boundary.kind] = report.kinds.get(boundary.kind, 0) + 1
                taken.append(
                    _Branch(boundary, mishap, theatre.taken(copies, f"{boundary.number}-{mishap.what}"))
                )
            if len(taken) >= TOGETHER:
                play_taken()

        theatre.visit = visit
        judgement = finish(theatre)
        play_taken()
    BURIED.append(theatre)
    report.processes += theatre.processes
    report.machine_days += trial.machines * (theatre.now - START) / timedelta(days=1)
    if not judgement.well:
        report.failures.append(Failure(trial, judgement))
    return report


def _deaths(trial: Trial, boundary: Boundary) -> Iterator[Mishap]:
    """The ways to die at a boundary; how long nobody drives it then is by chance that belongs to it."""
    rng = random.Random(f"death {trial.seed} {boundary.number}")  # noqa: S311 - nothing to keep secret
    yield Mishap(boundary.number, What.CRASH, away(rng))
    if boundary.kind is Kind.LEAVES and boundary.starts_work:
        yield Mishap(boundary.number, What.LATE, rng.choice([1, 9, 25]))


@dataclass(frozen=True, slots=True)
class _Branch:
    """A process that died at a boundary, and what it left behind."""

    boundary: Boundary
    mishap: Mishap
    left: bytes


def _played(copies: Copies, branches: Sequence[_Branch]) -> Report:
    """In a fork: play each of them to its end."""
    report = Report()
    for branch in branches:
        theatre = Theatre.restored(*copies.restore(branch.left))
        report.add(_play_branch(theatre, branch.boundary, branch.mishap))
        BURIED.append(theatre)
    return report


def _play_branch(theatre: Theatre, boundary: Boundary, mishap: Mishap) -> Report:
    """Everything that the process was doing is dead from here on."""
    begun, before, trial = theatre.now, theatre.processes, theatre.trial
    rng = random.Random(f"again {trial.seed} {boundary.number} {mishap.what}")  # noqa: S311 - nothing to keep secret
    again: list[Mishap] = []
    if rng.random() < AGAIN:
        again = [Mishap(boundary.number + rng.randint(1, 60), What.CRASH, away(rng))]
    theatre.killed_at(boundary, mishap)
    theatre.waiting = sorted([*theatre.waiting, *again])
    judgement = finish(theatre)
    report = Report(processes=theatre.processes - before)
    report.machine_days = trial.machines * (theatre.now - begun) / timedelta(days=1)
    if not judgement.well:
        report.failures.append(Failure(and_then(trial, mishap, *again), judgement, str(boundary)))
    return report
