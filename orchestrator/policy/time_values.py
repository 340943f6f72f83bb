"""From the text of a value to what it means: days, times of day, dates, names of time zones. As `values`, for what concerns time."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from orchestrator.policy import json_values
from orchestrator.policy.model import Weekday
from orchestrator.policy.time_zones import iana_name, known_names
from orchestrator.policy.values import did_you_mean, read_positive_duration, read_text, shown, wrong

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As policies write them; Monday is 0, as in `datetime`."""

ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
"""Which of a month's. A fifth isn't there: most months have none."""

EVERY_DAY: Final = "every_day"

LONGEST_WINDOW: Final = timedelta(days=31)
"""What is open for longer than a month is open always."""

MOST_AFTER: Final = 27
"""Second Tuesdays are four or five weeks apart; after 27 days the next one may have come."""

YEARS: Final = range(2000, 2200)
"""What is far beyond is a typing error."""

_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_TWELVE: Final = re.compile(r"(1[0-2]|0?[1-9])(?::([0-5][0-9]))? ?([ap])\.?m\.?", re.IGNORECASE)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FULL: Final = {
    "monday": "mon", "tuesday": "tue", "wednesday": "wed", "thursday": "thu", "friday": "fri", "saturday": "sat", "sunday": "sun",
    "tues": "tue", "weds": "wed", "thur": "thu", "thurs": "thu",
}  # fmt: skip
_NUMBERED: Final = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}


def read_start(value: object) -> tuple[Weekday, ...]:
    """`fri`, `second tue`, `last sun` or `every_day`."""
    text = read_text(value)
    if text == EVERY_DAY:
        return tuple(Weekday(day) for day in range(7))
    ordinal, _, day = text.rpartition(" ")
    if day in WEEKDAYS and (not ordinal or ordinal in ORDINALS):
        return (Weekday(WEEKDAYS.index(day), ORDINALS.get(ordinal, 0)),)
    raise wrong(f"{shown(text)} isn't a day on which a window could start", _start_instead(text))


def _start_instead(text: str) -> str:
    low = text.lower()
    ordinal, _, day = low.rpartition(" ")
    meant = (_NUMBERED.get(ordinal, ordinal), _FULL.get(day, day))
    if meant[1] in WEEKDAYS and (not meant[0] or meant[0] in ORDINALS):
        return f"write {' '.join(part for part in meant if part)}"
    if low.replace("_", "").replace(" ", "").replace("-", "") in {"daily", "everyday", "always", "alldays"}:
        return f"write {EVERY_DAY}"
    return f'write one of {", ".join(WEEKDAYS)}, or "second tue", "last sun" and the like, or {EVERY_DAY}'


def read_after(value: object) -> int:
    """Days after the second Tuesday."""
    text = read_text(value)
    if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > MOST_AFTER:
        raise wrong(
            f"{shown(text)} isn't a number of days from 0 to {MOST_AFTER}", "write a number such as 4"
        )
    return int(text)


def read_clock(value: object) -> time:
    """`22:00`, as clocks show it."""
    text = read_text(value)
    match = _CLOCK.fullmatch(text)
    if not match:
        raise wrong(f"{shown(text)} isn't a time of day", _clock_instead(text))
    return time(int(match[1]), int(match[2]))


def _clock_instead(text: str) -> str:
    if text == "24:00":
        return 'write "00:00", and the day after'
    twelve = _TWELVE.fullmatch(text)
    if twelve:
        hour = int(twelve[1]) % 12 + (12 if twelve[3].lower() == "p" else 0)
        return f'write "{hour:02}:{twelve[2] or "00"}"'
    if re.fullmatch(r"[01]?[0-9]|2[0-3]", text):
        return f'write "{int(text):02}:00"'
    return 'write hours and minutes, such as "22:00"'


def read_window_length(value: object) -> timedelta:
    """How long a window is open."""
    length = read_positive_duration(value)
    if length > LONGEST_WINDOW:
        raise wrong(f"{shown(value)} is longer than 31 days", "take the window out: it would be open always")
    return length


def read_date(value: object) -> date:
    """`2026-12-18`."""
    text = read_text(value)
    if _DATE.fullmatch(text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            raise wrong(
                f"{shown(text)} isn't a day of the calendar", "write a date such as 2026-12-18"
            ) from None
        if found.year in YEARS:
            return found
        raise wrong(f"{shown(text)} isn't a day of our time", "write the year that is meant")
    raise wrong(f"{shown(text)} isn't a date", "write year, month and day as 2026-12-18")


def read_zone_name(value: object) -> str:
    """IANA's name of a zone, of IANA's or of Windows' name of it."""
    text = read_text(value)
    found = iana_name(text)
    if found is not None:
        return found
    raise wrong(f"{shown(text)} isn't a time zone that is known", _zone_instead(text))


def _zone_instead(text: str) -> str:
    spelled = text.replace(" ", "_").lower()
    places = {name.rpartition("/")[2].lower(): name for name in reversed(known_names())}
    whole = {name.lower(): name for name in known_names()}
    near = whole.get(spelled) or places.get(spelled)
    if near is None and "/" in text:
        near = did_you_mean(text, known_names())
    if near is not None:
        return f"did you mean `{near}`?"
    return (
        "write a place of the tz database, such as Europe/Amsterdam; abbreviations say nothing of summer time"
    )


_STARTS: Final = (EVERY_DAY, *WEEKDAYS, *(f"{ordinal} {day}" for ordinal in ORDINALS for day in WEEKDAYS))

Start = Annotated[tuple[Weekday, ...], PlainValidator(read_start), WithJsonSchema({"enum": list(_STARTS)})]
AfterPatchDay = Annotated[int, PlainValidator(read_after), WithJsonSchema(json_values.AFTER_PATCH_DAY)]
Clock = Annotated[time, PlainValidator(read_clock), WithJsonSchema(json_values.CLOCK)]
WindowLength = Annotated[
    timedelta, PlainValidator(read_window_length), WithJsonSchema(json_values.POSITIVE_DURATION)
]
Date = Annotated[date, PlainValidator(read_date), WithJsonSchema(json_values.DATE)]
ZoneName = Annotated[str, PlainValidator(read_zone_name), WithJsonSchema(json_values.ZONE_NAME)]
