"""`wavekeeper inventory`: what is there, who can't be rolled and why, and what nobody knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.estate import read_estate
from orchestrator.cli.output import (
    bullets,
    columns,
    count,
    err,
    heading,
    line,
    out,
    print_json,
    print_table,
    some,
    when,
)
from orchestrator.cli.source import source
from orchestrator.errors import UsageError
from orchestrator.hotpatch.status import Status, status_of
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.inventory.standing import cannot_roll, is_off, unknowns
from orchestrator.inventory.underneath import Underneath, underneath
from orchestrator.policy.holds import why_held
from orchestrator.topology.graph import Topology, build
from orchestrator.topology.model import Group, GroupKind
from orchestrator.wiring.files import write_bytes

FIRST: Final = 8
"""Rows told of a long list; all of them with --all."""

_SOURCES: Final = {"arm": "Azure Resource Manager", "graph": "Azure Resource Graph"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="inventory")(inventory)


def inventory(
    subscription: options.Subscriptions = None,
    inventory_file: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    all_subscriptions: Annotated[
        bool,
        typer.Option("--all-subscriptions", help="Read every subscription that this identity can see, live."),
    ] = False,
    via: Annotated[
        Via | None,
        typer.Option(
            help="Whom to ask: Resource Graph (quick, up to a minute behind; for many subscriptions) or ARM (each machine's "
            "agent and health as well). Default: ARM for --subscription, Resource Graph for --all-subscriptions."
        ),
    ] = None,
    updates: Annotated[
        bool,
        typer.Option(help="By Resource Graph: also what each machine lacks, and what was installed on it."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Keep the inventory in this file: .json or .json.gz."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All groups and machines by name.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Count machines and the groups they stand in, and say who can't be rolled, and what isn't known.

    Kept with -o, an inventory holds every fact that was read: plan from it, check against it, emulate it.
    """
    kept_in(output)
    held = _read(inventory_file, subscription, endpoint, via, every=all_subscriptions, updates=updates)
    if output is not None:
        write_bytes(output, native.dump(held))
    seen = take_stock(build(held))
    if as_json:
        print_json(to_json(seen))
    else:
        print_stock(seen, everything=everything)
    if output is not None:
        line(f"\nkept in {output}", err if as_json else out)


def kept_in(output: Path | None) -> Path | None:
    """Where an inventory is to be kept, if anywhere. Raises `UsageError` before anything is read for it."""
    if output is not None and not output.name.endswith((".json", ".json.gz")):
        raise UsageError(
            f"an inventory is kept as JSON, not as {output.name}: name a file that ends in .json or .json.gz"
        )
    return output


class Via(StrEnum):
    """Whom to ask of Azure."""

    GRAPH = "graph"
    ARM = "arm"


def _read(
    file: Path | None,
    subscriptions: list[str] | None,
    endpoint: str | None,
    via: Via | None,
    *,
    every: bool,
    updates: bool,
) -> Inventory:
    """From wherever the options say. Raises `UsageError` for options that contradict each other."""
    if every and (subscriptions or file is not None):
        raise UsageError("--all-subscriptions reads all of them: leave --subscription and --inventory away")
    if every and via is Via.ARM:
        raise UsageError(
            "ARM lists one subscription at a time: name them with --subscription, or leave --via away"
        )
    if file is not None and (via is not None or updates):
        raise UsageError("--via and --updates are about reading live: leave them away beside --inventory")
    if not every and via is not Via.GRAPH:
        if updates:
            raise UsageError("--updates are told by Resource Graph alone: add --via graph")
        return source(file, subscriptions, endpoint).read()
    if not every and not subscriptions:
        raise UsageError("which subscriptions? Give --subscription ID, or --all-subscriptions")
    return read_estate(None if every else subscriptions, endpoint, updates=updates)


@dataclass(frozen=True, slots=True)
class Stock:
    """An inventory in numbers."""

    topology: Topology
    facts: Mapping[str, Mapping[str, int]]  # "os" -> "linux" -> how many
    regions: tuple[str, ...]  # those with machines, sorted
    sets: tuple[Group, ...]  # availability sets, then scale sets
    cannot: Mapping[str, Sequence[Machine]]  # reason -> machines; those on hold, too
    underneath: tuple[Underneath, ...]  # who else patches them

    @property
    def inventory(self) -> Inventory:
        """What was counted."""
        return self.topology.inventory


