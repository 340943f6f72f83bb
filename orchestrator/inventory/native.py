"""The project's own inventory file, `wavekeeper.inventory/1`: it keeps everything that an inventory holds.

A document is read strictly, unlike what Azure answers: its author is this program or a person, and a misspelt
`availability_set` that was passed over would cost a machine its protection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
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
    Connection,
    Image,
    Installed,
    Inventory,
    Kind,
    Location,
    Machine,
    Orchestration,
    Os,
    PatchSettings,
    PatchState,
    Power,
    RebootBehavior,
    ScaleSet,
    Unreadable,
    Update,
    kb_number,
    machine_id,
    resource_id,
)
from orchestrator.inventory.native_rows import machine_row, plain

_Thing = TypeVar("_Thing", Machine, AvailabilitySet, ScaleSet, BackendPool)

SCHEMA = "wavekeeper.inventory/1"

_STABLE = (
    orjson.OPT_INDENT_2
    | orjson.OPT_SORT_KEYS
    | orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_DATETIME  # orjson would keep an offset that isn't UTC's
    | orjson.OPT_PASSTHROUGH_DATACLASS  # orjson would not sort their keys
)

_IMAGE: Mapping[str, Convert] = dict.fromkeys(("publisher", "offer", "sku", "version", "id"), a_string)

_PATCHES: Mapping[str, Convert] = {
    "assessed_at": a_moment,
    "critical_and_security": a_whole_number,
    "other": a_whole_number,
    "reboot_pending": a_boolean,
    "installation_id": a_string,
    "installation_status": a_string,
    "installed_at": a_moment,
    "updates": list_of(
        {
            "name": a_string,
            "kb": a_string,
            "classifications": strings,
            "reboot": one_of(RebootBehavior),
            "version": a_string,
            "published": a_moment,
        },
        needs="name",
    ),
    "installed": list_of({"kb": a_string, "name": a_string, "at": a_moment}, needs="kb"),
}

_PATCH_SETTINGS: Mapping[str, Convert] = {
    "assessment_mode": a_string,
    "hotpatching": a_boolean,
    "hotpatch_status": a_string,
    "hotpatch_license": a_string,
    "reboot_setting": a_string,
    "bypasses_safety_checks": a_boolean,
    "automatic_updates": a_boolean,
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
    "patch_settings": record(_PATCH_SETTINGS),
    "time_zone": a_string,
    "computer_name": a_string,
    "private_ips": strings,
    "provisioning": a_string,
    "os_name": a_string,
    "os_version": a_string,
    "os_edition": a_string,
    "vbs": a_boolean,
    "agent_version": a_string,
    "connection": one_of(Connection),
    "connection_since": a_moment,
    "cluster": a_string,
    "schedules": strings,
}

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
    "automatic_repairs": a_boolean,
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
        "machines": [machine_row(machine) for machine in sorted(inventory.machines, key=lambda m: m.id)],
        "availability_sets": sorted(inventory.availability_sets, key=lambda s: s.id),
        "scale_sets": sorted(inventory.scale_sets, key=lambda s: s.id),
        "locations": sorted(inventory.locations, key=lambda r: r.name),
        "unreadable": sorted(inventory.unreadable, key=lambda u: (u.what, u.why)),
    }
    if inventory.backend_pools:  # a fleet without any has the fingerprint that it always had
        document["backend_pools"] = sorted(inventory.backend_pools, key=lambda p: p.id)
    return orjson.dumps(document, default=plain, option=_STABLE)


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


_BY_ID: Mapping[str, Callable[[str], str]] = {
    "name": ids.name_of,
    "subscription": ids.subscription_of,
    "resource_group": ids.resource_group_of,
}
"""What the id of a machine says where its row doesn't."""


def _machine_in(row: Mapping[str, Any]) -> Machine:
    arm_id = row.get("id", "")
    told = {**row, "id": machine_id(arm_id), "arm_id": arm_id}
    for key, of_id in _BY_ID.items():
        if key not in row:
            told[key] = of_id(arm_id)
    told["location"] = ids.region_name(row.get("location", ""))
    for key in ("availability_set", "scale_set", "cluster"):
        if key in told:
            told[key] = resource_id(told[key])
    if "backend_pools" in told:
        told["backend_pools"] = tuple(sorted({resource_id(pool) for pool in told["backend_pools"]}))
    if "schedules" in told:
        told["schedules"] = tuple(sorted({resource_id(one) for one in told["schedules"]}))
    if "image" in told:
        told["image"] = _image_in(tuple(told["image"].items()))
    if "patches" in told:
        told["patches"] = _patches_in(told["patches"])
    if "patch_settings" in told:
        told["patch_settings"] = PatchSettings(**told["patch_settings"])
    return Machine(**told)


@lru_cache(maxsize=1024)
def _image_in(told: tuple[tuple[str, str], ...]) -> Image:
    """A fleet has few images, which many machines share."""
    return Image(**dict(told))


_NOTHING_TOLD = PatchState()


def _patches_in(row: Mapping[str, Any]) -> PatchState:
    if not row:
        return _NOTHING_TOLD
    told = dict(row)
    if "updates" in row:
        updates = (Update(**update) for update in row["updates"])
        told["updates"] = tuple(sorted(updates, key=lambda one: (one.kb, one.name)))
    if "installed" in row:
        installed = (Installed(**{**one, "kb": kb_number(one["kb"])}) for one in row["installed"])
        told["installed"] = tuple(sorted(installed, key=lambda one: one.kb))
    return PatchState(**told)


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
