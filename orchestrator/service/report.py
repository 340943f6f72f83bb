"""A rollout as a page shows it: what happened off its journal, what really happened off the witness's audit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Plan
from orchestrator.planner.summary import Summary, summarize
from orchestrator.policy import words
from orchestrator.reports.page_model import (
    Act,
    BudgetUse,
    Chart,
    Check,
    Figure,
    LaneRow,
    LeftOutRow,
    Line,
    Offer,
    Spared,
    StageBand,
    TurnRow,
    UpdateRow,
    WaveBox,
)
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.service.peaks import most_at_once, peaks
from orchestrator.service.rows import rows
from orchestrator.service.status import Status
from orchestrator.service.timeline import Disruption, Timeline
from orchestrator.service.updates import updates
from orchestrator.verify.model import Findings, Verdict, machines
from orchestrator.verify.timeline import What, follow, read_audit

Outs = Mapping[str, Sequence[tuple[datetime, datetime]]]
"""Machine id -> the times in which it was really out."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What an audit says: when each machine was out, how often one went out by our work, and how many lines that is off."""

    outs: Outs
    restarts: int
    lines: int


def witnessed(audit: Iterable[Mapping[str, Any]], until: datetime) -> Witnessed:
    """Read an audit. A machine that is not back at its end counts as out `until` then."""
    entries = read_audit(audit, Findings())
    outs: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    since: dict[str, datetime] = {}
    restarts = 0
    for step in follow(entries).steps:
        if step.what is What.OUT:
            since.setdefault(step.machine, step.at)
            restarts += step.ours
        elif step.what is What.BACK and step.machine in since:
            outs[step.machine].append((since.pop(step.machine), step.at))
    for machine, begin in since.items():
        outs[machine].append((begin, max(begin, until)))
    return Witnessed(outs, restarts, len(entries))


@dataclass(frozen=True, slots=True)
class Retold:
    """All that one act is told from."""

    rollout: Rollout
    status: Status
    timeline: Timeline
    witnessed: Witnessed
    fleet: int  # machines of the inventory
    checks: tuple[Check, ...]


def act(told: Retold, title: str, *, good: bool, spared: Spared | None = None, of_plan: bool = True) -> Act:
    """The rollout as a page shows it. `of_plan`: also whom its plan left out; another act may have told that."""
    rollout, status = told.rollout, told.status
    plan = rollout.planned.plan
    return Act(
        title=title,
        headline=status.headline,
        good=good,
        figures=_figures(told),
        chart=chart(rollout, told.timeline, told.witnessed.outs, stopped=bool(status.stopped)),
        checks=told.checks,
        cause=status.stopped,
        evidence=status.evidence if len(status.evidence) > 1 else (),  # a single one is in the cause already
        spared=spared,
        offers=tuple(Offer(option.command, option.effect) for option in status.options),
        budgets=tuple(
            BudgetUse(_brief(p.what), p.origin, p.size, p.limit, p.most, p.cap)
            for p in peaks(plan, told.timeline)
        ),
        left_out=_left_out(rollout, of_plan=of_plan),
        updates=tuple(
            UpdateRow(u.name, u.installed, u.failed, u.pending, u.trouble) for u in updates(rollout)
        ),
        advice=status.advice,
        turns=tuple(TurnRow(turn.at, turn.who, turn.what) for turn in told.timeline.turns),
    )


_SUBSCRIPTION = re.compile(r"subscription ([0-9a-f]{8})-[0-9a-f-]{27}")
"""A subscription's first digits tell it apart; the whole of it would be the longest part of a rule."""


def _brief(text: str) -> str:
    return _SUBSCRIPTION.sub(r"subscription \1…", text)


def check(what: str, verdict: Verdict) -> Check:
    """A verdict in the page's words."""
    seen = ", ".join(
        f"{n:,} {kind.removesuffix('s') if n == 1 else kind}" for kind, n in verdict.judged.items() if n
    )
    return Check(what, verdict.ok, seen, tuple(map(str, verdict.violations)), verdict.notes)


def chart(rollout: Rollout, told: Timeline, outs: Outs, *, stopped: bool) -> Chart:
    """Lanes over time. Lanes that never opened have no row."""
    plan, end = rollout.planned.plan, told.last
    stages = tuple(
        StageBand(plan.stages[span.stage].name, span.opened, span.ended or end, span.baking)
        for span in told.stages
    )
    halted = rollout.status_since if stopped else None
    return Chart(
        told.started,
        end,
        stages,
        _rows(rollout, told, outs),
        tuple(_at_once(outs, told.started, end)),
        halted,
    )


