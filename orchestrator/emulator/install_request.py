"""The body of `installPatches`: read, refused as ARM refuses it, and asked which patches it selects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from orchestrator.emulator.catalogue import NEVER, Patch
from orchestrator.emulator.problems import invalid
from orchestrator.emulator.state import Answer, Json
from orchestrator.inventory.model import Os

REBOOT_SETTINGS = ("IfRequired", "Never", "Always")
CLASSIFICATIONS: Mapping[Os, tuple[str, ...]] = {
    Os.WINDOWS: (
        *("Unknown", "Critical", "Security", "UpdateRollup", "FeaturePack"),
        *("ServicePack", "Definition", "Tools", "Updates"),
    ),
    Os.LINUX: ("Unknown", "Critical", "Security", "Other"),
}
DEFAULT_MAXIMUM = timedelta(
    hours=4
)  # what Azure allows a run that doesn't say isn't published; examples show PT4H
_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_KB = re.compile(r"\d{4,8}")
_MASK = re.compile(r"[A-Za-z0-9*?]+")


class Fate(StrEnum):
    """What a run means to do with a patch, in the words of `installationState`."""

    SELECTED = "Installed"
    EXCLUDED = "Excluded"
    NOT_SELECTED = "NotSelected"


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """A body that ARM would take. Classifications are in lower case."""

    reboot: str
    maximum: timedelta = DEFAULT_MAXIMUM
    classifications: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()  # KB numbers, or masks of package names, with their version or without
    exclude: tuple[str, ...] = ()
    name_masks: tuple[str, ...] = ()  # Windows patch names
    excluded_name_masks: tuple[str, ...] = ()
    exclude_rebooting: bool = False
    published_by: datetime | None = None

    def fate(self, patch: Patch) -> Fate:
        """Exclusions override classifications; inclusions add to them."""
        name = patch.kb or patch.name
        excluded = [mask.partition("=")[0] for mask in self.exclude]  # whatever the version
        if _matches(name, excluded, patch) or _matches(patch.name, self.excluded_name_masks, patch):
            return Fate.EXCLUDED
        wanted = (
            self.names(patch)
            or _matches(patch.name, self.name_masks, patch)
            or patch.classification.lower() in self.classifications
        )
        if not wanted or (self.published_by is not None and patch.published > self.published_by):
            return Fate.NOT_SELECTED
        if self.exclude_rebooting and patch.behavior != NEVER:
            return Fate.EXCLUDED
        return Fate.SELECTED

    def names(self, patch: Patch) -> bool:
        """Whether an inclusion asks for this one: by number, by name, or by name and version."""
        for mask in self.include:
            name, versioned, version = mask.partition("=")
            if _matches(patch.kb or patch.name, [name], patch) and (
                not versioned or _matches(patch.version, [version], patch)
            ):
                return True
        return False


def read_install_request(body: Json, os: Os) -> InstallRequest | Answer:
    """The request, or the 400 that ARM answers with."""
    reboot = body.get("rebootSetting")
    if reboot not in REBOOT_SETTINGS:
        allowed = ", ".join(REBOOT_SETTINGS)
        if reboot is None:
            return invalid("rebootSetting", "Required parameter 'rebootSetting' is missing (null).")
        return invalid(
            "rebootSetting",
            f"The value '{reboot}' of parameter 'rebootSetting' is not allowed. Allowed values are: {allowed}.",
        )
    maximum = DEFAULT_MAXIMUM
    if body.get("maximumDuration") is not None:
        match = _DURATION.fullmatch(str(body["maximumDuration"]))
        if match is None or not any(match.groups()):
            return invalid(
                "maximumDuration",
                f"The value '{body['maximumDuration']}' of parameter 'maximumDuration' is not a duration of ISO 8601.",
            )
        maximum = timedelta(**{unit: float(n) for unit, n in match.groupdict(default="0").items()})
    part = "windowsParameters" if os is Os.WINDOWS else "linuxParameters"
    parameters = body.get(part) or {}
    if not isinstance(parameters, dict):
        return invalid(part, f"The parameter '{part}' must be an object.")
    read = _windows if os is Os.WINDOWS else _linux
    return read(str(reboot), maximum, parameters)


def _windows(reboot: str, maximum: timedelta, parameters: Json) -> InstallRequest | Answer:
    part = "windowsParameters"
    wrong = _wrong_classification(part, parameters, Os.WINDOWS)
    if wrong is not None:
        return wrong
    for key in ("kbNumbersToInclude", "kbNumbersToExclude"):
        for kb in parameters.get(key) or ():
            if not _KB.fullmatch(str(kb)):
                return invalid(
                    f"{part}.{key}", f"The value '{kb}' of parameter '{part}.{key}' is not a KB number."
                )
    for key in ("patchNameMasksToInclude", "patchNameMasksToExclude"):
        for mask in parameters.get(key) or ():
            if not _MASK.fullmatch(str(mask)):
                return invalid(
                    f"{part}.{key}",
                    f"The value '{mask}' of parameter '{part}.{key}' may hold letters, digits, '*' and '?' only.",
                )
    published_by = None
    if parameters.get("maxPatchPublishDate") is not None:
        try:
            published_by = datetime.fromisoformat(str(parameters["maxPatchPublishDate"]))
        except ValueError:
            return invalid(
                f"{part}.maxPatchPublishDate",
                f"The value '{parameters['maxPatchPublishDate']}' of parameter '{part}.maxPatchPublishDate' is no date.",
            )
        if published_by.tzinfo is None:
            published_by = published_by.replace(tzinfo=UTC)
    request = InstallRequest(
        reboot,
        maximum,
        frozenset(str(c).lower() for c in parameters.get("classificationsToInclude") or ()),
        tuple(parameters.get("kbNumbersToInclude") or ()),
        tuple(parameters.get("kbNumbersToExclude") or ()),
        tuple(parameters.get("patchNameMasksToInclude") or ()),
        tuple(parameters.get("patchNameMasksToExclude") or ()),
        bool(parameters.get("excludeKbsRequiringReboot")),
        published_by,
    )
    return _something_selected(part, request)


def _linux(reboot: str, maximum: timedelta, parameters: Json) -> InstallRequest | Answer:
    part = "linuxParameters"
    wrong = _wrong_classification(part, parameters, Os.LINUX)
    if wrong is not None:
        return wrong
    classifications = frozenset(str(c).lower() for c in parameters.get("classificationsToInclude") or ())
    if classifications & {"critical", "security"}:  # the Linux extension treats the two as one
        classifications |= {"critical", "security"}
    request = InstallRequest(
        reboot,
        maximum,
        classifications,
        tuple(parameters.get("packageNameMasksToInclude") or ()),
        tuple(parameters.get("packageNameMasksToExclude") or ()),
    )
    return _something_selected(part, request)


def _wrong_classification(part: str, parameters: Json, os: Os) -> Answer | None:
    allowed = CLASSIFICATIONS[os]
    for value in parameters.get("classificationsToInclude") or ():
        if str(value).lower() not in {a.lower() for a in allowed}:
            target = f"{part}.classificationsToInclude"
            return invalid(
                target,
                f"The value '{value}' of parameter '{target}' is not allowed. Allowed values are: {', '.join(allowed)}.",
            )
    return None


def _something_selected(part: str, request: InstallRequest) -> InstallRequest | Answer:
    if request.classifications or request.include or request.name_masks:
        return request
    return invalid(
        part, f"The parameter '{part}' must name at least one classification or one patch to include."
    )


def _matches(name: str, masks: Iterable[str], patch: Patch) -> bool:
    """Linux' extension matches names as its file system does, where case matters."""
    if not patch.kb:
        return any(fnmatchcase(name, str(mask)) for mask in masks)
    return any(fnmatchcase(name.lower(), str(mask).lower()) for mask in masks)
