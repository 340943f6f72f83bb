"""How near to its limit did each budget come? Counted as admission counts: who is granted, or out of anyone's doing, each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.availability.model import Budget
from orchestrator.planner.model import Plan
from orchestrator.service.timeline import Timeline

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Peak:
    """A budget: of `size` machines at most `limit`, and at most `most` at once in truth, for the first time `at`."""

    what: str
    origin: str
    size: int
    limit: int
    most: int
    at: datetime | None
    cap: bool


@dataclass(frozen=True, slots=True)
class _Span:
    machine: int
    begin: datetime
    end: datetime


def peaks(plan: Plan, told: Timeline) -> tuple[Peak, ...]:
    """The peak of each budget of a plan, the fullest first; budgets that nothing was out of are left away."""
    place = {machine.id: index for index, machine in enumerate(plan.machines)}
    spans = _spans(told)
    found = []
    for rule in plan.constraints:
        if isinstance(rule, Budget):
            members = {place[machine] for machine in rule.machines if machine in place}
            most, at = _most(span for span in spans if span.machine in members)
            size = len(rule.machines)
            found.append(Peak(rule.what, str(rule.origin), size, rule.limit, most, at, rule.cap))
    used = [peak for peak in found if peak.most]
    return tuple(sorted(used, key=lambda p: (-p.most / max(p.limit, 1), -p.size, p.what, p.origin)))


def most_at_once(told: Timeline) -> int:
    """How many machines were out or granted at once, at most."""
    return _most(_spans(told))[0]


def _spans(told: Timeline) -> Sequence[_Span]:
    ours = [_Span(d.machine, d.granted, d.until or _NEVER) for d in told.disruptions]
    others = [_Span(o.machine, o.since, o.until or _NEVER) for o in told.outages]
    return [*ours, *others]


def _most(spans: Iterable[_Span]) -> tuple[int, datetime | None]:
    """The most that overlap. One that ends where another begins makes room for it, as in the journal."""
    steps = sorted(
        step
        for span in spans
        if span.begin < span.end
        for step in ((span.begin, 1, span.machine), (span.end, -1, span.machine))
    )
    now, most = 0, 0
    at: datetime | None = None
    for moment, change, _ in steps:
        now += change
        if now > most:
            most, at = now, moment
    return most, at
