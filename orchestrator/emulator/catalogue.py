"""The emulator's own patches: what comes out each month for which system, and whether it asks for a restart.

Titles look like real ones; the KB numbers of cumulative updates are made up, so that nobody looks for them. The catalogue
is the emulator's alone: what the product believes of hotpatch months and images must be found right against it, and so
it may not read the same table.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from orchestrator.emulator.months import OUT_OF_BAND_AFTER, Calendar, month_of, named, release
from orchestrator.inventory.model import Kind, Machine, Os

NEVER = "NeverReboots"
ALWAYS = "AlwaysRequiresReboot"
CAN = "CanRequestReboot"
UNKNOWN = "Unknown"

SYSTEM = "system"  # the series of cumulative updates, baselines and hotpatches: the highest of them is what a system is at
FRAMEWORK = "framework"  # .NET's
LINUX = (  # name, version with the place of its monthly number, that number in 2026-11, classification, restarts
    ("linux-image-azure", "6.8.0-{}.50~22.04.1", 1044, "Security", True),
    ("linux-headers-azure", "6.8.0-{}.50~22.04.1", 1044, "Security", False),
    ("openssl", "3.0.2-0ubuntu1.{}", 21, "Security", False),
    ("libcurl4", "7.81.0-1ubuntu1.{}", 22, "Security", False),
    ("python3.10-minimal", "3.10.12-1~22.04.{}", 12, "Security", False),
    ("vim-common", "2:8.2.3995-1ubuntu2.{}", 26, "Other", False),
    ("snapd", "2.{}+ubuntu22.04", 72, "Other", False),
)
_NUMBERED = month_of(2026, 11)


class Role(StrEnum):
    """What an update is to the hotpatch track."""

    CUMULATIVE = "cumulative"  # a hotpatch month's: whoever takes it is off the track until the next baseline
    BASELINE = "baseline"
    HOTPATCH = "hotpatch"  # only on top of its baseline
    OUT_OF_BAND = "out of band"  # as a cumulative one
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch that a machine may get. `restarts` is what really comes of it; `behavior` is what is said before.

    Within a series the one of the highest rank supersedes the others. Ranks of months are ten apart.
    """

    id: str
    name: str
    classification: (
        str  # in the words of a request: Critical, Security, UpdateRollUp, Definition, Updates, Other
    )
    behavior: str
    published: datetime
    kb: str = ""  # digits only, as ARM gives them; Windows
    version: str = ""  # Linux
    restarts: bool = False
    series: str = ""
    rank: int = 0
    role: Role = Role.OTHER

    @property
    def month(self) -> int:
        """The month that it belongs to."""
        return self.rank // 10


class Edition(NamedTuple):
    """A Windows Server by the year in its image's offer or SKU, how Windows Update calls it, and the build it is told by."""

    year: str
    system: str
    number: int
    build: int


EDITIONS = (
    Edition("2025", "Microsoft server operating system version 24H2 for x64-based Systems", 1, 26100),
    Edition("2022", "Microsoft server operating system version 21H2 for x64-based Systems", 2, 20348),
    Edition("2019", "Windows Server 2019 for x64-based Systems", 3, 17763),
    Edition("2016", "Windows Server 2016 for x64-based Systems", 4, 14393),
)


def family(machine: Machine) -> Os:
    """Windows or Linux; a source that doesn't say is judged by the image's publisher."""
    if machine.os is not Os.UNKNOWN:
        return machine.os
    return Os.WINDOWS if machine.image.publisher.lower().startswith("microsoftwindows") else Os.LINUX


def eligible(machine: Machine) -> bool:
    """Whether the machine can have hotpatches. On Azure its image has them: Azure Editions, of 2022 not the one with a desktop."""
    if machine.kind is Kind.ARC:
        edition = edition_of(machine)
        return edition is not None and edition.year == "2025"
    sku = machine.image.sku.lower().removesuffix("-smalldisk")
    return sku.startswith("2025-datacenter-azure-edition") or sku in {
        "2022-datacenter-azure-edition-core",
        "2022-datacenter-azure-edition-hotpatch",
    }


def hotpatched(machine: Machine) -> bool:
    """Whether the machine gets hotpatches: it can have them, in the mode that turns them on, and nobody turned them off."""
    settings = machine.patch_settings
    if not eligible(machine) or settings.hotpatching is False:
        return False
    if machine.kind is Kind.ARC:  # bought and turned on, machine by machine
        return settings.hotpatching is True or settings.hotpatch_status == "Enabled"
    return machine.patch_mode in {"", "AutomaticByPlatform"}


