"""The rows of a plan's file that there are many of, read strictly: machines, constraints, lanes."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from types import MappingProxyType
from typing import Any, Final

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.hotpatch.model import Restarts, Told
from orchestrator.inventory.document import (
    Convert,
    Problems,
    a_boolean,
    a_string,
    a_whole_number,
    list_of,
    map_of,
    one_of,
    record,
    strings,
)
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.model import Bound, Lane, PlannedMachine, Wave
from orchestrator.planner.rows import Row, duration, named, numbers, origin, shared
from orchestrator.policy.model import Origin, Reboot

MACHINE: Final[Mapping[str, Convert]] = {
    "arm_id": a_string,
    "name": a_string,
    "subscription": shared,
    "location": shared,
    "kind": one_of(Kind),
    "os": one_of(Os),
    "change": a_boolean,
    "policies": strings,
    "probes": numbers,
    "around": numbers,
    "health": a_whole_number,
    "private_ip": a_string,
    "computer_name": a_string,
    "tags": map_of(a_string),
    "facts": a_string,
    "groups": numbers,
    "calendar": a_whole_number,
    "takes_s": duration,
    "restart": one_of(Restarts),
    "restart_by": one_of(Told),
    "restart_because": strings,
    "hotpatched": a_boolean,
    "hotpatch": a_whole_number,
    "reboot": one_of(Reboot),
    "sooner": a_whole_number,
    "outstanding": a_whole_number,
}


MACHINE_NAMES: Final = MappingProxyType({"takes_s": "takes"})
"""What the dataclass calls a key, where it calls it otherwise."""

MACHINE_SILENT: Final[Mapping[str, Any]] = MappingProxyType(
    {"subscription": "", "location": "", "policies": (), "probes": (), "around": ()}
)
"""What a machine's row means by leaving out what the dataclass has no default for; what isn't here is needed."""

_MACHINE: Final = record(MACHINE)
_MACHINE_NEEDS: Final = ("arm_id", "name", "change", "kind", "os")


def a_machine(value: Any, place: str, problems: Problems) -> PlannedMachine | None:
    """One of `machines`, made at once: a large plan's rows would be held twice otherwise."""
    key = place.removeprefix("machines.")
    row = _MACHINE(value, place, problems)
    if _lacking(row, _MACHINE_NEEDS, place, problems):
        return None
    if key != key.lower():
        problems.append(f"{place}: ids are in lower case in a plan")
    return PlannedMachine(id=MachineId(intern(key)), **{**MACHINE_SILENT, **named(row, **MACHINE_NAMES)})


CONSTRAINTS = list_of(
    {
        "id": a_string,
        "kind": a_string,
        "what": a_string,
        "from": origin,
        "machines": strings,
        "limit": a_whole_number,
        "cap": a_boolean,
        "restarts": a_boolean,
        "spared": strings,
        "domains": map_of(strings),
        "level": a_whole_number,
        "first": strings,
        "then": strings,
    },
    needs="id",
)

LANES = list_of(
    {
        "id": a_string,
        "stage": a_string,
        "after": strings,
        "waves": list_of({"machines": strings}, needs="machines"),
        "bound": record({"waves": a_whole_number, "because": a_string}),
        "optimal": a_boolean,
        "what": a_string,
    },
    needs="id",
)


def _lacking(row: Row, keys: tuple[str, ...], where: str, problems: Problems) -> bool:
    missing = [key for key in keys if key not in row]
    problems.extend(f"{where} has no `{key}`" for key in missing)
    return bool(missing)


def _ids(values: tuple[str, ...]) -> tuple[MachineId, ...]:
    """Ids, each of which is one string however many rules and waves name it."""
    return tuple(MachineId(intern(value)) for value in values)


_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"budget": ("machines", "limit"), "exclusion": ("domains",), "order": ("first", "then")}
)


def a_constraint(row: Row, problems: Problems) -> Constraint | None:
    """The constraint of a row that was read; None if something is wrong, which is noted."""
    where = f"constraint {row['id']}"
    needed = _KINDS.get(row.get("kind", ""))
    if needed is None:
        problems.append(f"{where} is of no kind that is known; write one of {', '.join(_KINDS)}")
        return None
    if _lacking(row, needed, where, problems):
        return None
    if row["kind"] == "exclusion" and row.get("limit", 1) != 1:
        problems.append(
            f"{where} takes {row['limit']} domains at a time; this program knows one at a time alone"
        )
    what, written = row.get("what", ""), row.get("from", Origin(""))
    match row["kind"]:
        case "budget":
            cap, restarts, spared = row.get("cap", False), row.get("restarts", False), row.get("spared", ())
            if spared and not restarts:
                problems.append(f"{where} spares machines, which budgets of restarts alone do")
            held = _ids(row["machines"])
            return Budget(row["id"], held, row["limit"], what, written, cap, restarts, _ids(spared))
        case "exclusion":
            domains = {name: _ids(held) for name, held in sorted(row["domains"].items())}
            return Exclusion(row["id"], MappingProxyType(domains), what, written, row.get("level", 0))
        case _:
            return Order(row["id"], _ids(row["first"]), _ids(row["then"]), what, written)


def a_lane(row: Row, problems: Problems) -> Lane | None:
    """The lane of a row that was read; None if something is missing, which is noted."""
    if _lacking(row, ("stage", "waves"), f"lane {row['id']}", problems):
        return None
    bound = row.get("bound", {})
    return Lane(
        id=row["id"],
        stage=row["stage"],
        after=row.get("after", ()),
        waves=tuple(Wave(_ids(wave["machines"])) for wave in row["waves"]),
        bound=Bound(bound.get("waves", 0), bound.get("because", "")),
        what=row.get("what", ""),
    )
