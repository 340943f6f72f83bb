"""`wavekeeper policy show`: what holds for one machine, and where each value was written."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import columns, err, line, out, print_json, print_table
from orchestrator.cli.source import source
from orchestrator.drafting.taken_together import Written, taken_together
from orchestrator.errors import Defect, PolicyError, UsageError
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.policy.describe import describe
from orchestrator.policy.effective import effective
from orchestrator.policy.holds import why_held
from orchestrator.policy.load import load
from orchestrator.policy.own import own
from orchestrator.wiring.files import floor, make_folder, read_policies, write_new


def show(
    machine: Annotated[str, typer.Argument(help="Its name, or its id where the name is not unique.")],
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_yaml: Annotated[
        bool,
        typer.Option("--yaml", help="Write it as a policy file that loads again, each value with its place."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="With --yaml: a folder for the files; none there is written over."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what holds for one machine, all policies taken together, and where each value was written."""
    if output is not None and not as_yaml:
        raise UsageError("-o is the folder of the files that --yaml writes; say both")
    if as_yaml and as_json:
        raise UsageError("--yaml and --json are two ways to print the same; say one")
    read = own(read_policies(policies or []))
    fleet = source(inventory, subscription, endpoint).read()
    found = find(fleet, machine)
    if as_yaml:
        _as_yaml(taken_together(found, effective(found, read)), output)
        return
    settings = describe(found, read, floor())
    held = why_held(found, fleet.taken_at)
    if as_json:
        rows = [
            {"key": s.key, "value": s.value, "file": s.origin.file, "line": s.origin.line} for s in settings
        ]
        print_json({"machine": found.id, "name": found.name, "held": held, "settings": rows})
        return
    zone = f" zone {found.zone}" if found.zone else ""
    out.print(
        Text.assemble((found.name, "bold"), f"  {found.location}{zone}  {found.resource_group}  {found.os}\n")
    )
    if held is not None:
        line(f"nothing changes it now: {held}\n", style="bold yellow")
    table = columns("what", "holds", "written in")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True  # what is held gives way, places stay whole
    before = ""
    for setting in settings:
        table.add_row("" if setting.key == before else setting.key, Text(setting.value), str(setting.origin))
        before = setting.key
    print_table(table)
    if not any(setting.key == "change" for setting in settings):
        line("\nno campaign changes it")


def _as_yaml(files: Sequence[Written], folder: Path | None) -> None:
    """Kept in a folder, or printed one after another."""
    if not files:
        line("no policy says anything of it: the built-in rules hold, and there is nothing to write", err)
        return
    try:
        load([(one.file, one.text) for one in files])
    except PolicyError as error:
        raise Defect(f"the policy that was made can't be read, which is our mistake:\n{error}") from None
    if folder is None:
        out.file.write("---\n".join(one.text for one in files))
        if len(files) > 1:
            line(
                f"these are {len(files)} policies, and a file holds one; -o FOLDER keeps each in its own", err
            )
        return
    for one in files:
        if (folder / one.file).exists():
            raise UsageError(
                f"{folder / one.file} is there already and is left as it is; name another folder"
            )
    make_folder(folder)
    for one in files:
        write_new(folder / one.file, one.text.encode())
    kept = ", ".join(one.file for one in files)
    line(f"kept in {folder}: {kept}. Next: wavekeeper policy check {folder}", err)


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
