"""`wavekeeper compliance`: who is patched, who is exposed since when, who misses the deadline and why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
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
    json_bytes,
    line,
    print_json,
    print_table,
    when,
)
from orchestrator.cli.place import Place, placed
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.reports.compliance_model import Compliance, MonthOf, Standing, State
from orchestrator.reports.compliance_page import as_csv, page
from orchestrator.service.compliance import Past
from orchestrator.service.compliance import compliance as stands
from orchestrator.service.ending import ExitCode
from orchestrator.wiring.files import read_policies, write_bytes

SHOWN: Final = 12
"""Machines told; all of them with --all."""

_STYLES: Final = {
    State.OVERDUE: "bold red",
    State.EXPOSED: "yellow",
    State.UNKNOWN: "bright_black",
    State.CURRENT: "green",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="compliance")(placed(compliance))


def compliance(
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    all_subscriptions: options.EverySubscription = False,
    policies: options.Policies = None,
    deadline: Annotated[
        str, typer.Option("--deadline", help="Within which an update is to be installed once it is out.")
    ] = "30d",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file: .html, .csv or .json.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Every machine that isn't current.")
    ] = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Say how the fleet stands with critical and security updates, machine by machine and month over month.

    By what assessments found, and by the journal, which knows what rollouts made of each machine. With --policies also who is
    selected by no campaign. The exit code is 0 if nobody has missed the deadline, else 7.
    """
    within = options.length_of(deadline, "--deadline")
    if output is not None and output.suffix not in {".html", ".csv", ".json"}:
        raise UsageError(f"{output}: name a file that ends in .html, .csv or .json")
    fleet = fleet_of(inventory, subscription, endpoint, every=all_subscriptions, updates=True)
    rules = read_policies(tuple(policies or ()))
    now = fleet.taken_at or SystemClock().now()
    past = asyncio.run(_past(place, now, within))
    told = stands(fleet, past, rules, now, within)
    if output is not None:
        write_bytes(output, _written(told, output.suffix))
    if as_json:
        print_json(told.to_json())
    else:
        _print(told, everything=everything)
        if output is not None:
            line(f"\nkept in {output}")
    return ExitCode.DONE if told.ok else ExitCode.NOT_ALL


async def _past(place: Place, now: datetime, deadline: timedelta) -> Past:
    async with place.office() as office:
        return await office.past(now, deadline)


def _written(told: Compliance, suffix: str) -> bytes:
    match suffix:
        case ".html":
            return page(told).encode()
        case ".csv":
            return as_csv(told).encode()
        case _:
            return json_bytes(told.to_json())


# For people -----------------------------------------------------------------------------------------------------


def _print(told: Compliance, *, everything: bool) -> None:
    line(
        f"{count(len(told.machines), 'machine')} at {when(told.at)}; newest updates: {told.month}, out since {told.released:%Y-%m-%d}",
        style="bold",
    )
    table = columns("", "machines", right=("machines",))
    table.show_header = False
    for state, number in told.counts.items():
        table.add_row(Text(state.value, style=_STYLES[state]), f"{number:,}")
    print_table(table)
    if told.reasons:
        reasons = ", ".join(f"{why.value} {number:,}" for why, number in told.reasons.items())
        line(f"what keeps the others: {reasons}", indent=2)
    _print_machines([one for one in told.machines if one.state is not State.CURRENT], everything=everything)
    _print_months(told.months)
    if told.notes:
        heading("With care")
        bullets(told.notes)


def _print_machines(machines: Sequence[Standing], *, everything: bool) -> None:
    if not machines:
        return
    heading("Not current, the most urgent first")
    table = columns(
        "machine", "state", "exposed since", "deadline", "lacks", "level", "why", right=("lacks",)
    )
    shown = machines if everything else machines[:SHOWN]
    for one in shown:
        table.add_row(
            one.name,
            Text(one.state.value, style=_STYLES[one.state]),
            f"{_day(one.since)}{' ~' if one.estimated else ''}",
            _day(one.deadline),
            "-" if one.outstanding is None else f"{one.outstanding:,}",
            one.level or "-",
            ": ".join(filter(None, (one.why.value if one.why else "", one.reason))),
        )
    print_table(table)
    if len(shown) < len(machines):
        line(
            f"and {count(len(machines) - len(shown), 'machine')} more: --all", style="bright_black", indent=2
        )


def _print_months(months: Sequence[MonthOf]) -> None:
    if not months:
        return
    heading("Month over month")
    figures = ("rollouts", "machines", "done", "in time", "failed", "left out", "half after", "last after")
    table = columns("month", *figures, right=figures)
    for one in months:
        counted = (one.rollouts, one.machines, one.done, one.in_time, one.failed, one.left_out)
        table.add_row(one.month, *(f"{n:,}" for n in counted), _days(one.half_days), _days(one.last_days))
    print_table(table)


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d}"


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:g} d"
