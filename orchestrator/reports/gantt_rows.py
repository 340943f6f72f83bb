"""What a drawing of a plan shows, row by row: lanes at the place where they can begin at the earliest, many of them folded into one.

Time is counted in waves that follow one another, or in hours of a forecast. A plan of thousands of lanes is still drawn in a few dozen
rows: lanes of one place (a zone of a region, say) are folded together, but for those that make the plan as long as it is and those
that take longest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchestrator.planner.forecast import Forecast
from orchestrator.planner.model import Lane, Plan, StageGate
from orchestrator.planner.paths import begins
from orchestrator.planner.summary import longest_path
from orchestrator.policy import words
from orchestrator.reports.topology_colours import Look, Looks

MOST_ROWS: Final = 64
"""Rows that still fit on a page; more would be read by nobody."""

_MOST_STEPS: Final = 240
"""Bars of a folded row: about as many as can be told apart."""

_ROWS_A_HEADING: Final = 4
"""Rows for each heading, on average: with more headings nobody sees the lanes."""

_LEAST: Final = 1 / 60  # hours of a wave of which nothing is expected to take any time
_NAMED: Final = 12  # machines named under the pointer


@dataclass(frozen=True, slots=True)
class Bar:
    """A wave; in a folded row, all waves of its lanes that go on at that time."""

    begin: float
    end: float
    machines: int
    tall: float  # of the row's height, above 0 to 1: how many go, of the most of a folded row
    looks: tuple[tuple[Look, int], ...]  # machines by look; empty: coloured by their number
    told: str  # under the pointer


@dataclass(frozen=True, slots=True)
class Row:
    """A lane, or several folded together. `links` says that it is on the chain that makes its stage as long as it is."""

    name: str  # the lane's id; empty for a folded row
    what: str
    bars: tuple[Bar, ...]
    links: bool = False

    @property
    def begin(self) -> float:
        """Where its first bar begins."""
        return self.bars[0].begin

    @property
    def end(self) -> float:
        """Where its last bar ends."""
        return max(bar.end for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one place, such as `westeurope / zone 1`; empty for the stage as a whole."""

    where: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A stage. `baked` is the end of its bake, where time is counted in hours."""

    name: str
    told: str
    begin: float
    end: float
    baked: float
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole. `start` is the moment at 0 if time is counted in hours; None: it's counted in waves."""

    bands: tuple[Band, ...]
    end: float
    start: datetime | None
    folded: int  # lanes without a row of their own


def chart_of(
    plan: Plan, forecast: Forecast | None = None, looks: Looks | None = None, most_rows: int = MOST_ROWS
) -> Chart:
    """The plan as rows. `looks` divides waves by the looks of their machines."""
    spans = _by_waves(plan) if forecast is None else _by_forecast(plan, forecast)
    maker = _Rows(plan, spans, looks or {})
    shown = _shown(plan, spans, most_rows)
    bands: list[Band] = []
    for gate in plan.stages:
        lanes = [lane for lane in plan.lanes if lane.stage == gate.name]
        if lanes:
            groups = tuple(maker.groups(lanes, shown))
            begin, end, baked = _stretch(gate, lanes, spans, forecast)
            bands.append(Band(gate.name, _told(gate, lanes), begin, end, baked, groups))
    folded = sum(lane.id not in shown.alone for lane in plan.lanes)
    start = None if forecast is None else forecast.start
    return Chart(tuple(bands), max((band.baked for band in bands), default=1.0), start, folded)


# When -----------------------------------------------------------------------------------------------------------

_Spans = Mapping[str, Sequence[tuple[float, float]]]
"""Of each lane: begin and end of its waves."""


def _by_waves(plan: Plan) -> _Spans:
    begin = begins(plan.lanes)
    spans: dict[str, Sequence[tuple[float, float]]] = {}
    over = 0.0
    for gate in plan.stages:
        lanes = [lane for lane in plan.lanes if lane.stage == gate.name]
        for lane in lanes:
            first = over + begin[lane.id]
            spans[lane.id] = [(first + wave, first + wave + 1) for wave in range(len(lane.waves))]
        over = max((spans[lane.id][-1][1] for lane in lanes), default=over)
    return spans


