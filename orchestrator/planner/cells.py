"""One lane before it is packed: its classes by numbers of its own, and the cells of its exclusions' domains, each of which is finished in
one go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from enum import Enum
from typing import Final

import numpy as np

from orchestrator.planner import nesting
from orchestrator.planner.pressure import Pressure
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

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
        self.limits = [rules.limits[c] for c in budgets]
        self.firsts = [rules.count(view[c][FIRST]) for c in orders]
        self.budgets_of: list[list[int]] = [[] for _ in classes]
        self.domains_of: list[list[tuple[int, int]]] = [[] for _ in classes]  # (exclusion, domain)
        self.leads: list[list[int]] = [[] for _ in classes]  # orders in which it goes first
        self.waits: list[list[int]] = [[] for _ in classes]  # orders in which it goes then
        for number, c in enumerate(budgets):
            for one in view[c][0]:
                self.budgets_of[local[one]].append(number)
        for number, c in enumerate(self.exclusions):
            for part, members in view[c].items():
                for one in members:
                    self.domains_of[local[one]].append((number, part))
        for number, c in enumerate(orders):
            for part, into in ((FIRST, self.leads), (THEN, self.waits)):
                for one in view[c][part]:
                    into[local[one]].append(number)
        # Who goes then in each order.
        self.behind = [np.array([local[one] for one in view[c][THEN]], dtype=np.intp) for c in orders]
        self.pressure = Pressure(
            self.sizes, self.budgets_of, self.limits, self.domains_of, self.leads, self.waits
        )


class Cells:
    """The pieces of domains that are each finished in one go, numbered over all exclusions of a lane.

    They are the domains; or what the rules above an exclusion leave of each in one piece. Cells of one *set* are finished one before
    another: all of an exclusion, or only those that stand in one place of what cuts them.
    """

    def __init__(self, lane: Numbered, way: Way) -> None:
        self.stand: list[int] = []  # class -> its stand: classes that stand in the same cells have one
        self.of: list[tuple[tuple[int, int, int, int], ...]] = []  # stand -> (exclusion, domain, cell, set)
        self.way = way
        self.in_turn = way in LOOSE
        self.begun_first = way is Way.BEGUN_FIRST
        self.size: list[int] = []
        self.domain_of: list[list[int]] = []  # stand -> its domains, numbered over all exclusions
        self.domain_size: list[int] = []
        cutting = [lane.nest.cut_by(c) if way is not Way.WHOLE else () for c in lane.exclusions]
        domains: dict[tuple[int, int], int] = {}
        numbers: dict[tuple[int, int, _Label], int] = {}
        sets: dict[tuple[int, _Label], int] = {}
        stands: dict[tuple[tuple[int, int, int, int], ...], int] = {}
        self.set_of: list[int] = []  # cell -> its set
        for place, one in enumerate(lane.classes):
            held = []
            stands_in = []
            for exclusion, domain in lane.domains_of[place]:
                domain_number = domains.setdefault((exclusion, domain), len(domains))
                if domain_number == len(self.domain_size):
                    self.domain_size.append(0)
                self.domain_size[domain_number] += lane.sizes[place]
                stands_in.append(domain_number)
                above = cutting[exclusion]
                label = tuple(at for at in lane.rules.places[one] if _among(above, at[0])) if above else ()
                cell = numbers.setdefault((exclusion, domain, label), len(numbers))
                if cell == len(self.size):
                    self.size.append(0)
                    among = (exclusion, label if self.in_turn else ())
                    self.set_of.append(sets.setdefault(among, len(sets)))
                self.size[cell] += lane.sizes[place]
                held.append((exclusion, domain, cell, self.set_of[cell]))
            stand = stands.setdefault(tuple(held), len(stands))
            self.stand.append(stand)
            if stand == len(self.of):
                self.of.append(tuple(held))
                self.domain_of.append(stands_in)
        self.sets = len(sets)
        self.has_rivals = np.bincount(self.set_of, minlength=self.sets)[self.set_of] > 1  # of each cell
        of = [self.of[stand] for stand in self.stand]
        # Each place of a class in a cell, by arrays: whose it is, and where.
        self.whose = np.repeat(np.arange(len(of)), list(map(len, of)))
        places = np.array([place for held in of for place in held], dtype=np.int64).reshape(-1, 4)
        self.domain, self.cell, self.set = places[:, 1], places[:, 2], places[:, 3]
        self.number = np.array([one for stand in self.stand for one in self.domain_of[stand]], dtype=np.int64)
        self.later: list[list[int]] = [[] for _ in domains]  # domain -> the domains that orders put after it
        self.earlier = np.zeros(len(domains), dtype=np.int64)  # domain -> how many they put before it
        for number, c in enumerate(lane.exclusions):
            if lane.nest.orders and not cutting[number]:
                for before, after in lane.nest.following(c):
                    self.later[domains[number, before]].append(domains[number, after])
                    self.earlier[domains[number, after]] += 1


def _among(numbers: Sequence[int], one: int) -> bool:
    """Whether it is one of the numbers, which are sorted; a set of each exclusion's would take hundreds of megabytes in a large lane."""
    place = bisect_left(numbers, one)
    return place < len(numbers) and numbers[place] == one