def take_stock(topology: Topology) -> Stock:
    """Count."""
    machines = topology.inventory.machines
    reasons: dict[str, list[Machine]] = {}
    cannot = cannot_roll(topology.inventory)
    for machine in machines:
        reason = cannot.get(machine.id) or why_held(machine, topology.inventory.taken_at)
        if reason:
            reasons.setdefault(reason, []).append(machine)
    return Stock(
        topology=topology,
        facts={
            "kind": _counts(machine.kind for machine in machines),
            "os": _counts(machine.os for machine in machines),
            "power": _counts(machine.power for machine in machines),
            "agent": _counts(machine.agent for machine in machines),
            "hotpatch": _counts(status_of(machine) for machine in machines),
            "subscription": _counts(machine.subscription.lower() for machine in machines),
        },
        regions=tuple(sorted({machine.location for machine in machines})),
        sets=(*topology.groups(GroupKind.AVAILABILITY_SET), *topology.groups(GroupKind.SCALE_SET)),
        cannot=dict(sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))),
        underneath=underneath(topology.inventory),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(Counter(map(str, values)).items(), key=lambda item: (-item[1], item[0])))


def to_json(seen: Stock) -> dict[str, Any]:
    """The numbers, every group and every machine that can't be rolled, for programs."""
    inventory = seen.inventory
    return {
        "source": inventory.source,
        "taken_at": inventory.taken_at,
        "fingerprint": seen.topology.fingerprint,
        "machines": len(inventory.machines),
        **{f"by_{name}": counts for name, counts in seen.facts.items()},
        "by_region": {
            region: {
                "machines": len(held),
                "off": sum(map(is_off, held)),
                "zones": _counts(m.zone or "none" for m in held),
            }
            for region, held in ((region, _of_region(seen, region)) for region in seen.regions)
        },
        "groups": [
            {
                "kind": group.kind,
                "key": group.key,
                "name": group.name,
                "machines": len(group.members),
                "not_held": list(group.unknown),
            }
            for kind in GroupKind
            for group in seen.topology.groups(kind)
        ],
        "cannot_roll": [
            {"machine": machine.id, "name": machine.name, "why": reason}
            for reason, machines in seen.cannot.items()
            for machine in machines
        ],
        "also_patched": [one.to_json() for one in seen.underneath],
        "unknown": list(unknowns(inventory)),
        "unreadable": [{"what": each.what, "why": each.why} for each in inventory.unreadable],
    }


# For people -----------------------------------------------------------------------------------------------------


def print_stock(seen: Stock, *, everything: bool) -> None:
    """The numbers for people; `everything` leaves nothing out of the lists."""
    inventory = seen.inventory
    title = Text(count(len(inventory.machines), "machine"), style="bold")
    title.append(f" in {count(len(seen.facts['subscription']), 'subscription')}", style="not bold")
    source = f", from {_SOURCES.get(inventory.source, inventory.source)}" if inventory.source else ""
    taken = (
        f"taken {when(inventory.taken_at)}" if inventory.taken_at else "which doesn't say when it was taken"
    )
    out.print(title.append(f"{source}, {taken}" if source else "", style="not bold"))
    _print_facts(seen)
    _print_regions(seen)
    _print_sets(seen, everything=everything)
    _print_pools(seen, everything=everything)
    _print_cannot(seen, everything=everything)
    if seen.underneath:
        heading("Not yours alone")
        bullets((one.what for one in seen.underneath), style="yellow")
    missing = unknowns(inventory)
    if missing:
        heading("Not known")
        bullets(missing)


def _print_facts(seen: Stock) -> None:
    table = columns("", "")
    table.show_header = False
    for name in ("kind", "os", "power", "agent", "hotpatch"):
        counts = seen.facts[name]
        if name == "hotpatch" and not counts.keys() - {Status.NOT_AVAILABLE, Status.NOT_TOLD}:
            continue  # where nothing could be hotpatched, nobody asks
        told = ", ".join(f"{value.replace('_', ' ')} {number:,}" for value, number in counts.items())
        table.add_row(Text(name, style="bright_black"), told)
    print_table(table)