def _by_forecast(plan: Plan, forecast: Forecast) -> _Spans:
    """Waves that the rollout would give up stand at the end of their stage, as thin as can be."""
    spans: dict[str, list[tuple[float, float]]] = {lane.id: [] for lane in plan.lanes}
    for wave in forecast.waves:
        begin, end = _hours(wave.starts - forecast.start), _hours(wave.ends - forecast.start)
        spans[wave.lane].append((begin, max(end, begin + _LEAST)))
    over = {stage.name: _hours(stage.ends - forecast.start) for stage in forecast.stages}
    for lane in plan.lanes:
        end = over[lane.stage]
        spans[lane.id] += [(end, end + _LEAST)] * (len(lane.waves) - len(spans[lane.id]))
    return spans


def _hours(time: timedelta) -> float:
    return time.total_seconds() / 3600


def _stretch(
    gate: StageGate, lanes: Sequence[Lane], spans: _Spans, forecast: Forecast | None
) -> tuple[float, float, float]:
    begin = min(spans[lane.id][0][0] for lane in lanes)
    end = max(spans[lane.id][-1][1] for lane in lanes)
    if forecast is None:
        return begin, end, end
    told = next((stage for stage in forecast.stages if stage.name == gate.name), None)
    return begin, end, end if told is None else max(end, _hours(told.baked - forecast.start))


def _told(gate: StageGate, lanes: Sequence[Lane]) -> str:
    parts = [f"{_count(sum(map(_machines, lanes)), 'machine')} in {_count(len(lanes), 'lane')}"]
    parts += [f"{_count(longest_path(lanes), 'wave')} one after another"]
    then = [f"bakes {words.duration(gate.bake)}"] if gate.bake else []
    then += ["waits for approval"] if gate.approve else []
    return "; ".join(parts + ([f"then {' and '.join(then)}"] if then else []))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# Which lanes have a row of their own ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shown:
    """`alone` are lanes with a row of their own, `chain` those that make their stage as long as it is. `where` names a lane's group."""

    alone: frozenset[str]
    chain: frozenset[str]
    where: Callable[[Lane], tuple[str, ...]]


def _shown(plan: Plan, spans: _Spans, most_rows: int) -> _Shown:
    chain = [
        link.id
        for gate in plan.stages
        for link in _chain([lane for lane in plan.lanes if lane.stage == gate.name], spans)
    ]
    depth, groups = _grouped(plan.lanes, min(most_rows, len(plan.lanes)))

    def where(lane: Lane) -> tuple[str, ...]:
        return _path(lane)[:depth]

    def weight(lane: Lane) -> tuple[float, int]:
        return (spans[lane.id][0][0] - spans[lane.id][-1][1], -_machines(lane))

    if len(plan.lanes) <= most_rows:
        return _Shown(frozenset(lane.id for lane in plan.lanes), frozenset(chain), where)
    alone = [lane.id for lane in plan.lanes if groups[lane.stage, where(lane)] == 1]
    others = [*alone, *chain, *(lane.id for lane in sorted(plan.lanes, key=weight))]
    left = most_rows - sum(count > 1 for count in groups.values())  # each of these has a folded row
    return _Shown(frozenset(list(dict.fromkeys(others))[:left]), frozenset(chain), where)


def _chain(lanes: Sequence[Lane], spans: _Spans) -> Iterator[Lane]:
    """The lane that ends last, the one that it waits for longest, and so on."""
    by_id = {lane.id: lane for lane in lanes}

    def ends(lane: Lane) -> float:
        return spans[lane.id][-1][1]

    lane = max(lanes, key=ends, default=None)
    while lane is not None:
        yield lane
        lane = max((by_id[other] for other in lane.after), key=ends, default=None)


