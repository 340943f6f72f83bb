"""`wavekeeper policy check`: are the policies right, and whom do they select?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, columns, count, heading, line, print_json, print_table
from orchestrator.cli.policy.against import Against, held_against
from orchestrator.cli.policy.own import own
from orchestrator.cli.source import source
from orchestrator.inventory.model import Inventory
from orchestrator.policy.model import Policy, Restart
from orchestrator.topology.graph import build
from orchestrator.wiring.files import read_policies

POLICIES = Path("policies")
"""Where `policy check` looks if nobody says."""

NOBODY = Inventory(taken_at=None, source="", machines=())
"""A fleet of no machines."""


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Policy files and folders of them; `policies` if none is named."),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
) -> None:
    """Check policies, and with an inventory whom they select and which of their rules match nothing.

    Everything that is wrong is told at once, as file:line:column, with what to write instead; the exit code is then 2.
    """
    read = read_policies(paths or [POLICIES])
    held_against(build(NOBODY), read)  # what contradicts itself does so whatever the fleet
    if inventory is None and not subscription:
        _tell(own(read), None, as_json=as_json)
        return
    against = held_against(build(source(inventory, subscription, endpoint).read()), read)
    _tell(own(read), against, as_json=as_json)


def _tell(policies: Sequence[Policy], against: Against | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"policies": [_row(policy, against) for policy in policies], **_findings(against)})
        return
    if not policies:
        line("nothing but the built-in rules, which hold anyway")
        return
    line(f"{count(len(policies), 'policy is', 'policies are')} valid", style="bold")
    headings = ["file", "policy", "changes", "rules", "probes", "steps"]
    if against is not None:
        headings.append(f"selects (of {against.machines:,})")
    table = columns(*headings, right=headings[3:])
    for policy in policies:
        row = _row(policy, against)
        figures = [row[key] for key in ("rules", "probes", "steps", "selects") if row[key] is not None]
        table.add_row(policy.file, policy.name, row["changes"] or "-", *(f"{figure:,}" for figure in figures))
    print_table(table)
    if against is None:
        return
    if against.nothing:
        heading("Matches nothing")
        bullets(f"{found.what} ({found.origin})" for found in against.nothing)
    if against.frozen:
        heading("Groups that admit nobody; their machines would be left out")
        bullets(f"{group.group}: {group.why} ({group.origin})" for group in against.frozen)


def _row(policy: Policy, against: Against | None) -> dict[str, Any]:
    return {
        "name": policy.name,
        "file": policy.file,
        "rules": len(policy.rules),
        "probes": len(policy.probes),
        "steps": len(policy.around),
        "changes": _changes(policy),
        "selects": None if against is None else against.selected[policy.name],
    }


def _changes(policy: Policy) -> str:
    if policy.campaign is None:
        return ""
    return "restart" if isinstance(policy.campaign.change, Restart) else "patches"


def _findings(against: Against | None) -> dict[str, Any]:
    if against is None:
        return {}
    return {
        "machines": against.machines,
        "matches_nothing": [
            {"what": found.what, "file": found.origin.file, "line": found.origin.line}
            for found in against.nothing
        ],
        "admit_nobody": [
            {"group": g.group, "why": g.why, "file": g.origin.file, "line": g.origin.line}
            for g in against.frozen
        ],
    }
