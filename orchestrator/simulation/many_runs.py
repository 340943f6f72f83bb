"""Hundreds of runs of one plan, on as many processes as asked. The same seeds come to the same runs, however many processes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from typing import Final

from orchestrator.assumptions.model import Settled, Spread
from orchestrator.emulator.faults import Faults
from orchestrator.inventory import native
from orchestrator.inventory.read import read
from orchestrator.planner.document import parse
from orchestrator.simulation.one_run import Ground, Run, play_once
from orchestrator.simulation.rollout import Words

_COLLECT_EACH: Final = 20
"""Runs between two collections of garbage: looking for it within a run takes a tenth of the time, and a run is soon over."""


def play_many(ground: Ground, seeds: Sequence[int], jobs: int, told: Callable[[], None]) -> tuple[Run, ...]:
    """A run of each seed, in the order of the seeds. `told` is called after each."""
    runs = []
    for one in _each(ground, seeds, jobs):
        runs.append(one)
        told()
    return tuple(runs)


def _each(ground: Ground, seeds: Sequence[int], jobs: int) -> Iterable[Run]:
    if jobs <= 1 or len(seeds) <= 1:
        return _here(ground, seeds)
    return _apart(ground, seeds, min(jobs, len(seeds)))


def _here(ground: Ground, seeds: Sequence[int]) -> Iterator[Run]:
    for number, seed in enumerate(seeds, start=1):
        with _no_garbage():
            run = play_once(ground, seed)
        if number % _COLLECT_EACH == 0:
            gc.collect()
        yield run


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Don't look for garbage meanwhile."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()


# In other processes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Packed:
    """A ground on its way to another process: documents as they are written."""

    plan: bytes
    fleet: bytes
    start: datetime
    settled: Settled
    approvals: Spread | None
    faults: Faults
    words: Words

    def unpacked(self) -> Ground:
        """As it was."""
        return Ground(
            parse(self.plan, "the plan"),
            self.plan,
            read(self.fleet, "the inventory"),
            self.start,
            self.settled,
            self.approvals,
            self.faults,
            self.words,
        )


class _Worker:
    """What a process of its own keeps between runs."""

    ground: Ground | None = None
    played: int = 0


def _apart(ground: Ground, seeds: Sequence[int], jobs: int) -> Iterator[Run]:
    """Processes are started anew, not forked: whoever calls may have threads."""
    packed = _Packed(
        ground.text,
        native.dump(ground.fleet),
        ground.start,
        ground.settled,
        ground.approvals,
        ground.faults,
        ground.words,
    )
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _settle_in, (packed,))
    try:
        yield from pool.map(_play, seeds)
    finally:
        pool.shutdown(cancel_futures=True)


def _settle_in(packed: _Packed) -> None:
    gc.disable()
    _Worker.ground = packed.unpacked()


def _play(seed: int) -> Run:
    assert _Worker.ground is not None
    _Worker.played += 1
    if _Worker.played % _COLLECT_EACH == 0:
        gc.collect()
    return play_once(_Worker.ground, seed)
