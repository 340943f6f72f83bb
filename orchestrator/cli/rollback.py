"""`wavekeeper rollback`: a plan that takes back what a rollout installed, under the same rules, to be reviewed and run like any other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, count, err, heading, line, out, print_json
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import print_summary, to_json
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.policy.model import EVERYTHING
from orchestrator.service.blocking import kb_digits
from orchestrator.service.taking_back import TakenBack
from orchestrator.wiring.files import read_policies, write_bytes
from orchestrator.wiring.plans import OneOff, plan_with, rollback_change

SHOWN = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="rollback")(placed(rollback))


def rollback(
    rollout: Annotated[str, typer.Argument(help="The rollout whose updates are taken back.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The plan's file: review it, then run it.")
    ] = Path("rollback.json"),
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            help="A KB to install after uninstalling; may be given several times. Left out: the last good baseline of machines with hotpatches.",
        ),
    ] = None,
    kb: Annotated[
        list[str] | None,
        typer.Option(
            "--kb",
            help="Take back only this KB; may be given several times. Left out: all that it installed.",
        ),
    ] = None,
    reason: options.Reason = "",
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Plan taking back what a rollout installed: uninstall it, install the last good baseline, restart, check, verify.

    Only machines that this rollout changed, as its journal tells update by update. The plan is like any other: the same rules of
    availability, waves, gates and stops. Nothing is run here: `wavekeeper rollout PLAN --reason ...` does.
    """
    name, back = asyncio.run(_installed(place, rollout, _kbs("--kb", kb)))
    fleet = source(inventory, subscription, endpoint).read()
    change = rollback_change(name, back.installed, fleet, _kbs("--baseline", baseline))
    read = read_policies(tuple(policies)) if policies else ()
    made = plan_with(fleet, read, None, OneOff(change, EVERYTHING))
    write_bytes(output, made.text)
    if as_json:
        print_json({**to_json(made), "file": str(output), "not_taken_back": dict(back.left)})
        return
    print_summary(made, out)
    _print_left(back)
    why = f'"{reason}"' if reason else "..."
    line(f"\nwritten to {output}; read its scripts, then: wavekeeper rollout {output} --reason {why}", out)
    if not policies:
        err.print("no --policies given: the built-in rules alone hold", style="yellow")


async def _installed(place: Place, rollout: str, kbs: tuple[str, ...] | None) -> tuple[str, TakenBack]:
    async with place.office() as office:
        return await office.installed(rollout, kbs)


def _print_left(back: TakenBack) -> None:
    if not back.left:
        return
    heading(f"Not taken back: {count(len(back.left), 'machine')}", out)
    bullets((f"{name}: {why}" for name, why in back.left[:SHOWN]), out)
    if len(back.left) > SHOWN:
        line(f"and {len(back.left) - SHOWN} more: --json", out, indent=2)


def _kbs(option: str, given: list[str] | None) -> tuple[str, ...] | None:
    try:
        return None if given is None else tuple(map(kb_digits, given))
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None
