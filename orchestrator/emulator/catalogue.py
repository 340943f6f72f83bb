"""The emulator's own patches: which a machine waits for, and whether they ask for a restart.

Titles look like real ones; the KB numbers of cumulative updates are made up, so that nobody looks for them. The catalogue
is the emulator's alone: what the product believes of hotpatch months and images must be found right against it, and so
it may not read the same table.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from orchestrator.emulator.chance import portion
from orchestrator.inventory.model import Machine, Os

NEVER = "NeverReboots"
ALWAYS = "AlwaysRequiresReboot"
CAN = "CanRequestReboot"
UNKNOWN = "Unknown"

DEFAULT_RESTART_SHARE = 0.6
BASELINE_MONTHS = frozenset({1, 4, 7, 10})  # planned baselines: January, April, July, October
LINUX = (  # name, version, classification, whether installing it asks for a restart
    ("linux-image-azure", "6.8.0-1044.50~22.04.1", "Security", True),
    ("linux-headers-azure", "6.8.0-1044.50~22.04.1", "Security", False),
    ("openssl", "3.0.2-0ubuntu1.21", "Security", False),
    ("libcurl4", "7.81.0-1ubuntu1.22", "Security", False),
    ("python3.10-minimal", "3.10.12-1~22.04.12", "Security", False),
    ("vim-common", "2:8.2.3995-1ubuntu2.26", "Other", False),
    ("snapd", "2.72+ubuntu22.04", "Other", False),
)


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch that a machine may get. `restarts` is what really comes of it; `behavior` is what is said before."""

    id: str
    name: str
    classification: str  # in the words of a request: Critical, Security, UpdateRollUp, Definition, Other
    behavior: str
    published: datetime
    kb: str = ""  # digits only, as ARM gives them; Windows
    version: str = ""  # Linux
    restarts: bool = False


class Edition(NamedTuple):
    """A Windows Server by the year in its image's offer or SKU, and how Windows Update calls it."""

    year: str
    system: str
    number: int


EDITIONS = (
    Edition("2025", "Microsoft server operating system version 24H2 for x64-based Systems", 1),
    Edition("2022", "Microsoft server operating system version 21H2 for x64-based Systems", 2),
    Edition("2019", "Windows Server 2019 for x64-based Systems", 3),
    Edition("2016", "Windows Server 2016 for x64-based Systems", 4),
)


def release_day(now: datetime) -> datetime:
    """The last second Tuesday not after `now`, at 17:00 UTC, when Microsoft publishes."""
    day = _second_tuesday(now.year, now.month)
    if day <= now:
        return day
    before = now.replace(day=1) - timedelta(days=1)
    return _second_tuesday(before.year, before.month)


def family(machine: Machine) -> Os:
    """Windows or Linux; a source that doesn't say is judged by the image's publisher."""
    if machine.os is not Os.UNKNOWN:
        return machine.os
    return Os.WINDOWS if machine.image.publisher.lower().startswith("microsoftwindows") else Os.LINUX


def hotpatched(machine: Machine) -> bool:
    """Whether the machine gets hotpatches: Azure Edition images that have them, in the mode that turns them on."""
    sku = machine.image.sku.lower().removesuffix("-smalldisk")
    eligible = sku.startswith("2025-datacenter-azure-edition") or sku in {
        "2022-datacenter-azure-edition-core",
        "2022-datacenter-azure-edition-hotpatch",
    }
    return eligible and machine.patch_mode in {"", "AutomaticByPlatform"}


def outstanding(
    machine: Machine, *, seed: int, now: datetime, restart_share: float = DEFAULT_RESTART_SHARE
) -> tuple[Patch, ...]:
    """What this machine waits for at `now`.

    A seeded share of the machines waits for a patch that restarts it (a cumulative update, a kernel). Machines that are
    hotpatched wait for a hotpatch, or, in a baseline month, for the baseline, which always restarts.
    """
    published = release_day(now)
    needs_restart = portion(seed, machine.id, "needs a restart") < restart_share
    if family(machine) is Os.LINUX:
        return _linux(published, needs_restart=needs_restart)
    return _windows(published, _system(machine), hot=hotpatched(machine), needs_restart=needs_restart)


@cache
def _windows(published: datetime, edition: Edition, *, hot: bool, needs_restart: bool) -> tuple[Patch, ...]:
    month = f"{published:%Y-%m}"
    months = (published.year - 2020) * 12 + published.month
    cumulative = 5_040_000 + months * 1000 + edition.number * 10
    patches = []
    if hot and published.month not in BASELINE_MONTHS:
        kb = cumulative + 1
        title = f"{month} Security Hotpatch Update for {edition.system} (KB{kb})"
        patches.append(_update(title, kb, "Security", NEVER, published))
    elif hot or needs_restart:
        title = f"{month} Cumulative Update for {edition.system} (KB{cumulative})"
        behavior = ALWAYS if hot else CAN
        patches.append(_update(title, cumulative, "Security", behavior, published, restarts=True))
    if not hot:
        kb = cumulative + 2
        title = f"{month} Cumulative Update for .NET Framework 3.5 and 4.8.1 for {edition.system} (KB{kb})"
        patches.append(_update(title, kb, "Security", CAN, published))
    removal = f"Windows Malicious Software Removal Tool x64 - v5.{months + 60} (KB890830)"
    defender = (
        f"Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18.{months}.1)"
    )
    patches.append(_update(removal, 890830, "UpdateRollUp", NEVER, published))
    patches.append(_update(defender, 4052623, "Definition", NEVER, published))
    return tuple(patches)


def _update(
    title: str, kb: int, classification: str, behavior: str, published: datetime, *, restarts: bool = False
) -> Patch:
    """A Windows update. Its id is the update's own, the same on every machine."""
    update_id = str(uuid.uuid5(uuid.NAMESPACE_URL, title))
    return Patch(update_id, title, classification, behavior, published, str(kb), restarts=restarts)


@cache
def _linux(published: datetime, *, needs_restart: bool) -> tuple[Patch, ...]:
    return tuple(
        Patch(
            f"{name}_{version}_Ubuntu_22.04", name, classification, UNKNOWN, published, "", version, restarts
        )
        for name, version, classification, restarts in LINUX
        if needs_restart or not restarts
    )


def _system(machine: Machine) -> Edition:
    text = f"{machine.image.offer} {machine.image.sku}"
    return next((edition for edition in EDITIONS if edition.year in text), EDITIONS[1])


def _second_tuesday(year: int, month: int) -> datetime:
    first = datetime(year, month, 1, 17, tzinfo=UTC)
    return first + timedelta(days=(1 - first.weekday()) % 7 + 7)
