"""What is true of the fleet now, read again and again: its inventory, and how its machines stand.

Rollouts look at their own machines while they run. Here is what no rollout can know by itself: machines that were made, or changed their
tags or place, since its plan was reviewed. Each counts where it is now, in every rollout that goes on (`rollout.membership`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from orchestrator.cloud.port import View
from orchestrator.daemon.apart import Apart
from orchestrator.daemon.config import Config
from orchestrator.daemon.fleet import Fleet, Known
from orchestrator.daemon.following import Following
from orchestrator.errors import CloudError, WavekeeperError
from orchestrator.executor.fleet import looks_each, serves
from orchestrator.inventory.model import Inventory, Kind, Machine, MachineId
from orchestrator.inventory.read import read
from orchestrator.planner.document import parse
from orchestrator.planner.membership import Movements, movements
from orchestrator.policy.model import Policy
from orchestrator.rollout.messages import FleetMoved
from orchestrator.rollout.state import Rollout
from orchestrator.wiring.files import floor
from orchestrator.wiring.rollout import ScopeHost

log = structlog.get_logger("wavekeeper.fleet")

ELSEWHERE = (
    "its tags or its place, which rules read, have changed since the plan: it is left to the next plan"
)


@dataclass(frozen=True, slots=True)
class Health:
    """Who was out when the whole fleet was last looked at, by its views alone."""

    at: datetime
    out: frozenset[MachineId]
    of: int


@dataclass(slots=True)
class Living:
    """Keeps the truth up to date, at the pace that the configuration says."""

    config: Callable[[], Config]
    fleet: Fleet
    house: ScopeHost
    following: Following
    apart: Apart
    health: Health | None = None

    async def keep_inventory(self) -> None:
        """For ever: read the inventory when it is old, and tell rollouts who has moved."""
        clock = self.house.services.clock
        while True:
            every = self.config().inventory_age
            try:
                known = await self.fleet.younger(self.config().subscriptions, every / 2)
                await self.tell(known)
            except WavekeeperError as error:  # the cloud's, or of what reads its answer
                log.warning("the fleet can not be read", why=str(error), age=str(self.fleet.age))
            await clock.sleep(every.total_seconds())

    async def tell(self, known: Known) -> None:
        """Each rollout that goes on, of what an inventory says to its plan; those that were planned on a later one need no telling."""
        good = self.following.followed.good
        for rollout in self.house.driven():
            if good is None or rollout.over or rollout.started_at > known.at:
                continue
            try:
                found = await self._moved(rollout, known, good.policies)
            except WavekeeperError as error:
                log.warning("it is not known who has moved", rollout=rollout.id, why=str(error))
                continue
            if found.members or found.elsewhere:
                changed = tuple((machine, ELSEWHERE) for machine in found.elsewhere)
                self.house.report(FleetMoved(rollout.id, found.members, changed))

    async def _moved(self, rollout: Rollout, known: Known, policies: Sequence[Policy]) -> Movements:
        plan = await self.house.log.journal.document(rollout.digest)
        return await self.apart(moved, plan, known.file, policies)

    async def keep_health(self) -> None:
        """For ever: look how machines stand. Rollouts that look at the same time share the looks."""
        services = self.house.services
        while True:
            known = self.fleet.known
            every = looks_each(services.settings, len(known.inventory.machines) if known is not None else 0)
            if known is not None:
                try:
                    await self.look(known, every)
                except CloudError as error:
                    last = self.health.at if self.health is not None else None
                    log.warning("it is not known who is out", why=str(error), last=last)
            await services.clock.sleep(every.total_seconds())

    async def look(self, known: Known, every: timedelta) -> None:
        """Whoever shows the fleet shows it as it was seen last. Raises `CloudError` where it can't be seen."""
        services, kinds = self.house.services, _kinds(known.inventory)
        began = services.clock.now()
        views: dict[MachineId, View] = {}
        for subscription in sorted(kinds):
            views.update(await services.views.sweep(subscription, kinds[subscription], every / 2))
        self.health = Health(began, frozenset(m for m, view in views.items() if not serves(view)), len(views))
        seen = await services.aside(partial(as_seen, known.inventory, views))
        if self.fleet.known is known:  # else it was read anew meanwhile, and is younger than this
            self.fleet.known = replace(known, inventory=seen)


def as_seen(inventory: Inventory, views: Mapping[MachineId, View]) -> Inventory:
    """The inventory with its machines as their views have them; of those without one nothing newer is known."""

    def seen(machine: Machine) -> Machine:
        view = views.get(machine.id)
        if view is None:
            return machine
        now = (view.power, view.agent, view.app_health, view.connection)
        if now == (machine.power, machine.agent, machine.app_health, machine.connection):
            return machine
        power, agent, app_health, connection = now
        return replace(machine, power=power, agent=agent, app_health=app_health, connection=connection)

    return replace(inventory, machines=tuple(map(seen, inventory.machines)))


def _kinds(inventory: Inventory) -> dict[str, set[Kind]]:
    kinds: dict[str, set[Kind]] = {}
    for machine in inventory.machines:
        kinds.setdefault(machine.subscription, set()).add(machine.kind)
    return kinds


def moved(plan: bytes, inventory: bytes, policies: Sequence[Policy]) -> Movements:
    """Who has moved since a plan was made, by their files: for a process of its own. Raises as `movements`."""
    return movements(parse(plan, "the plan"), read(inventory, "the fleet"), policies, floor())
