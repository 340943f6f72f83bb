"""When a campaign is due: calendar arithmetic on its schedule.

A day's moment that clocks skip is the moment at which they have skipped it; one that they show twice is the first of the two, as
with the starts of windows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.policy.model import Schedule
from orchestrator.policy.time_zones import zone_info
from orchestrator.policy.windows import instant, starts_on

_DAY: Final = timedelta(days=1)

_FURTHEST: Final = 64
"""Days until the next of anything that a schedule can say: the nth weekday of a month, or days after its second Tuesday, and some."""


def due_next(schedule: Schedule, now: datetime) -> datetime:
    """The first moment from `now` on at which the campaign is due; `now` itself if it is due now. In UTC."""
    zone = zone_info(schedule.zone)
    day = now.astimezone(zone).date() - _DAY  # clocks that skip a day's start move it to the next date
    for _ in range(_FURTHEST):
        if starts_on(schedule.days, day):
            moment = instant(datetime.combine(day, schedule.at), zone)
            if moment >= now:
                return moment
        day += _DAY
    raise AssertionError("each schedule has a day in any two months")


def due_last(schedule: Schedule, now: datetime) -> datetime:
    """The last moment up to `now` at which the campaign was due; `now` itself if it is due now. In UTC."""
    zone = zone_info(schedule.zone)
    day = now.astimezone(zone).date() + _DAY
    for _ in range(_FURTHEST):
        if starts_on(schedule.days, day):
            moment = instant(datetime.combine(day, schedule.at), zone)
            if moment <= now:
                return moment
        day -= _DAY
    raise AssertionError("each schedule has a day in any two months")
