"""`wavekeeper plan`: waves in which every rule holds, as a file to review and then to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.assessing import (
    Assess,
    OlderThan,
    assess_source,
    limit_of,
    tell_prepared,
    wanted_of,
)
from orchestrator.cli.blocking import blocks_of
from orchestrator.cli.dropped import print_dropped
from orchestrator.cli.durations import LearnFrom, Takes, known_durations
from orchestrator.cli.holding import holds_of
from orchestrator.cli.hurrying import Emergency, emergency_reason, tell_emergency
from orchestrator.cli.lanes import lanes_to_json, print_lanes
from orchestrator.cli.output import err, heading, line, out, print_json
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import choose_change, print_summary, read_wanted, to_json
from orchestrator.cli.source import Source, source
from orchestrator.clock import SystemClock
from orchestrator.rollout.emergency import overridden
from orchestrator.wiring.files import read_hotpatch_calendar, write_bytes
from orchestrator.wiring.plans import Made, plan_with


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="plan")(placed(plan))


def plan(
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Keep the plan in this file: review it, check it, run it."),
    ] = None,
    campaign: options.Campaign = None,
    change: options.Change = None,
    select: options.Select = None,
    learn_from: LearnFrom = None,
    takes: Takes = None,
    assess: Assess = False,
    older: OlderThan = None,
    hotpatch_calendar: options.HotpatchCalendar = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Also every lane with its bound, every warning, and rules that say nothing.",
        ),
    ] = False,
    emergency: Emergency = None,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Plan a campaign, or a one-off under the same rules: who is changed, in which waves, who is left out and why.

    The same inventory, policies, durations and calendar give the same file, byte for byte. It is judged before it is written. Nothing is asked
    of any machine unless --assess says so.
    """
    hurry = emergency_reason(emergency)
    wanted, limit = choose_change(change, select), limit_of(assess, older)
    read = read_wanted(tuple(policies or ()), campaign, wanted)
    where = source(inventory, subscription, endpoint)
    durations = known_durations(learn_from, takes, err if as_json else out)
    if limit is not None:
        prepared = assess_source(where, wanted_of(read, campaign, wanted), limit)
        tell_prepared(prepared)
        fleet = prepared.inventory
    else:
        fleet = where.read()
    made = plan_with(fleet, read, campaign, wanted, durations, read_hotpatch_calendar(hotpatch_calendar))
    if output is not None:
        write_bytes(output, made.text)
    begins = fleet.taken_at if where.file is None else None  # by the cloud's own clock
    kept_out, held = blocks_of(made.plan, place), holds_of(made.plan, fleet, place)
    if as_json:
        more = {"blocked": kept_out, "held": held, "file": None if output is None else str(output)}
        lanes = {"lanes_in_detail": lanes_to_json(made.plan)} if verbose else {}
        shortened = overridden(made.plan, begins or SystemClock().now()) if hurry else ()
        print_json({**to_json(made, begins), **lanes, **more, "emergency": shortened})
    else:
        print_summary(made, out, verbose=verbose, begins=begins)
        for kept in (*kept_out, *held):
            line(kept, out, style="yellow")
        if verbose:
            _print_details(made)
        if hurry:
            tell_emergency(made.plan, hurry, begins or SystemClock().now(), out)
    _tell_what_is_next(output, where, quiet=as_json)


def _print_details(made: Made) -> None:
    heading(f"Lanes: {len(made.plan.lanes):,}")
    print_lanes(made.plan)
    print_dropped(made.dropped, out)


def _tell_what_is_next(output: Path | None, where: Source, *, quiet: bool) -> None:
    console = err if quiet else out
    if output is None:
        line("\nnot kept; with -o plan.json it can be reviewed and run", console)
        return
    line(f"\nkept in {output}. Next:", console)
    line(f"wavekeeper check {output} {where.typed()}", console, indent=2)
    line(f"wavekeeper explain MACHINE --plan {output}", console, indent=2)
    line(f"wavekeeper rollout {output}{where.typed_endpoint()}", console, indent=2)
