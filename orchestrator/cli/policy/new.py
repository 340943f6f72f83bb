"""`wavekeeper policy new`: a first policy for machines of a real inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from orchestrator.cli import options
from orchestrator.cli.output import count, err, line, out, print_json
from orchestrator.cli.source import source
from orchestrator.drafting import text
from orchestrator.drafting.draft import draft
from orchestrator.drafting.found import found
from orchestrator.errors import Defect, PolicyError, Refused
from orchestrator.planner.plan import plan
from orchestrator.planner.summary import summarize
from orchestrator.policy.load import load_one
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.select import matcher, parse_selector_expression
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor, write_new

SCHEMA: Final = "schema.json"
"""Where editors find the language, in the folder of the policies."""


def new(
    select: Annotated[
        str | None,
        typer.Option(
            "--select", help="Which machines, such as tag:app=shop,region=westeurope; all if left out."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The policy's name; of the selection if left out.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the policy to this file, which must be a new one."),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a commented first policy for a selection of machines, with the groups that were found among them.

    Groups by tags that look like tiers, clusters or rings, with their sizes; a majority where machines seem to vote, a share where
    they seem alike. The policy passes `policy check`, and it is said how it plans.
    """
    wanted = parse_selector_expression(select) if select is not None else EVERYTHING
    where = source(inventory, subscription, endpoint)
    fleet = where.read()
    machines = [machine for machine in fleet.machines if matcher(wanted)(machine)]
    if not machines:
        raise Refused(f"--select {select}: none of {count(len(fleet.machines), 'machine')} is selected")
    called = text.name(name or _name_of(wanted), "policy")
    told = f"inventory {inventory.name}" if inventory is not None else "Azure"
    content = draft(called, wanted, found(machines), told)
    if output is not None and (output.parent / SCHEMA).exists():
        content = f"# yaml-language-server: $schema={SCHEMA}\n{content}"
    try:
        policy = load_one(f"{called}.yaml", content)
    except PolicyError as error:
        raise Defect(f"the policy that was made can't be read, which is our mistake:\n{error}") from None
    try:
        summary = summarize(plan(build(fleet), [policy], floor()))
        plans = f"it plans {count(summary.machines, 'machine')} of {len(machines):,} in {count(summary.longest, 'wave')} one after another"
    except Refused as refused:
        plans = f"as the machines stand now, {refused}"
    if output is not None:
        write_new(output, content.encode())
    if as_json:
        print_json({"name": called, "policy": content, "plans": plans, "file": str(output or "")})
    elif output is None:
        out.file.write(content)
    line(plans, err)
    if output is not None:
        line(f"kept in {output}. Next: wavekeeper policy check {output} {where.typed()}", err)
        if not (output.parent / SCHEMA).exists():
            schema = output.parent / SCHEMA
            line(f"for an editor that completes and explains: wavekeeper policy schema -o {schema}", err)


def _name_of(select: Selector) -> str:
    """A name out of the first values of a selection: `shop-westeurope`."""
    words = [values[0] if values != ("*",) else tag for tag, values in select.tags]
    words += [
        value for values in (select.names, select.regions, select.resource_groups) for value in values[:1]
    ]
    return "-".join(words[:3]) or "everything"
