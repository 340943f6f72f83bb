"""`wavekeeper gantt`: a plan as a chart of lanes and waves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from orchestrator.cli import options
from orchestrator.cli.output import count, err, line, out, print_json
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.forecast import Forecast, forecast
from orchestrator.planner.model import Plan
from orchestrator.wiring.files import read_plan, write_bytes

Form = Literal["svg", "png", "html"]

FORMS: Final[Mapping[str, Form]] = {".svg": "svg", ".png": "png", ".html": "html"}
"""A file's ending, and what is written."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="gantt")(gantt)


def gantt(
    plan: Annotated[Path, typer.Argument(help="A plan of `wavekeeper plan -o`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to: a file that ends in .svg, .png or .html.")
    ],
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Draw hours instead of waves, as forecast if it begins then, such as 2026-12-11T20:00+01:00.",
        ),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    title: Annotated[str, typer.Option("--title", help="What stands above the picture.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Draw a plan: stages one after another, lanes at the earliest that they can begin, a bar for each wave.

    Bars are coloured by how many machines go at once, or with an inventory divided by their power and health. A page (.html)
    also says of every lane why it takes as many waves as it does. Large plans fold lanes together, those of a place with each other.
    """
    form = FORMS.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"{output}: a drawing is known by its ending; name a file that ends in .svg, .png or .html"
        )
    begins = None if start is None else moment(start)
    held = read_plan(plan)
    fleet = (
        source(inventory, subscription, endpoint).read() if inventory is not None or subscription else None
    )
    expected = None if begins is None else forecast(held, held.durations, begins)
    write_bytes(output, _drawn(held, form, expected, fleet, title))
    if as_json:
        print_json({"file": str(output), "form": form, "lanes": len(held.lanes)})
    else:
        line(f"{count(len(held.lanes), 'lane')} drawn in {output}", out)


def moment(text: str) -> datetime:
    """What `--start` says. Raises `UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text} is no moment; write it like 2026-12-11T20:00+01:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _drawn(plan: Plan, form: Form, expected: Forecast | None, fleet: Inventory | None, title: str) -> bytes:
    from orchestrator.reports.gantt import draw  # matplotlib takes a second to import
    from orchestrator.reports.topology_colours import looks_by_state

    looks = None if fleet is None else looks_by_state(fleet.machines)
    if looks is not None and not any(machine.id in looks for machine in plan.machines if machine.change):
        line("the plan changes none of these machines: is it the plan of this fleet?", err, style="yellow")
    return draw(plan, form, forecast=expected, looks=looks, title=title)
