"""A made-up company's `az vm list`, shaped as the CLI prints it; the same seed gives the same fleet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

PRODUCTION = "11111111-aaaa-4aaa-8aaa-000000000001"
PLATFORM = "22222222-bbbb-4bbb-8bbb-000000000002"

_SIZES = ("Standard_D2s_v5", "Standard_D4s_v5", "Standard_E4s_v5", "Standard_B2ms")
_OFF = ("VM deallocated", "VM stopped")


def vm_list(count: int = 1000, *, seed: int = 1, show_details: bool = False) -> list[dict[str, Any]]:
    """The rows for `count` machines in two paired regions: zonal tiers, availability sets, a Flexible set, singles."""
    chance = random.Random(seed)
    rows = [_row(place, chance) for _, place in zip(range(count), _places(chance), strict=False)]
    if show_details:
        for number, row in enumerate(rows):
            off = chance.random() < 0.03
            row["powerState"] = chance.choice(_OFF) if off else "VM running"
            row["privateIps"] = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
            row["publicIps"] = ""
            row["fqdns"] = ""
            row["macAddresses"] = (
                f"00-0D-3A-{number // 65536:02X}-{number // 256 % 256:02X}-{number % 256:02X}"
            )
    return rows


def _places(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Where machines stand, application by application, for ever."""
    application = 0
    while True:
        application += 1
        app = f"app{application:03d}"
        region = chance.choice(("westeurope", "westeurope", "northeurope"))
        subscription = chance.choice((PRODUCTION, PRODUCTION, PLATFORM))
        shape = chance.choice(("zonal", "zonal", "set", "set", "flexible", "single"))
        size = chance.choice((3, 4, 6, 8, 12, 15)) if shape != "single" else 1
        for number in range(1, size + 1):
            yield {
                "app": app,
                "region": region,
                "subscription": subscription,
                "shape": shape,
                "number": number,
                "windows": application % 3 != 0,
                "tier": ("web", "api", "db")[number % 3],
            }


def _row(place: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    app, number, subscription = place["app"], place["number"], place["subscription"]
    name = f"{app}-{place['tier']}-{number:02d}"
    group = f"rg-{app}"
    # The CLI passes on that Azure upper-cases the resource group in some ids and not in others.
    spelled = group.upper() if chance.random() < 0.4 else group
    compute = f"/subscriptions/{subscription}/resourceGroups/{{}}/providers/Microsoft.Compute"
    return {
        "additionalCapabilities": None,
        "availabilitySet": {
            "id": compute.format(group.upper()) + f"/availabilitySets/AS-{app.upper()}",
            "resourceGroup": group.upper(),
        }
        if place["shape"] == "set"
        else None,
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True, "storageUri": None}},
        "extendedLocation": None,
        "hardwareProfile": {"vmSize": chance.choice(_SIZES), "vmSizeProperties": None},
        "host": None,
        "id": compute.format(spelled) + f"/virtualMachines/{name}",
        "identity": None,
        "instanceView": None,
        "licenseType": "Windows_Server" if place["windows"] else None,
        "location": place["region"],
        "name": name,
        "networkProfile": {
            "networkInterfaces": [
                {
                    "id": f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/{name}-nic",
                    "primary": None,
                    "resourceGroup": group,
                }
            ]
        },
        "osProfile": _os_profile(name, windows=place["windows"]),
        "platformFaultDomain": None,
        "priority": None,
        "provisioningState": "Succeeded",
        "resourceGroup": spelled,
        "resources": None,
        "storageProfile": _storage(name, windows=place["windows"]),
        "tags": {"app": app, "tier": place["tier"], "env": "prod", "patching": "monthly"},
        "timeCreated": "2025-03-04T08:15:30.123456+00:00",
        "type": "Microsoft.Compute/virtualMachines",
        "userData": None,
        "virtualMachineScaleSet": {
            "id": compute.format(group) + f"/virtualMachineScaleSets/vmss-{app}",
            "resourceGroup": group,
        }
        if place["shape"] == "flexible"
        else None,
        "vmId": f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}",
        "zones": [str(number % 3 + 1)] if place["shape"] == "zonal" else None,
    }


def _os_profile(name: str, *, windows: bool) -> dict[str, Any]:
    patching = {
        "assessmentMode": "AutomaticByPlatform",
        "automaticByPlatformSettings": {
            "bypassPlatformSafetyChecksOnUserSchedule": True,
            "rebootSetting": "IfRequired",
        },
        "patchMode": "AutomaticByPlatform",
    }
    return {
        "adminPassword": None,
        "adminUsername": "azureuser",
        "allowExtensionOperations": True,
        "computerName": name,
        "customData": None,
        "linuxConfiguration": None
        if windows
        else {"disablePasswordAuthentication": True, "patchSettings": patching, "provisionVMAgent": True},
        "secrets": [],
        "windowsConfiguration": {
            "enableAutomaticUpdates": True,
            "patchSettings": {**patching, "enableHotpatching": False},
            "provisionVMAgent": True,
            "timeZone": "W. Europe Standard Time",
            "winRM": None,
        }
        if windows
        else None,
    }


def _storage(name: str, *, windows: bool) -> dict[str, Any]:
    image = (
        ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-azure-edition", "20348.4052.250801")
        if windows
        else ("Canonical", "ubuntu-24_04-lts", "server", "24.04.202508070")
    )
    publisher, offer, sku, exact = image
    return {
        "dataDisks": [],
        "imageReference": {
            "communityGalleryImageId": None,
            "exactVersion": exact,
            "id": None,
            "offer": offer,
            "publisher": publisher,
            "sharedGalleryImageId": None,
            "sku": sku,
            "version": "latest",
        },
        "osDisk": {
            "caching": "ReadWrite",
            "createOption": "FromImage",
            "deleteOption": "Delete",
            "diskSizeGb": 127 if windows else 64,
            "managedDisk": None,
            "name": f"{name}_OsDisk_1",
            "osType": "Windows" if windows else "Linux",
        },
    }
