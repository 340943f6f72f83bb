"""One lane before it is packed: its classes by numbers of its own, and the cells of its exclusions' domains, each of which is finished in
one go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from itertools import accumulate
from typing import Final

from orchestrator.planner import nesting
from orchestrator.planner.flat import as_arrays, rows_of
from orchestrator.planner.packing import Groups, Lane, Stands
from orchestrator.planner.pressure import Pressure, groups_of
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules

_Label = tuple[tuple[int, int], ...]
"""Where a machine stands in the rules that cut a domain: (constraint, part)."""


class Way(Enum):
    """How domains are finished, the strictest way first: whole; cell by cell; cells of different places in turn, by urgency alone, or
    with those that are begun before others.
    """

    WHOLE = 0
    BY_CELL = 1
    IN_TURN = 2
    BEGUN_FIRST = 3


LOOSE: Final = (Way.IN_TURN, Way.BEGUN_FIRST)


class Numbered:
    """One lane's classes by numbers of its own, and what of the rules binds among them. Made once, packed many times."""

    def __init__(self, rules: Rules, classes: Sequence[int], nest: nesting.Nesting) -> None:
        view, binding = nest.view, nest.binding
        self.rules = rules
        self.classes = classes
        self.sizes = [rules.sizes[one] for one in classes]
        self.nest = nest
        local = {one: place for place, one in enumerate(classes)}
        self.exclusions = [c for c in binding if rules.kinds[c] is RuleKind.EXCLUSION]
        orders = [c for c in binding if rules.kinds[c] is RuleKind.ORDER]
        budgets = [c for c in binding if rules.kinds[c] is RuleKind.BUDGET]
        self.is_cut = any(map(self.nest.cut_by, self.exclusions))
        limits = [rules.limits[c] for c in budgets]
        budgets_of: list[list[int]] = [[] for _ in classes]
        for number, c in enumerate(budgets):
            for one in view[c][0]:
                budgets_of[local[one]].append(number)
        # Of each exclusion its domains, as classes; of each order who goes first and then.
        self.domains = [
            {part: [local[one] for one in members] for part, members in view[c].items()}
            for c in self.exclusions
        ]
        firsts, thens = ([[local[one] for one in view[c][part]] for c in orders] for part in (FIRST, THEN))
        leads: list[list[int]] = [[] for _ in classes]  # orders in which it goes first
        waits = [0] * len(classes)  # how many orders it goes then in
        for number, members in enumerate(firsts):
            for one in members:
                leads[one].append(number)
        for members in thens:
            for one in members:
                waits[one] += 1
        self.table = Lane(
            sizes=self.sizes,
            limits=limits,
            budgets=rows_of(budgets_of),
            leads=rows_of(leads),
            waits=waits,
            firsts=[sum([self.sizes[one] for one in members]) for members in firsts],
            behind=rows_of(thens),
        )
        self.groups = groups_of(self.sizes, budgets_of, limits, self.domains, firsts, thens)

    @cached_property
    def arrays(self) -> tuple[Lane, Groups]:
        """The tables as arrays."""
        return as_arrays(self.table), as_arrays(self.groups)

    @cached_property
    def pressure(self) -> Pressure:
        """What is forced on all classes at once."""
        return Pressure(*self.arrays)


class Cells:
    """The pieces of domains that are each finished in one go, numbered over all exclusions of a lane.

    They are the domains; or what the rules above an exclusion leave of each in one piece. Cells of one *set* are finished one before
    another: all of an exclusion, or only those that stand in one place of what cuts them.
    """

    def __init__(self, lane: Numbered, way: Way) -> None:
        self._in_turn = way in LOOSE
        self._cells: list[
            tuple[int, int, int, int]
        ] = []  # of each: exclusion, domain, set, number of its domain
        self._sizes: list[int] = []  # machines of each cell
        self._domain_sizes: list[int] = []
        self._sets: dict[tuple[int, _Label], int] = {}
        of: list[list[int]] = [[] for _ in lane.classes]  # class -> its cells
        later: list[list[int]] = []  # domain -> the domains that orders put after it
        earlier: list[int] = []  # domain -> how many they put before it
        for exclusion, c in enumerate(lane.exclusions):
            cutting = lane.nest.cut_by(c) if way is not Way.WHOLE else ()
            numbers = {
                domain: len(self._domain_sizes) + at for at, domain in enumerate(lane.domains[exclusion])
            }
            self._add(lane, exclusion, cutting, of)
            later += [[] for _ in numbers]
            earlier += [0] * len(numbers)
            if lane.nest.orders and not cutting:
                for before, after in lane.nest.following(c):
                    later[numbers[before]].append(numbers[after])
                    earlier[numbers[after]] += 1
        stands: dict[tuple[int, ...], int] = {}
        stand_of = [stands.setdefault(tuple(cells), len(stands)) for cells in of]
        rows = [(*self._cells[cell], cell) for cells in stands for cell in cells]
        in_set = Counter(among for _, _, among, _ in self._cells)
        self.stands = Stands(
            of=stand_of,
            starts=[0, *accumulate(map(len, stands))],
            exclusion=[row[0] for row in rows],
            domain=[row[1] for row in rows],
            among=[row[2] for row in rows],
            number=[row[3] for row in rows],
            cell=[row[4] for row in rows],
            sizes=self._sizes,
            has_rivals=[int(in_set[among] > 1) for _, _, among, _ in self._cells],
            sets=len(self._sets),
            exclusions=len(lane.exclusions),
            domain_sizes=self._domain_sizes,
            later=rows_of(later),
            earlier=earlier,
            in_turn=int(self._in_turn),
        )

    def _add(self, lane: Numbered, exclusion: int, cutting: Sequence[int], of: Sequence[list[int]]) -> None:
        """The cells of an exclusion, and who stands in them."""
        above = frozenset(
            cutting
        )  # of a large lane's exclusions only one at a time: together they would be too many
        places, sizes = lane.rules.places, lane.sizes
        for domain, members in lane.domains[exclusion].items():
            number = len(self._domain_sizes)
            self._domain_sizes.append(sum([sizes[one] for one in members]))
            held: dict[_Label, list[int]] = {(): members}
            if above:
                held = {}
                for one in members:
                    label = tuple([at for at in places[lane.classes[one]] if at[0] in above])
                    held.setdefault(label, []).append(one)
            for label, ones in held.items():
                among = self._sets.setdefault((exclusion, label if self._in_turn else ()), len(self._sets))
                cell = len(self._cells)
                self._cells.append((exclusion, domain, among, number))
                self._sizes.append(sum([sizes[one] for one in ones]))
                for one in ones:
                    of[one].append(cell)

    @cached_property
    def arrays(self) -> Stands:
        """The table as arrays."""
        return as_arrays(self.stands)
