"""Everything an activity may ask of the world, in one place, made by the wiring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from orchestrator.clock import Clock
from orchestrator.cloud.port import CloudProvider, Target
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.settings import Settings
from orchestrator.executor.views import Views
from orchestrator.notify.port import Webhooks
from orchestrator.planner.model import PlannedMachine
from orchestrator.policy.model import ProbeKind
from orchestrator.probes.port import Prober


@dataclass(frozen=True, slots=True)
class Services:
    """The doors, the clock, and what is shared among activities."""

    cloud: CloudProvider
    probers: Mapping[ProbeKind, Prober]  # http and tcp
    webhooks: Webhooks
    clock: Clock
    settings: Settings
    dispatcher: Dispatcher
    views: Views
    durations: Durations


class Durations:
    """How long operations took so far in this process, in seconds: when to look first."""

    KEEP = 100

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}
        self.running = 0

    def add(self, kind: str, seconds: float) -> None:
        """An operation of this kind ended."""
        seen = self._seen.setdefault(kind, [])
        seen.append(seconds)
        del seen[: -self.KEEP]

    def median(self, kind: str) -> float | None:
        """The median of the last ones, if there were at least five: fewer say little."""
        seen = self._seen.get(kind, ())
        return median(seen) if len(seen) >= 5 else None


def services(
    cloud: CloudProvider,
    probers: Mapping[ProbeKind, Prober],
    webhooks: Webhooks,
    clock: Clock,
    settings: Settings | None = None,
) -> Services:
    """Put the doors together with what activities share."""
    chosen = settings or Settings()
    dispatcher = Dispatcher(cloud.rates, clock)
    views = Views(cloud, dispatcher, clock, chosen)
    return Services(cloud, probers, webhooks, clock, chosen, dispatcher, views, Durations())


def target_of(machine: PlannedMachine) -> Target:
    """How the cloud addresses a planned machine; the resource group is read off its id, whose form ARM fixes."""
    parts = machine.arm_id.split("/")
    lower = [part.lower() for part in parts]
    group = parts[lower.index("resourcegroups") + 1] if "resourcegroups" in lower else ""
    return Target(
        machine.id,
        machine.arm_id,
        machine.name,
        machine.subscription,
        group,
        machine.location,
        machine.kind,
        machine.os,
    )
