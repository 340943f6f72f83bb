"""Machines of Azure Arc and Azure Local over ARM: their models, and what their patch calls answer.

Their provider, Microsoft.HybridCompute, tells less than Compute does: no instance view, one `status` for all, no power, no
domains; an operation is known by its `Location` alone, which answers 202 without a body until it answers with the result; and
a result names no patch. What was done with each patch stands in Resource Graph (`resource_graph`).
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime, timedelta

from orchestrator.emulator.catalogue import family
from orchestrator.emulator.problems import SERVICE, problem, stamp
from orchestrator.emulator.state import Answer, Json, Kind, MachineState, Operation
from orchestrator.emulator.views import os_version
from orchestrator.inventory.model import Agent, Connection, Machine, Os
from orchestrator.inventory.model import Kind as MachineKind

MACHINES = "Microsoft.HybridCompute/machines"
API_VERSION = "2026-07-15"
SILENT_FOR = timedelta(minutes=15)
"""How long a machine is still called connected after its last heartbeat. Azure: 15 to 30 minutes."""

_AWAY = {Connection.ERROR: "Error", Connection.AWAITING: "AwaitingConnection"}
_CLASSES = (
    ("Security", "security"),
    ("Critical", "critical"),
    ("Definition", "definition"),
    ("UpdateRollUp", "updateRollup"),
    ("FeaturePack", "featurePack"),
    ("ServicePack", "servicePack"),
    ("Tools", "tools"),
    ("Updates", "updates"),
    ("Other", "other"),
)


def is_arc(machine: Machine) -> bool:
    """Whether Microsoft.HybridCompute is its provider."""
    return machine.kind is not MachineKind.AZURE_VM


def status(machine: MachineState, now: datetime) -> str:
    """`Connected`, or why not, as Azure sees it: a machine that went silent stays connected for a while."""
    if machine.agent is not Agent.READY:
        return _AWAY.get(machine.record.connection, "Disconnected")
    if machine.answers or (machine.changed is not None and now - machine.changed < SILENT_FOR):
        return "Connected"
    return "Disconnected"


def machine_model(machine: MachineState, now: datetime) -> Json:
    """A machine as its provider shows it."""
    record = machine.record
    windows = family(record) is Os.WINDOWS
    properties: Json = {
        "provisioningState": record.provisioning or "Succeeded",
        "status": status(machine, now),
        "lastStatusChange": stamp(machine.changed or record.connection_since or now - timedelta(days=3)),
        "agentVersion": record.agent_version or "1.58.03228.2572",
        "vmId": str(uuid.uuid5(uuid.NAMESPACE_URL, record.id)),
        "displayName": record.computer_name or record.name,
        "osType": "windows" if windows else "linux",
        "osName": "windows" if windows else "linux",
        "osSku": record.os_name or ("Windows Server 2022 Datacenter" if windows else "Ubuntu 22.04.5 LTS"),
        "osProfile": {
            "computerName": record.computer_name or record.name,
            ("windowsConfiguration" if windows else "linuxConfiguration"): {
                "patchSettings": _settings(record)
            },
        },
    }
    for key, told in (("osVersion", os_version(machine)), ("osEdition", record.os_edition)):
        if told:
            properties[key] = told
    if record.cluster:
        properties["parentClusterResourceId"] = record.cluster
    if record.patch_settings.hotpatch_license:
        feature = {"name": "Hotpatch", "subscriptionStatus": record.patch_settings.hotpatch_license}
        properties["licenseProfile"] = {
            "productProfile": {"productType": "WindowsServer", "productFeatures": [feature]}
        }
    if record.private_ips:
        addresses = [{"address": ip, "ipAddressVersion": "IPv4"} for ip in record.private_ips]
        properties["networkProfile"] = {"networkInterfaces": [{"ipAddresses": addresses}]}
    model: Json = {
        "id": record.arm_id,
        "name": record.name,
        "type": MACHINES,
        "location": record.location,
        "properties": properties,
    }
    if record.kind is MachineKind.AZURE_LOCAL:
        model["kind"] = "HCI"
    if record.tags:
        model["tags"] = dict(record.tags)
    return model


def _settings(record: Machine) -> Json:
    told = record.patch_settings
    settings: Json = {"assessmentMode": told.assessment_mode or "ImageDefault"}
    if record.patch_mode:
        settings["patchMode"] = record.patch_mode
    if told.hotpatching is not None:
        settings["enableHotpatching"] = told.hotpatching
    if told.hotpatch_status is not None:
        settings["status"] = {"hotpatchEnablementStatus": told.hotpatch_status}
    return settings


def refusal(machine: MachineState, now: datetime) -> Answer | None:
    """Why an operation isn't taken, if it isn't. What Azure answers for a machine that is away was never recorded."""
    name = machine.record.name
    if (told := status(machine, now)) != "Connected":
        message = f"The machine '{name}' is not connected: its status is '{told}'."
        return problem(409, "MachineNotConnected", message, headers=SERVICE)
    if machine.running is not None:
        message = f"Another {machine.running.kind} operation is in progress on machine '{name}'."
        return problem(409, "Conflict", message, headers=SERVICE)
    return None


def location(operation: Operation, base: str) -> str:
    """The URL at which an operation is followed. Nothing published says that its id is the run's own, so it is another one."""
    return (
        f"{base}/subscriptions/{operation.subscription}/providers/Microsoft.HybridCompute/locations/"
        f"{operation.location}/updateCenterOperationResults/{mirrored(operation.id)}?api-version={API_VERSION}"
    )


def mirrored(guid: str) -> str:
    """Another id for the same thing; of that one, the first. An id that is none stays as it is."""
    try:
        return str(uuid.UUID(hex=uuid.UUID(guid).hex[::-1]))
    except ValueError:
        return guid


def result(operation: Operation, machine: Machine) -> Json:
    """An operation's result as this provider tells it, out of what Compute would have told."""
    told = operation.output or {}
    family_ = family(machine)
    common: Json = {
        "status": told.get("status", "Succeeded"),
        "startDateTime": stamp(operation.started),
        "lastModifiedDateTime": stamp(operation.ended or operation.started),
        "startedBy": "User",
        "patchServiceUsed": "WU" if family_ is Os.WINDOWS else "APT",
        "osType": family_.value.title(),
        "errorDetails": _error(told),
    }
    if operation.kind is Kind.ASSESS:
        return {
            **common,
            "assessmentActivityId": operation.id,
            "rebootPending": bool(told.get("rebootPending")),
            "availablePatchCountByClassification": counted(told.get("availablePatches") or ()),
        }
    kept = (
        "rebootStatus",
        "maintenanceWindowExceeded",
        *(name for name in told if name.endswith("PatchCount")),
    )
    return {
        **common,
        "installationActivityId": operation.id,
        **{name: told[name] for name in kept if name in told},
    }


def counted(patches: list[Json] | tuple[Json, ...]) -> Json:
    """How many of these patches there are of each classification."""
    counts = Counter(str(patch["classifications"][0]).lower() for patch in patches)
    return {spelled: counts[word.lower()] for word, spelled in _CLASSES}


def _error(told: Json) -> Json | None:
    error = told.get("error") or {}
    return None if error.get("code") in {None, "Success"} else dict(error)
