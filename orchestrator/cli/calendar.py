"""`wavekeeper calendar`: what a daemon opens next, and when; what is due, and why it isn't opened yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import columns, line, print_json, print_table, when
from orchestrator.cli.place import Place, placed

if TYPE_CHECKING:
    from orchestrator.web.models import Coming


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="calendar")(placed(calendar))


def calendar(as_json: options.AsJson = False, *, place: Place) -> None:
    """Tell what comes: every campaign that a daemon follows, the one that is due next first.

    What a configuration would make of the newest commit, `wavekeeper daemon --config FILE --check` tells without a daemon.
    """
    coming = asyncio.run(_coming(place))
    if as_json:
        print_json({"campaigns": [asdict(one) for one in coming]})
    else:
        _print(coming)


async def _coming(place: Place) -> Sequence[Coming]:
    async with place.daemon() as office:
        return await office.calendar()


def _print(coming: Sequence[Coming]) -> None:
    if not coming:
        line("nothing comes: no commit counts yet, or its policies have no campaign")
        return
    table = columns("campaign", "", "next", "now")
    for one in coming:
        does = Text("acts") if one.act else Text("only observes", style="bright_black")
        table.add_row(one.campaign, does, when(one.next) if one.next else "when a person asks", _now(one))
    print_table(table, indent=0)


def _now(one: Coming) -> Text:
    """What is to be said of a moment that has come."""
    if one.due is not None:
        waits = f", and waits: {one.waits}" if one.waits else ", and about to begin"
        return Text(f"due since {when(one.due)}{waits}", style="yellow")
    if one.missed is not None:
        return Text(f"missed {when(one.missed)}: too long ago to be caught up", style="yellow")
    return Text("-", style="bright_black")