def _grouped(lanes: Sequence[Lane], rows: int) -> tuple[int, Counter[tuple[str, tuple[str, ...]]]]:
    """How deep lanes are grouped by what they stand in: as deep as it goes with a few rows for each group."""
    deepest = max((len(_path(lane)) for lane in lanes), default=0)
    stages = len({lane.stage for lane in lanes})
    for depth in range(deepest, 0, -1):
        groups = Counter((lane.stage, _path(lane)[:depth]) for lane in lanes)
        headings = sum(count > 1 for count in groups.values())
        if headings <= max(rows // _ROWS_A_HEADING, stages) and len(groups) <= max(rows // 2, stages):
            return depth, groups
    return 0, Counter((lane.stage, ()) for lane in lanes)


def _machines(lane: Lane) -> int:
    return sum(len(wave.machines) for wave in lane.waves)


def _path(lane: Lane) -> tuple[str, ...]:
    """What a lane stands in, outermost first."""
    return tuple(lane.what.split(" / ")[:-1])


# Rows -----------------------------------------------------------------------------------------------------------


class _Rows:
    """Makes rows of the lanes of a plan."""

    def __init__(self, plan: Plan, spans: _Spans, looks: Looks) -> None:
        self._spans = spans
        self._names = {machine.id: machine.name for machine in plan.machines}
        self._looks = looks
        self._place = {lane.id: number for number, lane in enumerate(plan.lanes)}

    def groups(self, lanes: Sequence[Lane], shown: _Shown) -> Iterator[Group]:
        """The lanes of a stage, those of one place together, the earliest first."""
        places: dict[tuple[str, ...], list[Lane]] = {}
        for lane in sorted(lanes, key=self._in_turn):
            places.setdefault(shown.where(lane), []).append(lane)
        for place, held in places.items():
            where = (
                place if len(held) > 1 else ()
            )  # a heading over a single lane would say what its name says
            rows = [
                self._alone(lane, len(where), links=lane.id in shown.chain)
                for lane in held
                if lane.id in shown.alone
            ]
            rest = [lane for lane in held if lane.id not in shown.alone]
            folded = [self._folded(rest, beside=bool(rows))] if rest else []
            yield Group(" / ".join(where), (*rows, *folded))

    def _in_turn(self, lane: Lane) -> tuple[float, float, int]:
        spans = self._spans[lane.id]
        return (spans[0][0], -spans[-1][1], self._place[lane.id])

    def _alone(self, lane: Lane, depth: int, *, links: bool) -> Row:
        after = f"\nafter {', '.join(lane.after)}" if lane.after else ""
        bars = []
        for number, (wave, (begin, end)) in enumerate(zip(lane.waves, self._spans[lane.id], strict=True), 1):
            names = sorted(self._names[machine] for machine in wave.machines)
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            told = (
                f"{lane.id}, wave {number} of {len(lane.waves)}: {_count(len(names), 'machine')}\n"
                f"{lane.what}{after if number == 1 else ''}\n{', '.join(names[:_NAMED])}{more}"
            )
            looks = Counter(self._looks[machine] for machine in wave.machines if machine in self._looks)
            bars.append(Bar(begin, end, len(names), 1.0, _sorted(looks), told))
        what = " / ".join(lane.what.split(" / ")[depth:])
        return Row(lane.id, what, tuple(bars), links)

    def _folded(self, lanes: Sequence[Lane], *, beside: bool) -> Row:
        """Lanes in one row: at each time, how many of their machines go."""
        spans = [
            (begin, end, number, wave.machines)
            for number, lane in enumerate(lanes)
            for wave, (begin, end) in zip(lane.waves, self._spans[lane.id], strict=True)
        ]
        edges = _edges([moment for begin, end, *_ in spans for moment in (begin, end)])
        machines, going = Counter[int](), Counter[int]()
        looks: dict[int, Counter[Look]] = {}
        for begin, end, _, held in spans:
            first = bisect_left(edges, begin + 1e-9) - 1
            for step in range(max(first, 0), max(bisect_left(edges, end - 1e-9), first + 1)):
                machines[step] += len(held)
                going[step] += 1
                looks.setdefault(step, Counter()).update(self._looks[m] for m in held if m in self._looks)
        most = max(machines.values())
        bars = tuple(
            Bar(
                edges[step],
                edges[step + 1],
                machines[step],
                machines[step] / most,
                _sorted(looks[step]),
                f"{_count(machines[step], 'machine')} in {_count(going[step], 'lane')}",
            )
            for step in sorted(machines)
        )
        changed = sum(len(held) for *_, held in spans)
        more = "more lane" if beside else "lane"
        return Row("", f"{_count(len(lanes), more)}, {_count(changed, 'machine')}", bars)


def _sorted(looks: Mapping[Look, int]) -> tuple[tuple[Look, int], ...]:
    return tuple(sorted(looks.items(), key=lambda held: held[0].order))


def _edges(moments: Iterable[float]) -> list[float]:
    """The moments at which something begins or ends; if there are very many, evenly spaced ones instead."""
    edges = sorted(set(moments))
    if len(edges) <= _MOST_STEPS:
        return edges
    step = (edges[-1] - edges[0]) / _MOST_STEPS
    return [edges[0] + step * number for number in range(_MOST_STEPS)] + [edges[-1]]
