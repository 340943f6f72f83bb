"""Whether an installation restarts a machine, by the machine's own last assessment.

An assessment says of each update how it behaves (`rebootBehavior`), so no calendar of hotpatch months is needed: in a baseline
month the security update is one that always restarts. What the assessment doesn't say, or said too long ago, is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from orchestrator.hotpatch.model import Installation, Restarts
from orchestrator.inventory.model import Machine, Os, RebootBehavior, Update

OLDEST: Final = timedelta(days=2)
"""How old an assessment may be when the set of updates is frozen. Azure assesses the machines that it looks after once a day
(`assessmentMode: AutomaticByPlatform`); this leaves room for one that failed."""


def restart_of(machine: Machine, installation: Installation) -> Restarts:
    """How sure it is that `installation` restarts the machine.

    `NEVER` takes all of this: Windows, an assessment that is recent and whole, no restart pending from before, updates of which each
    never restarts, and an installation that may not restart the machine and whose set is frozen.
    """
    if installation.always_restarts:
        return Restarts.CERTAIN
    if not _is_assessed(machine, installation):
        return Restarts.UNKNOWN
    found = {update.reboot for update in _wanted(machine, installation)}
    if machine.patches.reboot_pending or RebootBehavior.ALWAYS in found:
        return Restarts.CERTAIN
    if RebootBehavior.CAN in found:
        return Restarts.LIKELY
    stays = machine.os is Os.WINDOWS and not installation.may_restart and found <= {RebootBehavior.NEVER}
    return Restarts.NEVER if stays else Restarts.UNKNOWN


def _is_assessed(machine: Machine, installation: Installation) -> bool:
    """Whether the machine's assessment tells all that it would get."""
    told, frozen = machine.patches, installation.published_until
    if told.updates is None or told.assessed_at is None or told.reboot_pending is None or frozen is None:
        return False
    counted = (told.critical_and_security or 0) + (told.other or 0)
    return frozen - told.assessed_at <= OLDEST and len(told.updates) >= counted


def _wanted(machine: Machine, installation: Installation) -> Iterator[Update]:
    """The updates that the installation would bring. One whose classification nobody told may be of any."""
    for update in machine.patches.updates or ():
        if update.kb and update.kb in installation.exclude_kbs:
            continue
        named = bool(update.kb) and update.kb in installation.include_kbs
        if named or not update.classifications or _is_of(update, installation):
            yield update


def _is_of(update: Update, installation: Installation) -> bool:
    """Whether it is of a classification that is asked for. One that isn't known here may be any of them."""
    return any(
        _CLASSIFICATIONS.get(_bare(name), "") in {"", *installation.classifications}
        for name in update.classifications
    )


def _bare(classification: str) -> str:
    return "".join(letter for letter in classification.lower() if letter.isalnum())


_CLASSIFICATIONS: Final = MappingProxyType(
    {
        "critical": "critical",
        "criticalupdates": "critical",
        "security": "security",
        "securityupdates": "security",
        "updaterollup": "update_rollup",
        "updaterollups": "update_rollup",
        "featurepack": "feature_pack",
        "featurepacks": "feature_pack",
        "servicepack": "service_pack",
        "servicepacks": "service_pack",
        "definition": "definition",
        "definitionupdates": "definition",
        "tools": "tools",
        "updates": "updates",
        "other": "other",
        "others": "other",
    }
)
"""What Azure calls classifications, bare of case, spaces and hyphens, by API and by table: `Security`, `Security Updates`."""