def _print_regions(seen: Stock) -> None:
    zones = sorted({machine.zone for machine in seen.inventory.machines if machine.zone is not None})
    shown = [f"zone {zone}" for zone in zones]
    headings = ("region", "machines", *shown, "no zone", "off")
    table = columns(*headings, "paired with", right=headings[1:])
    paired = _paired(seen)
    for region in seen.regions:
        held = _of_region(seen, region)
        by_zone = Counter(machine.zone for machine in held)
        figures = [len(held), *(by_zone[zone] for zone in zones), by_zone[None], sum(map(is_off, held))]
        cells = (f"{figure:,}" if figure else Text("-", style="bright_black") for figure in figures)
        table.add_row(region or "unknown", *cells, ", ".join(paired.get(region, ())))
    heading("Regions")
    print_table(table)


def _of_region(seen: Stock, region: str) -> list[Machine]:
    return [machine for machine in seen.inventory.machines if machine.location == region]


def _paired(seen: Stock) -> dict[str, list[str]]:
    """Region -> those that it is never touched together with, of the regions that hold machines."""
    found: dict[str, list[str]] = {}
    for pair in seen.topology.groups(GroupKind.REGION_PAIR):
        one, other = pair.key.split("|")
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return found


def _print_sets(seen: Stock, *, everything: bool) -> None:
    if not seen.sets:
        line("\nno machine stands in an availability set or a scale set")
        return
    in_sets = {machine for group in seen.sets for machine in group.members}
    outside = len(seen.inventory.machines) - len(in_sets)
    heading(f"Sets: {count(len(in_sets), 'machine')} in {len(seen.sets)}, {outside:,} in none")
    largest = sorted(seen.sets, key=lambda group: (-len(group.members), group.name, group.key))
    table = columns("set", "kind", "region", "machines", "domains", "", right=("machines",))
    for group in largest if everything else largest[:FIRST]:
        unread = f"{count(len(group.unknown), 'member')} can't be read" if group.unknown else ""
        kind = group.kind.replace("_", " ")
        table.add_row(
            group.name,
            kind,
            ", ".join(_regions_of(seen, group)),
            f"{len(group.members):,}",
            _domains(seen, group),
            unread,
        )
    print_table(table)
    _more(len(largest), "set", everything=everything)


def _print_pools(seen: Stock, *, everything: bool) -> None:
    """Nothing where there are none: many sources don't tell, and no rule of the floor asks for them."""
    pools = sorted(
        seen.topology.groups(GroupKind.LOAD_BALANCER), key=lambda pool: (-len(pool.members), pool.key)
    )
    if not pools:
        return
    behind = {machine for pool in pools for machine in pool.members}
    heading(f"Load balancers: {count(len(behind), 'machine')} in {count(len(pools), 'back-end pool')}")
    table = columns("pool", "region", "machines", "", right=("machines",))
    for pool in pools if everything else pools[:FIRST]:
        unread = f"{count(len(pool.unknown), 'member')} can't be read" if pool.unknown else ""
        table.add_row(pool.name, ", ".join(_regions_of(seen, pool)), f"{len(pool.members):,}", unread)
    print_table(table)
    _more(len(pools), "pool", everything=everything)


def _regions_of(seen: Stock, group: Group) -> Iterator[str]:
    yield from sorted({seen.topology.machine(machine).location for machine in group.members})


def _domains(seen: Stock, group: Group) -> str:
    """`5 update domains`, `unknown`, or both."""
    machines = [seen.topology.machine(machine) for machine in group.members]
    update = group.kind is GroupKind.AVAILABILITY_SET
    told = [machine.update_domain if update else machine.fault_domain for machine in machines]
    known = {domain for domain in told if domain is not None}
    unknown = sum(domain is None for domain in told)
    if not known:
        return "unknown"
    domains = count(len(known), "update domain" if update else "fault domain")
    return domains + (f", {unknown:,} unknown" if unknown else "")


def _print_cannot(seen: Stock, *, everything: bool) -> None:
    total = sum(map(len, seen.cannot.values()))
    if not total:
        line("\nevery machine can be rolled, as far as is known")
        return
    heading(f"Can't be rolled: {count(total, 'machine')}")
    table = columns("machines", "why", "who", right=("machines",))
    for reason, machines in seen.cannot.items():
        names = sorted(machine.name for machine in machines)
        table.add_row(f"{len(machines):,}", reason, some(names, len(names) if everything else 3))
    print_table(table)


def _more(total: int, noun: str, *, everything: bool) -> None:
    if not everything and total > FIRST:
        line(f"and {count(total - FIRST, noun)} more: --all", style="bright_black", indent=2)
