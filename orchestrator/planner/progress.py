"""How far what is asked of wide exclusions has come after some waves: a machine of states, as a regular expression has one.

A side of a unit goes on in a wave if the place that is open in it still holds machines of its own, and no other domain of the same exclusion
is begun and unfinished. It needn't: to begin a domain binds it to finish that, so each may or may not begin where it could. All that may
have become of a side is kept together as one state, without what is no better than something else, so that the waves that went by lead to
exactly one state, and the earliest end is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from orchestrator.planner.demands import NOWHERE, Demand, Needs, Tree

Standing = tuple[Needs, tuple[int, ...]]
"""What one side still needs at each place, and of each exclusion the place that is begun and unfinished."""


class Paths:
    """The ways into a tree, and what one wave of a way does to a side."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.all = tree.paths()
        self.nothing_open = (NOWHERE,) * len(tree.uncut)

    def after(self, standing: Standing, path: Sequence[int]) -> Iterator[Standing]:
        """What may have become of a side after a wave in which this path is open."""
        yield standing
        left, open_ = standing
        for depth, place in enumerate(path):
            begun = open_[self.tree.rule[place]]
            if not left[place] or begun not in {place, NOWHERE}:
                return
            yield self._gone(standing, path[: depth + 1])

    def _gone(self, standing: Standing, path: Sequence[int]) -> Standing:
        left, open_ = list(standing[0]), list(standing[1])
        for place in reversed(path):
            left[place] = max(left[place] - 1, sum(left[inner] for inner in self.tree.inside[place]))
            open_[self.tree.rule[place]] = place if left[place] else NOWHERE
        return tuple(left), tuple(open_)

    def best(self, standings: Collection[Standing]) -> list[Standing]:
        """Those of which none is as good as another: it needs no less anywhere, and has nothing open that the other hasn't."""
        kept: list[Standing] = []
        for one in sorted(standings, key=_in_all) if len(standings) > 1 else standings:
            for other in kept:
                if _as_good(other, one):
                    break
            else:
                kept.append(one)
        return kept


def _in_all(standing: Standing) -> tuple[int, Standing]:
    return sum(standing[0]), standing


def _as_good(one: Standing, other: Standing) -> bool:
    """A search asks it millions of times: what says no most often comes first, and is written out."""
    for mine, its in zip(one[0], other[0], strict=True):
        if mine > its:
            return False
    return all(mine in (NOWHERE, its) for mine, its in zip(one[1], other[1], strict=True))


class States:
    """The states of demands, numbered as they are met. What follows a state is worked out once, however often it is asked for."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._numbers: dict[tuple[Demand, frozenset[Standing]], int] = {}
        # The sides that come later, and what may have become of the one that goes.
        self._known: list[tuple[Demand, frozenset[Standing]]] = []
        self._next: list[list[int]] = []
        self.least: list[Needs] = []  # state -> what is needed at each place at least
        self.likely: list[Needs] = []  # state -> what is needed if it goes on from where least is left
        self.done: list[bool] = []

    def __len__(self) -> int:
        return len(self._known)

    def start(self, demand: Demand) -> int:
        """Where nothing was done yet."""
        if not demand:
            return self._number((), frozenset())
        return self._number(demand[1:], frozenset([(demand[0], self._paths.nothing_open)]))

    def after(self, state: int, way: int) -> int:
        """The state after a wave in which this way is open."""
        known = self._next[state][way]
        if known < 0:
            known = self._next[state][way] = self._after(state, self._paths.all[way])
        return known

    def _after(self, state: int, path: Sequence[int]) -> int:
        later, standings = self._known[state]
        if not standings:
            return state
        found = {after for one in standings for after in self._paths.after(one, path)}
        for left, _ in found:
            if not any(left):
                return self.start(later)
        return self._number(later, frozenset(self._paths.best(found)))

    def _number(self, later: Demand, standings: frozenset[Standing]) -> int:
        key = (later, standings)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._known)
            self._known.append(key)
            self._next.append([-1] * len(self._paths.all))
            self.done.append(not standings)
            each = [needs for needs, _ in sorted(standings, key=_in_all)]
            nothing = (0,) * len(self._paths.tree.rule)
            least = tuple(map(min, zip(*each, strict=True))) if each else nothing
            self.least.append(_sum(least, *later))
            self.likely.append(_sum(each[0] if each else nothing, *later))
        return number


def _sum(*needs: Needs) -> Needs:
    return tuple(map(sum, zip(*needs, strict=True)))


Window = tuple[int, int]
"""The waves in which a side is to go at a place: the first and the last."""


def windows(paths: Paths, demand: Demand, ways: Sequence[int]) -> list[dict[int, Window]]:
    """Of each side of a demand, in which waves it goes at each place so that it ends earliest. Shorter if the waves don't do."""
    found: list[dict[int, Window]] = []
    wave = 0
    for needs in demand:
        reached = _earliest(paths, needs, ways[wave:])
        if reached is None:
            break
        window: dict[int, Window] = {}
        for nth, (before, after) in enumerate(pairwise(reached)):
            for place, (one, other) in enumerate(zip(before[0], after[0], strict=True)):
                if other < one:
                    window[place] = (window.get(place, (wave + nth, 0))[0], wave + nth)
        found.append(window)
        wave += len(reached) - 1
    return found


def _earliest(paths: Paths, needs: Needs, ways: Sequence[int]) -> list[Standing] | None:
    """What becomes of a side wave by wave until it is done, at its quickest."""
    start: Standing = (needs, paths.nothing_open)
    if not any(needs):
        return [start]
    came_from: list[dict[Standing, Standing]] = []
    now = [start]
    for way in ways:
        came: dict[Standing, Standing] = {}
        for one in now:
            for after in paths.after(one, paths.all[way]):
                came.setdefault(after, one)
        came_from.append(came)
        done = next((one for one in came if not any(one[0])), None)
        if done is not None:
            found = [done]
            for earlier in reversed(came_from):
                found.append(earlier[found[-1]])
            return found[::-1]
        now = paths.best(came)
    return None
