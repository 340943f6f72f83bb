"""Which machines each stage takes. Rules beat a stage's size: they say how many of its machines go at once, and in what order.

A stage that takes some and not all takes those of as many configurations as it can, so that what comes later is no surprise
(`cover`); of one configuration, those of as many sets as it can. Which machine of several alike goes is decided by a digest of its
id and the campaign's name: always the same one, whatever the order of the inventory, and not always the first by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import chain
from zlib import crc32

from orchestrator.inventory.model import Machine, MachineId
from orchestrator.planner.configurations import Configuration, by_configuration
from orchestrator.planner.cover import Fleet, Room, choose
from orchestrator.planner.coverage import Coverage
from orchestrator.policy.model import EVERYTHING, Selector, Stage
from orchestrator.policy.select import matcher

_Groups = Mapping[Configuration, list[Machine]]


@dataclass(frozen=True, slots=True)
class Staged:
    """The machines of each stage, sorted by id, and those that no stage takes.

    `coverage` is of each stage that takes some and not all that are left.
    """

    stages: tuple[tuple[MachineId, ...], ...]
    left: tuple[MachineId, ...]
    coverage: tuple[Coverage, ...]


def assign(machines: Iterable[Machine], stages: Sequence[Stage], salt: str) -> Staged:
    """Deal the machines of a campaign out to its stages, each taking from what the ones before it left."""
    machines = list(machines)
    left: _Groups = by_configuration(machines)
    fleet = Fleet({configuration: len(held) for configuration, held in left.items()})
    dealt: set[MachineId] = set()
    taken: list[tuple[MachineId, ...]] = []
    coverage: list[Coverage] = []
    for stage in stages:
        if not left:
            taken.append(())
        elif _takes_all(stage):
            taken.append(tuple(sorted(machine.id for machine in machines if machine.id not in dealt)))
            left = {}
        else:
            groups = _take(stage, left, fleet, (len(dealt), len(machines)), salt)
            left = _without(left, groups)
            fleet.try_out(groups)
            taken.append(tuple(sorted(chain.from_iterable(groups.values()))))
            dealt.update(taken[-1])
            if taken[-1] and left:
                coverage.append(_coverage(stage, fleet))
    rest = tuple(sorted(machine.id for held in left.values() for machine in held))
    return Staged(tuple(taken), rest, tuple(coverage))


def _takes_all(stage: Stage) -> bool:
    return stage.select == EVERYTHING and _is_unbounded(stage)


def _is_unbounded(stage: Stage) -> bool:
    return stage.count is None and stage.per_region is None and stage.up_to is None


def _take(
    stage: Stage, left: _Groups, fleet: Fleet, so_far: tuple[int, int], salt: str
) -> Mapping[Configuration, Sequence[MachineId]]:
    """The machines that a stage takes of each configuration. `so_far`: how many are dealt out already, of how many."""
    pool = left if stage.select == EVERYTHING else _selected(left, stage.select)
    if _is_unbounded(stage):
        return {configuration: [machine.id for machine in held] for configuration, held in pool.items()}
    dealt, whole = so_far
    bounds = [whole]
    if stage.count is not None:
        bounds.append(stage.count)
    if stage.up_to is not None:
        bounds.append(max(0, stage.up_to.of(whole) - dealt))
    counts = {configuration: len(held) for configuration, held in pool.items()}
    quotas = choose(fleet, counts, Room(min(bounds), stage.per_region), salt)
    seed = crc32(salt.encode())
    return {
        configuration: _of_as_many_sets(pool[configuration], quota, seed)
        for configuration, quota in quotas.items()
    }


def _selected(groups: _Groups, select: Selector) -> dict[Configuration, list[Machine]]:
    test = matcher(select)
    return {
        configuration: chosen
        for configuration, held in groups.items()
        if (chosen := [machine for machine in held if test(machine)])
    }


def _without(left: _Groups, chosen: Mapping[Configuration, Sequence[MachineId]]) -> _Groups:
    remaining: dict[Configuration, list[Machine]] = {}
    for configuration, held in left.items():
        taken = chosen.get(configuration, ())
        if not taken:
            remaining[configuration] = held
        elif len(taken) < len(held):
            gone = frozenset(taken)
            remaining[configuration] = [machine for machine in held if machine.id not in gone]
    return remaining


def _coverage(stage: Stage, fleet: Fleet) -> Coverage:
    return Coverage(
        stage.name,
        len(fleet.counts),
        tuple(fleet.untried().items()),
        tuple(fleet.untried_traits().items()),
        stage.origin,
    )


# Which of several alike -----------------------------------------------------------------------------------------


def _of_as_many_sets(machines: Sequence[Machine], quota: int, seed: int) -> Sequence[MachineId]:
    """So many of these, of each availability set or scale set by how many it has, and there by lot."""
    if quota >= len(machines):
        return [machine.id for machine in machines]
    sets: dict[str, list[MachineId]] = {}
    for machine in machines:
        held = machine.availability_set or machine.scale_set or ""
        sets.setdefault(held, []).append(machine.id)
    shares = _shares({name: len(held) for name, held in sets.items()}, quota, seed)
    return [machine for name, share in shares.items() for machine in _by_lot(sets[name], share, seed)]


def _shares(sizes: Mapping[str, int], quota: int, seed: int) -> dict[str, int]:
    """How many of each set; `quota` is less than all of them. Whichever is furthest behind its share gives the next."""
    if len(sizes) == 1:
        return dict.fromkeys(sizes, quota)
    shares = dict.fromkeys(sizes, 0)
    heap = [(0.5 / size, crc32(name.encode(), seed), name) for name, size in sizes.items()]
    heapify(heap)
    for _ in range(quota):
        _, lot, name = heap[0]
        shares[name] += 1
        due = (shares[name] + 0.5) / sizes[name]  # above 1 once all of its machines are taken
        heapreplace(heap, (due, lot, name))
    return shares


def _by_lot(machines: Sequence[MachineId], count: int, seed: int) -> Sequence[MachineId]:
    """So many of these, those with the lowest lots."""
    if count in {0, len(machines)}:
        return machines[:count]
    lots = [crc32(machine.encode(), seed) for machine in machines]
    last = sorted(lots)[count - 1]
    drawn = [machine for machine, lot in zip(machines, lots, strict=True) if lot <= last]
    if len(drawn) > count:  # several have the last lot that wins
        drawn = sorted(drawn, key=lambda machine: (crc32(machine.encode(), seed), machine))[:count]
    return drawn
