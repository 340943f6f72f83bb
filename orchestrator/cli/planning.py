"""Making a plan, judging it and summing it up: what `plan` and `rollout` share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from orchestrator.cli.coverage import print_coverage
from orchestrator.cli.durations import print_expected
from orchestrator.cli.hotpatching import print_hotpatching
from orchestrator.cli.output import bullets, columns, count, heading, line, print_table, some
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.hotpatch.calendar import Calendar
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Inventory
from orchestrator.planner import coverage
from orchestrator.planner.durations import Durations
from orchestrator.planner.expected import expected
from orchestrator.planner.forecast import forecast, sentences
from orchestrator.planner.model import Plan, StageGate, Warned
from orchestrator.planner.restart_words import restarts
from orchestrator.planner.summary import Summary, summarize
from orchestrator.policy import words
from orchestrator.policy.model import Patches, Policy, Restart
from orchestrator.policy.select import parse_selector_expression
from orchestrator.verify.model import Verdict
from orchestrator.wiring.files import read_policies
from orchestrator.wiring.plans import Made, OneOff, plan_with
from orchestrator.wiring.solver import INSTALL, solver

SHOWN: Final = 8
"""Entries told of a list that can be long; all of them with --verbose."""


def choose_change(change: str | None, select: str | None) -> OneOff | None:
    """What `--change` and `--select` say; None for a campaign's plan. Raises `UsageError`."""
    if change is None and select is None:
        return None
    if change is None:
        raise UsageError(
            "--select names the machines of a one-off: say what to do with them, such as --change restart"
        )
    if select is None:
        raise UsageError(f"--change {change} needs --select, such as --select tag:app=shop,region=westeurope")
    match change.lower():
        case "restart":
            return OneOff(Restart(), parse_selector_expression(select))
        case "restart-pending":
            return OneOff(Restart(only_pending=True), parse_selector_expression(select))
        case "patches":
            return OneOff(Patches(), parse_selector_expression(select))
        case _:
            raise UsageError(f"--change {change} isn't known; it is restart, restart-pending or patches")


def make_plan(
    inventory: Inventory,
    policies: tuple[Path, ...],
    campaign: str | None,
    change: OneOff | None,
    durations: Durations | None = None,
    calendar: Calendar | None = None,
) -> Made:
    """As `plan_with`, with the policies read from files and folders."""
    read = read_wanted(policies, campaign, change)
    return plan_with(inventory, read, campaign, change, durations, calendar)


def read_wanted(
    policies: tuple[Path, ...], campaign: str | None, change: OneOff | None
) -> tuple[Policy, ...]:
    """The policies of files and folders. A one-off may do without any: then the built-in rules alone hold.

    Raises:
        UsageError: if what was typed doesn't fit together.
        PolicyError: with every problem of every file.
    """
    if change is not None and campaign is not None:
        raise UsageError("a one-off belongs to no campaign: leave --campaign away, or --change and --select")
    if not policies and change is None:
        raise UsageError(
            "what is to be changed? Give --policies DIR with a campaign in it, or a one-off with --change and --select"
        )
    return read_policies(policies)


# For programs ---------------------------------------------------------------------------------------------------


def to_json(made: Made, begins: datetime | None = None) -> dict[str, Any]:
    """The summary, with everything that a person would be shown. `begins`: see `print_summary`."""
    return {
        **summarize(made.plan).to_json(),
        "change": words.change(made.plan.change),
        "pinned": words.pinned(made.plan.change),
        "fleet": made.fleet,
        "durations": [one.to_json() for one in expected(made.plan)],
        "forecast": forecast(made.plan, made.plan.durations, begins or SystemClock().now()).summary(),
        "replaces": made.plan.replaces,
        "left_out": [
            {"machine": left.machine, "reason": left.reason, "constraint": left.constraint}
            for left in made.plan.left_out
        ],
        "warnings": [
            {"what": warned.what, "file": origin.file if origin else "", "line": origin.line if origin else 0}
            for warned in made.plan.warnings
            for origin in [warned.origin]
        ],
        "says_nothing": [
            {
                "rule": rule.rule,
                "why": rule.why,
                "groups": rule.groups,
                "of": rule.of,
                "such_as": rule.such_as,
                "file": rule.origin.file,
                "line": rule.origin.line,
            }
            for rule in made.dropped
        ],
        "coverage": [coverage.to_json() for coverage in made.coverage],
        "judged": made.verdict.to_json()["judged"],
    }


# For people -----------------------------------------------------------------------------------------------------


def print_summary(
    made: Made, console: Console, *, verbose: bool = False, begins: datetime | None = None
) -> None:
    """What whoever decides must know of a plan: what it does, how long it is, whom it leaves out, what to beware of.

    `begins` is the moment from which it could run, by the clock of its cloud; now, if nobody says.
    """
    plan, told = made.plan, summarize(made.plan)
    console.print(Text.assemble(("Plan ", "bold"), (plan.name, "bold"), f": {words.change(plan.change)}"))
    line(
        f"changes {count(told.machines, 'machine')} of {made.fleet:,}; {restarts(plan, told)}",
        console,
        indent=2,
    )
    if pinned := words.pinned(plan.change):
        line(f"one set for all waves: {pinned}", console, indent=2)
    if plan.replaces:
        names = ", ".join(plan.replaces)
        line(
            f"the built-in rules don't hold everywhere: a policy replaces {names}",
            console,
            style="bold yellow",
            indent=2,
        )
    console.print()
    _print_stages(plan, told, console)
    line(_optimality(plan, told), console, indent=2)
    if told.ahead:
        line(_ahead(plan, told), console, indent=2)
    foreseen = forecast(plan, plan.durations, begins or SystemClock().now())
    for sentence in sentences(foreseen):
        line(sentence, console, style="" if foreseen.in_time else "yellow", indent=2)
    print_expected(plan, console)
    print_hotpatching(plan, told.hotpatch, console, verbose=verbose)
    print_coverage(made.coverage, console, verbose=verbose)
    _print_left_out(plan, console, verbose=verbose)
    _print_frozen(plan, console)
    said = set(coverage.warnings(made.coverage))
    _print_warnings([warned for warned in plan.warnings if warned not in said], console, verbose=verbose)
    line(f"\n✓ judged independently: {judged(made.verdict)}; none is broken", console, style="green")


