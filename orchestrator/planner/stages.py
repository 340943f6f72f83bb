"""Which machines each stage takes. Rules beat a stage's size: they say how many of its machines go at once, and in what order.

A stage that takes some and not all takes them spread over regions, configurations (system, image, size) and sets, each in
proportion, so that what comes later is no surprise. Which machine of several alike goes is decided by a digest of its id and
the campaign's name: always the same one, whatever the order of the inventory, and not always the first by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from orchestrator.inventory.model import Machine, MachineId
from orchestrator.policy.model import EVERYTHING, Selector, Stage
from orchestrator.policy.select import matcher


@dataclass(frozen=True, slots=True)
class Staged:
    """The machines of each stage, sorted by id, and those that no stage takes."""

    stages: tuple[tuple[MachineId, ...], ...]
    left: tuple[MachineId, ...]


def assign(machines: Iterable[Machine], stages: Sequence[Stage], salt: str) -> Staged:
    """Deal the machines of a campaign out to its stages, each taking from what the ones before it left."""
    left = {machine.id: machine for machine in machines}
    whole = len(left)
    taken: list[tuple[MachineId, ...]] = []
    for stage in stages:
        chosen = _take(stage, list(left.values()), whole - len(left), whole, salt)
        for machine in chosen:
            del left[machine]
        taken.append(tuple(sorted(chosen)))
    return Staged(tuple(taken), tuple(sorted(left)))


def spread(machines: Iterable[Machine], salt: str) -> list[Machine]:
    """The machines in an order of which every beginning holds each region, configuration and set in proportion."""
    return _spread(list(machines), _LEVELS, salt)


def _take(stage: Stage, left: Sequence[Machine], before: int, whole: int, salt: str) -> list[MachineId]:
    pool = left if stage.select == EVERYTHING else _selected(left, stage.select)
    if stage.count is None and stage.per_region is None and stage.up_to is None:
        return [machine.id for machine in pool]
    ordered = spread(pool, salt)
    if stage.per_region is not None:
        ordered = _of_each_region(ordered, stage.per_region)
    most = len(ordered)
    if stage.count is not None:
        most = min(most, stage.count)
    if stage.up_to is not None:
        most = min(most, max(0, stage.up_to.of(whole) - before))
    return [machine.id for machine in ordered[:most]]


def _selected(machines: Iterable[Machine], select: Selector) -> list[Machine]:
    test = matcher(select)
    return [machine for machine in machines if test(machine)]


def _of_each_region(ordered: Iterable[Machine], most: int) -> list[Machine]:
    counts: dict[str, int] = {}
    kept = []
    for machine in ordered:
        counts[machine.location] = counts.get(machine.location, 0) + 1
        if counts[machine.location] <= most:
            kept.append(machine)
    return kept


_Level = Callable[[Machine], object]

_LEVELS: tuple[_Level, ...] = (
    lambda machine: machine.location,
    lambda machine: (machine.os, machine.image.offer, machine.image.sku, machine.size),
    lambda machine: machine.availability_set or machine.scale_set or "",
)
"""What a stage is spread over, the most important first."""


def _spread(machines: list[Machine], levels: Sequence[_Level], salt: str) -> list[Machine]:
    """Each group of the first level by itself, then all of them shuffled together in proportion.

    The j-th of n machines of a group stands at (j + 1/2) / n of the whole.
    """
    if not levels or len(machines) < 2:
        return sorted(machines, key=lambda machine: (_digest(machine.id, salt), machine.id))
    groups: dict[object, list[Machine]] = {}
    for machine in machines:
        groups.setdefault(levels[0](machine), []).append(machine)
    placed = []
    for group in groups.values():
        ordered = _spread(group, levels[1:], salt)
        first = _digest(ordered[0].id, salt)
        placed += [((j + 0.5) / len(ordered), first, j, machine) for j, machine in enumerate(ordered)]
    placed.sort(key=lambda at: at[:3])
    return [machine for *_, machine in placed]


def _digest(machine: MachineId, salt: str) -> bytes:
    return blake2b(f"{salt}\n{machine}".encode(), digest_size=8).digest()
