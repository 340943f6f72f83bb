"""Events to bytes and back. A row holds one decision: `[[name, v, field, ...], ...]`, fields in the order of the class.

The facts of every ordinary change, which are most of a journal, are written short: a letter stands for name and version, fields at
the end that have their default are left away, and the key of a request isn't said where it follows from rollout, machine and attempt.

Instants are whole microseconds since 1970 (UTC): what is read back equals what was written, so a replay makes the same state. A field is only ever added at the end, with a default, and `v` goes up:
older rows are then read with the default, or through an upcaster, dict to dict. A type that isn't known, or a `v` from
the future, refuses to start, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import orjson

from orchestrator.errors import JournalError
from orchestrator.rollout import events as e
from orchestrator.rollout.plain import maker, plain

VERSIONS: Mapping[str, int] = {
    "Granted": 3,
    "Intended": 2,
    "Started": 2,
    "ChangeEnded": 2,
    "RolloutStarted": 3,
}
"""Events that have changed since their first version, with their present version; all others are 1.

`Started` 2 may hold a reference to its URLs (`kept`) where version 1 had them in the row; an empty key of `Intended` 2 is the one
that follows from its machine and attempt. Their fields are the same.
"""

SHORT: Mapping[str, tuple[str, int]] = {
    "G": ("Granted", 3),
    "I": ("Intended", 2),
    "S": ("Started", 2),
    "C": ("ChangeEnded", 1),
    "D": ("ChangeEnded", 2),
    "M": ("MachineEnded", 1),
}
"""Letters of facts that are written short. A new version of one gets another letter; none is ever given another meaning."""

UPCASTERS: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(event, version) -> a function from that version's fields to the next one's."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _plain(value: Any) -> Any:
    return value


def _instant(value: Any) -> Any:
    return None if value is None else _EPOCH + value * _MICROSECOND


def _decoder(hint: Any) -> Callable[[Any], Any]:
    """How a field of this annotation is made from JSON."""
    if _is_nested(hint):
        return maker(hint)
    if hint is datetime or datetime in get_args(hint):
        return _instant
    if getattr(hint, "__origin__", None) is tuple:
        return tuple
    if hint is e.Outcome:
        return e.Outcome
    return _plain


def _is_nested(hint: Any) -> bool:
    """Whether a field holds a dataclass, or several: said by the names of its fields (`plain`), read by `maker`."""
    return any(is_dataclass(one) for one in (hint, *get_args(hint)))


_TYPES: dict[str, type] = {cls.__name__: cls for cls in get_args(e.Event)}
_FIELDS: dict[str, tuple[tuple[str, Callable[[Any], Any]], ...]] = {
    name: tuple((f.name, _decoder(get_type_hints(cls)[f.name])) for f in fields(cls))
    for name, cls in _TYPES.items()
}

_CONVERTED: dict[str, tuple[tuple[int, Callable[[Any], Any]], ...]] = {
    name: tuple((place, make) for place, (_, make) in enumerate(layout) if make is not _plain)
    for name, layout in _FIELDS.items()
}  # most fields are read as they are; a replay reads millions


_WITH_NESTED = frozenset(
    name for name, cls in _TYPES.items() if any(map(_is_nested, get_type_hints(cls).values()))
)

_LETTERS: Mapping[tuple[str, int], str] = {fact: letter for letter, fact in SHORT.items()}
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    name: tuple(f.default for f in fields(_TYPES[name])) for name, _ in SHORT.values()
}


def request_key(rollout: str, machine: int, attempt: int) -> str:
    """The key of the request of an attempt. It is content: the same machine and attempt, the same key."""
    return f"{rollout}-{machine}-{attempt}"


def step_key(rollout: str, machine: int, grants: int, step: int, *, after: bool) -> str:
    """The key of a step: the same after a crash, and another one under the next grant."""
    return f"{rollout}-{machine}-{grants}-{'after' if after else 'before'}-{step}"


def encode(events: tuple[e.Event, ...], rollout: str = "") -> bytes:
    """One decision of `rollout` as bytes. Without its name every key is written out."""
    rows = []
    for event in events:
        name = type(event).__name__
        version = VERSIONS.get(name, 1)
        values: list[Any] = []
        for field, _ in _FIELDS[name]:
            value = getattr(event, field)
            if name in _WITH_NESTED:
                value = plain(value)
            values.append((value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value)
        letter = _LETTERS.get((name, version))
        if letter is None:
            rows.append([name, version, *values])
            continue
        if isinstance(event, e.Intended) and event.key == request_key(rollout, event.machine, event.attempt):
            values[_KEY] = ""
        defaults = _DEFAULTS[name]
        while defaults[len(values) - 1] is not MISSING and values[-1] == defaults[len(values) - 1]:
            values.pop()
        rows.append([letter, *values])
    return orjson.dumps(rows)


_KEY = [field for field, _ in _FIELDS["Intended"]].index("key")


def decode(body: bytes, seq: int = 0, rollout: str = "") -> tuple[e.Event, ...]:
    """The decision of a row of `rollout`. Raises `JournalError` naming the row and what it can't read."""
    try:
        return tuple([_event(row, seq, rollout) for row in orjson.loads(body)])
    except (orjson.JSONDecodeError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise JournalError(
            f"journal row {seq} is not readable ({error}); restore the journal from a backup"
        ) from None


def _event(row: Any, seq: int, rollout: str) -> e.Event:
    if not isinstance(row, list):
        raise ValueError("it is no list of facts")  # noqa: TRY004 - of what was read, not of what was called
    quick = _QUICK.get(row[0]) if row and type(row[0]) is str else None
    if quick is not None:
        return _quickly(quick, row, rollout)
    letter, *values = row
    name, version = SHORT[letter] if letter in SHORT else (letter, values.pop(0))
    known = _TYPES.get(name)
    current = VERSIONS.get(name, 1)
    if known is None or version > current:
        what = f"an event {name}" if known is None else f"version {version} of {name}"
        raise JournalError(
            f"journal row {seq} holds {what}, which this version of Wavekeeper doesn't know; use a newer one"
        )
    layout = _FIELDS[name]
    if len(values) > len(layout):
        raise ValueError(f"{name} has {len(layout)} fields, not {len(values)}")
    if version < current:
        named = dict(zip((field for field, _ in layout), values, strict=False))
        for older in range(version, current):
            upcast = UPCASTERS.get((name, older))
            named = upcast(named) if upcast else named
        event = known(**{field: make(named[field]) for field, make in layout if field in named})
    else:
        for place, make in _CONVERTED[name]:
            if place < len(values):
                values[place] = make(values[place])
        event = known(*values)
    if rollout and name == "Intended" and not event.key:
        event = replace(event, key=request_key(rollout, event.machine, event.attempt))
    return event  # type: ignore[no-any-return]  # `known` is one of Event's classes


@dataclass(frozen=True, slots=True)
class _Quick:
    """How a fact that is written short, in its present version, is read: its class, what is converted, how many fields."""

    cls: type
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    fields: int
    keyed: bool


_QUICK: Mapping[str, _Quick] = {
    letter: _Quick(_TYPES[name], _CONVERTED[name], len(_FIELDS[name]), name == "Intended")
    for letter, (name, version) in SHORT.items()
    if version == VERSIONS.get(name, 1)
}


def _quickly(how: _Quick, row: list[Any], rollout: str) -> e.Event:
    """Most of a journal is read here; the row is used up by it."""
    del row[0]
    if len(row) > how.fields:
        raise ValueError(f"{how.cls.__name__} has {how.fields} fields, not {len(row)}")
    for place, make in how.converted:
        if place < len(row):
            row[place] = make(row[place])
    if how.keyed and rollout and not row[_KEY]:
        row[_KEY] = request_key(rollout, row[0], row[1])
    return how.cls(*row)  # type: ignore[no-any-return]  # one of Event's classes
