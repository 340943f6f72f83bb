"""Who patches a machine and how, by its `patchSettings`: of a virtual machine's model, and of an Arc machine's."""

from __future__ import annotations

from orchestrator.inventory.model import PatchSettings
from orchestrator.inventory.wire import Row, objects, part, text, truth

_CONFIGURATIONS = ("windowsConfiguration", "linuxConfiguration")


def patch_mode_of(flat: Row) -> str:
    """The patch mode, empty where none is told."""
    return next((mode for told in _told(flat) if (mode := text(told, "patchMode"))), "")


def patch_settings_of(flat: Row) -> PatchSettings:
    """All else that the settings tell. Resource Graph writes null for what isn't set, and null is not told."""
    told = next(iter(_told(flat)), {})
    platform = part(told, "automaticByPlatformSettings")
    return PatchSettings(
        assessment_mode=text(told, "assessmentMode") or None,
        hotpatching=truth(told, "enableHotpatching"),
        hotpatch_status=text(part(told, "status"), "hotpatchEnablementStatus") or None,
        hotpatch_license=_license(part(flat, "licenseProfile")),
        reboot_setting=text(platform, "rebootSetting") or None,
        bypasses_safety_checks=truth(platform, "bypassPlatformSafetyChecksOnUserSchedule"),
        automatic_updates=truth(part(flat, "osProfile", "windowsConfiguration"), "enableAutomaticUpdates"),
    )


def _told(flat: Row) -> list[Row]:
    profile = part(flat, "osProfile")
    every = (part(profile, configuration, "patchSettings") for configuration in _CONFIGURATIONS)
    return [told for told in every if told]


def _license(profile: Row) -> str | None:
    """What the machine's license for hotpatches on Windows Server 2025 comes to; `az` leaves out the level of the product."""
    for holder in (part(profile, "productProfile"), profile):
        for feature in objects(holder, "productFeatures"):
            if text(feature, "name").lower() == "hotpatch":
                return text(feature, "subscriptionStatus") or None
    return None
