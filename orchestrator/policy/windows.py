"""When a machine may be changed: maintenance windows and freezes, as calendar arithmetic on instants.

Windows of one policy add up, those of several intersect, and freezes are taken away from what is left. Every answer is an instant
in UTC, and every stretch of time is half open: a window that closes at 06:00 is closed at 06:00.

When clocks change, exactly this holds:

    a start in the gap       (02:30 in the night that goes from 02:00 to 03:00) is the moment at which the gap ends
    a start that comes twice (02:30 in the night that goes from 03:00 back to 02:00) is the first of the two
    a length                 is elapsed time, so that a window of 8 h always leaves 8 h for work
    a whole day              lasts from the first instant of its date to the last, 23 to 25 h, in any zone
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from heapq import merge
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.policy.model import Days, Freeze, Origin, Window, Zone
from orchestrator.policy.time_zones import EARLIEST, LATEST, zone_info

HORIZON: Final = timedelta(days=3653)
"""How far ahead anybody looks: ten years. Windows of several policies may have rare moments in common, since months and clock
changes drift against each other; what hasn't come in ten years is no use to anybody, and counts as never."""

_NEVER_FOR: Final = timedelta(days=1)
"""For how long it is remembered that something opens at no time within the horizon."""

_REACHES: Final = (timedelta(days=62), HORIZON)
"""How far is looked for the next opening: a little first, since windows that follow one another all the time are one long stretch."""

TUESDAY: Final = 1

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_NOW: Final = timedelta(0)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, without its end."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


ALWAYS: Final = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Closure:
    """A freeze as instants: closed from `start` until `end`."""

    start: datetime
    end: datetime
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Calendar:
    """When one machine may be changed. Each entry of `windows` is one policy's: one of its windows must be open, in every entry.

    The zones are settled: none is the machine's own any more.
    """

    windows: tuple[tuple[Window, ...], ...] = ()
    freezes: tuple[Closure, ...] = ()


def calendar(
    windows: Iterable[Sequence[Window]], freezes: Iterable[Freeze], machine_zone: str | None
) -> Calendar:
    """The calendar of a machine in `machine_zone` (IANA's name; None: not known). Windows are given policy by policy."""
    return Calendar(
        tuple(tuple(_settled(window, machine_zone) for window in policys) for policys in windows),
        tuple(_closure(freeze, machine_zone) for freeze in freezes),
    )


# Questions ------------------------------------------------------------------------------------------------------


def open_span(when: Calendar, now: datetime) -> Span | None:
    """The stretch in which it is open at `now`, as far as its end; None if it is closed."""
    first = next(spans(when, now), None)
    return first if first is not None and first.start <= now else None


def is_open(when: Calendar, now: datetime) -> bool:
    """Whether a machine may be changed at `now`."""
    return open_span(when, now) is not None


def open_until(when: Calendar, now: datetime) -> datetime | None:
    """When it closes next; None if it is closed already. `ALWAYS.end` if it never closes."""
    span = open_span(when, now)
    return span.end if span is not None else None


def opens_next(when: Calendar, now: datetime, lasting: timedelta = _NOW) -> datetime | None:
    """The first moment from `now` on at which it is open, and stays so for `lasting`. None if there is none in ten years."""
    span = next_span(when, now, lasting)
    return max(span.start, now) if span is not None else None


def next_span(when: Calendar, now: datetime, lasting: timedelta = _NOW) -> Span | None:
    """The first stretch in which it is open for `lasting`, from `now` or from its start on. None if there is none in ten years.

    It may go on after its end, where windows follow one another for months.
    """
    for reach in _REACHES:
        for span in spans(when, now, now + reach):
            if span.end - max(span.start, now) >= lasting:
                return span
    return None


def open_seconds_between(when: Calendar, start: datetime, end: datetime) -> float:
    """How long it is open between two instants."""
    return sum(
        ((min(span.end, end) - max(span.start, start)) for span in spans(when, start, end)), _NOW
    ).total_seconds()


def after_open(when: Calendar, since: datetime, length: timedelta) -> datetime | None:
    """The moment by which it has been open for `length` since `since`. None if that isn't so in ten years."""
    for reach in _REACHES:
        left = length
        for span in spans(when, since, since + reach):
            start = max(span.start, since)
            if span.end - start >= left:
                return start + left
            left -= span.end - start
    return None


def ever_open(when: Calendar, lasting: timedelta = _NOW) -> bool:
    """Whether the windows have a moment in common at all, or one from which they stay open for `lasting`.

    Freezes end and windows come again, so freezes are left aside, and the answer is the same on every day.
    """
    return opens_next(Calendar(when.windows), _SOME_DAY, lasting) is not None


_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Openings:
    """When calendars let something begin, asked often and mostly of later and later moments: what was found last is remembered."""

    def __init__(self, calendars: Sequence[Calendar]) -> None:
        self._calendars = calendars
        self._found: dict[tuple[int, timedelta], tuple[datetime, Span | None]] = {}

    def next(self, place: int, now: datetime, lasting: timedelta) -> datetime | None:
        """`opens_next` of the calendar in that place."""
        span = self.span(place, now, lasting)
        return max(span.start, now) if span is not None else None

    def span(self, place: int, now: datetime, lasting: timedelta) -> Span | None:
        """`next_span` of the calendar in that place."""
        asked, span = self._found.get((place, lasting), (None, None))
        if asked is not None and span is None and asked <= now < asked + _NEVER_FOR:
            return None
        if asked is None or now < asked or span is None or span.end - max(span.start, now) < lasting:
            span = next_span(self._calendars[place], now, lasting)
            self._found[place, lasting] = now, span
        return span


