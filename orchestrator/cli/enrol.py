"""`wavekeeper enrol` and `unenrol`: settings by which nobody else patches a machine, as a rollout of its own; and the way back."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orchestrator.cli import options
from orchestrator.cli.output import columns, count, err, heading, line, out, print_json, print_table
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import print_summary, to_json
from orchestrator.cli.rollout import TimeScale, Verbose, Wanted, run
from orchestrator.cli.source import Source, live_inventory, source
from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import digest, parse
from orchestrator.planner.durations import Durations
from orchestrator.planner.enrolment import Enrolling
from orchestrator.planner.enrolment import enrol as enrolling
from orchestrator.planner.enrolment import unenrol as restoring
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.select import matcher, parse_selector_expression
from orchestrator.service.ending import ExitCode
from orchestrator.service.enrolment import Enrolled, read_back, transitions, written_by
from orchestrator.service.look import look, look_for
from orchestrator.service.start import known_rollout
from orchestrator.service.verbs import find_rollout
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.files import read_policies, write_bytes
from orchestrator.wiring.journal import look_into
from orchestrator.wiring.plans import Made, OneOff, plan_with

PlanFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Keep the plan in this file instead of running it: review it, then run it."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before it begins.")]
Some = Annotated[
    str | None,
    typer.Option(
        "--select", help="Only these machines, such as tag:app=shop,region=westeurope; else all of them."
    ),
]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command(name="enrol")(placed(enrol))
    app.command(name="unenrol")(placed(unenrol))


HAND_OVER: Final = "keep the plan with -o FILE, then hand it over: wavekeeper rollout FILE --server ..."
"""How settings are written by a daemon: as by any plan that is given to it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, of what both commands take."""

    endpoint: str | None
    policies: tuple[Path, ...]
    output: Path | None
    yes: bool
    journal: Path
    time_scale: float | None
    reason: str
    verbose: bool
    as_json: bool


def enrol(
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    select: Some = None,
    hotpatching: Annotated[
        bool,
        typer.Option(
            "--hotpatching/--no-hotpatching", help="Also turn on hotpatches where the image is eligible."
        ),
    ] = True,
    output: PlanFile = None,
    yes: Yes = False,
    time_scale: TimeScale = None,
    reason: options.Reason = "",
    verbose: Verbose = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Set machines so that Azure installs nothing by itself and whoever asks may: a rollout like any other, journaled and throttled.

    patchMode becomes AutomaticByPlatform and bypassPlatformSafetyChecksOnUserSchedule true. What stood there before is kept in the
    plan and with it in the journal, also where nothing stood; `wavekeeper unenrol` brings it back.
    """
    where = source(inventory, subscription, endpoint)
    if where.file is not None and output is None:
        raise UsageError(
            "a file tells how settings were, not how they are: give --subscription, or -o for the plan alone"
        )
    asked = _asked(
        endpoint, policies, output, place, time_scale, reason, yes=yes, verbose=verbose, as_json=as_json
    )
    if output is None and (going_on := asyncio.run(_going_on(asked.journal, undoing=""))) is not None:
        return _drive(going_on, asked, where)
    chosen = matcher(EVERYTHING if select is None else parse_selector_expression(select))
    fleet = where.read()
    found = enrolling([m for m in fleet.machines if chosen(m)], hotpatching=hotpatching)
    return _carry_out(found, fleet, asked, where)


