"""Machines and sets as Azure Resource Manager shows them: models and instance views."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from orchestrator.emulator.catalogue import family, hotpatched
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.state import Json, MachineState
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    Location,
    Machine,
    Orchestration,
    Os,
    PatchSettings,
    Power,
    ScaleSet,
)

_POWER_WORDS = {Power.DEALLOCATED: "VM deallocated", Power.DEALLOCATING: "VM deallocating"}
_MODES = {
    Os.WINDOWS: ("windowsConfiguration", "AutomaticByOS"),
    Os.LINUX: ("linuxConfiguration", "ImageDefault"),
}


def machine_model(machine: Machine, sets: Mapping[str, str]) -> Json:
    """A virtual machine without its instance view. `sets` maps ids to the spelling their owner uses."""
    os = family(machine)
    properties: Json = {
        "vmId": str(uuid.uuid5(uuid.NAMESPACE_URL, machine.id)),
        "hardwareProfile": {"vmSize": machine.size or "Standard_D2s_v5"},
        "provisioningState": machine.provisioning or "Succeeded",
        "storageProfile": {
            "imageReference": _image(machine),
            "osDisk": {"osType": "Windows" if os is Os.WINDOWS else "Linux", "createOption": "FromImage"},
        },
        "osProfile": _os_profile(machine, os),
        "timeCreated": "2025-02-03T10:00:00.0000000+00:00",
    }
    model: Json = {
        "id": machine.arm_id,
        "name": machine.name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.location,
        "etag": '"1"',
        "properties": properties,
    }
    if machine.availability_set:
        properties["availabilitySet"] = {
            "id": shouted(sets.get(machine.availability_set, machine.availability_set))
        }
    elif machine.scale_set:
        owner = sets.get(machine.scale_set, machine.scale_set)
        properties["virtualMachineScaleSet"] = {"id": owner}
        properties["platformFaultDomain"] = machine.fault_domain
        model["managedBy"] = owner
    if machine.zone:
        model["zones"] = [machine.zone]
    if machine.tags:
        model["tags"] = dict(machine.tags)
    return model


def _image(machine: Machine) -> Json:
    image = machine.image
    if not image.publisher:
        group = machine.arm_id.split("/providers/", 1)[0]
        return {"id": f"{group}/providers/Microsoft.Compute/images/golden"}
    return {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version or "latest",
        "exactVersion": image.version or "latest",
    }


def _os_profile(machine: Machine, os: Os) -> Json:
    part, usual = _MODES[os]
    mode = machine.patch_mode or usual
    settings = _patch_settings(machine.patch_settings, mode)
    configuration: Json = {"provisionVMAgent": machine.agent is not Agent.MISSING, "patchSettings": settings}
    if os is Os.WINDOWS:
        told = machine.patch_settings
        settings["enableHotpatching"] = hotpatched(machine) and mode == "AutomaticByPlatform"
        configuration["enableAutomaticUpdates"] = told.automatic_updates is not False
        if machine.time_zone:
            configuration["timeZone"] = machine.time_zone
    return {
        "computerName": machine.computer_name or machine.name,
        part: configuration,
        "allowExtensionOperations": True,
    }


def _patch_settings(told: PatchSettings, mode: str) -> Json:
    """As the inventory tells them, what it leaves out being absent; where it tells nothing, as somebody would have enrolled it."""
    by_platform = mode == "AutomaticByPlatform"
    if told == PatchSettings():
        told = PatchSettings(
            assessment_mode=mode if by_platform else "ImageDefault",
            reboot_setting="IfRequired" if by_platform else None,
            bypasses_safety_checks=True if by_platform else None,
        )
    settings: Json = {"patchMode": mode}
    if told.assessment_mode is not None:
        settings["assessmentMode"] = told.assessment_mode
    platform = {
        "rebootSetting": told.reboot_setting,
        "bypassPlatformSafetyChecksOnUserSchedule": told.bypasses_safety_checks,
    }
    held = {key: value for key, value in platform.items() if value is not None}
    if by_platform and held:
        settings["automaticByPlatformSettings"] = held
    return settings


def instance_view(machine: MachineState, now: datetime) -> Json:
    """The instance view. A machine that doesn't run shows neither agent nor health; power stays `running` in a restart."""
    at = stamp(machine.changed or now)
    power = str(machine.power)
    statuses = [
        {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Provisioning succeeded",
            "time": at,
        }
    ]
    if machine.power is not Power.UNKNOWN:
        words = _POWER_WORDS.get(machine.power, f"VM {power}")
        statuses.append({"code": f"PowerState/{power}", "level": "Info", "displayStatus": words})
    view: Json = {"statuses": statuses}
    if machine.update_domain is not None:
        view["platformUpdateDomain"] = machine.update_domain
    if machine.fault_domain is not None:
        view["platformFaultDomain"] = machine.fault_domain
    if machine.power is Power.RUNNING:
        view["computerName"] = machine.record.computer_name or machine.record.name
        if machine.record.os_name:
            view["osName"] = machine.record.os_name
        if machine.record.os_version:
            view["osVersion"] = os_version(machine)
        view["hyperVGeneration"] = "V2"
        if machine.agent is not Agent.MISSING:
            view["vmAgent"] = _agent(machine, now)
        if machine.record.app_health is not AppHealth.NONE:
            view["vmHealth"] = {"status": _health(machine)}
    patches: Json = {}
    if machine.assessment is not None:
        patches["availablePatchSummary"] = machine.assessment
    if machine.installation is not None:
        patches["lastPatchInstallationSummary"] = machine.installation
    if patches:
        view["patchStatus"] = patches
    return view


