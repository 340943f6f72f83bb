"""Whether a change restarts a machine, by its own assessment first and by the calendar where there is none.

The calendar makes nothing lighter: it can turn an unknown into a likely restart, never into none. What it knows besides is
counted: whom hotpatching spares a restart this month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from orchestrator.hotpatch.model import Installation, MonthKind, Restarts, Standing, Told, Track
from orchestrator.hotpatch.others import Sort, restarting, sort_of
from orchestrator.hotpatch.predict import is_assessed, restart_of
from orchestrator.hotpatch.selection import wanted
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import Machine, Os, RebootBehavior

PENDING: Final = "a restart that is pending from before"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is foreseen of one machine.

    `because` says what restarts it, as far as its assessment tells: sorts of updates, sorted. `hotpatched` says that it would
    restart but for hotpatching.
    """

    restarts: Restarts
    by: Told
    standing: Standing
    because: tuple[str, ...] = ()
    hotpatched: bool = False


def foresee(machine: Machine, installation: Installation, tracks: Tracks | None) -> Foreseen:
    """What the installation does to the machine, in the month that `tracks` is of.

    Without a month nothing is known of hotpatching but what its assessment says.
    """
    if tracks is None:
        return Foreseen(restart_of(machine, installation), Told.NOTHING, _NO_MONTH)
    standing = tracks.of(machine)
    restarts = restart_of(machine, installation)
    if is_assessed(machine, installation.published_until):
        found = tuple(wanted(machine, installation))
        because = {sort_of(update).value for update in found if restarting(update)}
        pending = {PENDING} if machine.patches.reboot_pending else set()
        never = {update.reboot for update in found} == {RebootBehavior.NEVER}
        hot = any(
            sort_of(update) is Sort.HOTPATCH or _is_known(update.kb, tracks, standing) for update in found
        )
        return Foreseen(
            restarts,
            Told.ASSESSMENT,
            standing,
            tuple(sorted(because | pending)),
            never and hot and not pending,
        )
    if restarts is not Restarts.UNKNOWN:  # whatever an assessment would say
        return Foreseen(restarts, Told.SETTINGS, standing)
    if _is_due(machine, standing, tracks):
        return Foreseen(Restarts.LIKELY, Told.CALENDAR, standing)
    return Foreseen(restarts, Told.NOTHING, standing, hotpatched=_is_hotpatched(standing, tracks))


_NO_MONTH: Final = Standing(Track.UNKNOWN, Told.NOTHING, "nobody says what day it is")


def _is_due(machine: Machine, standing: Standing, tracks: Tracks) -> bool:
    """Whether this month's security update is one that restarts the machine."""
    if machine.os is not Os.WINDOWS:
        return False
    match standing.track:
        case Track.ON | Track.UNKNOWN:
            return standing.product is not None and tracks.release[standing.product].kind.is_baseline
        case Track.NONE | Track.OFF | Track.LEFT | Track.LEAVING | Track.DUE:
            return True  # what it gets is a cumulative update
    assert_never(standing.track)


def _is_hotpatched(standing: Standing, tracks: Tracks) -> bool:
    if standing.track is not Track.ON or standing.product is None:
        return False
    return tracks.release[standing.product].kind is MonthKind.HOTPATCH


def _is_known(kb: str, tracks: Tracks, standing: Standing) -> bool:
    """Whether it is the month's hotpatch, whatever it is called."""
    return bool(kb) and standing.product is not None and tracks.keeps(standing.product, kb)
