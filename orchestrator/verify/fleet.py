"""What the judge must know of a fleet, read straight off the inventory's JSON (`wavekeeper.inventory/1`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InventoryError
from orchestrator.verify.document import id_of

SCHEMA = "wavekeeper.inventory/1"

_OFF = frozenset({"stopped", "deallocating", "deallocated"})


@dataclass(frozen=True, slots=True)
class Standing:
    """One machine and where it stands; None where the inventory doesn't say.

    Only Azure VMs stand in zones and sets. `off`: it was stopped, deallocated or, under Arc, disconnected.
    """

    id: str
    name: str
    subscription: str
    region: str
    off: bool
    zone: str | None = None  # logical: numbered by each subscription for itself
    availability_set: str | None = None
    scale_set: str | None = None
    update_domain: int | None = None
    fault_domain: int | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """An availability set or a scale set. `members` are all that the set names or that name the set, held or not."""

    id: str
    name: str
    members: frozenset[str]
    fault_domains: int | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """An inventory as far as the floor is concerned. `physical` is (region, subscription, logical zone) -> data centre."""

    machines: Mapping[str, Standing]
    availability_sets: tuple[Circle, ...]
    scale_sets: tuple[Circle, ...]
    pairs: tuple[tuple[str, str], ...]
    paired_regions: frozenset[str]  # regions of which the inventory names a pair, in either direction
    physical: Mapping[tuple[str, str, str], str]


def read_fleet(inventory: object) -> Fleet:
    """Read an inventory.

    Raises:
        InventoryError: If it isn't one.
    """
    schema = inventory.get("schema") if isinstance(inventory, Mapping) else None
    if not isinstance(inventory, Mapping) or schema != SCHEMA:
        raise InventoryError(f'the inventory\'s schema is {schema!r}; the judge reads "{SCHEMA}"')
    machines = {standing.id: standing for standing in map(_standing, _rows(inventory, "machines"))}
    locations = _rows(inventory, "locations")
    pairs = sorted({pair for row in locations for pair in _pairs(row)})
    return Fleet(
        machines=machines,
        availability_sets=_circles(
            _rows(inventory, "availability_sets"),
            {m.id: m.availability_set for m in machines.values() if m.availability_set},
        ),
        scale_sets=_circles(
            _rows(inventory, "scale_sets"), {m.id: m.scale_set for m in machines.values() if m.scale_set}
        ),
        pairs=tuple(pairs),
        paired_regions=frozenset(region for pair in pairs for region in pair),
        physical={key: zone for row in locations for key, zone in _physical(row)},
    )


def _rows(inventory: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = [] if inventory.get(key) is None else inventory[key]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InventoryError(f"`{key}` of the inventory must be a list of objects")
    needs = "name" if key == "locations" else "id"
    for number, row in enumerate(rows):
        if not isinstance(row.get(needs), str) or not row[needs]:
            raise InventoryError(f"{key}[{number}] of the inventory has no `{needs}`")
    return rows


def _standing(row: Mapping[str, Any]) -> Standing:
    arm_id = id_of(row["id"])
    parts = arm_id.split("/")
    azure_vm = row.get("kind", "azure_vm") == "azure_vm"
    off = row.get("power") in _OFF if azure_vm else row.get("agent") == "not_ready"
    subscription = row.get("subscription") or (parts[2] if parts[1:2] == ["subscriptions"] else "")
    place = row if azure_vm else {}
    return Standing(
        id=arm_id,
        name=row.get("name") or row["id"].rpartition("/")[2],
        subscription=str(subscription).lower(),
        region=_region(row.get("location")),
        off=off,
        zone=str(place["zone"]) if place.get("zone") else None,
        availability_set=id_of(place.get("availability_set")) or None,
        scale_set=id_of(place.get("scale_set")) or None,
        update_domain=place.get("update_domain"),
        fault_domain=place.get("fault_domain"),
    )


def _circles(rows: list[Mapping[str, Any]], own_word: Mapping[str, str]) -> tuple[Circle, ...]:
    """Sets with all their members: those that the set names, and those that name the set."""
    names: dict[str, str] = {}
    fault_domains: dict[str, int | None] = {}
    members: dict[str, set[str]] = {}
    for row in rows:
        arm_id = id_of(row["id"])
        names[arm_id] = row.get("name") or row["id"].rpartition("/")[2]
        fault_domains[arm_id] = row.get("fault_domains")
        members.setdefault(arm_id, set()).update(filter(None, map(id_of, row.get("members") or [])))
    for machine, arm_id in own_word.items():
        names.setdefault(arm_id, arm_id.rpartition("/")[2])
        members.setdefault(arm_id, set()).add(machine)
    return tuple(
        Circle(arm_id, names[arm_id], frozenset(members[arm_id]), fault_domains.get(arm_id))
        for arm_id in sorted(members)
    )


def _pairs(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The pairs that a region names, each without a direction: pairing is not symmetric, keeping apart is."""
    region = _region(row["name"])
    for other in map(_region, row.get("paired") or []):
        if other and other != region:
            yield (min(region, other), max(region, other))


def _physical(row: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], str]]:
    region = _region(row["name"])
    for subscription, mapping in (row.get("zones") or {}).items():
        for logical, physical in mapping.items():
            yield (region, subscription.lower(), str(logical)), str(physical).lower()


def _region(name: object) -> str:
    """The one spelling of a region: `West Europe` and `westeurope` are the same."""
    return name.replace(" ", "").lower() if isinstance(name, str) else ""
