"""A rollout as a picture that moves: lanes, waves and machines in columns, and after that only what differs.

A page draws 10,000 machines and hears of every decision. It is given everything once; from then on it asks for what differs since the
number it was given, and gets as much as happened, whatever the size of the fleet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from orchestrator.rollout import events as e
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.service.timeline import Disruption, Timeline, Tracing

STATUSES: Final = tuple(str(status) for status in MachineStatus)
"""What the numbers in `MachineColumns.status` and `BarColumns.outcome` stand for."""

NOT_YET: Final = -1
"""A moment that hasn't come."""


@dataclass(frozen=True, slots=True)
class ChartStage:
    """A stage: when it opened, baked and ended, in seconds from the rollout's start; -1: not yet."""

    name: str
    opened: int
    baking: int
    ended: int


@dataclass(frozen=True, slots=True)
class ChartLane:
    """A lane: its stage and the lanes it waits for, by number; `waves` is how many it has."""

    id: str
    what: str
    stage: int
    after: tuple[int, ...]
    waves: int


@dataclass(frozen=True, slots=True)
class WaveColumns:
    """Waves that were opened, a column each: lane, wave, seconds from the start; `passed` -1: its gate is shut."""

    lane: tuple[int, ...]
    wave: tuple[int, ...]
    opened: tuple[int, ...]
    passed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MachineColumns:
    """Machines that the plan changes, a column each. `number` is a machine's place in the plan, `status` in `STATUSES`."""

    number: tuple[int, ...]
    name: tuple[str, ...]
    lane: tuple[int, ...]
    wave: tuple[int, ...]
    status: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BarColumns:
    """Disruptions, a column each, seconds from the start; -1: not yet. `place` tells one from another: a later one of
    the same place is the same, further on. `outcome` is a place in `STATUSES`, -1 while nothing is known of it.
    """

    place: tuple[int, ...]
    machine: tuple[int, ...]
    granted: tuple[int, ...]
    begun: tuple[int, ...]
    changed: tuple[int, ...]
    until: tuple[int, ...]
    outcome: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One moment of one rollout. `whole`: everything is in it; else machines and bars are those that differ, and lanes are
    left away unless they were planned anew.

    `edition` is what to ask for next time. `started` is the moment that all seconds count from.
    """

    rollout: str
    name: str
    status: str
    edition: int
    whole: bool
    started: datetime
    at: datetime
    last: datetime
    statuses: tuple[str, ...]
    stages: tuple[ChartStage, ...]
    lanes: tuple[ChartLane, ...]
    waves: WaveColumns
    machines: MachineColumns
    bars: BarColumns


@dataclass(slots=True)
class Charting:
    """A chart that is kept up: give it every decision of the rollout in order, and ask for it at any time.

    `add` costs what a fact costs; `draft` costs a glance at each machine, and drawing it as much as is told: that can be left to a thread.
    Editions are its own: the state may run ahead of the decisions that it was given, so that a row's number wouldn't do.
    """

    rollout: Rollout
    seq: int = 0  # of the last decision
    edition: int = 0
    _tracing: Tracing = field(init=False)
    _planned: Planned | None = None  # of which lanes and waves were told, in that edition
    _planned_in: int = 0
    _bars: list[Disruption] = field(default_factory=list)  # as they were last told, and in which edition
    _bars_in: list[int] = field(default_factory=list)
    _statuses: list[MachineStatus] = field(default_factory=list)
    _machines_in: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tracing = Tracing(self.rollout)

    def add(self, seq: int, at: datetime, facts: Iterable[e.Event]) -> None:
        """One decision; one that was added before is passed over."""
        if seq > self.seq:
            self.seq = seq
            for fact in facts:
                self._tracing.add(at, fact)

    def chart(self, at: datetime, after: int = 0) -> Chart:
        """Everything, or what differs since the edition `after`. One that can't be from here is answered with everything."""
        return self.draft(at, after)()

    def draft(self, at: datetime, after: int = 0) -> Callable[[], Chart]:
        """The same, noted now and drawn when it is called: of this moment, whatever happens meanwhile, and so in any thread."""
        told = self._tracing.timeline()
        self._note(told)
        whole = not 0 < after <= self.edition
        planned, statuses, status = self.rollout.planned, self._statuses, str(self.rollout.status)
        anew = whole or self._planned_in > after
        machines = [i for i, edition in enumerate(self._machines_in) if anew or edition > after]
        bars = [place for place, edition in enumerate(self._bars_in) if whole or edition > after]
        drawn = partial(
            Chart,
            rollout=self.rollout.id,
            name=planned.plan.name,
            status=status,
            edition=self.edition,
            whole=whole,
            started=told.started,
            at=at,
            last=told.last,
            statuses=STATUSES,
        )
        return lambda: drawn(
            stages=_stages(planned, told),
            lanes=_lanes(planned) if anew else (),
            waves=_waves(told),
            machines=_machines(planned, statuses, [i for i in machines if planned.lane_of[i] >= 0]),
            bars=_bars(told, bars),
        )

    def _note(self, told: Timeline) -> None:
        """Mark what differs since it was last looked at with the edition in which it is told."""
        edition = max(self.edition + 1, self.seq)
        changed = [
            i for i, bar in enumerate(told.disruptions) if i >= len(self._bars) or self._bars[i] is not bar
        ]
        for place in changed:
            if place == len(self._bars):
                self._bars.append(told.disruptions[place])
                self._bars_in.append(edition)
            else:
                self._bars[place], self._bars_in[place] = told.disruptions[place], edition
        statuses = [run.status for run in self.rollout.machines]
        if not self._statuses:
            self._machines_in = [edition] * len(statuses)
        moved = [
            i for i, (now, was) in enumerate(zip(statuses, self._statuses, strict=False)) if now is not was
        ]
        for place in moved:
            self._machines_in[place] = edition
        if self._planned is not self.rollout.planned:
            self._planned, self._planned_in = self.rollout.planned, edition
        elif not changed and not moved:
            return
        self._statuses, self.edition = statuses, edition


