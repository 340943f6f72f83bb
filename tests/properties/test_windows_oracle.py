"""Windows and freezes against an oracle that watches a clock, minute by minute, over ten years.

The oracle knows nothing of gaps and folds. It reads the clock of a zone each minute, remembers the latest reading that it has
seen, and opens when that passes a start; so a start that was jumped over comes when the clock jumps, and one that comes twice
comes once. Days of the month it counts on the leaves of a calendar.
"""

from __future__ import annotations

import calendar as leaves
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.policy.model import Days, Freeze, Origin, Weekday, Window, Zone
from orchestrator.policy.time_zones import known_names
from orchestrator.policy.windows import (
    ALWAYS,
    Calendar,
    after_open,
    calendar,
    is_open,
    open_seconds_between,
    open_until,
    opens_next,
    spans,
)

Minutes = Any
"""A numpy array with an entry a minute."""

HERE = Origin("policies/test.yaml", 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
TEN_YEARS = datetime(2034, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEAD = 62 * 1440
"""Minutes that the oracle watches before it is asked, so that it knows what is open already."""

ZONES = (
    "Europe/Amsterdam", "America/New_York", "America/St_Johns", "America/Havana", "Asia/Kolkata", "Africa/Casablanca",
    "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago", "Pacific/Chatham", "Pacific/Auckland", "Asia/Beirut",
    "Antarctica/Troll", "America/Nuuk",
)  # fmt: skip
"""North and south, offsets and changes of half an hour, changes at midnight, a change twice a year for one month."""


# The oracle -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def clock(zone: str, begin: datetime, end: datetime) -> Minutes:
    """What the zone's clock shows each minute, in minutes since 1970, from `LEAD` before `begin`."""
    info = ZoneInfo(zone)
    first, last = int((begin - EPOCH) / MINUTE) - LEAD, int((end - EPOCH) / MINUTE)
    quarters = range(first, last + 15, 15)
    offsets = [_offset(minute, info) for minute in quarters]
    spread = np.repeat(np.array(offsets[:-1]), 15)
    for number, (one, following) in enumerate(pairwise(offsets)):
        if one != following:
            exact = [_offset(quarters[number] + minute, info) for minute in range(15)]
            spread[number * 15 : number * 15 + 15] = exact
    return (np.arange(first, first + len(spread)) + spread)[: last - first]


def _offset(minute: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + minute * MINUTE).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset / MINUTE)


def watched(
    windows: list[Window], freezes: list[Freeze], zone: str, begin: datetime, end: datetime
) -> Minutes:
    """Whether it is open, each minute from `begin` to `end`."""
    shown = clock(zone, begin, end)
    latest = np.maximum.accumulate(shown)
    opened = np.zeros(len(shown), dtype=bool) if windows else np.ones(len(shown), dtype=bool)
    for window in windows:
        length = int(window.length / MINUTE)
        for start in _starts(window, shown):
            if start > latest[0]:
                at = int(np.searchsorted(latest, start))
                opened[at : at + length] = True
    for freeze in freezes:
        first, last = (
            int((datetime.combine(day, time(), UTC) - EPOCH) / MINUTE) for day in (freeze.first, freeze.last)
        )
        on = np.flatnonzero((shown >= first) & (shown < last + 1440))
        if len(on):
            opened[on[0] : on[-1] + 1] = False
    return opened[LEAD:]


def _starts(window: Window, shown: Minutes) -> list[int]:
    """Every reading of the clock at which the window starts."""
    first, last = ((EPOCH + int(shown[place]) * MINUTE).date() for place in (0, -1))
    found = set()
    for year in range(first.year - 1, last.year + 1):
        for month in range(1, 13):
            weeks = leaves.monthcalendar(year, month)
            for one in window.days.weekdays:
                column = [week[one.day] for week in weeks if week[one.day]]
                found |= {
                    date(year, month, day)
                    for day in (column if not one.nth else [column[one.nth - (one.nth > 0)]])
                }
            patch_day = date(year, month, [week[1] for week in weeks if week[1]][1])
            found |= {patch_day + timedelta(days=after) for after in window.days.after_second_tuesday}
    at = window.at.hour * 60 + window.at.minute
    return sorted(int((datetime.combine(day, time(), UTC) - EPOCH) / MINUTE) + at for day in found)


def computed(when: Calendar, begin: datetime, end: datetime) -> Minutes:
    """What the code under test says, each minute."""
    total = int((end - begin) / MINUTE)
    found = np.zeros(total, dtype=bool)
    for span in spans(when, begin, end):
        first, last = (
            max(0, min(total, int((min(max(x, begin), end) - begin) / MINUTE)))
            for x in (span.start, span.end)
        )
        found[first:last] = True
    return found


def assert_agree(
    windows: list[Window], freezes: list[Freeze], zone: str, begin: datetime, end: datetime
) -> None:
    """Fail at the first minute at which the two differ."""
    when = calendar([windows] if windows else [], freezes, zone)
    differs = np.flatnonzero(watched(windows, freezes, zone, begin, end) != computed(when, begin, end))
    assert not len(differs), f"{zone}: {begin + int(differs[0]) * MINUTE} of {len(differs)}"


# Held against it ------------------------------------------------------------------------------------------------


def window(when: Days, at: str, length: timedelta, zone: str) -> Window:
    """A window in a zone."""
    return Window(when, time.fromisoformat(at), length, Zone(zone), HERE)


EVERY_DAY = Days(tuple(Weekday(day) for day in range(7)))


@pytest.mark.parametrize("zone", ZONES[::2])
def test_ten_years_minute_by_minute(zone: str) -> None:
    """Nightly, weekly, monthly and patch day's windows, and a freeze each year; starts lie where clocks change."""
    nights = [window(EVERY_DAY, at, timedelta(hours=1, minutes=10), zone) for at in ("00:00", "02:30")]
    months = [
        window(Days((Weekday(5), Weekday(6, -1))), "23:45", timedelta(hours=8), zone),
        window(Days((Weekday(6, 2),), (0, 4, 27)), "02:15", timedelta(hours=30), zone),
    ]
    freezes = [
        Freeze(date(year, 10, 20), date(year, 11, 6), "sales", Zone(zone), HERE) for year in range(2024, 2034)
    ]

    assert_agree(nights, [], zone, BEGIN, TEN_YEARS)
    assert_agree(months, freezes, zone, BEGIN, TEN_YEARS)


def test_a_day_that_samoa_never_had() -> None:
    """Apia went from 29 to 31 December 2011: what starts on the 30th starts when the clock has passed it, once."""
    begin, end = datetime(2011, 11, 1, tzinfo=UTC), datetime(2012, 3, 1, tzinfo=UTC)
    for at, hours in (("00:00", 2), ("12:00", 30), ("23:59", 1)):
        daily = window(EVERY_DAY, at, timedelta(hours=hours), "Pacific/Apia")
        fridays = window(Days((Weekday(4),)), at, timedelta(hours=hours), "Pacific/Apia")
        freeze = Freeze(date(2011, 12, 30), date(2011, 12, 30), "gone", Zone("Pacific/Apia"), HERE)

        assert_agree([daily], [], "Pacific/Apia", begin, end)
        assert_agree([fridays], [], "Pacific/Apia", begin, end)
        assert_agree([daily], [freeze], "Pacific/Apia", begin, end)


def changing() -> list[str]:
    """A zone for each way in which clocks are changed in 2026, by the days on which that happens and by how much."""
    ways: dict[tuple[int, ...], str] = {}
    for name in known_names():
        zone = ZoneInfo(name)
        start = int((datetime(2026, 1, 1, tzinfo=UTC) - EPOCH) / MINUTE)
        offsets = tuple(_offset(start + day * 1440, zone) for day in range(366))
        if len(set(offsets)) > 1:
            ways.setdefault(offsets, name)
    return sorted(ways.values())


def test_a_year_of_every_zone_with_summer_time() -> None:
    """Starts in each hour of the night in which anybody changes clocks, so that each change meets some."""
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    zones = changing()
    for zone in zones:
        starts = ("00:00", "01:30", "02:30", "23:30")
        assert_agree(
            [window(EVERY_DAY, at, timedelta(minutes=20), zone) for at in starts], [], zone, begin, end
        )

    assert len(zones) > 20
    assert {"north", "south"} == {
        "south"
        if _offset(_july() - 1440 * 181, ZoneInfo(zone)) > _offset(_july(), ZoneInfo(zone))
        else "north"
        for zone in zones
    }


def _july() -> int:
    return int((datetime(2026, 7, 1, tzinfo=UTC) - EPOCH) / MINUTE)


# Whatever is written ---------------------------------------------------------------------------------------------

WEEKDAYS = st.builds(Weekday, st.integers(0, 6), st.sampled_from([0, 0, 1, 2, 3, 4, -1]))
DAYS = st.builds(
    Days,
    st.lists(WEEKDAYS, min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(0, 27), max_size=2).map(tuple),
)
MOMENTS = st.integers(0, 1460 * 1440).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE)
AT = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
LENGTHS = st.integers(1, 60 * 72).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def windows(draw: st.DrawFn, zone: str) -> Window:
    """Any window of a zone."""
    return Window(draw(DAYS), draw(AT), draw(LENGTHS), Zone(zone), HERE)


