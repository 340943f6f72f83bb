"""`wavekeeper block` and `unblock`: keep an update out of every campaign at once, running ones included."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, line, out, print_json
from orchestrator.cli.place import Place, placed
from orchestrator.errors import UsageError
from orchestrator.planner.model import Plan
from orchestrator.service.blocking import kb_digits, what_it_means_for
from orchestrator.service.office import Blocked


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="block")(placed(block))
    app.command(name="unblock")(placed(unblock))


def block(
    kb: Annotated[
        str | None, typer.Argument(help="The update, such as KB5087423; without it, what is blocked.")
    ] = None,
    reason: options.Reason = "",
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Keep an update out of every campaign of this journal at once, running ones included.

    From now on no request asks for it. What is under way is carried through; what has it already is told, and `wavekeeper rollback`
    takes it back. It is a fact with your name and reason; `unblock` lets it in again.
    """
    if kb is None:
        _list(place, as_json=as_json)
    else:
        asyncio.run(_carry_out("block", kb_digits(kb), reason, place, as_json=as_json))


def unblock(
    kb: Annotated[str, typer.Argument(help="The update, such as KB5087423.")],
    reason: options.Reason = "",
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Let an update in again that was blocked."""
    asyncio.run(_carry_out("unblock", kb_digits(kb), reason, place, as_json=as_json))


async def _carry_out(verb: str, kb: str, reason: str, place: Place, *, as_json: bool) -> None:
    if not reason.strip():
        raise UsageError(f"say why, for whoever reads it later: wavekeeper {verb} KB{kb} --reason ...")
    async with place.office() as office:
        done = await office.block(verb, kb, reason)
    has = [str(one) for one in done.has]
    if as_json:
        print_json({"verb": verb, "kb": kb, "blocked": list(map(str, done.blocked)), "has_it_already": has})
        return
    if verb == "unblock":
        line(f"KB{kb} is let in again", out)
        return
    line("\n".join(str(one) for one in done.blocked if one.kb == kb), out, style="bold")
    if done.going_on:
        line(f"no request of {', '.join(done.going_on)} asks for it from now on", out)
    if has:
        bullets(has, out, style="yellow")
        line(f"take it back: wavekeeper rollback {done.has[0].rollout} -o rollback.json", out)


def _list(place: Place, *, as_json: bool) -> None:
    lines = [str(one) for one in asyncio.run(_blocked(place))]
    if as_json:
        print_json({"blocked": lines})
    else:
        bullets(lines or ("nothing is blocked",), out)


async def _blocked(place: Place) -> tuple[Blocked, ...]:
    async with place.office() as office:
        return await office.blocked()


def blocks_of(plan: Plan, place: Place) -> list[str]:
    """What is kept out there, and what that means for a plan; nothing where there is no journal yet."""
    blocked = asyncio.run(_blocked(place))
    meaning = what_it_means_for(plan, {one.kb for one in blocked})
    return [*map(str, blocked), *([meaning] if meaning else [])]
