"""`wavekeeper policy show`: what holds for one machine, and where each value was written."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import columns, line, out, print_json, print_table
from orchestrator.cli.policy.own import own
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.policy.describe import describe
from orchestrator.wiring.files import floor, read_policies


def show(
    machine: Annotated[str, typer.Argument(help="Its name, or its id where the name is not unique.")],
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what holds for one machine, all policies taken together, and where each value was written."""
    read = own(read_policies(policies or []))
    found = find(source(inventory, subscription, endpoint).read(), machine)
    settings = describe(found, read, floor())
    if as_json:
        rows = [
            {"key": s.key, "value": s.value, "file": s.origin.file, "line": s.origin.line} for s in settings
        ]
        print_json({"machine": found.id, "name": found.name, "settings": rows})
        return
    zone = f" zone {found.zone}" if found.zone else ""
    out.print(
        Text.assemble((found.name, "bold"), f"  {found.location}{zone}  {found.resource_group}  {found.os}\n")
    )
    table = columns("what", "holds", "written in")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True  # what is held gives way, places stay whole
    before = ""
    for setting in settings:
        table.add_row("" if setting.key == before else setting.key, Text(setting.value), str(setting.origin))
        before = setting.key
    print_table(table)
    if not any(setting.key == "change" for setting in settings):
        line("\nno campaign changes it")


def find(inventory: Inventory, who: str) -> Machine:
    """The machine of an inventory that is meant, by id or name. Raises `UsageError` for none, or several."""
    wanted = who.strip().rstrip("/").lower()
    found = [machine for machine in inventory.machines if wanted in (machine.id, machine.name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = "\n".join(f"  {machine.arm_id}" for machine in found)
        raise UsageError(f"{len(found)} machines are called {who}; name one by its id:\n{ids}")
    near = get_close_matches(wanted, sorted({machine.name.lower() for machine in inventory.machines}), n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"the inventory holds no machine {who}{meant}")
