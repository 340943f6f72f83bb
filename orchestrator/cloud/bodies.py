"""What is sent to begin a change: the bodies of Azure's patch calls, spelled as its API spells them.

Names and enumerations are of `VirtualMachineInstallPatchesParameters`, api-version 2026-04-01.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from orchestrator.cloud.port import Rejected
from orchestrator.inventory.model import Os
from orchestrator.policy.change import WriteSettings
from orchestrator.policy.model import Patches, Reboot

WINDOWS_CLASSIFICATIONS = (
    "Critical",
    "Security",
    "UpdateRollUp",
    "FeaturePack",
    "ServicePack",
    "Definition",
    "Tools",
    "Updates",
)
LINUX_CLASSIFICATIONS = ("Critical", "Security", "Other")
REBOOT_SETTINGS = {Reboot.IF_REQUIRED: "IfRequired", Reboot.NEVER: "Never", Reboot.ALWAYS: "Always"}


def install_body(patches: Patches, os: Os) -> dict[str, Any] | Rejected:
    """The body of `installPatches` for a machine of this family.

    A campaign may span both families: a classification that only the other one knows is left away here. KB ids, masks of names and
    the publication date are Windows' alone, masks of packages Linux'. Where nothing is left to ask for, or the family isn't known,
    nothing may be sent, since Azure would refuse it: that is the `Rejected` given back.
    """
    unknown = [
        c for c in patches.classifications if not _spelled(c, WINDOWS_CLASSIFICATIONS + LINUX_CLASSIFICATIONS)
    ]
    if unknown:
        known = ", ".join(dict.fromkeys(WINDOWS_CLASSIFICATIONS + LINUX_CLASSIFICATIONS))
        return _refused(f"Azure knows no classification {', '.join(unknown)}; it knows {known}")
    match os:
        case Os.WINDOWS:
            name, parameters = "windowsParameters", _windows(patches)
        case Os.LINUX if patches.hotpatch_only:
            return _refused("the campaign installs hotpatches only, and Linux has none")
        case Os.LINUX:
            name, parameters = "linuxParameters", _linux(patches)
        case Os.UNKNOWN:
            return _refused(
                "the inventory doesn't say whether this machine runs Windows or Linux, and Azure must be told"
            )
    if not any(parameters.get(key) for key in _ASKING):
        asked = ", ".join(patches.classifications) or "what it includes"
        return _refused(f"nothing of what the campaign asks for ({asked}) exists on {os.value.title()}")
    return {
        "maximumDuration": iso_duration(patches.maximum_duration),
        "rebootSetting": REBOOT_SETTINGS[patches.reboot],
        name: parameters,
    }


def settings_body(settings: WriteSettings, os: Os) -> dict[str, Any] | Rejected:
    """The body of a machine's `PATCH` that writes patch settings. What is to be taken away is null, as merging demands."""
    part = {Os.WINDOWS: "windowsConfiguration", Os.LINUX: "linuxConfiguration"}.get(os)
    if part is None:
        return _refused(
            "the inventory doesn't say whether this machine runs Windows or Linux, and its settings stand under either"
        )
    written: dict[str, Any] = {}
    for key, value in settings.values:
        *path, last = key.split(".")
        place = written
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return {"properties": {"osProfile": {part: {"patchSettings": written}}}}


def iso_duration(duration: timedelta) -> str:
    """ISO 8601, in hours, minutes and seconds: `PT2H`, `PT1H30M`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n]
    return "PT" + ("".join(parts) or "0S")


_ASKING = (
    "classificationsToInclude",
    "kbNumbersToInclude",
    "patchNameMasksToInclude",
    "packageNameMasksToInclude",
)
"""Azure takes no request that has none of these."""


def _windows(patches: Patches) -> dict[str, Any]:
    """A set that is pinned by assessments is asked for KB by KB, and by nothing that could add to it."""
    pinned = patches.only_kbs is not None
    told: dict[str, Any] = {
        "classificationsToInclude": []
        if pinned
        else _chosen(patches.classifications, WINDOWS_CLASSIFICATIONS),
        "kbNumbersToInclude": [
            _digits(kb) for kb in (patches.only_kbs if pinned else patches.include_kbs) or ()
        ],
        "kbNumbersToExclude": [_digits(kb) for kb in patches.exclude_kbs],
        "patchNameMasksToInclude": [] if pinned else list(patches.include_names),
        "patchNameMasksToExclude": list(patches.exclude_names),
        "excludeKbsRequiringReboot": patches.hotpatch_only,
    }
    parameters = {key: value for key, value in told.items() if value}
    if patches.published_until is not None:
        until = patches.published_until.astimezone(UTC)
        parameters["maxPatchPublishDate"] = until.isoformat(timespec="seconds")
    return parameters


def _linux(patches: Patches) -> dict[str, Any]:
    """A pinned set is asked for as `name=version` alone: a classification would bring the newest version of a package all the same.

    Critical and security are one to the patch extension, and it refuses either of them beside `Other` without the other.
    """
    pinned = patches.only_packages is not None
    chosen = [] if pinned else _chosen(patches.classifications, LINUX_CLASSIFICATIONS)
    if set(chosen) & {"Critical", "Security"}:
        chosen = list(dict.fromkeys(["Critical", "Security", *chosen]))
    told = {
        "classificationsToInclude": chosen,
        "packageNameMasksToInclude": list(patches.only_packages or ())
        if pinned
        else list(patches.include_packages),
        "packageNameMasksToExclude": list(patches.exclude_packages),
    }
    return {key: value for key, value in told.items() if value}


def _chosen(wanted: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """The wanted ones that `known` has, in its spelling, each once, in the order wanted."""
    return list(dict.fromkeys(spelled for name in wanted if (spelled := _spelled(name, known))))


def _spelled(name: str, known: tuple[str, ...]) -> str:
    """`update_rollup`, `UpdateRollup` and `UpdateRollUp` are one; empty if it is none of `known`."""
    plain = name.replace("_", "").replace("-", "").replace(" ", "").lower()
    return next((spelled for spelled in known if spelled.lower() == plain), "")


def _digits(kb: str) -> str:
    return kb.strip().upper().removeprefix("KB")


def _refused(why: str) -> Rejected:
    return Rejected(code="NothingToSend", message=why, transient=False)
