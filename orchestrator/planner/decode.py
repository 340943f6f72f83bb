"""A plan read back from plain JSON values, strictly: a plan is what runs, and a key that was passed over might have mattered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from sys import intern
from types import MappingProxyType
from typing import Any

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
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
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.announced import (
    decode_notify,
    decode_schedule,
    notify_of_plan,
    schedule_of_plan,
)
from orchestrator.planner.calendars import decode_calendar, freezes_of_calendar, windows_of_calendar
from orchestrator.planner.care import (
    AROUND,
    GROUP_PROBES,
    HEALTH,
    PROBES,
    decode_around,
    decode_group,
    decode_health,
    decode_probe,
)
from orchestrator.planner.model import (
    Bound,
    Lane,
    LeftOut,
    Plan,
    PlannedMachine,
    StageGate,
    Warned,
    Wave,
)
from orchestrator.planner.rows import Row, duration, named, numbers, origin, rows_of, share, shared, without_s
from orchestrator.policy import defaults
from orchestrator.policy.model import (
    Change,
    Origin,
    Patches,
    Reboot,
    Restart,
    StopWhen,
)

_MACHINE = record(
    {
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
        "facts": shared,
        "groups": numbers,
        "calendar": a_whole_number,
        "takes_s": duration,
    }
)


def _machine(value: Any, place: str, problems: Problems) -> PlannedMachine | None:
    """One of `machines`, made at once: a large plan's rows would be held twice otherwise."""
    key = place.removeprefix("machines.")
    row = _MACHINE(value, place, problems)
    if _lacking(row, ("arm_id", "name", "change", "kind", "os"), place, problems):
        return None
    if key != key.lower():
        problems.append(f"{place}: ids are in lower case in a plan")
    silent = {"subscription": "", "location": "", "policies": (), "probes": (), "around": ()}
    return PlannedMachine(id=MachineId(intern(key)), **{**silent, **named(row, takes_s="takes")})


_CONSTRAINTS = list_of(
    {
        "id": a_string,
        "kind": a_string,
        "what": a_string,
        "from": origin,
        "machines": strings,
        "limit": a_whole_number,
        "cap": a_boolean,
        "domains": map_of(strings),
        "level": a_whole_number,
        "first": strings,
        "then": strings,
    },
    needs="id",
)

_LANES = list_of(
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

_CHANGE = record(
    {
        "kind": a_string,
        "classifications": strings,
        "include_kbs": strings,
        "exclude_kbs": strings,
        "reboot": one_of(Reboot),
        "maximum_duration_s": duration,
        "published_until": a_moment,
    }
)

_TABLE: Mapping[str, Convert] = {
    "schema": a_string,
    "name": a_string,
    "taken_at": a_moment,
    "fingerprint": record({"inventory": a_string, "policies": a_string}),
    "machines": map_of(_machine),
    "constraints": _CONSTRAINTS,
    "stages": strings,
    "stage_gates": list_of({"name": a_string, "bake_s": duration, "approve": a_boolean}, needs="name"),
    "lanes": _LANES,
    "left_out": list_of({"machine": a_string, "reason": a_string, "constraint": a_string}, needs="machine"),
    "warnings": list_of({"what": a_string, "from": origin}, needs="what"),
    "change": _CHANGE,
    "stop_when": record({"unhealthy": share, "not_changed": share}),
    "probes": PROBES,
    "health": HEALTH,
    "around": AROUND,
    "group_probes": GROUP_PROBES,
    "calendars": rows_of(
        record({"windows": windows_of_calendar(origin, duration), "freezes": freezes_of_calendar(origin)})
    ),
    "deadline_s": duration,
    "schedule": schedule_of_plan(origin),
    "notify": notify_of_plan(origin),
    "max_in_flight": a_whole_number,
    "max_wait_s": duration,
    "replaces": strings,
    "read_tags": strings,
}

_NEEDED = ("name", "machines", "constraints", "stages", "stage_gates", "lanes", "change", "max_wait_s")


def decode(document: Mapping[str, Any], problems: Problems) -> Plan | None:
    """The plan; None if there are problems, each a sentence that names its place."""
    held = record(_TABLE)(document, "", problems)
    problems.extend(
        f"there is no `{key}`" for key in _NEEDED if key not in held and document.get(key) is None
    )
    if problems:
        return None
    constraints = [_constraint(row, problems) for row in held["constraints"]]
    change = _change(held["change"], problems)
    lanes = [_lane(row, problems) for row in held["lanes"]]
    calendars = [
        decode_calendar(row, f"calendars[{number}]", problems)
        for number, row in enumerate(held.get("calendars", ()))
    ]
    schedule = decode_schedule(held.get("schedule"), problems)
    if problems or change is None:
        return None
    fingerprint = held.get("fingerprint", {})
    return Plan(
        name=held["name"],
        taken_at=held.get("taken_at"),
        inventory_fingerprint=fingerprint.get("inventory", ""),
        policies_fingerprint=fingerprint.get("policies", ""),
        machines=tuple(sorted(held["machines"].values(), key=lambda machine: machine.id)),
        constraints=tuple(rule for rule in constraints if rule is not None),
        stages=tuple(
            StageGate(row["name"], row.get("bake_s", timedelta()), row.get("approve", False))
            for row in held["stage_gates"]
        ),
        lanes=tuple(lane for lane in lanes if lane is not None),
        left_out=tuple(
            LeftOut(MachineId(row["machine"]), row.get("reason", ""), row.get("constraint", ""))
            for row in held.get("left_out", ())
        ),
        warnings=tuple(Warned(row["what"], row.get("from")) for row in held.get("warnings", ())),
        change=change,
        stop_when=StopWhen(**held.get("stop_when", {})),
        probes=tuple(map(decode_probe, held.get("probes", ()))),
        health=tuple(map(decode_health, held.get("health", ()))),
        around=tuple(map(decode_around, held.get("around", ()))),
        group_probes=tuple(map(decode_group, held.get("group_probes", ()))),
        max_in_flight=held.get("max_in_flight"),
        max_wait=held["max_wait_s"],
        calendars=tuple(calendar for calendar in calendars if calendar is not None),
        deadline=held.get("deadline_s", defaults.DEADLINE),
        schedule=schedule,
        notify=tuple(decode_notify(row) for row in held.get("notify", ())),
        replaces=held.get("replaces", ()),
        read_tags=held.get("read_tags", ()),
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


def _constraint(row: Row, problems: Problems) -> Constraint | None:
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
    what, origin = row.get("what", ""), row.get("from", Origin(""))
    match row["kind"]:
        case "budget":
            cap = row.get("cap", False)
            return Budget(row["id"], _ids(row["machines"]), row["limit"], what, origin, cap)
        case "exclusion":
            domains = {name: _ids(held) for name, held in sorted(row["domains"].items())}
            return Exclusion(row["id"], MappingProxyType(domains), what, origin, row.get("level", 0))
        case _:
            return Order(row["id"], _ids(row["first"]), _ids(row["then"]), what, origin)


def _lane(row: Row, problems: Problems) -> Lane | None:
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


def _change(row: Row, problems: Problems) -> Change | None:
    match row.get("kind"):
        case "restart":
            return Restart()
        case "patches":
            return Patches(**without_s({key: value for key, value in row.items() if key != "kind"}))
        case other:
            problems.append(f"change.kind is {other!r}; write patches or restart")
            return None
