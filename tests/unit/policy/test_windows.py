"""Windows and freezes as instants: starts, ends, changes of clocks, and what several policies make of them together."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from orchestrator.policy.model import Days, Freeze, Origin, Weekday, Window, Zone
from orchestrator.policy.windows import (
    ALWAYS,
    Calendar,
    Span,
    after_open,
    calendar,
    ever_open,
    is_open,
    open_seconds_between,
    open_span,
    open_until,
    opens_next,
    second_tuesday,
    spans,
)

MON, TUE, FRI, SAT, SUN = 0, 1, 4, 5, 6
HERE = Origin("policies/test.yaml", 7)


def utc(text: str) -> datetime:
    """`2026-11-22 12:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(*weekdays: int, nth: int = 0, after: tuple[int, ...] = ()) -> Days:
    """These weekdays, or days after the second Tuesday."""
    return Days(tuple(Weekday(day, nth) for day in weekdays), after)


def window(when: Days, at: str, hours: float, zone: str = "UTC", *, machine: bool = False) -> Window:
    """A window of so many hours."""
    return Window(when, time.fromisoformat(at), timedelta(hours=hours), Zone(zone, machine), HERE)


def only(*windows: Window, freezes: tuple[Freeze, ...] = (), machine_zone: str | None = None) -> Calendar:
    """The calendar of one policy's windows."""
    return calendar([windows] if windows else [], freezes, machine_zone)


def freeze(first: str, last: str, zone: Zone | None = None) -> Freeze:
    """A freeze of whole days."""
    return Freeze(date.fromisoformat(first), date.fromisoformat(last), "year end", zone, HERE)


WEEKEND = window(days(FRI, SAT), "22:00", 8, "Europe/Amsterdam")


def test_a_window_is_open_from_its_start_to_just_before_its_end() -> None:
    """Friday 22:00 in Amsterdam is 21:00 UTC in winter, and eight hours later it is over."""
    when = only(WEEKEND)

    assert [
        is_open(when, utc(moment))
        for moment in ("2026-11-20 20:59:59", "2026-11-20 21:00", "2026-11-21 04:59:59", "2026-11-21 05:00")
    ] == [False, True, True, False]
    assert open_until(when, utc("2026-11-20 23:00")) == utc("2026-11-21 05:00")
    assert opens_next(when, utc("2026-11-22 12:00")) == utc("2026-11-27 21:00")


def test_what_opens_for_long_enough_is_told_from_what_opens() -> None:
    """With an hour left of a window, what takes two waits for the next."""
    when = only(WEEKEND)

    assert opens_next(when, utc("2026-11-21 04:00"), timedelta(hours=1)) == utc("2026-11-21 04:00")
    assert opens_next(when, utc("2026-11-21 04:00"), timedelta(hours=2)) == utc("2026-11-21 21:00")
    assert opens_next(when, utc("2026-11-21 04:00"), timedelta(hours=9)) is None


def test_windows_that_touch_are_one() -> None:
    """What takes longer than each of them fits into both together."""
    when = only(window(days(SAT), "20:00", 4), window(days(SUN), "00:00", 4))

    assert open_span(when, utc("2026-11-21 21:00")) == Span(utc("2026-11-21 20:00"), utc("2026-11-22 04:00"))


@pytest.mark.parametrize(
    ("when", "starts"),
    [
        (days(SAT, nth=1), ["2026-11-07", "2026-12-05", "2027-01-02"]),
        (days(SUN, nth=4), ["2026-11-22", "2026-12-27", "2027-01-24"]),
        (days(MON, nth=-1), ["2026-11-30", "2026-12-28", "2027-01-25"]),
        (days(after=(0,)), ["2026-11-10", "2026-12-08", "2027-01-12"]),
        (days(after=(4, 11)), ["2026-11-14", "2026-11-21", "2026-12-12"]),
        (days(after=(25,)), ["2026-11-07", "2026-12-05", "2027-01-02"]),
        (days(TUE, nth=2, after=(1,)), ["2026-11-10", "2026-11-11", "2026-12-08"]),
    ],
)
def test_days_of_the_month(when: Days, starts: list[str]) -> None:
    """The nth or last weekday, and days after patch day, which may fall into the next month."""
    found = spans(only(window(when, "01:00", 2)), utc("2026-11-01 00:00"))

    assert [f"{next(found).start:%Y-%m-%d}" for _ in starts] == starts


def test_the_second_tuesday_of_each_month() -> None:
    """Patch days of 2026 and 2027."""
    found = [second_tuesday(year, month).day for year in (2026, 2027) for month in range(1, 13)]

    assert found == [13, 10, 10, 14, 12, 9, 14, 11, 8, 13, 10, 8, 12, 9, 9, 13, 11, 8, 13, 10, 14, 12, 9, 14]


@pytest.mark.parametrize(
    ("zone", "day", "at", "start"),
    [
        ("Europe/Amsterdam", "2027-03-28", "01:59", "2027-03-28 00:59"),
        ("Europe/Amsterdam", "2027-03-28", "02:00", "2027-03-28 01:00"),  # the gap is from 02:00 to 03:00
        ("Europe/Amsterdam", "2027-03-28", "02:30", "2027-03-28 01:00"),
        ("Europe/Amsterdam", "2027-03-28", "03:00", "2027-03-28 01:00"),
        ("Europe/Amsterdam", "2027-10-31", "02:30", "2027-10-31 00:30"),  # comes again an hour later
        ("Europe/Amsterdam", "2027-10-31", "03:00", "2027-10-31 02:00"),
        ("Australia/Lord_Howe", "2027-10-03", "02:10", "2027-10-02 15:30"),  # half an hour of gap
        ("America/Havana", "2027-03-14", "00:30", "2027-03-14 05:00"),  # midnight itself is in the gap
        ("Pacific/Apia", "2011-12-30", "10:00", "2011-12-30 10:00"),  # that day didn't exist
    ],
)
def test_a_start_when_clocks_change(zone: str, day: str, at: str, start: str) -> None:
    """In the gap: when it ends. Twice: the first time."""
    on = date.fromisoformat(day)
    when = only(window(days(on.weekday()), at, 1, zone))

    assert opens_next(when, utc(start) - timedelta(minutes=1)) == utc(start)
    assert not is_open(when, utc(start) - timedelta(seconds=1))


@pytest.mark.parametrize("day", ["2027-03-27", "2027-10-30", "2027-06-05"])
def test_a_window_lasts_as_long_as_it_says(day: str) -> None:
    """In the nights in which clocks are changed, too."""
    when = only(window(days(SAT), "22:00", 8, "Europe/Amsterdam"))

    span = next(spans(when, utc(f"{day} 12:00")))

    assert span.length == timedelta(hours=8)


def test_the_machines_own_zone_goes_before_the_one_that_is_named() -> None:
    """And where it isn't known, the named one holds."""
    own = window(days(SAT), "22:00", 8, "Europe/Amsterdam", machine=True)

    assert opens_next(only(own, machine_zone="Asia/Tokyo"), utc("2026-11-16 00:00")) == utc(
        "2026-11-21 13:00"
    )
    assert opens_next(only(own), utc("2026-11-16 00:00")) == utc("2026-11-21 21:00")


def test_windows_of_several_policies_intersect() -> None:
    """Each owner's must be open."""
    when = calendar(
        [[window(days(SAT), "20:00", 8)], [window(days(SAT, SUN), "18:00", 4)]], [], machine_zone=None
    )

    assert list(spans(when, utc("2026-11-16 00:00"), utc("2026-11-30 00:00"))) == [
        Span(utc("2026-11-21 20:00"), utc("2026-11-21 22:00")),
        Span(utc("2026-11-28 20:00"), utc("2026-11-28 22:00")),
    ]


def test_windows_that_never_meet_are_told() -> None:
    """Saturday is never Sunday; a Saturday's night reaches into it."""
    saturday, sunday = window(days(SAT), "20:00", 4), window(days(SUN), "00:00", 4)

    night = calendar([[saturday], [window(days(SAT), "23:00", 5)]], [], None)

    assert not ever_open(calendar([[saturday], [sunday]], [], None))
    assert ever_open(night)
    assert ever_open(night, timedelta(hours=1))
    assert not ever_open(night, timedelta(minutes=61))
    assert ever_open(Calendar())


def test_a_freeze_takes_whole_days_of_its_zone_away_both_ends_included() -> None:
    """From the midnight that begins the first day to the one that ends the last."""
    when = only(freezes=(freeze("2026-12-18", "2027-01-04", Zone("Europe/Amsterdam")),))

    assert open_until(when, utc("2026-12-01 00:00")) == utc("2026-12-17 23:00")
    assert opens_next(when, utc("2026-12-20 00:00")) == utc("2027-01-04 23:00")
    assert open_until(when, utc("2027-01-05 00:00")) == ALWAYS.end


def test_a_freeze_without_a_zone_holds_where_the_machine_is() -> None:
    """And where that isn't known, as long as the day lasts anywhere."""
    closed = freeze("2026-12-24", "2026-12-24")

    assert [
        (own.freezes[0].start, own.freezes[0].end)
        for own in (only(freezes=(closed,), machine_zone="Asia/Tokyo"), only(freezes=(closed,)))
    ] == [
        (utc("2026-12-23 15:00"), utc("2026-12-24 15:00")),
        (utc("2026-12-23 10:00"), utc("2026-12-25 12:00")),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Europe/Amsterdam", "2027-03-28", "2027-03-27 23:00", "2027-03-28 22:00"),
        ("Europe/Amsterdam", "2027-10-31", "2027-10-30 22:00", "2027-10-31 23:00"),
        ("America/Havana", "2027-03-14", "2027-03-14 05:00", "2027-03-15 04:00"),  # begins at 01:00
        (
            "America/Havana",
            "2026-10-31",
            "2026-10-31 04:00",
            "2026-11-01 04:00",
        ),  # 00:30 comes twice after it
        ("America/St_Johns", "2010-11-06", "2010-11-06 02:30", "2010-11-07 03:30"),  # back at 00:01 to 23:01
    ],
)
def test_a_day_lasts_from_its_first_instant_to_its_last(zone: str, day: str, start: str, end: str) -> None:
    """Whatever clocks do at its midnights."""
    when = only(freezes=(freeze(day, day, Zone(zone)),))

    assert (when.freezes[0].start, when.freezes[0].end) == (utc(start), utc(end))


def test_freezes_add_up_and_cut_windows() -> None:
    """What is left of a window between two freezes is open."""
    when = only(
        window(days(FRI), "12:00", 72),
        freezes=(
            freeze("2026-11-20", "2026-11-20", Zone("UTC")),
            freeze("2026-11-22", "2026-11-25", Zone("UTC")),
        ),
    )

    assert open_span(when, utc("2026-11-21 12:00")) == Span(utc("2026-11-21 00:00"), utc("2026-11-22 00:00"))


def test_windows_that_follow_one_another_for_ever_are_always_open() -> None:
    """However far one looks."""
    when = only(window(days(*range(7)), "00:00", 24))
    now = utc("2026-11-22 12:00")

    assert opens_next(when, now, timedelta(days=300)) == now
    assert after_open(when, now, timedelta(days=300)) == now + timedelta(days=300)
    assert (open_until(when, now) or now) > now + timedelta(days=3600)


def test_open_time_is_counted_over_closed_time() -> None:
    """Twenty-four hours of open window take three nights of eight."""
    when = only(WEEKEND)

    assert open_seconds_between(when, utc("2026-11-21 00:00"), utc("2026-11-21 22:00")) == 6 * 3600
    assert after_open(when, utc("2026-11-20 21:00"), timedelta(hours=24)) == utc("2026-11-28 05:00")
    assert after_open(Calendar(), utc("2026-11-20 21:00"), timedelta(hours=24)) == utc("2026-11-21 21:00")
    assert (
        after_open(only(window(days(SAT), "20:00", 1)), utc("2026-11-20 21:00"), timedelta(days=365)) is None
    )
