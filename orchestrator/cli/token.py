"""`wavekeeper token`: make a machine's token, and the line by which the daemon knows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError

from orchestrator.access.model import Role
from orchestrator.access.tokens import hash_of, new_token
from orchestrator.cli import options
from orchestrator.cli.output import line, print_json
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.policy.values import read_name, read_positive_duration, read_text

HELP = "Make a token for a machine that uses the daemon's API, and the line of the configuration that lets it in."


def register(app: typer.Typer) -> None:
    """Add the command and the verb under it."""
    group = typer.Typer(no_args_is_help=True)
    group.callback()(_only)
    group.command(name="new")(new)
    app.add_typer(group, name="token", help=HELP)


def _only() -> None:
    """Without this, a group with one verb would be that verb."""


def new(
    name: Annotated[
        str, typer.Argument(help="Who has it, such as ci: the journal says so of what is done with it.")
    ],
    role: Annotated[Role, typer.Option("--role", help="What it may do.")] = Role.VIEWER,
    lasts: Annotated[str, typer.Option("--for", help="How long it counts, in days, such as 90d.")] = "90d",
    campaigns: Annotated[
        list[str] | None,
        typer.Option(
            "--campaign", help="Only for campaigns of this name; globs are allowed. Repeat it for several."
        ),
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", help="Only for machines with this tag, as team=shop. Repeat it for several."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a token. It is shown this once; the daemon is told its hash, of which no token can be made.

    Nothing is kept on this machine, and the daemon lets it in once the line stands in its configuration and that was read (SIGHUP).
    """
    try:
        read_name(name)
        days = read_positive_duration(lasts).days
    except PydanticCustomError as error:
        told = error.context or {}
        raise UsageError(f"{told.get('what')}; {told.get('instead')}") from None
    if not days:
        raise UsageError(f"--for {lasts} is less than a day; write it in days, such as 90d")
    token = new_token()
    expires = (SystemClock().now() + timedelta(days=days)).date()
    entry = {"hash": hash_of(token), "expires": expires.isoformat(), "role": str(role)}
    narrowed = {"campaigns": [_text(one) for one in campaigns or ()], "tags": _tags(tags or ())}
    told = entry | {key: value for key, value in narrowed.items() if value}
    if as_json:
        print_json({"token": token, "name": name, "entry": told})
        return
    line("the token, shown this once:", style="bold")
    line(token, indent=2)
    line("the line for `access: {tokens: ...}` of the daemon's configuration:", style="bold")
    line(f"{name}: {_yaml(told)}", indent=2)


def _tags(said: list[str] | tuple[()]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in said:
        key, equals, value = one.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"--tag {one}: write it as team=shop, or team=* for whatever value")
        found.setdefault(key.strip(), []).append(value.strip())
    return found


def _text(said: str) -> str:
    try:
        return read_text(said)
    except PydanticCustomError:
        raise UsageError("--campaign is empty; write a name, such as shop-*") from None


def _yaml(value: object) -> str:
    """In one line. Text is quoted where YAML would take it for something else."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_yaml(key)}: {_yaml(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_yaml, value)) + "]"
        case _:
            text = str(value)
            plain = text.replace("-", "").replace("_", "").isalnum()
            return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
