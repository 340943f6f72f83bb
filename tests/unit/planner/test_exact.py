"""The exhaustive search, by the real solver: each kind of rule by itself, what it proves, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.planner.exact import CpSat
from orchestrator.planner.search import Answer, Problem

FREE = Problem(sizes=(1, 1, 1, 1), budgets=(), exclusions=(), rivals=(), orders=())
ENOUGH = 5.0


def fewest(problem: Problem, most: int, least: int = 1) -> Answer:
    """What is found from `least` on."""
    return CpSat().fewest(problem, least, most, ENOUGH)


@pytest.mark.parametrize(
    ("problem", "waves"),
    [
        pytest.param(FREE, 1, id="nothing"),
        pytest.param(replace(FREE, budgets=((2, (0, 1, 2)),)), 2, id="a budget"),
        pytest.param(
            replace(FREE, budgets=((1, (0, 1)), (1, (1, 2)), (1, (0, 2)))), 3, id="crossing budgets"
        ),
        pytest.param(replace(FREE, sizes=(5, 4, 1, 1), budgets=((3, (0, 1)),)), 3, id="classes of several"),
        pytest.param(replace(FREE, exclusions=(((0, 1), (2,), (3,)),)), 3, id="an exclusion"),
        pytest.param(replace(FREE, orders=(((0, 1), (2,)), ((2,), (3,)))), 3, id="a chain of orders"),
        pytest.param(
            # Without rivals 0 and 1 would go first, then 2 and 3: both cells open at once.
            replace(FREE, rivals=(((0, 3), (1, 2)),), orders=(((0,), (3,)), ((1,), (2,)))),
            4,
            id="cells, each in one go",
        ),
        pytest.param(
            # Cells of different places don't wait for each other.
            replace(FREE, rivals=(((0,), (1,)), ((2,), (3,)))),
            2,
            id="cells of two places in turn",
        ),
    ],
)
def test_each_rule_is_kept_in_the_fewest_waves(problem: Problem, waves: int) -> None:
    """What is found is as short as is proven; with a wave less there is nothing, and that is proven too."""
    found = fewest(problem, most=6)

    assert found.waves is not None
    assert (len(found.waves), found.least) == (waves, waves)
    machines = sorted(one for wave in found.waves for one in wave)
    assert machines == [one for one, size in enumerate(problem.sizes) for _ in range(size)]
    if waves > 1:
        shorter = fewest(problem, most=waves - 1)
        assert (shorter.waves, shorter.least) == (None, waves)


def test_orders_that_go_in_a_circle_have_no_plan() -> None:
    """That none exists in so many waves is proven."""
    assert fewest(replace(FREE, orders=(((0,), (1,)), ((1,), (0,)))), most=4).least == 5


def test_the_same_question_has_the_same_answer() -> None:
    """To the wave and to the work: a plan is the same twice."""
    rings = tuple((1, (one, (one + 1) % 15)) for one in range(15)) + tuple(
        (1, (one, (one + 4) % 15)) for one in range(15)
    )
    problem = replace(FREE, sizes=(1,) * 15, budgets=rings)

    assert fewest(problem, most=6, least=2) == fewest(problem, most=6, least=2)


def test_without_work_nothing_is_claimed() -> None:
    """An answer that ran out of work holds no more than it was given."""
    rings = tuple((1, (one, (one + step) % 41)) for one in range(41) for step in (1, 3, 7, 12))
    found = CpSat().fewest(replace(FREE, sizes=(1,) * 41, budgets=rings), 2, 6, 1e-9)

    assert found.least <= 6


def test_the_version_is_named() -> None:
    """Two versions may find different plans."""
    assert CpSat.name.startswith("ortools 9.")
