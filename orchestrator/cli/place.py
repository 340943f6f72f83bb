"""Where a command's rollouts are: in a journal on this machine, or on a daemon that is asked over HTTP.

A command that reads or steers takes one `place` and is registered through `placed`, which gives it the options of both. What it then asks
of `place.office()` it asks of either in the same words.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from orchestrator.cli.output import err, line
from orchestrator.client.address import read_address
from orchestrator.client.credentials import NOBODY, Credential, from_environment, from_file, from_identity
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.service.office import Office
from orchestrator.wiring.identity import identity
from orchestrator.wiring.journal import journal_path
from orchestrator.wiring.office import JournalOffice

if TYPE_CHECKING:
    from orchestrator.client.office import ServerOffice

T = TypeVar("T")

_PANEL: Final = "Where"

OPTIONS: Final[dict[str, Any]] = {
    "journal": Annotated[
        Path | None,
        typer.Option(
            "--journal",
            help="The journal: one file is one scope. Default: $WAVEKEEPER_JOURNAL, else journal.db in ~/.local/state/wavekeeper.",
            rich_help_panel=_PANEL,
        ),
    ],
    "server": Annotated[
        str | None,
        typer.Option(
            "--server",
            help="A daemon that is asked instead, such as https://wavekeeper.example. Default: $WAVEKEEPER_SERVER.",
            rich_help_panel=_PANEL,
        ),
    ],
    "token_file": Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            envvar="WAVEKEEPER_TOKEN_FILE",
            help="The file of the token for it; or the token itself in $WAVEKEEPER_TOKEN.",
            rich_help_panel=_PANEL,
        ),
    ],
    "audience": Annotated[
        str | None,
        typer.Option(
            "--audience",
            envvar="WAVEKEEPER_AUDIENCE",
            help="Or sign in to it with this machine's Azure identity, for this Entra ID audience.",
            rich_help_panel=_PANEL,
        ),
    ],
    "ca": Annotated[
        Path | None,
        typer.Option(
            "--ca",
            envvar="WAVEKEEPER_CA",
            help="The certificates that vouch for it, as a PEM file, besides those that this machine trusts.",
            rich_help_panel=_PANEL,
        ),
    ],
}
"""What a command that is `placed` may be given of it."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A daemon, and what one has to be let in by it. The token itself is never typed: it would stand in everybody's list of processes."""

    url: str
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    audience: str | None = None
    ca: Path | None = None

    @asynccontextmanager
    async def credential(self) -> AsyncIterator[Credential]:
        """What lets one in: what was typed, before what the environment has."""
        if self.token_file is not None:
            yield from_file(self.token_file)
        elif self.audience is not None:
            async with identity(self.audience) as fetch:
                yield from_identity(self.audience, fetch)
        else:
            yield from_environment(self.token) if self.token else NOBODY


@dataclass(frozen=True, slots=True)
class Place:
    """A journal, or a daemon."""

    journal: Path
    named: bool  # whether a person said which journal
    remote: Remote | None = None

    @asynccontextmanager
    async def office(self) -> AsyncIterator[Office]:
        """Whoever is to be asked."""
        if self.remote is None:
            yield JournalOffice(self.journal, self.named)
            return
        async with self.daemon() as office:
            yield office

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[ServerOffice]:
        """The daemon. Raises `UsageError` where none is named: what is asked of it, no journal knows."""
        from orchestrator.client.connection import (
            connected,
        )  # it and its server's types take a while to import
        from orchestrator.client.office import ServerOffice

        if self.remote is None:
            raise UsageError("a daemon knows that alone: say which one with --server URL")
        address, mine = read_address(self.remote.url), version("wavekeeper")
        async with (
            self.remote.credential() as credential,
            connected(
                address,
                credential,
                SystemClock(),
                agent=f"wavekeeper/{mine}",
                ca=self.remote.ca,
                tell=lambda text: line(text, err, style="yellow"),
            ) as connection,
        ):
            yield ServerOffice(connection, mine)

    def file(self, command: str, instead: str) -> Path:
        """The journal, for a command that needs the file itself. Raises `UsageError` where a daemon is meant."""
        if self.remote is not None:
            raise UsageError(
                f"{command} needs the journal's file, which is on the machine of {self.remote.url}: {instead}"
            )
        return self.journal


def place_of(
    journal: Path | None,
    server: str | None,
    token_file: Path | None = None,
    audience: str | None = None,
    ca: Path | None = None,
) -> Place:
    """What was typed, else what the environment says. Raises `UsageError` where that is both a file and a daemon."""
    if journal is not None and server is not None:
        raise UsageError("--journal is a file of this machine, --server a daemon: give one of them")
    named = os.environ.get("WAVEKEEPER_JOURNAL")
    if journal is None and server is None and (server := os.environ.get("WAVEKEEPER_SERVER")) and named:
        raise UsageError(
            "WAVEKEEPER_SERVER and WAVEKEEPER_JOURNAL are both set: say which one with --server or --journal"
        )
    here = Place(journal_path(journal), named=bool(journal or named))
    if not server:
        return here
    token = os.environ.get("WAVEKEEPER_TOKEN", "")
    return Place(here.journal, here.named, Remote(server, token, token_file, audience, ca))


def placed(command: Callable[..., T]) -> Callable[..., T]:
    """The command with the options of a place instead of its `place`."""
    signature = inspect.signature(command, eval_str=True)
    kept = [one for one in signature.parameters.values() if one.name != "place"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in OPTIONS.items()
    ]

    @wraps(command)
    def run(*typed: Any, **given: Any) -> T:
        place = place_of(**{name: given.pop(name) for name in OPTIONS})
        return command(*typed, **given, place=place)

    run.__signature__ = signature.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {one.name: one.annotation for one in [*kept, *added]}
    return run
