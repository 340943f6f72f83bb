"""`wavekeeper rollout`: run a plan, watched. Killing it is always safe; the same command goes on where it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.assessing import (
    Assess,
    OlderThan,
    assess_first,
    limit_of,
    tell_prepared,
    wanted_of,
)
from orchestrator.cli.durations import LearnFrom, Takes, known_durations
from orchestrator.cli.handing_over import HandingOver, hand_over
from orchestrator.cli.hurrying import Emergency, ask, emergency_reason, tell_emergency
from orchestrator.cli.output import err
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import choose_change, print_summary, read_wanted
from orchestrator.cli.source import Source, live_inventory, source
from orchestrator.cli.watching import follow, watch
from orchestrator.errors import Busy, Refused, UsageError
from orchestrator.hotpatch.calendar import Calendar
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import digest, dump
from orchestrator.planner.durations import Durations
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.service.follow import Follower
from orchestrator.service.holds import held_lines, holds, what_holds_mean_for
from orchestrator.service.look import look
from orchestrator.service.start import known_rollout
from orchestrator.wiring.cloud import Cloud, open_cloud
from orchestrator.wiring.files import read_bytes, read_hotpatch_calendar, refuse_changed_scripts
from orchestrator.wiring.journal import Journal, become_writer, open_journal, whoami
from orchestrator.wiring.plans import plan_with
from orchestrator.wiring.rollout import (
    ReadPlan,
    Services,
    begin,
    doors,
    going_on,
    prepare,
    read_plan,
    read_webhooks,
    start_command,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    plan: Path | bytes | None  # a file, or what is in one
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
    assess: timedelta | None  # have machines assess first whose last assessment is older
    calendar: Calendar | None
    queue: bool
    verbose: bool
    as_json: bool
    emergency: str = ""  # why the rollout waits for less; empty: it doesn't


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="rollout")(placed(rollout))


Queue = Annotated[
    bool,
    typer.Option(
        "--queue",
        help="Wait where another rollout has machines of this plan, and begin when it has ended.",
    ),
]
AcceptDrift = Annotated[
    bool,
    typer.Option(
        "--accept-drift", help="Run though over 5 % of the machines are gone or off since the plan."
    ),
]
WebhooksFile = Annotated[
    Path | None,
    typer.Option("--webhooks", help="A JSON file that says where the webhooks of policies go."),
]
TimeScale = Annotated[
    float | None,
    typer.Option("--time-scale", help="How fast the emulator's time runs; checked against it."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell every happening, not only the telling ones.")
]


def rollout(
    plan: Annotated[
        Path | None, typer.Argument(help="A reviewed plan of `wavekeeper plan -o`; it is what runs.")
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    campaign: options.Campaign = None,
    change: options.Change = None,
    select: options.Select = None,
    learn_from: LearnFrom = None,
    takes: Takes = None,
    assess: Assess = False,
    older: OlderThan = None,
    hotpatch_calendar: options.HotpatchCalendar = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before it begins.")] = False,
    accept_drift: AcceptDrift = False,
    queue: Queue = False,
    emergency: Emergency = None,
    webhooks: WebhooksFile = None,
    time_scale: TimeScale = None,
    reason: options.Reason = "",
    verbose: Verbose = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Run a plan: waves in which every rule holds, health before and after each, and a stop at the first bad sign.

    Ctrl-C asks it to pause: what has begun is carried through. A second one leaves at once. The same command goes on later.
    Where another process writes the journal already, or with --server, that process is asked to take the plan on, and is followed here.
    """
    if plan is not None and (inventory or policies or change or learn_from or takes or assess):
        raise UsageError(
            "a reviewed plan is run as it is: leave --inventory, --policies, --change, --learn-from, --takes and --assess away"
        )
    if place.remote is not None:
        theirs = {"--endpoint": endpoint, "--webhooks": webhooks, "--time-scale": time_scale}
        theirs |= {"--accept-drift": accept_drift or None}
        named = tuple(name for name, value in theirs.items() if value is not None)
        hurry = emergency_reason(emergency)
        order = HandingOver(plan, reason, queue, verbose, as_json, named, hurry, yes)
        return asyncio.run(hand_over(order, place))
    wanted = Wanted(
        plan,
        None if plan is not None else source(inventory, subscription, endpoint),
        tuple(policies or ()),
        campaign,
        change,
        select,
        endpoint,
        time_scale,
        place.journal,
        webhooks,
        reason,
        yes,
        accept_drift,
        known_durations(learn_from, takes, err),
        limit_of(assess, older),
        None if plan is not None else read_hotpatch_calendar(hotpatch_calendar),
        queue,
        verbose,
        as_json,
        emergency_reason(emergency),
    )
    return asyncio.run(run(wanted))


async def run(wanted: Wanted) -> int:
    """Plan if need be, ask, begin or go on, and watch. Returns the exit code."""
    targets = read_webhooks(wanted.webhooks)
    cloud = await open_cloud(wanted.endpoint, wanted.time_scale)
    async with doors(cloud, targets) as made:
        journal = await open_journal(wanted.journal)
        try:
            plan = await _plan(wanted, cloud, made, journal)
            if wanted.emergency:
                await _hurry(wanted, cloud, journal, plan)
            return await _Run(wanted, cloud, made, journal, whoami(), plan).until_it_rests()
        finally:
            await journal.close()


