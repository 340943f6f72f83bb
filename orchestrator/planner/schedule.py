"""The lanes of one stage, whole: divided, packed, in their places, and named.

Lanes of a single wave that wait for the same lanes, and for which the same lanes wait, become one lane: nothing would start
sooner if they stayed apart, and a region's worth of machines under no rule of their own would fill pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.availability.model import Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner import nesting
from orchestrator.planner.bound import bound_of
from orchestrator.planner.lanes import Leaf, divide, waits
from orchestrator.planner.model import Bound, Lane, Wave
from orchestrator.planner.rules import Rules


@dataclass(frozen=True, slots=True)
class CutShort:
    """An exclusion of which not every domain is finished in one go, and the rules that stand above it and cut them."""

    rule: Constraint
    above: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The lanes of a stage, each after those it waits for."""

    lanes: tuple[Lane, ...]
    cut_short: tuple[CutShort, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One lane, or several that were made one, by number."""

    leaves: list[Leaf]
    waves: list[list[int]]
    after: tuple[int, ...]


def schedule(rules: Rules, stage: str, machines: Sequence[int], names: Mapping[MachineId, str]) -> Scheduled:
    """The lanes of a stage. `names` are what people call machines.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    return placed(rules, stage, machines, names, divide(rules, machines))


def placed(
    rules: Rules,
    stage: str,
    machines: Sequence[int],
    names: Mapping[MachineId, str],
    leaves: Sequence[Leaf],
) -> Scheduled:
    """The lanes of a stage that was divided: each after those it waits for, named and explained."""
    rows = _merged(leaves, waits(leaves))
    width = len(str(len(rows)))
    ids = [f"{stage}-{number:0{width}}" for number in range(1, len(rows) + 1)]
    lanes = tuple(
        Lane(
            id=ids[number],
            stage=stage,
            after=tuple(ids[other] for other in row.after),
            waves=tuple(Wave(tuple(rules.machines[m] for m in wave)) for wave in row.waves),
            bound=_bound(rules, row),
            what=_what(rules, row, names),
        )
        for number, row in enumerate(rows)
    )
    return Scheduled(lanes, tuple(_cut_short(rules, machines, rows)))


def _merged(leaves: Sequence[Leaf], after: Sequence[tuple[int, ...]]) -> list[_Row]:
    followers: list[list[int]] = [[] for _ in leaves]
    for number, others in enumerate(after):
        for other in others:
            followers[other].append(number)
    rows: list[_Row] = []
    row_of: list[int] = []
    alike: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    for number, leaf in enumerate(leaves):
        place = len(rows)
        if len(leaf.waves) == 1:
            place = alike.setdefault((after[number], tuple(followers[number])), place)
        row_of.append(place)
        if place < len(rows):
            rows[place].leaves.append(leaf)
            rows[place].waves[0].extend(leaf.waves[0])
        else:
            rows.append(_Row([leaf], [list(wave) for wave in leaf.waves], after[number]))
    return [
        _Row(
            row.leaves,
            [sorted(wave) for wave in row.waves],
            tuple(sorted({row_of[other] for other in row.after})),
        )
        for row in rows
    ]


def _bound(rules: Rules, row: _Row) -> Bound:
    if len(row.leaves) > 1:
        return Bound(1, "no rule keeps any of these machines from going with the others")
    return bound_of(rules, row.leaves[0].proof)


def _what(rules: Rules, row: _Row, names: Mapping[MachineId, str]) -> str:
    """`westeurope / westeurope zone 1 / at most 2 of 10 in availability set as-web`."""
    shared = [
        parts[0] for parts in zip(*(leaf.path for leaf in row.leaves), strict=False) if len(set(parts)) == 1
    ]
    machines = [machine for wave in row.waves for machine in wave]
    return " / ".join([*dict.fromkeys(shared), _subject(rules, row, machines, names)])


def _subject(rules: Rules, row: _Row, machines: Sequence[int], names: Mapping[MachineId, str]) -> str:
    if len(machines) == 1:
        return names[rules.machines[machines[0]]]
    if len(row.leaves) > 1:
        return f"{len(machines):,} machines that no rule keeps apart"
    binding = [(c, parts) for c, parts in rules.view(machines).items() if rules.binds(c, parts)]
    if not binding:
        return f"{len(machines):,} machines that no rule keeps apart"
    widest, _ = max(binding, key=lambda held: (sum(map(len, held[1].values())), -held[0]))
    return rules.constraints[widest].what


def _cut_short(rules: Rules, machines: Sequence[int], rows: Sequence[_Row]) -> Iterator[CutShort]:
    """Exclusions of which a domain is left and come back to, because a rule that stands above cuts it."""
    turn = {
        machine: (number, place)
        for number, row in enumerate(rows)
        for place, wave in enumerate(row.waves)
        for machine in wave
    }
    view = rules.view(machines)
    nest = nesting.Nesting(rules, view)
    for exclusion in nest.exclusions:
        spans = sorted(
            (min(turn[m] for m in held), max(turn[m] for m in held)) for held in view[exclusion].values()
        )
        if any(one[1] >= other[0] for one, other in pairwise(spans)):
            above = nest.cut_by(exclusion)
            yield CutShort(rules.constraints[exclusion], tuple(rules.constraints[c] for c in above))
