"""A lane as a problem of its own, in plain numbers, for a solver that searches exhaustively; and what is asked of such a solver.

Filling waves by urgency meets the bound nearly always. Where it doesn't, either the waves or the bound are at fault, and only a
search can tell. The planner is handed a `Solver` by whoever has one, and does without otherwise: the search needs a package that
not everybody installs. What a solver may spend is counted in *work*, its own measure of what it did, never in seconds, so
that the same solver finds the same plan on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from orchestrator.planner.model import Bound
from orchestrator.planner.nesting import Nesting
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

LANE_WORK: Final = 2.0
"""What one lane may cost, about as many seconds. Of the generated fleets of docs/planning.md every lane that was ever settled took
less than a quarter of it."""

STAGE_WORK: Final = 6.0
"""What all lanes of a stage may cost together."""

SEARCHED: Final = "proven by exhaustive search"
"""How the reason of a bound begins that no chain of rules proves. It stands nowhere else."""

MOST_CHOICES: Final = 12_000
"""Classes by waves: a larger lane isn't tried, since hardly any of that size was ever settled within its work."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Classes of machines by numbers of this problem's own, and what keeps them apart. Only what binds is here.

    Rivals are sets of *cells* (a domain, or what rules above leave of it in one piece) of one exclusion: each of a set is finished before
    another of the same set begins.
    """

    sizes: tuple[int, ...]  # machines of each class
    budgets: tuple[tuple[int, tuple[int, ...]], ...]  # (limit, classes)
    exclusions: tuple[tuple[tuple[int, ...], ...], ...]  # of each its domains, as classes
    rivals: tuple[tuple[tuple[int, ...], ...], ...]  # of each set its cells, as classes
    orders: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]  # (those that go first, those that go then)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found: fewer waves than was asked for, if there are any; and that no plan has fewer than `least`.

    `waves` hold the number of a class once for each of its machines; None: nothing shorter was found. `work` is what it cost.
    """

    waves: list[list[int]] | None
    least: int
    work: float


class Solver(Protocol):
    """Searches for fewer waves. The same problem and the same work must give the same answer wherever it runs."""

    @property
    def name(self) -> str:
        """What it is, with its version: two versions may find different plans of the same length."""

    def fewest(self, problem: Problem, least: int, most: int, work: float) -> Answer:
        """A plan of at least `least` and at most `most` waves, the fewest that are found within so much work."""


class Search:
    """A solver with what is left of a stage's allowance; remembers whether it was needed at all."""

    def __init__(self, solver: Solver | None) -> None:
        self.asked = 0
        self._solver = solver
        self._left = STAGE_WORK

    @property
    def name(self) -> str:
        """The solver's, for the plan's file; empty if none was asked, since then the plan would be the same without."""
        return self._solver.name if self._solver is not None and self.asked else ""

    def settle(self, rules: Rules, classes: Sequence[int], nest: Nesting, least: int, has: int) -> Answer:
        """Try to settle what is between the bound of a lane and the waves it has. `nest` is that of all that is planned together."""
        nothing = Answer(None, least, 0.0)
        if self._solver is None or least >= has or self._left <= 0 or len(classes) * has > MOST_CHOICES:
            return nothing
        self.asked += 1
        found = self._solver.fewest(
            problem_of(rules, classes, nest), least, has - 1, min(LANE_WORK, self._left)
        )
        self._left -= found.work
        if found.waves is None:
            return found
        waves = [sorted(classes[one] for one in wave) for wave in found.waves]
        return Answer(waves, found.least, found.work)


def searched(proven: Bound, least: int, machines: int) -> Bound:
    """The bound of a lane after a search that found it to be higher than any single chain of rules forces."""
    return Bound(
        least,
        f"{SEARCHED}: no plan of these {machines:,} machines has fewer than {least} waves; "
        f"one rule after another forces {proven.waves}: {proven.because}",
    )


def is_searched(bound: Bound) -> bool:
    """Whether a search proved it. A plan's file says so in these words alone."""
    return bound.because.startswith(SEARCHED)


def problem_of(rules: Rules, classes: Sequence[int], nest: Nesting) -> Problem:
    """The lane of these classes. `nest` says what may cut which domain, over all machines that are planned together with these."""
    view = rules.view(classes)
    local = {one: place for place, one in enumerate(classes)}

    def numbers(members: Iterable[int]) -> tuple[int, ...]:
        return tuple(local[one] for one in members)

    binding = [c for c, parts in view.items() if rules.binds(c, parts)]
    of_kind = {kind: [c for c in binding if rules.kinds[c] is kind] for kind in RuleKind}
    return Problem(
        sizes=tuple(rules.sizes[one] for one in classes),
        budgets=tuple((rules.limits[c], numbers(view[c][0])) for c in of_kind[RuleKind.BUDGET]),
        exclusions=tuple(
            tuple(numbers(members) for members in view[c].values()) for c in of_kind[RuleKind.EXCLUSION]
        ),
        rivals=tuple(
            tuple(map(numbers, cells.values()))
            for c in of_kind[RuleKind.EXCLUSION]
            for cells in _rivals(rules, view, c, nest.cut_by(c))
        ),
        orders=tuple((numbers(view[c][FIRST]), numbers(view[c][THEN])) for c in of_kind[RuleKind.ORDER]),
    )


def _rivals(
    rules: Rules, view: View, exclusion: int, cutting: Sequence[int]
) -> Iterable[Mapping[int, Sequence[int]]]:
    """The cells of an exclusion by where they stand in what cuts it: of each such place, domain -> classes, if there are several."""
    above = frozenset(cutting)
    found: dict[tuple[tuple[int, int], ...], dict[int, list[int]]] = {}
    for domain, members in view[exclusion].items():
        for one in members:
            label = tuple(at for at in rules.places[one] if at[0] in above)
            found.setdefault(label, {}).setdefault(domain, []).append(one)
    return (cells for cells in found.values() if len(cells) > 1)