# Stretches ------------------------------------------------------------------------------------------------------


def spans(when: Calendar, since: datetime, until: datetime | None = None) -> Iterator[Span]:
    """The stretches in which it is open, in order, from the one that `since` falls into to the last that begins before `until`.

    None begins where another ends. Ten years if `until` isn't said.
    """
    last = since + HORIZON if until is None else until
    layers = [_union(policys, since, last) for policys in when.windows]
    together = reduce(_both, layers) if layers else iter((ALWAYS,))
    for span in _without(together, when.freezes):
        if span.start >= last:
            return
        if span.end > since:
            yield span


def _union(windows: Sequence[Window], since: datetime, until: datetime) -> Iterator[Span]:
    """Stretches in which any of the windows is open."""
    held: Span | None = None
    for span in merge(*(_openings(window, since, until) for window in windows)):
        if held is None or span.start > held.end:
            if held is not None:
                yield held
            held = span
        elif span.end > held.end:
            held = Span(held.start, span.end)
    if held is not None:
        yield held


def _both(some: Iterator[Span], others: Iterator[Span]) -> Iterator[Span]:
    """Stretches that are in both."""
    one, other = next(some, None), next(others, None)
    while one is not None and other is not None:
        shared = Span(max(one.start, other.start), min(one.end, other.end))
        if shared.start < shared.end:
            yield shared
        if one.end <= other.end:
            one = next(some, None)
        else:
            other = next(others, None)


def _without(open_: Iterator[Span], freezes: Sequence[Closure]) -> Iterator[Span]:
    """What freezes leave."""
    closed = sorted(Span(freeze.start, freeze.end) for freeze in freezes)
    for span in open_:
        start = span.start
        for freeze in closed:
            if freeze.start >= span.end:
                break
            if start < freeze.start:
                yield Span(start, freeze.start)
            start = max(start, freeze.end)
        if start < span.end:
            yield Span(start, span.end)


def _openings(window: Window, since: datetime, until: datetime) -> Iterator[Span]:
    """Each opening of a window that ends after `since` and starts before `until`, in order."""
    zone = zone_info(window.zone.name)
    day = (since - window.length).astimezone(zone).date() - _DAY
    last = until.astimezone(zone).date()
    while day <= last:
        if starts_on(window.days, day):
            start = instant(datetime.combine(day, window.at), zone)
            span = Span(start, start + window.length)
            if span.end > since and span.start < until:
                yield span
        day += _DAY


# Days and instants ----------------------------------------------------------------------------------------------


def starts_on(days: Days, day: date) -> bool:
    """Whether a window starts on this day."""
    weekday = day.weekday()
    for one in days.weekdays:
        if one.day == weekday and (not one.nth or _is_nth(day, one.nth)):
            return True
    return bool(days.after_second_tuesday) and _since_second_tuesday(day) in days.after_second_tuesday


def second_tuesday(year: int, month: int) -> date:
    """Patch day."""
    first = date(year, month, 1)
    return first + timedelta(days=(TUESDAY - first.weekday()) % 7 + 7)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks of the zone show `local` or, where they never do, later than that."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _shown(found, zone) == local:
        return found
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), found
    while after - before > _SECOND:  # the end of the gap is between the two: offsets change at whole seconds
        middle = before + ((after - before) // 2 // _SECOND) * _SECOND
        if _shown(middle, zone) < local:
            before = middle
        else:
            after = middle
    return after


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    """The end of the last instant of this date. Where clocks go back over midnight, the date comes a second time."""
    midnight = datetime.combine(day + _DAY, time())
    first = instant(midnight, zone)
    again = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return again if again > first and _shown(again - _SECOND, zone) < midnight else first


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What clocks show."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _is_nth(day: date, nth: int) -> bool:
    """Whether it is the nth of its weekday in its month."""
    if nth < 0:
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 + 1 == nth


def _since_second_tuesday(day: date) -> int:
    """Days since the last second Tuesday of a month."""
    of_month = second_tuesday(day.year, day.month)
    if day < of_month:
        before = day.replace(day=1) - _DAY
        of_month = second_tuesday(before.year, before.month)
    return (day - of_month).days


# Settling zones -------------------------------------------------------------------------------------------------


def _settled(window: Window, machine_zone: str | None) -> Window:
    if not window.zone.machine:
        return window
    return replace(window, zone=Zone(machine_zone or window.zone.name))


def _closure(freeze: Freeze, machine_zone: str | None) -> Closure:
    if freeze.zone is not None and not freeze.zone.machine:
        begins = ends = freeze.zone.name
    elif machine_zone is not None:
        begins = ends = machine_zone
    elif freeze.zone is not None:
        begins = ends = freeze.zone.name
    else:
        begins, ends = EARLIEST, LATEST
    start = instant(datetime.combine(freeze.first, time()), zone_info(begins))
    return Closure(start, _end_of(freeze.last, zone_info(ends)), freeze.reason, freeze.origin)
