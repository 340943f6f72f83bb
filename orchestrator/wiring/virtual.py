"""A rollout put together in virtual time: the emulator's world behind the cloud's port, a journal in memory, no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from orchestrator.clock import Clock
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.world import World
from orchestrator.executor.services import Services, services
from orchestrator.executor.settings import Settings
from orchestrator.hosts.local import Pace
from orchestrator.notify.port import Delivery
from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.port import Reply, Subject
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from orchestrator.store.port import Journal

NO_INBOX = Pace(inbox_every_s=0)
"""Nobody else can reach a rollout that lives in one process for a moment."""

UNHURRIED = Settings(watch_least=timedelta(minutes=5))
"""In a bake of days the whole fleet is looked at now and then, not each minute: that is most of what a run costs."""


@dataclass(frozen=True, slots=True)
class _WorldProber:
    """Asks a machine's own health endpoint in the emulated world, whatever the probe's address. Who is no machine is well."""

    world: World
    clock: Clock
    ids: Mapping[str, str]  # name in lower case -> id

    async def ask(self, probe: Probe, subject: Subject) -> Reply:  # noqa: ARG002 - the port's
        """One answer, at once."""
        machine = self.ids.get(subject.name.lower())
        if machine is None:
            return Reply(well=True, asked=True, evidence="200")
        status, _ = self.world.probe(machine, self.clock.now())
        return Reply(well=status == 200, asked=True, evidence=str(status or "no answer"))

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class _WillingWebhooks:
    """Knows every name, and every call succeeds."""

    def knows(self, name: str) -> bool:  # noqa: ARG002 - the port's
        """Whatever it is."""
        return True

    async def call(
        self,
        name: str,  # noqa: ARG002 - the port's, as the others
        key: str,  # noqa: ARG002
        body: Mapping[str, Any],  # noqa: ARG002
        timeout_s: float,  # noqa: ARG002
    ) -> Delivery:
        """Done."""
        return Delivery(ok=True, evidence="200")

    async def close(self) -> None:
        """Nothing is held."""


def virtual_services(world: World, clock: Clock) -> Services:
    """The doors to an emulated world: probes are answered by it, webhooks succeed."""
    ids = {machine.rpartition("/")[2].lower(): str(machine) for machine in world.machines()}
    prober = _WorldProber(world, clock, ids)
    probers = {ProbeKind.HTTP: prober, ProbeKind.TCP: prober}
    return services(SimulatedProvider(world, clock), probers, _WillingWebhooks(), clock, UNHURRIED)


class Disk:
    """Where a journal is kept between processes: in memory."""

    def __init__(self) -> None:
        self._disk = MemoryDisk()

    def journal(self) -> Journal:
        """The journal as a new process opens it."""
        return MemoryJournal(self._disk)
