"""What hotpatching does for a plan, for people: what the month is, restarts saved, who is off the track and what brings them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console

from orchestrator.cli.output import columns, count, heading, line, print_table, some
from orchestrator.hotpatch.model import MonthKind, Track
from orchestrator.hotpatch.words import TRACKS, comes_back
from orchestrator.planner.hotpatching import ProductMonth
from orchestrator.planner.model import Plan
from orchestrator.planner.saved import Saved

FIRST: Final = 5
"""Rows told of machines off the track; all of them with --verbose."""

_MONTHS: Final = {
    MonthKind.BASELINE: "a baseline, which restarts everybody",
    MonthKind.HOTPATCH: "a hotpatch, without a restart",
    MonthKind.UNPLANNED_BASELINE: "an unplanned baseline, which restarts everybody",
    MonthKind.UNKNOWN: "not known",
}


def print_hotpatching(plan: Plan, saved: Saved | None, console: Console, *, verbose: bool) -> None:
    """Nothing where hotpatching has nothing to do with the plan."""
    if saved is None:
        return
    heading(f"Hotpatching in {saved.hotpatching.month.named}", console)
    for product in saved.hotpatching.products:
        line(product_month(product), console, indent=2)
    for sentence in _sentences(plan, saved):
        line(sentence, console, indent=2)
    _print_off(saved, console, verbose=verbose)


def product_month(product: ProductMonth) -> str:
    """`Windows Server 2025: a hotpatch, without a restart (KB5087423; machines off the track get KB5087539)`."""
    told = f"{product.product.named}: {_MONTHS[product.kind]}"
    if product.scheduled:
        return f"{told}, by the rule: the calendar doesn't hold the month"
    if product.kind is MonthKind.UNKNOWN and product.note:
        return f"{told}: {product.note}"
    if not product.kb:
        return told
    others = (
        f"; machines off the track get KB{product.lcu}" if product.lcu != product.kb and product.lcu else ""
    )
    return f"{told} (KB{product.kb}{others})"


def _sentences(plan: Plan, saved: Saved) -> Iterator[str]:
    guessed = saved.month - saved.assured
    by = ""
    if guessed:
        by = f", {guessed:,} of them by the calendar alone, for which a restart is planned all the same"
    yield f"saves {count(saved.month, 'restart')} this month{by}"
    year = saved.hotpatching.month.year
    if saved.year:
        on = saved.tracks.get(Track.ON.value, 0)
        machines = "the machine that is" if on == 1 else f"the {on:,} machines that are"
        yield f"saves {count(saved.year, 'restart')} over {year}, if {machines} on the track stay{'s' if on == 1 else ''} on it"
    if saved.despite:
        what = ", ".join(f"{why} {number:,}" for why, number in saved.despite.items())
        yield f"on the track and restarted all the same: {what}"
    up = sum(machine.stays_up for machine in plan.machines if machine.change)
    spared = any(rule.spared for rule in plan.constraints if hasattr(rule, "spared"))
    if up and spared:
        yield f"two speeds: {count(up, 'machine')} that won't restart {_rides(up)} in wider waves, the others keep the bound on restarts"
    if saved.lost:
        yield f"those that left the track restart {count(saved.lost, 'time')} until they are back, where hotpatches would not have"


def _rides(number: int) -> str:
    return "rides" if number == 1 else "ride"


def _print_off(saved: Saved, console: Console, *, verbose: bool) -> None:
    if not saved.off:
        return
    table = columns("machines", "stand", "why", "what helps", "who", right=("machines",))
    for group in saved.off if verbose else saved.off[:FIRST]:
        names = [machine.name for machine in group.machines]
        told = group.standing
        table.add_row(
            f"{len(names):,}",
            TRACKS[told.track],
            told.why,
            comes_back(told),
            some(names, len(names) if verbose else 3),
        )
    print_table(table, console)
    if not verbose and len(saved.off) > FIRST:
        line(
            f"and {count(len(saved.off) - FIRST, 'row')} more: --verbose",
            console,
            style="bright_black",
            indent=2,
        )
