"""How urgent each class of a lane is: how many waves its rules still force, computed on arrays over all classes at once.

A *group* is a set of classes that share a limit: those of a budget, or those of a budget that stand in one domain or
come after in one order. Groups are all counted alike; what a domain, an exclusion or an order still needs are maxima and
sums over their groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FEW: Final = 4
"""Where fewer than one row in so many is asked for, these are picked out; else all are reckoned at once."""


class Pressure:
    """The table of groups of one lane, made once; `of` is asked before every wave."""

    def __init__(
        self,
        sizes: Sequence[int],
        budgets_of: Sequence[Sequence[int]],
        limits: Sequence[int],
        domains_of: Sequence[Sequence[tuple[int, int]]],
        leads: Sequence[Sequence[int]],
        waits: Sequence[Sequence[int]],
    ) -> None:
        self._whole = sum(sizes)
        self._groups: dict[tuple[int, ...], int] = {(b,): b for b in range(len(limits))}
        self._limits = list(limits)
        members: list[list[int]] = [[] for _ in limits]
        domains: dict[tuple[int, int], dict[int, None]] = {}  # (exclusion, domain) -> its groups
        thens: dict[int, dict[int, None]] = {}  # order -> the groups of those who go then
        for one in range(len(sizes)):
            budgets = budgets_of[one]
            for b in budgets:
                members[b].append(one)
            for at in domains_of[one]:
                self._join(one, at, budgets, members, domains.setdefault(at, {}))
            for order in waits[one]:
                self._join(one, (-1, order), budgets, members, thens.setdefault(order, {}))
        self._member, self._group = _pairs(members)
        self._divide = np.array(self._limits, dtype=np.int64)
        self._budgets = _Rows(budgets_of)
        ordered = sorted(domains)
        self._domains = _Rows([list(domains[at]) for at in ordered])
        exclusions: list[list[int]] = [[] for _ in range(1 + max((x for x, _ in domains), default=-1))]
        for number, (exclusion, _) in enumerate(ordered):
            exclusions[exclusion].append(number)
        self._exclusions = _Rows(exclusions)
        self._nested = _nested({at: number for number, at in enumerate(ordered)}, domains_of)
        self._exclusions_of = _Rows([[exclusion for exclusion, _ in held] for held in domains_of])
        orders = 1 + max((o for held in leads for o in held), default=-1)
        self._thens = _Rows([list(thens[order]) for order in range(orders)])
        self._leads = _Rows(leads)
        self._then_leads = _followers(orders, leads, waits)

    def _join(
        self,
        one: int,
        part: tuple[int, int],
        budgets: Iterable[int],
        members: list[list[int]],
        into: dict[int, None],
    ) -> None:
        """Put a class into the groups of its part: one for each of its budgets, and one that only asks if any is left."""
        for b in (-1, *budgets):
            group = self._groups.setdefault((*part, b), len(self._groups))
            if group == len(members):
                members.append([])
                self._limits.append(self._limits[b] if b >= 0 else self._whole)
            members[group].append(one)
            into[group] = None

    def of(self, left: Ints, who: NDArray[np.intp]) -> tuple[Ints, Ints]:
        """Of each of these classes: how many waves are still forced by what it stands in, and the sum over all that it stands in.

        `left` is how many machines of each class are left, of all classes.
        """
        counts = np.bincount(self._group, left[self._member], len(self._divide)).astype(np.int64)
        needs = -(-counts // self._divide)
        urgency, weight = self._budgets.most_of(needs, who), self._budgets.sums_of(needs, who)
        if self._domains:
            each = self._domains.most(needs)
            whole = self._exclusions.sums(each)
            for inner, around in self._nested:  # a domain needs no less than any exclusion within it
                np.maximum.at(each, around, whole[inner])
                whole = self._exclusions.sums(each)
            urgency = np.maximum(urgency, self._exclusions_of.most_of(whole, who))
            weight += self._exclusions_of.sums_of(whole, who)
        if self._thens:
            tails = self._thens.most(needs)
            for ahead, behind in self._then_leads:
                tails[ahead] += behind.most(tails)
            urgency = urgency + self._leads.most_of(tails, who)
        return urgency, weight


class _Rows:
    """Lists of numbers of differing length, flattened, to take the largest or the sum of values over each."""

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self._flat = np.fromiter(chain.from_iterable(rows), dtype=np.intp)
        self._lengths = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
        self._starts = np.cumsum(self._lengths) - self._lengths
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


def _nested(
    number_of: Mapping[tuple[int, int], int], domains_of: Sequence[Sequence[tuple[int, int]]]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Exclusions, and the domains of others that they stand in as a whole; the innermost first, one pair of arrays for each depth."""
    shared: dict[
        int, Counter[tuple[int, int]]
    ] = {}  # exclusion -> domains of others that its machines stand in
    size: Counter[int] = Counter()
    for held in domains_of:
        for exclusion, _ in held:
            size[exclusion] += 1
            if len(held) > 1:
                shared.setdefault(exclusion, Counter()).update(at for at in held if at[0] != exclusion)
    around = {
        exclusion: [at for at, count in counts.items() if count == size[exclusion]]
        for exclusion, counts in shared.items()
    }
    depth: dict[int, int] = {}
    pairs: dict[int, list[tuple[int, int]]] = {}
    for exclusion in sorted(
        around, key=lambda one: (size[one], one)
    ):  # what stands in a domain is the smaller
        for at in around[exclusion]:
            mine = depth.get(exclusion, 0)
            depth[at[0]] = max(depth.get(at[0], 0), mine + 1)
            pairs.setdefault(mine, []).append((exclusion, number_of[at]))
    return [
        (np.array([x for x, _ in held], dtype=np.intp), np.array([d for _, d in held], dtype=np.intp))
        for _, held in sorted(pairs.items())
    ]


def _pairs(members: Sequence[Sequence[int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(machine, group), flattened."""
    return (
        np.array([machine for held in members for machine in held], dtype=np.intp),
        np.repeat(np.arange(len(members), dtype=np.intp), [len(held) for held in members]),
    )


def _followers(
    orders: int, leads: Sequence[Sequence[int]], waits: Sequence[Sequence[int]]
) -> list[tuple[NDArray[np.intp], _Rows]]:
    """Orders that have others behind them, and these; those with fewest behind one another come first, one pair for each depth."""
    later: list[dict[int, None]] = [{} for _ in range(orders)]
    for first, then in zip(leads, waits, strict=True):
        if first:
            for order in then:
                later[order].update(dict.fromkeys(first))
    depth: dict[int, int] = {}

    def visit(order: int) -> int:
        if order not in depth:
            depth[order] = 1 + max(map(visit, later[order]), default=-1)
        return depth[order]

    by_depth: dict[int, list[int]] = {}
    for order in range(orders):
        by_depth.setdefault(visit(order), []).append(order)
    return [
        (np.array(held, dtype=np.intp), _Rows([sorted(later[order]) for order in held]))
        for deep, held in sorted(by_depth.items())
        if deep
    ]
