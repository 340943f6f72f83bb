"""`wavekeeper status`: is anything getting worse, what is out, why did it stop, and what may I do now?"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.live import COLOURS
from orchestrator.cli.output import columns, out, print_json, print_table, when
from orchestrator.clock import SystemClock
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.look import look_for, story
from orchestrator.service.status import Status, archived_status, headline, machine_status
from orchestrator.service.status import status as status_of
from orchestrator.service.verbs import archived_rollout, find
from orchestrator.wiring.journal import journal_path, look_into


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="status")(status)


def status(
    name: Annotated[
        str | None, typer.Argument(help="A rollout or a machine; without it, the rollout that goes on.")
    ] = None,
    journal: options.JournalFile = None,
    history: Annotated[bool, typer.Option("--history", help="Tell all that happened, a line each.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Tell where a rollout stands and what may be done, or why one machine is, or isn't, moving."""
    asyncio.run(_status(name, journal, history=history, as_json=as_json))


async def _status(name: str | None, path: Path | None, *, history: bool, as_json: bool) -> None:
    journal = await look_into(journal_path(path))
    try:
        scope = await look_for(journal, name)
        going_on = [rollout for rollout in scope.rollouts.values() if not rollout.over]
        if name is None and len(going_on) > 1 and not history:
            _print_several(scope, going_on, as_json=as_json)
            return
        if (ended := archived_rollout(scope, name)) is not None and not history:
            _print_archived(scope, ended, as_json=as_json)
            return
        found = find(scope, name)
        now = _now(scope, found.rollout)
        if history:
            for line in await story(journal, scope, found.rollout.id, everything=True):
                out.print(line, markup=False)
            return
        if found.machine >= 0:
            lines = machine_status(scope, found.rollout, found.machine, now)
            if as_json:
                print_json({"machine": name, "rollout": found.rollout.id, "lines": lines})
            else:
                out.print("\n".join(lines), markup=False)
            return
        told = status_of(scope, found.rollout, now)
        writer = await journal.writer()
        if as_json:
            print_json({**told.to_json(), "writer": None if writer is None else writer.who})
        else:
            print_status(told)
            if writer is not None:
                out.print(
                    f"\ndriven by {writer.who}, process {writer.pid} on {writer.host}, since {when(writer.since)}"
                    + (f": {writer.command}" if writer.command else ""),
                    markup=False,
                )
    finally:
        await journal.close()


def _print_several(scope: Scope, rollouts: list[Rollout], *, as_json: bool) -> None:
    """All that go on, in a line or two each."""
    told = {rollout.id: status_of(scope, rollout, _now(scope, rollout)) for rollout in rollouts}
    if as_json:
        print_json({"rollouts": [one.to_json() for one in told.values()]})
        return
    for rollout in rollouts:
        out.print(Text(f"{rollout.id}, begun by {rollout.who}", style="bold"))
        out.print(Text(f"  {headline(rollout)}", style="red" if told[rollout.id].stopped else ""))
        out.print(f"  Next: {told[rollout.id].next}", markup=False)
    out.print(f"\nmore of one: wavekeeper status {rollouts[0].id}", markup=False)


def _print_archived(scope: Scope, ended: Ended, *, as_json: bool) -> None:
    """How it ended, whom it left out, and where all that happened in it is."""
    lines = archived_status(scope, ended)
    if as_json:
        print_json({"rollout": ended.id, "archive": ended.archive, "lines": lines})
    else:
        out.print("\n".join(lines), markup=False)


def _now(scope: Scope, rollout: Rollout) -> datetime:
    """The present. Where emulated time runs faster, only its writer knows it: then the moment of the last fact."""
    real = SystemClock().now()
    if scope.last is None:
        return real
    return max(scope.last, real) if rollout.scale == 1 else scope.last


def print_status(told: Status) -> None:
    """The answers for people, in the order of the questions; silent where there is nothing to say."""
    style = "bold red" if told.stopped else "bold"
    out.print(Text(told.headline, style=style))
    out.print(f"Next: {told.next}", markup=False)
    if told.stopped:
        out.print(Text(f"\nWhy it stopped: {told.stopped}", style="red"))
    for line in told.evidence[:10]:
        out.print(f"  {line}", markup=False)
    if len(told.evidence) > 10:
        out.print(f"  and {len(told.evidence) - 10} more: wavekeeper status {told.rollout} --json")
    _print_updates(told)
    if told.out:
        out.print(f"\nOut now ({len(told.out)}):", style="bold")
        print_table(_machines(told))
    if told.steps:
        out.print("\nSteps around:", style="bold")
        for line in told.steps[:8]:
            out.print(f"  {line}", markup=False)
    if told.untold:
        out.print("\nNot told:", style="bold")
        for line in told.untold:
            out.print(f"  {line}", markup=False)
    if told.full:
        out.print("\nNo room left in:", style="bold")
        for wait in told.full[:8]:
            out.print(f"  {wait.who}: {wait.reason}, held by {', '.join(wait.holders[:5])}", markup=False)
    waiting = [x for x in told.progress.waiting if x.holders or x.until or not told.stopped]
    if waiting:
        out.print("\nWaiting:", style="bold")
        for wait in waiting[:8]:
            held = f" ({', '.join(wait.holders[:5])})" if wait.holders else ""
            until = f", until {when(wait.until)} at most" if wait.until else ""
            out.print(f"  {wait.who}: {wait.reason}{held}{until}", markup=False)
    if len(told.plan) > 1:
        out.print(f"\nThe plan, {told.plan[0]}:", style="bold")
        for line in told.plan[-5:] if len(told.plan) > 6 else told.plan[1:]:
            out.print(f"  {line}", markup=False)
    if told.options:
        out.print("\nYou may now:", style="bold")
        table = Table.grid(padding=(0, 2, 0, 0))
        for option in told.options:
            table.add_row(option.command, Text(option.effect, style="bright_black"))
        print_table(table)
    why = f" ({told.reason})" if told.reason else ""
    of = f" of commit {told.commit[:10]}" if told.commit else ""
    out.print(
        f"\nStarted by {told.who}{why}; rollout {told.rollout}, plan {told.digest[:12]}{of}, {told.plan[0]}",
        markup=False,
    )


def _print_updates(told: Status) -> None:
    """What to do about machines that did not take their change, and which updates are the cause."""
    if told.advice:
        out.print("\nWhat to do:", style="bold")
        for line in told.advice[:8]:
            out.print(f"  {line}", markup=False)
    if told.blocked:
        out.print("\nKept out of every campaign:", style="bold")
        for line in told.blocked:
            out.print(f"  {line}", markup=False)
    if troubled := [update for update in told.updates if update.failed or update.pending]:
        out.print("\nUpdates that are not in everywhere:", style="bold")
        for update in troubled[:8]:
            out.print(f"  {update}", markup=False)


def _machines(told: Status) -> Table:
    machines = told.out
    table = columns("machine", "whose", "since", "state", "detail")
    for row in machines[:15]:
        whose = "this rollout's" if row.rollout == told.rollout else row.rollout or "nobody's"
        state = Text(row.state.replace("_", " "), style=COLOURS.get(row.state, "yellow"))
        table.add_row(row.name, whose, when(row.since), state, row.detail)
    if len(machines) > 15:
        table.add_row(f"and {len(machines) - 15} more", "", "", "", "")
    return table
