"""From many runs to what people want to know: when it ends, how often it stops and where, how low each group came."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, sqrt
from typing import Any, Final, TypeVar

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Origin
from orchestrator.simulation.one_run import Ending, Run, Why, budgets_of

LATE: Final = 0.95
EARLY: Final = 0.05
_SURE: Final = 1.959964
"""Standard deviations on each side that hold 95 % of a normal distribution."""

_LIMIT: Final = re.compile(r"at most [\d,]+ of [\d,]+ in ")
"""What a budget's name begins with; the group's is the rest."""

T = TypeVar("T", float, timedelta)


def quantile(values: Iterable[T], share: float) -> T:
    """The smallest of the values that at least this share of them don't exceed: always one that was seen. ValueError without any."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a quantile of nothing")
    return ordered[max(ceil(share * len(ordered) - 1e-9), 1) - 1]


def likely(hits: int, runs: int) -> tuple[float, float]:
    """Between which shares the true one lies in 19 of 20 such simulations (Wilson's interval)."""
    if not runs:
        return 0.0, 1.0
    share, spread = hits / runs, _SURE**2 / runs
    middle = (share + spread / 2) / (1 + spread)
    around = _SURE * sqrt(share * (1 - share) / runs + spread / (4 * runs)) / (1 + spread)
    return max(middle - around, 0.0), min(middle + around, 1.0)


@dataclass(frozen=True, slots=True)
class Middle:
    """The usual and the bad case of a figure."""

    median: float
    late: float  # what 19 of 20 runs stay below
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Middle:
        """Of at least one value."""
        return cls(quantile(values, 0.5), quantile(values, LATE), max(values))

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {"median": self.median, "p95": self.late, "most": self.most}


@dataclass(frozen=True, slots=True)
class Stop:
    """Runs that stopped in one stage for one reason. `such_as`: one of them, to be looked at."""

    stage: str
    why: Why
    runs: int
    begun: Middle  # machines that were changed, or begun to be, by then
    unhealthy: Middle  # machines that had turned unhealthy by then
    such_as: Run


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that one budget or several are about. `fewest`: how many served when the fewest did, and in how many runs it came to that.

    `keeps` and `origin` are of the tightest of these budgets; `what` is, if it can be, of one that isn't a cap on a subscription.
    """

    what: str
    rules: tuple[str, ...]
    origin: Origin
    machines: tuple[MachineId, ...]
    keeps: int  # so many serve as far as the rule can see to it
    fewest: tuple[tuple[int, int], ...]  # ascending

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.machines)

    @property
    def lowest(self) -> int:
        """The fewest of all runs."""
        return self.fewest[0][0]

    @property
    def share(self) -> float:
        """The same as a share of the group."""
        return self.lowest / self.size if self.size else 1.0

    @property
    def median(self) -> int:
        """The fewest of half of the runs."""
        return int(quantile([float(up) for up, runs in self.fewest for _ in range(runs)], 0.5))

    @property
    def below(self) -> int:
        """Runs in which fewer served than the rule keeps: it can't keep others from failing."""
        return sum(runs for up, runs in self.fewest if up < self.keeps)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "what": self.what,
            "rules": list(self.rules),
            "file": self.origin.file,
            "line": self.origin.line,
            "machines": self.size,
            "rule_keeps": self.keeps,
            "lowest": self.lowest,
            "lowest_share": round(self.share, 6),
            "median_lowest": self.median,
            "runs_below_rule": self.below,
            "runs_by_lowest": {str(up): runs for up, runs in self.fewest},
        }


@dataclass(frozen=True, slots=True)
class Odds:
    """What many runs come to. Ends and changed machines are of the runs that finished; `whole` are those that changed everybody."""

    runs: tuple[Run, ...]
    machines: int
    deadline: timedelta
    end: Middle | None  # seconds from the start
    finished: int
    whole: int
    stopped: int
    waiting: int
    missed: int  # runs that neither stopped nor were over by the deadline
    changed: Middle  # machines done, of all runs
    least_changed: int
    stops: tuple[Stop, ...]
    approvals: Middle
    waited: Middle  # seconds that a run waited for approvals
    groups: tuple[Group, ...]  # the one that came lowest first

    def share(self, hits: int) -> float:
        """Of all runs."""
        return hits / len(self.runs)