def _rows(rollout: Rollout, told: Timeline, outs: Outs) -> tuple[LaneRow, ...]:
    planned = rollout.planned
    of: defaultdict[tuple[int, int], list[Disruption]] = defaultdict(list)
    for disruption in told.disruptions:
        of[planned.lane_of[disruption.machine], planned.wave_of[disruption.machine]].append(disruption)
    boxes: defaultdict[int, list[WaveBox]] = defaultdict(list)
    for span in told.waves:
        lines = tuple(_line(rollout, d, outs, told.last) for d in of[span.lane, span.wave])
        waves = planned.lanes[span.lane].waves
        name = f"{planned.lanes[span.lane].id}: wave {span.wave + 1} of {len(waves)}, {machines(len(waves[span.wave]))}"
        passed = span.passed is not None
        boxes[span.lane].append(WaveBox(name, span.opened, span.passed or told.last, lines, passed))
    found = [
        LaneRow(row.name, planned.plan.lanes[row.lanes[0]].stage, shown)
        for row in rows(planned.plan.lanes)
        if (shown := tuple(box for lane in row.lanes for box in boxes[lane]))
    ]
    return tuple(sorted(found, key=lambda row: row.waves[0].opened))


def _line(rollout: Rollout, disruption: Disruption, outs: Outs, last: datetime) -> Line:
    machine = rollout.planned.machine(disruption.machine)
    until = disruption.until or last
    really = tuple((a, b) for a, b in outs.get(machine.id, ()) if a <= until and b >= disruption.granted)
    return Line(
        machine.name,
        disruption.granted,
        disruption.begun,
        disruption.changed,
        until,
        disruption.outcome,
        disruption.detail,
        really,
    )


def _at_once(outs: Outs, begin: datetime, end: datetime) -> Iterable[tuple[datetime, int]]:
    """How many were really out, each time that this changed."""
    steps = sorted(
        (moment, change) for spans in outs.values() for a, b in spans for moment, change in ((a, 1), (b, -1))
    )
    now = 0
    for moment, change in steps:
        now += change
        if begin <= moment <= end:
            yield moment, now


def _figures(told: Retold) -> tuple[Figure, ...]:
    rollout, plan = told.rollout, told.rollout.planned.plan
    summary = summarize(plan)
    done = rollout.counts[MachineStatus.DONE]
    attempted = rollout.attempted
    passed = sum(span.passed is not None for span in told.timeline.waves)
    really = max(
        (n for _, n in _at_once(told.witnessed.outs, told.timeline.started, told.timeline.last)), default=0
    )
    length = told.timeline.last - told.timeline.started
    real = length / rollout.scale
    took = f"of emulated time, {words.duration(real)} of yours" if rollout.scale != 1 else ""
    begun = f"; {attempted} begun" if attempted != done else ""
    if told.status.stopped:
        path = Figure(f"{summary.machines - attempted}", "never begun", "they stay as they were")
    else:
        path = Figure(
            f"{summary.longest}", "waves on the longest path", f"all {summary.waves} in {summary.lanes} lanes"
        )
    return (
        Figure(
            f"{done}",
            "machines changed",
            f"of {summary.machines} in the plan, {told.fleet} in the fleet{begun}",
        ),
        Figure(f"{passed}", "waves passed", f"of {summary.waves}; lanes of waves run side by side"),
        path,
        Figure(f"{told.witnessed.restarts}", "restarts", _planned_restarts(summary)),
        Figure(f"{really}", "out at once, at most", f"{most_at_once(told.timeline)} as admission counts"),
        Figure(_short(words.duration(length)), "from start to end", took),
    )


def _planned_restarts(summary: Summary) -> str:
    """What was foreseen, beside what came."""
    saved = summary.hotpatch.month if summary.hotpatch is not None else 0
    return f"up to {summary.restarts:,} planned" + (f"; hotpatching was to save {saved:,}" if saved else "")


def _short(duration: str) -> str:
    """`6h40m12s` as `6h40m`: nobody reads the seconds of hours."""
    head, hours, rest = duration.partition("h")
    return f"{head}h{rest.partition('m')[0]}m" if hours and "m" in rest else duration


def _left_out(rollout: Rollout, *, of_plan: bool) -> tuple[LeftOutRow, ...]:
    """Whom the plan left out, and whom the rollout did."""
    plan = rollout.planned.plan
    left_out = plan.left_out if of_plan else ()
    found = [LeftOutRow(_name(plan, left.machine), left.reason) for left in left_out]
    for index, run in enumerate(rollout.machines):
        if run.status in _NOT_DONE and rollout.planned.lane_of[index] >= 0:
            what = run.status.replace("_", " ")
            found.append(LeftOutRow(rollout.planned.machine(index).name, f"{what}: {run.detail}"))
    return tuple(found)


_NOT_DONE = frozenset(
    {
        MachineStatus.NOT_CHANGED,
        MachineStatus.LEFT_OUT,
        MachineStatus.SKIPPED,
        MachineStatus.GONE,
        MachineStatus.WRITTEN_OFF,
    }
)


def _name(plan: Plan, machine: MachineId) -> str:
    known = next((held.name for held in plan.machines if held.id == machine), None)
    return known or machine.rpartition("/")[2]
