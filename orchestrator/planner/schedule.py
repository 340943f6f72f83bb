"""The lanes of one stage, whole: divided, packed, in their places, and named.

Components of the same shape are divided once; each gets lanes of its own, in its own names. Lanes of a single wave that wait for the
same lanes, and for which the same lanes wait, become one lane: nothing would start sooner if they stayed apart, and a
region's worth of machines under no rule of their own would fill pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.availability.model import Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner import nesting
from orchestrator.planner.bound import Proof, Prover, bound_of, prove
from orchestrator.planner.columns import columns
from orchestrator.planner.lanes import Leaf, Path, divide, waits
from orchestrator.planner.model import Bound, Lane
from orchestrator.planner.search import Search
from orchestrator.planner.shapes import Shape, shapes
from orchestrator.planner.writing import Row, Writer


@dataclass(frozen=True, slots=True)
class CutShort:
    """An exclusion of which not every domain is finished in one go, and the rules that stand above it and cut them."""

    rule: Constraint
    above: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The lanes of a stage, each after those it waits for, and the domains that had to be cut."""

    lanes: tuple[Lane, ...]
    cut_short: tuple[CutShort, ...]


def schedule(
    machines: Iterable[MachineId],
    constraints: Iterable[Constraint],
    stage: str,
    names: Mapping[MachineId, str],
    search: Search | None = None,
) -> Scheduled:
    """The lanes of a stage's machines, which come in the order of their urgency. `names` are what people call them; `search` is
    asked about lanes that are longer than their bound.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    held = columns(machines, constraints)
    found = shapes(held)
    asked = Search(None) if search is None else search
    provers = [Prover(shape.rules) for shape in found.shapes]
    nests = [nesting.of_all(shape.rules) for shape in found.shapes]
    longest = max(
        (
            prove(range(len(prove.rules.sizes)), nest.view).waves
            for prove, nest in zip(provers, nests, strict=True)
        ),
        default=0,
    )
    divided = [
        _Divided(shape, prove, nest, longest, asked)
        for shape, prove, nest in zip(found.shapes, provers, nests, strict=True)
    ]
    del provers, nests  # of a million machines they are large
    free = held.free()
    count = sum(len(divided[shape].rows) for shape, _ in found.components) + bool(free)
    writer = Writer(held.machines, stage, names, count)
    of_shape: list[list[int]] = [[] for _ in divided]  # its components
    for shape, component in found.components:
        of_shape[shape].append(component)
    scripts = [
        writer.script(one.shape, one.rows, components)
        for one, components in zip(divided, of_shape, strict=True)
    ]
    cut_short: list[CutShort] = []
    for shape, component in found.components:
        one = divided[shape]
        rules = one.shape.named(component)
        writer.write(scripts[shape], rules)
        for rule, above in one.cut_short:
            cut_short.append(CutShort(rules.constraints[rule], tuple(rules.constraints[c] for c in above)))
    if free:
        writer.write_free(free)
    return Scheduled(tuple(writer.lanes), tuple(cut_short))


def stage_bound(machines: Iterable[MachineId], constraints: Iterable[Constraint]) -> Bound:
    """The fewest waves that any plan of these machines could have, one after another, and why."""
    held = columns(machines, constraints)
    found = shapes(held)
    best, rules = Proof(min(1, len(held.machines)), len(held.machines)), None
    for shape in found.shapes:
        proof = prove(shape.rules, range(len(shape.rules.sizes)))
        if proof.waves > best.waves:
            best, rules = proof, shape.rules
    if rules is None:
        return Bound(
            best.waves, "whatever is changed takes a wave" if best.waves else "there is nothing to change"
        )
    return bound_of(rules, best)


# Once for each shape --------------------------------------------------------------------------------------------


class _Divided:
    """A shape with its lanes."""

    def __init__(
        self, shape: Shape, prove: Prover, nest: nesting.Nesting, longest: int, search: Search
    ) -> None:
        self.shape = shape
        leaves = divide(shape.rules, range(len(shape.rules.sizes)), longest, prove, search, nest)
        self.rows = _merged(leaves, waits(leaves))
        # Exclusions of which a domain is left and come back to, and what stands above them, by number.
        self.cut_short = tuple(_cut_short(nest, self.rows))


def _merged(leaves: Sequence[Leaf], after: Sequence[tuple[int, ...]]) -> list[Row]:
    followers: list[list[int]] = [[] for _ in leaves]
    for number, others in enumerate(after):
        for other in others:
            followers[other].append(number)
    rows: list[Row] = []
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
            rows.append(Row([leaf], [list(wave) for wave in leaf.waves], after[number]))
    return [
        Row(
            row.leaves,
            row.waves,
            tuple(sorted({row_of[other] for other in row.after})),
            _shared_path(row.leaves),
            row.leaves[0].subject if len(row.leaves) == 1 else None,
        )
        for row in rows
    ]


def _shared_path(leaves: Sequence[Leaf]) -> Path:
    return tuple(
        steps[0] for steps in zip(*(leaf.path for leaf in leaves), strict=False) if len(set(steps)) == 1
    )


def _cut_short(nest: nesting.Nesting, rows: Sequence[Row]) -> Iterator[tuple[int, tuple[int, ...]]]:
    if not nest.exclusions:
        return
    turns: dict[int, list[tuple[int, int]]] = {}
    for number, row in enumerate(rows):
        for place, wave in enumerate(row.waves):
            for one in wave:
                turns.setdefault(one, []).append((number, place))
    for exclusion in nest.exclusions:
        spans = sorted(
            (min(turns[one][0] for one in held), max(turns[one][-1] for one in held))
            for held in nest.view[exclusion].values()
        )
        if any(one[1] >= other[0] for one, other in pairwise(spans)):
            yield exclusion, nest.cut_by(exclusion)
