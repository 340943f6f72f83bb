"""What a campaign does to a machine: install patches, restart it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.policy import defaults


class Reboot(StrEnum):
    """Whether an installation may restart the machine. Wire values: IfRequired, Never, Always."""

    IF_REQUIRED = "if_required"
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Patches:
    """Install patches. `classifications` are of Azure's list; KB ids are digits without "KB"."""

    classifications: tuple[str, ...] = defaults.CLASSIFICATIONS
    include_kbs: tuple[str, ...] = ()
    exclude_kbs: tuple[str, ...] = ()
    reboot: Reboot = Reboot.IF_REQUIRED
    maximum_duration: timedelta = defaults.MAXIMUM_DURATION  # of one installation
    published_until: datetime | None = None  # freezes the set: what the canary got is what production gets


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the machine, nothing else."""


Change = Patches | Restart
