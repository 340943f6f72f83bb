"""Any order at all in which a lane can be gone through, for the rare lane in which going by urgency leads into a dead end.

That takes exclusions and orders that cross in more than one way: a domain is begun that can't be finished before another
one is. Here all ways are tried, in a fixed order and within a fixed number of steps. Machines that stand in the same domains and
orders are one step: where one of them may go, the others may go right after, and nobody is worse off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.planner import nesting
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

LOOKS: Final = 2_000_000
"""How many looks (may these machines go now, does that open cell stand against it?) the search may take: a second or two.
What a policy can mean has a few dozen kinds of machines, and seldom a dead end that is deep."""

_Cell = tuple[int, int, tuple[tuple[int, int], ...]]
"""An exclusion, a domain, and where in the rules that cut it: what is finished in one go."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """Classes of machines that stand in the same domains and orders."""

    classes: list[int]
    places: frozenset[tuple[int, int]]
    cells: tuple[_Cell, ...]


def any_order(rules: Rules, machines: Sequence[int], view: View) -> list[list[int]] | None:
    """Waves that keep every rule, though not the fewest; None if there are none, or none was found in time."""
    kinds = _alike(rules, machines, view)
    sequence = _Search(rules, view, kinds).find()
    if sequence is None:
        return None
    in_turn = [one for number in sequence for one in kinds[number].classes for _ in range(rules.sizes[one])]
    return list(_waves(rules, in_turn))


def _alike(rules: Rules, machines: Sequence[int], view: View) -> list[_Alike]:
    nest = nesting.Nesting(rules, view)
    shaping = frozenset([*nest.exclusions, *nest.orders])
    cutting = {exclusion: nest.cut_by(exclusion) for exclusion in nest.exclusions}
    found: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for machine in sorted(machines):
        found.setdefault(tuple(at for at in rules.places[machine] if at[0] in shaping), []).append(machine)
    return [
        _Alike(
            members,
            frozenset(places),
            tuple(
                (c, part, tuple(at for at in places if at[0] in cutting[c]))
                for c, part in places
                if c in cutting
            ),
        )
        for places, members in found.items()
    ]


class _Search:
    """Depth first, remembering every set of kinds from which there was no way on."""

    def __init__(self, rules: Rules, view: View, kinds: Sequence[_Alike]) -> None:
        self._kinds = kinds
        self._cells: dict[_Cell, int] = {}  # cell -> its kinds, in bits
        before: dict[int, int] = {}  # order -> the kinds that go first in it, in bits
        orders = nesting.orders_of(rules, view)
        for number, kind in enumerate(kinds):
            for cell in kind.cells:
                self._cells[cell] = self._cells.get(cell, 0) | 1 << number
            for order in orders:
                if (order, FIRST) in kind.places:
                    before[order] = before.get(order, 0) | 1 << number
        self._after = [
            _union(before[order] for order in orders if (order, THEN) in kind.places) for kind in kinds
        ]
        self._rivals = [_rivals(kind, self._cells) for kind in kinds]
        self._looks = 0

    def find(self) -> list[int] | None:
        """The kinds in an order that works, by number."""
        everything = (1 << len(self._kinds)) - 1
        taken: list[int] = []
        done = 0
        tried = [self._next(done)]
        dead: set[int] = set()
        while self._looks < LOOKS:
            if done == everything:
                return taken
            number = next(tried[-1], None)
            if number is None:
                dead.add(done)
                tried.pop()
                if not taken:
                    return None
                done &= ~(1 << taken.pop())
            elif done | 1 << number not in dead:
                taken.append(number)
                done |= 1 << number
                tried.append(self._next(done))
        return None

    def _next(self, done: int) -> Iterator[int]:
        """Who may go next: everything before it is done, and no rival cell is begun and not finished."""
        for number in range(len(self._kinds)):
            self._looks += 1 + len(self._rivals[number])
            if done >> number & 1 or self._after[number] & ~done:
                continue
            if not any(cell & done and cell & ~done for cell in self._rivals[number]):
                yield number


def _union(sets: Iterable[int]) -> int:
    whole = 0
    for one in sets:
        whole |= one
    return whole


def _rivals(kind: _Alike, cells: dict[_Cell, int]) -> list[int]:
    """The cells that must not be open while this kind goes: other domains, cut in the same way."""
    return [
        bits
        for (exclusion, part, label), bits in cells.items()
        if any(exclusion == c and part != p and label == cut for c, p, cut in kind.cells)
    ]


def _waves(rules: Rules, sequence: Sequence[int]) -> Iterator[list[int]]:
    """The sequence cut into waves, each as long as the rules allow."""
    wave: list[int] = []
    used: dict[tuple[int, int], int] = {}
    for machine in sequence:
        if wave and not _fits(rules, machine, used):
            yield sorted(wave)
            wave, used = [], {}
        wave.append(machine)
        for at in rules.places[machine]:
            used[at] = used.get(at, 0) + 1
    if wave:
        yield sorted(wave)


def _fits(rules: Rules, machine: int, used: dict[tuple[int, int], int]) -> bool:
    for constraint, part in rules.places[machine]:
        if rules.kinds[constraint] is RuleKind.BUDGET:
            if used.get((constraint, part), 0) >= rules.limits[constraint]:
                return False
        elif any(c == constraint and p != part for c, p in used):
            return False
    return True
