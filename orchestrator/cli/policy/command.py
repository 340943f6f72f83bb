"""`wavekeeper policy`: everything that is done with policies before they are kept."""

from __future__ import annotations

import typer

from orchestrator.cli.policy.check import check
from orchestrator.cli.policy.importing import import_configuration
from orchestrator.cli.policy.new import new
from orchestrator.cli.policy.show import show
from orchestrator.cli.policy.test import run_tests


def register(app: typer.Typer) -> None:
    """Add the command and the verbs under it."""
    policy = typer.Typer(invoke_without_command=True)
    policy.callback()(_help)
    policy.command(name="check")(check)
    policy.command(name="show")(show)
    policy.command(name="test")(run_tests)
    policy.command(name="new")(new)
    policy.command(name="import")(import_configuration)
    app.add_typer(policy, name="policy", help="Check policies, and show what holds for a machine.")


def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(code=1)
