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

from orchestrator.planner.bound import Proof, prove
from orchestrator.planner.rules import RuleKind, Rules, View, components
from orchestrator.planner.series import Group, cut
from orchestrator.planner.waves import Waves, pack, pack_anyhow

SMALL: Final = 48
"""In a component of more machines too many would wait for others that they share no rule with: it is also cut where that
makes it longer, but no longer than another one beside it, so that the plan doesn't get longer."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What can't be divided any more.

    `path` names the domains that it stands in, outermost first. `places` says of each constraint where the lane touches it:
    lanes that touch it in the same place may coincide, others may not.
    """

    machines: tuple[int, ...]
    waves: Waves
    path: tuple[str, ...]
    places: Mapping[int, int]
    proof: Proof


def divide(rules: Rules, machines: Sequence[int]) -> list[Leaf]:
    """The lanes of a stage, each after all that it may have to wait for.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    divider = _Divider(rules)
    divider.stage(sorted(machines))
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
    """Machines that rules join, and what they need by themselves."""

    machines: list[int]
    view: View
    proof: Proof


class _Divider:
    """Walks down from a stage to its lanes."""

    def __init__(self, rules: Rules) -> None:
        self.leaves: list[Leaf] = []
        self._rules = rules
        self._live: frozenset[int] = (
            frozenset()
        )  # constraints that bind in the stage as a whole; others part nobody
        self._settled: dict[
            int, int
        ] = {}  # budgets that don't bind from here on down -> the place where they ceased to
        self._left: dict[int, int] = {}  # exclusion -> the domain that was gone through last
        self._last_place = -1

    def stage(self, machines: Sequence[int]) -> None:
        """Divide a whole stage."""
        view = self._rules.view(machines)
        self._live = frozenset(c for c, parts in view.items() if self._rules.binds(c, parts))
        self._side_by_side(machines, view, ())

    def _side_by_side(self, machines: Sequence[int], view: View, path: tuple[str, ...]) -> None:
        """Divide machines that may be out at the same time, unless a rule among them joins them."""
        slack = [
            c
            for c, parts in view.items()
            if c in self._live
            and c not in self._settled
            and self._rules.kinds[c] is RuleKind.BUDGET
            and not self._rules.binds(c, parts)
        ]
        self._settled.update(dict.fromkeys(slack, self._new_place()))
        alike: dict[
            tuple[tuple[int, int], ...], list[int]
        ] = {}  # machines by themselves, by the places they touch
        parted: list[_Component] = []
        for joined in components(self._rules, machines, view):
            if len(joined) == 1:
                alike.setdefault(tuple(self._places_of_one(joined[0])), []).append(joined[0])
            else:
                inner = self._rules.view(joined)
                parted.append(_Component(joined, inner, prove(self._rules, joined, inner)))
        longest = max((each.proof.waves for each in parted), default=0)
        for each in parted:
            self._joined(each, longest, path)
        for places, together in alike.items():
            self.leaves.append(Leaf(tuple(together), [together], path, dict(places), Proof(1, len(together))))
        for budget in slack:
            del self._settled[budget]

    def _joined(self, component: _Component, longest: int, path: tuple[str, ...]) -> None:
        """Cut a component in series, or pack it as it is. `longest` is what the longest of those beside it needs."""
        machines, view, proof = component.machines, component.view, component.proof
        most = longest if len(machines) > SMALL else proof.waves
        groups = cut(self._rules, machines, view, most, self._left)
        if groups is not None:
            self._one_after_another(groups, path)
            return
        waves = pack(self._rules, machines, proof.waves, view)
        if waves is None:
            groups = cut(self._rules, machines, view, None, self._left)
            if groups is not None:
                self._one_after_another(groups, path)
                return
            waves = pack_anyhow(self._rules, machines, view)
        self.leaves.append(Leaf(tuple(machines), waves, path, dict(self._places(view)), proof))

    def _one_after_another(self, groups: Sequence[Group], path: tuple[str, ...]) -> None:
        for group in groups:
            self._side_by_side(group.machines, self._rules.view(group.machines), (*path, group.name))
            if group.at is not None:
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
