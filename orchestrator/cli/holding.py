"""`wavekeeper hold`, `unhold` and `holds`: keep machines out of every rollout for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, count, line, out, print_json
from orchestrator.cli.place import Place, placed
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.model import Plan
from orchestrator.service.holds import Held, some, what_holds_mean_for


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="hold")(placed(hold))
    app.command(name="unhold")(placed(unhold))
    app.command(name="holds")(placed(holds))


def hold(
    select: Annotated[
        str,
        typer.Argument(
            metavar="SELECTOR",
            help="Which machines, as for --select: name=web-1, or tag:app=shop,region=westeurope.",
        ),
    ],
    until: Annotated[
        str,
        typer.Option(
            "--until",
            help="When it ends: 2026-12-01, 2026-12-01T10:00 (UTC), or from now on 6h, 3d. At most 90d.",
        ),
    ] = "",
    reason: options.Reason = "",
    inventory: options.InventoryFile = None,
    subscription: options.Subscriptions = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Keep machines out of every rollout of this journal until then, running ones included.

    No rollout begins a held machine; what is under way is carried through. A hold ends by the clock, or by `unhold`; it adds nothing to any
    rollout. It also holds for machines that come later, or get their tags later. With an inventory, or a subscription to read, it is told
    whom it means there.
    """
    if not until.strip():
        raise UsageError(f"say until when: wavekeeper hold {select} --until 6h --reason ...")
    if not reason.strip():
        raise UsageError(
            f"say why, for whoever reads it later: wavekeeper hold {select} --until {until} --reason ..."
        )
    fleet = source(inventory, subscription, endpoint).read() if inventory or subscription else None
    number, standing = asyncio.run(_hold(place, select, until, reason, fleet))
    mine = next(one for one in standing if one.id == number)
    if as_json:
        print_json({"hold": asdict(mine), "holds": list(map(asdict, standing))})
        return
    _print([mine])
    if fleet is not None and not mine.matched:
        line("it means no machine of that inventory as it is now", out, style="yellow", indent=4)
    line(f"end it before its time: wavekeeper unhold {number} --reason ...", out)


def unhold(
    number: Annotated[
        str, typer.Argument(metavar="HOLD", help="Its number, such as h1: see `wavekeeper holds`.")
    ],
    reason: options.Reason = "",
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """End a hold before its time. Machines that another hold means stay held."""
    if not reason.strip():
        raise UsageError(f"say why, for whoever reads it later: wavekeeper unhold {number} --reason ...")
    standing = asyncio.run(_unhold(place, number, reason))
    if as_json:
        print_json({"unhold": number, "holds": list(map(asdict, standing))})
        return
    line(f"hold {number} is lifted", out)
    _print(standing)


def holds(as_json: options.AsJson = False, *, place: Place) -> None:
    """List the holds that stand, and whom of rollouts that go on they keep from being begun."""
    standing = asyncio.run(_holds(place))
    if as_json:
        print_json({"holds": list(map(asdict, standing))})
    elif standing:
        _print(standing)
    else:
        bullets(("nothing is held",), out)


def holds_there(place: Place) -> Sequence[Held]:
    """The holds that stand there; none where there is no journal yet."""
    return asyncio.run(_holds(place))


def holds_of(plan: Plan, fleet: Inventory, place: Place) -> list[str]:
    """Whom of a plan holds keep from being begun; nothing where there is no journal yet."""
    return list(what_holds_mean_for(plan, fleet, holds_there(place)))


def _print(standing: Sequence[Held]) -> None:
    for held in standing:
        line(str(held), out, style="bold")
        if held.matched:
            names = [one.rsplit("/", 1)[-1] for one in held.matched]
            line(f"{count(len(names), 'machine')} when it was placed: {some(names)}", out, indent=4)
        for there in held.rollouts:
            if there.machines:
                machines = count(len(there.machines), "machine")
                line(f"{there.rollout}: {machines} not begun before: {some(there.machines)}", out, indent=4)
            if there.looking:
                line(
                    f"{there.rollout}: whoever it may mean waits until the fleet was looked at", out, indent=4
                )


async def _hold(
    place: Place, select: str, until: str, reason: str, fleet: Inventory | None
) -> tuple[str, Sequence[Held]]:
    async with place.office() as office:
        return await office.hold(select, until, reason, fleet)


async def _unhold(place: Place, number: str, reason: str) -> Sequence[Held]:
    async with place.office() as office:
        return await office.unhold(number, reason)


async def _holds(place: Place) -> Sequence[Held]:
    async with place.office() as office:
        return await office.holds()
