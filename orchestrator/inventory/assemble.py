"""One inventory out of its parts: sorted, each machine once, with the regions it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from orchestrator.errors import InventoryError
from orchestrator.inventory import ids
from orchestrator.inventory.arm import merge_locations
from orchestrator.inventory.model import (
    AvailabilitySet,
    BackendPool,
    Inventory,
    Location,
    Machine,
    ResourceId,
    ScaleSet,
    Unreadable,
)
from orchestrator.inventory.regions import with_regions

_Thing = TypeVar("_Thing", Machine, AvailabilitySet, ScaleSet)


def assemble(
    *,
    source: str,
    taken_at: datetime | None,
    machines: Iterable[Machine],
    availability_sets: Iterable[AvailabilitySet] = (),
    scale_sets: Iterable[ScaleSet] = (),
    backend_pools: Iterable[BackendPool] = (),
    locations: Iterable[Location] = (),
    unreadable: Iterable[Unreadable] = (),
) -> Inventory:
    """Puts an inventory together. Regions that nothing stands in are dropped, missing ones come from the built-in table.

    `locations` may describe a region several times, once for each subscription.

    Raises:
        InventoryError: Two machines, sets or scale sets have the same id; the message names all of them.
    """
    held = Inventory(
        taken_at=taken_at,
        source=source,
        machines=_once(machines, "machine"),
        availability_sets=_once(availability_sets, "availability set"),
        scale_sets=_once(scale_sets, "scale set"),
        backend_pools=_joined(backend_pools),
        locations=merge_locations(locations),
        unreadable=tuple(sorted(set(unreadable), key=lambda u: (u.what, u.why))),
    )
    return with_regions(_without_empty_regions(held))


def _once(things: Iterable[_Thing], what: str) -> tuple[_Thing, ...]:
    ordered, repeated = ids.in_order(things)
    if repeated:
        raise InventoryError(
            "\n".join(f"the same {what} is there more than once: {arm_id}" for arm_id in repeated)
        )
    return ordered


def _joined(pools: Iterable[BackendPool]) -> tuple[BackendPool, ...]:
    """Each pool once: interfaces of several subscriptions may name the same one, and each has told a part of its members."""
    found: dict[ResourceId, BackendPool] = {}
    for pool in pools:
        known = found.get(pool.id, pool)
        found[pool.id] = replace(known, members=tuple(sorted({*known.members, *pool.members})))
    return tuple(found[pool] for pool in sorted(found))


def _without_empty_regions(inventory: Inventory) -> Inventory:
    held = (inventory.machines, inventory.availability_sets, inventory.scale_sets)
    used = {thing.location for things in held for thing in things}
    return replace(inventory, locations=tuple(seen for seen in inventory.locations if seen.name in used))
