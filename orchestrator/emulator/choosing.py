"""What one patch run means to do with each patch: what it may choose from, what it selects, what gives way to what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orchestrator.emulator.catalogue import SYSTEM, Patch, Role, packages
from orchestrator.emulator.install_request import Fate, InstallRequest
from orchestrator.emulator.months import Calendar, current_month
from orchestrator.emulator.software import MONTHS_BACK, Software, base_of, find, outstanding, to_be_had


def chosen(
    software: Software, request: InstallRequest, now: datetime, calendar: Calendar
) -> list[tuple[Patch, Fate]]:
    """Every patch that a run looks at, and what it means to do with it.

    Beside what is outstanding these are what was outstanding at the request's latest date, and what it names by number, also where
    something newer is out: as long as it can still be had.
    """
    looked_at = dict.fromkeys(outstanding(software, now, calendar))
    if request.published_by is not None and request.published_by < now:
        then = outstanding(software, request.published_by, calendar)
        looked_at |= dict.fromkeys(patch for patch in then if to_be_had(patch, now, calendar))
    for kb in request.include:
        named = find(software, kb, now, calendar)
        if named is not None:
            looked_at[named] = None
    fates = {patch: request.fate(patch) for patch in looked_at}
    if software.edition is None:
        fates |= dict.fromkeys(_older(software, request, fates, now, calendar), Fate.SELECTED)
    _resolve(software, fates, calendar)
    return list(fates.items())


def _older(
    software: Software,
    request: InstallRequest,
    fates: Mapping[Patch, Fate],
    now: datetime,
    calendar: Calendar,
) -> list[Patch]:
    """Packages in the versions that a request names (`name=version`) where something newer is out, which it doesn't select.

    As Linux' patch extension: a classification brings the newest version whatever the inclusions say. The archive keeps older versions
    for as long as the calendar says; Ubuntu's keeps the newest alone.
    """
    passed_over = {patch.series for patch, fate in fates.items() if fate is Fate.NOT_SELECTED}
    return [
        patch
        for month in range(current_month(now) - MONTHS_BACK, current_month(now))
        for patch in packages(month)
        if patch.series in passed_over
        and patch.rank > software.rank(patch.series)
        and request.names(patch)
        and to_be_had(patch, now, calendar)
    ]


def applies(software: Software, patch: Patch, calendar: Calendar) -> bool:
    """Whether an update could be installed as things stand: a hotpatch finds its baseline."""
    return patch.role is not Role.HOTPATCH or _stands_on(base_of(software), patch, calendar)


def _resolve(software: Software, fates: dict[Patch, Fate], calendar: Calendar) -> None:
    """Of several updates of one series only the newest is installed, and a hotpatch only on top of its own baseline."""
    newest: dict[tuple[str, bool], Patch] = {}
    for patch in sorted(fates, key=lambda patch: patch.rank):
        if fates[patch] is Fate.SELECTED:
            kind = patch.series, patch.role is Role.HOTPATCH
            if kind in newest:
                fates[newest[kind]] = Fate.NOT_SELECTED
            newest[kind] = patch
    hot = newest.get((SYSTEM, True))
    base = newest.get((SYSTEM, False)) or base_of(software)
    if hot is not None and not _stands_on(base, hot, calendar):
        fates[hot] = Fate.NOT_SELECTED


def _stands_on(base: Patch | None, hot: Patch, calendar: Calendar) -> bool:
    if base is None or base.role is not Role.BASELINE:
        return False
    return base.month == calendar.last_baseline(hot.month)
