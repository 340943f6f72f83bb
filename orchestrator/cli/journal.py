"""`wavekeeper journal`: is it sound, take a copy, hand its facts to other programs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, count, line, print_json, when
from orchestrator.service.journal import Checked, check
from orchestrator.service.journal import export as exported
from orchestrator.wiring.journal import back_up, file_problems, journal_path, look_into

HELP = "Check, copy and export the journal. All three may be done while a rollout runs."

Rollout = Annotated[
    str, typer.Option("--rollout", help="Only this rollout's, by its whole id; else everything.")
]


def register(app: typer.Typer) -> None:
    """Add the command and the verbs under it."""
    group = typer.Typer(no_args_is_help=True)
    group.command(name="verify")(verify)
    group.command(name="backup")(backup)
    group.command(name="export")(export)
    app.add_typer(group, name="journal", help=HELP)


def verify(journal: options.JournalFile = None, as_json: options.AsJson = False) -> None:
    """Read everything and say what can't be trusted. Changes nothing; exit code 1 if anything is wrong."""
    path = journal_path(journal)
    found, broken = asyncio.run(_verify(path))
    problems = [*broken, *found.problems]
    if as_json:
        print_json(
            {
                "journal": str(path),
                "sound": not problems,
                "problems": problems,
                "rows": found.rows,
                "first": found.first,
                "last": found.last,
                "rollouts": found.rollouts,
                "unfinished": found.unfinished,
            }
        )
    else:
        _tell(path, found, problems)
    if problems:
        raise typer.Exit(1)


async def _verify(path: Path) -> tuple[Checked, list[str]]:
    broken = await file_problems(path)
    journal = await look_into(path)
    try:
        return await check(journal), broken
    finally:
        await journal.close()


def _tell(path: Path, found: Checked, problems: list[str]) -> None:
    span = f", from {when(found.first)} to {when(found.last)}" if found.rows else ""
    line(f"{path}: {count(found.rows, 'good row')}, {count(found.rollouts, 'rollout')}{span}")
    if not problems:
        line("sound: every row's seal, every plan's digest, and the order of all facts hold", style="green")
        if found.unfinished:
            line(f"not over yet: {', '.join(found.unfinished)}")
        return
    line(f"NOT sound, {count(len(problems), 'problem')}; nothing was changed:", style="bold red")
    bullets(problems)
    line("Start nothing on it. Keep this file, restore the last backup under its name, and verify that.")
    line(
        "A backup doesn't know what was begun since: before you resume from it, look at the machines in the cloud."
    )


def backup(
    to: Annotated[Path, typer.Argument(help="The copy; it must not be there yet.")],
    journal: options.JournalFile = None,
) -> None:
    """Copy the journal as it is at one moment, also while a rollout writes it, and check the copy."""
    path = journal_path(journal)
    found = asyncio.run(_back_up(path, to))
    if found.problems:
        line(f"{to}: was copied, but isn't sound, as the journal isn't:", style="bold red")
        bullets(found.problems)
        raise typer.Exit(1)
    size = to.stat().st_size
    line(f"{to}: {count(found.rows, 'row')}, {count(size, 'byte')}, checked")


async def _back_up(path: Path, to: Path) -> Checked:
    await back_up(path, to)
    copy = await look_into(to)
    try:
        return await check(copy)
    finally:
        await copy.close()


def export(journal: options.JournalFile = None, rollout: Rollout = "") -> None:
    """Print every decision as a line of JSON, oldest first. Signed URLs are cut short."""
    asyncio.run(_export(journal_path(journal), rollout))


async def _export(path: Path, rollout: str) -> None:
    journal = await look_into(path)
    try:
        async for row in exported(journal, rollout):
            sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
    finally:
        await journal.close()
