"""Which lanes have to wait for which, where side by side they would take more than a budget gives.

A lane of which some was begun counts twice: what was begun, whose last wave may still run, and the rest of it, that can wait. A lane
waits for as few others as it has to, those first that are over soonest. Of parts that may still coincide, the one that was looked at
last was found to fit beside all the others at once; so none ever are too many. Whether waits are needed at all is found
exactly, so that lanes that fit are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.planner.antichains import heaviest_antichain
from orchestrator.planner.replan_index import Index

EXACTLY: Final = 300
"""Parts of lanes up to which it is found exactly whether any have to wait; among more, some may wait for nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was begun of a lane, or the rest of it."""

    lane: int
    rest: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What a part takes of a budget at most, and how many waves of it are left."""

    part: Part
    most: int
    left: int


class Waiting:
    """The waits of lanes among each other: those of the plan, and those that a replan adds."""

    def __init__(self, index: Index, begun: Mapping[str, int]) -> None:
        self._index = index
        self._begun = begun
        self.added: dict[int, list[Part]] = {}  # a lane -> what its rest waits for on top

    @property
    def cut(self) -> set[int]:
        """The lanes that are cut in two: some was begun, and the rest has to wait, or somebody waits for what was begun alone."""
        found = {lane for lane, parts in self.added.items() if parts and self._history(lane)}
        return found.union(
            part.lane
            for parts in self.added.values()
            for part in parts
            if not part.rest and self._history(part.lane) < len(self._index.lane(part.lane).waves)
        )

    def fit(self, loads: Iterable[Load], limit: int) -> None:
        """Let the rests of lanes wait until no parts that may coincide take more than this. Loads are of one stage."""
        held = list(loads)
        if sum(load.most for load in held) <= limit:
            return
        held.sort(key=lambda load: (load.part.rest, self._index.turn[load.part.lane]))
        reach = _Reach(self, held)
        by_part = {load.part: load for load in held}
        in_turn = [by_part[part] for part in reach.order]
        if len(in_turn) <= EXACTLY and reach.heaviest(in_turn) <= limit:
            return
        for place, load in enumerate(in_turn):
            if not load.part.rest:
                continue
            beside = sorted(
                (other.left, at) for at, other in enumerate(in_turn[:place]) if not reach.before(place, at)
            )
            much = load.most + sum(in_turn[at].most for _, at in beside)
            for _, at in beside:
                if much <= limit:
                    break
                if reach.before(place, at):
                    continue  # since it comes before another that is waited for by now
                self.added.setdefault(load.part.lane, []).append(in_turn[at].part)
                reach.wait(place, at)
                much = load.most + sum(
                    in_turn[other].most for _, other in beside if not reach.before(place, other)
                )

    def before(self, part: Part) -> list[Part]:
        """What a part waits for directly. Before a part that was begun, only parts that were begun count."""
        index = self._index
        if not part.rest:
            others = map(index.lane_of.__getitem__, index.lane(part.lane).after)
            return [Part(other, rest=False) for other in others if self._history(other)]
        found = [self.last(index.lane_of[other]) for other in index.lane(part.lane).after]
        if self._history(part.lane):
            found.append(Part(part.lane, rest=False))
        return [*found, *self.added.get(part.lane, ())]

    def last(self, lane: int) -> Part:
        """The part that is over when the whole lane is."""
        return Part(lane, rest=self._history(lane) < len(self._index.lane(lane).waves))

    def _history(self, lane: int) -> int:
        return self._begun.get(self._index.lane(lane).id, 0)


class _Reach:
    """What of some parts comes before which, directly or through any others; as bits by their places in `order`."""

    def __init__(self, waiting: Waiting, loads: Sequence[Load]) -> None:
        self.order: list[Part] = []  # whatever comes before a part is in front of it
        wanted = {load.part for load in loads}
        known: dict[Part, int] = {}
        for load in loads:
            left = [load.part]
            while left:
                part = left[-1]
                if part in known:
                    left.pop()
                    continue
                first = waiting.before(part)
                missing = [other for other in first if other not in known]
                if missing:
                    left += reversed(missing)
                    continue
                left.pop()
                bits = 0
                for other in first:
                    bits |= known[other]
                if part in wanted:
                    bits |= 1 << len(self.order)
                    self.order.append(part)
                known[part] = bits
        self._bits = [known[part] for part in self.order]  # each with its own

    def before(self, place: int, other: int) -> bool:
        """Whether the other comes before this one."""
        return bool(self._bits[place] >> other & 1) and place != other

    def wait(self, place: int, other: int) -> None:
        """Let one wait for another in front of it, and so all that come after it."""
        fresh = self._bits[other]
        for at in range(place, len(self._bits)):
            if self._bits[at] >> place & 1:
                self._bits[at] |= fresh

    def heaviest(self, loads: Sequence[Load]) -> int:
        """The most that parts which may coincide take."""
        before = [bits & ~(1 << place) for place, bits in enumerate(self._bits)]
        return heaviest_antichain([load.most for load in loads], before)
