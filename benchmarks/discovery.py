"""An inventory of 100,000 machines in hundreds of subscriptions, by Resource Graph over the wire: how many requests, how long?

    python benchmarks/discovery.py [--machines 100000] [--subscriptions 200] [--time-scale 1] [--json]

Of each ten machines four stand in a zone, three in an availability set, two in a Flexible scale set, and one is of Azure Arc. The emulator
keeps the published limits: fifteen queries of Resource Graph in five seconds for the one identity there is, a thousand rows a page, ARM's reads
for each subscription; an instance view's list has a hundred machines a page. This process does what `wavekeeper inventory
--all-subscriptions` does, with the Azure SDK's pipeline and real HTTP on loopback. Every zone, region pair and update domain has to be there
in the end, and every zone has to be the physical one.

Seconds are the cloud's: at a time scale of 1, real ones. Goal: within twice what Resource Graph's quota makes of its queries alone, and no
request refused.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments, busy_with_others, emulator, measured, peak_mib, tell
from in_flight import Answers, count_answers

from orchestrator.inventory import native
from orchestrator.inventory.discovery import Discovery, Progress
from orchestrator.inventory.model import (
    Agent,
    AvailabilitySet,
    Connection,
    Inventory,
    Kind,
    Machine,
    Orchestration,
    Os,
    Power,
    ScaleSet,
    machine_id,
    resource_id,
)
from orchestrator.inventory.regions import with_regions
from orchestrator.topology.graph import build
from orchestrator.topology.model import GroupKind
from orchestrator.wiring.cloud import open_cloud

REGIONS = (
    "westeurope",
    "northeurope",
    "eastus",
    "westus",
    "uksouth",
    "japaneast",
    "brazilsouth",
    "centralindia",
)


def fleet(count: int, subscriptions: int) -> Inventory:
    """So many machines, dealt to so many subscriptions."""
    machines = [_machine(number, subscriptions) for number in range(count)]
    sets: dict[str, list[Machine]] = {}
    for machine in machines:
        if machine.availability_set or machine.scale_set:
            sets.setdefault(str(machine.availability_set or machine.scale_set), []).append(machine)
    return Inventory(
        taken_at=None,
        source="benchmark",
        machines=tuple(sorted(machines, key=lambda machine: machine.id)),
        availability_sets=tuple(_availability_sets(sets)),
        scale_sets=tuple(_scale_sets(sets)),
    )


def _machine(number: int, subscriptions: int) -> Machine:
    application, role = divmod(number, 10)
    subscription = f"11111111-0000-4000-8000-{application % subscriptions:012d}"
    group = f"/subscriptions/{subscription}/resourceGroups/rg-{application:05d}"
    arc = role == 9
    provider = "Microsoft.HybridCompute/machines" if arc else "Microsoft.Compute/virtualMachines"
    arm_id = f"{group}/providers/{provider}/app{application:05d}-{role}"
    compute = f"{group}/providers/Microsoft.Compute"
    return Machine(
        id=machine_id(arm_id),
        arm_id=arm_id,
        name=f"app{application:05d}-{role}",
        subscription=subscription,
        resource_group=f"rg-{application:05d}",
        location=REGIONS[application % len(REGIONS)],
        kind=Kind.ARC if arc else Kind.AZURE_VM,
        os=Os.WINDOWS if application % 2 else Os.LINUX,
        zone=str(role % 3 + 1) if role < 4 else None,
        availability_set=resource_id(f"{compute}/availabilitySets/as") if 4 <= role < 7 else None,
        scale_set=resource_id(f"{compute}/virtualMachineScaleSets/flex") if 7 <= role < 9 else None,
        tags={"app": f"app{application:05d}"},
        power=Power.RUNNING,
        agent=Agent.READY,
        connection=Connection.CONNECTED if arc else Connection.UNKNOWN,
    )


def _availability_sets(sets: dict[str, list[Machine]]) -> Iterator[AvailabilitySet]:
    for one, held in sorted(sets.items()):
        if held[0].availability_set:
            members = tuple(sorted(machine.id for machine in held))
            yield AvailabilitySet(resource_id(one), "as", held[0].location, 5, 3, members)


def _scale_sets(sets: dict[str, list[Machine]]) -> Iterator[ScaleSet]:
    for one, held in sorted(sets.items()):
        if held[0].scale_set:
            members = tuple(sorted(machine.id for machine in held))
            yield ScaleSet(resource_id(one), "flex", held[0].location, Orchestration.FLEXIBLE, 3, members)


async def discovered(url: str) -> Discovery:
    """The estate, as the command reads it."""
    cloud = await open_cloud(url)
    last: Progress | None = None

    def show(progress: Progress) -> None:
        nonlocal last
        if last is None or last.what != progress.what or progress.done - last.done >= 20_000:
            print(f"{progress.what}: {progress.done:,} of {progress.total:,}", file=sys.stderr, flush=True)
            last = progress

    try:
        return await cloud.provider.discover(None, show)
    finally:
        await cloud.provider.close()


def judged(found: Discovery, count: int) -> None:
    """End the measurement if anything is missing."""
    held = with_regions(found.inventory)
    assert len(held.machines) == count, f"{len(held.machines)} machines of {count}"
    assert held.unreadable == (), held.unreadable[:3]
    assert all(m.update_domain is not None for m in held.machines if m.availability_set)
    topology = build(held)
    assert not topology.zone_mapping_unknown
    assert len(topology.groups(GroupKind.ZONE)) == 3 * len({m.location for m in held.machines if m.zone})
    assert topology.groups(GroupKind.REGION_PAIR)


def main() -> None:
    """Measure."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=100_000)
    parser.add_argument("--subscriptions", type=int, default=200)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--make", type=Path, help="only write the fleet into this file")
    given = parser.parse_args()
    if given.make is not None:
        given.make.write_bytes(native.dump(fleet(given.machines, given.subscriptions)))
        return
    answers = Answers()
    count_answers(answers)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.json"
        sizes = ("--machines", str(given.machines), "--subscriptions", str(given.subscriptions))
        made = (sys.executable, __file__, "--make", str(path), *sizes)  # its memory isn't the reader's
        subprocess.run(made, check=True)
        with emulator(path, given.time_scale) as url, measured() as used:
            found = asyncio.run(discovered(url))
    judged(found, given.machines)
    seconds = found.took.total_seconds()
    quota_s = found.queries / 3
    figures: dict[str, Any] = {
        "machines": given.machines,
        "subscriptions": found.subscriptions,
        "time_scale": given.time_scale,
        "queries": found.queries,
        "reads": found.reads,
        "refused": answers.refused,
        "seconds": round(seconds, 1),
        "quota_seconds": round(quota_s, 1),
        "cpu_s": round(used.cpu_s, 1),
        "peak_mib": round(peak_mib()),
        "foreign": used.foreign,
    }
    rows = [
        (
            f"{given.machines:,} machines in {found.subscriptions:,} subscriptions",
            f"{seconds:.0f} s",
            f"{2 * quota_s:.0f} s",
        ),
        ("queries of Resource Graph", f"{found.queries:,}", ""),
        ("reads of ARM", f"{found.reads:,}", ""),
        ("requests refused", f"{answers.refused:,}", "0"),
        ("CPU", f"{used.cpu_s:.0f} s", ""),
        ("memory at most", f"{peak_mib():.0f} MiB", ""),
        *busy_with_others(used.foreign),
    ]
    tell(figures, rows, as_json=given.json)


if __name__ == "__main__":
    main()
