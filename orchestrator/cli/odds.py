"""How many runs of a plan are told: for people with the answer first, for programs, and as a report to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from rich.console import Console

from orchestrator.cli.output import bullets, columns, count, heading, line, print_table, span
from orchestrator.planner.model import Plan
from orchestrator.policy import words
from orchestrator.reports.odds_model import Fan, OddsReport, Side, StageStops, Table
from orchestrator.simulation.odds import Group, Middle, Odds, Stop, curve_of, horizon, likely

SHOWN: Final = 8
"""Groups that are told; all of them in JSON."""


@dataclass(frozen=True, slots=True)
class Told:
    """A plan, what it is called here, and what its runs came to."""

    name: str
    plan: Plan
    odds: Odds


# Sentences ------------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """`8%`, `0.5%`."""
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def after(seconds: float) -> str:
    """A time from the start."""
    return span(timedelta(seconds=seconds))


def answers(told: Told) -> Iterator[str]:
    """What people want to know, the most important first."""
    odds = told.odds
    yield _finishes(odds)
    yield _stops(odds)
    if odds.waiting:
        yield (
            f"In {_of(odds, odds.waiting)} it came to no end: it still waited {span(_GRACE)} after its deadline, or could never go on."
        )
    if odds.missed:
        yield f"The deadline of {span(odds.deadline)} is missed in {_of(odds, odds.missed)}."
    if odds.approvals.most:
        them = "it" if odds.approvals.most == 1 else "them"
        yield (
            f"It asks for {_approvals(odds.approvals)}, and waits for {them} {after(odds.waited.median)} mostly, "
            f"{after(odds.waited.late)} or less in 19 of 20 runs."
        )


_GRACE: Final = timedelta(days=7)


def _finishes(odds: Odds) -> str:
    if odds.end is None:
        return f"It finishes in none of {count(len(odds.runs), 'run')}."
    short = odds.finished - odds.whole
    left = f"; in {short:,} of them not all machines were changed" if short else ""
    return (
        f"It finishes in {_of(odds, odds.finished)}, mostly after {after(odds.end.median)}, 19 of 20 times within "
        f"{after(odds.end.late)}{left}."
    )


def _stops(odds: Odds) -> str:
    low, high = likely(odds.stopped, len(odds.runs))
    if not odds.stopped:
        return (
            f"It stops in none of {count(len(odds.runs), 'run')}; more runs might find up to {percent(high)}."
        )
    by_stage: dict[str, int] = {}
    for stop in odds.stops:
        by_stage[stop.stage] = by_stage.get(stop.stage, 0) + stop.runs
    where = ", ".join(f"{runs:,} in {stage}" for stage, runs in by_stage.items())
    return f"It stops in {_of(odds, odds.stopped)}: {where}. More runs would say between {percent(low)} and {percent(high)}."


def _of(odds: Odds, hits: int) -> str:
    return f"{hits:,} of {count(len(odds.runs), 'run')} ({percent(odds.share(hits))})"


def _approvals(approvals: Middle) -> str:
    most = int(approvals.most)
    return count(most, "approval") if approvals.median == most else f"up to {count(most, 'approval')}"


# For people -----------------------------------------------------------------------------------------------------


def print_odds(told: Told, console: Console) -> None:
    """One plan's odds."""
    for answer in answers(told):
        line(answer, console, indent=2)
    if told.odds.stops:
        heading("Where it stops", console)
        table = columns(
            "stage", "why", "runs", "begun by then, mostly", "most", "unhealthy, mostly", "most",
            right=("runs", "begun by then, mostly", "most", "unhealthy, mostly"),
        )  # fmt: skip
        for stop in told.odds.stops:
            table.add_row(*stop_row(stop))
        print_table(table, console)
        bullets(map(such_as, told.odds.stops), console, style="bright_black")
    if told.odds.groups:
        heading("The lowest availability that each group saw", console)
        table = columns(
            "group", "machines", "rule keeps", "lowest", "", "in runs", "mostly", "runs below the rule",
            right=("machines", "rule keeps", "lowest", "in runs", "mostly", "runs below the rule"),
        )  # fmt: skip
        for group in told.odds.groups[:SHOWN]:
            table.add_row(*group_row(group))
        print_table(table, console)
        if len(told.odds.groups) > SHOWN:
            more = len(told.odds.groups) - SHOWN
            line(
                f"and {count(more, 'group')} that came less low: --json",
                console,
                indent=2,
                style="bright_black",
            )


