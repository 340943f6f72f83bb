"""The project's own inventory file, `wavekeeper.inventory/1`: it keeps everything that an inventory holds.

A document is read strictly, unlike what Azure answers: its author is this program or a person, and a misspelt
`availability_set` that was passed over would cost a machine its protection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

import orjson

from orchestrator.errors import InventoryError
from orchestrator.inventory import ids
from orchestrator.inventory.document import (
    Convert,
    Problems,
    a_boolean,
    a_moment,
    a_string,
    a_whole_number,
    list_of,
    map_of,
    one_of,
    record,
    strings,
)
from orchestrator.inventory.interfaces import pool_name
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    BackendPool,
    Image,
    Inventory,
    Kind,
    Location,
    Machine,
    Orchestration,
    Os,
    PatchState,
    Power,
    RebootBehavior,
    ScaleSet,
    Unreadable,
    Update,
    machine_id,
    resource_id,
)

_Thing = TypeVar("_Thing", Machine, AvailabilitySet, ScaleSet, BackendPool)

SCHEMA = "wavekeeper.inventory/1"

_STABLE = (
    orjson.OPT_INDENT_2
    | orjson.OPT_SORT_KEYS
    | orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_DATETIME  # orjson would keep an offset that isn't UTC's
    | orjson.OPT_PASSTHROUGH_DATACLASS  # orjson would not sort their keys
)

_IMAGE: Mapping[str, Convert] = dict.fromkeys(("publisher", "offer", "sku", "version"), a_string)

_PATCHES: Mapping[str, Convert] = {
    "assessed_at": a_moment,
    "critical_and_security": a_whole_number,
    "other": a_whole_number,
    "reboot_pending": a_boolean,
    "installation_id": a_string,
    "installation_status": a_string,
    "installed_at": a_moment,
    "updates": list_of(
        {"name": a_string, "kb": a_string, "classifications": strings, "reboot": one_of(RebootBehavior)},
        needs="name",
    ),
}

_MACHINE: Mapping[str, Convert] = {
    "id": a_string,
    "name": a_string,
    "kind": one_of(Kind),
    "subscription": a_string,
    "resource_group": a_string,
    "location": a_string,
    "zone": a_string,
    "tags": map_of(a_string),
    "os": one_of(Os),
    "size": a_string,
    "image": record(_IMAGE),
    "availability_set": a_string,
    "scale_set": a_string,
    "backend_pools": strings,
    "update_domain": a_whole_number,
    "fault_domain": a_whole_number,
    "power": one_of(Power),
    "agent": one_of(Agent),
    "app_health": one_of(AppHealth),
    "patches": record(_PATCHES),
    "patch_mode": a_string,
    "time_zone": a_string,
    "computer_name": a_string,
    "private_ips": strings,
    "provisioning": a_string,
}

_FACTS = attrgetter(*_MACHINE)

_AVAILABILITY_SET: Mapping[str, Convert] = {
    "id": a_string,
    "name": a_string,
    "location": a_string,
    "update_domains": a_whole_number,
    "fault_domains": a_whole_number,
    "members": strings,
}

_SCALE_SET: Mapping[str, Convert] = {
    "id": a_string,
    "name": a_string,
    "location": a_string,
    "orchestration": one_of(Orchestration),
    "fault_domains": a_whole_number,
    "members": strings,
    "instances": a_whole_number,
}

_BACKEND_POOL: Mapping[str, Convert] = {"id": a_string, "name": a_string, "members": strings}

_LOCATION: Mapping[str, Convert] = {"name": a_string, "paired": strings, "zones": map_of(map_of(a_string))}

_INVENTORY: Mapping[str, Convert] = {
    "schema": a_string,
    "taken_at": a_moment,
    "source": a_string,
    "machines": list_of(_MACHINE, needs="id"),
    "availability_sets": list_of(_AVAILABILITY_SET, needs="id"),
    "scale_sets": list_of(_SCALE_SET, needs="id"),
    "backend_pools": list_of(_BACKEND_POOL, needs="id"),
    "locations": list_of(_LOCATION, needs="name"),
    "unreadable": list_of({"what": a_string, "why": a_string}, needs="what"),
}


def dump(inventory: Inventory) -> bytes:
    """The inventory as a document: UTF-8, keys and things sorted, so that equal inventories give equal bytes."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "taken_at": inventory.taken_at,
        "source": inventory.source,
        "machines": [_machine_out(machine) for machine in sorted(inventory.machines, key=lambda m: m.id)],
        "availability_sets": sorted(inventory.availability_sets, key=lambda s: s.id),
        "scale_sets": sorted(inventory.scale_sets, key=lambda s: s.id),
        "locations": sorted(inventory.locations, key=lambda r: r.name),
        "unreadable": sorted(inventory.unreadable, key=lambda u: (u.what, u.why)),
    }
    if inventory.backend_pools:  # a fleet without any has the fingerprint that it always had
        document["backend_pools"] = sorted(inventory.backend_pools, key=lambda p: p.id)
    return orjson.dumps(document, default=_plain, option=_STABLE)