def os_version(machine: MachineState) -> str:
    """What the inventory tells of a machine's build, until an update makes it one of the emulator's own."""
    unchanged = machine.software.build in {"", machine.first_build}
    return (machine.record.os_version or "") if unchanged else machine.software.build


def _agent(machine: MachineState, now: datetime) -> Json:
    if machine.agent is Agent.READY and machine.answers:
        status = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
            "time": stamp(now),
        }
        version = "2.7.41491.1" if family(machine.record) is Os.WINDOWS else "2.11.1.12"
    else:
        status = {
            "code": "ProvisioningState/Unavailable",
            "level": "Warning",
            "displayStatus": "Not Ready",
            "message": "VM status blob is found but not yet populated.",
            "time": stamp(now),
        }
        version = "Unknown"
    return {"vmAgentVersion": version, "statuses": [status], "extensionHandlers": []}


def _health(machine: MachineState) -> Json:
    state = AppHealth.UNHEALTHY if not machine.answers else machine.app
    return {
        "code": f"HealthState/{state}",
        "level": "Info" if state is AppHealth.HEALTHY else "Error",
        "displayStatus": f"The VM is reported to be {state}",
    }


def set_model(one: AvailabilitySet, arm_id: str, members: list[str]) -> Json:
    """An availability set. It names its machines in upper case, as Azure does."""
    return {
        "id": arm_id,
        "name": one.name,
        "type": "Microsoft.Compute/availabilitySets",
        "location": one.location,
        "sku": {"name": "Aligned"},
        "properties": {
            "platformUpdateDomainCount": one.update_domains,
            "platformFaultDomainCount": one.fault_domains,
            "virtualMachines": [{"id": shouted(member)} for member in members],
        },
    }


def scale_set_model(one: ScaleSet, arm_id: str, zones: list[str]) -> Json:
    """A scale set, Flexible or Uniform."""
    flexible = one.orchestration is Orchestration.FLEXIBLE
    model: Json = {
        "id": arm_id,
        "name": one.name,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": one.location,
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": one.instances or len(one.members)},
        "properties": {
            "orchestrationMode": "Flexible" if flexible else "Uniform",
            "platformFaultDomainCount": one.fault_domains,
            "provisioningState": "Succeeded",
            "singlePlacementGroup": False,
        },
    }
    if one.automatic_repairs is not None:
        model["properties"]["automaticRepairsPolicy"] = {"enabled": one.automatic_repairs}
    if zones:
        model["zones"] = zones
    return model


def subscription_model(subscription: str) -> Json:
    """A subscription that this identity can see."""
    return {
        "id": f"/subscriptions/{subscription}",
        "subscriptionId": subscription,
        "displayName": f"emulated {subscription[:8]}",
        "state": "Enabled",
    }


def location_model(location: Location, subscription: str) -> Json:
    """A region as one subscription sees it: whom it is paired with, and which physical zones its zones are."""
    display = location.name.capitalize()
    metadata: Json = {"regionType": "Physical", "regionCategory": "Recommended", "physicalLocation": display}
    metadata["pairedRegion"] = [
        {"name": name, "id": f"/subscriptions/{subscription}/locations/{name}"} for name in location.paired
    ]
    model: Json = {
        "id": f"/subscriptions/{subscription}/locations/{location.name}",
        "name": location.name,
        "type": "Region",
        "displayName": display,
        "regionalDisplayName": display,
        "metadata": metadata,
    }
    zones = location.zones.get(subscription.lower())
    if zones:
        model["availabilityZoneMappings"] = [
            {"logicalZone": logical, "physicalZone": physical} for logical, physical in sorted(zones.items())
        ]
    return model


def shouted(arm_id: str) -> str:
    """An id as Azure spells references: resource group and name in upper case, the rest as it was."""
    parts = arm_id.split("/")
    if len(parts) > 4:  # "", subscriptions, id, resourceGroups, name, ...
        parts[4] = parts[4].upper()
        parts[-1] = parts[-1].upper()
    return "/".join(parts)


def shouted_group(arm_id: str) -> str:
    """An id as lists spell it: only the resource group in upper case."""
    parts = arm_id.split("/")
    if len(parts) > 4:
        parts[4] = parts[4].upper()
    return "/".join(parts)
