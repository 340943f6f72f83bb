"""What the first stages of a plan try of the fleet, for the person who decides whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from orchestrator.cli.output import bullets, columns, heading, print_table
from orchestrator.planner import coverage
from orchestrator.planner.configurations import in_words
from orchestrator.planner.coverage import Coverage

COVERED: Final = 5
"""Untried configurations, and untried values, that are told of a stage; all of them with --verbose."""


def print_coverage(coverages: Sequence[Coverage], console: Console, *, verbose: bool) -> None:
    """What each stage tries of the fleet, and of which configurations machines come later that nobody has tried."""
    if not coverages:
        return
    heading("Tried before others come", console)
    for covered in coverages:
        named = len(covered.untried) if verbose else COVERED
        told = (coverage.verdict(covered), coverage.no_machine_with(covered, named))
        bullets(filter(None, told), console)
        if covered.untried:
            table = columns("machines", "untried", right=("machines",))
            for one, machines in covered.untried[:named]:
                table.add_row(f"{machines:,}", in_words(one))
            if len(covered.untried) > named:
                rest = covered.untried[named:]
                table.add_row(
                    f"{sum(machines for _, machines in rest):,}", f"of {len(rest):,} others (--verbose)"
                )
            print_table(table, console)