def parse(document: object) -> Inventory:
    """The inventory that a document holds, as it stands there: nothing is filled in from elsewhere.

    Raises:
        InventoryError: With a line for each thing that is wrong, by its place in the document.
    """
    if not isinstance(document, Mapping):
        raise InventoryError(f'an inventory is a JSON object that begins with "schema": "{SCHEMA}"')
    if document.get("schema") != SCHEMA:
        raise InventoryError(f'its schema is {document.get("schema")!r}; this program reads "{SCHEMA}"')
    problems: Problems = []
    held = record(_INVENTORY)(document, "", problems)
    machines = _by_id("machines", [_machine_in(row) for row in held.get("machines", ())], problems)
    sets = _by_id("availability_sets", [_set_in(row) for row in held.get("availability_sets", ())], problems)
    scale_sets = _by_id("scale_sets", [_scale_set_in(row) for row in held.get("scale_sets", ())], problems)
    pools = _by_id("backend_pools", [_pool_in(row) for row in held.get("backend_pools", ())], problems)
    if problems:
        raise InventoryError("\n".join(problems))
    return Inventory(
        taken_at=held.get("taken_at"),
        source=held.get("source", ""),
        machines=machines,
        availability_sets=sets,
        scale_sets=scale_sets,
        backend_pools=pools,
        locations=tuple(sorted(map(_location_in, held.get("locations", ())), key=lambda r: r.name)),
        unreadable=tuple(
            sorted(
                (Unreadable(**{"why": "", **u}) for u in held.get("unreadable", ())),
                key=lambda u: (u.what, u.why),
            )
        ),
    )


def _by_id(what: str, things: Iterable[_Thing], problems: Problems) -> tuple[_Thing, ...]:
    ordered, repeated = ids.in_order(things)
    problems += [
        f"{what} holds {arm_id} more than once; ids compare without regard to case" for arm_id in repeated
    ]
    return ordered


def _machine_out(machine: Machine) -> dict[str, Any]:
    row = dict(zip(_MACHINE, _FACTS(machine), strict=True))
    row["id"] = machine.arm_id
    if machine.backend_pools is None:
        del row["backend_pools"]  # not told, which isn't none
    if machine.patches.updates is None:  # the fingerprint of a fleet without stays what it was
        row["patches"] = {
            field.name: getattr(machine.patches, field.name)
            for field in fields(PatchState)
            if field.name != "updates"
        }
    return row


def _plain(value: Any) -> Any:
    """What orjson leaves to us: dataclasses and mappings become dicts, times UTC with a `Z`."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return dict(value)
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


_NAMES = {
    kind: tuple(f.name for f in fields(kind))
    for kind in (Image, PatchState, Update, AvailabilitySet, ScaleSet, BackendPool, Location, Unreadable)
}


def _machine_in(row: Mapping[str, Any]) -> Machine:
    arm_id = row.get("id", "")
    told = {
        "name": ids.name_of(arm_id),
        "subscription": ids.subscription_of(arm_id),
        "resource_group": ids.resource_group_of(arm_id),
        "location": "",
        **row,
        "id": machine_id(arm_id),
        "arm_id": arm_id,
    }
    told["location"] = ids.region_name(told["location"])
    for key in ("availability_set", "scale_set"):
        if key in told:
            told[key] = resource_id(told[key])
    if "backend_pools" in told:
        told["backend_pools"] = tuple(sorted({resource_id(pool) for pool in told["backend_pools"]}))
    if "image" in told:
        told["image"] = Image(**told["image"])
    if "patches" in told:
        told["patches"] = _patches_in(told["patches"])
    return Machine(**told)


def _patches_in(row: Mapping[str, Any]) -> PatchState:
    if "updates" not in row:
        return PatchState(**row)
    updates = sorted((Update(**update) for update in row["updates"]), key=lambda one: (one.kb, one.name))
    return PatchState(**{**row, "updates": tuple(updates)})


def _set_in(row: Mapping[str, Any]) -> AvailabilitySet:
    return AvailabilitySet(**_grouping(row))


def _scale_set_in(row: Mapping[str, Any]) -> ScaleSet:
    return ScaleSet(**_grouping(row))


def _pool_in(row: Mapping[str, Any]) -> BackendPool:
    pool = resource_id(row.get("id", ""))
    members = tuple(sorted({machine_id(member) for member in row.get("members", ())}))
    return BackendPool(pool, row.get("name") or pool_name(pool), members)


def _grouping(row: Mapping[str, Any]) -> dict[str, Any]:
    arm_id = row.get("id", "")
    return {
        "name": ids.name_of(arm_id),
        **row,
        "id": resource_id(arm_id),
        "location": ids.region_name(row.get("location", "")),
        "members": tuple(sorted({machine_id(member) for member in row.get("members", ())})),
    }


def _location_in(row: Mapping[str, Any]) -> Location:
    zones = {
        subscription.lower(): MappingProxyType({zone: physical.lower() for zone, physical in mapping.items()})
        for subscription, mapping in row.get("zones", {}).items()
    }
    return Location(
        name=ids.region_name(row.get("name", "")),
        paired=tuple(sorted({ids.region_name(pair) for pair in row.get("paired", ())})),
        zones=MappingProxyType(zones),
    )
