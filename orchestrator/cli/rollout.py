"""`wavekeeper rollout`: run a plan, watched. Killing it is always safe; the same command goes on where it was."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from orchestrator.cli import options
from orchestrator.cli.durations import LearnFrom, Takes, known_durations
from orchestrator.cli.live import LiveView, stamped
from orchestrator.cli.output import err, out, print_json
from orchestrator.cli.planning import choose_change, make_plan, print_summary
from orchestrator.cli.source import Source, live_inventory, source
from orchestrator.cli.status import print_status
from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import digest, dump, parse
from orchestrator.planner.durations import Durations
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.ending import exit_code
from orchestrator.service.look import look
from orchestrator.service.narrate import is_quiet, sentence
from orchestrator.service.progress import Progress, progress
from orchestrator.service.start import known_rollout
from orchestrator.service.status import status as status_of
from orchestrator.wiring.cloud import Cloud, open_cloud
from orchestrator.wiring.files import read_bytes
from orchestrator.wiring.journal import Journal, journal_path, open_journal, whoami
from orchestrator.wiring.rollout import Running, begin, doors, read_webhooks

CTRL_C = "Ctrl-C"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    plan: Path | None
    source: Source | None
    policies: tuple[Path, ...]
    campaign: str | None
    change: str | None
    select: str | None
    endpoint: str | None
    time_scale: float | None
    journal: Path
    webhooks: Path | None
    reason: str
    yes: bool
    accept_drift: bool
    durations: Durations
    verbose: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="rollout")(rollout)


def rollout(
    plan: Annotated[
        Path | None, typer.Argument(help="A reviewed plan of `wavekeeper plan -o`; it is what runs.")
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    campaign: options.Campaign = None,
    change: Annotated[
        str | None,
        typer.Option("--change", help="A one-off under the same rules, such as restart; needs --select."),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--select", help="Which machines of the one-off, such as tag:app=shop,region=westeurope."
        ),
    ] = None,
    learn_from: LearnFrom = None,
    takes: Takes = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before it begins.")] = False,
    accept_drift: Annotated[
        bool,
        typer.Option(
            "--accept-drift", help="Run though over 5 % of the machines are gone or off since the plan."
        ),
    ] = False,
    journal: options.JournalFile = None,
    webhooks: Annotated[
        Path | None,
        typer.Option("--webhooks", help="A JSON file that says where the webhooks of policies go."),
    ] = None,
    time_scale: Annotated[
        float | None,
        typer.Option("--time-scale", help="How fast the emulator's time runs; checked against it."),
    ] = None,
    reason: options.Reason = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tell every happening, not only the telling ones.")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    """Run a plan: waves in which every rule holds, health before and after each, and a stop at the first bad sign.

    Ctrl-C asks it to pause: what has begun is carried through. A second one leaves at once. The same command goes on later.
    """
    if plan is not None and (inventory or policies or change or learn_from or takes):
        raise UsageError(
            "a reviewed plan is run as it is: leave --inventory, --policies, --change, --learn-from and --takes away"
        )
    wanted = Wanted(
        plan,
        None if plan is not None else source(inventory, subscription, endpoint),
        tuple(policies or ()),
        campaign,
        change,
        select,
        endpoint,
        time_scale,
        journal_path(journal),
        webhooks,
        reason,
        yes,
        accept_drift,
        known_durations(learn_from, takes, err),
        verbose,
        as_json,
    )
    return asyncio.run(run(wanted))


async def run(wanted: Wanted) -> int:
    """Plan if need be, ask, begin or go on, and watch. Returns the exit code."""
    targets = read_webhooks(wanted.webhooks)
    cloud = await open_cloud(wanted.endpoint, wanted.time_scale)
    async with doors(cloud, targets) as made:
        journal = await open_journal(wanted.journal)
        try:
            who = whoami()
            plan = await _plan(wanted, cloud, journal)
            subscriptions = tuple(sorted({x.subscription for x in parse(plan, "the plan").machines}))
            await journal.acquire(who, cloud.clock.now())
            known = await _is_known(journal, plan)
            live: Inventory | None = None if known else await live_inventory(cloud, subscriptions)
            running = await begin(
                journal,
                made,
                plan,
                who=who,
                reason=wanted.reason,
                live=live,
                accept_drift=wanted.accept_drift,
            )
            return await watch(running, who, verbose=wanted.verbose, as_json=wanted.as_json)
        finally:
            await journal.close()


async def _is_known(journal: Journal, plan: bytes) -> bool:
    return known_rollout(await look(journal), digest(plan)) is not None


async def _plan(wanted: Wanted, cloud: Cloud, journal: Journal) -> bytes:
    """The reviewed plan; or that of the rollout that goes on already; or a new one, shown and agreed to."""
    if wanted.plan is not None:
        return read_bytes(wanted.plan, "plan")
    going_on = (await look(journal)).active()
    if len(going_on) == 1 and wanted.campaign in (None, going_on[0].planned.plan.name):
        err.print(f"rollout {going_on[0].id} is not over: going on with it")
        return await journal.document(going_on[0].digest)
    assert wanted.source is not None
    if wanted.source.file is not None:
        inventory = wanted.source.read()
    else:
        inventory = await live_inventory(cloud, wanted.source.subscriptions)
    change = choose_change(wanted.change, wanted.select)
    planned = make_plan(inventory, wanted.policies, wanted.campaign, change, wanted.durations)
    print_summary(planned, err)
    if not wanted.yes:
        if not sys.stdin.isatty():
            raise Refused("nobody is here to say yes: give a reviewed plan, or --yes")
        if not typer.confirm("Begin?", default=False, err=True):
            raise Refused("not begun")
    return dump(planned.plan)


async def watch(running: Running, who: str, *, verbose: bool, as_json: bool, plain: bool = False) -> int:
    """Drive the rollout and show it, until it rests or is over; then the answers of `status`.

    `plain`: a line a happening, also on a terminal.
    """
    host, rollout = running.host, running.rollout
    if running.resumed and rollout.over and not rollout.in_flight:
        err.print(
            f"this plan was run already, as {rollout.id}; to run it once more, plan again", markup=False
        )
    elif running.resumed:
        err.print(
            f"going on with {rollout.id}: {rollout.status}, {rollout.cause or 'as it was'}", markup=False
        )
        if rollout.status is RolloutStatus.STOPPED or (
            rollout.status is RolloutStatus.PAUSED and rollout.cause != CTRL_C
        ):
            how = "stopped" if rollout.status is RolloutStatus.STOPPED else "paused"
            err.print(
                f"it was {how}; it starts nothing new until: wavekeeper resume {rollout.id} --reason ..."
            )
    recent: list[str] = []
    plain = plain or as_json or not out.is_terminal

    def tell(decided: object) -> None:
        facts: tuple[e.Event, ...] = decided.facts  # type: ignore[attr-defined]  # hosts' own type isn't named here
        for fact in facts:
            if verbose or not is_quiet(fact):
                line = stamped(decided.at, sentence(rollout, fact))  # type: ignore[attr-defined]  # the same
                recent.append(line)
                del recent[:-50]
                if plain:
                    (err if as_json else out).print(line, markup=False)

    host.listen(tell)

    def moment() -> Progress:
        return progress(running.scope, rollout, running.services.clock.now())

    with (
        contextlib.nullcontext()
        if plain
        else Live(LiveView(moment, recent), console=out, refresh_per_second=4, screen=False)
    ):
        async with _interruptible(running, who):
            await running.run()
    told = status_of(running.scope, rollout, running.services.clock.now())
    if as_json:
        print_json(told.to_json())
    else:
        print_status(told)
    return int(exit_code(rollout))


@contextlib.asynccontextmanager
async def _interruptible(running: Running, who: str) -> AsyncIterator[None]:
    """Ctrl-C pauses; a second one, or SIGTERM, leaves at once. Whatever was going on is in the journal."""
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()
    assert me is not None
    rollout = running.rollout
    pressed_before = False
    if running.resumed and rollout.status is RolloutStatus.PAUSED and rollout.cause == CTRL_C:
        running.host.post(m.Resume(rollout.id, who, "the same command again"))

    def pressed() -> None:
        nonlocal pressed_before
        if pressed_before:
            me.cancel()
            return
        pressed_before = True
        err.print("pausing: what has begun is carried through; Ctrl-C once more leaves at once")
        running.host.post(m.Pause(rollout.id, who, CTRL_C))

    loop.add_signal_handler(signal.SIGINT, pressed)
    loop.add_signal_handler(signal.SIGTERM, me.cancel)
    try:
        yield
    except asyncio.CancelledError:
        me.uncancel()
        err.print("left; the same command goes on from here")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
