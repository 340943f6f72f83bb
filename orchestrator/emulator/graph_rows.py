"""What Resource Graph holds of an emulated world, row by row: resources, and what patching did to them.

It is behind the truth. A row of a run or an assessment is there some seconds after what it tells of came to pass
(`LAG`, drawn for each), so that whoever reads it right after an operation ended may find it in progress, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from orchestrator.emulator import arc
from orchestrator.emulator.catalogue import family
from orchestrator.emulator.chance import Span, stream
from orchestrator.emulator.interfaces import interface
from orchestrator.emulator.maintenance import assignments, configurations
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.sets import every_set
from orchestrator.emulator.state import Json, Kind, MachineState, Operation
from orchestrator.emulator.views import os_version
from orchestrator.emulator.world import World
from orchestrator.inventory.ids import resource_group_of, subscription_of
from orchestrator.inventory.model import Machine, Os, Power

LAG = Span(5, 60, 20)
"""Seconds. Published: "up to a minute" for resources; of these tables nothing is."""

INSTALLATIONS_KEPT = timedelta(days=30)
ASSESSMENTS_KEPT = timedelta(days=7)


def machine_row(world: World, machine: MachineState, now: datetime) -> Json:
    """A machine among `resources`. Of an Azure VM's instance view there is its power state, and little else."""
    if arc.is_arc(machine.record):
        return _resource(arc.machine_model(machine, now))
    model = world.model(machine.id)
    extended: Json = {"computerName": machine.record.computer_name or machine.record.name}
    if machine.power is not Power.UNKNOWN:
        extended["powerState"] = {
            "code": f"PowerState/{machine.power}",
            "displayStatus": f"VM {machine.power}",
            "level": "Info",
        }
    if machine.record.os_name:
        extended["osName"] = machine.record.os_name
    if machine.record.os_version:
        extended["osVersion"] = os_version(machine)
    shown = {**model["properties"], "extended": {"instanceView": extended}}
    return _resource({**model, "properties": shown})


def interface_row(world: World, machine: Machine) -> Json:
    """A machine's network interface among `resources`."""
    return _resource(interface(machine, world.graph_pages.pools(world.dealt)))


def set_rows(world: World) -> Iterator[Json]:
    """Availability sets and scale sets among `resources`, and maintenance configurations."""
    yield from map(_resource, every_set(world))
    for subscription in world.dealt.subscriptions:
        yield from map(_resource, configurations(world.dealt, subscription))


def assignment_rows(world: World, scope: Collection[str] | None) -> Iterator[Json]:
    """What `maintenanceresources` tells of the machines of these subscriptions."""
    for subscription in world.dealt.subscriptions:
        if scope is None or subscription in scope:
            yield from map(_resource, assignments(world.dealt, subscription))


def subscription_rows(world: World) -> Iterator[Json]:
    """The subscriptions among `resourcecontainers`."""
    for subscription in world.dealt.subscriptions:
        arm_id = f"/subscriptions/{subscription}"
        kind = "microsoft.resources/subscriptions"
        yield _resource(
            {"id": arm_id, "name": subscription, "type": kind, "properties": {"state": "Enabled"}}
        )


def installation_rows(world: World, machine: MachineState, now: datetime) -> Iterator[Json]:
    """The patch runs of a machine, and what became of each patch, as far as Resource Graph knows at `now`."""
    known = set()
    for operation in world.operations(machine.id):
        if operation.kind is not Kind.INSTALL:
            continue
        known.add(operation.id)
        lag = lag_of(world, operation)
        if operation.visible_since is None or operation.visible_since + lag > now:
            continue
        if operation.ended is None or operation.ended + lag > now:
            yield _run(machine, operation, {"status": "InProgress"}, operation.visible_since)
        elif operation.ended + INSTALLATIONS_KEPT > now:
            yield _run(machine, operation, operation.output or {"status": "Failed"}, operation.ended)
            for patch in (operation.output or {}).get("patches", ()):
                yield _patch(machine, f"patchInstallationResults/{operation.id}", patch, operation.ended)
    before = machine.record.patches
    if before.installation_id and before.installation_id not in known:  # of before the emulator began
        at = before.installed_at or world.start - timedelta(days=28)
        if at + INSTALLATIONS_KEPT > now:
            yield _before(machine, before.installation_id, before.installation_status or "Succeeded", at)


def assessment_rows(world: World, machine: MachineState, now: datetime) -> Iterator[Json]:
    """The last assessment of a machine, and the patches that it found."""
    done = [
        one
        for one in world.operations(machine.id)
        if one.ended is not None and one.ended + lag_of(world, one) <= now and one.output is not None
    ]
    last = next((one for one in reversed(done) if one.kind is Kind.ASSESS and one.error is None), None)
    if last is None or last.ended is None:
        yield from _assessed_before(machine)
        return
    if last.ended + ASSESSMENTS_KEPT <= now:
        return
    output = last.output or {}
    installed = {
        patch["patchId"]
        for one in done
        if one.kind is Kind.INSTALL and one.started >= last.started
        for patch in (one.output or {}).get("patches", ())
        if patch["installationState"] == "Installed"
    }
    found = [patch for patch in output["availablePatches"] if patch["patchId"] not in installed]
    yield _assessment(machine, last.id, last.started, last.ended, bool(output["rebootPending"]), found)
    for patch in found:
        yield _patch(machine, "patchAssessmentResults/latest", patch, last.ended)


def lag_of(world: World, operation: Operation) -> timedelta:
    """How far Resource Graph is behind in what it tells of an operation."""
    return LAG.draw(stream(world.seed, operation.id, "graph"))


