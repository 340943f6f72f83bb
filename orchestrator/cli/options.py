"""Options that several commands share, with one wording for each."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from orchestrator.errors import UsageError

Subscriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription", "-s", help="Read this Azure subscription, live; may be given several times."
    ),
]
InventoryFile = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        help="Read this file: of `wavekeeper inventory -o`, `az vm list` (better with --show-details) or `az graph query`.",
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint", help="Another ARM than Azure's own, such as an emulator's http://127.0.0.1:PORT."
    ),
]
EverySubscription = Annotated[
    bool,
    typer.Option("--all-subscriptions", help="Read every subscription that this identity can see, live."),
]
Policies = Annotated[
    list[Path] | None,
    typer.Option(
        "--policies", "-p", help="A folder of policies or one policy file; may be given several times."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
HotpatchCalendar = Annotated[
    Path | None,
    typer.Option(
        "--hotpatch-calendar",
        envvar="WAVEKEEPER_HOTPATCH_CALENDAR",
        help="Months of Microsoft's releases that you know better than this program: see docs/hotpatch.md.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it goes into the journal with your name.")]
Campaign = Annotated[
    str | None, typer.Option("--campaign", "-c", help="Which campaign, if the policies hold several.")
]
Change = Annotated[
    str | None,
    typer.Option(
        "--change",
        help="A one-off under the same rules, restart, restart-pending or patches; needs --select.",
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select",
        help="Which machines of the one-off, such as tag:app=shop,region=westeurope,without_tag:legacy.",
    ),
]

_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def length_of(typed: str, option: str) -> timedelta:
    """A length of time that was typed, such as 30d. Raises `UsageError` that says how to write it."""
    match = re.fullmatch(r"(\d{1,4})([hdw])", typed.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(f"{option} {typed} is no length of time; write it as 30d, 48h or 2w")
    return int(match[1]) * _UNITS[match[2]]
