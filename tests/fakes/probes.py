"""Network probes without a network: the machines' own health endpoints, asked straight of the emulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from orchestrator.clock import Clock
from orchestrator.emulator.world import World
from orchestrator.policy.model import Probe
from orchestrator.probes.port import Reply, Subject

About = Callable[[World, str, datetime], str]
"""What is wrong with the group of a name, as whoever knows tells it; empty if all is well."""


@dataclass
class WorldProber:
    """Asks the machine that the subject names, whatever the url says, unless its host is `nowhere`.

    Of a group whatever `about` says.
    """

    world: World
    clock: Clock
    asked: int = 0
    about: About = lambda world, group, now: ""
    asked_of_groups: list[tuple[datetime, str]] = field(default_factory=list)

    async def ask(self, probe: Probe, subject: Subject) -> Reply:
        """One answer, at once."""
        self.asked += 1
        if urlsplit(probe.url or "").hostname == "nowhere":
            return Reply(well=False, asked=False, evidence="its url can't be filled in")
        if subject.group:
            now = self.clock.now()
            self.asked_of_groups.append((now, subject.group))
            wrong = self.about(self.world, subject.group, now)
            return Reply(well=not wrong, asked=True, evidence=wrong or "200")
        machine = next(m for m in self.world.machines() if m.endswith(f"/{subject.name.lower()}"))
        status, _ = self.world.probe(machine, self.clock.now())
        return Reply(well=status == 200, asked=True, evidence=str(status or "no answer"))

    async def close(self) -> None:
        """Nothing is held."""
