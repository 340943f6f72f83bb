"""A plan read back from plain JSON values, strictly: a plan is what runs, and a key that was passed over might have mattered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from orchestrator.inventory.document import (
    Convert,
    Problems,
    a_boolean,
    a_moment,
    a_string,
    a_whole_number,
    list_of,
    map_of,
    record,
    strings,
)
from orchestrator.inventory.model import MachineId
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
from orchestrator.planner.change_rows import CHANGE, decode_change
from orchestrator.planner.decode_rows import CONSTRAINTS, LANES, a_constraint, a_lane, a_machine
from orchestrator.planner.expected import DURATIONS, decode_durations
from orchestrator.planner.hotpatching import HOTPATCHING, decode_hotpatching
from orchestrator.planner.model import (
    Exposed,
    LeftOut,
    Plan,
    StageGate,
    Warned,
)
from orchestrator.planner.rows import duration, origin, rows_of, share
from orchestrator.policy import defaults
from orchestrator.policy.model import (
    Origin,
    StopWhen,
)

_TABLE: Mapping[str, Convert] = {
    "schema": a_string,
    "name": a_string,
    "taken_at": a_moment,
    "fingerprint": record({"inventory": a_string, "policies": a_string}),
    "machines": map_of(a_machine),
    "constraints": CONSTRAINTS,
    "stages": strings,
    "stage_gates": list_of({"name": a_string, "bake_s": duration, "approve": a_boolean}, needs="name"),
    "lanes": LANES,
    "left_out": list_of({"machine": a_string, "reason": a_string, "constraint": a_string}, needs="machine"),
    "warnings": list_of({"what": a_string, "from": origin}, needs="what"),
    "change": CHANGE,
    "stop_when": record({"unhealthy": share, "not_changed": share}),
    "probes": PROBES,
    "health": HEALTH,
    "around": AROUND,
    "group_probes": GROUP_PROBES,
    "calendars": rows_of(
        record({"windows": windows_of_calendar(origin, duration), "freezes": freezes_of_calendar(origin)})
    ),
    "deadline_s": duration,
    "durations": DURATIONS,
    "schedule": schedule_of_plan(origin),
    "notify": notify_of_plan(origin),
    "max_in_flight": a_whole_number,
    "max_wait_s": duration,
    "replaces": strings,
    "read_tags": strings,
    "solver": a_string,
    "hotpatch": HOTPATCHING,
    "sooner": list_of({"what": a_string, "from": origin}, needs="what"),
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
    constraints = [a_constraint(row, problems) for row in held["constraints"]]
    change = decode_change(held["change"], problems)
    lanes = [a_lane(row, problems) for row in held["lanes"]]
    calendars = [
        decode_calendar(row, f"calendars[{number}]", problems)
        for number, row in enumerate(held.get("calendars", ()))
    ]
    schedule = decode_schedule(held.get("schedule"), problems)
    around = tuple(decode_around(row, problems) for row in held.get("around", ()))
    durations = decode_durations(held.get("durations", {}), problems)
    hotpatch = decode_hotpatching(held.get("hotpatch"), problems)
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
        around=around,
        group_probes=tuple(map(decode_group, held.get("group_probes", ()))),
        max_in_flight=held.get("max_in_flight"),
        max_wait=held["max_wait_s"],
        calendars=tuple(calendar for calendar in calendars if calendar is not None),
        deadline=held.get("deadline_s", defaults.DEADLINE),
        durations=durations,
        schedule=schedule,
        notify=tuple(decode_notify(row) for row in held.get("notify", ())),
        replaces=held.get("replaces", ()),
        read_tags=held.get("read_tags", ()),
        solver=held.get("solver", ""),
        hotpatching=hotpatch,
        sooner=tuple(Exposed(row["what"], row.get("from", Origin(""))) for row in held.get("sooner", ())),
    )
