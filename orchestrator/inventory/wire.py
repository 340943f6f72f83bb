"""Reading values out of foreign JSON that may hold anything: what isn't of the expected kind counts as not told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

Row = Mapping[str, Any]
"""A JSON object: a plain dict, or one of the SDK's hybrid models, which are mappings with REST keys."""

_Word = TypeVar("_Word", bound=StrEnum)


def part(row: Row, *path: str) -> Row:
    """The object at the end of `path`; empty if any step is missing, null or no object."""
    for key in path:
        inner = row.get(key)
        if type(inner) is not dict and not isinstance(inner, Mapping):  # asked of nearly each dict there is
            return {}
        row = inner
    return row


def text(row: Row, key: str) -> str:
    """The string at `key`, else an empty one."""
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def number(row: Row, key: str) -> int | None:
    """The whole number at `key` that is not negative. Azure writes -1 for a domain that it will choose later."""
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def truth(row: Row, key: str) -> bool | None:
    """The boolean at `key`."""
    value = row.get(key)
    return value if isinstance(value, bool) else None


def moment(row: Row, key: str) -> datetime | None:
    """The time at `key`, aware; a time without an offset is UTC, as ARM writes it."""
    value = row.get(key)
    if isinstance(value, str):
        return _moment(value)
    return _in_utc(value) if isinstance(value, datetime) else None


@lru_cache(maxsize=4096)  # what is looked at again and again tells the same moments
def _moment(written: str) -> datetime | None:
    try:
        return _in_utc(datetime.fromisoformat(written))
    except ValueError:
        return None


def _in_utc(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def objects(row: Row, key: str) -> Iterator[Row]:
    """The objects of the list at `key`."""
    value = row.get(key)
    if isinstance(value, list | tuple):
        yield from (item for item in value if type(item) is dict or isinstance(item, Mapping))


def reference(row: Row, key: str) -> str:
    """The id that `key` refers to: `{"id": ...}`, or the id itself, as projections print it."""
    value = row.get(key)
    return text(value, "id") if isinstance(value, Mapping) else text(row, key)


def word(known: type[_Word], value: str, otherwise: _Word) -> _Word:
    """The member that a code, a display status or a value names: `PowerState/running`, `VM running`, `Running`."""
    last = value.rpartition("/")[2].lower().removeprefix("vm ").strip()
    try:
        return known(last)
    except ValueError:
        return otherwise


def flattened(row: Row) -> Row:
    """The row with everything under `properties` beside `id` and `name`, as `az` prints it.

    Resource Graph names a projected path by joining it with underscores (`properties_extended_instanceView_...`); such
    columns are put back where they came from.
    """
    properties = part(row, "properties")
    columns = [key for key in row if key.startswith("properties_")]
    if not properties and not columns:
        return row
    flat = {**properties, **row}
    for column in columns:
        *path, last = column.split("_")[1:]
        target = flat
        for key in path:
            inner = dict(part(target, key))
            target[key] = inner
            target = inner
        target[last] = row[column]
    return flat
