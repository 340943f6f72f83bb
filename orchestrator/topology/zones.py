"""Which zone a machine really stands in.

Zone 1 of a virtual machine is a logical zone: each subscription numbers the data centres of a region for itself. Among
the machines of one subscription the logical zone tells them apart; between subscriptions only the physical one does. Where
that is unknown, the zones of each subscription are kept apart, so that whatever takes one zone at a time takes
the subscriptions one after the other too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.inventory.model import Inventory, Location, Machine


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as a group: `key` such as `westeurope/1` or `westeurope/westeurope-az2`, `name` for people."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of an inventory. `mapping_unknown` names the regions in which subscriptions can't be compared."""

    by_place: Mapping[tuple[str, str, str], Zone]  # (region, subscription, logical zone)
    mapping_unknown: tuple[str, ...]

    def of(self, machine: Machine) -> Zone | None:
        """The zone that a machine stands in; None for one that is in no zone."""
        if machine.zone is None:
            return None
        return self.by_place.get((machine.location, machine.subscription.lower(), machine.zone))


def zones_of(inventory: Inventory) -> Zones:
    """Settles each region by itself: by physical zones if all that are in use are known, else by logical ones."""
    in_use: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for machine in inventory.machines:
        if machine.zone is not None and machine.location:
            in_use[machine.location].add((machine.subscription.lower(), machine.zone))
    described = {location.name: location for location in inventory.locations}
    by_place: dict[tuple[str, str, str], Zone] = {}
    unknown = []
    for region in sorted(in_use):
        places = sorted(in_use[region])
        physical = _physical(described.get(region), places)
        alone = len({subscription for subscription, _ in places}) == 1
        if not alone and len(physical) < len(places):
            unknown.append(region)
        for subscription, zone in places:
            known = physical.get((subscription, zone)) if len(physical) == len(places) else None
            by_place[region, subscription, zone] = _zone(region, subscription, zone, known, alone=alone)
    return Zones(by_place=MappingProxyType(by_place), mapping_unknown=tuple(unknown))


def _physical(location: Location | None, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if location is None:
        return {}
    found = {}
    for subscription, zone in places:
        name = location.zones.get(subscription, {}).get(zone)
        if name is not None:
            found[subscription, zone] = name
    return found


def _zone(region: str, subscription: str, zone: str, physical: str | None, *, alone: bool) -> Zone:
    if physical is not None:
        return Zone(f"{region}/{physical}", f"{region} zone {zone}" if alone else physical)
    if alone:
        return Zone(f"{region}/{zone}", f"{region} zone {zone}")
    return Zone(f"{region}/{subscription}/{zone}", f"{region} zone {zone} of subscription {subscription}")