def odds_of(plan: Plan, runs: Sequence[Run]) -> Odds:
    """Sum up the runs of a plan, of which there is at least one."""
    machines = sum(machine.change for machine in plan.machines)
    over = [run for run in runs if run.ending is Ending.FINISHED]
    in_time = sum(run.took <= plan.deadline for run in over)
    stopped = sum(run.ending is Ending.STOPPED for run in runs)
    return Odds(
        runs=tuple(runs),
        machines=machines,
        deadline=plan.deadline,
        end=Middle.of([run.took.total_seconds() for run in over]) if over else None,
        finished=len(over),
        whole=sum(len(run.done) == machines for run in over),
        stopped=stopped,
        waiting=len(runs) - len(over) - stopped,
        missed=len(runs) - stopped - in_time,
        changed=Middle.of([len(run.done) for run in runs]),
        least_changed=min(len(run.done) for run in runs),
        stops=_stops(plan, runs),
        approvals=Middle.of([run.approvals for run in runs]),
        waited=Middle.of([run.waited.total_seconds() for run in runs]),
        groups=_groups(plan, runs),
    )


def _stops(plan: Plan, runs: Sequence[Run]) -> tuple[Stop, ...]:
    """In the order of stages; of a stage the most frequent first."""
    places = [gate.name for gate in plan.stages]
    found: dict[tuple[str, Why], list[Run]] = {}
    for run in runs:
        if run.why is not None:
            found.setdefault((run.stage, run.why), []).append(run)
    stops = (
        Stop(
            stage,
            why,
            len(alike),
            Middle.of([run.begun for run in alike]),
            Middle.of([run.unhealthy for run in alike]),
            alike[0],
        )
        for (stage, why), alike in found.items()
    )
    return tuple(sorted(stops, key=lambda stop: (places.index(stop.stage), -stop.runs, stop.why)))


def _groups(plan: Plan, runs: Sequence[Run]) -> tuple[Group, ...]:
    """What wasn't begun says nothing of any group."""
    begun = [run.lows for run in runs if run.lows or not budgets_of(plan)]
    if not begun:
        return ()
    alike: dict[tuple[MachineId, ...], list[tuple[int, str, int, Budget]]] = {}
    for number, budget in enumerate(budgets_of(plan)):
        alike.setdefault(budget.machines, []).append((budget.limit, budget.what, number, budget))
    groups = []
    for machines, rules in alike.items():
        rules.sort(key=lambda rule: rule[:3])
        limit, _, number, budget = rules[0]
        what = next((rule[1] for rule in rules if not rule[3].cap), rules[0][1])
        groups.append(
            Group(
                what=_LIMIT.sub("", what),
                rules=tuple(rule[1] for rule in rules),
                origin=budget.origin,
                machines=machines,
                keeps=max(len(machines) - limit, 0),
                fewest=tuple(sorted(Counter(low[number] for low in begun).items())),
            )
        )
    return tuple(sorted(groups, key=lambda group: (group.share, group.what)))


# Over time ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """How many machines were done at each moment: what one of 20 runs, half of them, and 19 of 20 didn't exceed."""

    seconds: tuple[float, ...]
    low: tuple[int, ...]
    middle: tuple[int, ...]
    high: tuple[int, ...]


def curve_of(runs: Sequence[Run], until: timedelta, points: int = 160) -> Curve:
    """The curve of all runs, stopped ones included: they stay where they are."""
    seconds = tuple(until.total_seconds() * n / points for n in range(points + 1))
    done: list[list[int]] = [[] for _ in seconds]
    for run in runs:
        reached = 0
        for n, moment in enumerate(seconds):
            while reached < len(run.done) and run.done[reached] <= moment:
                reached += 1
            done[n].append(reached)
    low, middle, high = (
        tuple(int(quantile([float(x) for x in at], share)) for at in done) for share in (EARLY, 0.5, LATE)
    )
    return Curve(seconds, low, middle, high)


def horizon(runs: Iterable[Run]) -> timedelta:
    """How far a picture has to reach: until nearly all runs had come to their end."""
    return max(quantile([run.took for run in runs], LATE) * 1.04, timedelta(hours=1))
