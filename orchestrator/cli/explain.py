"""`wavekeeper explain`: why is a machine in its wave, and why does a lane take so many?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.durations import print_expected
from orchestrator.cli.lanes import in_all, lanes_to_json, print_lanes
from orchestrator.cli.loosening import loosenings_to_json, print_loosenings
from orchestrator.cli.output import bullets, count, line, out, print_json
from orchestrator.errors import UsageError
from orchestrator.planner.expected import expected
from orchestrator.planner.explain import explain as explained
from orchestrator.planner.model import Plan
from orchestrator.planner.summary import summarize
from orchestrator.policy import words
from orchestrator.wiring.files import read_plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="explain")(explain)


def explain(
    plan: Annotated[Path, typer.Option("--plan", help="A plan of `wavekeeper plan -o`.")],
    machine: Annotated[
        str | None,
        typer.Argument(
            help="Its name, or its id where the name is not unique. Without it, all lanes and their bounds."
        ),
    ] = None,
    loosen: Annotated[
        bool,
        typer.Option(
            "--loosen", help="Which rules make the plan as long as it is, and what loosening them saves."
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Say in which wave a machine is and what kept it out of each earlier one, or why it is left out.

    Without a machine: every lane, the fewest waves that any plan of it could have, and why.
    """
    if loosen and machine is not None:
        raise UsageError(f"--loosen is about the plan as a whole: leave {machine} away, or --loosen")
    held = read_plan(plan)
    if loosen:
        _loosen(held, as_json=as_json)
        return
    if machine is None:
        _all(held, as_json=as_json)
        return
    told = explained(held, machine)
    if as_json:
        print_json(told.to_json())
        return
    first, *others = told.lines()
    line(first, style="bold")
    bullets(other.strip() for other in others)


def _loosen(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(loosenings_to_json(plan))
    else:
        print_loosenings(plan)


def _all(plan: Plan, *, as_json: bool) -> None:
    told = summarize(plan)
    if as_json:
        print_json(
            {
                **told.to_json(),
                "change": words.change(plan.change),
                "durations": [one.to_json() for one in expected(plan)],
                "lanes_in_detail": lanes_to_json(plan),
            }
        )
        return
    out.print(Text.assemble(("Plan ", "bold"), (plan.name, "bold"), f": {words.change(plan.change)}"))
    longest = f"{count(told.longest, 'wave')} one after another at most"
    line(
        f"{count(told.machines, 'machine')} in {count(told.waves, 'wave')}, {in_all(plan)}, {longest}",
        indent=2,
    )
    print_expected(plan, out)
    print_lanes(plan)
