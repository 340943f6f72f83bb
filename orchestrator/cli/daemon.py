"""`wavekeeper daemon`: the long-running service."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.output import count, line
from orchestrator.daemon.calendar import Entry
from orchestrator.daemon.check import Checked, check
from orchestrator.daemon.config import read_config
from orchestrator.daemon.serve import serve
from orchestrator.service.ending import ExitCode
from orchestrator.telemetry.logs import to_stderr


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="daemon")(daemon)


def daemon(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration, a YAML file.")],
    check_only: Annotated[
        bool,
        typer.Option(
            "--check", help="Say what would be done, and end: the commit, the calendar, what is wrong."
        ),
    ] = False,
    as_json_logs: Annotated[
        bool, typer.Option("--json", help="Log as JSON, a line an event, also to a terminal.")
    ] = False,
) -> None:
    """Follow policies in git, open rollouts when they are due, and drive them until they are over.

    A campaign is only observed until the configuration says `act: true` for it. SIGTERM leaves at once, and the next start goes on; SIGHUP
    reads the configuration once more. Steer it from any terminal: `wavekeeper status`, `pause`, `approve` and the others, with the same --journal.
    """
    to_stderr(as_json=True if as_json_logs else None)
    settings = read_config(config)
    if not check_only:
        asyncio.run(serve(settings))
        return
    found = asyncio.run(check(settings))
    _print(found)
    if found.problems:
        raise typer.Exit(code=ExitCode.INVALID_POLICY)


def _print(found: Checked) -> None:
    if found.commit:
        line(f"newest commit: {found.commit}", style="bold")
    for problem in found.problems:
        line(problem, style="red", indent=2)
    for note in found.notes:
        line(note, style="yellow", indent=2)
    if not found.problems:
        line(f"it is fit to count: {count(found.policies, 'policy', 'policies')}")
    for one in found.going_on:
        line(f"{one.rollout}: {one.stands}{f'; waits for {one.waits}' if one.waits else ''}", indent=2)
    for entry in found.calendar:
        line(f"{entry.campaign}: {'acts' if entry.act else 'only observes'}; {_when(entry)}", indent=2)


def _when(entry: Entry) -> str:
    """What is due now, what was missed, and what comes next."""
    told = []
    if entry.due is not None:
        told.append(f"due since {_moment(entry.due.at)}, and would be begun now")
    if entry.missed is not None:
        told.append(f"missed {_moment(entry.missed)}, too long ago to be caught up")
    if entry.taken_up is not None:
        told.append(f"those that its last rollout left are taken up at {_moment(entry.taken_up)}")
    told.append(f"next {_moment(entry.next)}" if entry.next else "next when a person asks")
    return "; ".join(told)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
