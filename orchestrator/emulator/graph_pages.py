"""What Resource Graph found for a query, kept so that its next pages agree with the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.emulator import kql
from orchestrator.emulator.dealing import Dealt
from orchestrator.emulator.interfaces import pools_by_machine
from orchestrator.emulator.state import Json
from orchestrator.inventory.model import MachineId, ResourceId

KEPT = 16
"""Results that are kept, those asked for last: real tokens don't last for ever either."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one query at the time of its first page: whole, or machines whose rows are made when they are shown."""

    query: kql.Query
    rows: Sequence[Json | str]
    asked_at: datetime


@dataclass(slots=True)
class Pages:
    """What was found for the last few queries, by the name that their tokens give them."""

    found: dict[str, Found] = field(default_factory=dict)
    asked: int = 0
    _pools: Mapping[MachineId, set[ResourceId]] | None = None

    def opened(self, name: str) -> Found | None:
        """A result that is kept, and will be for longer now."""
        found = self.found.pop(name, None)
        if found is not None:
            self.found[name] = found
        return found

    def keep(self, found: Found) -> str:
        """Keep a result, and forget the oldest."""
        self.asked += 1
        name = str(self.asked)
        self.found[name] = found
        while len(self.found) > KEPT:
            del self.found[next(iter(self.found))]
        return name

    def pools(self, dealt: Dealt) -> Mapping[MachineId, set[ResourceId]]:
        """The back-end pools of each machine, which don't change."""
        if self._pools is None:
            self._pools = pools_by_machine(dealt)
        return self._pools
