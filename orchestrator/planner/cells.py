"""One lane before it is packed: its classes by numbers of its own, and the cells of its exclusions' domains, each of which is finished in
one go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from itertools import accumulate, chain
from typing import Final

from orchestrator.planner import nesting
from orchestrator.planner.flat import as_arrays, rows_of
from orchestrator.planner.packing import Groups, Lane, Stands
from orchestrator.planner.pressure import Pressure, groups_of
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

_Place = tuple[int, int, int, int, int]
"""Of a class, where it stands in a domain: exclusion, domain, cell, set, and the number of the domain over all exclusions."""

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

    def __init__(self, rules: Rules, classes: Sequence[int], view: View, binding: Sequence[int]) -> None:
        self.rules = rules
        self.classes = classes
        self.sizes = [rules.sizes[one] for one in classes]
        self.nest = nesting.Nesting(rules, view)
        local = {one: place for place, one in enumerate(classes)}
        self.exclusions = [c for c in binding if rules.kinds[c] is RuleKind.EXCLUSION]
        orders = [c for c in binding if rules.kinds[c] is RuleKind.ORDER]
        budgets = [c for c in binding if rules.kinds[c] is RuleKind.BUDGET]
        self.is_cut = any(map(self.nest.cut_by, self.exclusions))
        limits = [rules.limits[c] for c in budgets]
        budgets_of: list[list[int]] = [[] for _ in classes]
        leads: list[list[int]] = [[] for _ in classes]  # orders in which it goes first
        waits: list[list[int]] = [[] for _ in classes]  # orders in which it goes then
        self.domains_of: list[list[tuple[int, int]]] = [[] for _ in classes]  # (exclusion, domain)
        for number, c in enumerate(budgets):
            for one in view[c][0]:
                budgets_of[local[one]].append(number)
        for number, c in enumerate(self.exclusions):
            for part, members in view[c].items():
                for one in members:
                    self.domains_of[local[one]].append((number, part))
        for number, c in enumerate(orders):
            for part, into in ((FIRST, leads), (THEN, waits)):
                for one in view[c][part]:
                    into[local[one]].append(number)
        self.table = Lane(
            sizes=self.sizes,
            limits=limits,
            budgets=rows_of(budgets_of),
            leads=rows_of(leads),
            waits=list(map(len, waits)),
            firsts=[rules.count(view[c][FIRST]) for c in orders],
            behind=rows_of([[local[one] for one in view[c][THEN]] for c in orders]),
        )
        self.groups = groups_of(self.sizes, budgets_of, limits, self.domains_of, leads, waits)

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
        self.way = way
        sizes: list[int] = []  # machines of each cell
        domain_sizes: list[int] = []
        of: list[int] = []  # class -> its stand
        in_turn = way in LOOSE
        cutting = [lane.nest.cut_by(c) if way is not Way.WHOLE else () for c in lane.exclusions]
        domains: dict[tuple[int, int], int] = {}
        numbers: dict[tuple[int, int, _Label], int] = {}
        sets: dict[tuple[int, _Label], int] = {}
        stands: dict[tuple[_Place, ...], int] = {}
        set_of: list[int] = []  # cell -> its set
        for place, one in enumerate(lane.classes):
            held = []
            for exclusion, domain in lane.domains_of[place]:
                number = domains.setdefault((exclusion, domain), len(domains))
                if number == len(domain_sizes):
                    domain_sizes.append(0)
                domain_sizes[number] += lane.sizes[place]
                above = cutting[exclusion]
                label = tuple(at for at in lane.rules.places[one] if _among(above, at[0])) if above else ()
                cell = numbers.setdefault((exclusion, domain, label), len(numbers))
                if cell == len(sizes):
                    sizes.append(0)
                    among = (exclusion, label if in_turn else ())
                    set_of.append(sets.setdefault(among, len(sets)))
                sizes[cell] += lane.sizes[place]
                held.append((exclusion, domain, cell, set_of[cell], number))
            of.append(stands.setdefault(tuple(held), len(stands)))
        later: list[list[int]] = [[] for _ in domains]  # domain -> the domains that orders put after it
        earlier = [0] * len(domains)  # domain -> how many they put before it
        for number, c in enumerate(lane.exclusions):
            if lane.nest.orders and not cutting[number]:
                for before, after in lane.nest.following(c):
                    later[domains[number, before]].append(domains[number, after])
                    earlier[domains[number, after]] += 1
        in_set = Counter(set_of)
        rows = list(chain.from_iterable(stands))
        self.stands = Stands(
            of=of,
            starts=[0, *accumulate(map(len, stands))],
            exclusion=[row[0] for row in rows],
            domain=[row[1] for row in rows],
            cell=[row[2] for row in rows],
            among=[row[3] for row in rows],
            number=[row[4] for row in rows],
            sizes=sizes,
            has_rivals=[int(in_set[among] > 1) for among in set_of],
            sets=len(sets),
            exclusions=len(lane.exclusions),
            domain_sizes=domain_sizes,
            later=rows_of(later),
            earlier=earlier,
            in_turn=int(in_turn),
        )

    @cached_property
    def arrays(self) -> Stands:
        """The table as arrays."""
        return as_arrays(self.stands)


def _among(numbers: Sequence[int], one: int) -> bool:
    """Whether it is one of the numbers, which are sorted; a set of each exclusion's would take hundreds of megabytes in a large lane."""
    place = bisect_left(numbers, one)
    return place < len(numbers) and numbers[place] == one
