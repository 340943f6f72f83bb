"""Small plans, inventories and audits as plain JSON values, for tests of the judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

SUBSCRIPTION = "5ub00000-0000-0000-0000-000000000001"
OTHER_SUBSCRIPTION = "5ub00000-0000-0000-0000-000000000002"

Json = dict[str, Any]


def vm_id(name: str, subscription: str = SUBSCRIPTION) -> str:
    """An id in the mixed case that Azure prints."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/{name}"
    )


def set_id(name: str) -> str:
    """The id of an availability set."""
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Compute/availabilitySets/{name}"
    )


def flex_id(name: str) -> str:
    """The id of a scale set."""
    kind = "virtualMachineScaleSets"
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Compute/{kind}/{name}"


def ids(names: str) -> list[str]:
    """`"a b c"` as a list of ids."""
    return [vm_id(name) for name in names.split()]


def lane(name: str, *waves: str, stage: str = "broad", after: Iterable[str] = ()) -> Json:
    """A lane; each wave is a string of names."""
    return {
        "id": name,
        "stage": stage,
        "after": list(after),
        "waves": [{"machines": ids(wave)} for wave in waves],
    }


def budget(limit: int, names: str, **more: Any) -> Json:
    """At most `limit` of these."""
    return {"id": "budget:b", "kind": "budget", "machines": ids(names), "limit": limit, "from": {}} | more


def exclusion(name: str = "x", /, level: int = 0, **domains: str) -> Json:
    """One of these domains at a time: `exclusion(one="a b", two="c")`."""
    return {
        "id": f"exclusion:{name}",
        "kind": "exclusion",
        "limit": 1,
        "level": level,
        "from": {},
        "domains": {domain: ids(names) for domain, names in domains.items()},
    }


def order(first: str, then: str, name: str = "o") -> Json:
    """These before those."""
    return {"id": f"order:{name}", "kind": "order", "first": ids(first), "then": ids(then), "from": {}}


def plan(
    *lanes: Json, constraints: Iterable[Json] = (), stages: Iterable[str] = ("broad",), **more: Any
) -> Json:
    """A plan file; its machines are those that anything in it names."""
    constraints = list(constraints)
    changed = {m for lane in lanes for wave in lane["waves"] for m in wave["machines"]}
    named = set(changed)
    for constraint in constraints:
        for key in ("machines", "first", "then"):
            named.update(constraint.get(key, ()))
        for members in constraint.get("domains", {}).values():
            named.update(members)
    return {
        "schema": "wavekeeper.plan/1",
        "fingerprint": {"inventory": "1", "policies": "2"},
        "machines": {
            m: {"name": m.rpartition("/")[2], "change": m in changed, "policies": []} for m in sorted(named)
        },
        "constraints": constraints,
        "stages": list(stages),
        "lanes": list(lanes),
        "left_out": [],
    } | more


def vm(name: str, **facts: Any) -> Json:
    """A machine of an inventory: running, in westeurope."""
    return {
        "id": vm_id(name),
        "name": name,
        "kind": "azure_vm",
        "location": "westeurope",
        "power": "running",
    } | facts


def inventory(*machines: Json, **more: Any) -> Json:
    """An inventory; every set that a machine names is listed without members of its own."""
    return {"schema": "wavekeeper.inventory/1", "machines": list(machines), "locations": []} | more


def location(name: str, *paired: str, zones: Mapping[str, Mapping[str, str]] | None = None) -> Json:
    """A region, the regions that it names as its pair, and how subscriptions number its zones."""
    return {"name": name, "paired": list(paired), "zones": dict(zones or {})}


START = datetime(2026, 11, 22, 1, tzinfo=UTC)


def at(minute: float) -> str:
    """So many minutes after the start, as an audit writes it."""
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def entry(minute: float, name: str, event: str, operation: str = "", **more: str) -> Json:
    """A line of an audit."""
    return {"at": at(minute), "machine": vm_id(name), "event": event, "operation": operation} | more


def worked(name: str, begin: float, end: float, event: str = "install", operation: str = "") -> list[Json]:
    """One machine worked on from `begin` to `end`, and out for the last half of that time."""
    operation = operation or f"op-{name}-{begin}"
    return [
        entry(begin, name, event, operation),
        entry((begin + end) / 2, name, "out", operation),
        entry(end, name, "back", operation),
        entry(end, name, f"{event}_end", operation),
    ]


def audit(*parts: list[Json]) -> list[Json]:
    """Lines of an audit in the order of time."""
    return sorted((line for part in parts for line in part), key=lambda line: line["at"])
