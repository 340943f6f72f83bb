"""`PATCH` of a machine: its patch settings and tags, checked as ARM checks them, and merged into its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.emulator.catalogue import eligible
from orchestrator.emulator.problems import invalid, problem
from orchestrator.emulator.state import Answer, Json
from orchestrator.inventory.model import Machine, Os

PARTS = {Os.WINDOWS: "windowsConfiguration", Os.LINUX: "linuxConfiguration"}
MODES: Mapping[Os, tuple[str, ...]] = {
    Os.WINDOWS: ("Manual", "AutomaticByOS", "AutomaticByPlatform"),
    Os.LINUX: ("ImageDefault", "AutomaticByPlatform"),
}
ASSESSMENT_MODES = ("ImageDefault", "AutomaticByPlatform")
REBOOT_SETTINGS = ("Unknown", "IfRequired", "Never", "Always")
PLATFORM = "AutomaticByPlatform"
_OF_THE_PLATFORM = "automaticByPlatformSettings"


@dataclass(frozen=True, slots=True)
class Patched:
    """A model with what was asked for in it, and whether the machine is hotpatched from now on."""

    model: Json
    hotpatching: bool


def patched(machine: Machine, os: Os, model: Json, body: Json) -> Patched | Answer:
    """The model after `PATCH` with this body, or the refusal. What the body doesn't name stays as it was."""
    part = PARTS[os]
    profile = _object(_object(body.get("properties")).get("osProfile"))
    other = PARTS[Os.LINUX if os is Os.WINDOWS else Os.WINDOWS]
    if other in profile:
        return invalid(
            f"osProfile.{other}", f"The property 'osProfile.{other}' doesn't fit the VM's operating system."
        )
    wanted = _object(_object(profile.get(part)).get("patchSettings"))
    own = model["properties"]["osProfile"]
    settings = _merged(own[part].get("patchSettings") or {}, wanted)
    wrong = _wrong(machine, os, own[part].get("patchSettings") or {}, settings)
    if wrong is not None:
        return wrong
    if settings.get("patchMode") != PLATFORM:
        settings.pop(_OF_THE_PLATFORM, None)
    configuration = {**own[part], "patchSettings": settings}
    properties = {**model["properties"], "osProfile": {**own, part: configuration}}
    etag = '"' + str(int(model["etag"].strip('"')) + 1) + '"'
    after = {**model, "properties": properties, "etag": etag}
    if isinstance(body.get("tags"), dict):
        after["tags"] = dict(body["tags"])
    return Patched(after, settings.get("enableHotpatching") is True)


def _wrong(machine: Machine, os: Os, was: Json, settings: Json) -> Answer | None:
    path = f"osProfile.{PARTS[os]}.patchSettings"
    told = (
        ("patchMode", settings.get("patchMode"), MODES[os]),
        ("assessmentMode", settings.get("assessmentMode"), ASSESSMENT_MODES),
        (
            f"{_OF_THE_PLATFORM}.rebootSetting",
            _object(settings.get(_OF_THE_PLATFORM)).get("rebootSetting"),
            REBOOT_SETTINGS,
        ),
    )
    for name, value, allowed in told:
        if value is not None and value not in allowed:
            return invalid(
                f"{path}.{name}",
                f"The value '{value}' of parameter '{path}.{name}' is not allowed. Allowed values are: {', '.join(allowed)}.",
            )
    modes = {was.get("patchMode"), settings.get("patchMode")}
    if modes == {"Manual", "AutomaticByOS"}:
        return problem(
            409,
            "PropertyChangeNotAllowed",
            "Changing property 'windowsConfiguration.enableAutomaticUpdates' is not allowed, so 'patchMode' can't change "
            "between 'Manual' and 'AutomaticByOS'.",
            target="windowsConfiguration.enableAutomaticUpdates",
        )
    if settings.get("enableHotpatching") is True:
        if not eligible(machine):
            return invalid(
                f"{path}.enableHotpatching", "The selected VM image is not supported for hotpatching."
            )
        if settings.get("patchMode") != PLATFORM:
            return invalid(
                f"{path}.enableHotpatching", f"Hotpatching requires 'patchMode' to be '{PLATFORM}'."
            )
    return None


def _merged(was: Json, wanted: Json) -> Json:
    """What is wanted over what was, one object deep. What is wanted as null is taken away."""
    merged = {**was, **wanted}
    if isinstance(wanted.get(_OF_THE_PLATFORM), dict):
        inner = {**_object(was.get(_OF_THE_PLATFORM)), **wanted[_OF_THE_PLATFORM]}
        merged[_OF_THE_PLATFORM] = {key: value for key, value in inner.items() if value is not None} or None
    return {key: value for key, value in merged.items() if value is not None}


def _object(told: object) -> Json:
    return dict(told) if isinstance(told, dict) else {}
