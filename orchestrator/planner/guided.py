"""Fills the waves of a lane along an itinerary: who goes when its domain's turn has come, the one with the fewest turns left first.

An itinerary reckons with the least that each side needs by itself. Where budgets lie across sides, somebody takes a turn more; then what
is after it comes late too. So what took longer is asked for as it was, and the itinerary made anew, a fixed number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.cells import Numbered
from orchestrator.planner.demands import NOWHERE, Asked, Demand, asked_of, leading_of, within
from orchestrator.planner.flat import Numbers
from orchestrator.planner.itinerary import Searcher
from orchestrator.planner.progress import Paths, Window, windows

ROUNDS: Final = 8
"""How often an itinerary is made, and followed."""

_LATE: Final = 1 << 40
"""Turns left of who has no last one."""

Taken = list[list[tuple[int, int]]]
"""Waves of a lane as (class, machines), by the lane's own numbers."""

Run = Callable[["Guide", int], Taken | None]
"""Packs the lane once, along a guide, shaken as the number says; None if no machine may go next."""


class Guide:
    """When the classes of a lane may go, as itineraries have it, and in which turn they are asked."""

    def __init__(self, classes: int, routes: Sequence[_Route]) -> None:
        self._waves = max(len(route.ways) for route in routes)
        places = sum(len(route.asked.tree.rule) for route in routes)
        self._at = np.full(classes, places, dtype=np.int64)  # class -> its place; the last is everywhere
        self._first = np.zeros(classes, dtype=np.int64)
        self._last = np.full(classes, NOWHERE, dtype=np.int64)
        self._open = np.ones((self._waves + 1, places + 1), dtype=np.bool_)
        offset = 0
        for route in routes:
            tree = route.asked.tree
            for wave, way in enumerate(route.ways):
                self._open[wave, offset : offset + len(tree.rule)] = False
                self._open[wave, [offset + place for place in route.paths.all[way]]] = True
            for one, place in route.asked.place.items():
                self._at[one] = offset + place
            for side, members in route.asked.sides.items():
                window = route.windows.get(side, {})
                for one in members:
                    self._first[one], self._last[one] = window.get(route.asked.place[one], (0, NOWHERE))
            offset += len(tree.rule)
        self._opened = np.zeros((self._waves + 2, places + 1), dtype=np.int64)
        np.cumsum(self._open, axis=0, out=self._opened[1:])

    def in_turn(self, turn: Numbers, wave: int) -> Numbers:
        """Of these, who goes in this wave if anybody does; those with the fewest turns left first, else as they stand. All, if it's nobody's
        turn.
        """
        who: NDArray[np.int64] = np.asarray(turn, dtype=np.int64)
        now = min(wave, self._waves)
        may = self._open[now, self._at[who]] & (self._first[who] <= wave)
        chosen = who[may]
        if not len(chosen):
            return turn
        at, last = self._at[chosen], self._last[chosen]
        left = np.maximum(self._opened[np.minimum(last, self._waves) + 1, at] - self._opened[now, at], 0)
        left[last == NOWHERE] = _LATE
        sorted_: list[int] = chosen[np.argsort(left, kind="stable")].tolist()
        return sorted_


class _Route:
    """One tree with its itinerary, and when each side is to go where."""

    def __init__(self, asked: Asked, most: int, enough: int) -> None:
        self._enough = enough
        self.asked = asked
        self.paths = Paths(asked.tree)
        self._searcher = Searcher(self.paths)
        self._tight = False
        self.ways: list[int] = []
        self.windows: dict[tuple[int, int], dict[int, Window]] = {}  # (unit, side) -> place -> when
        self.plan(most)

    def plan(self, most: int) -> bool:
        """Make the itinerary, of at most so many waves; False, with the one that there was, if none is found."""
        asked = self.asked
        ways = self._searcher.find([asked.demands[unit] for unit in asked.leading], most, self._enough)
        if ways is None:
            return False
        self.ways = ways
        self.windows.clear()
        leading = [asked.demands[unit] for unit in asked.leading]
        known = {demand: windows(self.paths, demand, self.ways) for demand in leading}
        for unit, demand in asked.demands.items():
            if demand not in known:
                known[demand] = _along_with(demand, known, leading)
            for side, window in enumerate(known[demand]):
                self.windows[unit, side] = window
        return True

    def learn(self, went: Sequence[tuple[int, int]], most: int) -> bool:
        """Ask for a wave more where a side went in its turn and wasn't done by its last, and make the itinerary anew; whether it is another.
        `went` is from when to when each class went. A tree for which that gave nothing once isn't tried again.
        """
        if self._tight:
            return False
        asked, before = self.asked, self.asked.demands.copy()
        for (unit, side), window in self.windows.items():
            began: dict[int, int] = {}
            ended: dict[int, int] = {}
            for one in asked.sides[unit, side]:
                for place in asked.tree.path(asked.place[one]):
                    began[place] = min(began.get(place, went[one][0]), went[one][0])
                    ended[place] = max(ended.get(place, 0), went[one][1])
            for place, (_, last) in window.items():
                if began[place] <= last < ended[place]:
                    self._ask_more(unit, side, place)
        if asked.demands == before:
            return False
        asked.leading = leading_of(asked.demands)
        if not self.plan(most):
            self._tight = True
            asked.demands = before
        return not self._tight

    def _ask_more(self, unit: int, side: int, place: int) -> None:
        tree = self.asked.tree
        demand = [list(needs) for needs in self.asked.demands[unit]]
        needs = demand[side]
        needs[place] += 1
        for outer in reversed(tree.path(place)[:-1]):
            needs[outer] = max(needs[outer], sum(needs[inner] for inner in tree.inside[outer]))
        self.asked.demands[unit] = tuple(map(tuple, demand))


def _along_with(
    demand: Demand, known: Mapping[Demand, list[dict[int, Window]]], leading: Sequence[Demand]
) -> list[dict[int, Window]]:
    """When the sides of a demand go that asks no more than one of these: as that does."""
    for other in leading:
        sides = within(demand, other)
        if sides is not None and sides[-1] < len(known[other]):
            return [
                {place: window for place, window in known[other][side].items() if needs[place]}
                for needs, side in zip(demand, sides, strict=True)
            ]
    return []


def guided(lane: Numbered, least: int, best: Taken | None, run: Run) -> Taken | None:
    """The shortest that is found along itineraries, or `best` if none is shorter."""
    most = len(best) - 1 if best else 2 * least + 8
    routes = [_Route(asked, most, least) for asked in asked_of(lane)]
    routes = [route for route in routes if route.ways]
    shake = 0
    for _ in range(ROUNDS if routes else 0):
        found = run(Guide(len(lane.classes), routes), shake)
        if found is not None and (best is None or len(found) < len(best)):
            best = found
        if best is None or len(best) <= least or found is None:
            break
        went = _went(len(lane.classes), found)
        changed = [route.learn(went, len(best) - 1) for route in routes]
        shake += not any(changed)
        if max(len(route.ways) for route in routes) >= len(best):
            break  # they are what it takes so long for, and there are no shorter ones
    return best


def _went(classes: int, waves: Taken) -> list[tuple[int, int]]:
    """When each class went first, and last."""
    first, last = [0] * classes, [NOWHERE] * classes
    for number, wave in enumerate(waves):
        for one, _ in wave:
            if last[one] == NOWHERE:
                first[one] = number
            last[one] = number
    return list(zip(first, last, strict=True))
