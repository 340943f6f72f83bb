"""`wavekeeper doctor`: what may be done here, what is missing for what, and whether all else is right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import bullets, columns, count, heading, line, out, print_json, print_table, some
from orchestrator.cli.place import Place, placed
from orchestrator.cli.source import Source, source
from orchestrator.errors import UsageError, WavekeeperError
from orchestrator.service.doctor import (
    PURPOSES,
    Ability,
    Check,
    Examined,
    Missing,
    clock_check,
    examine,
    groups_of,
    least_role,
    to_json,
)
from orchestrator.service.ending import ExitCode
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.examine import journal_checks, probe_checks, webhook_checks
from orchestrator.wiring.files import read_policies, write_bytes
from orchestrator.wiring.rollout import read_webhooks

DEFAULT: Final = ("plan", "patch", "restart")
"""What a rollout takes: without all of it, the exit code says so."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that was looked at."""

    examined: tuple[Examined, ...]
    checks: tuple[Check, ...]
    uses: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything that is asked for is there."""
        return all(one.able(self.uses) for one in self.examined) and not any(
            check.ok is False for check in self.checks
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="doctor")(placed(doctor))


def doctor(
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    uses: Annotated[
        list[str] | None,
        typer.Option(
            "--for", help=f"What it has to do: {', '.join(PURPOSES)}. Default: {', '.join(DEFAULT)}."
        ),
    ] = None,
    role: Annotated[
        Path | None, typer.Option("--role", help="Write the least role that allows it to this file.")
    ] = None,
    webhooks: Annotated[
        Path | None, typer.Option("--webhooks", help="Also try where the webhooks of this file go.")
    ] = None,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Say what this identity may do in each subscription, and whether clock, journal, disk, webhooks and probes are right.

    With --inventory FILE, the subscriptions of that file are asked. Nothing is changed anywhere. The exit code is 0 if all that
    --for asks for can be done, else 3.
    """
    wanted = tuple(uses or DEFAULT)
    unknown = [use for use in wanted if use not in PURPOSES]
    if unknown:
        raise UsageError(f"--for {unknown[0]} isn't known; it is one of: {', '.join(PURPOSES)}")
    where = source(inventory, subscription, endpoint)
    found = asyncio.run(_find(where, tuple(policies or ()), wanted, place, webhooks))
    told = least_role((one.subscription for one in found.examined), wanted)
    if role is not None:
        write_bytes(role, orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if as_json:
        print_json({**to_json(found.examined, found.checks, ok=found.ok), "for": wanted, "least_role": told})
    else:
        _print(found, role)
    return ExitCode.DONE if found.ok else ExitCode.REFUSED


async def _find(
    where: Source, policies: tuple[Path, ...], uses: tuple[str, ...], place: Place, webhooks: Path | None
) -> Found:
    cloud = await open_cloud(where.endpoint)
    checks: list[Check] = []
    try:
        fleet, why = await where.try_reading(cloud)
        subscriptions = where.subscriptions or tuple(groups_of(fleet)) if fleet else where.subscriptions
        sent = cloud.clock.now()
        examined = await examine(cloud.provider, subscriptions, groups_of(fleet) if fleet else {})
        if why:
            checks.append(Check("inventory", False, why))
        told_at = next((one.told_at for one in examined if one.told_at is not None), None)
        checks.append(clock_check(told_at, sent, cloud.clock.now(), cloud.clock.scale))
    finally:
        await cloud.provider.close()
    checks += await journal_checks(place.journal) if place.remote is None else [await _server_check(place)]
    try:
        checks += await webhook_checks(read_webhooks(webhooks))
        checks += await probe_checks(read_policies(policies), fleet.machines if fleet else ())
    except WavekeeperError as error:
        checks.append(Check("configuration", False, str(error)))
    return Found(examined, tuple(checks), uses)


async def _server_check(place: Place) -> Check:
    """Whether a daemon is there, and lets one in."""
    try:
        async with place.daemon() as office:
            me = await office.me()
    except WavekeeperError as error:
        return Check("server", False, str(error))
    return Check(
        "server", True, f"{office.connection.address} knows you as {me.name}, who may {', '.join(me.verbs)}"
    )


# For people -----------------------------------------------------------------------------------------------------


def _print(found: Found, role: Path | None) -> None:
    for one in found.examined:
        heading(f"Subscription {one.subscription}")
        if one.why:
            line(f"✗ {one.why}", style="bold red", indent=2)
            continue
        _print_abilities(one, found.uses)
    heading("This machine")
    table = columns("", "what", "")
    table.show_header = False
    for check in found.checks:
        mark, style = _mark(check.ok)
        table.add_row(Text(mark, style=style), check.what, Text(check.said, style="" if check.ok else style))
    print_table(table)
    _print_advice(found, role)


def _print_abilities(one: Examined, uses: Sequence[str]) -> None:
    table = columns("", "to", "missing")
    for ability in one.abilities:
        mark, style = _ability_mark(ability, wanted=ability.use in uses)
        lacking = [missing.action for missing in ability.missing if missing.needed]
        table.add_row(
            Text(mark, style=style), ability.use, ", ".join(lacking) or Text("-", style="bright_black")
        )
    print_table(table)
    if one.groups:
        line(f"asked of {count(len(one.groups), 'resource group')} one by one, too", indent=2)
    if one.partial:
        line(
            "it sees these resource groups alone: machines elsewhere are in no plan, and in no count of a rule",
            style="yellow",
            indent=2,
        )
    if one.unasked:
        line(f"{count(one.unasked, 'further resource group')} not asked", style="yellow", indent=2)
    costs = dict.fromkeys(
        _cost(missing)
        for ability in one.abilities
        if ability.use in uses
        for missing in ability.missing
        if missing.then or missing.groups
    )
    if costs:
        bullets(costs, indent=4)


def _cost(missing: Missing) -> str:
    groups = f" in {some(missing.groups)}" if missing.groups else ""
    then = f": {missing.then}" if missing.then else ", which it takes"
    return f"no {missing.action}{groups}{then}"


def _ability_mark(ability: Ability, *, wanted: bool) -> tuple[str, str]:
    if ability.able:
        return "✓", "green"
    if ability.somewhere:
        return "-", "yellow"
    return "✗", "bold red" if wanted else "bright_black"


def _mark(ok: bool | None) -> tuple[str, str]:
    return {True: ("✓", "green"), False: ("✗", "bold red"), None: ("-", "yellow")}[ok]


def _print_advice(found: Found, role: Path | None) -> None:
    out.print()
    asked = ", ".join(found.uses)
    if found.ok:
        line(f"✓ all that it takes to {asked} is there", style="green")
    else:
        line(f"✗ not all that it takes to {asked} is there", style="bold red")
    if role is not None:
        line(f"the least role is kept in {role}; grant it, for instance:")
        line(f"az role definition create --role-definition @{role}", indent=2)
        line("az role assignment create --assignee WHO --role Wavekeeper --scope /subscriptions/ID", indent=2)
    elif not all(one.able(found.uses) for one in found.examined):
        line("the least role that allows it, as a file to grant: --role role.json")
    line(
        "read from role assignments; deny assignments and conditions on roles aren't shown there",
        style="bright_black",
    )
