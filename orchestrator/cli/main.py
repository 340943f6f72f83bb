"""The command line as a whole: its commands, and what becomes of errors.

Exit codes: 0 all done; 1 wrong use, or our own fault; 2 a policy is invalid; 3 nothing can be planned, or the plan is refused;
4 stopped by health; 5 aborted by a person; 6 not finished, nothing can start for now; 7 finished, but machines were left out
or not changed.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version as installed_version

import click
import typer

from orchestrator.cli import (
    check,
    demo,
    emulator,
    explain,
    graph,
    inventory,
    plan,
    policy,
    rollout,
    status,
    verbs,
)
from orchestrator.errors import PolicyError, WavekeeperError

app = typer.Typer(
    name="wavekeeper",
    help="Roll a change over a fleet of Azure, Arc and Azure Local machines without taking down more than it can spare.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for part in (inventory, graph, policy, plan, check, explain, rollout, status, verbs, emulator, demo):
    part.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wavekeeper {installed_version('wavekeeper')}")
        raise typer.Exit


@app.callback()
def main(
    _version_: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Roll a change over a fleet without taking down more than it can spare."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error of the program becomes one clear message and its exit code."""
    try:
        code = app(list(arguments), standalone_mode=False)
    except click.exceptions.Abort:
        sys.stderr.write("aborted\n")
        return 1
    except click.ClickException as error:
        error.show()
        return 1
    except PolicyError as error:
        count = len(error.problems)
        sys.stderr.write(f"{error}\n{count} problem{'s' if count != 1 else ''}; nothing was done\n")
        return error.exit_code
    except WavekeeperError as error:
        sys.stderr.write(f"wavekeeper: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:  # noqa: BLE001 - a bug of ours still ends with a message that says what to do
        traceback.print_exc()
        sys.stderr.write(
            "wavekeeper: this is a bug; a rollout that was running is safe to resume by the same command\n"
        )
        return 1
    return code if isinstance(code, int) else 0