def stop_row(stop: Stop) -> tuple[str, ...]:
    """A row of the table of stops."""
    figures = (stop.begun.median, stop.begun.most, stop.unhealthy.median, stop.unhealthy.most)
    return (stop.stage, str(stop.why), f"{stop.runs:,}", *(f"{int(figure):,}" for figure in figures))


def such_as(stop: Stop) -> str:
    """One run that stopped so, and how to see it again."""
    run = stop.such_as
    return f"{stop.stage}, such as --seed {run.seed} --runs 1 after {span(run.took)}: {run.cause}"


def group_row(group: Group) -> tuple[str, ...]:
    """A row of the table of groups."""
    lowest, runs = group.fewest[0]
    return (
        group.what,
        f"{group.size:,}",
        f"{group.keeps:,}",
        f"{lowest:,}",
        percent(group.share),
        f"{runs:,}",
        f"{group.median:,}",
        f"{group.below:,}" if group.below else "-",
    )


# Side by side ---------------------------------------------------------------------------------------------------


def comparison(new: Told, old: Told) -> list[tuple[str, str, str]]:
    """What differs between two plans: what it is, of the old one, of the new one."""
    figures: tuple[tuple[str, Callable[[Odds], str]], ...] = (
        ("machines to be changed", lambda odds: f"{odds.machines:,}"),
        ("finishes", lambda odds: percent(odds.share(odds.finished))),
        ("  with all machines changed", lambda odds: percent(odds.share(odds.whole))),
        ("ends mostly after", lambda odds: _end(odds.end, late=False)),
        ("19 of 20 times within", lambda odds: _end(odds.end, late=True)),
        ("stops", lambda odds: percent(odds.share(odds.stopped))),
        ("misses the deadline", lambda odds: percent(odds.share(odds.missed))),
        ("waits for approvals, mostly", lambda odds: after(odds.waited.median)),
        ("begun when it stopped, most", lambda odds: _most([stop.begun for stop in odds.stops])),
        ("unhealthy when it stopped, most", lambda odds: _most([stop.unhealthy for stop in odds.stops])),
    )
    rows = [(name, figure(old.odds), figure(new.odds)) for name, figure in figures]
    stages = list(dict.fromkeys(gate.name for told in (old, new) for gate in told.plan.stages))
    at = next(n for n, row in enumerate(rows) if row[0] == "stops") + 1
    rows[at:at] = [
        (f"  in {stage}", _stopped_in(old.odds, stage), _stopped_in(new.odds, stage)) for stage in stages
    ]
    return rows


def groups_compared(new: Told, old: Told) -> list[tuple[str, str, str]]:
    """The lowest availability of each group under both: those first that differ most, then those that came lowest."""
    ours, theirs = ({group.machines: group for group in told.odds.groups} for told in (new, old))
    pairs = [(ours.get(machines), theirs.get(machines)) for machines in dict.fromkeys([*ours, *theirs])]
    pairs.sort(key=_by_difference)
    return [((now or before).what, _lowest(before), _lowest(now)) for now, before in pairs]  # type: ignore[union-attr]


def _by_difference(pair: tuple[Group | None, Group | None]) -> tuple[bool, float, float]:
    now, before = pair
    if now is None or before is None:
        return True, 0.0, (now or before).share  # type: ignore[union-attr]
    return False, -abs(now.share - before.share), now.share


def _lowest(group: Group | None) -> str:
    return "no such rule" if group is None else f"{group.lowest:,} of {group.size:,} ({percent(group.share)})"


def _end(end: Middle | None, *, late: bool) -> str:
    return "-" if end is None else after(end.late if late else end.median)


def _most(figures: Sequence[Middle]) -> str:
    return f"{int(max(figure.most for figure in figures)):,}" if figures else "-"


def _stopped_in(odds: Odds, stage: str) -> str:
    return percent(odds.share(sum(stop.runs for stop in odds.stops if stop.stage == stage)))


def verdict(new: Told, old: Told) -> str:
    """The difference in a sentence."""
    ours, theirs = new.odds, old.odds
    ends = _instead(_end(ours.end, late=False), _end(theirs.end, late=False))
    stops = [f"{percent(odds.share(odds.stopped))} of the runs" for odds in (ours, theirs)]
    parts = [f"it ends mostly after {ends}", f"stops in {_instead(*stops)}"]
    if ours.groups and theirs.groups:
        lowest = _instead(*(f"{percent(at[0].share)} ({at[0].what})" for at in (ours.groups, theirs.groups)))
        parts.append(f"the lowest that a group came to is {lowest}")
    return f"{new.name} against {old.name}: {', '.join(parts[:-1])} and {parts[-1]}."


