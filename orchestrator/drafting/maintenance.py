"""An Azure maintenance configuration as a policy.

What `az maintenance configuration show` prints, and what the REST API answers, say the same in two shapes; both are read. What the
language of policies can't say, or says otherwise, is told in `unsaid`, and stands as comments in the text: nothing is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from pydantic_core import PydanticCustomError

from orchestrator.drafting import text
from orchestrator.drafting.recurrence import Recurrence, recurrence
from orchestrator.errors import UsageError
from orchestrator.policy import defaults, words
from orchestrator.policy.masks import read_package_mask
from orchestrator.policy.model import Selector
from orchestrator.policy.schema.campaign import LINUX_CLASSIFICATIONS, WINDOWS_CLASSIFICATIONS
from orchestrator.policy.time_zones import iana_name

Json = Mapping[str, Any]

SCOPE: Final = "InGuestPatch"
NO_END: Final = 9999
"""The year in which configurations expire that don't."""

_REBOOTS: Final = {
    "ifrequired": "if_required", "rebootifrequired": "if_required",
    "never": "never", "neverreboot": "never",
    "always": "always", "alwaysreboot": "always",
}  # fmt: skip
_OF_THE_RESOURCE: Final = frozenset(
    {"id", "name", "type", "location", "tags", "systemData", "resourceGroup", "etag"}
)
"""What is said of the configuration as a resource, and not of any machine."""

_WINDOW: Final = ("startDateTime", "expirationDateTime", "duration", "timeZone", "recurEvery")
_PATCHES: Final = (
    "rebootSetting",
    "windowsParameters",
    "linuxParameters",
    "windowsPatchSettings",
    "linuxPatchSettings",
)
_WINDOWS: Final = (
    "classificationsToInclude",
    "kbNumbersToInclude",
    "kbNumbersToExclude",
    "excludeKbsRequiringReboot",
)
_LINUX: Final = ("classificationsToInclude", "packageNameMasksToInclude", "packageNameMasksToExclude")


