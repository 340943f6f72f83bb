"""Whether an installation restarts a machine, by the machine's own last assessment.

An assessment says of each update how it behaves (`rebootBehavior`), so no calendar of hotpatch months is needed: in a baseline
month the security update is one that always restarts. What the assessment doesn't say, or said too long ago, is unknown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.hotpatch.model import Installation, Restarts
from orchestrator.hotpatch.selection import wanted
from orchestrator.inventory.model import Machine, Os, RebootBehavior

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
    if not is_assessed(machine, installation.published_until):
        return Restarts.UNKNOWN
    found = {update.reboot for update in wanted(machine, installation)}
    if machine.patches.reboot_pending or RebootBehavior.ALWAYS in found:
        return Restarts.CERTAIN
    if RebootBehavior.CAN in found:
        return Restarts.LIKELY
    stays = machine.os is Os.WINDOWS and not installation.may_restart and found <= {RebootBehavior.NEVER}
    return Restarts.NEVER if stays else Restarts.UNKNOWN


def is_assessed(machine: Machine, pinned_at: datetime | None) -> bool:
    """Whether the machine's assessment tells all that it would get when the set of updates is pinned at that moment."""
    told = machine.patches
    if told.updates is None or told.assessed_at is None or told.reboot_pending is None or pinned_at is None:
        return False
    counted = (told.critical_and_security or 0) + (told.other or 0)
    return pinned_at - told.assessed_at <= OLDEST and len(told.updates) >= counted