@st.composite
def freezes(draw: st.DrawFn, zone: str) -> Freeze:
    """Any freeze of the years that are looked at."""
    first = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 1500)))
    return Freeze(first, first + timedelta(days=draw(st.integers(0, 40))), "why", Zone(zone), HERE)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[list[Window]], list[Freeze], str]:
    """The windows of up to three policies, and freezes, in one zone."""
    zone = draw(st.sampled_from(ZONES))
    policies = draw(st.lists(st.lists(windows(zone), min_size=1, max_size=3), max_size=3))
    return policies, draw(st.lists(freezes(zone), max_size=2)), zone


@settings(max_examples=40, deadline=None)
@given(written(), MOMENTS)
def test_any_windows_agree_with_the_clock(
    case: tuple[list[list[Window]], list[Freeze], str], begin: datetime
) -> None:
    """Each policy's windows by themselves, then the intersection of all of them without the freezes, over seventy days."""
    policies, closed, zone = case
    end = begin + timedelta(days=70)
    layers = [watched(held, [], zone, begin, end) for held in policies] or [watched([], [], zone, begin, end)]
    wanted = np.logical_and.reduce([*layers, watched([], closed, zone, begin, end)])

    found = computed(calendar(policies, closed, zone), begin, end)

    assert not len(np.flatnonzero(wanted != found))


