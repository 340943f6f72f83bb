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


class PinnedBy(StrEnum):
    """What settles the one set of patches that all waves of a rollout get, when it is planned."""

    PUBLICATION = "publication"  # what was published until then
    ASSESSMENT = "assessment"  # what assessments found until then, and nothing else


@dataclass(frozen=True, slots=True)
class Patches:
    """Install patches. `classifications` are of Azure's list; KB ids are digits without "KB".

    Includes add to classifications, excludes override both. `names` are masks of the names of Windows updates, `packages` of Linux
    packages. `published_until` and the two `only_...` pin the set, so that what the canary got is what production gets: a plan has them, a policy hasn't.
    """

    classifications: tuple[str, ...] = defaults.CLASSIFICATIONS
    include_kbs: tuple[str, ...] = ()
    exclude_kbs: tuple[str, ...] = ()
    reboot: Reboot = Reboot.IF_REQUIRED
    maximum_duration: timedelta = defaults.MAXIMUM_DURATION  # of one installation
    published_until: datetime | None = None  # Windows: nothing later
    include_names: tuple[str, ...] = ()
    exclude_names: tuple[str, ...] = ()
    include_packages: tuple[str, ...] = ()
    exclude_packages: tuple[str, ...] = ()
    hotpatch_only: bool = False  # of Windows' updates only those that never restart a machine
    pinned_by: PinnedBy = PinnedBy.PUBLICATION
    only_kbs: tuple[str, ...] | None = None  # Windows: nothing else; None: whatever else is asked for
    only_packages: tuple[str, ...] | None = None  # Linux, each as `name=version`: nothing else


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the machine, nothing else."""


Change = Patches | Restart
