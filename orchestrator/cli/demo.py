"""`wavekeeper demo`: everything at once. A made-up company on an emulator, patched; then a bad update, which stops by itself."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli.demo_page import serve_page
from orchestrator.cli.graph import waves_of
from orchestrator.cli.output import columns, count, heading, line, out, print_table
from orchestrator.cli.planning import make_plan, print_summary
from orchestrator.cli.source import live_inventory
from orchestrator.cli.watching import watch
from orchestrator.demo.applications import MACHINES, SUBSCRIPTIONS
from orchestrator.demo.emulated import Emulated, emulated
from orchestrator.demo.fleet import company
from orchestrator.demo.folder import Folder, claim, write_policies
from orchestrator.demo.story import COMPANY, FAULTS, Played, report, spared
from orchestrator.demo.verdicts import judge
from orchestrator.inventory import native
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Inventory
from orchestrator.planner.model import Plan
from orchestrator.reports.page import page
from orchestrator.rollout.state import MachineStatus, RolloutStatus
from orchestrator.service.timeline import timeline
from orchestrator.topology.graph import build
from orchestrator.verify.model import Verdict
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.files import read_bytes, write_bytes
from orchestrator.wiring.journal import open_journal, whoami
from orchestrator.wiring.rollout import begin, doors

RESTS = frozenset(
    {RolloutStatus.FINISHED, RolloutStatus.STOPPED, RolloutStatus.REFUSED, RolloutStatus.ABORTED}
)
"""Ends of a rollout that aren't a person's wish to leave."""

STORY_SCALE = 600.0
PAGE_SCALE = 60.0
"""How fast emulated time runs: as fast as a story can be followed, and slow enough to read a page and press its buttons."""

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    out: Path
    time_scale: float
    machines: int
    seed: int
    plain: bool
    keep_emulator: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="demo")(demo)


def demo(
    folder: Annotated[
        Path,
        typer.Option("--out", "-o", help="Where everything is left; an earlier demonstration is replaced."),
    ] = Path("demo"),
    time_scale: Annotated[
        float | None,
        typer.Option(
            "--time-scale",
            help="How many times as fast as real time emulated time runs: 600, with --page 60.",
            min=1,
        ),
    ] = None,
    machines: Annotated[int, typer.Option("--machines", help="How large the company is.")] = MACHINES,
    seed: Annotated[int, typer.Option("--seed", help="Another company, other durations.")] = 0,
    plain: Annotated[bool, typer.Option("--plain", help="A line a happening, also on a terminal.")] = False,
    keep_emulator: Annotated[
        bool,
        typer.Option(
            "--keep-emulator", help="Let the second emulator run on until Ctrl-C, to try commands on."
        ),
    ] = False,
    page_only: Annotated[
        bool,
        typer.Option(
            "--page", help="Instead of the story, run the daemon with its page on this company, until Ctrl-C."
        ),
    ] = False,
    port: Annotated[int, typer.Option("--port", help="Of the page, on this machine alone.")] = 8470,
) -> int:
    """Everything at once, on an emulator in a process of its own; nothing outside this machine is touched.

    Makes up a company, plans over the wire, draws it, patches it, live; then again with a bad update, which stops by itself. The
    judge has the last word. Leaves a folder with all of it, and a report to read in a browser.
    """
    if page_only:
        scale = time_scale or PAGE_SCALE
        asyncio.run(serve_page(folder, time_scale=scale, machines=machines, seed=seed, port=port))
        return 0
    return asyncio.run(_demo(Wanted(folder, time_scale or STORY_SCALE, machines, seed, plain, keep_emulator)))


async def _demo(wanted: Wanted) -> int:
    try:
        return await _story(wanted)
    except asyncio.CancelledError:
        line(f"\nEnded before its end. The emulator is stopped; what there is so far is in {wanted.out}/.")
        return INTERRUPTED


def _leave_when_asked() -> None:
    """Ctrl-C, and whoever ends processes politely, end the story; what it started is ended on the way out.

    To be said again after a rollout was watched: there, a first Ctrl-C means to pause.
    """
    me = asyncio.current_task()
    assert me is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)


async def _story(wanted: Wanted) -> int:
    _leave_when_asked()
    began = time.monotonic()
    fleet = company(wanted.seed, wanted.machines)
    folder = claim(wanted.out)
    write_bytes(folder.company, native.dump(fleet))
    heading(
        f"1  {COMPANY}, a company that doesn't exist: {count(len(fleet.machines), 'machine')}, for an emulator"
    )
    async with _emulator(folder.company, folder.audit, wanted) as emulator:
        write_policies(folder, emulator.port)
        inventory = await _planned(folder, emulator, wanted)
        heading("4  The first rollout, live: the update is good")
        good = await _rolled_out(folder, folder, emulator, wanted, complete=True)
    line(f"\n{time.monotonic() - began:.0f} s of your time so far.")
    heading("5  The same plan, on the same fleet, and the update is bad")
    write_bytes(folder.bad.faults, FAULTS.encode())
    line(f"what goes wrong stands in {folder.bad.faults}; the rollout knows nothing of it")
    async with _emulator(
        folder.company, folder.bad.audit, wanted, emulator.port, folder.bad.faults
    ) as emulator:
        bad = await _rolled_out(folder, folder.bad, emulator, wanted, complete=False)
        _tell_what_it_spared(inventory, bad)
        ok = _tell_verdicts(good, bad)
        write_bytes(folder.report, _page(inventory, good, bad, folder))
        _tell_what_next(folder, good)
        line(f"\nAll in {time.monotonic() - began:.0f} s.")
        if wanted.keep_emulator:
            await _keep(folder, bad, emulator, wanted)
    return 0 if ok else 1


# What happens -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _emulator(
    fleet: Path, audit: Path, wanted: Wanted, port: int = 0, faults: Path | None = None
) -> AsyncIterator[Emulated]:
    scale = wanted.time_scale
    async with emulated(
        fleet, audit, time_scale=scale, port=port, seed=wanted.seed, faults=faults
    ) as emulator:
        line(
            f"the emulator listens on {emulator.endpoint}, process {emulator.pid}; an hour there takes {3600 / scale:.2g} s"
        )
        yield emulator


async def _planned(folder: Folder, emulator: Emulated, wanted: Wanted) -> Inventory:
    """Read the fleet as any other, plan, and leave the files."""
    heading("2  The fleet, read through the Azure SDK, and a plan for it")
    cloud = await open_cloud(emulator.endpoint, wanted.time_scale)
    try:
        inventory = await live_inventory(cloud, tuple(sorted(SUBSCRIPTIONS.values())))
    finally:
        await cloud.provider.close()
    write_bytes(folder.inventory, native.dump(inventory))
    made = make_plan(inventory, (folder.policies,), None, None)
    write_bytes(folder.plan, made.text)
    print_summary(made, out)
    heading("3  The topology, drawn")
    _draw(folder, inventory, made.plan)
    return inventory


def _draw(folder: Folder, inventory: Inventory, plan: Plan) -> None:
    from orchestrator.reports.topology import draw  # matplotlib takes a second to import

    topology = build(inventory)
    write_bytes(folder.topology, draw(topology, title=COMPANY))
    write_bytes(
        folder.waves,
        draw(topology, colour="wave", waves=waves_of(plan), title=f"{COMPANY}, by wave of {plan.name}"),
    )
    line(f"by state in {folder.topology}, by wave in {folder.waves}")


async def _rolled_out(
    folder: Folder, of: Folder, emulator: Emulated, wanted: Wanted, *, complete: bool
) -> Played:
    """Run the plan against this emulator until it rests, watched; then have it judged."""
    cloud = await open_cloud(emulator.endpoint, wanted.time_scale)
    who = whoami()
    async with doors(cloud, {}) as made:
        journal = await open_journal(of.journal)
        try:
            live = await live_inventory(cloud, tuple(sorted(SUBSCRIPTIONS.values())))
            await journal.acquire(who, cloud.clock.now())
            plan = read_bytes(folder.plan, "plan")
            running = await begin(journal, made, plan, who=who, reason="wavekeeper demo", live=live)
            await watch(running, who, verbose=False, as_json=False, plain=wanted.plain)
            _leave_when_asked()
            if running.rollout.status not in RESTS:
                raise asyncio.CancelledError
            told = await timeline(journal, running.rollout)
        finally:
            await journal.close()
    return Played(running.scope, running.rollout, told, judge(folder, of.audit, complete=complete))


def _tell_what_it_spared(fleet: Inventory, bad: Played) -> None:
    saved = spared(fleet, bad.rollout)
    whole = len(saved.broken) + len(saved.touched) + len(saved.untouched)
    heading("What it spared")
    line(
        f"{count(whole, 'machine')} {saved.weakness}: {len(saved.broken)} broke, {len(saved.untouched)} were never touched",
        indent=2,
    )
    line(
        f"{count(bad.rollout.attempted, 'machine')} of {bad.rollout.planned.changing} were begun when it stopped",
        indent=2,
    )


def _tell_verdicts(good: Played, bad: Played) -> bool:
    """Say what the judge says. Returns whether all went as it should."""
    heading("6  The verdicts, from the emulator's audit")
    table = columns("", "first rollout", "second rollout")
    for what, verdict in good.verdicts.by_what.items():
        table.add_row(what, _said(verdict), _said(bad.verdicts.by_what[what]))
    print_table(table)
    for played in (good, bad):
        for verdict in played.verdicts.by_what.values():
            for violation in verdict.violations[:5]:
                line(str(violation), style="red", indent=2)
    if not good.finished:
        line("the first rollout should have finished, and didn't", style="red", indent=2)
    if not bad.stopped:
        line("the second rollout should have stopped of itself, and didn't", style="red", indent=2)
    return good.finished and bad.stopped and good.verdicts.ok and bad.verdicts.ok


def _said(verdict: Verdict) -> Text:
    if verdict.ok:
        return Text("every rule held", style="green")
    return Text(count(verdict.count, "violation"), style="bold red")


def _tell_what_next(folder: Folder, good: Played) -> None:
    heading(f"7  It is all in {folder.root}/")
    table = columns("file", "what")
    for path, what in (
        (folder.report, "the report: open it in a browser"),
        (folder.policies, "the policies, to read and to copy"),
        (folder.plan, "the plan that both rollouts ran"),
        (folder.inventory, "the fleet, as the SDK told it"),
        (folder.waves, f"the topology by wave; by state in {folder.topology.name}"),
        (folder.audit, "what the emulator saw"),
        (folder.journal, "every decision, in order"),
        (folder.bad.root, "the same of the second rollout, and what was made to go wrong"),
    ):
        table.add_row(str(path), Text(what, style="bright_black"))
    print_table(table)
    plan = good.rollout.planned.plan
    last = plan.lanes[-1].waves[-1].machines[0]
    heading("Look closer")
    for command in (
        f"wavekeeper explain {name_of(last)} --plan {folder.plan}",
        f"wavekeeper status --journal {folder.bad.journal}",
        f"wavekeeper status --history --journal {folder.journal}",
    ):
        line(command, indent=2)
    heading("With your own fleet; nothing is changed by any of these")
    for command in (
        "az vm list --show-details -o json > fleet.json",
        "wavekeeper inventory --inventory fleet.json",
        "wavekeeper graph --inventory fleet.json -o fleet.svg",
        "wavekeeper plan --inventory fleet.json --change patches --select 'os=linux' -o plan.json",
        f"wavekeeper plan --inventory fleet.json --policies {folder.policies} -o plan.json",
    ):
        line(command, indent=2)
    own = f"the last one once your own tags stand in {folder.policies}: now they are {COMPANY}'s"
    line(own, indent=2, style="bright_black")


async def _keep(folder: Folder, bad: Played, emulator: Emulated, wanted: Wanted) -> None:
    """Let the emulator run on, so that somebody can try commands on a rollout that has stopped."""
    at = f"--journal {folder.bad.journal}"
    heading("The second emulator runs on until Ctrl-C. Meanwhile, in another terminal:")
    broken = [
        name_of(bad.rollout.planned.machine(i).id)
        for i, run in enumerate(bad.rollout.machines)
        if run.status is MachineStatus.UNHEALTHY
    ]
    for command in (
        *(f"wavekeeper write-off {name} --reason 'it is rebuilt' {at}" for name in broken),
        f"wavekeeper resume --reason 'go on' {at}",
        f"wavekeeper rollout {folder.plan} --endpoint {emulator.endpoint} --time-scale {wanted.time_scale:g} {at}",
    ):
        line(command, indent=2)
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()


def _page(fleet: Inventory, good: Played, bad: Played, folder: Folder) -> bytes:
    picture = read_bytes(folder.waves, "drawing").decode()
    return page(report(fleet, good, bad, picture)).encode()
