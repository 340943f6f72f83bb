"""How many machines of one budget can be out at once, at worst.

Of the lanes that hold members of a budget, any that aren't ordered among themselves may run at the same time, each in
the wave that takes the most members out. So the worst case is the heaviest set of lanes of which no two are ordered: the
heaviest antichain of a partial order, where a lane weighs its heaviest wave.

It is computed exactly, with its own proof (Dilworth's theorem with weights; Ford and Fulkerson, Flows in Networks, 1962,
II.8). Think of each lane as so many units as it weighs. Let units of earlier lanes be followed by units of later ones, each
by at most one and following at most one: that strings all units into chains, of which there are `total - joined`. No two
units of one chain can be out together, so no antichain weighs more than there are chains: every way of joining proves an
upper limit. Joining as many as possible (a maximum flow) makes it the exact one, and the places where no more can be
joined show an antichain that weighs just as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.errors import Defect


@dataclass(frozen=True, slots=True)
class Worst:
    """`weight` machines can be out at once, in the lanes `together`; or surely no more than that, if it is empty."""

    weight: int
    together: tuple[int, ...] = ()


def heaviest(weights: Mapping[int, int], later: Mapping[int, int], enough: int) -> Worst:
    """The heaviest set of lanes that aren't ordered among themselves.

    Args:
        weights: Number of a lane's bit -> its weight, above 0. A lane with a lower number is never after one with
            a higher.
        later: Number of a lane's bit -> the set, in bits, of all lanes that begin after it is finished.
        enough: The limit. As soon as it is proven that no such set weighs more, that is the answer.
    """
    total = sum(weights.values())
    if total <= enough:
        return Worst(total)
    joining = _Joining(weights, later)
    joining.join_greedily()
    joining.join_more(total - enough)
    if total - joining.joined <= enough:
        return Worst(total - joining.joined)
    together = joining.unjoined_antichain()
    weight = sum(weights[lane] for lane in together)
    crossing = any(later[one] >> other & 1 for one in together for other in together)
    if crossing or weight != total - joining.joined:
        raise Defect("the heaviest antichain and the fewest chains differ; the judge is wrong")
    return Worst(weight, together)


class _Joining:
    """Units of lanes, joined into chains: `flow[one][other]` units of lane `one` are followed by units of `other`."""

    def __init__(self, weights: Mapping[int, int], later: Mapping[int, int]) -> None:
        self._lanes = sorted(weights)
        everyone = sum(1 << lane for lane in self._lanes)
        self._weights = weights
        self._later = {lane: later[lane] & everyone for lane in self._lanes}
        self._unfollowed = dict(weights)  # units with nothing after them yet
        self._unpreceded = dict(weights)  # units with nothing before them yet
        self._flow: dict[int, dict[int, int]] = {lane: {} for lane in self._lanes}  # one -> other -> units
        self._back: dict[int, dict[int, int]] = {lane: {} for lane in self._lanes}  # other -> one -> units
        self.joined = 0

    def join_greedily(self) -> None:
        """Follow each unit by the next that is free. Where lanes simply queue up, this is all there is to do."""
        free = sum(1 << lane for lane in self._lanes)
        for one in self._lanes:
            for other in _bits(self._later[one] & free):
                units = min(self._unfollowed[one], self._unpreceded[other])
                self._change(one, other, units)
                self.joined += units
                self._unfollowed[one] -= units
                self._unpreceded[other] -= units
                if not self._unpreceded[other]:
                    free ^= 1 << other
                if not self._unfollowed[one]:
                    break

    def join_more(self, needed: int) -> None:
        """Join units by re-joining others on the way, until `needed` are joined or no more can be.

        A lane from which nothing more can be joined stays so, whatever is joined elsewhere: each is tried once.
        """
        for start in self._lanes:
            while self._unfollowed[start] and self.joined < needed:
                path = self._path_from(start)
                if not path:
                    break
                self._rejoin(start, path)

    def unjoined_antichain(self) -> tuple[int, ...]:
        """Once nothing more can be joined: the lanes that keep the chains from being fewer.

        They are those of which a unit could be freed to be followed and none to follow: were one of them before
        another, the two could be joined (Kőnig's theorem).
        """
        reached, entered = self._reach([lane for lane in self._lanes if self._unfollowed[lane]])
        return tuple(lane for lane in self._lanes if lane in reached and lane not in entered)

    def _change(self, one: int, other: int, units: int) -> None:
        now = self._flow[one].get(other, 0) + units
        if now:
            self._flow[one][other] = self._back[other][one] = now
        else:
            del self._flow[one][other], self._back[other][one]

    def _path_from(self, start: int) -> list[tuple[int, int]]:
        """Steps (one, other): `one` could be followed by `other`, which the next step's `one` gives up."""
        _, entered = self._reach([start])
        for lane in entered:
            if self._unpreceded[lane]:
                path = []
                other = lane
                while True:
                    one, given_up = entered[other]
                    path.append((one, other))
                    if given_up is None:
                        return path[::-1]
                    other = given_up
        return []

    def _reach(self, starts: list[int]) -> tuple[set[int], dict[int, tuple[int, int | None]]]:
        """What can be got at by following a lane's free unit, or by taking a unit away from who follows another.

        Returns the lanes of which a unit could be freed to be followed, and those that could follow, each with the
        lane it would follow and the one that that lane would give up for it.
        """
        reached: dict[int, int | None] = dict.fromkeys(starts)
        entered: dict[int, tuple[int, int | None]] = {}
        seen = 0
        queue = list(starts)
        for one in queue:  # grows while it is walked through
            fresh = self._later[one] & ~seen
            seen |= fresh
            for other in _bits(fresh):
                entered[other] = (one, reached[one])
                for holder in self._back[other]:
                    if holder not in reached:
                        reached[holder] = other
                        queue.append(holder)
        return set(reached), entered

    def _rejoin(self, start: int, path: list[tuple[int, int]]) -> None:
        """Join along a path; each lane on the way gives up the unit that it followed up to then, for the next one."""
        end = path[-1][1]
        units = min(self._unfollowed[start], self._unpreceded[end])
        for (_, other), (holder, _) in pairwise(path):
            units = min(units, self._flow[holder][other])
        for one, other in path:
            self._change(one, other, units)
        for (_, other), (holder, _) in pairwise(path):
            self._change(holder, other, -units)
        self._unfollowed[start] -= units
        self._unpreceded[end] -= units
        self.joined += units


def _bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
