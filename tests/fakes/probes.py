"""Network probes without a network: the machines' own health endpoints, asked straight of the emulated world."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.clock import Clock
from orchestrator.emulator.world import World
from orchestrator.policy.model import Probe
from orchestrator.probes.port import Reply, Subject


@dataclass
class WorldProber:
    """Asks the machine that the subject names, whatever the url says, unless its host is `nowhere`."""

    world: World
    clock: Clock
    asked: int = 0

    async def ask(self, probe: Probe, subject: Subject) -> Reply:
        """One answer, at once."""
        self.asked += 1
        if urlsplit(probe.url or "").hostname == "nowhere":
            return Reply(well=False, asked=False, evidence="its url can't be filled in")
        machine = next(m for m in self.world.machines() if m.endswith(f"/{subject.name.lower()}"))
        status, _ = self.world.probe(machine, self.clock.now())
        return Reply(well=status == 200, asked=True, evidence=str(status or "no answer"))

    async def close(self) -> None:
        """Nothing is held."""