def _assessed_before(machine: MachineState) -> Iterator[Json]:
    """The assessment of before the emulator began, if there was one: it found what the machine waits for."""
    summary = machine.assessment
    if summary is None:
        return
    found: list[Json] = [
        {
            "patchId": patch.id,
            "name": patch.name,
            **({"kbId": patch.kb} if patch.kb else {"version": patch.version}),
            "classifications": [patch.classification],
            "rebootBehavior": patch.behavior,
            "publishedDate": stamp(patch.published),
        }
        for patch in machine.found
    ]
    ended = datetime.fromisoformat(summary["lastModifiedTime"])
    started = datetime.fromisoformat(summary["startTime"])
    activity = str(summary["assessmentActivityId"])
    yield _assessment(machine, activity, started, ended, bool(summary["rebootPending"]), found)
    for patch in found:
        yield _patch(machine, "patchAssessmentResults/latest", patch, ended)


def _assessment(
    machine: MachineState, activity: str, started: datetime, ended: datetime, pending: bool, found: list[Json]
) -> Json:
    properties = {
        **_who(machine),
        "status": "Succeeded",
        "rebootPending": pending,
        "availablePatchCountByClassification": arc.counted(found),
        "startDateTime": stamp(started),
        "lastModifiedDateTime": stamp(ended),
        "errorDetails": None,
    }
    return _result(machine, "patchAssessmentResults/latest", activity, properties)


def _run(machine: MachineState, operation: Operation, told: Json, modified: datetime) -> Json:
    kept = (name for name in told if name.endswith("PatchCount") or name in {"rebootStatus", "status"})
    error = told.get("error") or operation.error or {}
    properties = {
        **_who(machine),
        **{name: told[name] for name in kept},
        "installationActivityId": operation.id,
        "maintenanceWindowExceeded": bool(told.get("maintenanceWindowExceeded")),
        "startDateTime": stamp(operation.started),
        "lastModifiedDateTime": stamp(modified),
        "startedBy": "Platform" if operation.who in {"azure", "schedule"} else "User",
        "errorDetails": None if error.get("code") in {None, "Success"} else error,
    }
    if operation.who == "schedule":
        properties["maintenanceRunId"] = _scheduled_run(machine, operation.started)
    return _result(machine, f"patchInstallationResults/{operation.id}", operation.id, properties)


def _scheduled_run(machine: MachineState, begun: datetime) -> str:
    """The id that all runs of one beginning of a schedule share: below the maintenance configuration that they belong to."""
    group = machine.record.arm_id.split("/providers/", 1)[0]
    usual = f"{group}/providers/Microsoft.Maintenance/maintenanceConfigurations/schedule"
    configuration = next(iter(machine.record.schedules or ()), usual)
    return f"{configuration}/providers/Microsoft.Maintenance/applyUpdates/{begun:%Y%m%d%H%M%S}"


def _before(machine: MachineState, activity: str, status: str, at: datetime) -> Json:
    told = {
        **_who(machine),
        "status": status,
        "installationActivityId": activity,
        "maintenanceWindowExceeded": False,
        "installedPatchCount": 1,
        "rebootStatus": "NotNeeded",
        "startDateTime": stamp(at - timedelta(minutes=5)),
        "lastModifiedDateTime": stamp(at),
        "errorDetails": None,
    }
    return _result(machine, f"patchInstallationResults/{activity}", activity, told)


def _patch(machine: MachineState, below: str, patch: Json, modified: datetime) -> Json:
    """One patch below a run or an assessment."""
    told = {
        "patchName": patch["name"],
        "classifications": patch["classifications"],
        "rebootBehavior": patch.get("rebootBehavior", "Unknown"),
        "rebootRequired": patch.get("rebootBehavior") == "AlwaysRequiresReboot",
        "publishedDateTime": patch.get("publishedDate"),
        "lastModifiedDateTime": stamp(modified),
    }
    for key in ("kbId", "version", "installationState"):
        if key in patch:
            told[key] = patch[key]
    return _result(machine, f"{below}/softwarePatches/{patch['patchId']}", patch["name"], told)


def _who(machine: MachineState) -> Json:
    os = family(machine.record)
    return {
        "osType": os.value.title(),
        "patchServiceUsed": "WU" if os is Os.WINDOWS else "APT",
        "startedBy": "User",
    }


def _result(machine: MachineState, below: str, name: str, properties: Json) -> Json:
    types = [part for n, part in enumerate(below.split("/")) if n % 2 == 0]
    arm_id = f"{machine.record.arm_id}/{below}"
    owner = arc.MACHINES if arc.is_arc(machine.record) else "Microsoft.Compute/virtualMachines"
    kind = "/".join([owner, *types])
    located = {"id": arm_id, "name": name, "type": kind, "location": machine.record.location}
    return _resource({**located, "properties": properties})


def _resource(model: Json) -> Json:
    """A row, with the columns that all have."""
    arm_id = str(model["id"])
    return {
        "id": arm_id,
        "name": model["name"],
        "type": str(model["type"]).lower(),
        "tenantId": "00000000-0000-0000-0000-000000000000",
        "kind": model.get("kind", ""),
        "location": model.get("location", ""),
        "resourceGroup": resource_group_of(arm_id),
        "subscriptionId": subscription_of(arm_id),
        "managedBy": model.get("managedBy", ""),
        "sku": model.get("sku"),
        "properties": model.get("properties"),
        "tags": model.get("tags"),
        "zones": model.get("zones"),
    }
