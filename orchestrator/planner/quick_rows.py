"""The large parts of a plan's file, read quickly where every row is as this program writes it.

Whatever isn't so (a key that is missing or unknown, a value of another kind) is `Unusual`, and the strict reader of `decode` has to
look: it finds out what is wrong, or that nothing is. So nothing is refused here, and nothing is taken that it would read otherwise.

Machines are read by columns: the kinds of a column's values are compared at once, and what many machines have alike is
converted once and held once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, fields
from itertools import chain, repeat
from operator import attrgetter
from sys import intern
from types import MappingProxyType
from typing import Any, Final, cast

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.document import Convert, Problems, a_string
from orchestrator.inventory.model import MachineId
from orchestrator.planner.decode_rows import MACHINE, MACHINE_NAMES, MACHINE_SILENT
from orchestrator.planner.model import Bound, Lane, PlannedMachine, Wave
from orchestrator.policy.model import Origin


class Unusual(Exception):
    """A row that this program wouldn't have written so; the strict reader knows what to say of it."""


# Machines -------------------------------------------------------------------------------------------------------


def machines(pieces: Iterable[Any]) -> tuple[PlannedMachine, ...]:
    """The machines of a file, sorted by id. Raises `Unusual`."""
    columns = _columns()
    found: list[PlannedMachine] = []
    for piece in pieces:
        if type(piece) is not dict or set(map(type, piece.values())) - {dict}:
            raise Unusual
        told = _told(list(piece.values()))
        if told.keys() - MACHINE.keys():
            raise Unusual
        ids = list(map(intern, piece))
        if ids != list(map(str.lower, ids)):
            raise Unusual
        found += _made(ids, [column.read(told, len(ids)) for column in columns])
    if len({machine.id for machine in found}) != len(found):
        raise Unusual
    return tuple(sorted(found, key=attrgetter("id")))


def machines_by_columns(
    ids: Sequence[MachineId], told: Mapping[str, Sequence[Any]]
) -> tuple[PlannedMachine, ...]:
    """The machines of these ids, whose other values stand by columns: the values of each key, and for each machine the number of its own.

    Without numbers each machine has its own, or all have the only one. A value that is None was left out. Raises `Unusual`.
    """
    if told.keys() - MACHINE.keys():
        raise Unusual
    return tuple(_made(ids, [column.spread(told, len(ids)) for column in _columns()]))


_FIELDS: Final = tuple(getattr(PlannedMachine, field.name).__set__ for field in fields(PlannedMachine))
"""What sets each field of a machine, in their order."""


def _made(ids: Sequence[str], columns: Iterable[Iterable[Any]]) -> list[PlannedMachine]:
    """Machines by columns. One by one a frozen dataclass sets its fields by as many calls of Python, which took twice as long."""
    made = list(map(PlannedMachine.__new__, repeat(PlannedMachine, len(ids))))
    for field, column in zip(_FIELDS, (ids, *columns), strict=True):
        deque(map(field, made, column), maxlen=0)
    return made


