"""`wavekeeper journal`: is it sound, take a copy, hand its facts to other programs."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, count, line, print_json, when
from orchestrator.cli.place import Place, placed
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.policy.values import read_positive_duration
from orchestrator.rollout.retention import Retention
from orchestrator.service.journal import Checked, check, settle_copy
from orchestrator.service.journal import export as exported
from orchestrator.service.office import Went
from orchestrator.wiring.journal import (
    back_up,
    file_problems,
    is_archive,
    look_into,
    restored,
    whoami,
)
from orchestrator.wiring.journal import upgrade as upgraded

HELP = "Check, copy, export and archive the journal, while a rollout runs too; restore it from a copy, bring an older one up to date."

Rollout = Annotated[
    str, typer.Option("--rollout", help="Only this rollout's, by its whole id; else everything.")
]


THERE = "run it there, with --journal FILE"
"""What to do about a command that needs the file, where a daemon was named."""


def register(app: typer.Typer) -> None:
    """Add the command and the verbs under it."""
    group = typer.Typer(no_args_is_help=True)
    group.command(name="verify")(placed(verify))
    group.command(name="backup")(placed(backup))
    group.command(name="export")(placed(export))
    group.command(name="archive")(placed(archive))
    group.command(name="restore")(placed(restore))
    group.command(name="upgrade")(placed(upgrade))
    app.add_typer(group, name="journal", help=HELP)


def verify(as_json: options.AsJson = False, *, place: Place) -> None:
    """Read everything and say what can't be trusted. Changes nothing; exit code 1 if anything is wrong."""
    path = place.file("journal verify", THERE)
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
                "archived_rows": found.went,
                "archives": found.archives,
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
        return await check(journal, in_archive=await is_archive(path)), broken
    finally:
        await journal.close()


def _tell(path: Path, found: Checked, problems: list[str]) -> None:
    span = f", from {when(found.first)} to {when(found.last)}" if found.rows else ""
    line(f"{path}: {count(found.rows, 'good row')}, {count(found.rollouts, 'rollout')}{span}")
    if not problems:
        line("sound: every row's seal, every plan's digest, and the order of all facts hold", style="green")
        if found.archives:
            line(f"{count(found.went, 'row')} more in: {', '.join(found.archives)}")
        if found.unfinished:
            line(f"not over yet: {', '.join(found.unfinished)}")
        return
    line(f"NOT sound, {count(len(problems), 'problem')}; nothing was changed:", style="bold red")
    bullets(problems)
    line("Start nothing on it. Move this file away and keep it, then: wavekeeper journal restore BACKUP")
    line(
        "A backup doesn't know what was begun since: look at the machines in the cloud before you plan anew."
    )


def backup(
    to: Annotated[Path, typer.Argument(help="The copy; it must not be there yet.")],
    *,
    place: Place,
) -> None:
    """Copy the journal as it is at one moment, also while a rollout writes it, and check the copy."""
    path = place.file("journal backup", THERE)
    found = asyncio.run(_back_up(path, to))
    if found.problems:
        line(f"{to}: was copied, but isn't sound, as the journal isn't:", style="bold red")
        bullets(found.problems)
        raise typer.Exit(1)
    size = to.stat().st_size
    line(f"{to}: {count(found.rows, 'row')}, {count(size, 'byte')}, checked")


async def _back_up(path: Path, to: Path) -> Checked:
    await back_up(path, to, SystemClock().now())
    copy = await look_into(to)
    try:
        return await check(copy)
    finally:
        await copy.close()


def archive(
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Only rollouts that ended before this, such as 90d.")
    ] = None,
    keep_last: Annotated[
        int | None, typer.Option("--keep-last", min=0, help="All but so many, those that ended last.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The archive; else beside the journal, numbered.")
    ] = None,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Move rollouts that are over into a file of their own, also while others run. Machines that they left out stay counted here.

    With both options a rollout goes only if both say so. Every command reads an archive: --journal ARCHIVE.
    """
    if older_than is None and keep_last is None:
        raise UsageError("say what may go: --older-than 90d, or --keep-last 100, or both")
    went = asyncio.run(_archive(place, to, Retention(_age(older_than), keep_last or 0)))
    if as_json:
        print_json({"archive": went.archive, "rows": went.rows, "rollouts": list(went.rollouts)})
        return
    line(f"{went.archive}: {count(len(went.rollouts), 'rollout')}, {count(went.rows, 'row')}", style="green")
    if went.left:
        line("still out by them, and counted here until seen well or written off:")
        bullets(went.left)
    if went.space:
        line(f"the journal's file keeps its size, and uses that space again: {went.space}")


def _age(typed: str | None) -> timedelta:
    try:
        return timedelta(0) if typed is None else read_positive_duration(typed)
    except ValueError as error:
        raise UsageError(f"--older-than {typed}: {error}") from None


async def _archive(place: Place, to: Path | None, retention: Retention) -> Went:
    async with place.office() as office:
        return await office.archive(retention, to)


def restore(
    copy: Annotated[Path, typer.Argument(help="The backup to go on from; it stays as it is.")],
    *,
    place: Place,
) -> None:
    """Go on from a backup, in the journal's place. Its rollouts are ended, so that nothing is begun that may have been begun."""
    path = place.file("journal restore", "end the daemon, then " + THERE)
    ended = asyncio.run(_restore(copy, path))
    line(f"{path}: restored from {copy}", style="green")
    for rollout in ended:
        line(
            f"{rollout} was ended: what was begun since the backup isn't known, so nothing more is begun of it"
        )
    if ended:
        line("Carry through what was under way: the same wavekeeper rollout command as before.")
        line("Then wait until no machine of it is being patched in the cloud, and plan what is left anew.")


async def _restore(copy: Path, path: Path) -> tuple[str, ...]:
    who, now = whoami(), SystemClock().now()
    async with restored(copy, path, who, now) as journal:
        return await settle_copy(journal, who, now)


def upgrade(*, place: Place) -> None:
    """Bring a journal of an older Wavekeeper to the present form. The old file is kept beside it."""
    path = place.file("journal upgrade", "end the daemon, then " + THERE)
    kept = path.with_name(f"{path.name}.before-upgrade")
    if asyncio.run(upgraded(path, kept, whoami(), SystemClock().now())):
        line(f"{path}: is of the present form now; as it was: {kept}", style="green")
    else:
        line(f"{path}: is of the present form already; nothing was changed")


def export(rollout: Rollout = "", *, place: Place) -> None:
    """Print every decision as a line of JSON, oldest first. Signed URLs are cut short."""
    instead = f"{THERE}; what a daemon lets you see: wavekeeper status ROLLOUT --history --server ..."
    asyncio.run(_export(place.file("journal export", instead), rollout))


async def _export(path: Path, rollout: str) -> None:
    journal = await look_into(path)
    try:
        async for row in exported(journal, rollout):
            sys.stdout.buffer.write(
                orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
            )
        sys.stdout.buffer.flush()
    finally:
        await journal.close()
