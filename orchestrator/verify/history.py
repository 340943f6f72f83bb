"""Would a history of patch runs have kept the rules? For runs that nobody planned: schedules, Azure by itself, people.

No rollout ran, so nothing is known of stages, orders or grants. What a history can be held to is what was down together: budgets, by
the machines that restarted or may have, and exclusions, by the domains that were worked on at once. A run stands for its machine's
outage from its beginning to its end, which is too long for most: what is found is approximate, and each finding says what of it
is sure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from orchestrator.verify.constraints import Budget, Exclusion


@dataclass(frozen=True, slots=True)
class Run:
    """One patch run on one machine. `machine` is an id in lower case; `name` tells the run from all others.

    `restarted` None: nobody knows, which counts as a restart.
    """

    name: str
    machine: str
    begin: datetime
    end: datetime
    restarted: bool | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that was broken from `begin` to `end`. `machines` and `runs` are those of the worst moment, sorted.

    Of a budget `peak` machines were out where `limit` may be; of an exclusion `peak` domains (named in `domains`) were worked on
    where one may be. `sure`: it was so by restarts that are known alone.
    """

    rule: str
    begin: datetime
    end: datetime
    peak: int
    limit: int
    machines: tuple[str, ...]
    runs: tuple[str, ...]
    sure: bool
    domains: tuple[str, ...] = ()


def judge_history(
    runs: Iterable[Run], budgets: Iterable[Budget], exclusions: Iterable[Exclusion]
) -> tuple[Broken, ...]:
    """Every stretch of time in which a rule was broken, in the order of time. `rule` is the constraint's id."""
    by_machine: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.begin, run.end, run.name)):
        by_machine.setdefault(run.machine, []).append(run)
    found = [
        *(broken for budget in budgets for broken in _of_budget(budget, by_machine)),
        *(broken for exclusion in exclusions for broken in _of_exclusion(exclusion, by_machine)),
    ]
    return tuple(sorted(found, key=lambda broken: (broken.begin, broken.rule)))


def _of_budget(budget: Budget, by_machine: Mapping[str, Sequence[Run]]) -> Iterator[Broken]:
    members = budget.machines | budget.spared
    out = [run for member in members for run in by_machine.get(member, ()) if run.restarted is not False]
    for stretch in _stretches([(run, run.machine) for run in out], budget.limit):
        peak = [run for run in out if run.begin <= stretch.worst < run.end]
        yield _broken(budget.id, stretch, peak, budget.limit, ())


def _of_exclusion(exclusion: Exclusion, by_machine: Mapping[str, Sequence[Run]]) -> Iterator[Broken]:
    domain = {machine: name for name, held in exclusion.domains.items() for machine in held}
    worked = [run for machine in domain for run in by_machine.get(machine, ())]
    for stretch in _stretches([(run, domain[run.machine]) for run in worked], 1):
        peak = [run for run in worked if run.begin <= stretch.worst < run.end]
        yield _broken(exclusion.id, stretch, peak, 1, tuple(sorted({domain[run.machine] for run in peak})))


@dataclass(slots=True)
class _Stretch:
    """A stretch of time in which too much was going on, the moment when it was most, and whether known restarts alone were too many."""

    begin: datetime
    end: datetime
    worst: datetime
    most: int
    sure: bool = False


def _stretches(runs: Sequence[tuple[Run, str]], limit: int) -> Iterator[_Stretch]:
    """Where more than `limit` different keys go on at once. What ends at the moment at which another begins isn't beside it."""
    steps = sorted(
        (
            step
            for run, key in runs
            if run.begin < run.end
            for step in (
                (run.begin, True, key, run.restarted is True),
                (run.end, False, key, run.restarted is True),
            )
        ),
    )
    active, known = _Count(), _Count()
    stretch: _Stretch | None = None
    for at, together in groupby(steps, key=lambda step: step[0]):
        for _, begins, key, sure in together:
            active.step(key, begins=begins)
            if sure:
                known.step(key, begins=begins)
        if active.size > limit:
            stretch = stretch or _Stretch(at, at, at, 0)
            if active.size > stretch.most:
                stretch.most, stretch.worst = active.size, at
            stretch.sure = stretch.sure or known.size > limit
        elif stretch is not None:
            stretch.end = at
            yield stretch
            stretch = None


class _Count:
    """How many different keys go on."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self.size = 0

    def step(self, key: str, *, begins: bool) -> None:
        """One more, or one less, of a key."""
        self._held[key] += 1 if begins else -1
        if self._held[key] == (1 if begins else 0):
            self.size += 1 if begins else -1


def _broken(
    rule: str, stretch: _Stretch, peak: Sequence[Run], limit: int, domains: tuple[str, ...]
) -> Broken:
    return Broken(
        rule,
        stretch.begin,
        stretch.end,
        stretch.most,
        limit,
        tuple(sorted({run.machine for run in peak})),
        tuple(sorted({run.name for run in peak})),
        stretch.sure,
        domains,
    )
