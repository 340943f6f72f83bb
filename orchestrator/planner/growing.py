"""A stage in steps of 1, 2, 4, ... machines: each is verified before the next begins.

The stage is scheduled whole, and its machines are taken in the order in which its waves come, so that what rules say of the stage holds
across its steps: what is ordered stays ordered, and a domain once begun is finished. Of machines that may go at the same time, those of
every lane take turns. Each step is a stage of the plan with what the lanes have of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.planner.bound import bound_of, prove
from orchestrator.planner.model import Lane, Wave
from orchestrator.planner.paths import begins
from orchestrator.planner.rules import Rules
from orchestrator.policy.model import Growth

MOST_STEPS: Final = 500
"""The most that a stage may take: doubling from one machine, thirty reach a thousand million."""


_Index = Mapping[MachineId, int]


@dataclass(frozen=True, slots=True)
class GrownStep:
    """One step of a stage: a stage of the plan."""

    name: str
    lanes: tuple[Lane, ...]


def sizes(growth: Growth, machines: int) -> list[int]:
    """How many machines each step takes, of a stage of so many."""
    most = growth.most.of(machines) if growth.most is not None else machines
    size = min(growth.first.of(machines), most)
    found = []
    while machines > 0:
        found.append(min(size, machines))
        machines -= size
        size = min(size * growth.factor, most)
    return found


def grown(rules: Rules, stage: str, growth: Growth, lanes: Sequence[Lane]) -> tuple[GrownStep, ...]:
    """The steps of a stage whose lanes these are; one of the stage's own name if it takes one.

    Raises:
        Refused: if it takes more than `MOST_STEPS`.
    """
    order = _in_turn(stage, lanes)
    steps = sizes(growth, len(order))
    if len(steps) > MOST_STEPS:
        raise Refused(
            f"stage {stage} would take {len(steps):,} steps for {len(order):,} machines, and {MOST_STEPS} are the most: "
            "write a larger `most` under `growing`, or take it out and bound what is under way with `max_in_flight`"
        )
    if len(steps) < 2:
        return (GrownStep(stage, tuple(lanes)),)
    step_of: dict[MachineId, int] = {}
    start = 0
    for number, size in enumerate(steps):
        step_of.update(dict.fromkeys(order[start : start + size], number))
        start += size
    index = {machine: place for place, machine in enumerate(rules.machines)}
    pieces: list[list[Lane]] = [[] for _ in steps]
    for lane in lanes:
        for number, piece in _pieces(rules, index, lane, step_of):
            pieces[number].append(piece)
    return tuple(_step(f"{stage}/{number}", found) for number, found in enumerate(pieces, 1))


def _in_turn(stage: str, lanes: Sequence[Lane]) -> list[MachineId]:
    """The machines in the order in which they go: by the waves before theirs, those of all lanes in turns."""
    begin = begins(lanes)
    placed: list[tuple[int, float, int, MachineId]] = []
    for number, lane in enumerate(lanes):
        for place, wave in enumerate(lane.waves):
            drawn = sorted(wave.machines, key=lambda machine: (_digest(stage, machine), machine))
            placed += [
                (begin[lane.id] + place, (turn + 0.5) / len(drawn), number, machine)
                for turn, machine in enumerate(drawn)
            ]
    return [machine for *_, machine in sorted(placed)]


def _digest(stage: str, machine: MachineId) -> bytes:
    """Which machine of a wave goes first: always the same, and not always the first by name."""
    return blake2b(f"{stage}\n{machine}".encode(), digest_size=8).digest()


def _pieces(
    rules: Rules, index: _Index, lane: Lane, step_of: dict[MachineId, int]
) -> Iterator[tuple[int, Lane]]:
    """What each step has of a lane."""
    waves: dict[int, list[tuple[MachineId, ...]]] = {}
    for wave in lane.waves:
        parts: dict[int, list[MachineId]] = {}
        for machine in wave.machines:
            parts.setdefault(step_of[machine], []).append(machine)
        for step, part in parts.items():
            waves.setdefault(step, []).append(tuple(part))
    whole = sum(len(wave.machines) for wave in lane.waves)
    for step, found in sorted(waves.items()):
        size = sum(map(len, found))
        if size == whole:
            yield step, lane
            continue
        joined = _joined(rules, index, lane, found)
        machines = sorted(index[machine] for wave in joined for machine in wave)
        yield (
            step,
            replace(
                lane,
                waves=tuple(map(Wave, joined)),
                bound=bound_of(rules, prove(rules, machines)),
                what=f"{size:,} of {whole:,}: {lane.what}",
            ),
        )


def _joined(
    rules: Rules, index: _Index, lane: Lane, waves: Sequence[tuple[MachineId, ...]]
) -> list[tuple[MachineId, ...]]:
    """The parts of a lane's waves in as few waves as they take in this order, none larger under any rule than the lane has them."""
    room: dict[int, int] = {}
    for wave in lane.waves:
        for constraint, count in _counts(rules, index, wave.machines).items():
            room[constraint] = max(room.get(constraint, 0), count)
    found: list[list[MachineId]] = []
    counts: dict[int, int] = {}
    parts: dict[int, int] = {}
    for machine in (machine for wave in waves for machine in wave):
        places = rules.places[index[machine]]
        if not found or any(counts.get(c, 0) == room[c] or parts.get(c, part) != part for c, part in places):
            found.append([])
            counts, parts = {}, {}
        found[-1].append(machine)
        for constraint, part in places:
            counts[constraint] = counts.get(constraint, 0) + 1
            parts[constraint] = part
    return [tuple(sorted(wave)) for wave in found]


def _counts(rules: Rules, index: _Index, machines: Sequence[MachineId]) -> dict[int, int]:
    """How many of the machines stand in each constraint."""
    counts: dict[int, int] = {}
    for machine in machines:
        for constraint, _ in rules.places[index[machine]]:
            counts[constraint] = counts.get(constraint, 0) + 1
    return counts


def _step(name: str, lanes: Sequence[Lane]) -> GrownStep:
    """The lanes of a step under names of their own; each waits for those of its step alone, the others are finished before."""
    width = len(str(len(lanes)))
    ids = {lane.id: f"{name}-{number:0{width}}" for number, lane in enumerate(lanes, 1)}
    return GrownStep(
        name,
        tuple(
            replace(
                lane,
                id=ids[lane.id],
                stage=name,
                after=tuple(ids[other] for other in lane.after if other in ids),
            )
            for lane in lanes
        ),
    )
