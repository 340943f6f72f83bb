"""What reads single values of a plan's file, whichever row they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from sys import intern
from typing import Any

from orchestrator.inventory.document import Convert, Problems, a_string, a_whole_number, record
from orchestrator.policy.model import Origin, Share

Row = Mapping[str, Any]


def numbers(value: Any, place: str, problems: Problems) -> tuple[int, ...] | None:
    """A list of whole numbers."""
    if isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) for item in value
    ):
        return tuple(value)
    problems.append(f"{place} is no list of whole numbers")
    return None


def duration(value: Any, place: str, problems: Problems) -> timedelta | None:
    """A length of time, in seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        try:
            return timedelta(seconds=value)
        except OverflowError:
            pass
    problems.append(f"{place} is no number of seconds")
    return None


def share(value: Any, place: str, problems: Problems) -> Share | None:
    """A count as a number, or a percentage as text."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Share(count=value)
    if isinstance(value, str) and value.endswith("%"):
        try:
            return Share(percent=float(value[:-1]))
        except ValueError:
            pass
    problems.append(f'{place} is neither a number of machines nor a percentage such as "1%"')
    return None


def shared(value: Any, place: str, problems: Problems) -> str | None:
    """A string that many machines have alike, kept once."""
    found = a_string(value, place, problems)
    return None if found is None else intern(found)


def rows_of(read: Convert) -> Convert:
    """A list of what `read` reads."""

    def convert(value: Any, place: str, problems: Problems) -> list[Any] | None:
        if isinstance(value, list):
            return [read(item, f"{place}[{number}]", problems) for number, item in enumerate(value)]
        problems.append(f"{place} is no list")
        return None

    return convert


_FROM = record({"file": a_string, "line": a_whole_number})


def origin(value: Any, place: str, problems: Problems) -> Origin:
    """Where something was written."""
    return Origin(**{"file": "", **_FROM(value, place, problems)})


def named(row: Row, **names: str) -> dict[str, Any]:
    """The row with some keys under other names."""
    return {names.get(key, key): value for key, value in row.items()}


def without_s(row: Row) -> dict[str, Any]:
    """The row with its durations, which are in seconds by now no more, under the names of the dataclass."""
    return {key.removesuffix("_s"): value for key, value in row.items()}


def seconds(length: timedelta) -> int | float:
    """Seconds for a file, without a fraction where there is none."""
    told = length.total_seconds()
    return int(told) if told.is_integer() else told


def moment(instant: datetime | None) -> str | None:
    """An instant for a file."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