def _machines(planned: Planned, statuses: Sequence[MachineStatus], wanted: Sequence[int]) -> MachineColumns:
    number_of = {status: number for number, status in enumerate(MachineStatus)}
    return MachineColumns(
        tuple(wanted),
        tuple(planned.machine(i).name for i in wanted),
        tuple(planned.lane_of[i] for i in wanted),
        tuple(planned.wave_of[i] for i in wanted),
        tuple(number_of[statuses[i]] for i in wanted),
    )


def _stages(planned: Planned, told: Timeline) -> tuple[ChartStage, ...]:
    spans = {span.stage: span for span in told.stages}
    found = []
    for number, gate in enumerate(planned.plan.stages):
        span = spans.get(number)
        moments = (span.opened, span.baking, span.ended) if span is not None else (None, None, None)
        found.append(ChartStage(gate.name, *(_seconds(told, moment) for moment in moments)))
    return tuple(found)


def _lanes(planned: Planned) -> tuple[ChartLane, ...]:
    return tuple(
        ChartLane(lane.id, told.what, lane.stage, lane.after, len(lane.waves))
        for lane, told in zip(planned.lanes, planned.plan.lanes, strict=True)
    )


def _waves(told: Timeline) -> WaveColumns:
    return WaveColumns(
        tuple(span.lane for span in told.waves),
        tuple(span.wave for span in told.waves),
        tuple(_seconds(told, span.opened) for span in told.waves),
        tuple(_seconds(told, span.passed) for span in told.waves),
    )


def _bars(told: Timeline, places: list[int]) -> BarColumns:
    bars = [told.disruptions[place] for place in places]
    return BarColumns(
        tuple(places),
        tuple(bar.machine for bar in bars),
        tuple(_seconds(told, bar.granted) for bar in bars),
        tuple(_seconds(told, bar.begun) for bar in bars),
        tuple(_seconds(told, bar.changed) for bar in bars),
        tuple(_seconds(told, bar.until) for bar in bars),
        tuple(STATUSES.index(bar.outcome) if bar.outcome else NOT_YET for bar in bars),
    )


def _seconds(told: Timeline, moment: datetime | None) -> int:
    return NOT_YET if moment is None else round((moment - told.started).total_seconds())
