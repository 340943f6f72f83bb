"""Everything an activity may ask of the world, in one place, made by the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from orchestrator.clock import Clock
from orchestrator.cloud.port import CloudProvider, Target
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.groups import Groups
from orchestrator.executor.polling import Polling
from orchestrator.executor.settings import Settings
from orchestrator.executor.views import Views
from orchestrator.inventory.model import Machine
from orchestrator.notify.port import Webhooks
from orchestrator.planner.model import PlannedMachine
from orchestrator.policy.model import ProbeKind
from orchestrator.probes.port import Prober

T = TypeVar("T")


class Aside(Protocol):
    """Carries out what needs nothing but the processor, so that the loop goes on meanwhile."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """What the work gives."""
        ...


async def at_once(work: Callable[[], T]) -> T:
    """For virtual time, which knows no thread but its own."""
    return work()


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
    polling: Polling
    groups: Groups
    aside: Aside = at_once


def services(
    cloud: CloudProvider,
    probers: Mapping[ProbeKind, Prober],
    webhooks: Webhooks,
    clock: Clock,
    settings: Settings | None = None,
    aside: Aside = at_once,
) -> Services:
    """Put the doors together with what activities share."""
    chosen = settings or Settings()
    dispatcher = Dispatcher(cloud.rates, clock)
    views = Views(cloud, dispatcher, clock, chosen)
    groups = Groups(probers, clock)
    return Services(
        cloud, probers, webhooks, clock, chosen, dispatcher, views, Polling(chosen), groups, aside
    )


_GROUPS = "/resourcegroups/"


def target_of(machine: PlannedMachine | Machine) -> Target:
    """How the cloud addresses a machine; the resource group is read off its id, whose form ARM fixes."""
    before = machine.arm_id.lower().find(_GROUPS)
    group = machine.arm_id[before + len(_GROUPS) :].partition("/")[0] if before >= 0 else ""
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
