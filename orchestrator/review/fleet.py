"""A fleet as a review needs it: who is selected, in which groups machines stand, how large the groups are.

No graph is built: of a hundred thousand machines that takes seconds, and a review asks for a few kinds of group only. Each kind
is a column with a number for each machine, made when it is first asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from orchestrator.inventory.model import AppHealth, AvailabilitySet, BackendPool, Inventory, Machine, ScaleSet
from orchestrator.inventory.standing import is_off, may_be_in_any_pool
from orchestrator.planner.budgets import Size
from orchestrator.planner.groups import WHOLE, named
from orchestrator.policy.index import Index, Mask
from orchestrator.policy.values import SELECTION
from orchestrator.review.standing import Standing
from orchestrator.topology.model import Group, GroupKind


@dataclass(frozen=True, slots=True)
class Sized:
    """Groups of one size, with the name of one of them."""

    size: Size
    groups: int
    name: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A kind of group. A machine stands in one group of a layer at most; regions that have several pairs, and machines in
    several back-end pools, make several layers.
    """

    layers: tuple[Any, ...]  # numbers by machine, -1 for none
    groups: tuple[Group, ...]  # by number; without their members


class Fleet:
    """An inventory, indexed."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.index = Index(inventory.machines)
        self._columns: dict[str, _Column] = {}
        self._joined: dict[tuple[str, ...], list[_Joined]] = {}

    def __len__(self) -> int:
        return len(self.index.machines)

    def having(self, has: Callable[[Machine], object]) -> Mask:
        """The machines for which something holds."""
        return self.index.of(place for place, machine in enumerate(self.index.machines) if has(machine))

    @cached_property
    def with_private_ip(self) -> Mask:
        """Those whose private address is known."""
        return self.having(lambda machine: machine.private_ips)

    @cached_property
    def with_computer_name(self) -> Mask:
        """Those whose name inside the guest is known."""
        return self.having(lambda machine: machine.computer_name)

    @cached_property
    def with_app_health(self) -> Mask:
        """Those that have the Application Health extension."""
        return self.having(lambda machine: machine.app_health is not AppHealth.NONE)

    @cached_property
    def with_time_zone(self) -> Mask:
        """Those whose time zone Azure tells."""
        return self.having(lambda machine: machine.time_zone)

    @cached_property
    def unpooled(self) -> Mask:
        """Those that may be in any back-end pool, since nobody read their interfaces."""
        return self.having(may_be_in_any_pool) & ~self._named_by_pools

    @cached_property
    def _named_by_pools(self) -> Mask:
        named = {member for pool in self.inventory.backend_pools for member in pool.members}
        return self.having(lambda machine: machine.id in named)

    @cached_property
    def _off(self) -> Any:
        return np.fromiter((is_off(machine) for machine in self.index.machines), dtype=bool, count=len(self))

    def without_group(self, kind: str, scope: Mask) -> int:
        """How many machines of the scope are in no group of the kind."""
        if kind == SELECTION:
            return 0
        places = self.index.places(scope)
        first = self._column(kind).layers[:1]
        return int(np.count_nonzero(first[0][places] < 0)) if first else len(places)

    def sizes(self, scope: Mask, per: Iterable[str]) -> list[Sized]:
        """The groups that hold machines of the scope, by size. Of sets all members count, as in a plan."""
        kinds = tuple(kind for kind in per if kind != SELECTION)
        places = self.index.places(scope)
        if not len(places):
            return []
        if not kinds:
            off = int(np.count_nonzero(self._off[places]))
            return [Sized(Size(len(places) - off, off, 0), 1, "all of them")]
        whole = any(kind in WHOLE for kind in kinds)
        found: Counter[Size] = Counter()
        names: dict[Size, str] = {}
        for joined in self._join(kinds):
            for number, size in joined.sizes(places, self._off, whole=whole):
                found[size] += 1
                names.setdefault(size, joined.name(number))
        return [Sized(size, count, names[size]) for size, count in found.items()]

    def _join(self, kinds: tuple[str, ...]) -> list[_Joined]:
        known = self._joined.get(kinds)
        if known is None:
            columns = [self._column(kind) for kind in kinds]
            known = self._joined[kinds] = [
                _Joined.of(columns, layers, self._off)
                for layers in product(*(range(len(column.layers)) for column in columns))
            ]
        return known

    def _column(self, kind: str) -> _Column:
        known = self._columns.get(kind)
        if known is None:
            known = self._tags(kind) if kind.startswith("tag:") else self._kind(GroupKind(kind))
            self._columns[kind] = known
        return known

    def _tags(self, kind: str) -> _Column:
        name = kind.removeprefix("tag:")
        layer = np.full(len(self), -1, dtype=np.int64)
        values = self.index.tag(name)
        for number, places in enumerate(values.values()):
            layer[places] = number
        groups = tuple(Group(GroupKind.TAG, value, f"{name}={value}", ()) for value in values)
        return _Column((layer,), groups)

    def _kind(self, kind: GroupKind) -> _Column:
        told_by, places_of = self._standing.of(kind)
        keys = list(map(told_by, self.index.machines))
        numbers: dict[str, int] = {}
        groups: list[Group] = []
        layers: list[dict[Hashable, int]] = [{}]
        for key, machine in dict(zip(keys, self.index.machines, strict=True)).items():
            for layer, place in enumerate(places_of(machine)):
                number = numbers.setdefault(place.key, len(groups))
                if number == len(groups):
                    groups.append(Group(kind, place.key, place.name, (), self._unread.get(place.key, ())))
                if layer == len(layers):
                    layers.append({})
                layers[layer][key] = number
        told = (np.fromiter((layer.get(key, -1) for key in keys), np.int64, len(keys)) for layer in layers)
        return _Column(tuple(told), tuple(groups))

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self.inventory)

    @cached_property
    def _unread(self) -> Mapping[str, tuple[Any, ...]]:
        """Members of sets that the inventory doesn't hold, by set; they count as out."""
        known = {machine.id for machine in self.index.machines}
        held: list[AvailabilitySet | ScaleSet | BackendPool] = [*self.inventory.availability_sets]
        held += [*self.inventory.scale_sets, *self.inventory.backend_pools]
        return {one.id: tuple(sorted({*one.members} - known)) for one in held}


