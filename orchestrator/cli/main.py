"""The command line as a whole: its commands, and what becomes of errors.

Exit codes: 0 all done; 1 wrong use, or our own fault; 2 a policy is invalid; 3 nothing can be planned, or the plan is refused;
4 stopped by health; 5 aborted by a person; 6 not finished, nothing can start for now; 7 finished, but machines were left out
or not changed.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version as installed_version
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from orchestrator.errors import PolicyError, WavekeeperError

HELP: Final = "Roll a change over a fleet of Azure, Arc and Azure Local machines without taking down more than it can spare."


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in the list of commands: the module of this folder that registers it, and what the list says of it."""

    module: str
    panel: str
    help: str


COMMANDS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "inventory": Entry(
            "inventory", "Look", "Count machines and groups, and say who can't be rolled and why."
        ),
        "audit": Entry(
            "audit", "Look", "Say which of your rules last month's patching broke, whoever did it."
        ),
        "compliance": Entry(
            "compliance",
            "Look",
            "Say who is patched, who is exposed since when, and who misses the deadline.",
        ),
        "doctor": Entry(
            "doctor", "Look", "Say what this identity may do here, and what is missing for what."
        ),
        "assess": Entry(
            "assess", "Look", "Have machines assess what they lack, and say what each would get."
        ),
        "hotpatch": Entry(
            "hotpatch", "Look", "What this month's release is, who is on the hotpatch track, and who left it."
        ),
        "graph": Entry("graph", "Look", "Draw the topology: svg, png or graphml."),
        "policy": Entry(
            "policy.command", "Plan", "Write, check, test and compare policies, and show what holds."
        ),
        "plan": Entry("plan", "Plan", "Plan waves in which every rule holds."),
        "check": Entry("check", "Plan", "Let an independent judge verify a plan."),
        "explain": Entry("explain", "Plan", "Say why a machine is where it is in a plan."),
        "diff": Entry("diff", "Plan", "Say what a new plan does otherwise than an old one."),
        "rollback": Entry("rollback", "Plan", "Plan taking back what a rollout installed."),
        "gantt": Entry("gantt", "Plan", "Draw the lanes and waves of a plan: svg, png or html."),
        "simulate": Entry(
            "simulate", "Plan", "Run a plan hundreds of times in virtual time, and say what may come of it."
        ),
        "rollout": Entry("rollout", "Run", "Run a plan, watched, until it is done or health says stop."),
        "enrol": Entry("enrol", "Run", "Set machines so that nobody else patches them; keeps how they were."),
        "unenrol": Entry("enrol", "Run", "Bring back the settings that an enrolment found."),
        "daemon": Entry(
            "daemon", "Run", "Follow policies in git, open rollouts when they are due, and drive them."
        ),
        "status": Entry("status", "Run", "Say where a rollout or a machine stands, and what may be done."),
        "calendar": Entry("calendar", "Run", "Say what a daemon opens next, and when."),
        "pause": Entry("verbs", "Steer", "Start nothing new; what has begun is carried through."),
        "resume": Entry("verbs", "Steer", "Go on with the same plan, gates first."),
        "approve": Entry("verbs", "Steer", "Open the next stage."),
        "abort": Entry("verbs", "Steer", "End a rollout; nothing is reverted."),
        "retry": Entry("verbs", "Steer", "Try one machine again, under a fresh grant."),
        "skip": Entry("verbs", "Steer", "Leave one machine as it is."),
        "write-off": Entry("verbs", "Steer", "Close the grant of a machine that won't come back."),
        "hold": Entry(
            "holding", "Steer", "Keep machines out of every rollout for a time, running ones included."
        ),
        "unhold": Entry("holding", "Steer", "End a hold before its time."),
        "holds": Entry("holding", "Steer", "List who is held, by whom, until when and why."),
        "emergency": Entry(
            "verbs", "Steer", "Have a rollout wait for less: windows, freezes, bakes and approvals, no rule."
        ),
        "block": Entry(
            "blocking", "Steer", "Keep an update out of every campaign at once; list what is kept out."
        ),
        "unblock": Entry("blocking", "Steer", "Let an update in again."),
        "journal": Entry("journal", "Keep", "Check, copy and export the journal, also while a rollout runs."),
        "token": Entry("token", "Keep", "Make a token for a machine that uses the daemon's API."),
        "demo": Entry(
            "demo", "Try", "Everything at once, on a made-up company: nothing to set up, no Azure."
        ),
        "emulator": Entry("emulator", "Try", "Run an Azure Resource Manager of your own, on this machine."),
    }
)
"""Every command, in the order of the list."""


class Commands(TyperGroup):
    """Lists commands without importing them: all of them together take most of a second, one of them some of it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that was named, from its module."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else load(name), rest


def load(name: str) -> Any:
    """A command of the list, imported."""
    part = typer.Typer()
    import_module(f"orchestrator.cli.{COMMANDS[name].module}").register(part)
    return get_group(part).commands[name]


app = typer.Typer(
    name="wavekeeper",
    cls=Commands,
    help=HELP,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _listed_only() -> None:
    """Stands in the list for a command that isn't imported yet."""


for _name, _entry in COMMANDS.items():
    app.command(name=_name, help=_entry.help, rich_help_panel=_entry.panel)(_listed_only)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wavekeeper {installed_version('wavekeeper')}")
        raise typer.Exit


@app.callback(help=HELP)
def main(
    _version_: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Options that go before the command."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error of the program becomes one clear message and its exit code."""
    if not arguments:
        return run(["--help"]) or 1
    try:
        code = app(list(arguments), prog_name="wavekeeper", standalone_mode=False)
    except typer.Abort:
        sys.stderr.write("aborted\n")
        return 1
    except typer.TyperException as error:
        sys.stderr.write(f"wavekeeper: {error.format_message()}\n{_where_to_look(error)}")
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


def _where_to_look(error: typer.TyperException) -> str:
    """The line that leads from a wrong option to the help of its command."""
    context = getattr(error, "ctx", None)
    return f"see: {context.command_path} --help\n" if context is not None else ""
