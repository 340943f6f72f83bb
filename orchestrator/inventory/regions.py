"""Which regions are pairs: Azure never updates both of a pair at once, and neither must we.

The table stands in for `GET /subscriptions/{id}/locations` where the source is a file. Source: Microsoft's list of
Azure regions (azure-docs, `articles/reliability/regions-list.md`, 2025-03), and for the US Government clouds the list of
region pairs in `cross-region-replication-azure.md`. What Azure itself says of a region goes before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from orchestrator.inventory.model import Inventory, Location

_MUTUAL = (
    ("australiacentral", "australiacentral2"),
    ("australiaeast", "australiasoutheast"),
    ("canadacentral", "canadaeast"),
    ("centralindia", "southindia"),
    ("centralus", "eastus2"),
    ("chinaeast", "chinanorth"),
    ("chinaeast2", "chinanorth2"),
    ("chinaeast3", "chinanorth3"),
    ("eastasia", "southeastasia"),
    ("eastus", "westus"),
    ("francecentral", "francesouth"),
    ("germanynorth", "germanywestcentral"),
    ("japaneast", "japanwest"),
    ("koreacentral", "koreasouth"),
    ("northcentralus", "southcentralus"),
    ("northeurope", "westeurope"),
    ("norwayeast", "norwaywest"),
    ("southafricanorth", "southafricawest"),
    ("swedencentral", "swedensouth"),
    ("switzerlandnorth", "switzerlandwest"),
    ("uaecentral", "uaenorth"),
    ("uksouth", "ukwest"),
    ("usdodcentral", "usdodeast"),
    ("usgovarizona", "usgovtexas"),
    ("westcentralus", "westus2"),
)

# The first names the second as its pair, and isn't named back: pairing is no symmetric relation.
_ONE_WAY = (
    ("brazilsouth", "southcentralus"),
    ("brazilsoutheast", "brazilsouth"),
    ("usgovvirginia", "usgovtexas"),
    ("westindia", "southindia"),
    ("westus3", "eastus"),
)

_UNPAIRED = (
    "austriaeast",
    "belgiumcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "mexicocentral",
    "newzealandnorth",
    "polandcentral",
    "qatarcentral",
    "spaincentral",
)


def _table() -> Mapping[str, tuple[str, ...]]:
    paired: dict[str, tuple[str, ...]] = dict.fromkeys(_UNPAIRED, ())
    for one, other in _MUTUAL:
        paired[one] = (other,)
        paired[other] = (one,)
    for one, other in _ONE_WAY:
        paired[one] = (other,)
    return MappingProxyType(dict(sorted(paired.items())))


PAIRED: Mapping[str, tuple[str, ...]] = _table()
"""Region -> the regions that it names as its pair; empty for a region that has none."""


def with_regions(inventory: Inventory) -> Inventory:
    """The same inventory with a location for each region that machines, sets and scale sets stand in.

    A region that the source described with a pair stays as it is. One that it didn't describe, or described without
    a pair, gets the table's: a pair too many delays, a pair forgotten takes both regions down. A region that is
    neither described nor in the table stays without a location, and `standing.unknowns` says so.
    """
    described = {location.name: location for location in inventory.locations}
    for name in sorted(_regions(inventory)):
        if name not in PAIRED:
            continue
        known = described.get(name, Location(name))
        if not known.paired:
            described[name] = replace(known, paired=PAIRED[name])
    return replace(inventory, locations=tuple(described[name] for name in sorted(described)))


def _regions(inventory: Inventory) -> set[str]:
    held = (inventory.machines, inventory.availability_sets, inventory.scale_sets)
    return {thing.location for things in held for thing in things if thing.location}
