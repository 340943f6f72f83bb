"""Trial after trial, each on a core of its own, until so many crash points were tried, it is time, or a promise was broken.

A soak plays many small trials, and dies at a sample of each one's boundaries: most defects need two or three machines, and another
trial is another situation, while the hundredth death among one rollout's looks at its fleet hardly is. So a minute of CPU finds more.
"""

from __future__ import annotations

import os
import random
import re
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import ceil
from typing import Final

from orchestrator.simulation.apart import Copy, CopyDied, begin_apart
from orchestrator.simulation.boundaries import Boundary, Kind
from orchestrator.simulation.explore import explore, explore_drawn
from orchestrator.simulation.fleets import MACHINES, REFERENCE, read_plans
from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.report import Failure, Report
from orchestrator.simulation.trial import Trial, trial_of
from orchestrator.wiring.virtual import Face

SIZES: Final = (3, 3, 4, 4, 4, 4, 4, 4, 5, 5, 6, 8)
"""Machines of a trial, of which one is drawn. With four, two rollouts at once have two each."""

DEATHS: Final = 90
"""Boundaries of a trial at which it dies: enough that drawing and playing it hardly counts beside them."""

FEWEST: Final = 10
"""The same of a trial that takes long, such as one that rests for weeks: in that time others try more that is new."""

QUICK: Final = 300
"""How much a trial may do and still die as often as any: boundaries, and processes times `A_START`."""

A_START: Final = 8
"""What a process does before its first boundary, in boundaries."""

MOVING: Final = 0.75
"""The share of them at most that is drawn from those at which something moves."""

TOLD_EACH_S: Final = 60.0
"""Between two lines that say how far it has come."""

_SHORT_S: Final = 1.0
_NAME: Final = re.compile(r"\b([ab])([1-9])\b")


@dataclass(frozen=True, slots=True)
class Soak:
    """What is wanted: trials from a seed on, so many side by side, until so many points, or until that moment of the monotonic clock.

    `every_boundary`: die at all boundaries of each trial, instead of a sample. `goes_on`: past what breaks a promise, too.
    """

    seed: int
    jobs: int = 1
    points: int | None = None
    until: float | None = None
    face: Face = Face.PROVIDER
    on_file: bool = False
    every_boundary: bool = False
    goes_on: bool = False


class Told:
    """Whether somebody asked to stop: a soak of hours that is interrupted still tells what it tried."""

    def __init__(self) -> None:
        self.to_stop = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked)

    def _asked(self, *_: object) -> None:
        self.to_stop = True


def small(trial: Trial) -> Trial:
    """The same on a fleet whose size is drawn too; what happens to it and what is said of it happens as much sooner."""
    machines = random.Random(f"size {trial.seed}").choice(SIZES)  # noqa: S311 - nothing to keep secret

    def sooner(at: int) -> int:
        return max(1, at * machines // MACHINES)

    def there(name: re.Match[str]) -> str:
        return f"{name[1]}{(int(name[2]) - 1) % (machines // 2) + 1}"

    return replace(
        trial,
        machines=machines,
        mishaps=tuple(sorted(replace(one, at=sooner(one.at)) for one in trial.mishaps)),
        words=tuple(
            sorted(replace(one, at=sooner(one.at), what=_NAME.sub(there, one.what)) for one in trial.words)
        ),
    )


def sample(trial: Trial, passed: Sequence[Boundary], processes: int) -> frozenset[int]:
    """Where to die: mostly around rows, webhooks and requests that start work; the others are reads, which leave nothing but time behind."""
    moving, reading = list[int](), list[int]()
    for boundary in passed:
        reads = boundary.kind in _OF_REQUESTS and not boundary.starts_work
        (reading if reads else moving).append(boundary.number)
    rng = random.Random(f"sample {trial.seed}")  # noqa: S311 - nothing to keep secret
    deaths = max(FEWEST, DEATHS * QUICK // max(QUICK, len(passed) + A_START * processes))
    drawn = rng.sample(moving, min(len(moving), ceil(deaths * MOVING)))
    return frozenset([*drawn, *rng.sample(reading, min(len(reading), deaths - len(drawn)))])


_OF_REQUESTS: Final = (Kind.LEAVES, Kind.TAKEN, Kind.ANSWERED)


def soak(wanted: Soak, told: Told, say: Callable[[Report], None] = lambda _: None) -> Report:
    """Play trials until it is enough, and `say` what came of them each minute, and whenever one failed.

    As soon as one is over the next one begins, so that no core waits for another.
    """
    read_plans(trial_of(REFERENCE).premises)  # loads, once for all copies, what reading and planning need
    report, seeds, said = Report(), count(wanted.seed), time.monotonic()
    at_work: dict[int, tuple[int, Copy[Report]]] = {}
    while True:
        while len(at_work) < wanted.jobs and not _enough(wanted, told, report):
            seed = next(seeds)
            copy = begin_apart(lambda seed=seed: _tried(seed, wanted))  # type: ignore[misc]
            at_work[copy.pipe] = seed, copy
        if not at_work:
            return report
        for pipe in select.select(list(at_work), [], [], _SHORT_S)[0]:
            found = _result(*at_work.pop(pipe))
            report.add(found)
            if found.failures or time.monotonic() - said >= TOLD_EACH_S:
                said = time.monotonic()
                say(report)


def _result(seed: int, copy: Copy[Report]) -> Report:
    """What came of a seed. Whoever plays it may run out of memory: told as a failure, it doesn't end a soak of hours without a word."""
    try:
        return copy.result()
    except CopyDied as died:
        return Report(trials=1, failures=[Failure(small(trial_of(seed)), Judgement((str(died),), ()))])


def _enough(wanted: Soak, told: Told, report: Report) -> bool:
    late = wanted.until is not None and time.monotonic() >= wanted.until
    done = wanted.points is not None and report.points >= wanted.points
    return told.to_stop or late or done or (bool(report.failures) and not wanted.goes_on)


def _tried(seed: int, wanted: Soak) -> Report:
    """In a copy: one seed's trial."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # whoever interrupts a soak is told what it tried, this trial included
    report = Report()
    trial = replace(small(trial_of(seed)), face=wanted.face, on_file=wanted.on_file)
    late: Callable[[int], bool] = lambda _: wanted.until is not None and time.monotonic() >= wanted.until  # noqa: E731
    if wanted.every_boundary:
        explore(trial, report, enough=late)
    else:
        explore_drawn(trial, report, partial(sample, trial), late)
    return report


def cpu_s() -> float:
    """Seconds of CPU that this process and those that it waited for have used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
