"""Which waves of a plan can run at the same time.

Stages are barriers: waves of different stages never coincide. Waves of one lane run one after another. A lane may start
when every lane in its `after` is finished, and so after everything that those waited for. Lanes that aren't ordered in
this way may run side by side, each in any of its waves: nothing else may be relied on.

The lanes of a stage are numbered, and a set of them is an integer with a bit for each. With thousands of lanes, that
"is everything in this set finished before that lane?" is one operation on two integers is what keeps the judge fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.verify.document import SHAPE, Document, Lane
from orchestrator.verify.model import Findings


class Spot(NamedTuple):
    """A wave: the number of its lane among all lanes of the plan, and its own within the lane, both from 0."""

    lane: int
    wave: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The partial order of a plan's waves.

    `bit[lane]` is the lane's own bit; `earlier[lane]` the lanes that are finished before it begins, `later[lane]` those
    that begin after it is finished. Bits are numbered within a stage, in an order that puts every lane after those it
    waits for; `by_bit` leads back.
    """

    lanes: tuple[Lane, ...]
    stages: tuple[str, ...]
    spots: Mapping[str, Spot]  # machine -> the wave that changes it
    bit: tuple[int, ...]
    earlier: tuple[int, ...]
    later: tuple[int, ...]
    by_bit: Mapping[str, tuple[int, ...]]  # stage -> its lanes by number of bit

    def stage_of(self, machine: str) -> str:
        """The stage in which a machine of a wave is changed."""
        return self.lanes[self.spots[machine].lane].stage

    def before(self, one: Spot, other: Spot) -> bool:
        """Whether the wave `one` of a stage is over before the wave `other` of the same stage begins."""
        if one.lane == other.lane:
            return one.wave < other.wave
        return bool(self.earlier[other.lane] & self.bit[one.lane])

    def lanes_of(self, stage: str, bits: int) -> Iterator[int]:
        """The lanes that a set of bits stands for."""
        numbers = self.by_bit[stage]
        while bits:
            lowest = bits & -bits
            yield numbers[lowest.bit_length() - 1]
            bits ^= lowest

    def place(self, spot: Spot) -> str:
        """`wave 3 of lane x`, counted from 1 as people do."""
        return f"wave {spot.wave + 1} of lane {self.lanes[spot.lane].id}"

    def span(self, machines: Iterable[str]) -> Span:
        """Where these machines, all of one stage, stand in it."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        bits = 0
        for machine in machines:
            lane, wave = self.spots[machine]
            first[lane] = min(wave, first.get(lane, wave))
            last[lane] = max(wave, last.get(lane, wave))
            bits |= self.bit[lane]
        return Span(self, first, last, bits)


@dataclass(frozen=True, slots=True)
class Span:
    """The first and the last wave of each lane that some machines of one stage stand in."""

    schedule: Schedule
    first: Mapping[int, int]
    last: Mapping[int, int]
    bits: int

    @property
    def end(self) -> tuple[int, int]:
        """The last of these waves in one sequence of all waves of the stage, which the plan allows."""
        return max((self.schedule.bit[lane], wave) for lane, wave in self.last.items())

    def before(self, other: Span) -> bool:
        """Whether every wave of this is over before any wave of `other` begins."""
        for lane, wave in self.last.items():
            if lane in other.first and wave >= other.first[lane]:
                return False
            elsewhere = other.bits & ~self.schedule.bit[lane]
            if elsewhere & ~self.schedule.later[lane]:
                return False
        return True


def arrange(document: Document, found: Findings) -> Schedule | None:
    """Work out which lanes are finished before which; None if they wait for each other in a circle.

    An `after` that names no lane of the same stage is reported, and no order is taken from it: the judge then supposes
    that the lanes run side by side.
    """
    lanes = document.lanes
    number = _numbered(lanes, document.stages, found)
    waits_for = [_waits_for(lane, number, lanes, found) for lane in lanes]
    in_order = _in_order(waits_for)
    if in_order is None:
        stuck = sorted(_stuck(waits_for))
        circle = ", ".join(lanes[i].id for i in stuck[:5]) + (" and more" if len(stuck) > 5 else "")
        what = f"lanes wait for each other in a circle, so none of them can ever start: {circle}"
        found.broken(SHAPE, "lanes", (), what)
        return None

    by_bit: dict[str, list[int]] = {stage: [] for stage in dict.fromkeys(lane.stage for lane in lanes)}
    bit, earlier, later = [0] * len(lanes), [0] * len(lanes), [0] * len(lanes)
    for lane in in_order:
        of_stage = by_bit[lanes[lane].stage]
        bit[lane] = 1 << len(of_stage)
        of_stage.append(lane)
        for other in waits_for[lane]:
            earlier[lane] |= earlier[other] | bit[other]
    followers: list[list[int]] = [[] for _ in lanes]
    for lane, others in enumerate(waits_for):
        for other in others:
            followers[other].append(lane)
    for lane in reversed(in_order):
        for other in followers[lane]:
            later[lane] |= later[other] | bit[other]
    return Schedule(
        lanes=lanes,
        stages=document.stages,
        spots={
            m: Spot(i, w) for i, lane in enumerate(lanes) for w, wave in enumerate(lane.waves) for m in wave
        },
        bit=tuple(bit),
        earlier=tuple(earlier),
        later=tuple(later),
        by_bit={stage: tuple(numbers) for stage, numbers in by_bit.items()},
    )


def _numbered(lanes: tuple[Lane, ...], stages: tuple[str, ...], found: Findings) -> dict[str, int]:
    number: dict[str, int] = {}
    for i, lane in enumerate(lanes):
        if lane.id in number:
            found.broken(SHAPE, f"lane {lane.id}", (), f"there are two lanes with the id {lane.id}")
        number.setdefault(lane.id, i)
        if lane.stage not in stages:
            what = f"lane {lane.id} is in stage {lane.stage!r}, which isn't among the plan's stages"
            found.broken(SHAPE, f"lane {lane.id}", (), what)
    return number


def _waits_for(lane: Lane, number: Mapping[str, int], lanes: tuple[Lane, ...], found: Findings) -> list[int]:
    waits_for = []
    for name in lane.after:
        other = number.get(name)
        if other is None:
            found.broken(SHAPE, f"lane {lane.id}", (), f"lane {lane.id} waits for {name}, which is no lane")
        elif lanes[other].stage != lane.stage:
            what = f"lane {lane.id} of stage {lane.stage} waits for {name} of stage {lanes[other].stage}"
            found.broken(SHAPE, f"lane {lane.id}", (), f"{what}; stages are barriers already")
        else:
            waits_for.append(other)
    return waits_for


def _in_order(waits_for: list[list[int]]) -> list[int] | None:
    """Every lane after all that it waits for, or None if that can't be."""
    open_ones = [len(set(others)) for others in waits_for]
    followers: list[list[int]] = [[] for _ in waits_for]
    for lane, others in enumerate(waits_for):
        for other in set(others):
            followers[other].append(lane)
    ready = [lane for lane, count in enumerate(open_ones) if not count]
    for lane in ready:  # grows while it is walked through
        for follower in followers[lane]:
            open_ones[follower] -= 1
            if not open_ones[follower]:
                ready.append(follower)
    return ready if len(ready) == len(waits_for) else None


def _stuck(waits_for: list[list[int]]) -> set[int]:
    """The lanes on a circle, or behind one and before another: what is left when both free ends are taken away."""
    left = set(range(len(waits_for)))
    while True:
        waited_for = {other for lane in left for other in waits_for[lane] if other in left}
        keep = {lane for lane in waited_for if any(other in left for other in waits_for[lane])}
        if keep == left:
            return left
        left = keep
