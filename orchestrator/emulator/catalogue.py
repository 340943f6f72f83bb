"""The emulator's own patches: which a machine waits for, and whether they ask for a restart.

Titles look like real ones; the KB numbers of cumulative updates are made up, so that nobody looks for them. The catalogue
is the emulator's alone: what the product believes of hotpatch months and images must be found right against it, and so
it may not read the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.emulator.chance import guid, portion, stream
from orchestrator.inventory.model import Machine, Os

NEVER = "NeverReboots"
ALWAYS = "AlwaysRequiresReboot"
CAN = "CanRequestReboot"
UNKNOWN = "Unknown"

DEFAULT_RESTART_SHARE = 0.6
BASELINE_MONTHS = frozenset({1, 4, 7, 10})  # planned baselines: January, April, July, October
MAINSTREAM = (  # part of an image's offer or SKU -> how Windows Update calls that system
    ("2025", "Microsoft server operating system version 24H2 for x64-based Systems", 1),
    ("2022", "Microsoft server operating system version 21H2 for x64-based Systems", 2),
    ("2019", "Windows Server 2019 for x64-based Systems", 3),
    ("2016", "Windows Server 2016 for x64-based Systems", 4),
)
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
        return _linux(machine, seed, published, needs_restart)
    return _windows(machine, seed, published, needs_restart)


def _windows(machine: Machine, seed: int, published: datetime, needs_restart: bool) -> tuple[Patch, ...]:
    system, edition = _system(machine)
    rng = stream(seed, machine.id, "patches")
    month = f"{published:%Y-%m}"

    def patch(name: str, number: int, classification: str, behavior: str, *, restarts: bool = False) -> Patch:
        return Patch(guid(rng), name, classification, behavior, published, str(number), restarts=restarts)

    months = (published.year - 2020) * 12 + published.month
    cumulative = 5_040_000 + months * 1000 + edition * 10
    patches = []
    if hotpatched(machine) and published.month not in BASELINE_MONTHS:
        number = cumulative + 1
        patches.append(
            patch(f"{month} Security Hotpatch Update for {system} (KB{number})", number, "Security", NEVER)
        )
    elif hotpatched(machine) or needs_restart:
        behavior = ALWAYS if hotpatched(machine) else CAN
        title = f"{month} Cumulative Update for {system} (KB{cumulative})"
        patches.append(patch(title, cumulative, "Security", behavior, restarts=True))
    if not hotpatched(machine):
        number = cumulative + 2
        title = f"{month} Cumulative Update for .NET Framework 3.5 and 4.8.1 for {system} (KB{number})"
        patches.append(patch(title, number, "Security", CAN))
    removal = f"Windows Malicious Software Removal Tool x64 - v5.{months + 60} (KB890830)"
    defender = (
        f"Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18.{months}.1)"
    )
    patches.append(patch(removal, 890830, "UpdateRollUp", NEVER))
    patches.append(patch(defender, 4052623, "Definition", NEVER))
    return tuple(patches)


def _linux(machine: Machine, seed: int, published: datetime, needs_restart: bool) -> tuple[Patch, ...]:
    rng = stream(seed, machine.id, "packages")
    chosen = [p for p in LINUX if (needs_restart if p[3] else rng.random() < 0.8)]
    return tuple(
        Patch(
            f"{name}_{version}_Ubuntu_22.04", name, classification, UNKNOWN, published, "", version, restarts
        )
        for name, version, classification, restarts in chosen or LINUX[2:3]
    )


def _system(machine: Machine) -> tuple[str, int]:
    text = f"{machine.image.offer} {machine.image.sku}"
    for year, system, edition in MAINSTREAM:
        if year in text:
            return system, edition
    return MAINSTREAM[1][1], MAINSTREAM[1][2]


def _second_tuesday(year: int, month: int) -> datetime:
    first = datetime(year, month, 1, 17, tzinfo=UTC)
    return first + timedelta(days=(1 - first.weekday()) % 7 + 7)