def _told(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    """The values of each key that any row has, one a row; None where a row hasn't got it."""
    keys = dict.fromkeys(map(tuple, rows))
    if len(keys) == 1:
        return dict(zip(*keys, zip(*(row.values() for row in rows), strict=True), strict=True))
    every = dict.fromkeys(chain.from_iterable(keys))
    return {key: [row.get(key) for row in rows] for key in every}


def _columns() -> list[_Column]:
    """A column for each field of a machine but its id, in their order."""
    keys = {name: key for key, name in MACHINE_NAMES.items()}
    return [
        _Column(keys.get(field.name, field.name), MACHINE_SILENT.get(field.name, field.default))
        for field in fields(PlannedMachine)[1:]
    ]


class _Column:
    """Reads one key of many rows, as the table of the strict reader says."""

    def __init__(self, key: str, default: Any) -> None:
        self.key = key
        self._convert = MACHINE[key]
        self._default = default
        self._known: dict[tuple[type, ...], _Converted] = {}

    def read(self, told: Mapping[str, Sequence[Any]], count: int) -> Iterable[Any]:
        values = told.get(self.key)
        kinds = _NOTHING if values is None else set(map(type, values))
        if values is not None and type(None) not in kinds:
            return self._converted(values, kinds)
        if self._default is MISSING:
            raise Unusual
        if values is None or kinds == _NOTHING:
            return repeat(self._default, count)
        found = iter(self._converted([value for value in values if value is not None], kinds - _NOTHING))
        return [self._default if value is None else next(found) for value in values]

    def spread(self, told: Mapping[str, Sequence[Any]], count: int) -> Iterable[Any]:
        values, numbers = told.get(self.key, ([None], []))
        made = list(self.read({self.key: values}, len(values)))
        if numbers:
            made = list(map(made.__getitem__, numbers))
        elif len(made) == 1:
            return repeat(made[0], count)
        if len(made) != count:
            raise Unusual
        return made

    def _converted(self, values: Sequence[Any], kinds: AbstractSet[type]) -> Sequence[Any]:
        if kinds == {str} and self._convert is a_string:
            return values
        inner = set(map(type, chain.from_iterable(values))) if kinds == {list} else set()
        if len(kinds) > 1 or len(inner) > 1 or (kinds | inner) - {list, *_EQUAL_IF_SAME} or list in inner:
            return [_converted(self._convert, value) for value in values]
        # True, 1 and 1.0 are equal and don't mean the same; so what is known is known of one kind.
        known = self._known.get((*kinds, *inner))
        if known is None:
            known = self._known[*kinds, *inner] = _Converted(self._convert, *kinds)
        return list(map(known.__getitem__, map(tuple, values) if kinds == {list} else values))


_NOTHING: Final = frozenset({type(None)})
_EQUAL_IF_SAME: Final = (str, int, float, bool)


class _Converted(dict[Any, Any]):
    """What the values of one kind are converted to, each once."""

    def __init__(self, convert: Convert, kind: type = list) -> None:
        super().__init__()
        self._convert = convert
        self._kind = kind

    def __missing__(self, value: Any) -> Any:
        found = self[value] = _converted(self._convert, self._kind(value))
        return found


def _converted(convert: Convert, value: Any) -> Any:
    problems: Problems = []
    found = convert(value, "", problems)
    if problems:
        raise Unusual
    return found


# Constraints and lanes ------------------------------------------------------------------------------------------

_SHARED: Final = frozenset({"id", "kind", "what", "from"})
_BUDGET: Final = _SHARED | {"machines", "limit", "cap"}
_RESTARTS: Final = _BUDGET | {"restarts", "spared"}
_EXCLUSION: Final = _SHARED | {"domains", "limit", "level"}
_ORDER: Final = _SHARED | {"first", "then"}
_LANE: Final = frozenset({"id", "stage", "after", "waves", "bound", "optimal", "what"})
_BOUND: Final = frozenset({"waves", "because"})
_ORIGIN: Final = frozenset({"file", "line"})


def constraints(pieces: Iterable[Any]) -> tuple[Constraint, ...]:
    """The constraints of a file, in its order. Raises `Unusual`."""
    origins: dict[tuple[str, int], Origin] = {}
    return tuple(_constraint(row, origins) for piece in pieces for row in _rows(piece))


def _constraint(row: Mapping[str, Any], origins: dict[tuple[str, int], Origin]) -> Constraint:
    keys, kind = row.keys(), row.get("kind")
    if kind == "budget" and keys == _BUDGET:
        held, limit, cap = _ids(row["machines"]), _whole(row["limit"]), _flag(row["cap"])
        return Budget(_name(row["id"]), held, limit, _text(row["what"]), _origin(row["from"], origins), cap)
    if kind == "budget" and keys == _RESTARTS and _flag(row["restarts"]):
        held, limit, cap = _ids(row["machines"]), _whole(row["limit"]), _flag(row["cap"])
        what, origin, spared = _text(row["what"]), _origin(row["from"], origins), _ids(row["spared"])
        return Budget(_name(row["id"]), held, limit, what, origin, cap, restarts=True, spared=spared)
    if kind == "exclusion" and keys == _EXCLUSION and _whole(row["limit"]) == 1:
        if type(row["domains"]) is not dict:
            raise Unusual
        domains = MappingProxyType({name: _ids(ids) for name, ids in sorted(row["domains"].items())})
        what, origin = _text(row["what"]), _origin(row["from"], origins)
        return Exclusion(_name(row["id"]), domains, what, origin, _whole(row["level"]))
    if kind == "order" and keys == _ORDER:
        first, then = _ids(row["first"]), _ids(row["then"])
        return Order(_name(row["id"]), first, then, _text(row["what"]), _origin(row["from"], origins))
    raise Unusual


def lanes(pieces: Iterable[Any]) -> tuple[Lane, ...]:
    """The lanes of a file, in its order. Raises `Unusual`."""
    bounds: dict[tuple[int, str], Bound] = {}
    return tuple(_lane(row, bounds) for piece in pieces for row in _rows(piece))


def _lane(row: Mapping[str, Any], bounds: dict[tuple[int, str], Bound]) -> Lane:
    if row.keys() != _LANE or type(row["bound"]) is not dict or row["bound"].keys() != _BOUND:
        raise Unusual
    _flag(row["optimal"])
    proof = (_whole(row["bound"]["waves"]), _text(row["bound"]["because"]))
    bound = bounds.get(proof)
    if bound is None:
        bound = bounds[proof] = Bound(*proof)
    waves = tuple(map(_wave, _rows(row["waves"])))
    stage = intern(_text(row["stage"]))
    return Lane(_name(row["id"]), stage, _texts(row["after"]), waves, bound, _text(row["what"]))


def _wave(row: Mapping[str, Any]) -> Wave:
    if row.keys() != {"machines"} or not row["machines"]:
        raise Unusual
    return Wave(_ids(row["machines"]))


# Values ---------------------------------------------------------------------------------------------------------


def _rows(value: Any) -> list[dict[str, Any]]:
    if type(value) is not list or set(map(type, value)) - {dict}:
        raise Unusual
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """A list of strings, each of which is one string however often it is named: ids stand in many rows."""
    if type(value) is not list:
        raise Unusual
    try:
        return tuple(map(intern, value))
    except TypeError:  # something in it is no string
        raise Unusual from None


def _ids(value: Any) -> tuple[MachineId, ...]:
    return cast(tuple[MachineId, ...], _texts(value))


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Unusual
    return value


def _name(value: Any) -> str:
    if not value:
        raise Unusual
    return _text(value)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Unusual
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Unusual
    return value


def _origin(value: Any, known: dict[tuple[str, int], Origin]) -> Origin:
    """Where a rule was written: few places for many rules."""
    if type(value) is not dict or value.keys() != _ORIGIN:
        raise Unusual
    place = (_text(value["file"]), _whole(value["line"]))
    found = known.get(place)
    if found is None:
        found = known[place] = Origin(*place)
    return found
