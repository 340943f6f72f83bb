"""Machines that somebody holds back by a tag: `wavekeeper-hold: 2026-12-01 disk is being replaced`.

A hold lasts until its day begins, by the clocks of the machine's own time zone or, where that isn't known, at the last place on
Earth. Whoever sets one wants the machine left alone, so a hold that can't be read holds, and says so.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final

from orchestrator.inventory.model import Machine
from orchestrator.policy.hours import machine_zone
from orchestrator.policy.time_values import YEARS
from orchestrator.policy.time_zones import LATEST, zone_info
from orchestrator.policy.windows import instant

TAG: Final = "wavekeeper-hold"
"""In lower case; names of tags don't mind it."""

_HOLD: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[\s:,;-]+(.*))?", re.DOTALL | re.ASCII)


def why_held(machine: Machine, now: datetime | None) -> str | None:
    """Why the machine is left alone at `now`, as a clause ("it is on hold until ..."); None if it isn't on hold.

    At a time that nobody knows (None), a hold holds.
    """
    said = None
    for name, value in machine.tags.items():
        if len(name) == len(TAG) and name.lower() == TAG:
            said = value
            break
    if said is None:
        return None
    match = _HOLD.fullmatch(said.strip())
    day = _date(match[1]) if match else None
    if match is None or day is None:
        written = f"says `{said.strip()}`, which begins with no date" if said.strip() else "says nothing"
        return f"it is on hold: its tag {TAG} {written}; write a date and a reason, or take it off"
    if now is not None and now >= _begins(day, machine_zone(machine) or LATEST):
        return None
    reason = f": {match[2].strip()}" if match[2] and match[2].strip() else ""
    when = "" if now is not None else ", and the inventory doesn't say when it was taken"
    return f"it is on hold until {day}{reason} (tag {TAG}){when}"


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _begins(day: date, zone: str) -> datetime:
    return instant(datetime.combine(day, time()), zone_info(zone))