@dataclass(frozen=True, slots=True)
class Imported:
    """A policy's text, its name, and what it doesn't say of the configuration, a sentence each."""

    name: str
    text: str
    unsaid: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What was read so far."""

    name: str
    unsaid: list[str] = field(default_factory=list)
    classifications: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    include_packages: list[str] = field(default_factory=list)
    exclude_packages: list[str] = field(default_factory=list)
    hotpatch_only: bool = False
    reboot: str = "if_required"
    days: Recurrence = field(default_factory=Recurrence)
    at: str = "00:00"
    length: timedelta = timedelta(hours=3)
    zone: str = "UTC"


def imported(document: object, select: Selector | None = None) -> Imported:
    """The policy of one configuration, for the machines that `select` names.

    Raises:
        UsageError: for what isn't a configuration of patches, with what it is instead.
    """
    resource = _one(document)
    told = {**resource, **_mapping(resource, "properties")}
    told.pop("properties", None)
    told.update(_mapping(told, "maintenanceWindow"))
    told.pop("maintenanceWindow", None)
    scope = told.get("maintenanceScope")
    if scope is None or str(scope).lower() != SCOPE.lower():
        has = f"its scope is {scope}" if scope else "it has no maintenanceScope"
        raise UsageError(f"not a maintenance configuration that patches machines: {has}, not {SCOPE}")
    found = _Found(text.name(str(told.get("name") or ""), "maintenance"))
    _read_window(told, found)
    _read_patches(_mapping(told, "installPatches"), found)
    _read_rest(told, found)
    if select is None:
        found.unsaid.append(
            "whom it is assigned to isn't part of a configuration: say it in `select`, or import with --select"
        )
    return Imported(found.name, text.text(_lines(found, select)), tuple(found.unsaid))


def _one(document: object) -> Json:
    if isinstance(document, list):
        if len(document) == 1:
            return _one(document[0])
        names = ", ".join(str(one.get("name")) for one in document if isinstance(one, dict))
        raise UsageError(f"the file holds {len(document)} configurations ({names}); import them one by one")
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        return _one(document["value"])
    if not isinstance(document, dict):
        raise UsageError(
            "not a maintenance configuration: expected the object that `az maintenance configuration show` prints"
        )
    return document


def _mapping(told: Json, key: str) -> Json:
    value = told.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"not a maintenance configuration: `{key}` is no object")
    return value


# When -----------------------------------------------------------------------------------------------------------


def _read_window(told: Json, found: _Found) -> None:
    start = _moment(told.get("startDateTime"), "startDateTime", found)
    if start is not None:
        found.at = f"{start:%H:%M}"
    else:
        found.unsaid.append('it doesn\'t say at what time it begins: it is written as "00:00"')
    recurs = told.get("recurEvery")
    first: date | None = start.date() if start is not None else None
    if recurs:
        try:
            found.days = recurrence(str(recurs), first)
        except ValueError as unknown:
            raise UsageError(str(unknown)) from None
        found.unsaid += found.days.unsaid
    else:
        found.days = recurrence("Week", first)
        found.unsaid.append("it happens once and doesn't recur, and windows do: take it out afterwards")
    end = _moment(told.get("expirationDateTime"), "expirationDateTime", found)
    if end is not None and end.year < NO_END:
        found.unsaid.append(f"it ends at {end:%Y-%m-%d %H:%M}, and windows don't: take it out then")
    found.length = _length(told.get("duration"), found)
    zone = str(told.get("timeZone") or "UTC")
    known = iana_name(zone)
    if known is None:
        found.unsaid.append(f"its time zone `{zone}` isn't known: it is written as UTC")
    found.zone = known or "UTC"


def _moment(value: object, key: str, found: _Found) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        found.unsaid.append(f"its {key} `{value}` isn't a moment that is understood")
        return None


def _length(value: object, found: _Found) -> timedelta:
    match = re.fullmatch(r"(\d{1,2}):([0-5]\d)(?::[0-5]\d)?", str(value or ""))
    if match is None or match[0] in {"00:00", "0:00"}:
        found.unsaid.append(f"its duration `{value}` isn't a length that is understood: it is written as 3h")
        return timedelta(hours=3)
    return timedelta(hours=int(match[1]), minutes=int(match[2]))


# What -----------------------------------------------------------------------------------------------------------


def _read_patches(told: Json, found: _Found) -> None:
    _strangers(told, _PATCHES, "installPatches", found)
    reboot = str(told.get("rebootSetting") or "IfRequired")
    if reboot.lower() not in _REBOOTS:
        found.unsaid.append(f"its rebootSetting `{reboot}` isn't known: it is written as if_required")
    found.reboot = _REBOOTS.get(reboot.lower(), "if_required")
    windows = _mapping(told, "windowsParameters") or _mapping(told, "windowsPatchSettings")
    linux = _mapping(told, "linuxParameters") or _mapping(told, "linuxPatchSettings")
    _strangers(windows, _WINDOWS, "windowsParameters", found)
    _strangers(linux, _LINUX, "linuxParameters", found)
    of_windows = _classifications(windows, WINDOWS_CLASSIFICATIONS, "Windows", found)
    of_linux = _classifications(linux, LINUX_CLASSIFICATIONS, "Linux", found)
    found.classifications = list(dict.fromkeys((*of_windows, *of_linux)))
    if windows and linux:
        shared = set(WINDOWS_CLASSIFICATIONS) & set(LINUX_CLASSIFICATIONS)
        apart = sorted(shared & (set(of_windows) ^ set(of_linux)))
        if apart:
            said = " and ".join(apart)
            found.unsaid.append(
                f"Windows and Linux get other classifications ({said} on one of the two alone), and a policy's are those of both: "
                "write a policy for each, with select: {os: windows} and select: {os: linux}"
            )
    if not found.classifications:
        found.classifications = list(defaults.CLASSIFICATIONS)
        found.unsaid.append(
            "it names no classifications: the default ones are written, critical and security"
        )
    found.include = _kbs(windows, "kbNumbersToInclude", found)
    found.exclude = _kbs(windows, "kbNumbersToExclude", found)
    found.include_packages = _packages(linux, "packageNameMasksToInclude", found)
    found.exclude_packages = _packages(linux, "packageNameMasksToExclude", found)
    if windows.get("excludeKbsRequiringReboot"):
        _read_hotpatch_only(found, linux=linux)


def _read_hotpatch_only(found: _Found, *, linux: Json) -> None:
    """`excludeKbsRequiringReboot`: our word for it never restarts a machine, and leaves Linux out."""
    if any(value not in (None, [], {}) for value in linux.values()):
        found.unsaid.append(
            "it leaves out KBs that need a restart (excludeKbsRequiringReboot) and patches Linux too, which hotpatch_only doesn't: "
            "write a policy for each, with hotpatch_only: true in that of Windows"
        )
        return
    found.hotpatch_only = True
    if found.reboot != "never":
        found.unsaid.append(
            f"it leaves out KBs that need a restart, and restarts all the same if need be (rebootSetting {found.reboot}): "
            "hotpatch_only never does"
        )
        found.reboot = "never"


def _packages(told: Json, key: str, found: _Found) -> list[str]:
    read = []
    for word in _strings(told, key):
        try:
            mask = read_package_mask(word)
        except PydanticCustomError:
            found.unsaid.append(f"`{word}` in {key} is no mask of packages")
            continue
        if key == "packageNameMasksToExclude" and "=" in mask:
            name = mask.partition("=")[0]
            found.unsaid.append(f"`{mask}` in {key} excludes {name} in every version, and is written so")
            mask = name
        read.append(mask)
    return read


def _classifications(told: Json, known: tuple[str, ...], system: str, found: _Found) -> list[str]:
    read = []
    for word in _strings(told, "classificationsToInclude"):
        spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
        if spelled in known:
            read.append(spelled)
        else:
            found.unsaid.append(f"the classification `{word}` of {system} isn't known")
    return read


def _kbs(told: Json, key: str, found: _Found) -> list[str]:
    read = []
    for word in _strings(told, key):
        digits = re.fullmatch(r"(?:KB)?\s*(\d{6,8})", word.strip(), re.IGNORECASE)
        if digits:
            read.append(digits[1])
        else:
            found.unsaid.append(f"`{word}` in {key} is no KB id")
    return read


def _strings(told: Json, key: str) -> list[str]:
    value = told.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise UsageError(f"not a maintenance configuration: `{key}` is no list")
    return [str(entry) for entry in value]


def _strangers(told: Json, known: tuple[str, ...], where: str, found: _Found) -> None:
    for key in sorted(told):
        if key not in known and told[key] not in (None, [], {}):
            if key == "tasks":
                found.unsaid.append(
                    "it has tasks before or after, which policies have as `around` with webhooks"
                )
            else:
                found.unsaid.append(f"`{where}.{key}` isn't understood")


def _read_rest(told: Json, found: _Found) -> None:
    known = {
        *_WINDOW,
        *_OF_THE_RESOURCE,
        "maintenanceScope",
        "installPatches",
        "extensionProperties",
        "visibility",
        "namespace",
    }
    for key in sorted(told):
        if key not in known and told[key] not in (None, "", [], {}):
            found.unsaid.append(f"`{key}` isn't understood")
    for key, value in sorted(_mapping(told, "extensionProperties").items()):
        if (key, str(value).lower()) != ("InGuestPatchMode", "user"):
            found.unsaid.append(f"its `{key}` is {value}, which policies don't know")
    if str(told.get("visibility") or "Custom").lower() != "custom":
        found.unsaid.append(f"its visibility is {told['visibility']}: a configuration of Azure's own")


# The text -------------------------------------------------------------------------------------------------------


def _lines(found: _Found, select: Selector | None) -> Iterator[str]:
    yield from text.comment(
        f"Made of the Azure maintenance configuration {found.name}. Azure starts all its machines at once; here the rules of all policies hold. "
        "As long as machines are assigned to it, Azure goes on patching them by itself, too."
    )
    if found.unsaid:
        yield "#"
        yield "# What it says and this file doesn't, or says otherwise:"
        for sentence in found.unsaid:
            first, *rest = text.comment(sentence, "  ")
            yield "# - " + first.removeprefix("  # ")
            yield from ("#   " + line.removeprefix("  # ") for line in rest)
    yield "version: 1"
    yield f"name: {found.name}"
    if select is None:
        yield f"select: {text.selector(Selector(tags=(('maintenance-configuration', (found.name,)),)))}    # whom it is for: yours to say"
    else:
        yield f"select: {text.selector(select)}"
    yield ""
    yield "change:"
    yield "  patches:"
    yield f"    classifications: [{', '.join(found.classifications)}]"
    for key, kbs in (("include_kbs", found.include), ("exclude_kbs", found.exclude)):
        if kbs:
            yield f"    {key}: [{', '.join(kbs)}]"
    for key, masks in (
        ("include_packages", found.include_packages),
        ("exclude_packages", found.exclude_packages),
    ):
        if masks:
            yield f"    {key}: [{', '.join(map(text.scalar, masks))}]"
    if found.hotpatch_only:
        yield "    hotpatch_only: true"
    yield f"    reboot: {found.reboot}"
    yield f"    maximum_duration: {words.duration(min(found.length, defaults.MAXIMUM_DURATION))}"
    yield ""
    days = (
        f"start: {text.listed(found.days.start)}"
        if found.days.after_second_tuesday is None
        else f"days_after_second_tuesday: {found.days.after_second_tuesday}"
    )
    zone = text.scalar(found.zone)
    yield "# When a rollout is due, and when machines may be changed: nothing begins that might not be over when it closes."
    yield f'schedule: {{{days}, at: "{found.at}", time_zone: {zone}}}'
    yield "windows:"
    yield f'  - {{{days}, at: "{found.at}", for: {words.duration(found.length)}, time_zone: {zone}}}'
    yield ""
    yield "# A machine of each region first; the rest begins when they are well again, in the same window. With a bake it"
    yield "# would wait for the next one."
    yield "stages:"
    yield "  - {name: canary, count: 5, per_region: 1}"
    yield "  - {name: rest}"