def unenrol(
    rollout: Annotated[str, typer.Argument(help="The enrolment to take back: its id or a beginning of it.")],
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    output: PlanFile = None,
    yes: Yes = False,
    time_scale: TimeScale = None,
    reason: options.Reason = "",
    verbose: Verbose = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Bring back the settings that an enrolment found, also those that weren't there: again a rollout like any other.

    A machine whose settings somebody has changed since is left as it is, and named.
    """
    asked = _asked(
        endpoint, policies, output, place, time_scale, reason, yes=yes, verbose=verbose, as_json=as_json
    )
    done, fleet = asyncio.run(_enrolled(asked, place, rollout))
    name = done.rollout
    found = restoring(done.change, name, {machine.id: machine for machine in fleet.machines})
    where = source(None, sorted({machine.subscription for machine in fleet.machines}), endpoint)
    if output is None and (going_on := asyncio.run(_going_on(asked.journal, undoing=name))) is not None:
        return _drive(going_on, asked, where)
    return _carry_out(found, fleet, asked, where)


def _asked(
    endpoint: str | None,
    policies: list[Path] | None,
    output: Path | None,
    place: Place,
    time_scale: float | None,
    reason: str,
    *,
    yes: bool,
    verbose: bool,
    as_json: bool,
) -> Asked:
    where = place.journal if output is not None else place.file("running it from here", HAND_OVER)
    return Asked(endpoint, tuple(policies or ()), output, yes, where, time_scale, reason, verbose, as_json)


async def _enrolled(asked: Asked, place: Place, name: str) -> tuple[Enrolled, Inventory]:
    """What a rollout set, and the fleet as it is now."""
    async with place.office() as office:
        done = await office.enrolled(name)
    cloud = await open_cloud(asked.endpoint, asked.time_scale)
    try:
        return done, await live_inventory(cloud, done.subscriptions)
    finally:
        await cloud.provider.close()


def _carry_out(found: Enrolling, fleet: Inventory, asked: Asked, where: Source) -> int:
    """Show what would be set; keep it as a plan, or run it and read it back. Returns the exit code."""
    names = {machine.id: machine.name for machine in fleet.machines}
    told = err if asked.as_json else out
    if found.same:
        line(f"{count(found.same, 'machine')} {'is' if found.same == 1 else 'are'} right already", told)
    if not found.change.settings:
        for machine, why in found.cannot.items():
            line(f"{names.get(machine, name_of(machine))}: {why}", told, indent=2)
        line("nothing is to be set", told)
        return ExitCode.NOT_ALL if found.cannot else ExitCode.DONE
    _print_transitions(found.change)
    if found.change.undoes:
        for machine, why in found.cannot.items():
            line(
                f"left as it is: {names.get(machine, name_of(machine))}: {why}", err, style="yellow", indent=2
            )
    concerned = {one.machine for one in found.change.settings}
    if not found.change.undoes:
        concerned |= found.cannot.keys()
    chosen = Selector(names=tuple(sorted({names[machine] for machine in concerned if machine in names})))
    made = plan_with(fleet, read_policies(asked.policies), None, OneOff(found.change, chosen))
    if asked.output is not None:
        return _keep(made, asked.output, where, as_json=asked.as_json)
    return _run(made, asked, where)


def _print_transitions(change: Enrolment) -> None:
    table = columns("setting", "from", "to", "machines", right=("machines",))
    for one in transitions(change):
        table.add_row(one.key, one.before, one.after, f"{one.machines:,}")
    heading("To be set", err)
    print_table(table, err)
    err.print()


def _keep(made: Made, path: Path, where: Source, *, as_json: bool) -> int:
    write_bytes(path, made.text)
    if as_json:
        change = made.plan.change
        assert isinstance(change, Enrolment)
        settings: list[dict[str, Any]] = [
            {"machine": one.machine, "wanted": dict(one.wanted), "former": dict(one.former)}
            for one in change.settings
        ]
        print_json({**to_json(made), "settings": settings, "file": str(path)})
        return ExitCode.DONE
    print_summary(made, out)
    line(f"\nkept in {path}, with how every machine was. Next:")
    line(f"wavekeeper rollout {path}{where.typed_endpoint()}", indent=2)
    return ExitCode.DONE


def _run(made: Made, asked: Asked, where: Source) -> int:
    print_summary(made, err)
    if not asked.yes:
        if not sys.stdin.isatty():
            raise Refused("nobody is here to say yes: keep a plan with -o and review it, or give --yes")
        if not typer.confirm("Begin?", default=False, err=True):
            raise Refused("not begun")
    return _drive(made.text, asked, where)


async def _going_on(path: Path, *, undoing: str) -> bytes | None:
    """The plan of an enrolment, or of its undoing, that was begun and isn't over: the same command goes on with it."""
    if not await asyncio.to_thread(path.exists):
        return None
    journal = await look_into(path)
    try:
        for rollout in (await look(journal)).active():
            change = rollout.planned.plan.change
            if isinstance(change, Enrolment) and change.undoes == undoing:
                line(f"rollout {rollout.id} is not over: going on with it", err)
                return await journal.document(rollout.digest)
    finally:
        await journal.close()
    return None


def _drive(plan: bytes, asked: Asked, where: Source) -> int:
    wanted = Wanted(
        plan=plan,
        source=None,
        policies=(),
        campaign=None,
        change=None,
        select=None,
        endpoint=asked.endpoint,
        time_scale=asked.time_scale,
        journal=asked.journal,
        webhooks=None,
        reason=asked.reason,
        yes=True,
        accept_drift=False,
        durations=Durations(),
        queue=False,
        assess=None,
        calendar=None,
        verbose=asked.verbose,
        as_json=asked.as_json,
    )
    code = asyncio.run(run(wanted))
    right = asyncio.run(_check(plan, asked, where))
    return code if right or code != ExitCode.DONE else ExitCode.NOT_ALL


async def _check(file: bytes, asked: Asked, where: Source) -> bool:
    """Read the machines back that the rollout says it has set. Azure may take a setting and not keep it."""
    journal = await look_into(asked.journal)
    try:
        begun = known_rollout(await look(journal), digest(file))
        rollout = None if begun is None else find_rollout(await look_for(journal, begun.id), begun.id)
    finally:
        await journal.close()
    plan = parse(file, "the plan")
    change = plan.change
    if rollout is None or not isinstance(change, Enrolment):
        return False
    cloud = await open_cloud(asked.endpoint, asked.time_scale)
    try:
        fleet = await live_inventory(
            cloud, tuple(sorted({m.subscription for m in plan.machines if m.change}))
        )
    finally:
        await cloud.provider.close()
    written = set(written_by(rollout))
    seen = read_back([one for one in change.settings if one.machine in written], fleet)
    if seen.right:
        line(f"✓ read back: {count(seen.right, 'machine')} as wanted", err, style="green")
    for name, how in sorted(seen.differing.items()):
        line(f"✗ {name}: {how}, though Azure took it", err, style="bold red")
    if not change.undoes:
        line(
            f"to bring back what stood there before: wavekeeper unenrol {rollout.id}{where.typed_endpoint()}",
            err,
        )
    return not seen.differing
