"""In which wave which domain of wide exclusions is open: as short a sequence as serves everybody who asks for something.

Each unit wants the domains in an order of its own, and what serves one in passing serves others too; so this is the search for a shortest
common supersequence, which is hard in general and small here. It is searched in breadth, wave by wave: of all that may have been
opened so far, the states that need fewest waves from here on are kept. What is still needed at least is known for each: domains share no
wave, so it's the sum over domains of the most that anybody needs there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.demands import NOWHERE, Demand, Tree
from orchestrator.planner.progress import Paths, States

BREADTH: Final = 48
"""States that are kept at each wave."""

MOST_STATES: Final = 60_000
"""Of single demands, that a search may meet: a second or so."""

_Ints = NDArray[np.int64]


def itinerary(paths: Paths, demands: Sequence[Demand], most: int) -> list[int] | None:
    """The way that is open in each wave, by its number among `paths`; None if none of at most so many waves is found."""
    search = _Search(paths, demands)
    kept = [(search.states.start, search.nothing_active)]
    came: list[list[tuple[int, int]]] = []  # of each wave, of each state that was kept: from which, by which way
    for _ in range(most):
        if len(search.states) > MOST_STATES:
            return None
        kept, origins = search.wave(kept)
        came.append(origins)
        if not kept:
            return None
        if all(search.states.done[one] for one in kept[0][0]):
            return _back(came)
    return None


def _back(came: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    ways, at = [], 0
    for origins in reversed(came):
        at, way = origins[at]
        ways.append(way)
    return ways[::-1]


_Kept = tuple[tuple[int, ...], tuple[int, ...]]
"""Where each demand stands, and the place of each uncut exclusion that is open."""


class _Search:
    """Goes on from some states by one wave."""

    def __init__(self, paths: Paths, demands: Sequence[Demand]) -> None:
        self.states = States(paths, demands)
        self._paths = paths
        self._tree: Tree = paths.tree
        self._uncut = [rule for rule, uncut in enumerate(self._tree.uncut) if uncut]
        self.nothing_active = (NOWHERE,) * len(self._uncut)

    def wave(self, kept: Sequence[_Kept]) -> tuple[list[_Kept], list[tuple[int, int]]]:
        """The best states after one more wave, one that is done first, and how each came about."""
        after, ways = self.states.after, range(len(self._paths.all))
        met: dict[_Kept, tuple[int, int]] = {}
        for number, (states, active) in enumerate(kept):
            for way in ways:
                now = active if not self._uncut else self._entered(states, active, self._paths.all[way])
                if now is not None:
                    met.setdefault((tuple([after(one, way) for one in states]), now), (number, way))
        found = list(met)
        turn = self._by_need(found)[:BREADTH] if found else []
        return [found[at] for at in turn], [met[found[at]] for at in turn]

    def _entered(
        self, states: Sequence[int], active: tuple[int, ...], path: Sequence[int]
    ) -> tuple[int, ...] | None:
        """What is open then of uncut exclusions; None if something has to be finished first."""

        def unfinished(place: int) -> bool:
            return any(self.states.least[one][place] for one in states)

        if any(other in path and unfinished(one) for one, other in self._tree.before):
            return None
        now = list(active)
        for nth, rule in enumerate(self._uncut):
            place = next((place for place in path if self._tree.rule[place] == rule), active[nth])
            if active[nth] not in {place, NOWHERE} and unfinished(active[nth]):
                return None
            now[nth] = place
        return tuple(now)

    def _by_need(self, found: Sequence[_Kept]) -> list[int]:
        """Their places: those that are done first, then those that need fewest waves, if each goes on as is likely; then the least."""
        at: _Ints = np.array([states for states, _ in found], dtype=np.int64)
        likely: _Ints = np.array(self.states.likely, dtype=np.int64)[at]
        least: _Ints = np.array(self.states.least, dtype=np.int64)[at]
        undone = ~np.array(self.states.done)[at].all(axis=1)
        spread = (likely * likely).sum(axis=(1, 2))
        order = np.lexsort((spread, self._waves(least), self._waves(likely), undone))
        turn: list[int] = order.tolist()
        return turn

    def _waves(self, needs: _Ints) -> _Ints:
        """How many waves are needed: at each place the most that anybody needs, or what the places inside it come to."""
        most: _Ints = needs.max(axis=1)
        total = np.zeros(len(most), dtype=np.int64)
        for place in reversed(range(len(self._tree.rule))):
            inner = self._tree.inside[place]
            if inner:
                most[:, place] = np.maximum(most[:, place], most[:, inner].sum(axis=1))
            if self._tree.around[place] == NOWHERE:
                total += most[:, place]
        return total
