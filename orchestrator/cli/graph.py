"""`wavekeeper graph`: the topology as a picture, or as GraphML for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from orchestrator.cli import options
from orchestrator.cli.output import count, err, line, out, print_json
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import Plan
from orchestrator.topology.graph import Topology, build
from orchestrator.wiring.files import read_plan, write_bytes

Form = Literal["svg", "png", "graphml"]

FORMS: Final[Mapping[str, Form]] = {".svg": "svg", ".png": "png", ".graphml": "graphml"}
"""A file's ending, and what is written."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="graph")(graph)


def graph(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to: a file that ends in .svg, .png or .graphml.")
    ],
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Colour machines by their wave in this plan, not by state.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What stands above the picture.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Draw the fleet: regions beside their pairs, zones and sets inside, and a square for each machine.

    Coloured by power and health, or with --plan by wave, from the first to the last.
    """
    form = _form(output)
    if form == "graphml" and plan is not None:
        raise UsageError("GraphML holds facts and no colours: leave --plan away, or draw an .svg or a .png")
    coloured = None if plan is None else read_plan(plan)
    waves = None if coloured is None else waves_of(coloured)
    title = title or (f"Plan {coloured.name}, by wave" if coloured is not None else "")
    topology = build(source(inventory, subscription, endpoint).read())
    write_bytes(output, _drawn(topology, form, waves, title))
    if waves is not None and not any(machine in topology for machine in waves):
        line(f"{plan} changes none of these machines: is it the plan of this fleet?", err, style="yellow")
    if as_json:
        print_json({"file": str(output), "form": form, "machines": len(topology)})
    else:
        line(f"{count(len(topology), 'machine')} drawn in {output}", out)


def _form(output: Path) -> Form:
    form = FORMS.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"{output}: a drawing is known by its ending; name a file that ends in .svg, .png or .graphml"
        )
    return form


def _drawn(topology: Topology, form: Form, waves: Mapping[MachineId, str] | None, title: str) -> bytes:
    from orchestrator.reports.topology import draw, to_graphml  # matplotlib takes a second to import

    if form == "graphml":
        return to_graphml(topology)
    return draw(topology, form=form, colour="state" if waves is None else "wave", waves=waves, title=title)


def waves_of(plan: Plan) -> Mapping[MachineId, str]:
    """Each machine's wave as a drawing calls it, in the order in which waves can begin at the earliest.

    Lanes run side by side, so the waves of a stage are counted along the path that leads to each: `canary 1`, `broad 3`.
    """
    ends: dict[str, int] = {}
    placed: list[tuple[int, int, MachineId, str]] = []
    stages = {stage.name: place for place, stage in enumerate(plan.stages)}
    for lane in plan.lanes:  # each comes after those that it waits for
        begin = max((ends[other] for other in lane.after), default=0)
        ends[lane.id] = begin + len(lane.waves)
        for place, wave in enumerate(lane.waves, start=begin + 1):
            name = f"{lane.stage} {place}"
            placed += [(stages[lane.stage], place, machine, name) for machine in wave.machines]
    return {machine: name for _, _, machine, name in sorted(placed)}
