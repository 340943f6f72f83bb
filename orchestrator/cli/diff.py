"""`wavekeeper diff`: what does a new plan do otherwise than an old one?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, columns, heading, line, out, print_json, print_table
from orchestrator.errors import UsageError
from orchestrator.planner.diff import diff as compared
from orchestrator.planner.diff_model import PlanDiff
from orchestrator.planner.diff_words import figures, headline, made_of, sections
from orchestrator.reports.diff_markdown import markdown as as_markdown
from orchestrator.wiring.files import read_plan

SHOWN: Final = 12
"""Sentences told of a section; all of them with --verbose."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="diff")(diff)


def diff(
    old: Annotated[Path, typer.Argument(help="A plan of `wavekeeper plan -o`.")],
    new: Annotated[Path, typer.Argument(help="The plan to take its place.")],
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print Markdown for a pull request, short enough for a comment."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All that changed, not the first of it.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Say what a new plan does otherwise: who is changed, when, under which constraints, and how long it takes.

    The exit code is 0 whether the plans differ or not; --json says it as `differ`.
    """
    if markdown and as_json:
        raise UsageError("Markdown or JSON: leave one of --markdown and --json away")
    told = compared(read_plan(old), read_plan(new))
    if as_json:
        print_json(told.to_json())
    elif markdown:
        sys.stdout.write(as_markdown(told))
    else:
        _print(told, f"{old} -> {new}", verbose=verbose)


def _print(told: PlanDiff, title: str, *, verbose: bool) -> None:
    line(title, style="bold")
    line(f"{headline(told)} {made_of(told)}", indent=2)
    if not told.differ:
        return
    _print_figures(told)
    for section in sections(told):
        heading(section.title)
        shown = section.sentences if verbose else section.sentences[:SHOWN]
        bullets("".join(sentence) for sentence in shown)
        more = len(section.sentences) - len(shown)
        if more:
            line(f"and {more:,} more: --verbose", style="bright_black", indent=2)


def _print_figures(told: PlanDiff) -> None:
    table = columns("", "before", "after", "", right=("before", "after"))
    for figure in figures(told):
        if figure.was is not None and figure.was == figure.now and len(figure.what) > 1:
            continue  # a stage's, and the same
        change = "" if figure.was == figure.now else f"{(figure.now or 0) - (figure.was or 0):+,}"
        table.add_row("".join(figure.what), _number(figure.was), _number(figure.now), change)
    out.print()
    print_table(table)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
