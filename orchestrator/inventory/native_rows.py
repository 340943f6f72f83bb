"""The rows of the project's own inventory file, as they are written: keys that say nothing are left out where they came later.

A fingerprint is made of these bytes, so a key that is added here must be left out where nothing is told: a fleet keeps the
fingerprint that it had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from orchestrator.inventory.model import (
    AvailabilitySet,
    BackendPool,
    Image,
    Installed,
    Location,
    Machine,
    PatchSettings,
    PatchState,
    ScaleSet,
    Unreadable,
    Update,
)

_IF_TOLD: Final = {
    one.name: one.default
    for one in fields(Machine)
    if one.name
    in {
        "backend_pools",  # not told, which isn't none
        "patch_settings",
        "os_name",
        "os_version",
        "os_edition",
        "vbs",
        "agent_version",
        "connection",
        "connection_since",
        "cluster",
        "schedules",
    }
}
"""Keys of a machine that stand in a file only where they say something."""

_ALWAYS: Final = tuple(
    one.name for one in fields(Machine) if one.name not in _IF_TOLD and one.name != "arm_id"
)
_FACTS: Final = attrgetter(*_ALWAYS)
_TOLD: Final = attrgetter(*_IF_TOLD)
_UNTOLD: Final = tuple(_IF_TOLD.values())


def machine_row(machine: Machine) -> dict[str, Any]:
    """A machine as its row, by the id that its source spelled. Whatever is a moment in it is left to `plain`."""
    row = dict(zip(_ALWAYS, _FACTS(machine), strict=True))
    row["id"] = machine.arm_id
    row["tags"] = dict(machine.tags)
    row["image"] = _image(machine.image)
    row["patches"] = _patches(machine.patches)
    told = _TOLD(machine)
    if told != _UNTOLD:
        row |= {key: fact for key, fact in zip(_IF_TOLD, told, strict=True) if fact != _IF_TOLD[key]}
    return row


def _image(image: Image) -> dict[str, Any]:
    """By hand, as there is one a machine."""
    row = {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version,
    }
    return row if image.id is None else {**row, "id": image.id}


def _patches(held: PatchState) -> dict[str, Any]:
    """By hand, as there is one a machine."""
    row: dict[str, Any] = {
        "assessed_at": held.assessed_at,
        "critical_and_security": held.critical_and_security,
        "other": held.other,
        "reboot_pending": held.reboot_pending,
        "installation_id": held.installation_id,
        "installation_status": held.installation_status,
        "installed_at": held.installed_at,
    }
    if held.updates is not None:
        row["updates"] = list(map(_update, held.updates))
    if held.installed is not None:
        row["installed"] = held.installed
    return row


def _update(one: Update) -> dict[str, Any]:
    """By hand, as there are dozens a machine."""
    row: dict[str, Any] = {
        "name": one.name,
        "kb": one.kb,
        "classifications": one.classifications,
        "reboot": one.reboot,
    }
    if one.version is not None:
        row["version"] = one.version
    if one.published is not None:
        row["published"] = one.published
    return row


def plain(value: Any) -> Any:
    """What orjson leaves to us: dataclasses and mappings become dicts, times UTC with a `Z`."""
    kind = type(value)
    if kind not in _NAMES:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return dict(value)  # a mapping
    held = dict(zip(_NAMES[kind], _VALUES[kind](value), strict=True))
    for name in _LATER.get(kind, ()):
        if held[name] is None:
            del held[name]
    return held


_NAMES: Final = {
    kind: tuple(f.name for f in fields(kind))
    for kind in (
        PatchSettings,
        Installed,
        AvailabilitySet,
        ScaleSet,
        BackendPool,
        Location,
        Unreadable,
    )
}

_VALUES: Final = {kind: attrgetter(*names) for kind, names in _NAMES.items()}

_LATER: Final[Mapping[type, tuple[str, ...]]] = {
    PatchSettings: _NAMES[PatchSettings],
    Installed: ("at",),
    ScaleSet: ("automatic_repairs",),
}
"""As `_IF_TOLD`, for what a machine holds."""
