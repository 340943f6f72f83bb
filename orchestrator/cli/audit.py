"""`wavekeeper audit`: last month's patching, whoever did it, put before your rules. With read rights alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.estate import fleet_of
from orchestrator.cli.output import (
    bullets,
    columns,
    count,
    heading,
    line,
    print_json,
    print_table,
    when,
)
from orchestrator.cli.source import history_of
from orchestrator.errors import UsageError
from orchestrator.inventory.read import read_rows
from orchestrator.inventory.runs import RunsRead, runs_from_rows
from orchestrator.reports.history_markdown import markdown
from orchestrator.reports.history_model import APPROXIMATE, Finding, History, sentence
from orchestrator.service.audit import audit as judged
from orchestrator.service.ending import ExitCode
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor, read_bytes, read_policies, write_bytes

SHOWN: Final = 10
"""Findings told; all of them with --verbose."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="audit")(audit)


def audit(
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    all_subscriptions: options.EverySubscription = False,
    installations: Annotated[
        Path | None,
        typer.Option(
            "--installations",
            help="Rows of `az graph query -q patchinstallationresources`, instead of asking Azure for them.",
        ),
    ] = None,
    last: Annotated[
        str, typer.Option("--last", help="How far back: 30d at most is what Azure keeps; also 48h, 2w.")
    ] = "30d",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file, as Markdown.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every finding, with every machine.")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    """Say which of your rules were broken by patching in the last month, when, and by which schedule.

    Azure's own history is put before the policies and the built-in rules, whoever began the runs: schedules, Azure by itself, people.
    Nothing is changed, and reading is all it takes. Approximate, and it says so. The exit code is 0 if no rule was broken, else 3.
    """
    reach = options.length_of(last, "--last")
    rules = read_policies(tuple(policies or ()))
    fleet = fleet_of(inventory, subscription, endpoint, every=all_subscriptions, updates=False)
    if installations is None:
        read, until = asyncio.run(history_of(fleet, endpoint))
    else:
        read, until = _from_file(installations)
    history = judged(build(fleet), rules, floor(), read, until - reach, until)
    if output is not None:
        write_bytes(output, markdown(history).encode())
    if as_json:
        print_json(history.to_json())
    else:
        _print(history, verbose=verbose)
        if output is not None:
            line(f"\nkept in {output}")
    return ExitCode.DONE if history.ok else ExitCode.REFUSED


def _from_file(path: Path) -> tuple[RunsRead, datetime]:
    """The runs of a file, and the time by which it was made: the last that it tells of, unless it says so itself."""
    rows, taken_at = read_rows(read_bytes(path, "history"), str(path))
    read = runs_from_rows(rows)
    latest = max((run.ended or run.began for run in read.runs), default=None)
    if latest is None:
        raise UsageError(
            f"{path} holds no patch run; ask for them with: az graph query --first 1000 "
            "-q \"patchinstallationresources | where type endswith 'patchinstallationresults'\" -o json"
        )
    return read, taken_at or latest


# For people -----------------------------------------------------------------------------------------------------


def _print(history: History, *, verbose: bool) -> None:
    title = f"{count(history.runs, 'patch run')} on {history.machines:,} of {count(history.fleet, 'machine')}"
    line(f"{title}, {when(history.since)} to {when(history.until)}", style="bold")
    table = columns("", "")
    table.show_header = False
    for name, counts in (
        ("began by", history.by),
        ("restarted", history.restarts),
        ("status", history.statuses),
    ):
        table.add_row(Text(name, style="bright_black"), _told(counts))
    print_table(table)
    if history.ok:
        line(f"\n✓ no rule was broken: {_told(history.rules, after=True)} held", style="green")
    else:
        heading(f"Rules were broken {history_times(history)}")
        shown = history.findings if verbose else history.findings[:SHOWN]
        for finding in shown:
            _print_finding(finding, verbose=verbose)
        if len(shown) < len(history.findings):
            line(
                f"and {len(history.findings) - len(shown):,} more: --verbose", style="bright_black", indent=2
            )
    if history.notes:
        heading("Judged with care")
        bullets(history.notes)
    line(f"\n{APPROXIMATE}", style="bright_black")


def history_times(history: History) -> str:
    """`once`, `12 times, of which 3 aren't sure`."""
    times = len(history.findings)
    unsure = sum(not finding.sure for finding in history.findings)
    told = "once" if times == 1 else f"{times:,} times"
    if not unsure:
        return told
    return f"{told}, {'which' if times == 1 else f'of which {unsure:,}'} may rest on restarts that nobody saw"


def _print_finding(finding: Finding, *, verbose: bool) -> None:
    sure = finding.sure
    line(
        f"{'✗' if sure else '?'} {finding.rule} ({finding.origin})",
        style="bold red" if sure else "yellow",
        indent=2,
    )
    said = sentence(finding, len(finding.machines) if verbose else 3)
    line(f"{when(finding.begin)} to {when(finding.end)}, by {', '.join(finding.by)}", indent=4)
    line(said, indent=4)


def _told(counts: Mapping[str, int], *, after: bool = False) -> str:
    pairs = ((f"{n:,} {name}" if after else f"{name} {n:,}") for name, n in counts.items() if n)
    return ", ".join(pairs) or "none"
