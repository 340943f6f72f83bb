"""What still restarts a machine in a hotpatch month: updates that aren't hotpatches, told apart by what Windows Update calls them.

A hotpatch holds Windows' security fixes and nothing else. Updates of .NET, drivers and firmware, Windows updates that aren't about
security and products such as SQL Server come beside it, and may restart the machine in any month.
"""

from __future__ import annotations

from enum import StrEnum

from orchestrator.hotpatch.model import Month
from orchestrator.inventory.model import RebootBehavior, Update


class Sort(StrEnum):
    """What an update is, as far as its name and classifications tell."""

    HOTPATCH = "hotpatch"
    CUMULATIVE = "cumulative update"
    DOTNET = ".NET"
    DRIVER = "driver or firmware"
    DEFINITION = "definitions"
    NOT_SECURITY = "Windows, not about security"
    OTHER = "other product"


def is_hotpatch(name: str) -> bool:
    """Whether the name is a hotpatch's: `2026-05 Hotpatch for ...`, `... Security Hotpatch Update ...`."""
    return "hotpatch" in name.lower()


def is_cumulative_of(name: str, month: Month) -> bool:
    """Whether the name is that of a month's cumulative update for Windows: `2026-11 Cumulative Update for ...`, and not .NET's."""
    lower = name.lower()
    return lower.startswith(f"{month} cumulative update for ") and ".net " not in lower


def sort_of(update: Update) -> Sort:
    """What the update is."""
    name = update.name.lower()
    classes = {
        "".join(letter for letter in one.lower() if letter.isalpha()) for one in update.classifications
    }
    if is_hotpatch(name):
        return Sort.HOTPATCH
    if ".net " in name or name.startswith("net framework"):
        return Sort.DOTNET
    if classes & {"drivers", "driver", "firmware"} or "driver" in name or "firmware" in name:
        return Sort.DRIVER
    if classes & {"definition", "definitionupdates"} or "security intelligence" in name:
        return Sort.DEFINITION
    if "cumulative update for" in name:
        return Sort.CUMULATIVE
    if "windows" in name or "server operating system" in name or "servicing stack" in name:
        about_security = classes & {"security", "securityupdates", "critical", "criticalupdates"}
        return Sort.CUMULATIVE if about_security else Sort.NOT_SECURITY
    return Sort.OTHER


def restarting(update: Update) -> bool:
    """Whether the update may restart the machine, or nobody says that it doesn't."""
    return update.reboot is not RebootBehavior.NEVER
