"""Recurrences of maintenance configurations, against a calendar walked day by day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest

from orchestrator.drafting.recurrence import Recurrence, recurrence
from orchestrator.policy.model import Days
from orchestrator.policy.time_values import read_start
from orchestrator.policy.windows import starts_on

FIRST = date(2026, 12, 9)  # a Wednesday
NTH = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
FULL = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ("Day", ("every_day",)),
        ("1Day", ("every_day",)),
        ("Week Saturday,Sunday", ("sat", "sun")),
        ("week sunday, Monday", ("mon", "sun")),
        ("Week", ("wed",)),
        ("Week Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday", ("every_day",)),
        ("Month Third Sunday", ("third sun",)),
        ("1Month Last Sunday", ("last sun",)),
        ("Month Fourth Monday Offset0", ("fourth mon",)),
        ("Month First Monday Offset7", ("second mon",)),
    ],
)
def test_what_windows_can_say_is_said_exactly(told: str, start: tuple[str, ...]) -> None:
    """Nothing is left unsaid."""
    assert recurrence(told, FIRST) == Recurrence(start)


@pytest.mark.parametrize(
    ("told", "after"), [("Month Second Tuesday", 0), ("Month Second Tuesday Offset4", 4)]
)
def test_days_after_patch_day_are_said_as_such(told: str, after: int) -> None:
    """A second Tuesday is what the language counts from."""
    assert recurrence(told, FIRST) == Recurrence(after_second_tuesday=after)


@pytest.mark.parametrize(
    ("told", "unsaid"),
    [
        ("3Days", "every 3 days, counted from 2026-12-09"),
        ("2Weeks Saturday", "every 2 weeks"),
        ("2Months Third Sunday", "every 2 months"),
        ("Month day23,day24", "on day 23 and day 24 of the month"),
        ("Month day-1", "on the last day of the month"),
        ("Month", "on day 9 of the month"),
        ("Month Last Sunday Offset-3", "3 days before the last sun"),
    ],
)
def test_what_windows_cannot_say_is_told(told: str, unsaid: str) -> None:
    """In one sentence."""
    (sentence,) = recurrence(told, FIRST).unsaid
    assert unsaid in sentence


def opens_on(found: Recurrence, day: date) -> bool:
    """Whether a window of these days starts on that day."""
    weekdays = tuple(weekday for start in found.start for weekday in read_start(start))
    after = () if found.after_second_tuesday is None else (found.after_second_tuesday,)
    return starts_on(Days(weekdays, after), day)


def months() -> list[tuple[int, int]]:
    """Twelve years, leap years included."""
    return [(year, month) for year in range(2024, 2036) for month in range(1, 13)]


@pytest.mark.parametrize("nth", NTH)
@pytest.mark.parametrize("shift", range(-6, 7))
def test_the_day_that_is_meant_is_always_among_those_written(nth: str, shift: int) -> None:
    """For each weekday and each offset that the portal offers; and never more than a few others."""
    for day, full in enumerate(FULL):
        found = recurrence(f"Month {nth} {full} Offset{shift}", FIRST)
        for year, month in months():
            length = monthrange(year, month)[1]
            days = [
                date(year, month, n) for n in range(1, length + 1) if date(year, month, n).weekday() == day
            ]
            meant = days[NTH[nth] - 1 if NTH[nth] > 0 else -1] + timedelta(days=shift)
            assert opens_on(found, meant), (found, meant)
        assert len(found.start) <= 3


@pytest.mark.parametrize("number", range(1, 32))
def test_a_day_of_the_month_is_among_those_written(number: int) -> None:
    """And six others, of one week."""
    found = recurrence(f"Month day{number}", FIRST)
    for year, month in months():
        if number <= monthrange(year, month)[1]:
            assert opens_on(found, date(year, month, number))
    assert len(found.start) == 7


@pytest.mark.parametrize(
    "told",
    [
        "",
        "Fortnight",
        "Week Blursday",
        "Month day32",
        "Month Fifth Sunday",
        "0Days",
        "Day Monday",
        "Month Third",
        "Week S",
    ],
)
def test_what_is_no_recurrence_is_refused(told: str) -> None:
    """With a sentence that says what Azure writes."""
    with pytest.raises(ValueError, match="recurrence"):
        recurrence(told, FIRST)
