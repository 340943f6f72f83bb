"""A plan as plain JSON values. What each key means is said where the plan's nouns are (`model`)."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final, assert_never

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.hotpatch.model import Restarts, Told
from orchestrator.planner.announced import encode_notify, encode_schedule
from orchestrator.planner.calendars import encode_calendar
from orchestrator.planner.care import (
    encode_around,
    encode_group,
    encode_health,
    encode_origin,
    encode_probe,
)
from orchestrator.planner.change_rows import encode_change
from orchestrator.planner.expected import encode_durations
from orchestrator.planner.hotpatching import encode_hotpatching
from orchestrator.planner.model import Lane, LeftOut, Plan, PlannedMachine, Warned
from orchestrator.planner.pieces import Many
from orchestrator.planner.rows import moment, seconds
from orchestrator.policy import defaults
from orchestrator.policy.model import Share

SCHEMA: Final = "wavekeeper.plan/1"

Json = dict[str, Any]


def encode(plan: Plan) -> Json:
    """The whole document, its large parts not yet made.

    What the language didn't always have is left out where it says nothing, so that a plan without it is the same file as ever.
    """
    said: Json = (
        {"calendars": [encode_calendar(calendar) for calendar in plan.calendars]} if plan.calendars else {}
    )
    if plan.deadline != defaults.DEADLINE:
        said["deadline_s"] = seconds(plan.deadline)
    if plan.durations.known:
        said["durations"] = encode_durations(plan.durations)
    if plan.solver:
        said["solver"] = plan.solver
    if plan.schedule is not None:
        said["schedule"] = encode_schedule(plan.schedule)
    if plan.group_probes:
        said["group_probes"] = [encode_group(group) for group in plan.group_probes]
    if plan.sooner:
        said["sooner"] = [{"what": entry.what, "from": encode_origin(entry.origin)} for entry in plan.sooner]
    if plan.hotpatching is not None:
        said["hotpatch"] = encode_hotpatching(plan.hotpatching)
    if plan.notify:
        said["notify"] = [encode_notify(entry) for entry in plan.notify]
    return {
        **said,
        "schema": SCHEMA,
        "name": plan.name,
        "taken_at": moment(plan.taken_at),
        "fingerprint": {"inventory": plan.inventory_fingerprint, "policies": plan.policies_fingerprint},
        "machines": Many(
            ((machine.id, _machine(machine)) for machine in sorted(plan.machines, key=attrgetter("id"))),
            keyed=True,
        ),
        "constraints": Many(_constraint(rule) for rule in plan.constraints),
        "stages": [stage.name for stage in plan.stages],
        "stage_gates": [
            {"name": stage.name, "bake_s": seconds(stage.bake), "approve": stage.approve}
            for stage in plan.stages
        ],
        "lanes": Many(_lane(lane) for lane in plan.lanes),
        "left_out": [_left_out(left) for left in plan.left_out],
        "warnings": [_warned(warned) for warned in plan.warnings],
        "change": encode_change(plan.change),
        "stop_when": {
            "unhealthy": _share(plan.stop_when.unhealthy),
            "not_changed": _share(plan.stop_when.not_changed),
        },
        "probes": [encode_probe(probe) for probe in plan.probes],
        "health": [encode_health(health) for health in plan.health],
        "around": [encode_around(around) for around in plan.around],
        "max_in_flight": plan.max_in_flight,
        "max_wait_s": seconds(plan.max_wait),
        "replaces": list(plan.replaces),
        "read_tags": list(plan.read_tags),
    }


def _machine(machine: PlannedMachine) -> Json:
    said: Json = {}
    if machine.calendar is not None:
        said = {"calendar": machine.calendar, "takes_s": seconds(machine.takes)}
    if machine.groups:
        said["groups"] = machine.groups
    if machine.restart is not Restarts.UNKNOWN:
        said["restart"] = machine.restart
    if machine.restart_by is not Told.NOTHING:
        said["restart_by"] = machine.restart_by
    if machine.restart_because:
        said["restart_because"] = machine.restart_because
    if machine.hotpatched:
        said["hotpatched"] = True
    if machine.hotpatch is not None:
        said["hotpatch"] = machine.hotpatch
    if machine.reboot is not None:
        said["reboot"] = machine.reboot
    if machine.sooner is not None:
        said["sooner"] = machine.sooner
    if machine.outstanding is not None:
        said["outstanding"] = machine.outstanding
    return {
        **said,
        "arm_id": machine.arm_id,
        "name": machine.name,
        "subscription": machine.subscription,
        "location": machine.location,
        "kind": machine.kind,
        "os": machine.os,
        "change": machine.change,
        "policies": machine.policies,
        "probes": machine.probes,
        "around": machine.around,
        "health": machine.health,
        "private_ip": machine.private_ip,
        "computer_name": machine.computer_name,
        "tags": None if machine.tags is None else dict(machine.tags),
        "facts": machine.facts,
    }


def _constraint(rule: Constraint) -> Json:
    shared = {"id": rule.id, "what": rule.what, "from": encode_origin(rule.origin)}
    match rule:
        case Budget():
            return {
                **shared,
                "kind": "budget",
                "machines": rule.machines,
                "limit": rule.limit,
                "cap": rule.cap,
                **({"restarts": True, "spared": rule.spared} if rule.restarts else {}),
            }
        case Exclusion():
            return {
                **shared,
                "kind": "exclusion",
                "domains": dict(rule.domains),
                "limit": 1,
                "level": rule.level,
            }
        case Order():
            return {**shared, "kind": "order", "first": rule.first, "then": rule.then}
    assert_never(rule)


def _lane(lane: Lane) -> Json:
    return {
        "id": lane.id,
        "stage": lane.stage,
        "after": lane.after,
        "waves": [{"machines": wave.machines} for wave in lane.waves],
        "bound": {"waves": lane.bound.waves, "because": lane.bound.because},
        "optimal": lane.optimal,
        "what": lane.what,
    }


def _left_out(left: LeftOut) -> Json:
    return {"machine": left.machine, "reason": left.reason, "constraint": left.constraint}


def _warned(warned: Warned) -> Json:
    return {"what": warned.what, "from": None if warned.origin is None else encode_origin(warned.origin)}


def _share(share: Share) -> int | str | None:
    """A count as a number; a percentage as "1.5%", to the last digit."""
    return share.count if share.percent is None else f"{share.percent!r}%".replace(".0%", "%")