def _print_stages(plan: Plan, told: Summary, console: Console) -> None:
    table = columns(
        "stage", "machines", "lanes", "waves", "one after another", "then",
        right=("machines", "lanes", "waves", "one after another"),
    )  # fmt: skip
    for gate, stage in zip(plan.stages, told.stages, strict=True):
        figures = (stage.machines, stage.lanes, stage.waves, stage.longest)
        table.add_row(stage.name, *(f"{figure:,}" if figure else "-" for figure in figures), _then(gate))
    if len(told.stages) > 1:
        figures = (told.machines, told.lanes, told.waves, told.longest)
        table.add_row("all", *(f"{figure:,}" for figure in figures), "", style="bold")
    print_table(table, console)


def _then(gate: StageGate) -> str:
    parts = [f"bakes {words.duration(gate.bake)}"] if gate.bake else []
    parts += ["waits for approval"] if gate.approve else []
    return ", ".join(parts)


def _optimality(plan: Plan, told: Summary) -> str:
    if told.optimal == told.lanes:
        searched = f", as {plan.solver} found by searching to the end" if plan.solver else ""
        return f"every lane is as short as its rules allow{searched}"
    above = sum(len(lane.waves) - lane.bound.waves for lane in plan.lanes)
    longer = told.lanes - told.optimal
    return (
        f"{told.optimal:,} of {told.lanes:,} lanes are as short as their rules allow; {longer:,} may be longer than need be, "
        f"by {count(above, 'wave')} at most in all; {_search(plan)}"
    )


def _ahead(plan: Plan, told: Summary) -> str:
    """That exposure decided who goes earlier."""
    by = "`sooner`, then by patches outstanding" if plan.sooner else "patches outstanding"
    who = "machine goes" if told.ahead == 1 else "machines go"
    return f"{told.ahead:,} {who} before less exposed ones of the same lane, by {by}"


def _search(plan: Plan) -> str:
    """What became of the search of lanes that may be longer than need be."""
    if plan.solver:
        return f"{plan.solver} searched for shorter ones within its allowance of work"
    if solver() is not None:
        return "they are too large to be searched to the end"
    return f"search for shorter ones after `{INSTALL}`"


def _print_left_out(plan: Plan, console: Console, *, verbose: bool) -> None:
    reasons: dict[str, list[str]] = {}
    for left in plan.left_out:
        if not left.constraint:
            reasons.setdefault(left.reason, []).append(name_of(left.machine))
    if not reasons:
        return
    heading(f"Left out: {count(sum(map(len, reasons.values())), 'machine')}", console)
    table = columns("machines", "why", "who", right=("machines",))
    for reason, names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        table.add_row(f"{len(names):,}", reason, some(names, len(names) if verbose else 3))
    print_table(table, console)


def _print_frozen(plan: Plan, console: Console) -> None:
    groups: dict[str, list[str]] = {}
    for left in plan.left_out:
        if left.constraint:
            groups.setdefault(left.reason, []).append(name_of(left.machine))
    if not groups:
        return
    total = count(sum(map(len, groups.values())), "machine")
    heading(
        f"Frozen: {count(len(groups), 'group')}, {total} left out though nothing is wrong with them", console
    )
    bullets((f"{reason}: {some(names)}" for reason, names in groups.items()), console, style="yellow")


def _print_warnings(warnings: Sequence[Warned], console: Console, *, verbose: bool) -> None:
    if not warnings:
        return
    heading(count(len(warnings), "warning"), console)
    told = list(_each(warnings) if verbose else _one_a_rule(warnings))
    bullets(told if verbose else told[:SHOWN], console)
    if not verbose and (len(told) > SHOWN or len(told) < len(warnings)):
        line("all of them: --verbose", console, style="bright_black", indent=2)


def _each(warnings: Iterable[Warned]) -> Iterator[str]:
    for warned in warnings:
        yield warned.what + (f" ({warned.origin})" if warned.origin else "")


def _one_a_rule(warnings: Sequence[Warned]) -> Iterator[str]:
    """The first that each line of a policy gives rise to, and how many more there are like it."""
    alike = Counter(warned.origin for warned in warnings)
    seen = set()
    for warned in warnings:
        if warned.origin is None:
            yield warned.what
        elif warned.origin not in seen:
            seen.add(warned.origin)
            more = alike[warned.origin] - 1
            yield f"{warned.what} ({warned.origin}" + (f", and {more:,} more of it)" if more else ")")


def judged(verdict: Verdict) -> str:
    """How much a judgement rests on: `161 budgets and 6 exclusions, over 519 waves of 108 lanes`."""
    seen = verdict.judged
    rules = [
        count(seen[f"{kind}s"], kind) for kind in ("budget", "exclusion", "order") if seen.get(f"{kind}s")
    ]
    held = " and ".join(filter(None, (", ".join(rules[:-1]), *rules[-1:])))
    held = held or "no rule that could refuse anything"
    waves = seen.get("waves", 0)
    return held + (f", over {count(waves, 'wave')} of {count(seen.get('lanes', 0), 'lane')}" if waves else "")
