"""`--emergency` where a rollout is begun: what it shortens is named before anything starts, in red, and asked about."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console

from orchestrator.cli.output import bullets, line
from orchestrator.errors import Refused, UsageError
from orchestrator.planner.model import Plan
from orchestrator.rollout.emergency import overridden

Emergency = Annotated[
    str | None,
    typer.Option(
        "--emergency",
        metavar="REASON",
        help="Begin outside of windows and in freezes, bake for no longer than machines must be well, ask for no approval; "
        "each is named first. Never loosens budgets, exclusions, orders, probes, gates, stops or holds.",
    ),
]

STAYS: Final = "budgets, exclusions, orders, probes, gates, stages, stops and holds are as always"


def emergency_reason(typed: str | None) -> str:
    """Why; empty if it is no emergency. Raises `UsageError` for one without a reason."""
    if typed is not None and not typed.strip():
        raise UsageError('say why it is an emergency: --emergency "CVE-2026-1234 is exploited"')
    return typed or ""


def tell_emergency(plan: Plan, reason: str, now: datetime, console: Console) -> None:
    """What an emergency shortens of a plan, each by name. In red; the word stands there for who sees no colour."""
    line(f"\nEMERGENCY: {reason}", console, style="bold red")
    shortened = overridden(plan, now)
    if shortened:
        bullets(shortened, console, style="red")
    else:
        line(
            "this plan has no window, freeze, longer bake or approval that it would shorten",
            console,
            style="red",
            indent=2,
        )
    line(STAYS, console, style="red", indent=2)


def ask(question: str, *, yes: bool, instead: str = "") -> None:
    """Have a person say yes, unless they have. Raises `Refused`, with what is given `instead` where nobody is here."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"nobody is here to say yes: give --yes{instead}")
    if not typer.confirm(question, default=False, err=True):
        raise Refused("not begun")