def _instead(now: str, before: str) -> str:
    return f"{now} as before" if now == before else f"{now} instead of {before}"


def print_comparison(new: Told, old: Told, console: Console) -> None:
    """Both, side by side."""
    line(verdict(new, old), console, indent=2)
    console.print()
    table = columns("", old.name, new.name, right=(old.name, new.name))
    for name, before, now in comparison(new, old):
        table.add_row(name, before, now, style="" if before == now else "bold")
    print_table(table, console)
    groups = groups_compared(new, old)
    if groups:
        heading("The lowest availability that each group saw", console)
        table = columns("group", old.name, new.name, right=(old.name, new.name))
        for name, before, now in groups[:SHOWN]:
            table.add_row(name, before, now, style="" if before == now else "bold")
        print_table(table, console)


# For programs ---------------------------------------------------------------------------------------------------


def to_json(told: Told) -> dict[str, Any]:
    """Everything, times in seconds."""
    odds = told.odds
    return {
        "name": told.name,
        "campaign": told.plan.name,
        "machines": odds.machines,
        "runs": len(odds.runs),
        "finished": odds.finished,
        "finished_with_all_changed": odds.whole,
        "stopped": odds.stopped,
        "stop_rate": odds.share(odds.stopped),
        "stop_rate_likely": list(likely(odds.stopped, len(odds.runs))),
        "waiting": odds.waiting,
        "deadline_s": odds.deadline.total_seconds(),
        "deadline_missed": odds.missed,
        "end_s": None if odds.end is None else odds.end.to_json(),
        "changed": {"least": odds.least_changed, **odds.changed.to_json()},
        "approvals": odds.approvals.to_json(),
        "waited_for_approvals_s": odds.waited.to_json(),
        "stops": [
            {
                "stage": stop.stage,
                "why": str(stop.why),
                "runs": stop.runs,
                "begun": stop.begun.to_json(),
                "unhealthy": stop.unhealthy.to_json(),
                "such_as": {"seed": stop.such_as.seed, "cause": stop.such_as.cause},
            }
            for stop in odds.stops
        ],
        "groups": [group.to_json() for group in odds.groups],
    }


# A report -------------------------------------------------------------------------------------------------------


def report(new: Told, old: Told | None, footer: Sequence[str]) -> OddsReport:
    """What is drawn."""
    sides = (new,) if old is None else (new, old)
    until = max(horizon(told.odds.runs) for told in sides)
    what = f"{words.change(new.plan.change)} on {count(new.odds.machines, 'machine')}"
    if old is None:
        return OddsReport(
            f"Plan {new.plan.name}: {what}",
            tuple(answers(new)),
            (_side(new, until),),
            tuple(_tables(new)),
            tuple(footer),
        )
    tables = (
        Table("Side by side", ("", old.name, new.name), tuple(comparison(new, old))),
        Table(
            "The lowest availability that each group saw",
            ("group", old.name, new.name),
            tuple(groups_compared(new, old)),
        ),
    )
    return OddsReport(
        f"Plan {new.plan.name}: {what}",
        (verdict(new, old),),
        tuple(_side(told, until) for told in sides),
        tables,
        tuple(footer),
    )


def _tables(told: Told) -> Iterator[Table]:
    heads = ("stage", "why", "runs", "begun by then, mostly", "most", "unhealthy, mostly", "most", "such as")
    stops = tuple((*stop_row(stop), such_as(stop)) for stop in told.odds.stops)
    yield Table("Where it stops", heads, stops)
    heads = (
        "group", "machines", "rule keeps", "lowest", "", "in runs", "mostly", "runs below the rule",
    )  # fmt: skip
    groups = tuple(map(group_row, told.odds.groups))
    yield Table("The lowest availability that each group saw", heads, groups)


def _side(told: Told, until: timedelta) -> Side:
    curve = curve_of(told.odds.runs, until)
    return Side(
        name=told.name,
        machines=told.odds.machines,
        runs=len(told.odds.runs),
        fan=Fan(tuple(second / 3600 for second in curve.seconds), curve.low, curve.middle, curve.high),
        stops=tuple(
            StageStops(gate.name, sum(stop.runs for stop in told.odds.stops if stop.stage == gate.name))
            for gate in told.plan.stages
        ),
        deadline_hours=told.odds.deadline.total_seconds() / 3600,
    )
