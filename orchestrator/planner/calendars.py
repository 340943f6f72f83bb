"""Calendars in a plan's file: windows with their zones settled, freezes as instants.

The file names zones and clock times, so that its readers see when a window opens; freezes are resolved, since whose day was meant is
settled when planning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from orchestrator.inventory.document import Convert, Problems, a_moment, a_string, list_of
from orchestrator.planner.rows import rows_of
from orchestrator.policy.model import Days, Origin, Window, Zone
from orchestrator.policy.windows import Calendar, Closure

Json = dict[str, Any]

_Value = TypeVar("_Value")


def encode_calendar(calendar: Calendar) -> Json:
    """A calendar as plain JSON values."""
    return {
        "windows": [[_window(window) for window in policys] for policys in calendar.windows],
        "freezes": [
            {
                "start": freeze.start.isoformat().replace("+00:00", "Z"),
                "end": freeze.end.isoformat().replace("+00:00", "Z"),
                "reason": freeze.reason,
                "from": _origin(freeze.origin),
            }
            for freeze in calendar.freezes
        ],
    }


def encode_days(days: Days) -> Json:
    """The days on which something starts."""
    from orchestrator.policy.words import weekday

    return {
        "start": [weekday(day) for day in days.weekdays],
        "days_after_second_tuesday": list(days.after_second_tuesday),
    }


def _window(window: Window) -> Json:
    return {
        **encode_days(window.days),
        "at": f"{window.at:%H:%M}",
        "for_s": int(window.length.total_seconds()),
        "time_zone": window.zone.name,
        "from": _origin(window.origin),
    }


def _origin(origin: Origin) -> Json:
    return {"file": origin.file, "line": origin.line}


# Reading -------------------------------------------------------------------------------------


def _as_policies_write(read: Callable[[Any, object], _Value]) -> Convert:
    """A reader of the policy language, whose complaint becomes a problem of the file.

    `read` is handed the language's module. It is imported here, since it needs the schema, and most plans have no windows.
    """

    def convert(value: Any, place: str, problems: Problems) -> _Value | None:
        from pydantic_core import PydanticCustomError

        from orchestrator.policy import time_values

        try:
            return read(time_values, value)
        except PydanticCustomError as error:
            said = error.context or {}
            problems.append(f"{place}: {said.get('what')}; {said.get('instead')}")
            return None

    return convert


DAY_KEYS: Mapping[str, Convert] = {
    "start": rows_of(_as_policies_write(lambda language, value: language.read_start(value)[0])),
    "days_after_second_tuesday": rows_of(
        _as_policies_write(lambda language, value: language.read_after(str(value)))
    ),
    "at": _as_policies_write(lambda language, value: language.read_clock(value)),
    "time_zone": _as_policies_write(lambda language, value: language.read_zone_name(value)),
}
"""What reads the keys of a day, a time on it and the zone whose clocks show it."""


def windows_of_calendar(origin: Convert, duration: Convert) -> Convert:
    """What reads a calendar's `windows`: a list of lists, one for each policy."""
    return rows_of(list_of({**DAY_KEYS, "for_s": duration, "from": origin}, needs="at"))


def freezes_of_calendar(origin: Convert) -> Convert:
    """What reads a calendar's `freezes`."""
    return list_of({"start": a_moment, "end": a_moment, "reason": a_string, "from": origin}, needs="end")


def decode_calendar(row: Mapping[str, Any], place: str, problems: Problems) -> Calendar | None:
    """The calendar of a row that was read; None if something is missing, which is noted."""
    windows = [[_read_window(one, place, problems) for one in policys] for policys in row.get("windows", ())]
    freezes = [_read_freeze(one, place, problems) for one in row.get("freezes", ())]
    if any(window is None for policys in windows for window in policys) or None in freezes:
        return None
    if any(not policys for policys in windows):
        problems.append(f"{place} has a policy without windows, which would never open")
        return None
    return Calendar(
        tuple(tuple(window for window in policys if window is not None) for policys in windows),
        tuple(freeze for freeze in freezes if freeze is not None),
    )


def _read_window(row: Mapping[str, Any], place: str, problems: Problems) -> Window | None:
    missing = [key for key in ("at", "for_s", "time_zone") if key not in row]
    problems.extend(f"a window of {place} has no `{key}`" for key in missing)
    days = Days(tuple(row.get("start", ())), tuple(row.get("days_after_second_tuesday", ())))
    if not (days.weekdays or days.after_second_tuesday):
        problems.append(f"a window of {place} starts on no day")
        return None
    if missing:
        return None
    return Window(days, row["at"], row["for_s"], Zone(row["time_zone"]), row.get("from", Origin("")))


def _read_freeze(row: Mapping[str, Any], place: str, problems: Problems) -> Closure | None:
    if "start" not in row or "end" not in row:
        problems.append(f"a freeze of {place} has no `start` or no `end`")
        return None
    return Closure(row["start"], row["end"], row.get("reason", ""), row.get("from", Origin("")))
