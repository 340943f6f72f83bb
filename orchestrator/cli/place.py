"""Where a command's rollouts are: in a journal on this machine.

A command that reads or steers takes one `place` and is registered through `placed`, which gives it the options that say which. What it
wants to know it asks of `place.office()`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from orchestrator.service.office import Office
from orchestrator.wiring.journal import journal_path
from orchestrator.wiring.office import JournalOffice

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
}
"""What a command that is `placed` may be given of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A journal, or a daemon."""

    journal: Path
    named: bool  # whether a person said which journal

    @asynccontextmanager
    async def office(self) -> AsyncIterator[Office]:
        """Whoever is to be asked."""
        yield JournalOffice(self.journal, self.named)

    def file(self) -> Path:
        """The journal, for a command that needs the file itself."""
        return self.journal


def place_of(journal: Path | None) -> Place:
    """What was typed, else what the environment says."""
    named = journal is not None or bool(os.environ.get("WAVEKEEPER_JOURNAL"))
    return Place(journal_path(journal), named)


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
