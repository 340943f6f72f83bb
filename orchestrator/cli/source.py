"""SOURCE: where a command reads the fleet from, a file or live."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.errors import CloudError, Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.regions import with_regions
from orchestrator.inventory.runs import RunsRead, runs_from_rows
from orchestrator.wiring.assessments import with_kept
from orchestrator.wiring.cloud import Cloud, open_cloud
from orchestrator.wiring.files import read_inventory


@dataclass(frozen=True, slots=True)
class Source:
    """What the options said; exactly one of file and subscriptions."""

    file: Path | None
    subscriptions: tuple[str, ...]
    endpoint: str | None

    def read(self) -> Inventory:
        """The inventory. Raises `UsageError`, `Refused` for an empty fleet, `AccessDenied`."""
        return self.read_file() or asyncio.run(self._live())

    def read_file(self) -> Inventory | None:
        """The inventory of the file, if it is one. Raises as `read`."""
        return read_inventory(self.file) if self.file is not None else None

    async def try_reading(self, cloud: Cloud) -> tuple[Inventory | None, str]:
        """The inventory from a cloud that is open already, or why there is none."""
        try:
            if self.file is not None:
                return read_inventory(self.file), ""
            return await live_inventory(cloud, self.subscriptions), ""
        except (CloudError, Refused) as error:
            return None, str(error)

    def typed(self) -> str:
        """The options that say the same, for the next command to try."""
        if self.file is not None:
            return f"--inventory {self.file}"
        return " ".join(f"--subscription {name}" for name in self.subscriptions) + self.typed_endpoint()

    def typed_endpoint(self) -> str:
        """The option for another ARM than Azure's own, with a blank before it; else nothing."""
        return f" --endpoint {self.endpoint}" if self.endpoint else ""

    async def _live(self) -> Inventory:
        cloud = await open_cloud(self.endpoint)
        try:
            return await live_inventory(cloud, self.subscriptions)
        finally:
            await cloud.provider.close()


def source(file: Path | None, subscriptions: list[str] | None, endpoint: str | None) -> Source:
    """Check what was typed. Raises `UsageError` that says what to type."""
    if file is not None and subscriptions:
        raise UsageError("give either --inventory FILE or --subscription ID, not both")
    if file is None and not subscriptions:
        raise UsageError(
            "where is the fleet? Give --subscription ID (live, after `az login`), or --inventory FILE, such as what "
            "`az vm list --show-details -o json` prints",
        )
    return Source(file, tuple(subscriptions or ()), endpoint)


async def history_of(fleet: Inventory, endpoint: str | None) -> tuple[RunsRead, datetime]:
    """What Azure remembers of patch runs on these machines, and the time by which it was asked."""
    cloud = await open_cloud(endpoint)
    try:
        now = cloud.clock.now()
        rows = await cloud.provider.patch_runs(sorted({machine.subscription for machine in fleet.machines}))
        return runs_from_rows(rows), now
    finally:
        await cloud.provider.close()


async def live_inventory(cloud: Cloud, subscriptions: tuple[str, ...]) -> Inventory:
    """The fleet as the cloud tells it now, with what earlier assessments found on it. An empty one is refused."""
    inventory = with_regions(await cloud.provider.inventory(subscriptions))
    if not inventory.machines:
        raise Refused(f"no virtual machine in {', '.join(subscriptions)}; is it the right subscription?")
    return with_kept(inventory, cloud.endpoint)
