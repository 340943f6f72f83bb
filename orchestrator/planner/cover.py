"""How many machines of each configuration a stage takes that can't take all: first what covers most, then all in proportion.

To cover is to have tried: each value of an image, a size, a region, a system and a role, and each configuration as a whole, weighs as much as
the fleet has machines of it. The configuration that adds most goes next (greedy cover, within 1 - 1/e of the best there is). Once
nothing new can be tried, what room is left goes to regions, and to configurations within each, by how many machines they have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from zlib import crc32

from orchestrator.planner.configurations import Configuration, Trait, traits

Counts = Mapping[Configuration, int]
"""Machines of each configuration."""

_Element = Trait | Configuration


@dataclass(frozen=True, slots=True)
class Room:
    """How many machines a stage may take: in all, and of each region."""

    most: int
    per_region: int | None = None


class Fleet:
    """All machines of a campaign by configuration, and what of them stages have tried so far."""

    def __init__(self, counts: Counts) -> None:
        self.counts = dict(counts)
        self._weights: Counter[_Element] = Counter()
        for configuration, count in counts.items():
            for element in _elements(configuration):
                self._weights[element] += count
        self._tried: set[_Element] = set()

    def try_out(self, configurations: Iterable[Configuration]) -> None:
        """Note that at least one machine of each is taken."""
        for configuration in configurations:
            self._tried.update(_elements(configuration))

    def gain(self, configuration: Configuration) -> int:
        """What a machine of the configuration would add to what is tried: machines, counted once for each value that is new."""
        tried, weights = self._tried, self._weights
        return sum(weights[element] for element in _elements(configuration) if element not in tried)

    def untried(self) -> dict[Configuration, int]:
        """Configurations of which no machine was taken yet, the most frequent first, with the machines of each."""
        left = [(one, count) for one, count in self.counts.items() if one not in self._tried]
        return dict(sorted(left, key=lambda item: (-item[1], item[0])))

    def untried_traits(self) -> dict[Trait, int]:
        """Values that no machine taken so far has, the most frequent first, with the machines of each."""
        left = [
            (element, count)
            for element, count in self._weights.items()
            if not isinstance(element, Configuration) and element not in self._tried
        ]
        return dict(sorted(left, key=lambda item: (-item[1], item[0])))


def choose(fleet: Fleet, pool: Counts, room: Room, salt: str) -> dict[Configuration, int]:
    """How many machines of each configuration in `pool` a stage takes. What it takes is noted as tried.

    Among configurations that weigh the same, a digest with `salt` decides: always in the same way, and not always for the first
    by name.
    """
    taking = _Taking(pool, room, salt)
    _cover(fleet, taking)
    _fill(taking)
    return taking.taken


class _Taking:
    """What a stage has taken so far, and whether it may take another."""

    def __init__(self, pool: Counts, room: Room, salt: str) -> None:
        self.pool = {one: count for one, count in pool.items() if count}
        self.taken: dict[Configuration, int] = {}
        self.in_region: Counter[str] = Counter()
        self.lots = {one: crc32(f"{salt}\n{one}".encode()) for one in self.pool}
        self._room = room
        self.left = min(room.most, sum(self.pool.values()))

    def region_is_full(self, region: str) -> bool:
        most = self._room.per_region
        return most is not None and self.in_region[region] >= most

    def take(self, configuration: Configuration) -> None:
        self.taken[configuration] = self.taken.get(configuration, 0) + 1
        self.in_region[configuration.region] += 1
        self.left -= 1


def _elements(configuration: Configuration) -> tuple[_Element, ...]:
    return (*traits(configuration), configuration)


def _cover(fleet: Fleet, taking: _Taking) -> None:
    """Whatever adds most goes next. What one adds only shrinks, so a stale figure at the top is looked at again, and no other."""
    heap = [(-fleet.gain(one), taking.lots[one], one) for one in taking.pool]
    heapify(heap)
    while heap and taking.left > 0:
        stale, lot, configuration = heap[0]
        gain = fleet.gain(configuration)
        if not gain or taking.region_is_full(configuration.region):
            heappop(heap)
        elif gain < -stale:
            heapreplace(heap, (-gain, lot, configuration))
        else:
            heappop(heap)
            taking.take(configuration)
            fleet.try_out([configuration])


def _fill(taking: _Taking) -> None:
    """Another machine at a time, of the region that is furthest behind its share, and there of such a configuration.

    Of n machines, the j-th is due at (j - 1/2) / n of the whole.
    """
    sizes: Counter[str] = Counter()
    within: dict[str, list[tuple[float, int, Configuration]]] = {}
    for one, size in taking.pool.items():
        sizes[one.region] += size
        taken = taking.taken.get(one, 0)
        if taken < size:
            due = (taken + 0.5) / size, taking.lots[one], one
            within.setdefault(one.region, []).append(due)
    for heap in within.values():
        heapify(heap)
    regions = [((taking.in_region[region] + 0.5) / sizes[region], region) for region in within]
    heapify(regions)
    while regions and taking.left > 0:
        _, region = heappop(regions)
        if taking.region_is_full(region):
            continue
        heap = within[region]
        _, lot, one = heappop(heap)
        taking.take(one)
        taken, size = taking.taken[one], taking.pool[one]
        if taken < size:
            heappush(heap, ((taken + 0.5) / size, lot, one))
        if heap:
            heappush(regions, ((taking.in_region[region] + 0.5) / sizes[region], region))