async def _hurry(wanted: Wanted, cloud: Cloud, journal: Journal, plan: bytes) -> None:
    """Name what the emergency shortens, and ask. Of a rollout that goes on, it is declared by a command of its own."""
    known = known_rollout(await look(journal), digest(plan))
    if isinstance(known, Rollout) and not known.over:
        if known.emergency is None:
            raise Refused(
                f"rollout {known.id} goes on already; say it of that: wavekeeper emergency {known.id} --reason ..."
            )
        return
    tell_emergency(read_plan(plan).planned.plan, wanted.emergency, cloud.clock.now(), err)
    ask("Begin, in this emergency?", yes=wanted.yes)


@dataclass(frozen=True, slots=True)
class _Run:
    """One plan on its way: driven here, or by the process that writes the journal already."""

    wanted: Wanted
    cloud: Cloud
    made: Services
    journal: Journal
    who: str
    plan: bytes
    _kept: list[ReadPlan] = field(default_factory=list)

    async def until_it_rests(self) -> int:
        """Drive it, or have it driven and follow; take over when whoever drives it ends. Returns the exit code."""
        follower = Follower(self.journal)
        while True:
            await follower.read()
            try:
                if await become_writer(self.journal, self.who, self.cloud.clock.now()):
                    return await self._drive(follower.scope)
                code = await self._follow(follower)
            except Busy as busy:
                if not self.wanted.queue:
                    raise
                await self._queue(follower, busy.rollout)
            else:
                if code is not None:
                    return code
                err.print("that process has ended; taking over")

    async def _drive(self, scope: Scope) -> int:
        running = await begin(
            self.journal,
            self.made,
            self.plan,
            who=self.who,
            reason=self.wanted.reason,
            live=await self._live(scope),
            accept_drift=self.wanted.accept_drift,
            endpoint=self.cloud.endpoint,
            emergency=self.wanted.emergency,
            read=next(iter(self._kept), None),
        )
        _tell_held(running.rollout, self.cloud.clock.now())
        return await watch(running, self.who, verbose=self.wanted.verbose, as_json=self.wanted.as_json)

    async def _follow(self, follower: Follower) -> int | None:
        """The exit code; None if the process that writes has ended before the rollout rests."""
        clock = self.cloud.clock
        known = await going_on(self.journal, follower.scope, self.plan, clock.scale)
        plan = self._read()
        handover = await prepare(
            plan,
            self.made,
            who=self.who,
            reason=self.wanted.reason,
            live=await self._live(follower.scope),
            accept_drift=self.wanted.accept_drift,
            endpoint=self.cloud.endpoint,
            emergency=self.wanted.emergency,
        )
        if known is None:
            start_command(follower.scope, plan, handover, clock.now())
        if (writer := await self.journal.writer()) is not None:
            by = f"{writer.who}, process {writer.pid} on {writer.host}, writes this journal and "
            err.print(by + ("is asked to take this plan on" if known is None else "is asked to drive it"))
        news = await follower.hand_over(handover, clock.now())
        if news is None:
            return None
        rollout = await going_on(self.journal, follower.scope, self.plan, clock.scale)
        assert rollout is not None
        _tell_held(rollout, clock.now())
        return await follow(
            follower, rollout, clock, news, verbose=self.wanted.verbose, as_json=self.wanted.as_json
        )

    async def _queue(self, follower: Follower, name: str) -> None:
        """Wait for the end of a rollout that has machines of this plan, without keeping anybody from driving it."""
        await self.journal.release()
        await follower.read()
        rollout = follower.scope.rollouts.get(name)
        if rollout is None:
            return  # it has ended meanwhile, and nothing of it is open
        err.print(
            f"queued behind {name}, which is {rollout.status}; begins when that has ended", markup=False
        )
        if await self.journal.writer() is None:
            err.print(f"no process drives {name} now: go on with the command that began it, or abort it")
        await follower.until_over(rollout)

    def _read(self) -> ReadPlan:
        """The plan, read once; of one that the journal knows nothing is asked that this would tell."""
        if not self._kept:
            self._kept.append(read_plan(self.plan))
        return self._kept[0]

    async def _live(self, scope: Scope) -> Inventory | None:
        """The fleet as it is, for a plan that hasn't begun yet."""
        if known_rollout(scope, digest(self.plan)) is not None:
            return None
        plan = self._read().planned.plan
        refuse_changed_scripts(plan)
        machines = plan.machines
        subscriptions = tuple(sorted({machine.subscription for machine in machines}))
        return await live_inventory(self.cloud, subscriptions)


def _tell_held(rollout: Rollout, now: datetime) -> None:
    """Whom holds keep from being begun, before anything else is told."""
    for held in held_lines(rollout, now):
        err.print(Text(held, style="yellow"))


async def _plan(wanted: Wanted, cloud: Cloud, made: Services, journal: Journal) -> bytes:
    """The reviewed plan; or that of the rollout that goes on already; or a new one, shown and agreed to."""
    if isinstance(wanted.plan, bytes):
        return wanted.plan
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
    policies = read_wanted(wanted.policies, wanted.campaign, change)
    if wanted.assess is not None:
        lacking = wanted_of(policies, wanted.campaign, change)
        prepared = await assess_first(made, inventory, lacking, wanted.assess, cloud.endpoint)
        tell_prepared(prepared)
        inventory = prepared.inventory
    planned = plan_with(inventory, policies, wanted.campaign, change, wanted.durations, wanted.calendar)
    print_summary(planned, err, begins=cloud.clock.now())
    for kept in what_holds_mean_for(planned.plan, inventory, holds(await look(journal), cloud.clock.now())):
        err.print(Text(kept, style="yellow"))
    if not wanted.emergency:  # else it is asked once, for all
        ask("Begin?", yes=wanted.yes, instead=", or a reviewed plan")
    return dump(planned.plan)
