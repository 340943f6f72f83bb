"""Cuts a component in series: groups of machines that follow one another because a rule wants them to.

Where an exclusion covers a whole component, its domains share no wave whatever anybody does, so nothing is lost by making
each a plan of its own; and then most of a domain's machines share no rule any more, and fall apart into lanes. That
is what keeps lanes small under rules that span a fleet, such as one region of a pair and one zone of a region at a time.

Where it covers only a part, the machines in no domain are put beside one domain or another (`beside`), if every rule can
still be kept and the plan gets no longer. Orders are cut in the same way, by how many others lead to a machine: where they
stand across the domains of an exclusion, since nothing else keeps both, and elsewhere if it costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.planner import beside, nesting
from orchestrator.planner.bound import Prover
from orchestrator.planner.rules import FIRST, THEN, Rules, View

_SHARE: Final = 2
"""One in so many of a component's machines stands in an exclusion that is worth a cut by it, though it isn't the outermost."""

LARGE: Final = 5000
"""In a component of more machines that goes for the outermost too: thousands would stand beside the domains of a few, for nothing."""

CUT_ANYWAY: Final = 300
"""A component of no more machines is cut by orders that cross it, however long that gets: as one lane it would hardly be shorter."""

WORTH: Final = 3
"""So many waves may become one more in a larger component, for lanes that don't wait for each other; in one that is larger yet none."""


@dataclass(frozen=True, slots=True)
class Group:
    """Classes that go before those of the next group.

    `at` is the exclusion and the domain that they are, or stand beside, or the first of the orders that cut and whether
    they are those that go first.
    """

    classes: list[int]
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Cut:
    """How a component might be cut: parts in sequence, and the rules that cut it."""

    parts: Sequence[list[int]]
    at: Sequence[tuple[int, int]]
    by: frozenset[int]
    anyway: bool  # however many waves that comes to: every other way comes to as many, or breaks a rule
    worth: int = 0  # otherwise one wave more for so many

    def most(self, waves: int | None) -> int | None:
        """How many waves its groups may come to, where `waves` are what everything takes that isn't worth more."""
        if self.anyway or waves is None:
            return None
        return waves + waves // self.worth if self.worth else waves


def cut(
    prove: Prover,
    machines: Sequence[int],
    nest: nesting.Nesting,
    most: int | None,
    left: Mapping[int, int] | None = None,
) -> list[Group] | None:
    """The component as groups in series, or None if it's best packed as one lane.

    `nest` is that of the component. `most` is how many waves the groups may come to where a rule doesn't cut them anyway; None: any
    number, for a component that can't be packed as it is. `left` names the domain that each exclusion was left at, if others of
    its machines went before these: to go on there saves changing over.
    """
    rules, view = prove.rules, nest.view
    for found in _cuts(rules, rules.count(machines), view, left or {}, nest):
        groups = _fill(prove, machines, view, found, nest, found.most(most))
        if groups is not None:
            return groups
    return None


def _cuts(
    rules: Rules, size: int, view: View, left: Mapping[int, int], nest: nesting.Nesting
) -> Iterator[_Cut]:
    """What might be tried, outermost exclusion first, others only if they cover half of the machines."""
    exclusions = nest.exclusions
    for exclusion in exclusions:
        covered = sum(map(rules.count, view[exclusion].values()))
        if _SHARE * covered < size and (exclusion != exclusions[0] or size > LARGE):
            continue
        domains = nest.sequence(exclusion, first=left.get(exclusion))
        if domains is None:
            crossed = nest.crossed_by(exclusion)
            # In one lane domains go in turn, which is the shorter the more there is to go beside; in a small one it hardly is.
            yield _by_order(
                rules, view, crossed, anyway=size <= CUT_ANYWAY, worth=WORTH if size <= LARGE else 0
            )
        else:
            parts = [view[exclusion][domain] for domain in domains]
            at = [(exclusion, domain) for domain in domains]
            yield _Cut(parts, at, frozenset([exclusion]), anyway=covered == size)
    if nest.orders:
        yield _by_order(rules, view, nest.orders, anyway=False)


def _by_order(rules: Rules, view: View, orders: Sequence[int], *, anyway: bool, worth: int = 0) -> _Cut:
    parts: list[list[int]] = []
    for machine, depth in nesting.depths(rules, view, orders).items():
        while len(parts) <= depth:
            parts.append([])
        parts[depth].append(machine)
    at = [(orders[0], FIRST), *((orders[0], THEN) for _ in parts[1:])]
    return _Cut(parts, at, frozenset(orders), anyway, worth)


def _fill(
    prove: Prover, machines: Sequence[int], view: View, found: _Cut, nest: nesting.Nesting, most: int | None
) -> list[Group] | None:
    """The cut as groups that hold every machine; None if that would break a rule, or come to more waves than `most`."""
    # What is put beside a part leaves it where it is: what the parts break by themselves stays broken.
    if not _unbroken(view, found.parts, found, nest) or _longer(prove, found.parts, most):
        return None
    within = {machine for part in found.parts for machine in part}
    rest = [machine for machine in machines if machine not in within]
    parts = beside.place(prove, view, found.parts, rest, found.by) if rest else found.parts
    if parts is None or (rest and not _unbroken(view, parts, found, nest)):
        return None
    if rest and _longer(prove, parts, most):
        return None
    return [Group(part, at) for part, at in zip(parts, found.at, strict=True)]


def _longer(prove: Prover, parts: Sequence[Sequence[int]], most: int | None) -> bool:
    return most is not None and sum(prove(part).waves for part in parts) > most


def _unbroken(view: View, parts: Sequence[Sequence[int]], found: _Cut, nest: nesting.Nesting) -> bool:
    """Whether every domain of every other exclusion stays in one group, as far as it is in any, or may be cut by what cuts here."""
    group_of = {machine: number for number, part in enumerate(parts) for machine in part}
    for exclusion in nest.exclusions:
        if exclusion in found.by:
            continue
        spread = any(_spread(group_of, members) for members in view[exclusion].values())
        if spread and found.by.isdisjoint(nest.cut_by(exclusion)):
            return False
    return True


def _spread(group_of: Mapping[int, int], members: Sequence[int]) -> bool:
    """Whether some stand in one group and some in another."""
    return len({group_of[m] for m in members if m in group_of}) > 1
