"""Strict reading of a JSON document against a table: every problem is noted with its place, and reading goes on.

A table maps the keys of an object to what reads their values. A key that isn't in the table is a problem; a value of null is
the same as a missing key, so that the defaults of the dataclasses hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import orjson

Problems = list[str]
"""Sentences such as `machines[3] (web-03).power is "runing"; write one of running, stopped, ...`."""

Convert = Callable[[Any, str, Problems], Any]
"""Takes a value, its place in the document and the problems so far; gives what it means, or None beside a new problem."""


def a_string(value: Any, place: str, problems: Problems) -> str | None:
    """A JSON string."""
    if isinstance(value, str):
        return value
    problems.append(_wrong(value, place, "a string"))
    return None


def a_whole_number(value: Any, place: str, problems: Problems) -> int | None:
    """A JSON number without a fraction, 0 or more."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    problems.append(_wrong(value, place, "a whole number, 0 or more"))
    return None


def a_boolean(value: Any, place: str, problems: Problems) -> bool | None:
    """Either of true and false."""
    if isinstance(value, bool):
        return value
    problems.append(_wrong(value, place, "true or false"))
    return None


def a_moment(value: Any, place: str, problems: Problems) -> datetime | None:
    """A time as ISO 8601 writes it, with its offset."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if moment.tzinfo is not None:
                return moment
    problems.append(_wrong(value, place, 'a time with its offset, such as "2026-11-22T01:00:00Z"'))
    return None


def strings(value: Any, place: str, problems: Problems) -> tuple[str, ...] | None:
    """A list of strings."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    problems.append(_wrong(value, place, "a list of strings"))
    return None


def one_of(words: type[StrEnum]) -> Convert:
    """One of an enumeration's values."""
    known = {str(member): member for member in words}

    def convert(value: Any, place: str, problems: Problems) -> StrEnum | None:
        if isinstance(value, str) and value in known:
            return known[value]
        problems.append(_wrong(value, place, "one of " + ", ".join(known)))
        return None

    return convert


def map_of(convert_value: Convert) -> Convert:
    """An object with any keys and with values of one kind; values of null are left out."""

    def convert(value: Any, place: str, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            problems.append(_wrong(value, place, "an object"))
            return None
        plain = _AS_IT_IS.get(convert_value)
        return {
            key: inner if type(inner) is plain else convert_value(inner, f"{place}.{key}", problems)
            for key, inner in value.items()
            if inner is not None
        }

    return convert


_AS_IT_IS: Mapping[Convert, type] = {a_string: str, a_boolean: bool}
"""What reads a value of just this type as it is: a fleet has millions of them, and no place has to be made up for those."""


def record(table: Mapping[str, Convert]) -> Convert:
    """An object with the keys of `table`, as a dict of those that are there and hold a value."""
    as_it_is = {key: _AS_IT_IS[read] for key, read in table.items() if read in _AS_IT_IS}

    def convert(value: Any, place: str, problems: Problems) -> dict[str, Any]:
        if type(value) is not dict and not isinstance(value, Mapping):
            problems.append(_wrong(value, place, "an object"))
            return {}
        held: dict[str, Any] = {}
        for key, inner in value.items():
            if as_it_is.get(key) is type(inner):
                held[key] = inner
                continue
            read = table.get(key)
            if read is not None and inner is None:
                continue
            inside = f"{place}.{key}" if place else key
            if read is None:
                problems.append(f"{inside} is no key of this format; {_instead(key, table)}")
            elif (found := read(inner, inside, problems)) is not None:
                held[key] = found
        return held

    return convert


def list_of(table: Mapping[str, Convert], *, needs: str) -> Convert:
    """A list of objects with the keys of `table`, each of which has the key `needs`."""
    read = record(table)

    def convert(value: Any, place: str, problems: Problems) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            problems.append(_wrong(value, place, "a list"))
            return []
        rows = []
        for index, item in enumerate(value):
            named = item.get("name") if isinstance(item, Mapping) else None
            inside = f"{place}[{index}]" + (
                f" ({named})" if isinstance(named, str) and needs != "name" else ""
            )
            row = read(item, inside, problems)
            if isinstance(item, Mapping) and not item.get(needs):
                problems.append(f"{inside} has no {needs}")
            elif needs in row:
                rows.append(row)
        return rows

    return convert


def _wrong(value: Any, place: str, wanted: str) -> str:
    shown = orjson.dumps(value).decode()
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return f"{place} is {shown}; write {wanted}"


def _instead(key: str, table: Mapping[str, Convert]) -> str:
    near = get_close_matches(key, table, n=1)
    return f"did you mean {near[0]}?" if near else "it knows " + ", ".join(table)
