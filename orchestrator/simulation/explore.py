"""Prefix once, then branch: a trial is played, and at every boundary a copy of it dies there and is played to its end.

The copy is a fork of this very process, so nothing has to be played again to come there, and nothing is missing from it. Each
copy judges itself and tells the result through a pipe.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from orchestrator.emulator.world import World
from orchestrator.simulation.boundaries import Boundary, Kind
from orchestrator.simulation.fleets import START
from orchestrator.simulation.judgement import Judgement, documents, judge
from orchestrator.simulation.mishaps import Mishap, What
from orchestrator.simulation.theatre import NeverEnds, Theatre, play
from orchestrator.simulation.trial import Trial, and_then, away
from orchestrator.wiring.virtual import FileStore, MemoryStore

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder in memory, where there is one: a simulated disk needs no real one
AGAIN: Final = 0.25
"""The share of branches that die a second time, on their way back."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that broke a promise."""

    trial: Trial
    judgement: Judgement
    place: str = ""


@dataclass(slots=True)
class Report:
    """What an exploration came to."""

    points: int = 0
    trials: int = 0
    processes: int = 0
    machine_days: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)


@contextmanager
def theatre_of(trial: Trial) -> Iterator[Theatre]:
    """A theatre in which nothing has happened yet."""
    made = trial.premises
    world = World(made.fleet, seed=trial.seed, start=START, faults=trial.faults, restart_share=0.5)
    if not trial.on_file:
        yield Theatre(trial, world, MemoryStore())
        return
    folder = Path(tempfile.mkdtemp(prefix="wavekeeper-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield Theatre(trial, world, FileStore(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def perform(trial: Trial) -> tuple[Theatre, Judgement]:
    """Play one trial to its end, and judge it."""
    with theatre_of(trial) as theatre:
        return theatre, _finish(theatre)


def _finish(theatre: Theatre) -> Judgement:
    try:
        rollout = play(theatre)
    except NeverEnds as never:
        return judge(theatre, None, str(never))
    except Exception as error:  # noqa: BLE001 - whatever ends a process that nobody killed is a finding
        where = "".join(traceback.format_exception(error)[-3:])
        return Judgement((f"a process ended by {type(error).__name__}: {error}\n{where}",), ())
    return judge(theatre, rollout)


def explore(
    trial: Trial,
    report: Report,
    *,
    chosen: Callable[[Boundary], bool] = lambda boundary: True,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Die at every boundary of a trial that is chosen, and add what came of it to the report."""
    documents(trial.premises)
    with theatre_of(trial) as theatre:

        def visit(boundary: Boundary) -> None:
            if enough() or not chosen(boundary):
                return
            for mishap in _deaths(trial, boundary):
                _branch(theatre, boundary, mishap, report)

        theatre.visit = visit
        judgement = _finish(theatre)
    report.trials += 1
    report.processes += theatre.processes
    report.machine_days += trial.machines * (theatre.now - START) / timedelta(days=1)
    if not judgement.well:
        report.failures.append(Failure(trial, judgement))


def _deaths(trial: Trial, boundary: Boundary) -> Iterator[Mishap]:
    """The ways to die at a boundary; how long nobody drives it then is by chance that belongs to it."""
    rng = random.Random(f"death {trial.seed} {boundary.number}")  # noqa: S311 - nothing to keep secret
    yield Mishap(boundary.number, What.CRASH, away(rng))
    if boundary.kind is Kind.LEAVES and boundary.starts_work:
        yield Mishap(boundary.number, What.LATE, rng.choice([1, 9, 25]))


def _branch(theatre: Theatre, boundary: Boundary, mishap: Mishap, report: Report) -> None:
    """One copy dies here and goes on; this process waits for what it says."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _tell(writing, _play_branch(theatre, boundary, mishap))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    report.points += 1
    report.kinds[boundary.kind] = report.kinds.get(boundary.kind, 0) + 1
    told = orjson.loads(said) if said else {"never": ["the branch itself died"], "eventually": []}
    report.processes += told.get("processes", 0)
    report.machine_days += told.get("machine_days", 0.0)
    if told["never"] or told["eventually"]:
        trial = and_then(theatre.trial, mishap, *(Mishap(**again) for again in told.get("again", [])))
        judgement = Judgement(tuple(told["never"]), tuple(told["eventually"]))
        report.failures.append(Failure(trial, judgement, str(boundary)))


def _play_branch(theatre: Theatre, boundary: Boundary, mishap: Mishap) -> dict[str, object]:
    """In the copy: everything that this process was doing is dead from here on."""
    begun = theatre.now
    rng = random.Random(f"again {theatre.trial.seed} {boundary.number} {mishap.what}")  # noqa: S311 - nothing to keep secret
    again = []
    if rng.random() < AGAIN:
        again = [Mishap(boundary.number + rng.randint(1, 60), What.CRASH, away(rng))]
    theatre.visit = lambda boundary: None
    theatre.killed_at(boundary, mishap)
    theatre.disk.forked(f"at-{boundary.number}-{mishap.what}")
    theatre.waiting = sorted([*theatre.waiting, *again])
    theatre.processes = 1
    judgement = _finish(theatre)
    return {
        "never": judgement.never,
        "eventually": judgement.eventually,
        "processes": theatre.processes,
        "machine_days": theatre.trial.machines * (theatre.now - begun) / timedelta(days=1),
        "again": [{"at": m.at, "what": m.what, "seconds": m.seconds} for m in again],
    }


def _tell(pipe: int, said: dict[str, object]) -> None:
    with os.fdopen(pipe, "wb") as out:
        out.write(orjson.dumps(said))
