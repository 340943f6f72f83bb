"""The recurrence of an Azure maintenance configuration as days on which a window starts.

`Day`, `3Days`, `Week Saturday,Sunday`, `2Weeks Monday`, `Month day23,day24`, `Month Third Sunday`, `Month Last Sunday Offset-3`, with or
without a number before the unit. Where the language has no such days, the fewest days that contain them are taken, and it is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from orchestrator.policy.time_values import EVERY_DAY, WEEKDAYS

_UNIT: Final = re.compile(r"(\d*)\s*(day|week|month)s?\b\s*(.*)", re.IGNORECASE | re.DOTALL)
_OFFSET: Final = re.compile(r"\s*offset\s*([+-]?\d{1,2})\s*$", re.IGNORECASE)
_DAY_OF_MONTH: Final = re.compile(r"day\s*(-?\d{1,2})", re.IGNORECASE)
_FULL: Final = {
    "monday": 0,
    "tuesday": 1,
    "wednesday": 2,
    "thursday": 3,
    "friday": 4,
    "saturday": 5,
    "sunday": 6,
}
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_ORDINALS: Final = ("first", "second", "third", "fourth")
_SECOND_TUESDAY: Final = (2, 1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Days as policies write them. `after_second_tuesday` is set instead of `start` where that says it. `unsaid`: what isn't so, a sentence each."""

    start: tuple[str, ...] = ()
    after_second_tuesday: int | None = None
    unsaid: tuple[str, ...] = ()


def recurrence(told: str, first: date | None) -> Recurrence:
    """What a `recurEvery` says. `first` is the day on which the configuration begins: a week without days recurs on its weekday.

    Raises:
        ValueError: for what isn't a recurrence; the message says what is.
    """
    found = _UNIT.fullmatch(told.strip())
    if found is None:
        raise ValueError(
            f"the recurrence `{told}` isn't known; Azure writes Day, 3Days, Week Saturday,Sunday, Month day23 or Month Third Sunday"
        )
    every, unit, rest = int(found[1] or 1), found[2].lower(), found[3].strip()
    if every < 1:
        raise ValueError(f"the recurrence `{told}` never comes")
    days = {"day": _daily, "week": _weekly, "month": _monthly}[unit](told, rest, first)
    if every == 1:
        return days
    began = f", counted from {first}" if first is not None else ""
    unsaid = f"it recurs every {every} {unit}s{began}, and windows know each {unit} only: it is open in those between, too"
    return Recurrence(days.start, days.after_second_tuesday, (unsaid, *days.unsaid))


def _daily(told: str, rest: str, first: date | None) -> Recurrence:  # noqa: ARG001 - the same for all units
    if rest:
        raise ValueError(f"the recurrence `{told}` has `{rest}` after its days")
    return Recurrence((EVERY_DAY,))


def _weekly(told: str, rest: str, first: date | None) -> Recurrence:
    if not rest:
        if first is None:
            return Recurrence(
                (EVERY_DAY,), unsaid=("it recurs each week, and neither it nor its start says on which day",)
            )
        return Recurrence((WEEKDAYS[first.weekday()],))
    days = sorted({_weekday(told, word) for word in rest.split(",")})
    return Recurrence((EVERY_DAY,) if len(days) == 7 else tuple(WEEKDAYS[day] for day in days))


def _monthly(told: str, rest: str, first: date | None) -> Recurrence:
    if not rest:
        if first is None:
            raise ValueError(f"the recurrence `{told}` doesn't say on which day of the month")
        return _of_month([first.day])
    if _DAY_OF_MONTH.match(rest):
        return _of_month([_day_of_month(told, word) for word in rest.split(",")])
    offset, shift = _OFFSET.search(rest), 0
    if offset is not None:
        shift, rest = int(offset[1]), rest[: offset.start()]
    words = rest.split()
    if len(words) != 2 or words[0].lower() not in _NTH:
        raise ValueError(
            f"the recurrence `{told}` isn't known; Azure writes Month Third Sunday, or Month Last Sunday Offset-3"
        )
    return _nth(_NTH[words[0].lower()], _weekday(told, words[1]), shift)


def _weekday(told: str, word: str) -> int:
    low = word.strip().lower()
    matching = [day for full, day in _FULL.items() if len(low) >= 3 and full.startswith(low)]
    if len(matching) != 1:
        raise ValueError(f"`{word.strip()}` in the recurrence `{told}` is no day of the week")
    return matching[0]


def _day_of_month(told: str, word: str) -> int:
    found = _DAY_OF_MONTH.fullmatch(word.strip())
    if found is None or not (1 <= int(found[1]) <= 31 or found[1] == "-1"):
        raise ValueError(f"`{word.strip()}` in the recurrence `{told}` is no day of a month")
    return int(found[1])


def _of_month(days: list[int]) -> Recurrence:
    """Days of the month by their number: the nth of every weekday are seven days that contain it."""
    weeks = sorted({min((day - 1) // 7, 4) if day > 0 else 4 for day in days})
    ordinals = [_ORDINALS[week] if week < 4 else "last" for week in weeks]
    named = " and ".join("the last day" if day < 0 else f"day {day}" for day in sorted(set(days)))
    return Recurrence(
        tuple(f"{ordinal} {day}" for ordinal in ordinals for day in WEEKDAYS),
        unsaid=(
            f"it recurs on {named} of the month, and windows know weekdays only: it is open on the seven days of the month that contain it",
        ),
    )


def _nth(nth: int, day: int, shift: int) -> Recurrence:
    """The nth weekday, some days before or after."""
    if (nth, day) == _SECOND_TUESDAY and 0 <= shift <= 27:
        return Recurrence(after_second_tuesday=shift)
    word = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}[nth]
    if not shift:
        return Recurrence((f"{word} {WEEKDAYS[day]}",))
    other = WEEKDAYS[(day + shift) % 7]
    said = f"{abs(shift)} day{'s' if abs(shift) > 1 else ''} {'after' if shift > 0 else 'before'} the {word} {WEEKDAYS[day]}"
    if nth > 0 and shift % 7 == 0 and 1 <= nth + shift // 7 <= 4:
        return Recurrence((f"{_ORDINALS[nth + shift // 7 - 1]} {other}",))
    starts = [f"{ordinal} {other}" for ordinal in _containing(nth, shift)]
    unsaid = (
        f"it recurs {said} of the month, which windows can't say: it is open on each {' and '.join(starts)}"
    )
    return Recurrence(tuple(starts), unsaid=(unsaid,))


def _containing(nth: int, shift: int) -> list[str]:
    """Which of a month's weekdays the shifted one may be: it lies within seven days of the month, or of its neighbours.

    Days are counted from 1; those of the month before end at 0, and those of this one at 28 to 31.
    """
    spans = [(length - 6, length) for length in range(28, 32)] if nth < 0 else [(7 * nth - 6, 7 * nth)] * 4
    found: dict[str, None] = {}
    for length, (low, high) in zip(range(28, 32), spans, strict=True):
        for number in range(low + shift, high + shift + 1):
            for before in range(28, 32) if number < 1 else (0,):
                found.update(dict.fromkeys(_names_of(number + before, before or length)))
    return [ordinal for ordinal in (*_ORDINALS, "last") if ordinal in found]


def _names_of(number: int, length: int) -> list[str]:
    """What a month of so many days calls the weekday on this one of its days."""
    if number > length:
        return [_ORDINALS[(number - length - 1) // 7]]
    if number > length - 7 and number > 28:
        return ["last"]
    return [_ORDINALS[(number - 1) // 7]]
