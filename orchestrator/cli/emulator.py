"""`wavekeeper emulator`: an Azure Resource Manager on this machine, for a fleet that doesn't exist."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orchestrator.cli import options
from orchestrator.cli.output import count, line, out
from orchestrator.emulator.chance import portion
from orchestrator.emulator.fault_file import read_faults
from orchestrator.emulator.faults import NO_FAULTS
from orchestrator.emulator.months import read_calendar
from orchestrator.emulator.rights import NAMED, Rights, read_rights
from orchestrator.emulator.server import serve
from orchestrator.emulator.tempo import Tempo
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.durations import read_duration
from orchestrator.wiring.files import read_bytes, read_inventory

HOST = "127.0.0.1"


InstallTakes = Annotated[
    str | None,
    typer.Option(
        "--install-takes",
        help="How long an installation takes, mostly and 19 times of 20, without the restart in it, such as 90m/2h. Default: as docs/emulator.md says.",
    ),
]
Months = Annotated[
    list[str] | None,
    typer.Option(
        "--month",
        help="What a month brings besides the usual: 2026-06=baseline, =dotnet, =out-of-band; or drawn, by the seed. Repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="emulator")(emulator)


def emulator(
    inventory: Annotated[
        Path,
        typer.Option("--inventory", "-i", help="The fleet to emulate: any file that other commands read."),
    ],
    port: Annotated[
        int,
        typer.Option("--port", help="Where to listen on 127.0.0.1; 0 for any free port.", max=65535, min=0),
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed, the same durations and domains.")] = 0,
    time_scale: Annotated[
        float, typer.Option("--time-scale", help="How many times as fast as real time its time runs.")
    ] = 1.0,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A YAML file of what goes wrong; see docs/emulator.md.")
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option("--audit", help="Write down here what really happened to each machine, as JSON lines."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--date",
            "--start",
            help="The emulated time to begin with, such as 2026-11-22 or 2026-11-22T01:00:00Z. Default: now.",
        ),
    ] = None,
    rights: Annotated[
        str,
        typer.Option("--rights", help="What callers may do: owner, reader, none, or a JSON file of roles."),
    ] = "owner",
    month: Months = None,
    azure_patches: Annotated[
        bool,
        typer.Option("--azure-patches", help="Let Azure patch machines whose settings leave it to Azure."),
    ] = False,
    install_takes: InstallTakes = None,
    as_json: options.AsJson = False,
) -> None:
    """Answer as Azure Resource Manager does, over HTTP on loopback, until Ctrl-C.

    Other commands reach it by --endpoint. Machines restart, fail and answer health probes as real ones do, at any speed.
    """
    wrong = NO_FAULTS if faults is None else read_faults(faults)
    calendar = read_calendar(month or (), seed)
    begin, allowed = _moment(start), _rights(rights)
    fleet = read_inventory(inventory)
    tempos = {} if install_takes is None else _tempos(install_takes, fleet, seed)
    asyncio.run(
        serve(
            fleet,
            host=HOST,
            port=port,
            seed=seed,
            time_scale=time_scale,
            faults=wrong,
            audit_path=audit,
            start=begin,
            rights=allowed,
            calendar=calendar,
            azure_patches=azure_patches,
            tempos=tempos,
            ready=partial(_tell, time_scale, len(fleet.machines), as_json),
        )
    )


def _tell(time_scale: float, machines: int, as_json: bool, taken: int) -> None:
    """Where it listens, once it does."""
    url = f"http://{HOST}:{taken}"
    if as_json:  # on one line, so that whoever started it can wait for just that
        told = {"url": url, "port": taken, "time_scale": time_scale, "machines": machines}
        line(orjson.dumps(told).decode())
    else:
        line(f"listening on {url}, time runs {time_scale:g} times as fast, {count(machines, 'machine')}")
    out.file.flush()


def _tempos(typed: str, fleet: Inventory, seed: int) -> dict[MachineId, Tempo]:
    """How long each machine's installations take, by the seed. Raises `UsageError`."""
    try:
        takes = read_duration(typed)
    except ValueError as wrong:
        raise UsageError(f"--install-takes {typed!r}: {wrong}") from None
    shares = {machine.id: portion(seed, "install takes", machine.id) for machine in fleet.machines}
    return {
        one: Tempo(installs=takes.quantile(share) if share else takes.median) for one, share in shares.items()
    }


def _rights(told: str) -> Rights:
    """What was typed: a name, or a file. Raises `UsageError`."""
    if told in NAMED:
        return NAMED[told]
    try:
        document = orjson.loads(read_bytes(Path(told), "file of roles"))
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{told}: not JSON: {error}") from None
    return read_rights(document, told)


def _moment(text: str | None) -> datetime | None:
    """The instant that was typed; one without an offset is UTC. Raises `UsageError`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--date {text} is no date; write it as 2026-11-22 or 2026-11-22T01:00:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
