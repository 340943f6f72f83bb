"""What a solver is told of a lane, what it may spend, and what becomes of its answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.availability.model import Constraint
from orchestrator.planner.model import Bound, Lane
from orchestrator.planner.nesting import Nesting
from orchestrator.planner.schedule import schedule
from orchestrator.planner.search import LANE_WORK, STAGE_WORK, Answer, Problem, Search, problem_of, searched
from tests.builders import budget, exclusion, ids, order
from tests.unit.planner.dividing import lanes_of, rules_of

TRIANGLE = (budget(1, "a b"), budget(1, "b c"), budget(1, "a c"))
"""Each rule alone allows two waves; together they force three."""


@dataclass
class Told:
    """A `search.Solver` that answers what it was given, and keeps what it was asked."""

    answer: Answer
    asked: list[tuple[Problem, int, int, float]] = field(default_factory=list)
    name: str = "told 1.0"

    def fewest(self, problem: Problem, least: int, most: int, work: float) -> Answer:
        """As it was told."""
        self.asked.append((problem, least, most, work))
        return self.answer


def test_a_lane_above_its_bound_is_asked_about_and_no_other() -> None:
    """For fewer waves than it has, and no fewer than are proven to be needed."""
    solver = Told(Answer(None, 3, 1.0))
    search = Search(solver)
    _lanes("a b c d e", search, *TRIANGLE, budget(1, "d e"))

    ((problem, least, most, work),) = solver.asked
    assert problem.sizes == (1, 1, 1)
    assert sorted(problem.budgets) == [(1, (0, 1)), (1, (0, 2)), (1, (1, 2))]
    assert (least, most, work) == (2, 2, LANE_WORK)
    assert search.name == "told 1.0"


def test_a_proof_that_there_is_no_shorter_one_is_the_bound() -> None:
    """It says by what it was proven, and what a person can still check by hand."""
    (lane,) = _lanes("a b c", Search(Told(Answer(None, 3, 1.0))), *TRIANGLE)

    assert lane.optimal
    assert lane.bound.because == (
        "proven by exhaustive search: no plan of these 3 machines has fewer than 3 waves; "
        "one rule after another forces 2: 2 machines, 1 at a time (at most 1 of 2)"
    )


def test_a_search_that_ended_early_claims_nothing() -> None:
    """The bound is the one that rules force, in their words."""
    (lane,) = _lanes("a b c", Search(Told(Answer(None, 2, LANE_WORK))), *TRIANGLE)

    assert not lane.optimal
    assert lane.bound == Bound(2, "2 machines, 1 at a time (at most 1 of 2)")


def test_nothing_is_named_that_was_not_asked() -> None:
    """Without a gap the plan is the same with any solver, and names none."""
    search = Search(Told(Answer(None, 0, 0.0)))

    assert _lanes("a b c", search, budget(1, "a b c")) == lanes_of("a b c", budget(1, "a b c"))
    assert search.name == ""


def test_without_a_solver_lanes_stay_as_they_are() -> None:
    """Whoever has none passes none."""
    assert _lanes("a b c", Search(None), *TRIANGLE) == lanes_of("a b c", *TRIANGLE)
    assert Search(None).name == ""


def test_a_stage_has_one_allowance_for_all_its_lanes() -> None:
    """What one lane took is gone; with nothing left nobody is asked."""
    solver = Told(Answer(None, 2, STAGE_WORK - 0.5))
    search = Search(solver)
    rules = rules_of("a b c", *TRIANGLE)
    nest = Nesting(rules, rules.view(range(3)))
    for _ in range(3):
        search.settle(rules, range(3), nest, 2, 3)

    assert [work for *_, work in solver.asked] == [LANE_WORK, 0.5]


def test_a_lane_that_is_too_large_is_not_tried() -> None:
    """Classes by waves count: no such lane was ever settled within its work."""
    solver = Told(Answer(None, 1, 0.0))
    rules = rules_of("a b c", *TRIANGLE)

    found = Search(solver).settle(rules, range(3), Nesting(rules, rules.view(range(3))), 2, 10_000)
    assert (found, solver.asked) == (Answer(None, 2, 0.0), [])


def test_an_answer_is_told_in_the_classes_of_the_plan() -> None:
    """The solver has numbers of its own, from 0 up."""
    rules = rules_of("a b c d", *TRIANGLE)
    solver = Told(Answer([[1, 0], [2]], 2, 0.1))
    found = Search(solver).settle(rules, (1, 2, 3), Nesting(rules, rules.view((1, 2, 3))), 1, 4)

    assert found.waves == [[1, 2], [3]]


def test_domains_that_outer_ones_cut_are_rivals_within_each_of_these() -> None:
    """A cell over two zones is finished within each zone by itself; within one, the other cell waits."""
    rules = rules_of(
        "a b c d",
        exclusion({"z1": "a b", "z2": "c d"}, level=0),
        exclusion({"x": "a c", "y": "b d"}, level=1),
    )
    problem = problem_of(rules, range(4), Nesting(rules, rules.view(range(4))))

    assert problem.exclusions == (((0, 1), (2, 3)), ((0, 2), (1, 3)))
    assert sorted(problem.rivals) == [((0,), (1,)), ((0, 1), (2, 3)), ((2,), (3,))]


def test_what_does_not_bind_is_left_away() -> None:
    """A budget with room for all, an order of which one side is elsewhere."""
    rules = rules_of("a b c", budget(2, "a b"), order("a", "c"))

    assert problem_of(rules, (0, 1), Nesting(rules, rules.view((0, 1)))) == Problem((1, 1), (), (), (), ())


def test_a_searched_bound_counts_machines_in_words() -> None:
    """Thousands have a comma."""
    assert searched(Bound(4, "why"), 5, 1200).because == (
        "proven by exhaustive search: no plan of these 1,200 machines has fewer than 5 waves; "
        "one rule after another forces 4: why"
    )


def _lanes(names: str, search: Search, *constraints: Constraint) -> tuple[Lane, ...]:
    machines = sorted(ids(names))
    called = {machine: str(machine) for machine in machines}
    return schedule(machines, constraints, "broad", called, search).lanes