def edition_of(machine: Machine) -> Edition | None:
    """Which Windows Server it is, by its image, its name or its build; Linux is none."""
    if family(machine) is Os.LINUX:
        return None
    text = f"{machine.image.offer} {machine.image.sku} {machine.os_name}"
    version = machine.os_version or ""
    return next((e for e in EDITIONS if e.year in text or f".{e.build}." in version), EDITIONS[1])


# What comes out -------------------------------------------------------------------------------------------------------


@cache
def cumulative(edition: Edition, month: int, calendar: Calendar) -> Patch:
    """The month's cumulative update: in a baseline's month it is the baseline, for everybody."""
    kb, at_once = _number(edition, month), calendar.baseline(month)
    title = f"{named(month)} Cumulative Update for {edition.system} (KB{kb})"
    role, behavior = (Role.BASELINE, ALWAYS) if at_once else (Role.CUMULATIVE, CAN)
    return _update(title, kb, behavior, release(month), SYSTEM, month * 10 + 2, role, restarts=True)


@cache
def hotpatch(edition: Edition, month: int, calendar: Calendar) -> Patch | None:
    """The month's hotpatch; None where a baseline takes its place."""
    if calendar.baseline(month):
        return None
    kb = _number(edition, month) + 1
    title = f"{named(month)} Security Hotpatch Update for {edition.system} (KB{kb})"
    return _update(title, kb, NEVER, release(month), SYSTEM, month * 10 + 1, Role.HOTPATCH)


@cache
def out_of_band(edition: Edition, month: int, calendar: Calendar) -> Patch | None:
    """What is sent after the month's update to mend it, if anything is: no security update, so only who asks for it gets it."""
    if not calendar.sent_after(month):
        return None
    kb, at = _number(edition, month) + 3, release(month) + OUT_OF_BAND_AFTER
    title = f"{named(month)} Update for {edition.system} (KB{kb}), out-of-band"
    rank = month * 10 + 3
    return _update(title, kb, CAN, at, SYSTEM, rank, Role.OUT_OF_BAND, "Updates", restarts=True)


@cache
def framework(edition: Edition, month: int, calendar: Calendar) -> Patch:
    """The month's update of .NET. It restarts in the months in which hotpatched machines get it too."""
    kb = _number(edition, month) + 2
    title = f"{named(month)} Cumulative Update for .NET Framework 3.5 and 4.8.1 for {edition.system} (KB{kb})"
    restarts = calendar.framework(month)
    return _update(title, kb, CAN, release(month), FRAMEWORK, month * 10, restarts=restarts)


@cache
def tools(month: int) -> tuple[Patch, ...]:
    """What every Windows gets each month and nobody notices."""
    removal = f"Windows Malicious Software Removal Tool x64 - v5.{month + 60} (KB890830)"
    defender = (
        f"Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18.{month}.1)"
    )
    at, rank = release(month), month * 10
    return (
        _update(removal, 890830, NEVER, at, "removal tool", rank, classification="UpdateRollUp"),
        _update(defender, 4052623, NEVER, at, "defender", rank, classification="Definition"),
    )


@cache
def packages(month: int) -> tuple[Patch, ...]:
    """A Linux machine's packages of the month."""
    made = []
    for name, text, number, classification, restarts in LINUX:
        version = text.format(number + month - _NUMBERED)
        made.append(
            Patch(
                id=f"{name}_{version}_Ubuntu_22.04",
                name=name,
                classification=classification,
                behavior=UNKNOWN,
                published=release(month),
                version=version,
                restarts=restarts,
                series=name,
                rank=month * 10,
            )
        )
    return tuple(made)


def _number(edition: Edition, month: int) -> int:
    return 5_040_000 + month * 1000 + edition.number * 10


def _update(
    title: str,
    kb: int,
    behavior: str,
    published: datetime,
    series: str,
    rank: int,
    role: Role = Role.OTHER,
    classification: str = "Security",
    *,
    restarts: bool = False,
) -> Patch:
    """A Windows update. Its id is the update's own, the same on every machine."""
    update_id = str(uuid.uuid5(uuid.NAMESPACE_URL, title))
    return Patch(
        update_id, title, classification, behavior, published, str(kb), "", restarts, series, rank, role
    )
