"""How long changes take: what a person gives, what a journal tells, and what a plan expects of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer
from rich.console import Console

from orchestrator.cli.output import count, line
from orchestrator.errors import UsageError
from orchestrator.planner.durations import CLASSES, ENOUGH, Duration, Durations, learn, read_duration
from orchestrator.planner.expected import expected
from orchestrator.planner.model import Plan
from orchestrator.service.history import History, history
from orchestrator.wiring.journal import look_into

LearnFrom = Annotated[
    list[Path] | None,
    typer.Option(
        "--learn-from",
        help="Learn how long changes take from what this journal tells of earlier rollouts; may be given several times.",
    ),
]
Takes = Annotated[
    list[str] | None,
    typer.Option(
        "--takes",
        help="How long a change takes where nothing is learned, mostly and 19 times of 20, such as 'patches azure_vm windows=20m/1h'.",
    ),
]

SHOWN: Final = 4
"""Classes told of a plan; a fleet rarely has more."""


def known_durations(
    journals: Sequence[Path] | None, given: Sequence[str] | None, console: Console
) -> Durations:
    """What is given, and over it what is learned. What was found is told.

    Raises:
        UsageError: with everything that can't be read.
    """
    told = _given(given or ())
    if not journals:
        return told
    found = asyncio.run(_read(journals))
    samples = [sample for one in found for sample in one.samples]
    for path, one in zip(journals, found, strict=True):
        _tell(path, one, console)
    return learn(samples, told)


async def _read(journals: Sequence[Path]) -> list[History]:
    found: list[History] = []
    told: set[tuple[str, str]] = set()
    for path in dict.fromkeys(journals):
        journal = await look_into(path)
        try:
            found.append(await history(journal, told))
            told |= found[-1].told
        finally:
            await journal.close()
    return found


def _tell(path: Path, found: History, console: Console) -> None:
    counts = found.counts()
    of_each = ", ".join(f"{number:,} of {name}" for name, number in counts.items()) or "none that ended well"
    few = any(number < ENOUGH for number in counts.values())
    least = f"; fewer than {ENOUGH} of a class aren't learned from" if few else ""
    line(
        f"{path} tells of {count(found.rollouts, 'rollout')}, of changes {of_each}{least}",
        console,
        style="bright_black",
    )
    if found.unread:
        line(f"the plans of {', '.join(found.unread)} can't be read: not counted", console, style="yellow")


def _given(typed: Sequence[str]) -> Durations:
    known: dict[str, Duration] = {}
    problems = []
    for text in typed:
        name, _, values = text.partition("=")
        name = " ".join(name.split())
        if name not in CLASSES:
            problems.append(
                f"--takes {text!r}: {name!r} is no class of changes; write one of "
                f"{', '.join(sorted({one.split()[0] for one in CLASSES}))}, the kind and the system, such as 'patches azure_vm windows=20m/1h'"
            )
            continue
        try:
            known[name] = read_duration(values)
        except ValueError as wrong:
            problems.append(f"--takes {text!r}: {wrong}")
    if problems:
        raise UsageError("\n".join(problems))
    return Durations(MappingProxyType(known))


def print_expected(plan: Plan, console: Console) -> None:
    """How long the changes of a plan are expected to take, and how that is known."""
    classes = expected(plan)
    for one in classes[:SHOWN]:
        line(f"expected of {one}", console, indent=2)
    if len(classes) > SHOWN:
        line(f"and of {len(classes) - SHOWN} classes more: --json", console, indent=2, style="bright_black")
    longest = max((one.takes.late for one in classes), default=timedelta())
    if any(machine.calendar is not None for machine in plan.machines) and longest:
        line(
            "steps and the time to stay well come on top; nothing is begun that can't end by then within its windows",
            console,
            indent=2,
            style="bright_black",
        )
