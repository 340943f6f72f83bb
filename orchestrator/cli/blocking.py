"""`wavekeeper block` and `unblock`: keep an update out of every campaign at once, running ones included."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, line, out, print_json
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.planner.model import Plan
from orchestrator.rollout.letters import make
from orchestrator.rollout.state import Scope
from orchestrator.service.blocking import blocked_lines, kb_digits, look_for_installed, what_it_means_for
from orchestrator.service.look import look
from orchestrator.service.verbs import carry_out
from orchestrator.wiring.journal import journal_path, look_into, open_journal, whoami


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="block")(block)
    app.command(name="unblock")(unblock)


def block(
    kb: Annotated[
        str | None, typer.Argument(help="The update, such as KB5087423; without it, what is blocked.")
    ] = None,
    reason: options.Reason = "",
    journal: options.JournalFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Keep an update out of every campaign of this journal at once, running ones included.

    From now on no request asks for it. What is under way is carried through; what has it already is told, and `wavekeeper rollback`
    takes it back. It is a fact with your name and reason; `unblock` lets it in again.
    """
    path = journal_path(journal)
    if kb is None:
        _list(path, as_json=as_json)
    else:
        asyncio.run(_carry_out("block", kb_digits(kb), reason, path, as_json=as_json))


def unblock(
    kb: Annotated[str, typer.Argument(help="The update, such as KB5087423.")],
    reason: options.Reason = "",
    journal: options.JournalFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Let an update in again that was blocked."""
    asyncio.run(_carry_out("unblock", kb_digits(kb), reason, journal_path(journal), as_json=as_json))


async def _carry_out(verb: str, kb: str, reason: str, path: Path, *, as_json: bool) -> None:
    if not reason.strip():
        raise UsageError(f"say why, for whoever reads it later: wavekeeper {verb} KB{kb} --reason ...")
    journal = await open_journal(path)
    try:
        scope = await look(journal)
        emulated = any(rollout.scale != 1 for rollout in scope.rollouts.values())
        now = scope.last if emulated and scope.last is not None else SystemClock().now()
        await carry_out(journal, make(verb, kb=kb, who=whoami(), reason=reason), now, whoami())
        scope, who_has = await look_for_installed(journal, kb)
    finally:
        await journal.close()
    has = [str(one) for one in who_has]
    if as_json:
        print_json({"verb": verb, "kb": kb, "blocked": list(blocked_lines(scope)), "has_it_already": has})
        return
    if verb == "unblock":
        line(f"KB{kb} is let in again", out)
        return
    line(f"{scope.blocked[kb]}", out, style="bold")
    going_on = scope.active()
    if going_on:
        line(f"no request of {', '.join(one.id for one in going_on)} asks for it from now on", out)
    if has:
        bullets(has, out, style="yellow")
        line(f"take it back: wavekeeper rollback {who_has[0].rollout} -o rollback.json", out)


def _list(path: Path, *, as_json: bool) -> None:
    scope = asyncio.run(_scope(path)) if path.exists() else Scope()
    lines = blocked_lines(scope)
    if as_json:
        print_json({"blocked": list(lines)})
    else:
        bullets(lines or ("nothing is blocked",), out)


async def _scope(path: Path) -> Scope:
    journal = await look_into(path)
    try:
        return await look(journal)
    finally:
        await journal.close()


def blocks_of(plan: Plan, path: Path) -> list[str]:
    """What the journal there keeps out, and what that means for a plan; nothing where there is no journal yet."""
    if not path.exists():
        return []
    scope = asyncio.run(_scope(path))
    meaning = what_it_means_for(plan, scope)
    return [*blocked_lines(scope), *([meaning] if meaning else [])]
