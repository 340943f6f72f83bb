"""`wavekeeper policy`: everything that is done with policies before they are kept. A verb is imported when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

HELP: Final = "Write, check, test and compare policies, and show what holds for a machine."


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb in the list: the function that is it, by the module of this folder, and what the list says of it."""

    module: str
    function: str
    panel: str
    help: str


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "new": Verb("new", "new", "Write", "A commented first policy for machines of a real inventory."),
        "import": Verb(
            "importing", "import_configuration", "Write", "An Azure maintenance configuration as a policy."
        ),
        "schema": Verb("schema", "schema", "Write", "The JSON Schema by which editors complete and explain."),
        "check": Verb("check", "check", "Verify", "Are they right, and whom do they select?"),
        "test": Verb("test", "run_tests", "Verify", "Do they do what the tests beside them say?"),
        "show": Verb("show", "show", "Look", "What holds for one machine, and where each value was written."),
        "diff": Verb("differences", "policy_diff", "Look", "What would other policies do to the same fleet?"),
    }
)
"""Every verb, in the order of the list."""


class Verbs(TyperGroup):
    """Lists verbs without importing them: `test` brings the emulator along, which no other needs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The verb that was named, from its module."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else load_verb(name), rest


def load_verb(name: str) -> Any:
    """A verb of the list, imported."""
    verb = VERBS[name]
    part = typer.Typer()
    part.callback()(_group)
    part.command(name=name)(getattr(import_module(f"orchestrator.cli.policy.{verb.module}"), verb.function))
    return get_group(part).commands[name]


def register(app: typer.Typer) -> None:
    """Add the command and the verbs under it."""
    policy = typer.Typer(cls=Verbs, invoke_without_command=True)
    policy.callback()(_help)
    for name, verb in VERBS.items():
        policy.command(name=name, help=verb.help, rich_help_panel=verb.panel)(_listed_only)
    app.add_typer(policy, name="policy", help=HELP)


def _group() -> None:
    """Keeps the verb a command of a group, even alone."""


def _listed_only() -> None:
    """Stands in the list for a verb that isn't imported yet."""


def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        typer.echo(
            "Learn the language by six situations: docs/policies.md. Its reference: policies/README.md; that of tests: docs/policy-tests.md."
        )
        raise typer.Exit(code=1)
