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

from orchestrator.planner.demands import NOWHERE, Demand, Needs, Tree
from orchestrator.planner.progress import Paths, States

EFFORTS: Final = ((12, False), (12, True), (48, False), (48, True))
"""Searches, one after another until one finds what is short enough: how many states are kept at each wave, and whether it begins at
the end. What is tight at the one end may be easy from the other."""

MOST_STATES: Final = 100_000
"""Of single demands, that the searches of a tree may meet: a second or two."""

_HASTE: Final = 8
"""What a wave counts beside the spread of what is still needed."""

_Ints = NDArray[np.int64]


class Searcher:
    """Searches itineraries of one tree again and again; what was worked out for one is known for the next."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._states = {backwards: States(paths) for backwards in (False, True)}

    def find(self, demands: Sequence[Demand], most: int, enough: int = 0) -> list[int] | None:
        """The way that is open in each wave, by its number among the paths, the shortest that is found; None if none of at most so many
        waves is. With `enough` waves the search is over.
        """
        best: list[int] | None = None
        for breadth, backwards in EFFORTS:
            search = _Search(self._paths, self._states[backwards], demands, breadth, backwards=backwards)
            best = search.find(len(best) - 1 if best else most) or best
            if best and len(best) <= enough:
                break
        return best


_Kept = tuple[tuple[int, ...], tuple[int, ...]]
"""Where each demand stands, and the place of each uncut exclusion that is open."""


class _Search:
    """One search in breadth."""

    def __init__(
        self, paths: Paths, states: States, demands: Sequence[Demand], breadth: int, *, backwards: bool
    ) -> None:
        self._paths = paths
        self._tree: Tree = paths.tree
        self._breadth = breadth
        self._backwards = backwards
        self._before = [(other, one) if backwards else (one, other) for one, other in self._tree.before]
        self._uncut = [rule for rule, uncut in enumerate(self._tree.uncut) if uncut]
        self._states = states
        self._start = tuple(states.start(each[::-1] if backwards else each) for each in demands)
        self._outermost = [place for place, around in enumerate(self._tree.around) if around == NOWHERE]
        self._least: _Ints = np.zeros((0, len(self._tree.rule)), dtype=np.int64)
        self._likely: _Ints = self._least

    def find(self, most: int) -> list[int] | None:
        """The ways of at most so many waves, in their turn; None if none are found."""
        kept: list[_Kept] = [(self._start, (NOWHERE,) * len(self._uncut))]
        # Of each wave, of each state that was kept: from which, by which way.
        came: list[list[tuple[int, int]]] = []
        for _ in range(most):
            kept, origins = self._wave(kept)
            if not kept or len(self._states) > MOST_STATES:
                return None
            came.append(origins)
            if all(self._states.done[one] for one in kept[0][0]):
                ways = _back(came)
                return ways[::-1] if self._backwards else ways
        return None

    def _wave(self, kept: Sequence[_Kept]) -> tuple[list[_Kept], list[tuple[int, int]]]:
        """The best states after one more wave, one that is done first, and how each came about."""
        after, ways = self._states.after, range(len(self._paths.all))
        met: dict[_Kept, tuple[int, int]] = {}
        for number, (states, active) in enumerate(kept):
            for way in ways:
                now = active if not self._uncut else self._entered(states, active, self._paths.all[way])
                if now is not None:
                    met.setdefault((tuple([after(one, way) for one in states]), now), (number, way))
        found = list(met)
        turn = self._by_need(found)[: self._breadth] if found else []
        return [found[at] for at in turn], [met[found[at]] for at in turn]

    def _entered(
        self, states: Sequence[int], active: tuple[int, ...], path: Sequence[int]
    ) -> tuple[int, ...] | None:
        """What is open then of uncut exclusions; None if something has to be finished first."""

        def unfinished(place: int) -> bool:
            return any(self._states.least[one][place] for one in states)

        if any(other in path and unfinished(one) for one, other in self._before):
            return None
        now = list(active)
        for nth, rule in enumerate(self._uncut):
            place = next((place for place in path if self._tree.rule[place] == rule), active[nth])
            if active[nth] not in {place, NOWHERE} and unfinished(active[nth]):
                return None
            now[nth] = place
        return tuple(now)

    def _by_need(self, found: Sequence[_Kept]) -> list[int]:
        """Their places: those that are done first, then those that need fewest waves if each goes on as is likely, evenly spread; then
        the least.
        """
        at: _Ints = np.array([states for states, _ in found], dtype=np.int64)
        self._least = _with_new(self._least, self._states.least)
        self._likely = _with_new(self._likely, self._states.likely)
        likely = self._likely[at]
        undone = ~np.array(self._states.done)[at].all(axis=1)
        own = likely[:, :, self._outermost].sum(axis=2)
        effort = _HASTE * self._waves(likely) + np.sqrt((own * own).sum(axis=1))
        order = np.lexsort((self._waves(self._least[at]), effort, undone))
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


def _with_new(known: _Ints, needs: Sequence[Needs]) -> _Ints:
    """The needs of states, of which some are known already, on an array."""
    if len(known) == len(needs):
        return known
    return np.concatenate((known, np.array(needs[len(known) :], dtype=np.int64)))


def _back(came: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """The ways that led to the first of the last states."""
    ways, at = [], 0
    for origins in reversed(came):
        at, way = origins[at]
        ways.append(way)
    return ways[::-1]
