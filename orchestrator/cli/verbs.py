"""The verbs: pause, resume, approve, abort, emergency, retry, skip, write-off. Each takes a reason and is written down with who said it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import out, print_json
from orchestrator.cli.place import Place, placed
from orchestrator.errors import UsageError

HELP = {
    "pause": "No new grants; what has begun is carried through.",
    "resume": "Go on with the same plan, gates first. What had failed is acknowledged and doesn't count again.",
    "approve": "Open the next stage.",
    "abort": "End the rollout. Nothing is reverted; what is in flight is carried through.",
    "emergency": "Wait for less from now on: begin outside of windows and in freezes, bake for no longer than machines must be well, ask for no approval. Budgets, exclusions, orders, probes, gates, stops and holds stay.",
    "retry": "The next attempt at one machine, under a fresh grant.",
    "skip": "Not this machine; if it is out, it counts as out until it is well.",
    "write-off": "This machine won't come back: close its grant in your name.",
}


def register(app: typer.Typer) -> None:
    """Add a command for each verb."""
    for verb in ("pause", "resume", "approve", "abort", "emergency"):
        app.command(name=verb, help=HELP[verb])(placed(_of_rollout(verb)))
    for verb in ("retry", "skip", "write-off"):
        app.command(name=verb, help=HELP[verb])(placed(_of_machine(verb)))


def _of_rollout(verb: str) -> Callable[..., None]:
    def run(
        rollout: Annotated[str | None, typer.Argument(help="Its id or a beginning of it.")] = None,
        reason: options.Reason = "",
        as_json: options.AsJson = False,
        *,
        place: Place,
    ) -> None:
        asyncio.run(_carry_out(verb, rollout, reason, place, as_json=as_json))

    return run


def _of_machine(verb: str) -> Callable[..., None]:
    def run(
        machine: Annotated[str, typer.Argument(help="Its name, or its id where the name is not unique.")],
        reason: options.Reason = "",
        as_json: options.AsJson = False,
        *,
        place: Place,
    ) -> None:
        asyncio.run(_carry_out(verb, machine, reason, place, as_json=as_json))

    return run


async def _carry_out(verb: str, name: str | None, reason: str, place: Place, *, as_json: bool) -> None:
    if verb == "emergency" and not reason.strip():
        raise UsageError("say why, for whoever reads it later: wavekeeper emergency ROLLOUT --reason ...")
    async with place.office() as office:
        done = await office.carry_out(verb, name, reason)
    if as_json:
        print_json({"rollout": done.rollout, "verb": done.verb, "facts": list(done.facts)})
        return
    for line in done.facts or ["nothing had to be done"]:
        out.print(Text(line, style="bold red" if verb == "emergency" else ""))
    if verb in ("resume", "retry", "approve", "emergency") and not done.driven:
        out.print("no process drives it now; go on with the command that started it: wavekeeper rollout ...")
