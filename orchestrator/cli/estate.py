"""Reading a whole estate live, with a bar that says how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.output import count, err, line, some
from orchestrator.cli.source import source
from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.discovery import Discovery, Listen, nobody
from orchestrator.inventory.discovery import Progress as Far
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.regions import with_regions
from orchestrator.wiring.cloud import open_cloud

NAMED: Final = 3
"""Subscriptions that are named of many."""


def fleet_of(
    file: Path | None,
    subscriptions: list[str] | None,
    endpoint: str | None,
    *,
    every: bool,
    updates: bool,
) -> Inventory:
    """The fleet of a file, or live by Resource Graph; with `every`, of all subscriptions that can be seen. Raises as `read_estate`."""
    if every and (file or subscriptions):
        raise UsageError("--all-subscriptions reads all there are: leave --inventory and --subscription away")
    if every:
        return read_estate(None, endpoint, updates=updates)
    held = source(file, subscriptions, endpoint).read_file()
    return held if held is not None else read_estate(subscriptions, endpoint, updates=updates)


def read_estate(subscriptions: Sequence[str] | None, endpoint: str | None, *, updates: bool) -> Inventory:
    """What these subscriptions hold, or all that can be seen, by Resource Graph.

    How long it took and what it left open is told on standard error, which a program doesn't read. Raises `Refused` for an
    empty estate, `UsageError`, `AccessDenied`.
    """
    found = asyncio.run(_read(subscriptions, endpoint, updates=updates))
    _tell(found)
    if not found.inventory.machines:
        raise Refused(
            f"no machine in {count(found.subscriptions, 'subscription')}; Resource Graph shows only what this identity may read: "
            "`wavekeeper doctor` says what that is"
        )
    return with_regions(found.inventory)


async def _read(subscriptions: Sequence[str] | None, endpoint: str | None, *, updates: bool) -> Discovery:
    cloud = await open_cloud(endpoint)
    try:
        with _bar() as listen:
            return await cloud.provider.discover(subscriptions, listen, updates=updates)
    finally:
        await cloud.provider.close()


@contextmanager
def _bar() -> Iterator[Listen]:
    """A bar for each thing that is done, on a terminal."""
    if not err.is_terminal:
        yield nobody
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    tasks = {}

    def listen(far: Far) -> None:
        if far.what not in tasks:
            tasks[far.what] = bar.add_task(far.what, total=far.total)
        bar.update(tasks[far.what], completed=far.done, total=far.total)

    with bar:
        yield listen


def _tell(found: Discovery) -> None:
    seconds = found.took.total_seconds()
    took = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    line(
        f"{count(len(found.inventory.machines), 'machine')} of {count(found.subscriptions, 'subscription')} read in {took}: "
        f"{count(found.queries, 'query', 'queries')} of Resource Graph, {count(found.reads, 'request')} to ARM",
        err,
    )
    if found.empty:
        line(
            f"{count(len(found.empty), 'subscription')} showed no machine, empty or closed to this identity: "
            f"{some(found.empty, NAMED)}",
            err,
        )
