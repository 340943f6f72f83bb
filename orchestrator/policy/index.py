"""Which of many machines many selectors select: looked up by value instead of asked machine by machine.

A thousand policies over a hundred thousand machines are a hundred million questions, one at a time. Here each value that machines
have, such as the tag `app=shop`, knows its machines; a selector joins and cuts such sets. A set is a whole number with a bit for
each machine, the first machine's being the lowest: joining and cutting take microseconds, and no copy of anything.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import translate
from functools import reduce
from itertools import chain
from operator import and_, or_
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Machine
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.select import is_glob, matcher

Mask = int
"""A set of machines, a bit for each place in the index."""

_ONE_OF: Final[Mapping[str, Callable[[Machine], tuple[str, ...]]]] = MappingProxyType(
    {
        "names": lambda machine: (machine.name,),
        "regions": lambda machine: (machine.location,),
        "zones": lambda machine: () if machine.zone is None else (machine.zone,),
        "subscriptions": lambda machine: (machine.subscription,),
        "resource_groups": lambda machine: (machine.resource_group,),
        "os": lambda machine: (machine.os,),
        "kinds": lambda machine: (machine.kind,),
        "availability_sets": lambda machine: _named(machine.availability_set),
        "scale_sets": lambda machine: _named(machine.scale_set),
    }
)
"""Fields of a selector, and what of a machine must match one of their values."""

_JOINED: Final = frozenset({"tags", "without_tags", "any_of", "none_of"})
"""Fields that are read otherwise."""

_KNOWN: Final = frozenset({*_ONE_OF, *_JOINED})


def _named(arm_id: str | None) -> tuple[str, ...]:
    """A resource is meant by its name or by its id."""
    return () if arm_id is None else (name_of(arm_id), arm_id)


class Index:
    """Machines by what they have. Each kind of value is gone through when it is first asked for."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self.machines: tuple[Machine, ...] = tuple(machines)
        self.everybody: Mask = (1 << len(self.machines)) - 1
        self._asked: tuple[Mask, Any] = (0, np.zeros(0, dtype=np.int64))  # the last; it is mostly asked again
        self._columns: dict[str, _Column] = {}
        self._tags: dict[str, _Column] | None = None
        self._masks: dict[Selector, Mask] = {EVERYTHING: self.everybody}

    def mask(self, selector: Selector) -> Mask:
        """The machines that the selector selects."""
        known = self._masks.get(selector)
        if known is None:
            known = self._masks[selector] = reduce(and_, self._parts(selector), self.everybody)
        return known

    def places(self, mask: Mask) -> Any:
        """Where in `machines` those of a mask stand, as a sorted array."""
        if mask == self._asked[0]:
            return self._asked[1]
        size = (len(self.machines) + 7) // 8
        bits = np.frombuffer(mask.to_bytes(size, "little"), dtype=np.uint8)
        held = np.flatnonzero(bits)  # most masks are nearly empty
        rows, columns = np.nonzero(np.unpackbits(bits[held, None], axis=1, bitorder="little"))
        self._asked = mask, held[rows] * 8 + columns
        return self._asked[1]

    def members(self, mask: Mask) -> list[Machine]:
        """The machines of a mask, in their order."""
        return [self.machines[place] for place in self.places(mask).tolist()]

    def of(self, places: Iterable[int]) -> Mask:
        """The mask of these places."""
        return _mask(len(self.machines), [np.fromiter(places, dtype=np.int64)])

    def tag(self, name: str) -> Mapping[str, Any]:
        """The values of a tag, as they are written, each with the places of the machines that have it."""
        found: dict[str, list[int]] = {}
        for place in self.places(self.mask(Selector(tags=((name.lower(), ("*",)),)))).tolist():
            found.setdefault(tag_of(self.machines[place], name) or "", []).append(place)
        return found

    def _parts(self, selector: Selector) -> Iterator[Mask]:
        """One mask for each thing that the selector says; all must hold."""
        for field, of in _ONE_OF.items():
            values = getattr(selector, field)
            if "*" in values:
                yield self.of(place for place, machine in enumerate(self.machines) if of(machine))
            elif values:
                yield self._column(field, of).any_of(values)
        for name, values in selector.tags:
            column = self._by_tag().get(name.lower())
            yield column.any_of(values) if column else 0
        if selector.without_tags:
            columns = (self._by_tag().get(name.lower()) for name in selector.without_tags)
            yield self.everybody & ~reduce(or_, (column.any_of(("*",)) for column in columns if column), 0)
        if selector.any_of:
            yield reduce(or_, map(self.mask, selector.any_of))
        if selector.none_of:
            yield self.everybody & ~reduce(or_, map(self.mask, selector.none_of))
        if _says_more(selector):
            test = matcher(selector)
            yield self.of(place for place, machine in enumerate(self.machines) if test(machine))

    def _column(self, field: str, of: Callable[[Machine], tuple[str, ...]]) -> _Column:
        known = self._columns.get(field)
        if known is None:
            found: dict[str, list[int]] = {}
            for place, machine in enumerate(self.machines):
                for value in of(machine):
                    found.setdefault(value.lower(), []).append(place)
            known = self._columns[field] = _Column.of(len(self.machines), found)
        return known

    def _by_tag(self) -> dict[str, _Column]:
        """Tags by name. Of two spellings of a name the one in lower case counts, else the first."""
        if self._tags is None:
            found: dict[str, dict[str, list[int]]] = {}
            last: dict[str, int] = {}
            for place, machine in enumerate(self.machines):
                tags = machine.tags
                for tag, value in tags.items():
                    low = tag.lower()
                    if last.get(low) != place and (low == tag or low not in tags):
                        last[low] = place
                        found.setdefault(low, {}).setdefault(value.lower(), []).append(place)
            self._tags = {tag: _Column.of(len(self.machines), values) for tag, values in found.items()}
        return self._tags


