"""Whom holds mean, by the fleet as it is: asked once when a hold comes, and now and then while it stands."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.cloud.port import Budgeted
from orchestrator.errors import CloudError, CloudTransient
from orchestrator.executor.services import Services
from orchestrator.executor.views import EVERYWHERE
from orchestrator.inventory.model import Inventory
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.holds import found_in
from orchestrator.rollout.state import Rollout


async def look_for_held(services: Services, rollout: Rollout, activity: a.LookForHeld) -> m.Observation:
    """Look at the fleet until all is seen of which these holds may mean anybody. Whoever they may mean waits for as long."""
    while True:
        try:
            fleet = await _fleet(services, rollout)
        except CloudError:
            fleet = None
        if fleet is not None and not (fleet.unreadable and _unseen(rollout, fleet, activity.holds)):
            return m.HoldsLooked(rollout.id, found(rollout, fleet, activity.holds))
        await services.clock.sleep(services.settings.settle_every.total_seconds())


async def look_again(services: Services, rollout: Rollout) -> m.HoldsLooked | None:
    """Whom holds mean besides by now, since tags have changed; None if nobody, or if that can't be seen now."""
    holds = [name for name, meant in rollout.meant.items() if meant.looked and meant.perhaps]
    if not holds:
        return None
    try:
        seen = found(rollout, await _fleet(services, rollout), holds)
    except CloudError:
        return None
    fresh = tuple(
        (hold, machines) for hold, machines in seen if not rollout.meant[hold].surely.issuperset(machines)
    )
    return m.HoldsLooked(rollout.id, fresh) if fresh else None


async def _fleet(services: Services, rollout: Rollout) -> Inventory:
    """The subscriptions of the machines to be changed. Raises the errors of the port."""
    subscriptions = sorted({one.subscription for one in rollout.planned.plan.machines if one.change})
    for subscription in subscriptions:
        await services.dispatcher.turn(subscription, EVERYWHERE, Budgeted.LIST)
    try:
        return await services.cloud.inventory(subscriptions)
    except CloudTransient as error:
        if error.retry_after_s is not None:
            for subscription in subscriptions:
                services.dispatcher.hold(subscription, EVERYWHERE, Budgeted.LIST, error.retry_after_s)
        raise


def found(
    rollout: Rollout, fleet: Inventory, holds: Sequence[str]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Whom of those that each hold may mean it means in this inventory, by their places in the plan."""
    told = []
    for name in holds:
        meant = rollout.meant.get(name)
        if meant is not None:
            selected = frozenset(found_in(fleet, rollout.holds[name].select))
            machines = (x for x in sorted(meant.perhaps) if rollout.planned.machine(x).id in selected)
            told.append((name, tuple(machines)))
    return tuple(told)


def _unseen(rollout: Rollout, fleet: Inventory, holds: Sequence[str]) -> bool:
    """Whether a machine that one of the holds may mean isn't in the inventory."""
    seen = {machine.id for machine in fleet.machines}
    return any(
        rollout.planned.machine(machine).id not in seen
        for name in holds
        if (meant := rollout.meant.get(name)) is not None
        for machine in meant.perhaps
    )
