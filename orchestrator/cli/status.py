"""`wavekeeper status`: is anything getting worse, what is out, why did it stop, and what may I do now?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.live import COLOURS
from orchestrator.cli.output import columns, out, print_json, print_table, when
from orchestrator.cli.place import Place, placed
from orchestrator.service.office import OfArchived, OfMachine, OfRollout, OfSeveral, Whereabouts, Writer
from orchestrator.service.status import Status


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="status")(placed(status))


def status(
    name: Annotated[
        str | None, typer.Argument(help="A rollout or a machine; without it, the rollout that goes on.")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Tell all that happened, a line each.")] = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Tell where a rollout stands and what may be done, or why one machine is, or isn't, moving."""
    asyncio.run(_story(name, place) if history else _status(name, place, as_json=as_json))


async def _story(name: str | None, place: Place) -> None:
    async with place.office() as office:
        for one in await office.story(name):
            out.print(str(one), markup=False)


async def _status(name: str | None, place: Place, *, as_json: bool) -> None:
    async with place.office() as office:
        told = await office.whereabouts(name)
    if as_json:
        print_json(to_json(told))
        return
    match told:
        case OfSeveral(rollouts):
            _print_several(rollouts)
        case OfArchived() | OfMachine():
            out.print("\n".join(told.lines), markup=False)
        case OfRollout(of, writer):
            print_status(of)
            if writer is not None:
                _print_writer(writer)


def to_json(told: Whereabouts) -> dict[str, Any]:
    """Plain values for programs."""
    match told:
        case OfSeveral(rollouts):
            return {"rollouts": [one.to_json() for one in rollouts]}
        case OfArchived() | OfMachine():
            return asdict(told)
        case OfRollout(of, writer):
            return {**of.to_json(), "writer": None if writer is None else writer.who}


def _print_writer(writer: Writer) -> None:
    """Who drives it."""
    out.print(
        f"\ndriven by {writer.who}, process {writer.pid} on {writer.host}, since {when(writer.since)}"
        + (f": {writer.command}" if writer.command else ""),
        markup=False,
    )


def _print_several(rollouts: Sequence[Status]) -> None:
    """All that go on, in a line or two each."""
    for one in rollouts:
        out.print(Text(f"{one.rollout}, begun by {one.who}", style="bold"))
        out.print(Text(f"  {one.headline}", style="red" if one.stopped or one.emergency else ""))
        out.print(f"  Next: {one.next}", markup=False)
    out.print(f"\nmore of one: wavekeeper status {rollouts[0].rollout}", markup=False)


def print_status(told: Status) -> None:
    """The answers for people, in the order of the questions; silent where there is nothing to say."""
    style = "bold red" if told.stopped or told.emergency else "bold"
    out.print(Text(told.headline, style=style))
    out.print(f"Next: {told.next}", markup=False)
    if told.stopped:
        out.print(Text(f"\nWhy it stopped: {told.stopped}", style="red"))
    for line in told.evidence[:10]:
        out.print(f"  {line}", markup=False)
    if len(told.evidence) > 10:
        out.print(f"  and {len(told.evidence) - 10} more: wavekeeper status {told.rollout} --json")
    if told.emergency:
        out.print(Text(f"\n{told.emergency}", style="red"))
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
    if told.held:
        out.print("\nHeld:", style="bold")
        for line in told.held:
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
