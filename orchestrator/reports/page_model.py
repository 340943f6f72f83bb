"""What a report of rollouts shows, as values: whoever knows a rollout fills them in, `page` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that matters, what it counts, and what one should know of it."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict: what was judged, how much of it, and what was found."""

    what: str
    ok: bool
    judged: str
    violations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One machine's time in a wave. `begun` and `changed` divide it; `outs` are the times in which it was really out.

    `outcome` is done, unhealthy or anything else that a machine comes to; empty while it isn't over.
    """

    name: str
    granted: datetime
    begun: datetime | None
    changed: datetime | None
    until: datetime
    outcome: str
    detail: str = ""
    outs: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class WaveBox:
    """A wave of a lane from its opening to its gate, with its machines."""

    name: str
    opened: datetime
    passed: datetime
    lines: tuple[Line, ...]
    gate_passed: bool = True


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane."""

    name: str
    stage: str
    waves: tuple[WaveBox, ...]


@dataclass(frozen=True, slots=True)
class StageBand:
    """A stage; it bakes from `baking` to its end."""

    name: str
    opened: datetime
    ended: datetime
    baking: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Lanes over time. `out`: how many machines were out, each time that this changed. `stopped`: when it stopped of itself."""

    begin: datetime
    end: datetime
    stages: tuple[StageBand, ...]
    lanes: tuple[LaneRow, ...]
    out: tuple[tuple[datetime, int], ...] = ()
    stopped: datetime | None = None


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A budget, and how near to its limit it came."""

    what: str
    origin: str
    size: int
    limit: int
    most: int
    cap: bool = False


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A machine that wasn't changed, and why."""

    machine: str
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateRow:
    """An update: on how many machines it is in, failed and is pending, and some on which it isn't in."""

    name: str
    installed: int
    failed: int
    pending: int
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnRow:
    """Who did what, and when."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A command that may be run now, and what it would do."""

    command: str
    effect: str


@dataclass(frozen=True, slots=True)
class Spared:
    """What a stop saved: the machines that share what the broken ones have, by name. `weakness` says what that is."""

    weakness: str
    broken: tuple[str, ...]
    touched: tuple[str, ...]  # changed, and well so far
    untouched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One rollout. Parts that are empty aren't shown."""

    title: str
    headline: str
    good: bool  # whether it went as a rollout should: one that stops in time does
    figures: tuple[Figure, ...]
    chart: Chart
    checks: tuple[Check, ...]
    cause: str = ""  # why it stopped
    evidence: tuple[str, ...] = ()
    spared: Spared | None = None
    offers: tuple[Offer, ...] = ()
    budgets: tuple[BudgetUse, ...] = ()
    left_out: tuple[LeftOutRow, ...] = ()
    turns: tuple[TurnRow, ...] = ()
    updates: tuple[UpdateRow, ...] = ()
    advice: tuple[str, ...] = ()  # what to do about what did not take


@dataclass(frozen=True, slots=True)
class Report:
    """A page. `picture` is an SVG of the topology, made by us and shown as it is; `footer` are lines of small print."""

    title: str
    summary: str
    good: bool
    verdict: str
    acts: tuple[Act, ...]
    picture: str = ""
    picture_caption: str = ""
    footer: tuple[str, ...] = ()
