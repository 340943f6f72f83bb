"""Divides the machines of a stage into lanes, and says which lane waits for which.

Machines that no rule joins, directly or through others, go side by side; those among them that touch the same rules elsewhere
are one lane of one wave, since nothing would start sooner if they stayed apart. What rules join is cut in series where a rule wants
that (`series`), and each group is divided anew, since within one zone far fewer rules bind than within a region. What
can't be divided any more is a lane, and is packed into waves; what can't be packed as it is, is cut even if that makes it
longer.

Which lane waits for which is then asked of the rules alone: of two lanes that touch one constraint in different *places*
(domains of an exclusion, sides of an order, different budgets' worth of machines) the later waits for the earlier. Lanes
come in an order that puts everything after what it has to wait for, so this can't go in a circle, and lanes that share
nothing never wait for each other, wherever they come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.errors import Refused
from orchestrator.planner.bound import Proof, Prover
from orchestrator.planner.nesting import Nesting
from orchestrator.planner.rules import RuleKind, Rules, View, components
from orchestrator.planner.search import Search
from orchestrator.planner.series import Group, cut
from orchestrator.planner.waves import Waves, pack, pack_anyhow

SMALL: Final = 48
"""In a component of more machines too many would wait for others that they share no rule with: it is also cut where that
makes it longer, but no longer than another one beside it, so that the plan doesn't get longer."""


Path = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What can't be divided any more, and the `subject` that joins it: of the rules that bind in it the one of most machines.

    Waves hold the number of a class once for each of its machines.

    `path` are the domains and sides of orders that it stands in, outermost first: (constraint, part). `places` says of each
    constraint where the lane touches it: lanes that touch it in the same place may coincide, others may not. `least` is what a search
    found to be the fewest waves, where that is more than is proven.
    """

    classes: tuple[int, ...]
    waves: Waves
    path: Path
    places: Mapping[int, int]
    proof: Proof
    subject: int | None = None
    least: int = 0


def divide(
    rules: Rules,
    classes: Sequence[int],
    longest: int = 0,
    prove: Prover | None = None,
    search: Search | None = None,
    nest: Nesting | None = None,
) -> list[Leaf]:
    """The lanes of some classes, each after all that it may have to wait for.

    `longest` is how many waves something beside them takes anyway. `prove` is who proved for these rules before, if somebody did;
    `search` is asked about lanes that are longer than their bound; `nest` is that of these classes, if it is at hand.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    whole = Nesting(rules, rules.view(sorted(classes))) if nest is None else nest
    divider = _Divider(
        Prover(rules) if prove is None else prove, Search(None) if search is None else search, whole
    )
    divider.divide(sorted(classes), longest)
    return divider.leaves


def waits(leaves: Sequence[Leaf]) -> list[tuple[int, ...]]:
    """Of each lane: the lanes that it waits for, without those that these wait for already.

    A set of lanes is an integer with a bit for each: a stage of thousands of lanes takes thousands of operations, not
    millions.
    """
    touched: dict[int, int] = {}  # constraint -> lanes so far
    in_place: dict[tuple[int, int], int] = {}  # (constraint, place) -> lanes so far
    before: list[int] = []  # lane -> all that are finished before it begins
    found: list[tuple[int, ...]] = []
    for number, leaf in enumerate(leaves):
        conflicts = 0
        for at in leaf.places.items():
            conflicts |= touched.get(at[0], 0) & ~in_place.get(at, 0)
            touched[at[0]] = touched.get(at[0], 0) | 1 << number
            in_place[at] = in_place.get(at, 0) | 1 << number
        direct: list[int] = []
        reached = 0
        while conflicts:
            latest = conflicts.bit_length() - 1
            direct.append(latest)
            reached |= before[latest] | 1 << latest
            conflicts &= ~reached
        before.append(reached)
        found.append(tuple(reversed(direct)))
    return found


@dataclass(frozen=True, slots=True)
class _Component:
    """Classes that rules join, and what they need by themselves."""

    classes: list[int]
    view: View
    proof: Proof


