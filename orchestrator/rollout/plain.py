"""The state's values as JSON can say them, and back: by the types of their fields. Instants are whole microseconds since 1970."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def plain(value: Any) -> Any:
    """What JSON can say. Mappings are lists of pairs, since their keys may be numbers; sets are sorted."""
    match value:
        case datetime():
            return (value - _DAWN) // _MICROSECOND
        case dict():
            return [[plain(key), plain(one)] for key, one in value.items()]
        case set():
            return sorted(value)
        case list() | tuple():
            return [plain(one) for one in value]
        case _ if is_dataclass(value):
            return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value


def instant(value: int | None) -> datetime | None:
    """A time, of what `plain` made of it."""
    return None if value is None else _DAWN + value * _MICROSECOND


@cache
def maker(hint: Any) -> Callable[[Any], Any]:
    """How a value of this type is made of what `plain` made of it."""
    if isinstance(hint, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
        made = maker(hint)
        return lambda value: None if value is None else made(value)
    if hint is datetime:
        return instant
    origin, arguments = get_origin(hint), [maker(one) for one in get_args(hint) if one is not Ellipsis]
    if origin is Counter:
        (key,) = arguments
        return lambda value: Counter({key(one): count for one, count in value})
    if origin is dict:
        key, item = arguments
        return lambda value: {key(one): item(other) for one, other in value}
    if origin in (set, list) or (origin is tuple and len(arguments) == 1):
        (item,) = arguments
        return lambda value: origin(map(item, value))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        hints = {name: maker(one) for name, one in get_type_hints(hint).items()}
        cls: Any = hint
        return lambda value: cls(**{name: hints[name](one) for name, one in value.items()})
    return lambda value: value
