"""The state of a scope as bytes, so that a start needn't fold years of facts. Only ever a shortcut: the facts are the truth.

Machines stand by columns, each value once where few differ. How it looks follows from the state's own classes, and `FORM` is a checksum
of those: whatever is changed in them, snapshots of before are passed over and everything is read. A change of what a fold *means* raises
`_MEANING`. Plans are named by digest, URLs by the document that keeps them: neither stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from zlib import crc32

import orjson

from orchestrator.availability.ledger import Grant
from orchestrator.rollout.kept import by_reference
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.state import (
    LaneRun,
    MachineRun,
    Notice,
    Replanning,
    Rollout,
    Scope,
    Sick,
    StretchRun,
)

_MEANING = 1
_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_APART = frozenset({"planned", "reviewed", "machines"})

_RUN_HINTS = get_type_hints(MachineRun)


def _layout() -> Iterator[str]:
    yield f"{_MEANING} {_RUN_HINTS}"
    for cls in (Rollout, LaneRun, StretchRun, Sick, Notice, Replanning, Grant):
        yield f"{cls.__name__} {[(f.name, str(f.type)) for f in fields(cls)]}"


FORM = crc32("\n".join(_layout()).encode())
"""The form of what `dump` writes and `load` reads."""


def may_be_kept(scope: Scope) -> bool:
    """Whether each rollout still runs by the plan that its digest names."""
    return all(rollout.planned is rollout.reviewed for rollout in scope.rollouts.values())


def dump(scope: Scope) -> bytes:
    """The state as bytes."""
    return orjson.dumps(
        {
            "seq": scope.seq,
            "last": _plain(scope.last),
            "revision": scope.ledger.revision,
            "grants": [[machine, _plain(grant)] for machine, grant in scope.ledger.grants.items()],
            "others": [[machine, _plain(since)] for machine, since in scope.ledger.others.items()],
            "rollouts": [
                {**_named(rollout), "machines": _columns(rollout)} for rollout in scope.rollouts.values()
            ],
        }
    )


def digests(told: Mapping[str, Any]) -> dict[str, str]:
    """The plans that a snapshot needs: rollout -> digest. `told` is what `orjson.loads` makes of it."""
    return {rollout["id"]: rollout["digest"] for rollout in told["rollouts"]}


def load(told: Mapping[str, Any], plans: Mapping[str, Planned]) -> Scope:
    """The state again, with the plan of each rollout. Operations that are followed are named by their documents."""
    scope = Scope(seq=told["seq"], last=_instant(told["last"]))
    grant = _maker(Grant)
    scope.ledger.grants.update((machine, grant(one)) for machine, one in told["grants"])
    scope.ledger.others.update((machine, _DAWN + since * _MICROSECOND) for machine, since in told["others"])
    hints = get_type_hints(Rollout)
    for one in told["rollouts"]:
        planned = plans[one["id"]]
        plain = {f.name: _maker(hints[f.name])(one[f.name]) for f in fields(Rollout) if f.name not in _APART}
        rollout = Rollout(**plain, planned=planned, reviewed=planned, machines=_machines(one["machines"]))
        scope.rollouts[rollout.id] = rollout
        if rollout.ended_at is None:
            scope.ledger.register(rollout.id, planned.plan.constraints)
    scope.ledger.revision = told["revision"]
    return scope


# Machines, by columns ---------------------------------------------------------------------------------------


def _columns(rollout: Rollout) -> list[list[Any]]:
    """For each field its values, and for each machine which of them it has; none where all have the same."""
    runs = [by_reference(rollout, machine) for machine in range(len(rollout.machines))]
    found = []
    for column in zip(*runs, strict=True):
        place = {value: number for number, value in enumerate(dict.fromkeys(column))}
        numbers = list(map(place.__getitem__, column)) if len(place) > 1 else []
        found.append([list(map(_plain, place)), numbers])
    return [[len(runs)], *found]


def _machines(told: list[list[Any]]) -> list[MachineRun]:
    (count,), *columns = told
    read = []
    for hint, (values, numbers) in zip(_RUN_HINTS.values(), columns, strict=False):
        made = list(map(_maker(hint), values))
        read.append(list(map(made.__getitem__, numbers)) if numbers else made * count)
    return list(map(MachineRun, *read)) if read else []


# Everything else, by the types of its fields ----------------------------------------------------------------


def _named(value: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in _APART}


def _plain(value: Any) -> Any:
    """What JSON can say. Mappings are lists of pairs, since their keys may be numbers; sets are sorted."""
    match value:
        case datetime():
            return (value - _DAWN) // _MICROSECOND
        case dict():
            return [[_plain(key), _plain(one)] for key, one in value.items()]
        case set():
            return sorted(value)
        case list() | tuple():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value):
            return _named(value)
        case _:
            return value


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _DAWN + value * _MICROSECOND


def _maker(hint: Any) -> Callable[[Any], Any]:
    """How a value of this type is made of what `_plain` made of it."""
    if isinstance(hint, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
        made = _maker(hint)
        return lambda value: None if value is None else made(value)
    if hint is datetime:
        return _instant
    origin, arguments = get_origin(hint), [_maker(one) for one in get_args(hint)]
    if origin is Counter:
        (key,) = arguments
        return lambda value: Counter({key(one): count for one, count in value})
    if origin is dict:
        key, item = arguments
        return lambda value: {key(one): item(other) for one, other in value}
    if origin is tuple:
        return tuple
    if origin in (set, list):
        (item,) = arguments
        return lambda value: origin(map(item, value))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        hints = {name: _maker(one) for name, one in get_type_hints(hint).items()}
        cls: Any = hint
        return lambda value: cls(**{name: hints[name](one) for name, one in value.items()})
    return lambda value: value