class _Divider:
    """Walks down from a stage to its lanes."""

    def __init__(self, prove: Prover, search: Search, whole: Nesting) -> None:
        self.leaves: list[Leaf] = []
        self._rules = prove.rules
        self._prove = prove
        self._search = search
        self._whole = whole  # what may cut which domain, over everything that is divided
        # Constraints that bind in the whole; others part nobody.
        self._live = frozenset(whole.binding)
        # Budgets that don't bind from here on down -> the place where they ceased to.
        self._settled: dict[int, int] = {}
        self._left: dict[int, int] = {}  # exclusion -> the domain that was gone through last
        self._last_place = -1

    def divide(self, classes: Sequence[int], longest: int) -> None:
        """Divide them all."""
        self._side_by_side(classes, self._whole.view, (), longest)

    def _alone(self, one: int, path: Path) -> None:
        """A class by itself that nothing keeps from going all at once: most groups are no more, and need no view."""
        wave = [one] * self._rules.sizes[one]
        self.leaves.append(Leaf((one,), [wave], path, dict(self._places_of_one(one)), Proof(1, len(wave))))

    def _side_by_side(self, classes: Sequence[int], view: View, path: Path, longest: int = 0) -> None:
        """Divide machines that may be out at the same time, unless a rule among them joins them."""
        rules = self._rules
        slack = [
            c
            for c, parts in view.items()
            if rules.kinds[c] is RuleKind.BUDGET
            and c in self._live
            and c not in self._settled
            and not rules.binds(c, parts)
        ]
        self._settled.update(dict.fromkeys(slack, self._new_place()))
        # Classes that no rule joins to others, by the places they touch.
        alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
        parted: list[_Component] = []
        for joined in components(rules, classes, view):
            if len(joined) == 1 and not self._bound_by_itself(joined[0]):
                alike.setdefault(tuple(self._places_of_one(joined[0])), []).append(joined[0])
            else:
                inner = view if len(joined) == len(classes) else rules.view(joined)
                parted.append(_Component(joined, inner, self._prove(joined, inner)))
        longest = max([longest, *(each.proof.waves for each in parted)])
        try:
            for each in parted:
                self._joined(each, longest, path)
            for places, together in alike.items():
                wave = sorted(one for one in together for _ in range(rules.sizes[one]))
                self.leaves.append(Leaf(tuple(together), [wave], path, dict(places), Proof(1, len(wave))))
        finally:
            for budget in slack:
                del self._settled[budget]

    def _bound_by_itself(self, one: int) -> bool:
        """Whether a budget keeps the machines of a class from going all at once."""
        rules, size = self._rules, self._rules.sizes[one]
        return size > 1 and any(
            rules.kinds[c] is RuleKind.BUDGET and rules.limits[c] < size for c, _ in rules.places[one]
        )

    def _joined(self, component: _Component, longest: int, path: Path) -> None:
        """Cut a component in series, or pack it as it is. `longest` is what the longest of those beside it needs."""
        classes, view, proof = component.classes, component.view, component.proof
        most = longest if self._rules.count(classes) > SMALL else proof.waves
        nest = self._whole if view is self._whole.view else Nesting(self._rules, view)
        groups = cut(self._prove, classes, nest, most, self._left)
        if groups is not None and self._in_series(groups, path):
            return
        waves = pack(self._rules, classes, proof.waves, nest)
        if waves is None:
            groups = cut(self._prove, classes, nest, None, self._left) if groups is None else None
            if groups is not None and self._in_series(groups, path):
                return
            waves = pack_anyhow(self._rules, classes, view)
        least = 0
        if len(waves) > proof.waves:
            found = self._search.settle(self._rules, classes, self._whole, proof.waves, len(waves))
            waves, least = found.waves or waves, found.least
        places, subject = dict(self._places(view)), _subject(self._rules, nest)
        self.leaves.append(Leaf(tuple(classes), waves, path, places, proof, subject, least))

    def _in_series(self, groups: Sequence[Group], path: Path) -> bool:
        """Go through groups one after another; False, and nothing is changed, if one of them has no way through by itself.

        An order may let domains be left in between only as long as both of its sides are looked at.
        """
        kept = len(self.leaves)
        try:
            self._one_after_another(groups, path)
        except Refused:
            del self.leaves[kept:]
            return False
        return True

    def _one_after_another(self, groups: Sequence[Group], path: Path) -> None:
        for group in groups:
            inner = (*path, group.at)
            if len(group.classes) == 1 and not self._bound_by_itself(group.classes[0]):
                self._alone(group.classes[0], inner)
            else:
                self._side_by_side(group.classes, self._rules.view(group.classes), inner)
            self._left[group.at[0]] = group.at[1]

    def _places(self, view: View) -> Iterator[tuple[int, int]]:
        """Where a lane touches each constraint: a part, a place where a budget ceased to bind, or one of its own."""
        for constraint, parts in view.items():
            if constraint not in self._live:
                continue
            if self._rules.kinds[constraint] is RuleKind.BUDGET:
                settled = self._settled.get(constraint)
                yield constraint, self._new_place() if settled is None else settled
            else:
                yield constraint, next(iter(parts)) if len(parts) == 1 else self._new_place()

    def _places_of_one(self, machine: int) -> Iterator[tuple[int, int]]:
        """As `_places`, of a machine by itself: there are many, and no view is needed."""
        for constraint, part in self._rules.places[machine]:
            if constraint in self._live:
                if self._rules.kinds[constraint] is RuleKind.BUDGET:
                    settled = self._settled.get(constraint)
                    yield constraint, self._new_place() if settled is None else settled
                else:
                    yield constraint, part

    def _new_place(self) -> int:
        """A number that is nobody else's; parts of constraints count from 0 up, these from -1 down."""
        self._last_place -= 1
        return self._last_place


def _subject(rules: Rules, nest: Nesting) -> int | None:
    """The rule that joins most of a lane's machines; the outermost of several."""
    joined = [(sum(map(rules.count, nest.view[c].values())), -c) for c in nest.binding]
    return -max(joined)[1] if joined else None
