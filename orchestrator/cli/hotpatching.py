"""What hotpatching does for a plan, for people: what the month is, restarts saved, who is off the track and what brings them back."""

from __future__ import annotations

from typing import Final

from rich.console import Console

from orchestrator.cli.output import columns, count, heading, line, print_table, some
from orchestrator.hotpatch.words import TRACKS, comes_back
from orchestrator.planner.model import Plan
from orchestrator.planner.restart_words import product_month, what_is_saved
from orchestrator.planner.saved import Saved

FIRST: Final = 5
"""Rows told of machines off the track; all of them with --verbose."""


def print_hotpatching(plan: Plan, saved: Saved | None, console: Console, *, verbose: bool) -> None:
    """Nothing where hotpatching has nothing to do with the plan."""
    if saved is None:
        return
    heading(f"Hotpatching in {saved.hotpatching.month.named}", console)
    for product in saved.hotpatching.products:
        line(product_month(product), console, indent=2)
    for sentence in what_is_saved(plan, saved):
        line(sentence, console, indent=2)
    _print_off(saved, console, verbose=verbose)


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
