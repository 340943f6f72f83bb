"""Maintenance configurations and what they are assigned to, as Azure Resource Manager lists them."""

from __future__ import annotations

from orchestrator.emulator.dealing import Dealt
from orchestrator.emulator.state import Json
from orchestrator.inventory.ids import name_of, subscription_of

_MAINTENANCE = "Microsoft.Maintenance"


def assignments(dealt: Dealt, subscription: str) -> list[Json]:
    """Each machine's, one below the other. Azure spells the resource id of an assignment in lower case."""
    return [
        {
            "id": f"{machine.arm_id}/providers/{_MAINTENANCE}/configurationAssignments/{name_of(configuration)}",
            "name": name_of(configuration),
            "type": f"{_MAINTENANCE}/configurationAssignments",
            "location": machine.location,
            "properties": {"maintenanceConfigurationId": configuration, "resourceId": machine.id},
        }
        for machine in dealt.machines
        if machine.subscription.lower() == subscription
        for configuration in machine.schedules or ()
    ]


def configurations(dealt: Dealt, subscription: str) -> list[Json]:
    """Those of a subscription that any machine is assigned to, each on the second Tuesday's weekend."""
    named = {one for machine in dealt.machines for one in machine.schedules or ()}
    return [
        {
            "id": one,
            "name": name_of(one),
            "type": f"{_MAINTENANCE}/maintenanceConfigurations",
            "location": "westeurope",
            "properties": {
                "maintenanceScope": "InGuestPatch",
                "visibility": "Custom",
                "extensionProperties": {"InGuestPatchMode": "User"},
                "maintenanceWindow": {
                    "startDateTime": "2026-01-17 01:00",
                    "duration": "03:00",
                    "timeZone": "UTC",
                    "recurEvery": "Month Third Saturday",
                },
                "installPatches": {"rebootSetting": "IfRequired"},
            },
        }
        for one in sorted(named)
        if subscription_of(one) == subscription
    ]
