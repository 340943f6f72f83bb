"""How urgent each class of a lane is: how many waves its rules still force.

A *group* is a set of classes that share a limit: those of a budget, or those of a budget that stand in one domain or
come after in one order. Groups are all counted alike; what a domain, an exclusion or an order still needs are maxima and
sums over their groups. `groups_of` makes the table, once for each lane. `packing` reckons from it class by class; `Pressure` on arrays,
over all classes at once: for large lanes where nothing is compiled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.flat import Ints, Rows, array_of, rows_of
from orchestrator.planner.packing import Groups, Lane

_FEW: Final = 4
"""Where fewer than one row in so many is asked for, these are picked out; else all are reckoned at once."""


def groups_of(
    sizes: Sequence[int],
    budgets_of: Sequence[Sequence[int]],
    limits: Sequence[int],
    domains: Sequence[Mapping[int, Sequence[int]]],
    firsts: Sequence[Sequence[int]],
    thens: Sequence[Sequence[int]],
) -> Groups:
    """The groups of a lane: `domains` are the classes of each domain of each exclusion, `firsts` and `thens` those of each order."""
    ordered = [(exclusion, domain) for exclusion, held in enumerate(domains) for domain in sorted(held)]
    number_of = {at: number for number, at in enumerate(ordered)}
    domains_of: list[list[int]] = [[] for _ in sizes]
    for (exclusion, domain), number in number_of.items():
        for one in domains[exclusion][domain]:
            domains_of[one].append(number)
    joined = _Joined(sizes, budgets_of, limits)
    for exclusion, domain in ordered:
        joined.add(domains[exclusion][domain])
    for members in thens:
        joined.add(members)
    nested = _nested(domains, [exclusion for exclusion, _ in ordered], domains_of)
    ahead = _followers(firsts, thens)
    of_exclusion = [0, *accumulate(map(len, domains))]
    return Groups(
        of=rows_of(joined.of),
        limits=joined.limits,
        counts=joined.counts,
        needs=[-(-count // limit) for count, limit in zip(joined.counts, joined.limits, strict=True)],
        home=joined.home,
        parts=rows_of(joined.parts),
        exclusions=Rows(of_exclusion, list(range(len(ordered)))),
        exclusions_of=rows_of([[ordered[number][0] for number in held] for held in domains_of]),
        inner=rows_of([[inner for inner, _ in layer] for layer in nested]),
        around=[around for layer in nested for _, around in layer],
        domains=len(ordered),
        ahead=rows_of([[order for order, _ in layer] for layer in ahead]),
        followers=rows_of([behind for layer in ahead for _, behind in layer]),
    )


class _Joined:
    """Groups, first those of budgets, then of part after part."""

    def __init__(
        self, sizes: Sequence[int], budgets_of: Sequence[Sequence[int]], limits: Sequence[int]
    ) -> None:
        self.of = [list(budgets) for budgets in budgets_of]  # class -> its groups
        self.limits = list(limits)
        self.home = [-1] * len(limits)  # group -> its part
        self.counts = [0] * len(limits)  # machines of each group
        self.parts: list[list[int]] = []  # part -> its groups
        self._sizes = sizes
        self._budgets_of = budgets_of
        self._whole = sum(sizes)
        for size, budgets in zip(sizes, budgets_of, strict=True):
            for b in budgets:
                self.counts[b] += size

    def add(self, members: Sequence[int]) -> None:
        """The next part: a group for each budget that its classes stand in, and one that only asks if any is left."""
        of, sizes, budgets_of, counts = self.of, self._sizes, self._budgets_of, self.counts
        before = len(counts)
        counts.append(sum([sizes[one] for one in members]))
        groups: dict[int, int] = {}  # budget -> its group
        for one in members:
            of[one].append(before)
            for b in budgets_of[one]:
                group = groups.setdefault(b, len(counts))
                if group == len(counts):
                    counts.append(0)
                counts[group] += sizes[one]
                of[one].append(group)
        self.limits += [self._whole, *(self.limits[b] for b in groups)]
        self.home += [len(self.parts)] * (1 + len(groups))
        self.parts.append(list(range(before, len(counts))))


class Pressure:
    """What is forced on all classes at once; `of` is asked before every wave. The tables are of arrays."""

    def __init__(self, lane: Lane, held: Groups) -> None:
        self._group = array_of(held.of.items)
        self._member = np.repeat(np.arange(len(held.of.starts) - 1), np.diff(array_of(held.of.starts)))
        self._limits = array_of(held.limits)
        self._parts, self._domains = _Reduced(held.parts), held.domains
        self._exclusions, self._exclusions_of = _Reduced(held.exclusions), _Reduced(held.exclusions_of)
        self._budgets, self._leads = _Reduced(lane.budgets), _Reduced(lane.leads)
        self._nested = [
            (array_of(held.inner.items)[start:end], array_of(held.around)[start:end])
            for start, end in pairwise(array_of(held.inner.starts).tolist())
        ]
        self._ahead = [
            (array_of(held.ahead.items)[start:end], _Reduced(_some(held.followers, start, end)))
            for start, end in pairwise(array_of(held.ahead.starts).tolist())
        ]

    def of(self, left: Ints, who: NDArray[np.intp]) -> tuple[Ints, Ints]:
        """Of each of these classes: how many waves are still forced by what it stands in, and the sum over all that it stands in.

        `left` is how many machines of each class are left, of all classes.
        """
        counts = np.bincount(self._group, left[self._member], len(self._limits)).astype(np.int64)
        needs = -(-counts // self._limits)
        urgency, weight = self._budgets.most_of(needs, who), self._budgets.sums_of(needs, who)
        if not self._parts:
            return urgency, weight
        parts = self._parts.most(needs)
        each, tails = parts[: self._domains], parts[self._domains :]
        if len(each):
            whole = self._exclusions.sums(each)
            for inner, around in self._nested:
                np.maximum.at(each, around, whole[inner])
                whole = self._exclusions.sums(each)
            urgency = np.maximum(urgency, self._exclusions_of.most_of(whole, who))
            weight += self._exclusions_of.sums_of(whole, who)
        if len(tails):
            for ahead, followers in self._ahead:
                tails[ahead] += followers.most(tails)
            urgency = urgency + self._leads.most_of(tails, who)
        return urgency, weight


class _Reduced:
    """Rows of numbers, to take the largest or the sum of values over each."""

    def __init__(self, rows: Rows) -> None:
        self._flat, starts = array_of(rows.items), array_of(rows.starts)
        self._starts, self._lengths = starts[:-1], np.diff(starts)
        self._filled = np.flatnonzero(self._lengths)

    def __bool__(self) -> bool:
        return bool(len(self._flat))

    def most(self, values: Ints) -> Ints:
        """The largest value of each row that has any."""
        return self._reduce(np.maximum, values)

    def sums(self, values: Ints) -> Ints:
        """The sum of each row that has any value."""
        return self._reduce(np.add, values)

    def most_of(self, values: Ints, rows: NDArray[np.intp]) -> Ints:
        """The largest value of each of these rows; 0 for an empty one."""
        return self._reduce_of(np.maximum, values, rows)

    def sums_of(self, values: Ints, rows: NDArray[np.intp]) -> Ints:
        """The sum of each of these rows."""
        return self._reduce_of(np.add, values, rows)

    def _reduce(self, how: np.ufunc, values: Ints) -> Ints:
        found: Ints = (
            how.reduceat(values[self._flat], self._starts[self._filled])
            if len(self._flat)
            else np.zeros(0, dtype=np.int64)
        )
        return found

    def _reduce_of(self, how: np.ufunc, values: Ints, rows: NDArray[np.intp]) -> Ints:
        if _FEW * len(rows) > len(self._lengths):
            every = np.zeros(len(self._lengths), dtype=np.int64)
            every[self._filled] = self._reduce(how, values)
            return every[rows]
        found = np.zeros(len(rows), dtype=np.int64)
        lengths = self._lengths[rows]
        filled = np.flatnonzero(lengths)
        if len(filled):
            lengths = lengths[filled]
            starts = np.cumsum(lengths) - lengths
            picked = np.repeat(self._starts[rows[filled]] - starts, lengths) + np.arange(lengths.sum())
            found[filled] = how.reduceat(values[self._flat[picked]], starts)
        return found


def _some(rows: Rows, start: int, end: int) -> Rows:
    """Rows from one on and up to another, as rows of their own. Of arrays."""
    starts = array_of(rows.starts)[start : end + 1]
    return Rows(starts - starts[0], array_of(rows.items)[starts[0] : starts[-1]])


def _nested(
    domains: Sequence[Mapping[int, Sequence[int]]],
    exclusion_of: Sequence[int],
    domains_of: Sequence[Sequence[int]],
) -> list[list[tuple[int, int]]]:
    """Exclusions, and the domains of others that they stand in as a whole; the innermost first, one list for each depth."""
    size = [sum(map(len, held.values())) for held in domains]
    depth = [0] * len(domains)
    pairs: dict[int, list[tuple[int, int]]] = {}
    for exclusion in sorted(
        range(len(domains)), key=lambda one: (size[one], one)
    ):  # what stands in a domain is the smaller
        counts = Counter(
            [at for held in domains[exclusion].values() for one in held for at in domains_of[one]]
        )
        for at, count in counts.items():
            if count == size[exclusion] and exclusion_of[at] != exclusion:
                mine, outer = depth[exclusion], exclusion_of[at]
                depth[outer] = max(depth[outer], mine + 1)
                pairs.setdefault(mine, []).append((exclusion, at))
    return [held for _, held in sorted(pairs.items())]


def _followers(
    firsts: Sequence[Sequence[int]], thens: Sequence[Sequence[int]]
) -> list[list[tuple[int, list[int]]]]:
    """Orders that have others behind them, and these; those with fewest behind one another come first, one list for each depth."""
    leads: dict[int, list[int]] = {}  # class -> the orders that it goes first in
    for order, members in enumerate(firsts):
        for one in members:
            leads.setdefault(one, []).append(order)
    later = [sorted({order for one in members for order in leads.get(one, ())}) for members in thens]
    depth: dict[int, int] = {}

    def visit(order: int) -> int:
        if order not in depth:
            depth[order] = 1 + max(map(visit, later[order]), default=-1)
        return depth[order]

    by_depth: dict[int, list[int]] = {}
    for order in range(len(later)):
        by_depth.setdefault(visit(order), []).append(order)
    return [[(order, later[order]) for order in held] for deep, held in sorted(by_depth.items()) if deep]