@dataclass(frozen=True, slots=True)
class _Joined:
    """Kinds of group, each by one layer, as one: a number for each combination that machines stand in."""

    numbers: Any  # by machine, -1 for those that lack one of the kinds
    parts: tuple[tuple[Group, ...], ...]  # by number
    running: Any  # members of the whole fleet, by number
    off: Any

    @classmethod
    def of(cls, columns: Sequence[_Column], layers: Sequence[int], off: Any) -> _Joined:
        held = np.stack([column.layers[layer] for column, layer in zip(columns, layers, strict=True)])
        complete = np.all(held >= 0, axis=0)
        rows, inverse = np.unique(held[:, complete], axis=1, return_inverse=True)
        numbers = np.full(held.shape[1], -1, dtype=np.int64)
        numbers[complete] = inverse.reshape(-1)
        parts = tuple(
            tuple(column.groups[number] for column, number in zip(columns, row, strict=True))
            for row in rows.T.tolist()
        )
        count = len(parts)
        return cls(
            numbers,
            parts,
            np.bincount(numbers[complete & ~off], minlength=count),
            np.bincount(numbers[complete & off], minlength=count),
        )

    def sizes(self, places: Any, off: Any, *, whole: bool) -> Iterator[tuple[int, Size]]:
        """Each combination that machines of the places stand in, with its size."""
        places = places[self.numbers[places] >= 0]
        touched, inverse = np.unique(self.numbers[places], return_inverse=True)
        if whole:
            running, stopped = self.running[touched], self.off[touched]
        else:
            out = off[places]
            running = np.bincount(inverse[~out], minlength=len(touched))
            stopped = np.bincount(inverse[out], minlength=len(touched))
        for number, up, down in zip(touched.tolist(), running.tolist(), stopped.tolist(), strict=True):
            unread = len({one for group in self.parts[number] for one in group.unknown})
            yield number, Size(up, down, unread)

    def name(self, number: int) -> str:
        """A combination in words."""
        return named(self.parts[number])