@settings(max_examples=60, deadline=None)
@given(written(), MOMENTS, LENGTHS)
def test_the_answers_fit_together(
    case: tuple[list[list[Window]], list[Freeze], str], now: datetime, length: timedelta
) -> None:
    """Open until, opens next, and open time say the same of one calendar."""
    policies, closed, zone = case
    when = calendar(policies, closed, zone)
    starts = opens_next(when, now)
    if starts is None:
        assert not is_open(when, now)
        return
    assert starts >= now
    assert is_open(when, starts)
    assert is_open(when, now) == (starts == now)
    assert open_seconds_between(when, now, starts) == 0
    until = open_until(when, starts)
    assert until is not None
    assert until == ALWAYS.end or not is_open(when, until)
    reached = after_open(when, now, length)
    if reached is not None:
        assert open_seconds_between(when, now, reached) == length.total_seconds()
        assert opens_next(when, now) < reached  # type: ignore[operator]  # it opens, as was seen above
    fits = opens_next(when, now, length)
    if fits is not None:
        assert open_seconds_between(when, fits, fits + length) == length.total_seconds()


@settings(max_examples=50, deadline=None)
@given(written(), MOMENTS)
def test_another_policy_never_opens_what_was_closed(
    case: tuple[list[list[Window]], list[Freeze], str], now: datetime
) -> None:
    """Windows intersect and freezes add up: with more of them there is less time, never more."""
    policies, closed, zone = case
    end = now + timedelta(days=40)
    whole = computed(calendar(policies, closed, zone), now, end)

    for fewer in (calendar(policies[1:], closed, zone), calendar(policies, closed[1:], zone)):
        assert not np.any(whole & ~computed(fewer, now, end))