@dataclass(frozen=True, slots=True)
class _Column:
    """The values of one kind, each with its machines."""

    size: int
    by_value: Mapping[str, Sequence[int]]
    sorted_values: Sequence[str]

    @classmethod
    def of(cls, size: int, by_value: Mapping[str, Sequence[int]]) -> _Column:
        return cls(size, by_value, sorted(by_value))

    def any_of(self, values: Sequence[str]) -> Mask:
        """Machines that have any of these values, which may be globs."""
        found = set(chain.from_iterable(self._matching(value.lower()) for value in values))
        return _mask(self.size, [np.asarray(self.by_value[value], dtype=np.int64) for value in found])

    def _matching(self, value: str) -> Iterable[str]:
        if not is_glob(value):
            return (value,) if value in self.by_value else ()
        if value == "*":
            return self.sorted_values
        beginning = re.split(r"[*?]", value, maxsplit=1)[0]
        first = bisect_left(self.sorted_values, beginning)
        last = bisect_left(self.sorted_values, beginning + "\U0010ffff", first) if beginning else None
        pattern = re.compile(translate(value.replace("[", "[[]")))
        return [held for held in self.sorted_values[first:last] if pattern.match(held)]


def tag_of(machine: Machine, name: str) -> str | None:
    """A machine's value of a tag, as it is written; None if it doesn't have the tag. Names don't mind case."""
    lowered = name.lower()
    if lowered in machine.tags:
        return machine.tags[lowered]
    return next((value for tag, value in machine.tags.items() if tag.lower() == lowered), None)


def _says_more(selector: Selector) -> bool:
    """Whether a field says something that isn't looked up here."""
    return any(
        one.name not in _KNOWN and getattr(selector, one.name) != getattr(EVERYTHING, one.name)
        for one in fields(selector)
    )


def _mask(size: int, places: Sequence[Any]) -> Mask:
    bits = np.zeros(size, dtype=bool)
    for some in places:
        bits[some] = True
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
